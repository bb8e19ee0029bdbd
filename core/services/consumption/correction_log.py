"""The log of a dwelling's corrected days: what was shown, what is shown now, when that changed, and why.

In: the viewer, and a page. Out: corrections, the latest first. The one rule: it shows what the days
themselves would: those of the viewer's occupancy period, and to a manager those of the present occupant who
has consented, with a record of the look (CN-01, CN-13).
"""

from dataclasses import dataclass
from datetime import date, datetime

from tortoise.transactions import in_transaction

from core.access import Act, Permission, Role, Viewer, Visitor
from core.consumption.corrections import CorrectionReason
from core.consumption.fluids import Fluid
from core.consumption.periods import civil_day
from core.models import ConsumptionCorrection
from core.services.occupancy.present_occupancies import home_with_days, present_occupancies
from core.services.shared.audit import Subject, record
from core.services.shared.paging import Page
from core.services.shared.scope import Home, home_at
from core.services.shared.time_series import day_number, day_of_number


@dataclass(frozen=True, slots=True)
class Correction:
    """A day of a meter whose amount changed; None where nothing was, or is, known of it."""

    id: int
    day: date
    meter_id: int
    printed_serial: str
    fluid: Fluid
    before: int | None
    after: int | None
    reason: CorrectionReason
    corrected_at: datetime


async def corrections_of_dwelling(
    viewer: Viewer,
    dwelling_id: int,
    *,
    first: int,
    after: int | None = None,
    visitor: Visitor,
    now: datetime,
) -> Page[Correction]:
    """A page of the corrections that the viewer may see, the latest first.

    Args:
        viewer: the occupant, or the manager.
        dwelling_id: the dwelling.
        first: how many at most.
        after: the number of the last correction of the page before.
        visitor: from where a manager looks.
        now: the present moment.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
        NoOccupant: to a manager: no occupant is known.
        ConsentRequired: to a manager: the occupant has not consented.
    """
    if viewer.role is not Role.MANAGER:
        viewer.require(Permission.CONSUMPTION_READ_DAILY)
    home = await _home(viewer, dwelling_id, now=now)
    today = civil_day(now, home.place["time_zone"])
    days = home.period.seen(None, None, today=today)
    if days is None:
        return Page([], has_next=False, total=0)
    rows = ConsumptionCorrection.filter(
        meter__dwelling_id=dwelling_id, day__gte=day_number(days[0]), day__lte=day_number(days[1])
    )
    total = await rows.count()
    if after is not None:
        rows = rows.filter(id__lt=after)
    found = await rows.order_by("-id").limit(first + 1).select_related("meter")
    if viewer.role is Role.MANAGER:
        async with in_transaction() as connection:
            subject, looked = Subject("dwelling", dwelling_id), min(len(found), first)
            await record(Act.DATA_ACCESSED, subject, viewer, visitor, now, connection, corrections=looked)
    return Page([_view(row) for row in found[:first]], has_next=len(found) > first, total=total)


async def _home(viewer: Viewer, dwelling_id: int, *, now: datetime) -> Home:
    if viewer.role is Role.MANAGER:
        present = await present_occupancies(viewer, [dwelling_id], now=now)
        return home_with_days(present, dwelling_id)
    return await home_at(viewer, dwelling_id)


def _view(row: ConsumptionCorrection) -> Correction:
    return Correction(
        id=row.id,
        day=day_of_number(row.day),
        meter_id=row.meter_id,
        printed_serial=row.meter.printed_serial,
        fluid=row.meter.fluid,
        before=row.amount_before,
        after=row.amount_after,
        reason=row.reason,
        corrected_at=row.corrected_at,
    )
