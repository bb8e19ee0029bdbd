"""What a dwelling or a meter consumed, by hour, day, week, month, year or billing period.

In: the viewer, and any number of series. Out: of each its values in the order of time, or its refusal. The
one rule: a series is cut to the viewer's occupancy period, and says from which day on, and is not refused:
whoever asks for thirteen months after five gets five. All of an operation are read by at most three
statements, however many there are and however long.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from core.access import Permission, Viewer
from core.consumption import DayTotal, Quality, Register, day_start, highest_per_hour
from core.consumption.dashboard import MonthSum
from core.consumption.fluids import Fluid
from core.consumption.kept_months import summed_with_months
from core.consumption.periods import civil_day
from core.consumption.register import BACKFLOW_LIMIT
from core.consumption.resolutions import (
    MOST_VALUES,
    BillingStart,
    DaySpan,
    MeterHours,
    Resolution,
    span_of,
    spans_until,
    summed_hours,
)
from core.consumption.volumes import HOUR_S
from core.errors import Forbidden, InvalidInput, NotFound, SubmeterError
from core.services.places.dwelling_days import DaysAsked
from core.services.places.hourly_volumes import hours_of
from core.services.places.kept_months import totals_and_months
from core.services.places.meters import in_service_during, seconds_of
from core.services.shared.columns import decimal_or_none, moment, moment_or_none, select_by
from core.services.shared.guest_looks import DataLook, record_looks
from core.services.shared.scope import Home, home_at, homes_by_dwelling
from core.services.shared.time_series import Window
from core.services.shared.transaction import current_database
from core.texts.access_log import LookedAt

_ONE_DAY = timedelta(days=1)
_LOOKED_AT = {
    Resolution.HOURLY: LookedAt.HOURS,
    Resolution.DAILY: LookedAt.DAYS,
    Resolution.WEEKLY: LookedAt.WEEKS,
    Resolution.MONTHLY: LookedAt.MONTHS,
    Resolution.YEARLY: LookedAt.YEARS,
    Resolution.BILLING_PERIOD: LookedAt.YEARS,
}
_BY_THE_DAY = frozenset({Resolution.HOURLY, Resolution.DAILY, Resolution.WEEKLY})
"""What discloses the days of a household; months and years that are over do not."""


@dataclass(frozen=True, slots=True)
class ConsumptionAsked:
    """The `last` values up to the one of `until` (None: today), of a dwelling's fluid or of one meter."""

    resolution: Resolution
    last: int
    until: date | None = None
    fluid: Fluid | None = None
    dwelling_id: int | None = None
    meter_id: int | None = None


class Value(NamedTuple):
    """From one moment to another, in the residence's time; the amount is None where it is not known."""

    starts_at: datetime
    ends_at: datetime
    amount: int | None
    quality: Quality


@dataclass(frozen=True, slots=True)
class _MeterRow:
    """A meter with what its hours are computed by."""

    id: int
    dwelling_id: int
    fluid: Fluid
    installed_s: float
    removed_s: float | None
    register: Register

    @property
    def service_s(self) -> tuple[float, float]:
        """From when to when it was in service."""
        return self.installed_s, float("inf") if self.removed_s is None else self.removed_s

    def __hash__(self) -> int:
        return hash(self.id)


@dataclass(frozen=True, slots=True)
class SeriesPlan:
    """A series that may be read: its spans and the days of them that may be seen, or when its hours begin.

    `clipped_from`, `clipped_until`: the first or last day shown, where more was asked for. `latest` is the
    last day that may be seen. `by_day`: whether the viewer may see days.
    """

    asked: ConsumptionAsked
    home: Home
    fluid: Fluid
    spans: Sequence[DaySpan]
    hours: range
    clipped_from: date | None
    clipped_until: date | None
    today: date
    latest: date
    by_day: bool
    seen: DaySpan | None = None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.home.place["time_zone"])

    @property
    def resolution(self) -> Resolution:
        return self.asked.resolution

    @property
    def count(self) -> int:
        """How many values were asked for; those before the occupancy are not shown."""
        return min(self.asked.last, MOST_VALUES[self.resolution])

    @property
    def billing(self) -> BillingStart:
        """When the residence's billing periods begin."""
        return BillingStart.parse(self.home.place["billing_starts"])

    def is_in_progress(self, span: DaySpan) -> bool:
        """Whether today lies in a span."""
        return span_of(self.today, self.resolution, self.billing) == span


@dataclass(frozen=True, slots=True)
class Consumption:
    """A series, with the totals of its days, by day, unless it is by the hour."""

    plan: SeriesPlan
    values: Sequence[Value] = ()
    totals: Mapping[date, DayTotal] = field(default_factory=dict)


async def consumptions(
    viewer: Viewer, asked: Sequence[ConsumptionAsked], *, now: datetime
) -> list[Consumption | SubmeterError]:
    """Each series in turn, or why it is refused: Forbidden, NotFound or InvalidInput."""
    meters = await _meters(viewer, asked)
    plans: list[SeriesPlan | SubmeterError] = []
    for one in asked:
        try:
            plans.append(await _plan(viewer, one, meters, now))
        except SubmeterError as refusal:
            plans.append(refusal)
    by_day = [plan for plan in plans if isinstance(plan, SeriesPlan) and plan.seen is not None]
    by_hour = [plan for plan in plans if isinstance(plan, SeriesPlan) and plan.hours]
    found = {id(one.plan): one for one in await _days(viewer, by_day)}
    hours = await _hours(by_hour, meters)
    found |= {id(plan): Consumption(plan, one) for plan, one in zip(by_hour, hours, strict=True)}
    await record_looks(viewer, _looks(found.values()), now=now)
    return [
        found.get(id(plan)) or Consumption(plan) if isinstance(plan, SeriesPlan) else plan for plan in plans
    ]


def _looks(series: Iterable[Consumption]) -> list[DataLook]:
    """What a guest was shown."""
    found = []
    for one in series:
        plan, shown = one.plan, one.values
        if shown:
            first, last = shown[0].starts_at.date(), (shown[-1].ends_at - timedelta(seconds=1)).date()
            what, dwelling_id = _LOOKED_AT[plan.asked.resolution], plan.home.period.dwelling_id
            first = max(first, plan.home.period.first_day)
            found.append(DataLook(dwelling_id, what, first, min(last, plan.today), plan.fluid.value))
    return found


async def _plan(
    viewer: Viewer, asked: ConsumptionAsked, meters: Mapping[int, _MeterRow], now: datetime
) -> SeriesPlan:
    """What is read for a series.

    Raises:
        Forbidden: the viewer may not see this resolution, or single meters.
        NotFound: no such dwelling or meter, or not the viewer's.
        InvalidInput: less than one value.
    """
    viewer.require(Permission.CONSUMPTION_READ)
    if asked.resolution in _BY_THE_DAY:
        viewer.require(Permission.CONSUMPTION_READ_DAILY)
    if asked.resolution is Resolution.HOURLY:
        viewer.require(Permission.READINGS_READ)
    if asked.last < 1:
        raise InvalidInput("At least one value is asked for.", field="last")
    home, fluid = await _place(viewer, asked, meters)
    if viewer.grant is not None and fluid.value not in viewer.grant.fluids:
        raise Forbidden(f"The resident has not granted {fluid.value}.")
    period, today = home.period, civil_day(now, home.place["time_zone"])
    latest = today if period.last_day is None else min(period.last_day, today)
    end = min(asked.until or latest, latest)
    plan = SeriesPlan(
        asked=asked,
        home=home,
        fluid=fluid,
        spans=(),
        hours=range(0),
        clipped_from=None,
        clipped_until=latest if asked.until is not None and latest < min(asked.until, today) else None,
        today=today,
        latest=latest,
        by_day=viewer.may(Permission.CONSUMPTION_READ_DAILY),
    )
    if asked.resolution is Resolution.HOURLY:
        return _with_hours(plan, end, now)
    spans = spans_until(end, asked.resolution, plan.count, plan.billing)
    kept = [span for span in spans if span.last >= period.first_day <= end]
    clipped_from = period.first_day if spans[0].first < period.first_day else None
    # A month that ended with `until`, queried for each of its days, would disclose the days.
    whole = min(spans[-1].last, latest)
    seen = DaySpan(max(kept[0].first, period.first_day), whole) if kept else None
    return replace(plan, spans=kept, seen=seen, clipped_from=clipped_from)


def _with_hours(plan: SeriesPlan, end: date, now: datetime) -> SeriesPlan:
    """The last hours that are over, of the days that may be seen up to `end`."""
    first_day = plan.home.period.first_day
    end_s = min(day_start(end + _ONE_DAY, plan.zone), int(now.timestamp()))
    end_s -= end_s % HOUR_S
    first_s, visible_s = end_s - plan.count * HOUR_S, day_start(first_day, plan.zone)
    hours = range(max(first_s, -(-visible_s // HOUR_S) * HOUR_S), end_s, HOUR_S)
    return replace(plan, hours=hours, clipped_from=first_day if first_s < visible_s else None)


async def _place(
    viewer: Viewer, asked: ConsumptionAsked, meters: Mapping[int, _MeterRow]
) -> tuple[Home, Fluid]:
    if asked.meter_id is None:
        assert asked.dwelling_id is not None
        assert asked.fluid is not None
        return await home_at(viewer, asked.dwelling_id), asked.fluid
    viewer.require(Permission.METERS_READ)
    meter = meters.get(asked.meter_id)
    if meter is None:
        raise NotFound("No such meter.", field="id")
    home = await home_at(viewer, meter.dwelling_id)
    if not in_service_during(_window(home, meter), meter.installed_s, meter.removed_s):
        raise NotFound("No such meter.", field="id")
    return home, meter.fluid


async def _days(viewer: Viewer, plans: Sequence[SeriesPlan]) -> list[Consumption]:
    """The series by day or longer, by one statement."""
    if not plans:
        return []
    asked = [
        DaysAsked(
            plan.home.period.dwelling_id,
            plan.home.place["time_zone"],
            plan.fluid,
            plan.seen.first,
            plan.seen.last,
            meter_id=plan.asked.meter_id,
        )
        for plan in plans
        if plan.seen is not None
    ]
    found = await totals_and_months(current_database(), asked)
    return [
        _by_span(viewer, plan, totals, months.sums())
        for plan, (totals, months) in zip(plans, found, strict=True)
    ]


def _by_span(
    viewer: Viewer, plan: SeriesPlan, totals: Iterable[DayTotal], months: Sequence[MonthSum]
) -> Consumption:
    known = {total.day: total for total in totals}
    values = []
    for span in plan.spans:
        amount: int | None
        if not viewer.may(Permission.CONSUMPTION_READ_DAILY) and plan.is_in_progress(span):
            # A month or year in progress, queried every day, would disclose the days.
            amount, quality = None, Quality.PARTIAL
            known = {day: total for day, total in known.items() if not span.first <= day <= span.last}
        else:
            amount, quality = summed_with_months(span, known, months) or (None, Quality.MISSING)
        values.append(
            Value(start_of(span.first, plan), start_of(span.last + _ONE_DAY, plan), amount, quality)
        )
    return Consumption(plan, values, known)


def start_of(day: date, plan: SeriesPlan) -> datetime:
    """When a day begins in the residence's time."""
    return datetime.fromtimestamp(day_start(day, plan.zone), plan.zone)


async def _hours(plans: Sequence[SeriesPlan], meters: Mapping[int, _MeterRow]) -> list[list[Value]]:
    """The values of series by the hour, by one statement for all meters."""
    of_plans = [_meters_of(plan, meters) for plan in plans]
    windows: dict[_MeterRow, tuple[int, int]] = {}
    for plan, found in zip(plans, of_plans, strict=True):
        for meter in found:
            first, last = windows.get(meter, (plan.hours[0], plan.hours[-1]))
            windows[meter] = min(first, plan.hours[0]), max(last, plan.hours[-1])
    volumes = await hours_of(current_database(), windows)
    amounts = {number: {hour.start_s: hour.amount for hour in hours} for number, hours in volumes.items()}
    return [
        _by_hour(
            plan, summed_hours([MeterHours(*meter.service_s, amounts.get(meter.id, {})) for meter in found])
        )
        for plan, found in zip(plans, of_plans, strict=True)
    ]


def _by_hour(plan: SeriesPlan, known: Mapping[int, tuple[int, Quality]]) -> list[Value]:
    return [
        Value(
            datetime.fromtimestamp(start_s, plan.zone),
            datetime.fromtimestamp(start_s + HOUR_S, plan.zone),
            *known.get(start_s, (None, Quality.MISSING)),
        )
        for start_s in plan.hours
    ]


def _meters_of(plan: SeriesPlan, meters: Mapping[int, _MeterRow]) -> list[_MeterRow]:
    """The meters whose hours a series adds up: one, or all of the fluid that were ever in service then."""
    if plan.asked.meter_id is not None:
        return [meters[plan.asked.meter_id]]
    return [
        meter
        for meter in meters.values()
        if (meter.dwelling_id, meter.fluid) == (plan.home.period.dwelling_id, plan.fluid)
        and meter.service_s[0] <= plan.hours[-1] + HOUR_S
        and meter.service_s[1] >= plan.hours[0]
    ]


async def _meters(viewer: Viewer, asked: Iterable[ConsumptionAsked]) -> dict[int, _MeterRow]:
    """The meters of the viewer's dwellings, where a series is by the hour or of one meter."""
    if not any(one.meter_id is not None or one.resolution is Resolution.HOURLY for one in asked):
        return {}
    rows = await select_by(
        current_database(),
        {"dwelling_id": "bigint"},
        "SELECT m.id, m.dwelling_id, m.fluid, m.installed_at, m.removed_at, m.register_step, m.coarsest_step,"
        " m.register_capacity, m.nominal_flow_m3_per_h,"
        " EXISTS (SELECT 1 FROM meter_alias a WHERE a.meter_id = m.id) AS has_aliases"
        " FROM k JOIN meter m ON m.dwelling_id = k.dwelling_id ORDER BY m.id",
        [(number,) for number in await homes_by_dwelling(viewer)],
    )
    return {row["id"]: _meter_row(row) for row in rows}


def _meter_row(row: Mapping[str, Any]) -> _MeterRow:
    fluid = Fluid(row["fluid"])
    step = max(row["register_step"], row["coarsest_step"] or 0)
    removed_at = moment_or_none(row["removed_at"])
    return _MeterRow(
        id=row["id"],
        dwelling_id=row["dwelling_id"],
        fluid=fluid,
        installed_s=moment(row["installed_at"]).timestamp(),
        removed_s=removed_at.timestamp() if removed_at else None,
        register=Register(
            capacity=row["register_capacity"],
            highest_per_hour=highest_per_hour(fluid, decimal_or_none(row["nominal_flow_m3_per_h"])),
            step=step,
            allowed_backflow=max(BACKFLOW_LIMIT, step) if row["has_aliases"] else BACKFLOW_LIMIT,
        ),
    )


def _window(home: Home, meter: _MeterRow) -> Window:
    return seconds_of(home.period, meter.id, ZoneInfo(home.place["time_zone"]))
