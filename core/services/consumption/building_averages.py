"""What the homes of a building used on average, for the surface of the viewer's home.

In: series that were read for a viewer. Out: of each value the average of the building, or of the residence,
and its reason where there is none. The one rule: a figure is of five homes or more, none of which has more
than half of the amount or of the surface (`core.access.floor`), and of whole calendar months
that are over; that of a year is the sum of its months' figures. So no two figures overlap, and subtracting
them tells nothing of a single home (docs/consumption.md).

Average = sum of the amounts / sum of the surfaces x the own surface, over the homes whose every day of the
month is known; a home without a surface takes no part. One statement for all series of an operation.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

from core.access.floor import Contribution, may_stand_alone, rounded_count
from core.consumption import Month
from core.consumption.fluids import Fluid
from core.consumption.resolutions import DaySpan, Resolution
from core.services.consumption.by_resolution import Consumption
from core.services.places.dwelling_days import FLUID_OF_NUMBER, FLUIDS
from core.services.shared.columns import decimal_or_none, moment, moment_or_none, select_by
from core.services.shared.time_series import day_number
from core.services.shared.transaction import current_database

_SQUARE_CENTIMETRES: Final = 10_000


class AverageScope(StrEnum):
    """Whose average it is."""

    BUILDING = "BUILDING"
    RESIDENCE = "RESIDENCE"


class NoAverage(StrEnum):
    """Why a value has no average."""

    TOO_FEW_DWELLINGS = "TOO_FEW_DWELLINGS"
    """Fewer than five homes are wholly known, or one has more than half."""
    NO_SURFACE = "NO_SURFACE"
    """The surface of the viewer's home is not known."""
    IN_PROGRESS = "IN_PROGRESS"
    """The time is not over."""
    NOT_FOR_RESOLUTION = "NOT_FOR_RESOLUTION"
    """Days and weeks are not averaged, nor billing periods that begin within a month."""
    NOT_COMPARABLE = "NOT_COMPARABLE"
    """Units of heat cost allocators depend on their radiators (EN 834), and one meter is not a home."""


@dataclass(frozen=True, slots=True)
class Average:
    """An average for the own surface, exact and in the smallest unit; or why there is none.

    `homes` is how many homes it is of, as a multiple of five.
    """

    amount: Fraction | None
    scope: AverageScope | None = None
    homes: int | None = None
    reason: NoAverage | None = None


@dataclass(frozen=True, slots=True)
class BuildingAverages:
    """The averages beside a series, one for each of its values."""

    series: Consumption
    values: Sequence[Average]


@dataclass(frozen=True, slots=True)
class AveragedMeter:
    """A meter of a home, with what it counted by month and on how many days."""

    first_day: date
    last_day: date | None
    months: Mapping[Month, tuple[int, int]]

    def expected(self, month: Month) -> int:
        """On how many days of a month it was in service."""
        first = max(self.first_day, month.first_day)
        last = month.last_day if self.last_day is None else min(self.last_day, month.last_day)
        return max(0, (last - first).days + 1)


@dataclass(frozen=True, slots=True)
class AveragedHome:
    """A home that may take part."""

    dwelling_id: int
    building: str
    surface_m2: Decimal
    meters: Sequence[AveragedMeter]

    def contribution(self, month: Month) -> Contribution | None:
        """What it adds to a month; None unless all of its days are known by all meters in service."""
        amount = days = 0
        for meter in self.meters:
            expected = meter.expected(month)
            counted, known = meter.months.get(month, (0, 0))
            if known < expected:
                return None
            if expected:
                amount, days = amount + counted, days + known
        if days < month.length_days:
            return None
        surface = int(self.surface_m2 * _SQUARE_CENTIMETRES)
        return Contribution(self.dwelling_id, (amount, surface), (amount, surface))


async def building_averages(series: Sequence[Consumption]) -> list[BuildingAverages]:
    """The averages beside each series; the series must have been read for the viewer."""
    asked = [one for one in series if _reason_for_all(one) is None and _months(one)]
    homes = dict(zip(map(id, asked), await _homes(asked), strict=True))
    return [
        BuildingAverages(one, [_average(one, span, homes.get(id(one), ())) for span in one.plan.spans])
        if one.plan.resolution is not Resolution.HOURLY
        else BuildingAverages(one, [Average(None, reason=NoAverage.NOT_FOR_RESOLUTION) for _ in one.values])
        for one in series
    ]


def _reason_for_all(series: Consumption) -> NoAverage | None:
    plan = series.plan
    by_month = plan.resolution in {Resolution.MONTHLY, Resolution.YEARLY} or (
        plan.resolution is Resolution.BILLING_PERIOD and plan.billing.day == 1
    )
    if not by_month:
        return NoAverage.NOT_FOR_RESOLUTION
    if plan.fluid is Fluid.HEAT_ALLOCATOR or plan.asked.meter_id is not None:
        return NoAverage.NOT_COMPARABLE
    return None if _surface(series) else NoAverage.NO_SURFACE


def _surface(series: Consumption) -> Decimal | None:
    surface = decimal_or_none(series.plan.home.place["surface_m2"])
    return surface if surface is not None and surface > 0 else None


def _months(series: Consumption) -> list[Month]:
    """The months of a series that are over."""
    found = [month for span in series.plan.spans for month in _months_of(span)]
    return [month for month in found if month.last_day < series.plan.today]


def _months_of(span: DaySpan) -> list[Month]:
    months = [Month.of(span.first)]
    while months[-1].last_day < span.last:
        months.append(months[-1].next())
    return months


def _average(series: Consumption, span: DaySpan, homes: Sequence[AveragedHome]) -> Average:
    reason = _reason_for_all(series)
    if reason is not None:
        return Average(None, reason=reason)
    if span.last >= series.plan.today:
        return Average(None, reason=NoAverage.IN_PROGRESS)
    place = series.plan.home.place
    surface = _surface(series)
    assert surface is not None
    months = [month_average(month, homes, place["building"]) for month in _months_of(span)]
    known = [one for one in months if one is not None]
    if len(known) < len(months):
        return Average(None, reason=NoAverage.TOO_FEW_DWELLINGS)
    own = int(surface * _SQUARE_CENTIMETRES)
    return Average(
        amount=sum((one.per_surface for one in known), Fraction(0)) * own,
        scope=AverageScope.BUILDING
        if all(one.scope is AverageScope.BUILDING for one in known)
        else AverageScope.RESIDENCE,
        homes=min(rounded_count(one.homes) for one in known),
    )


@dataclass(frozen=True, slots=True)
class MonthAverage:
    """A month's amount by square centimetre, and of how many homes."""

    per_surface: Fraction
    scope: AverageScope
    homes: int


def month_average(month: Month, homes: Iterable[AveragedHome], building: str) -> MonthAverage | None:
    """A month's average as the occupants of a building see it; None where it would be about too few.

    It is that of the building only where each building of the residence has one: otherwise the residence less
    the buildings that are shown would be the homes of the small one.
    """
    by_building: dict[str, list[Contribution]] = {}
    for home in homes:
        one = home.contribution(month)
        if one is not None:
            by_building.setdefault(home.building, []).append(one)
    separate = len(by_building) > 1 and all(map(may_stand_alone, by_building.values()))
    if separate and building in by_building:
        return _of(by_building[building], AverageScope.BUILDING)
    everybody = [one for some in by_building.values() for one in some]
    if separate or not everybody or not may_stand_alone(everybody):
        return None
    return _of(everybody, AverageScope.RESIDENCE)


def _of(contributions: Sequence[Contribution], scope: AverageScope) -> MonthAverage:
    amount = sum(one.values[0] for one in contributions)
    return MonthAverage(
        Fraction(amount, sum(one.values[1] for one in contributions)), scope, len(contributions)
    )


async def _homes(series: Sequence[Consumption]) -> list[list[AveragedHome]]:
    """The homes with a surface in the residence of each series, with their months; by one statement."""
    if not series:
        return []
    keys = []
    for number, one in enumerate(series):
        months = _months(one)
        first, last = day_number(months[0].first_day), day_number(months[-1].last_day)
        keys.append((number, one.plan.home.place["residence_id"], FLUIDS.index(one.plan.fluid), first, last))
    rows = await select_by(
        current_database(),
        dict.fromkeys(("n", "residence_id", "fluid", "first_day", "last_day"), "bigint"),
        "SELECT k.n, d.id AS dwelling_id, d.building, d.surface_m2, m.id AS meter_id, m.installed_at,"  # noqa: S608 - our own words
        " m.removed_at, v.day / 100 AS month, SUM(v.amount) AS amount,"
        " SUM(CASE WHEN v.quality <> 'P' THEN 1 ELSE 0 END) AS days"
        " FROM k JOIN dwelling d ON d.residence_id = k.residence_id AND d.surface_m2 IS NOT NULL"
        f" JOIN meter m ON m.dwelling_id = d.id AND m.fluid = CASE k.fluid {FLUID_OF_NUMBER} END"
        " LEFT JOIN daily_volume v ON v.meter_id = m.id AND v.day BETWEEN k.first_day AND k.last_day"
        " GROUP BY k.n, d.id, m.id, v.day / 100 ORDER BY d.id, m.id",
        keys,
    )
    found: list[dict[int, list[dict[str, Any]]]] = [{} for _ in series]
    for row in rows:
        found[row["n"]].setdefault(row["dwelling_id"], []).append(row)
    return [
        [
            home
            for of_home in by_home.values()
            if (home := _home(of_home, ZoneInfo(one.plan.home.place["time_zone"]))).surface_m2 > 0
        ]
        for by_home, one in zip(found, series, strict=True)
    ]


def _home(rows: Sequence[dict[str, Any]], zone: ZoneInfo) -> AveragedHome:
    meters: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        meters.setdefault(row["meter_id"], []).append(row)
    surface = decimal_or_none(rows[0]["surface_m2"])
    assert surface is not None
    return AveragedHome(
        dwelling_id=rows[0]["dwelling_id"],
        building=rows[0]["building"],
        surface_m2=surface,
        meters=[_meter(some, zone) for some in meters.values()],
    )


def _meter(rows: Sequence[dict[str, Any]], zone: ZoneInfo) -> AveragedMeter:
    removed_at = moment_or_none(rows[0]["removed_at"])
    return AveragedMeter(
        first_day=moment(rows[0]["installed_at"]).astimezone(zone).date(),
        last_day=None if removed_at is None else removed_at.astimezone(zone).date(),
        months={
            Month(row["month"] // 100, row["month"] % 100): (int(row["amount"]), int(row["days"]))
            for row in rows
            if row["month"] is not None
        },
    )
