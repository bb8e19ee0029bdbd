"""What a dwelling consumed, for its manager: by month always, by day where the occupant has consented.

The one rule: no consent, no days; unanswered counts as refused, a withdrawal takes effect at once, and the
consent of one occupant does not extend to the next (CN-01, CN-07, CN-10). A month is that of the dwelling,
whoever lived there; the one in progress, queried every day, would disclose the days, and so would the month
of the move-in beside the days after it. Each access to days is recorded (CN-13).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from core.access import Permission, Viewer, Visitor
from core.consumption import DayTotal, Month, monthly
from core.consumption.fluids import Fluid
from core.consumption.periods import civil_day
from core.errors import NotFound, SubmeterError
from core.models import Meter
from core.services.consumption.consumption import (
    MONTHS_BEHIND_INDICATORS,
    FluidDashboard,
    MonthPoint,
    SeriesAsked,
    check_span,
    dashboards_of,
    look_at_dashboard,
    looks_at_series,
    month_points,
    series_of,
)
from core.services.consumption.day_series import DaySeries
from core.services.occupancy.present_occupancies import PresentOccupancy, home_with_days, present_occupancies
from core.services.places.dwelling_days import DaysAsked
from core.services.places.kept_months import KeptMonths, totals_and_months
from core.services.places.meters import ReadingsAsked, ReadingView, readings_in, seconds_of
from core.services.shared.guest_looks import DataLook, record_access
from core.services.shared.paging import Page
from core.services.shared.scope import Home
from core.services.shared.transaction import current_database
from core.texts.access_log import LookedAt


@dataclass(frozen=True, slots=True)
class MonthsAsked:
    """The months of a fluid at a dwelling; None for the default bound."""

    dwelling_id: int
    fluid: Fluid
    first: Month | None = None
    last: Month | None = None


async def managed_daily_series(
    viewer: Viewer,
    dwelling_id: int,
    fluid: Fluid,
    *,
    first: date | None = None,
    last: date | None = None,
    visitor: Visitor,
    now: datetime,
) -> DaySeries:
    """Every civil day of the present occupancy from `first` to `last` (by default the last 31).

    Raises:
        NotFound: no such dwelling, or not of a residence that the viewer manages.
        NoOccupant: no occupant is known.
        ConsentRequired: the occupant has not consented.
        InvalidInput: `last` before `first`, or a longer series than one query allows.
    """
    asked = [SeriesAsked(dwelling_id, fluid, first, last)]
    (series,) = await managed_series(viewer, asked, visitor=visitor, now=now)
    if isinstance(series, SubmeterError):
        raise series
    return series


async def managed_series(
    viewer: Viewer, asked: Sequence[SeriesAsked], *, visitor: Visitor, now: datetime
) -> list[DaySeries | SubmeterError]:
    """Several daily series; each refusal of `managed_daily_series` is that of its own series."""
    present = await present_occupancies(viewer, {one.dwelling_id for one in asked}, now=now)
    found = await series_of(lambda number: home_with_days(present, number), asked, now=now)
    await record_access(viewer, looks_at_series(asked, found), visitor=visitor, now=now)
    return found


async def managed_dashboards(
    viewer: Viewer, dwelling_ids: Collection[int], *, visitor: Visitor, now: datetime
) -> dict[int, list[FluidDashboard] | SubmeterError]:
    """The dashboards of dwellings, whose figures of the month in progress are those of its days."""
    present = await present_occupancies(viewer, dwelling_ids, now=now)
    found: dict[int, list[FluidDashboard] | SubmeterError] = {}
    homes: dict[int, Home] = {}
    for number in dwelling_ids:
        try:
            homes[number] = home_with_days(present, number)
        except SubmeterError as refusal:
            found[number] = refusal
    looks = [look_at_dashboard(home, now) for home in homes.values()]
    await record_access(viewer, looks, visitor=visitor, now=now)
    return found | (await dashboards_of(homes, now=now) if homes else {})


async def managed_months(
    viewer: Viewer, asked: Sequence[MonthsAsked], *, now: datetime
) -> list[list[MonthPoint] | SubmeterError]:
    """Every calendar month from `first` to `last` (by default thirteen up to the current one), in order.

    The refusals NotFound and InvalidInput are each that of its own series.
    """
    viewer.require(Permission.CONSUMPTION_READ)
    present = await present_occupancies(viewer, {one.dwelling_id for one in asked}, now=now)
    spans: list[_Span | SubmeterError] = []
    for one in asked:
        try:
            spans.append(_Span.of(one, present.get(one.dwelling_id), now))
        except SubmeterError as refusal:
            spans.append(refusal)
    days = [span.days for span in spans if isinstance(span, _Span)]
    found = iter(await totals_and_months(current_database(), days) if days else [])
    return [span if isinstance(span, SubmeterError) else span.points(*next(found)) for span in spans]


@dataclass(frozen=True, slots=True)
class _Span:
    """The months to read; of that of `cut`, since when days are seen, the days from then on."""

    days: DaysAsked
    start: Month
    end: Month
    hidden: Month | None
    cut: date | None

    @classmethod
    def of(cls, asked: MonthsAsked, present: PresentOccupancy | None, now: datetime) -> "_Span":
        if present is None:
            raise NotFound("No such dwelling.", field="id")
        today = civil_day(now, present.place["time_zone"])
        end = min(asked.last or Month.of(today), Month.of(today))
        start = asked.first or end.plus(-MONTHS_BEHIND_INDICATORS)
        check_span(start.first_day, end.last_day)
        days = DaysAsked(
            asked.dwelling_id,
            present.place["time_zone"],
            asked.fluid,
            start.first_day,
            min(end.last_day, today),
        )
        shown = present.days
        return cls(
            days=days,
            start=start,
            end=end,
            hidden=None if shown else Month.of(today),
            cut=shown.first_day if shown else None,
        )

    def points(self, totals: Sequence[DayTotal], kept: KeptMonths) -> list[MonthPoint]:
        shown = [total for total in totals if not self._before_the_cut(total.day)]
        hidden = None if self.cut is None else (Month.of(self.cut).first_day, self.cut)
        months = [one.volume for one in kept.sums(without=hidden)]
        return month_points([*monthly(shown), *months], self.start, self.end, hidden=self.hidden)

    def _before_the_cut(self, day: date) -> bool:
        return self.cut is not None and Month.of(self.cut).first_day <= day < self.cut


async def managed_readings(
    viewer: Viewer, meter_id: int, asked: ReadingsAsked, *, visitor: Visitor, now: datetime
) -> Page[ReadingView]:
    """A page of a meter's readings during the present occupancy.

    Raises:
        NotFound: no such meter, or not of a residence that the viewer manages.
        NoOccupant: no occupant is known.
        ConsentRequired: the occupant has not consented.
    """
    viewer.require(Permission.MANAGED_DAYS_READ)
    meter = await Meter.get_or_none(id=meter_id)
    present = {} if meter is None else await present_occupancies(viewer, [meter.dwelling_id], now=now)
    if meter is None or meter.dwelling_id not in present:
        raise NotFound("No such meter.", field="id")
    home = home_with_days(present, meter.dwelling_id)
    page = await readings_in(seconds_of(home.period, meter_id, ZoneInfo(home.place["time_zone"])), asked)
    days = [civil_day(reading.read_at, home.place["time_zone"]) for reading in page.items]
    first, last = min(days, default=None), max(days, default=None)
    looks = [DataLook(meter.dwelling_id, LookedAt.READINGS, first, last, meter.fluid.value)]
    await record_access(viewer, looks, visitor=visitor, now=now)
    return page
