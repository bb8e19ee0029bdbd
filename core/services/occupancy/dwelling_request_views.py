"""Requests for a dwelling as those see them who wait for a decision, and who decide.

In: a viewer. Out: requests. The one rule: managers see the open ones of their residences, with whether
somebody else has the dwelling now; applicants their own, as they were made.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tortoise.queryset import QuerySet

from core.access import Permission, Role, Viewer
from core.consumption.periods import civil_day
from core.errors import NotFound
from core.models import (
    Dwelling,
    DwellingRequest,
    DwellingRequestKind,
    DwellingRequestState,
    Occupancy,
    OccupancyKind,
)
from core.services.occupancy.occupancies import holders
from core.services.places.managed_residences import place_of
from core.services.shared.scope import OccupancyPeriod


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


async def list_dwelling_requests(
    viewer: Viewer,
    *,
    state: DwellingRequestState = DwellingRequestState.OPEN,
    after_id: int = 0,
    limit: int = 100,
    now: datetime,
) -> list[DwellingRequestView]:
    """The oldest requests of a state from `after_id` on; for a manager those of the residences managed."""
    return await _listed(
        viewer, requests_of(viewer).filter(state=state, id__gt=after_id).limit(limit), state, now
    )


async def count_dwelling_requests(viewer: Viewer) -> int:
    """The open requests; for a manager those of the residences managed."""
    viewer.require(Permission.DWELLING_REQUESTS_DECIDE)
    return await requests_of(viewer).filter(state=DwellingRequestState.OPEN).count()


async def dwelling_request(viewer: Viewer, request_id: int, *, now: datetime) -> DwellingRequestView:
    """An open request.

    Raises:
        NotFound: no such request, one that was decided, or of a residence that the viewer does not manage.
    """
    state = DwellingRequestState.OPEN
    found = await _listed(viewer, requests_of(viewer).filter(state=state, id=request_id), state, now)
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
            dwelling_request.kind = kind_now(in_the_way(dwelling_request, held, now))
    return [view_of(dwelling_request) for dwelling_request in dwelling_requests]


async def my_dwelling_requests(viewer: Viewer) -> list[DwellingRequestView]:
    """The viewer's own open requests, oldest first, each as it was made: what became of the dwelling since
    is not the applicant's to see.
    """
    viewer.require(Permission.ACCOUNT_READ)
    viewer.require(Permission.DWELLINGS_READ)
    rows = DwellingRequest.filter(account_id=viewer.account_id, state=DwellingRequestState.OPEN).order_by(
        "id"
    )
    return [view_of(row) for row in await rows.select_related("account", "dwelling__residence")]


def requests_of(viewer: Viewer) -> QuerySet[DwellingRequest]:
    if viewer.role is Role.MANAGER:
        return DwellingRequest.filter(dwelling__residence__managers__account_id=viewer.account_id)
    return DwellingRequest.all()


def in_the_way(
    dwelling_request: DwellingRequest, held: Iterable[tuple[Occupancy, OccupancyPeriod]], now: datetime
) -> list[Occupancy]:
    """The occupancies that an approval would end: of others who live there now; never for an owner
    elsewhere (C-01).
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


def kind_now(in_the_way: Sequence[Occupancy]) -> DwellingRequestKind:
    return DwellingRequestKind.CONTESTED if in_the_way else DwellingRequestKind.REVIEW


def view_of(dwelling_request: DwellingRequest) -> DwellingRequestView:
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
