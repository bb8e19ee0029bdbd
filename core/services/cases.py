"""Requests for a dwelling that a manager decides: found by what can be guessed, or contested (C-40, C-12).

In: a case and a decision. Out: an occupancy, or none; and a letter to whoever asked. The one rule: until it
is decided the account sees nothing; where a present occupant has to give way, that one is told and keeps the
own period (CN-10).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.queryset import QuerySet

from core.access import Permission, Role, Viewer, Visitor
from core.access.acts import NOBODY
from core.bootstrap import House
from core.errors import Conflict, NotFound
from core.models import Account, CaseKind, CaseState, Channel, Dwelling, DwellingCase, OccupancyKind
from core.operators import OperatorProfile
from core.services.letters import Letter, portal_link, queue_letter
from core.services.managed import place_of
from core.services.meter_book import lock_dwellings
from core.services.occupancies import Claim, admit, end, today_at
from core.services.scope import occupants
from core.services.transaction import transactional


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as a manager sees it: the dwelling, and who asks for it."""

    id: int
    kind: CaseKind
    state: CaseState
    residence_code: str
    dwelling: str
    name: str
    occupancy: OccupancyKind
    move_in: date
    opened_at: datetime

    @property
    def contested(self) -> bool:
        """Whether the dwelling has an account already."""
        return self.kind is CaseKind.CONTESTED


async def list_cases(
    viewer: Viewer, *, state: CaseState = CaseState.OPEN, limit: int = 100
) -> list[CaseView]:
    """The oldest cases of a state; to a manager those of the residences looked after."""
    viewer.require(Permission.CASES_DECIDE)
    rows = _of(viewer).filter(state=state).order_by("id").limit(limit)
    return [_view(row) for row in await rows.select_related("account", "dwelling__residence")]


@transactional
async def decide(
    connection: TransactionalDBClient,
    house: House,
    viewer: Viewer,
    case_id: int,
    *,
    approved: bool,
    visitor: Visitor = NOBODY,
    now: datetime,
) -> CaseView:
    """Let somebody in, or not; whoever asked is told either way.

    Raises:
        NotFound: no such case, or none of the manager's residences.
        Conflict: it was decided before.
    """
    viewer.require(Permission.CASES_DECIDE)
    query = _of(viewer).using_db(connection).select_related("account", "dwelling__residence__operator")
    case = await query.get_or_none(id=case_id)
    if case is None:
        raise NotFound("No such case.", field="case")
    await lock_dwellings(connection, [case.dwelling_id])
    state = CaseState.APPROVED if approved else CaseState.REFUSED
    still_open = DwellingCase.filter(id=case_id, state=CaseState.OPEN).using_db(connection)
    if not await still_open.update(state=state, decided_at=now):
        raise Conflict("This case was decided before.", field="case")
    case.state = state
    profile = house.registry.profile(case.dwelling.residence.operator.code)
    if approved:
        await _make_room(connection, house, case, profile, now=now)
        claim = Claim(
            dwelling_id=case.dwelling_id,
            account_id=case.account_id,
            kind=case.occupancy_kind,
            move_in=case.move_in,
            attested_at=case.attested_at,
            council_member=case.council_member,
            manager_daily_data=case.manager_daily_data,
        )
        version = profile.consent_version if profile else ""
        await admit(connection, claim, consent_version=version, visitor=visitor, now=now)
    template = "case_approved" if approved else "case_refused"
    await _tell(connection, house, case.account, profile, template, f"case:{case.id}", now=now)
    return _view(case)


def _of(viewer: Viewer) -> QuerySet[DwellingCase]:
    if viewer.role is Role.MANAGER:
        return DwellingCase.filter(dwelling__residence__managers__account_id=viewer.account_id)
    return DwellingCase.all()


async def _make_room(
    connection: TransactionalDBClient,
    house: House,
    case: DwellingCase,
    profile: OperatorProfile | None,
    *,
    now: datetime,
) -> None:
    """End the stay of whoever is there, unless an owner who lives elsewhere asks.

    It ends on the eve of the new one. Where the new one is said to have begun before it, it ends today: days
    that were somebody's are never given to another.
    """
    if case.occupancy_kind is OccupancyKind.OWNER_NON_OCCUPANT:
        return
    rows = occupants().filter(dwelling_id=case.dwelling_id).exclude(account_id=None).using_db(connection)
    today = await today_at(case.dwelling_id, now=now)
    for row in await rows.select_related("account"):
        if row.account_id == case.account_id or (row.move_out and row.move_out <= max(today, case.move_in)):
            continue
        leaves = case.move_in if case.move_in > row.move_in else today
        await end(connection, row, house.registry, last_day=leaves - timedelta(days=1), today=today)
        if row.account is not None and row.access_until is not None:
            await _tell(
                connection,
                house,
                row.account,
                profile,
                "occupancy_ended",
                f"case:{case.id}:{row.id}",
                until=row.access_until.isoformat(),
                now=now,
            )


async def _tell(
    connection: TransactionalDBClient,
    house: House,
    account: Account,
    profile: OperatorProfile | None,
    template: str,
    key: str,
    *,
    until: str = "",
    now: datetime,
) -> None:
    letter = Letter(
        key=key,
        channel=Channel.EMAIL,
        template=template,
        language=account.language,
        recipient=account.email,
        account_id=account.id,
        values={
            "portal": profile.portal_name if profile else "Submeter",
            "operator": profile.name if profile else "",
            "link": await portal_link(connection, house, account),
            "until": until,
        },
    )
    await queue_letter(connection, house.settings, letter, now=now)


def _view(case: DwellingCase) -> CaseView:
    dwelling: Dwelling = case.dwelling
    return CaseView(
        id=case.id,
        kind=case.kind,
        state=case.state,
        residence_code=dwelling.residence.code,
        dwelling=place_of(dwelling),
        name=f"{case.account.first_name} {case.account.last_name}".strip(),
        occupancy=case.occupancy_kind,
        move_in=case.move_in,
        opened_at=case.opened_at,
    )
