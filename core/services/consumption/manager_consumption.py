"""A dwelling's daily consumption for its manager, where the occupant has consented to it.

The one rule: no consent, no days; unanswered counts as refused, a withdrawal takes effect at once, and the
consent of one occupant does not extend to the next (CN-01, CN-07, CN-10). Each access is recorded (CN-13).
"""

from dataclasses import dataclass
from datetime import date, datetime

from core.access import Act, Permission, Viewer, Visitor
from core.consumption.fluids import Fluid
from core.consumption.periods import civil_day
from core.errors import ConsentRequired, NotFound
from core.models import Dwelling
from core.services.consumption.consumption import DayPoint, days_of_period
from core.services.occupancy.consents import has_consented
from core.services.places.managed_residences import manages, place_of, require_managed
from core.services.shared.audit import Subject, record
from core.services.shared.scope import OccupancyPeriod, occupants, with_periods


@dataclass(frozen=True, slots=True)
class ManagedDwellingView:
    """A dwelling of a residence as its manager sees it."""

    id: int
    place: str
    lot: str | None


async def managed_dwellings(viewer: Viewer, residence_id: int) -> list[ManagedDwellingView]:
    """The dwellings of one of the manager's residences, by place.

    Raises:
        NotFound: no such residence, or not the viewer's.
    """
    viewer.require(Permission.MANAGED_DAYS_READ)
    await require_managed(viewer, residence_id)
    views = [_view(row) for row in await Dwelling.filter(residence_id=residence_id)]
    return sorted(views, key=lambda view: (view.place, view.id))


async def managed_dwelling(viewer: Viewer, dwelling_id: int) -> ManagedDwellingView:
    """A dwelling of the manager's residences.

    Raises:
        NotFound: no such dwelling, or not of a residence that the viewer manages.
    """
    viewer.require(Permission.MANAGED_DAYS_READ)
    return _view(await _managed(viewer, dwelling_id))


async def managed_daily_series(
    viewer: Viewer,
    dwelling_id: int,
    fluid: Fluid,
    *,
    first: date | None = None,
    last: date | None = None,
    visitor: Visitor,
    now: datetime,
) -> list[DayPoint]:
    """Every civil day of the present occupancy from `first` to `last` (by default the last 31).

    Raises:
        NotFound: no such dwelling, or not of a residence that the viewer manages.
        ConsentRequired: nobody lives there who has consented.
        InvalidInput: `last` before `first`, or a longer series than one query allows.
    """
    viewer.require(Permission.MANAGED_DAYS_READ)
    dwelling = await _managed(viewer, dwelling_id)
    zone = dwelling.residence.time_zone
    today = civil_day(now, zone)
    period = await _consented(dwelling_id, today)
    if period is None:
        raise ConsentRequired("The occupant has not consented to daily data.", field="dwelling")
    points = await days_of_period(period, zone, fluid, first=first, last=last, today=today)
    await record(
        Act.DATA_ACCESSED,
        Subject("dwelling", dwelling_id),
        viewer,
        visitor,
        now,
        fluid=fluid.value,
        days=len(points),
    )
    return points


async def _managed(viewer: Viewer, dwelling_id: int) -> Dwelling:
    """A dwelling of the manager's residences, with its residence loaded."""
    dwelling = await Dwelling.get_or_none(id=dwelling_id).select_related("residence")
    if dwelling is None or not await manages(viewer, dwelling.residence_id):
        raise NotFound("No such dwelling.", field="dwelling")
    return dwelling


def _view(dwelling: Dwelling) -> ManagedDwellingView:
    return ManagedDwellingView(id=dwelling.id, place=place_of(dwelling), lot=dwelling.lot)


async def _consented(dwelling_id: int, today: date) -> OccupancyPeriod | None:
    """The occupancy period of today's occupant, if that person has consented."""
    rows = await occupants().filter(dwelling_id=dwelling_id).exclude(account_id=None)
    for row, period in await with_periods(rows):
        if period.holds(today) and await has_consented(row):
            return period
    return None
