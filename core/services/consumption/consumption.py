"""What a dwelling consumed: the dashboard's indicators, and series by day and by month.

The one rule: nothing outside the viewer's occupancy period is counted, and where there is no data the value
is None, never 0 (C-15, C-20). A day or month without data is part of its series all the same, so that a gap
is visible.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.access import Permission, Viewer
from core.consumption import DayTotal, Indicators, Month, Quality, indicators, monthly
from core.consumption.fluids import Fluid
from core.consumption.periods import civil_day
from core.consumption.totals import total_by_day
from core.errors import InvalidInput
from core.services.places.daily_volumes import days_by_fluid
from core.services.places.meters import ReadingView, latest, meters_by_dwelling
from core.services.shared.scope import OccupancyPeriod, home_at

LONGEST_SERIES = timedelta(days=3 * 366)
"""The longest daily series of one query: what the CNIL allows an operator to keep (CN-03)."""

MONTHS_BEHIND_INDICATORS = 12
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FluidDashboard:
    """One tab of the dashboard (R-066…R-076); amounts in the fluid's smallest unit."""

    dwelling_id: int
    fluid: Fluid
    indicators: Indicators
    last_reading: ReadingView | None


@dataclass(frozen=True, slots=True)
class DayPoint:
    """A civil day; None where there is no data."""

    day: date
    amount: int | None
    quality: Quality | None


@dataclass(frozen=True, slots=True)
class MonthPoint:
    """A calendar month; None where there is no data. `complete`: every day of it is known."""

    month: Month
    amount: int | None
    quality: Quality | None
    days_with_data: int
    complete: bool


async def dashboard(viewer: Viewer, dwelling_id: int, *, now: datetime) -> list[FluidDashboard]:
    """The tabs of a dwelling's dashboard, one for each fluid that is metered there (R-067…R-069).

    Raises:
        NotFound: no such dwelling, or not the viewer's.
    """
    viewer.require(Permission.CONSUMPTION_READ_DAILY)
    period, today = await _period_today(viewer, dwelling_id, now)
    meters = (await meters_by_dwelling(viewer, [dwelling_id]))[dwelling_id]
    first = min(Month.of(today).plus(-MONTHS_BEHIND_INDICATORS).first_day, date(today.year, 1, 1))
    days = await days_by_fluid([dwelling_id], (max(first, period.first_day), _last(period, today)))
    return [
        FluidDashboard(
            dwelling_id=dwelling_id,
            fluid=fluid,
            indicators=indicators(
                total_by_day(days.get((dwelling_id, fluid), ())), today=today, visible_from=period.first_day
            ),
            last_reading=latest([meter for meter in meters if meter.fluid is fluid]),
        )
        for fluid in Fluid
        if any(meter.fluid is fluid for meter in meters)
    ]


async def daily_series(
    viewer: Viewer,
    dwelling_id: int,
    fluid: Fluid,
    *,
    first: date | None = None,
    last: date | None = None,
    now: datetime,
) -> list[DayPoint]:
    """Every civil day from `first` to `last` (by default the last 31 that may be seen), in order.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
        ForbiddenPeriod: a bound lies outside the viewer's occupancy period.
        InvalidInput: `last` before `first`, or a longer series than one query allows.
    """
    viewer.require(Permission.CONSUMPTION_READ_DAILY)
    period, today = await _period_today(viewer, dwelling_id, now)
    return await days_of_period(period, fluid, first=first, last=last, today=today)


async def days_of_period(
    period: OccupancyPeriod, fluid: Fluid, *, first: date | None, last: date | None, today: date
) -> list[DayPoint]:
    """The days of an occupancy period from `first` to `last` (by default the last 31), in order.

    Raises:
        ForbiddenPeriod: a bound lies outside the occupancy period.
        InvalidInput: `last` before `first`, or a longer series than one query allows.
    """
    if period.first_day > today:
        return []
    earliest, last = period.clip(first, last, today=today)
    first = first or max(earliest, last - timedelta(days=30))
    _check(first, last)
    known = {total.day: total for total in await _totals(period.dwelling_id, fluid, first, last)}
    return [
        DayPoint(day, total.amount if total else None, total.quality if total else None)
        for day in (first + offset * _ONE_DAY for offset in range((last - first).days + 1))
        for total in (known.get(day),)
    ]


async def monthly_series(
    viewer: Viewer,
    dwelling_id: int,
    fluid: Fluid,
    *,
    first: Month | None = None,
    last: Month | None = None,
    now: datetime,
) -> list[MonthPoint]:
    """Every calendar month from `first` to `last` (by default thirteen up to the current one), in order.

    The month of the move-in counts from the day of the move-in (C-15). A viewer who may not see days gets no
    figure for the month in progress.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
        ForbiddenPeriod: a month lies wholly outside the viewer's occupancy period.
        InvalidInput: `last` before `first`, or a longer series than one query allows.
    """
    viewer.require(Permission.CONSUMPTION_READ)
    period, today = await _period_today(viewer, dwelling_id, now)
    if period.first_day > today:
        return []
    if first is not None:
        period.clip(_touched_day(first, period), None, today=today)
    if last is not None:
        period.clip(None, _touched_day(last, period), today=today)
    end = min(last or Month.of(_last(period, today)), Month.of(today))
    start = first or max(Month.of(period.first_day), end.plus(-MONTHS_BEHIND_INDICATORS))
    _check(start.first_day, end.last_day)
    first_day, last_day = max(start.first_day, period.first_day), min(end.last_day, _last(period, today))
    totals = await _totals(dwelling_id, fluid, first_day, last_day)
    known = {volume.month: volume for volume in monthly(totals, visible_from=period.first_day)}
    points: list[MonthPoint] = []
    month = start
    current = Month.of(today)
    while month <= end:
        # A month in progress, queried every day, would disclose the days.
        hidden = month == current and not viewer.may(Permission.CONSUMPTION_READ_DAILY)
        volume = None if hidden else known.get(month)
        points.append(
            MonthPoint(
                month=month,
                amount=volume.amount if volume else None,
                quality=volume.quality if volume else None,
                days_with_data=volume.days_with_data if volume else 0,
                complete=volume.complete if volume else False,
            )
        )
        month = month.next()
    return points


async def _period_today(viewer: Viewer, dwelling_id: int, now: datetime) -> tuple[OccupancyPeriod, date]:
    """The occupancy period, and today's date at the dwelling."""
    home = await home_at(viewer, dwelling_id)
    return home.period, civil_day(now, home.place["time_zone"])


async def _totals(dwelling_id: int, fluid: Fluid, first: date, last: date) -> Sequence[DayTotal]:
    meters = await days_by_fluid([dwelling_id], (first, last), fluid=fluid)
    return total_by_day(meters.get((dwelling_id, fluid), ()))


def _last(period: OccupancyPeriod, today: date) -> date:
    return today if period.last_day is None else min(period.last_day, today)


def _touched_day(month: Month, period: OccupancyPeriod) -> date:
    """A day of the month inside the occupancy period, if there is one."""
    return max(month.first_day, min(month.last_day, period.first_day))


def _check(first: date, last: date) -> None:
    if last < first:
        raise InvalidInput("ends before it begins", field="to")
    if last - first > LONGEST_SERIES:
        raise InvalidInput(f"spans more than {LONGEST_SERIES.days} days", field="from")
