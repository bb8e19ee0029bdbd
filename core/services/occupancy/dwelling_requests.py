"""Requests for a dwelling that a manager decides: found by what can be guessed, or contested (C-40, C-12).

In: a claim, of which the managers are told; then a case and a decision. Out: an occupancy, or none; a letter
to whoever asked, and a record of the decision. The one rule: until it is decided the account sees nothing;
nobody gives way to a decision that was not told of somebody there; and who does is told and keeps the own
period (CN-10).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.queryset import QuerySet

from core.access import Act, Permission, Role, Viewer, Visitor
from core.access.acts import NOBODY
from core.bootstrap import House
from core.errors import Conflict, NotFound
from core.models import (
    Account,
    CaseKind,
    CaseState,
    Dwelling,
    DwellingCase,
    Occupancy,
    OccupancyKind,
)
from core.operators import OperatorProfile
from core.services.messaging.account_messages import Letter, portal_link, queue_letter
from core.services.occupancy.occupancies import Claim, admit, end, holders, today_at
from core.services.places.managed_residences import managers_of, place_of
from core.services.places.meter_directory import lock_dwellings
from core.services.shared.audit import Subject, record
from core.services.shared.scope import Stay
from core.services.shared.transaction import transactional


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as a manager sees it: the dwelling, and who asks for it.

    `kind`: CONTESTED where somebody else has the dwelling's account; of an open case as it is now, of another
    one as it was when it was decided.
    """

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
        """Whether somebody else has the dwelling's account."""
        return self.kind is CaseKind.CONTESTED


async def open_case(
    connection: TransactionalDBClient,
    house: House,
    claim: Claim,
    profile: OperatorProfile,
    *,
    contested: bool,
    visitor: Visitor,
    now: datetime,
) -> None:
    """Ask the managers of the residence to decide, and write to each of them once."""
    case = await DwellingCase.create(
        dwelling_id=claim.dwelling_id,
        account_id=claim.account_id,
        kind=CaseKind.CONTESTED if contested else CaseKind.REVIEW,
        occupancy_kind=claim.kind,
        move_in=claim.move_in,
        attested_at=claim.attested_at,
        council_member=claim.council_member,
        manager_daily_data=claim.manager_daily_data,
        opened_at=now,
        using_db=connection,
    )
    await record(
        Act.DWELLING_CONTESTED,
        Subject("dwelling", claim.dwelling_id),
        now=now,
        visitor=visitor,
        connection=connection,
        account=claim.account_id,
        contested=contested,
    )
    dwelling = await Dwelling.get(id=claim.dwelling_id, using_db=connection).select_related("residence")
    managers = await managers_of(connection, [dwelling.residence_id])
    where = {"place": place_of(dwelling), "residence": dwelling.residence.code}
    for manager in managers.get(dwelling.residence_id, ()):
        key = f"case:{case.id}:opened:{manager.id}"
        await _tell(connection, house, manager, profile, "case_opened", key, now=now, **where)


async def withdraw_reviews(
    connection: TransactionalDBClient, account_id: int, *, visitor: Visitor, now: datetime
) -> None:
    """Take back what somebody asked for by what can be guessed: where they live is proven meanwhile."""
    waiting = DwellingCase.filter(account_id=account_id, kind=CaseKind.REVIEW, state=CaseState.OPEN)
    for case in await waiting.using_db(connection):
        await case.delete(using_db=connection)
        await record(
            Act.CASE_WITHDRAWN,
            Subject("dwelling", case.dwelling_id),
            now=now,
            visitor=visitor,
            connection=connection,
            case=case.id,
            account=account_id,
        )


async def list_cases(
    viewer: Viewer, *, state: CaseState = CaseState.OPEN, limit: int = 100, now: datetime
) -> list[CaseView]:
    """The oldest cases of a state; to a manager those of the residences looked after."""
    viewer.require(Permission.CASES_DECIDE)
    rows = _of(viewer).filter(state=state).order_by("id").limit(limit)
    cases = await rows.select_related("account", "dwelling__residence")
    if state is CaseState.OPEN:
        held = await holders({case.dwelling_id for case in cases})
        for case in cases:
            case.kind = _kind(_in_the_way(case, held, now))
    return [_view(case) for case in cases]


@transactional
async def decide(
    connection: TransactionalDBClient,
    house: House,
    viewer: Viewer,
    case_id: int,
    *,
    approved: bool,
    contested: bool | None = None,
    visitor: Visitor = NOBODY,
    now: datetime,
) -> CaseView:
    """Let somebody in, or not; whoever asked is told either way.

    `contested` is what the case said to whoever decides; None: what it said when it was opened.

    Raises:
        NotFound: no such case, or none of the manager's residences.
        Conflict: it was decided before; or (field `contested`) somebody else has the dwelling, and whoever
            approves was not told so.
    """
    viewer.require(Permission.CASES_DECIDE)
    query = _of(viewer).using_db(connection).select_related("account", "dwelling__residence__operator")
    case = await query.get_or_none(id=case_id)
    if case is None:
        raise NotFound("No such case.", field="case")
    await lock_dwellings(connection, [case.dwelling_id])
    present = _in_the_way(case, await holders([case.dwelling_id], connection=connection), now)
    known = case.kind is CaseKind.CONTESTED if contested is None else contested
    case.state = CaseState.APPROVED if approved else CaseState.REFUSED
    case.kind = _kind(present)
    still_open = DwellingCase.filter(id=case_id, state=CaseState.OPEN).using_db(connection)
    if not await still_open.update(state=case.state, kind=case.kind, decided_at=now):
        raise Conflict("This case was decided before.", field="case")
    if approved and present and not known:
        raise Conflict(
            "Somebody else has this dwelling now: approve it as contested to end that stay.",
            field="contested",
        )
    profile = house.registry.profile(case.dwelling.residence.operator.code)
    if approved:
        await _make_room(connection, house, viewer, case, present, profile, visitor=visitor, now=now)
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
    await record(
        Act.CASE_DECIDED,
        Subject("dwelling", case.dwelling_id),
        now=now,
        visitor=visitor,
        viewer=viewer,
        connection=connection,
        case=case.id,
        account=case.account_id,
        approved=approved,
        contested=bool(present),
    )
    return _view(case)


def _of(viewer: Viewer) -> QuerySet[DwellingCase]:
    if viewer.role is Role.MANAGER:
        return DwellingCase.filter(dwelling__residence__managers__account_id=viewer.account_id)
    return DwellingCase.all()


async def _make_room(
    connection: TransactionalDBClient,
    house: House,
    viewer: Viewer,
    case: DwellingCase,
    present: Sequence[Occupancy],
    profile: OperatorProfile | None,
    *,
    visitor: Visitor,
    now: datetime,
) -> None:
    """End the stay of whoever is there, on the eve of the new one.

    Where the new one is said to have begun before it, it ends today: days that were somebody's are never
    given to another. A stay that is over already is left as it is.
    """
    today = await today_at(case.dwelling_id, now=now)
    for row in present:
        leaves = case.move_in if case.move_in > row.move_in else today
        await end(connection, row, house.registry, last_day=leaves - timedelta(days=1), today=today)
        await record(
            Act.OCCUPANCY_ENDED,
            Subject("dwelling", case.dwelling_id),
            now=now,
            visitor=visitor,
            viewer=viewer,
            connection=connection,
            case=case.id,
            account=row.account_id,
        )
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
    now: datetime,
    **values: str,
) -> None:
    letter = Letter.to(
        account,
        template,
        key=key,
        values={
            "portal": profile.portal_name if profile else "Submeter",
            "operator": profile.name if profile else "",
            "link": await portal_link(connection, house, account),
            **values,
        },
    )
    await queue_letter(connection, house.settings, letter, now=now)


def _in_the_way(case: DwellingCase, held: Iterable[tuple[Occupancy, Stay]], now: datetime) -> list[Occupancy]:
    """The occupancies that an approval would end: of others who live there now; never for an owner elsewhere
    (C-01).
    """
    if case.occupancy_kind is OccupancyKind.OWNER_NON_OCCUPANT:
        return []
    today = now.astimezone(ZoneInfo(case.dwelling.residence.time_zone)).date()
    return [
        row
        for row, stay in held
        if row.dwelling_id == case.dwelling_id
        and row.account_id != case.account_id
        and not stay.over_on(max(today, case.move_in))
    ]


def _kind(in_the_way: Sequence[Occupancy]) -> CaseKind:
    return CaseKind.CONTESTED if in_the_way else CaseKind.REVIEW


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
