"""What a dwelling consumed: the dashboard's indicators, and series by day and by month.

The one rule: nothing outside the viewer's occupancy period is counted, and where there is no data the value
is None, never 0 (C-15, C-20). A day or month without data is part of its series all the same, so that a gap
is visible.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from core.access import Permission, Viewer
from core.consumption import Indicators, Month, MonthVolume, Quality, monthly
from core.consumption.dashboard import indicators_of_months
from core.consumption.fluids import Fluid
from core.consumption.periods import civil_day
from core.errors import InvalidInput, NotFound, SubmeterError
from core.services.consumption.day_series import DaySeries
from core.services.places.dwelling_days import (
    DaysAsked,
    FluidSums,
    MeterFigures,
    SumsAsked,
    columns_of,
    figures_of,
)
from core.services.places.kept_months import totals_and_months
from core.services.places.meters import in_service_during, seconds_of
from core.services.shared import time_series
from core.services.shared.alert_rows import AlertsAsked, AlertStatusRow
from core.services.shared.guest_looks import DataLook, record_looks
from core.services.shared.scope import Home, OccupancyPeriod, home_at, homes_by_dwelling
from core.services.shared.time_series import Window
from core.services.shared.transaction import current_database
from core.texts.access_log import LookedAt

LONGEST_SERIES = timedelta(days=3 * 366)
"""The longest daily series of one query: what the CNIL allows an operator to keep (CN-03)."""

MONTHS_BEHIND_INDICATORS = 12


class LastReading(Struct, frozen=True):
    """When the last reading was taken, and when it was received; UTC."""

    read_at: datetime
    received_at: datetime


class FluidDashboard(Struct, frozen=True):
    """One tab of the dashboard (R-066…R-076); amounts in the fluid's smallest unit."""

    dwelling_id: int
    fluid: Fluid
    indicators: Indicators
    last_reading: LastReading | None


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
    found = await dashboards(viewer, [dwelling_id], now=now)
    if dwelling_id not in found:
        raise NotFound("No such dwelling.", field="id")
    return found[dwelling_id]


async def dashboards(
    viewer: Viewer, dwelling_ids: Collection[int], *, now: datetime
) -> dict[int, list[FluidDashboard]]:
    """The same for several dwellings, by one statement; what is not the viewer's is left out."""
    viewer.require(Permission.CONSUMPTION_READ_DAILY)
    viewer.require(Permission.METERS_READ)
    own = await homes_by_dwelling(viewer)
    mine = {number: home for number, home in own.items() if number in dwelling_ids}
    found = await dashboards_of(mine, now=now)
    looks = [look_at_dashboard(home, now) for number, home in mine.items() if number in found]
    await record_looks(viewer, looks, now=now)
    return found


def look_at_dashboard(home: Home, now: datetime) -> DataLook:
    """A look at a dashboard is one at the days of the month in progress, of an occupancy that goes on."""
    last = _last(home.period, civil_day(now, home.place["time_zone"]))
    first = max(last.replace(day=1), home.period.first_day)
    return DataLook(home.period.dwelling_id, LookedAt.DASHBOARD, first, last)


async def dashboards_of(mine: Mapping[int, Home], *, now: datetime) -> dict[int, list[FluidDashboard]]:
    """The dashboards of homes, which must come from `scope`; by one statement."""
    return {number: tabs for number, (tabs, _) in (await tabs_and_alerts(mine, {}, now=now)).items()}


async def tabs_and_alerts(
    mine: Mapping[int, Home], running: Mapping[int, AlertsAsked], *, now: datetime
) -> dict[int, tuple[list[FluidDashboard], Sequence[AlertStatusRow]]]:
    """The same with how running alerts stand, of the homes where they are asked for."""
    todays = {number: civil_day(now, home.place["time_zone"]) for number, home in mine.items()}
    asked = []
    for number, home in mine.items():
        today, period, zone = todays[number], home.period, home.place["time_zone"]
        first = min(Month.of(today).plus(-MONTHS_BEHIND_INDICATORS).first_day, date(today.year, 1, 1))
        days = max(first, period.first_day), _last(period, today)
        asked.append(SumsAsked(number, zone, *days, alerts=running.get(number)))
    found = await figures_of(current_database(), asked)
    return {
        number: (
            [
                tab
                for fluid in Fluid
                if fluid in found[number].fluids
                for tab in [await _tab(home, fluid, found[number].fluids[fluid], todays[number])]
                if tab is not None
            ],
            found[number].alerts,
        )
        for number, home in mine.items()
    }


async def _tab(home: Home, fluid: Fluid, sums: FluidSums, today: date) -> FluidDashboard | None:
    """The tab of a fluid; None if no meter of it was in service during the occupancy."""
    zone = ZoneInfo(home.place["time_zone"])
    windows = [seconds_of(home.period, meter.meter_id, zone) for meter in sums.meters]
    shown = [
        (meter, window)
        for meter, window in zip(sums.meters, windows, strict=True)
        if in_service_during(window, meter.installed_s, meter.removed_s)
    ]
    if not shown:
        return None
    last = [one for one in [await _last_reading(meter, window) for meter, window in shown] if one is not None]
    return FluidDashboard(
        dwelling_id=home.period.dwelling_id,
        fluid=fluid,
        indicators=indicators_of_months(sums.months, today=today),
        last_reading=max(last, key=lambda reading: reading.read_at, default=None),
    )


async def _last_reading(meter: MeterFigures, window: Window) -> LastReading | None:
    """The last one within the occupancy."""
    read_s, received_s = meter.last_read_s, meter.last_received_s
    if read_s is not None and read_s > window.last:
        page = await time_series.readings_page(current_database(), window, newest_first=True, limit=1)
        read_s, received_s = (page[0].read_at_s, page[0].received_at_s) if page else (None, None)
    if read_s is None or received_s is None or read_s < window.first:
        return None
    return LastReading(datetime.fromtimestamp(read_s, UTC), datetime.fromtimestamp(received_s, UTC))


@dataclass(frozen=True, slots=True)
class SeriesAsked:
    """The days of a fluid at a dwelling; None for the default bound."""

    dwelling_id: int
    fluid: Fluid
    first: date | None = None
    last: date | None = None


async def daily_series(
    viewer: Viewer,
    dwelling_id: int,
    fluid: Fluid,
    *,
    first: date | None = None,
    last: date | None = None,
    now: datetime,
) -> DaySeries:
    """Every civil day from `first` to `last` (by default the last 31) that may be seen, in order.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
        InvalidInput: `last` before `first`, or a longer series than one query allows.
    """
    (series,) = await several_series(viewer, [SeriesAsked(dwelling_id, fluid, first, last)], now=now)
    if isinstance(series, SubmeterError):
        raise series
    return series


async def several_series(
    viewer: Viewer, asked: Sequence[SeriesAsked], *, now: datetime
) -> list[DaySeries | SubmeterError]:
    """Several daily series, by one statement; each refusal of `daily_series` is that of its own series."""
    viewer.require(Permission.CONSUMPTION_READ_DAILY)
    mine = await homes_by_dwelling(viewer)

    def home_of(dwelling_id: int) -> Home:
        if dwelling_id not in mine:
            raise NotFound("No such dwelling.", field="id")
        return mine[dwelling_id]

    found = await series_of(home_of, asked, now=now)
    await record_looks(viewer, looks_at_series(asked, found), now=now)
    return found


def looks_at_series(
    asked: Sequence[SeriesAsked], found: Sequence[DaySeries | SubmeterError]
) -> list[DataLook]:
    """What was shown of daily series."""
    return [
        DataLook(one.dwelling_id, LookedAt.DAYS, series.days[0], series.days[-1], one.fluid.value)
        for one, series in zip(asked, found, strict=True)
        if not isinstance(series, SubmeterError) and series
    ]


async def series_of(
    home_of: Callable[[int], Home], asked: Sequence[SeriesAsked], *, now: datetime
) -> list[DaySeries | SubmeterError]:
    """Daily series of homes, which must come from `scope`; by one statement."""
    found: list[DaysAsked | SubmeterError | None] = []
    for one in asked:
        try:
            home = home_of(one.dwelling_id)
            zone = home.place["time_zone"]
            found.append(_days_asked(home.period, zone, one, today=civil_day(now, zone)))
        except SubmeterError as refusal:
            found.append(refusal)
    days = iter(await columns_of(current_database(), [one for one in found if isinstance(one, DaysAsked)]))
    return [
        DaySeries.of(next(days), one.first, one.last)
        if isinstance(one, DaysAsked)
        else DaySeries()
        if one is None
        else one
        for one in found
    ]


def _days_asked(
    period: OccupancyPeriod, time_zone: str, asked: SeriesAsked, *, today: date
) -> DaysAsked | None:
    """The days to read; None if nothing of what is asked for may be seen."""
    if asked.first is not None:
        _check_order(asked.first, min(asked.last or today, today))
    seen = period.seen(asked.first, asked.last, today=today)
    if seen is None:
        return None
    first, last = seen
    if asked.first is None:
        first = max(first, last - timedelta(days=30))
    _check_length(first, last)
    return DaysAsked(period.dwelling_id, time_zone, asked.fluid, first, last)


async def monthly_series(
    viewer: Viewer,
    dwelling_id: int,
    fluid: Fluid,
    *,
    first: Month | None = None,
    last: Month | None = None,
    now: datetime,
) -> list[MonthPoint]:
    """Every calendar month from `first` to `last` (by default thirteen up to the current one) of which a
    day may be seen, in order.

    The month of the move-in counts from the day of the move-in (C-15). A viewer who may not see days gets
    no figure for the month in progress.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
        InvalidInput: `last` before `first`, or a longer series than one query allows.
    """
    viewer.require(Permission.CONSUMPTION_READ)
    home = await home_at(viewer, dwelling_id)
    period, today = home.period, civil_day(now, home.place["time_zone"])
    end = min(last or Month.of(_last(period, today)), Month.of(_last(period, today)))
    start = first or end.plus(-MONTHS_BEHIND_INDICATORS)
    if first is not None:
        _check_order(first.first_day, min(last or Month.of(today), Month.of(today)).last_day)
    start = max(start, Month.of(period.first_day))
    seen = period.seen(start.first_day, end.last_day, today=today)
    if seen is None:
        return []
    first_day, last_day = seen
    _check_length(first_day, last_day)
    asked = DaysAsked(dwelling_id, home.place["time_zone"], fluid, first_day, last_day)
    ((totals, kept),) = await totals_and_months(current_database(), [asked])
    volumes = monthly(totals, visible_from=period.first_day) + [one.volume for one in kept.sums()]
    # A month in progress, queried every day, would disclose the days.
    hidden = None if viewer.may(Permission.CONSUMPTION_READ_DAILY) else Month.of(today)
    look = DataLook(dwelling_id, LookedAt.MONTHS, first_day, last_day, fluid.value)
    await record_looks(viewer, [look], now=now)
    return month_points(volumes, start, end, hidden=hidden)


def month_points(
    volumes: Iterable[MonthVolume], start: Month, end: Month, *, hidden: Month | None
) -> list[MonthPoint]:
    """Every month from `start` to `end`; the hidden one as if it had no data."""
    known = {volume.month: volume for volume in volumes if volume.month != hidden}
    points: list[MonthPoint] = []
    month = start
    while month <= end:
        volume = known.get(month)
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


def _last(period: OccupancyPeriod, today: date) -> date:
    return today if period.last_day is None else min(period.last_day, today)


def check_span(first: date, last: date) -> None:
    """Refuse a series that ends before it begins, or is longer than one query allows."""
    _check_order(first, last)
    _check_length(first, last)


def _check_order(first: date, last: date) -> None:
    if last < first:
        raise InvalidInput("ends before it begins", field="to")


def _check_length(first: date, last: date) -> None:
    if last - first > LONGEST_SERIES:
        raise InvalidInput(f"spans more than {LONGEST_SERIES.days} days", field="from")
