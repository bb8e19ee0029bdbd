"""What the homes of a building used on average, for the surface of the viewer's home.

In: series that were read for a viewer. Out: of each value the average of the building, or of the residence,
and its reason where there is none. The one rule: only what was published is shown
(`core.services.consumption.average_publication`), which are whole calendar months; the figure of a year is
the sum of its months'. So no two figures overlap, and subtracting them tells nothing of a single home
(docs/consumption.md).

Average = sum of the amounts / sum of the surfaces x the own surface. One statement for all series of an
operation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from core.access.floor import rounded_count
from core.consumption import Month
from core.consumption.fluids import Fluid
from core.consumption.resolutions import DaySpan, Resolution
from core.services.consumption.average_publication import CM2_PER_M2, SETTLED_AFTER
from core.services.consumption.by_resolution import Consumption
from core.services.places.dwelling_days import FLUID_OF_NUMBER, FLUIDS
from core.services.shared.columns import decimal_or_none, select_by
from core.services.shared.transaction import current_database


class AverageScope(StrEnum):
    """Whose average it is."""

    BUILDING = "BUILDING"
    RESIDENCE = "RESIDENCE"


class NoAverage(StrEnum):
    """Why a value has no average."""

    TOO_FEW_DWELLINGS = "TOO_FEW_DWELLINGS"
    """Fewer than five homes were wholly known when the month was published, or one had more than half."""
    NO_SURFACE = "NO_SURFACE"
    """The surface of the viewer's home is not known."""
    IN_PROGRESS = "IN_PROGRESS"
    """The time is not over, or not for three days."""
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
class _Published:
    """A month's amount by square centimetre, and of how many homes."""

    per_cm2: Fraction
    scope: AverageScope
    homes: int


async def building_averages(series: Sequence[Consumption]) -> list[BuildingAverages]:
    """The averages beside each series; the series must have been read for the viewer."""
    asked = [one for one in series if _reason_for_all(one) is None and one.plan.spans]
    months = dict(zip(map(id, asked), await _published(asked), strict=True))
    return [
        BuildingAverages(one, [_average(one, span, months.get(id(one), {})) for span in one.plan.spans])
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


def _months_of(span: DaySpan) -> list[Month]:
    months = [Month.of(span.first)]
    while months[-1].last_day < span.last:
        months.append(months[-1].next())
    return months


def _average(series: Consumption, span: DaySpan, published: Mapping[Month, _Published]) -> Average:
    reason = _reason_for_all(series)
    if reason is not None:
        return Average(None, reason=reason)
    surface = _surface(series)
    assert surface is not None
    months = _months_of(span)
    known = [published[month] for month in months if month in published]
    if len(known) < len(months):
        settled = span.last + timedelta(days=1) + SETTLED_AFTER <= series.plan.today
        return Average(None, reason=NoAverage.TOO_FEW_DWELLINGS if settled else NoAverage.IN_PROGRESS)
    own = int(surface * CM2_PER_M2)
    separate = all(one.scope is AverageScope.BUILDING for one in known)
    return Average(
        amount=sum((one.per_cm2 for one in known), Fraction(0)) * own,
        scope=AverageScope.BUILDING if separate else AverageScope.RESIDENCE,
        homes=min(rounded_count(one.homes) for one in known),
    )


async def _published(series: Sequence[Consumption]) -> list[dict[Month, _Published]]:
    """The published months of each series, of the viewer's building or of all together."""
    if not series:
        return []
    keys = [
        (
            number,
            one.plan.home.place["residence_id"],
            FLUIDS.index(one.plan.fluid),
            one.plan.home.place["building"],
            one.plan.spans[0].first.year * 100 + one.plan.spans[0].first.month,
            one.plan.spans[-1].last.year * 100 + one.plan.spans[-1].last.month,
        )
        for number, one in enumerate(series)
    ]
    rows = await select_by(
        current_database(),
        {
            **dict.fromkeys(("n", "residence_id", "fluid"), "bigint"),
            "building": "text",
            **dict.fromkeys(("first_month", "last_month"), "bigint"),
        },
        "SELECT k.n, p.month, a.building, a.amount, a.surface_cm2, a.homes FROM k"  # noqa: S608 - our own words
        " JOIN average_publication p ON p.residence_id = k.residence_id"
        " AND p.month BETWEEN k.first_month AND k.last_month"
        " JOIN building_average a ON a.publication_id = p.id"
        f" AND a.fluid = CASE k.fluid {FLUID_OF_NUMBER} END"
        " AND (a.building IS NULL OR a.building = k.building)",
        keys,
    )
    found: list[dict[Month, _Published]] = [{} for _ in series]
    for row in rows:
        found[row["n"]][Month(row["month"] // 100, row["month"] % 100)] = _Published(
            per_cm2=Fraction(row["amount"], row["surface_cm2"]),
            scope=AverageScope.RESIDENCE if row["building"] is None else AverageScope.BUILDING,
            homes=row["homes"],
        )
    return found
