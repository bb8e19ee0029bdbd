"""Requests for a dwelling that a manager decides: found by what can be guessed, or contested (C-40, C-12).

In: a claim, of which the managers are notified; then a request and a decision. Out: an occupancy, or none; an
e-mail to the requester, and a record of the decision. The one rule: until it is decided the account sees
nothing; an occupancy is ended only by a decision that was made knowing of it; and its holder is notified and
keeps access to the own period (CN-10).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.queryset import QuerySet

from core.access import Act, Permission, Role, Viewer, Visitor
from core.access.acts import NOBODY
from core.bootstrap import Application
from core.consumption.periods import civil_day
from core.errors import Conflict, NotFound
from core.models import (
    Account,
    Dwelling,
    DwellingRequest,
    DwellingRequestKind,
    DwellingRequestState,
    Occupancy,
    OccupancyKind,
)
from core.operators import OperatorProfile
from core.services.messaging.account_messages import AccountMessage, portal_link, queue_account_message
from core.services.occupancy.occupancies import Claim, admit, end, holders, today_at
from core.services.places.managed_residences import managers_of, place_of
from core.services.places.meter_directory import lock_dwellings
from core.services.shared.audit import Subject, record
from core.services.shared.scope import OccupancyPeriod
from core.services.shared.transaction import transactional


@dataclass(frozen=True, slots=True)
class DwellingRequestView:
    """A request as a manager sees it: the dwelling, and who asks for it.

    `kind`: CONTESTED where somebody else has the dwelling's account; of an open request as it is now, of a
    decided one as it was at the decision.
    """

    id: int
    kind: DwellingRequestKind
    state: DwellingRequestState
    residence_code: str
    dwelling: str
    name: str
    occupancy: OccupancyKind
    move_in: date
    opened_at: datetime

    @property
    def contested(self) -> bool:
        """Whether somebody else has the dwelling's account."""
        return self.kind is DwellingRequestKind.CONTESTED


async def open_dwelling_request(
    connection: TransactionalDBClient,
    application: Application,
    claim: Claim,
    profile: OperatorProfile,
    *,
    contested: bool,
    visitor: Visitor,
    now: datetime,
) -> None:
    """Ask the managers of the residence to decide, by one e-mail to each of them."""
    dwelling_request = await DwellingRequest.create(
        dwelling_id=claim.dwelling_id,
        account_id=claim.account_id,
        kind=DwellingRequestKind.CONTESTED if contested else DwellingRequestKind.REVIEW,
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
        None,
        visitor,
        now,
        connection,
        account=claim.account_id,
        contested=contested,
    )
    dwelling = await Dwelling.get(id=claim.dwelling_id, using_db=connection).select_related("residence")
    managers = await managers_of(connection, [dwelling.residence_id])
    where = {"place": place_of(dwelling), "residence": dwelling.residence.code}
    for manager in managers.get(dwelling.residence_id, ()):
        key = f"dwelling_request:{dwelling_request.id}:opened:{manager.id}"
        await _notify(
            connection, application, manager, profile, "dwelling_request_opened", key, now=now, **where
        )


async def withdraw_reviews(
    connection: TransactionalDBClient, account_id: int, *, visitor: Visitor, now: datetime
) -> None:
    """Withdraw a request made on a guessable claim: the requester has proved the dwelling since."""
    waiting = DwellingRequest.filter(
        account_id=account_id, kind=DwellingRequestKind.REVIEW, state=DwellingRequestState.OPEN
    )
    for dwelling_request in await waiting.using_db(connection):
        await dwelling_request.delete(using_db=connection)
        await record(
            Act.DWELLING_REQUEST_WITHDRAWN,
            Subject("dwelling", dwelling_request.dwelling_id),
            None,
            visitor,
            now,
            connection,
            dwelling_request=dwelling_request.id,
            account=account_id,
        )


async def list_dwelling_requests(
    viewer: Viewer,
    *,
    state: DwellingRequestState = DwellingRequestState.OPEN,
    after_id: int = 0,
    limit: int = 100,
    now: datetime,
) -> list[DwellingRequestView]:
    """The oldest requests of a state from `after_id` on; for a manager those of the residences managed."""
    return await _listed(viewer, _of(viewer).filter(state=state, id__gt=after_id).limit(limit), state, now)


async def count_dwelling_requests(viewer: Viewer) -> int:
    """The open requests; for a manager those of the residences managed."""
    viewer.require(Permission.DWELLING_REQUESTS_DECIDE)
    return await _of(viewer).filter(state=DwellingRequestState.OPEN).count()


async def dwelling_request(viewer: Viewer, request_id: int, *, now: datetime) -> DwellingRequestView:
    """An open request.

    Raises:
        NotFound: no such request, one that was decided, or of a residence that the viewer does not manage.
    """
    state = DwellingRequestState.OPEN
    found = await _listed(viewer, _of(viewer).filter(state=state, id=request_id), state, now)
    if not found:
        raise NotFound("No such request.", field="id")
    return found[0]


async def _listed(
    viewer: Viewer, query: QuerySet[DwellingRequest], state: DwellingRequestState, now: datetime
) -> list[DwellingRequestView]:
    viewer.require(Permission.DWELLING_REQUESTS_DECIDE)
    rows = query.order_by("id")
    dwelling_requests = await rows.select_related("account", "dwelling__residence")
    if state is DwellingRequestState.OPEN:
        held = await holders({dwelling_request.dwelling_id for dwelling_request in dwelling_requests})
        for dwelling_request in dwelling_requests:
            dwelling_request.kind = _kind(_in_the_way(dwelling_request, held, now))
    return [_view(dwelling_request) for dwelling_request in dwelling_requests]


async def my_dwelling_requests(viewer: Viewer) -> list[DwellingRequestView]:
    """The viewer's own open requests, oldest first, each as it was made: what became of the dwelling since is
    not the applicant's to see.
    """
    viewer.require(Permission.ACCOUNT_READ)
    viewer.require(Permission.DWELLINGS_READ)
    rows = DwellingRequest.filter(account_id=viewer.account_id, state=DwellingRequestState.OPEN).order_by(
        "id"
    )
    return [_view(row) for row in await rows.select_related("account", "dwelling__residence")]


@transactional
async def decide(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    request_id: int,
    *,
    approved: bool,
    contested: bool | None = None,
    visitor: Visitor = NOBODY,
    now: datetime,
) -> DwellingRequestView:
    """Approve or refuse a request; the requester is notified either way.

    `contested` is what the request showed when it was decided; None: what it showed when it was opened.

    Raises:
        NotFound: no such request, or not of the manager's residences.
        Conflict: it was decided before; or (field `contested`) somebody else has the dwelling, and the
            request did not show that.
    """
    viewer.require(Permission.DWELLING_REQUESTS_DECIDE)
    query = _of(viewer).using_db(connection).select_related("account", "dwelling__residence__operator")
    dwelling_request = await query.get_or_none(id=request_id)
    if dwelling_request is None:
        raise NotFound("No such request.", field="request")
    await lock_dwellings(connection, [dwelling_request.dwelling_id])
    present = _in_the_way(
        dwelling_request, await holders([dwelling_request.dwelling_id], connection=connection), now
    )
    known = dwelling_request.kind is DwellingRequestKind.CONTESTED if contested is None else contested
    dwelling_request.state = DwellingRequestState.APPROVED if approved else DwellingRequestState.REFUSED
    dwelling_request.kind = _kind(present)
    still_open = DwellingRequest.filter(id=request_id, state=DwellingRequestState.OPEN).using_db(connection)
    if not await still_open.update(state=dwelling_request.state, kind=dwelling_request.kind, decided_at=now):
        raise Conflict("This request was decided before.", field="request")
    if approved and present and not known:
        raise Conflict(
            "Somebody else has this dwelling now: approve it as contested to end that occupancy.",
            field="contested",
        )
    profile = application.registry.profile(dwelling_request.dwelling.residence.operator.code)
    if approved:
        await _make_room(
            connection, application, viewer, dwelling_request, present, profile, visitor=visitor, now=now
        )
        claim = Claim(
            dwelling_id=dwelling_request.dwelling_id,
            account_id=dwelling_request.account_id,
            kind=dwelling_request.occupancy_kind,
            move_in=dwelling_request.move_in,
            attested_at=dwelling_request.attested_at,
            council_member=dwelling_request.council_member,
            manager_daily_data=dwelling_request.manager_daily_data,
        )
        version = profile.consent_version if profile else ""
        await admit(connection, claim, consent_version=version, visitor=visitor, now=now)
    template = "dwelling_request_approved" if approved else "dwelling_request_refused"
    await _notify(
        connection,
        application,
        dwelling_request.account,
        profile,
        template,
        f"dwelling_request:{dwelling_request.id}",
        now=now,
    )
    await record(
        Act.DWELLING_REQUEST_DECIDED,
        Subject("dwelling", dwelling_request.dwelling_id),
        viewer,
        visitor,
        now,
        connection,
        dwelling_request=dwelling_request.id,
        account=dwelling_request.account_id,
        approved=approved,
        contested=bool(present),
    )
    return _view(dwelling_request)


def _of(viewer: Viewer) -> QuerySet[DwellingRequest]:
    if viewer.role is Role.MANAGER:
        return DwellingRequest.filter(dwelling__residence__managers__account_id=viewer.account_id)
    return DwellingRequest.all()


async def _make_room(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    dwelling_request: DwellingRequest,
    present: Sequence[Occupancy],
    profile: OperatorProfile | None,
    *,
    visitor: Visitor,
    now: datetime,
) -> None:
    """End the present occupancy, on the day before the new one.

    Where the new one is declared to have begun before it, it ends today: days of one occupant are never given
    to another. An occupancy that has ended already is left as it is.
    """
    today = await today_at(dwelling_request.dwelling_id, now=now)
    for row in present:
        leaves = dwelling_request.move_in if dwelling_request.move_in > row.move_in else today
        await end(connection, row, application.registry, last_day=leaves - timedelta(days=1), today=today)
        await record(
            Act.OCCUPANCY_ENDED,
            Subject("dwelling", dwelling_request.dwelling_id),
            viewer,
            visitor,
            now,
            connection,
            dwelling_request=dwelling_request.id,
            account=row.account_id,
        )
        if row.account is not None and row.access_until is not None:
            await _notify(
                connection,
                application,
                row.account,
                profile,
                "occupancy_ended",
                f"dwelling_request:{dwelling_request.id}:{row.id}",
                until=row.access_until.isoformat(),
                now=now,
            )


async def _notify(
    connection: TransactionalDBClient,
    application: Application,
    account: Account,
    profile: OperatorProfile | None,
    template: str,
    key: str,
    *,
    now: datetime,
    **values: str,
) -> None:
    account_message = AccountMessage.to(
        account,
        template,
        key=key,
        values={
            "portal": profile.portal_name if profile else "Submeter",
            "operator": profile.name if profile else "",
            "link": await portal_link(connection, application, account),
            **values,
        },
    )
    await queue_account_message(connection, application.settings, account_message, now=now)


def _in_the_way(
    dwelling_request: DwellingRequest, held: Iterable[tuple[Occupancy, OccupancyPeriod]], now: datetime
) -> list[Occupancy]:
    """The occupancies that an approval would end: of others who live there now; never for an owner elsewhere
    (C-01).
    """
    if dwelling_request.occupancy_kind is OccupancyKind.OWNER_NON_OCCUPANT:
        return []
    today = civil_day(now, dwelling_request.dwelling.residence.time_zone)
    return [
        row
        for row, period in held
        if row.dwelling_id == dwelling_request.dwelling_id
        and row.account_id != dwelling_request.account_id
        and not period.over_on(max(today, dwelling_request.move_in))
    ]


def _kind(in_the_way: Sequence[Occupancy]) -> DwellingRequestKind:
    return DwellingRequestKind.CONTESTED if in_the_way else DwellingRequestKind.REVIEW


def _view(dwelling_request: DwellingRequest) -> DwellingRequestView:
    dwelling: Dwelling = dwelling_request.dwelling
    return DwellingRequestView(
        id=dwelling_request.id,
        kind=dwelling_request.kind,
        state=dwelling_request.state,
        residence_code=dwelling.residence.code,
        dwelling=place_of(dwelling),
        name=f"{dwelling_request.account.first_name} {dwelling_request.account.last_name}".strip(),
        occupancy=dwelling_request.occupancy_kind,
        move_in=dwelling_request.move_in,
        opened_at=dwelling_request.opened_at,
    )
