"""The rows of the four tables of statistics, from the facts of an operator's month.

In: the facts of all residences. Out: rows as they are published. The one rule: each table is one grouping a
fluid (`core.services.analysis.groups`), every figure is of a whole group or union, counts are rounded to
multiples of five and amounts to three digits.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from statistics import fmean
from typing import Final, TypeVar

from core.access.floor import Contribution, rounded_count
from core.consumption import Month
from core.consumption.amounts import LITRES_PER_M3, DisplayUnit
from core.consumption.fluids import Fluid
from core.services.analysis.facts import LeakFact, MeterMonth, MeterNow
from core.services.analysis.groups import (
    Published,
    groups_of,
    published,
    quantile,
)

MeterT = TypeVar("MeterT", MeterMonth, MeterNow)
NumberT = TypeVar("NumberT", float, Decimal)
_DAY_S: Final = 86_400
_DIGITS: Final = 3


class StatisticTable(StrEnum):
    """A table of statistics."""

    CONSUMPTION = "CONSUMPTION"
    LEAKS = "LEAKS"
    METERS = "METERS"
    COMPLETENESS = "COMPLETENESS"


class Grouping(StrEnum):
    """What the classes of a table are of."""

    SURFACE = "SURFACE"
    BEGUN = "BEGUN"
    ENDED = "ENDED"
    MAKER = "MAKER"
    AGE = "AGE"
    BATTERY = "BATTERY"
    RECEPTION = "RECEPTION"
    FLUID = "FLUID"


FIGURES: Final[dict[StatisticTable, tuple[str, ...]]] = {
    StatisticTable.CONSUMPTION: ("mean", "p10", "p25", "median", "p75", "p90"),
    StatisticTable.LEAKS: ("leaks", "loss_m3", "mean_days", "median_days"),
    StatisticTable.METERS: ("meters",),
    StatisticTable.COMPLETENESS: (
        "meter_days",
        "measured_percent",
        "estimated_percent",
        "partial_percent",
        "missing_percent",
    ),
}
"""The figures of each table, in the order in which a row has them."""

SURFACES: Final = (
    (Decimal(40), "UNDER_40_M2"),
    (Decimal(60), "FROM_40_M2"),
    (Decimal(80), "FROM_60_M2"),
    (Decimal(100), "FROM_80_M2"),
    (None, "FROM_100_M2"),
)
SURFACE_UNKNOWN: Final = "SURFACE_UNKNOWN"
LEVELS: Final = ("LEVEL_1", "LEVEL_2", "LEVEL_3")
AGES: Final = (
    (5.0, "UNDER_5_YEARS"),
    (10.0, "FROM_5_YEARS"),
    (15.0, "FROM_10_YEARS"),
    (None, "FROM_15_YEARS"),
)
BATTERIES: Final = ("NOT_REPORTED_LOW", "REPORTED_LOW")
RECEPTIONS: Final = (
    (1.0, "IN_THE_LAST_DAY"),
    (7.0, "IN_THE_LAST_WEEK"),
    (31.0, "IN_THE_LAST_MONTH"),
    (None, "LONGER_AGO"),
)
NEVER_RECEIVED: Final = "NEVER"
COMPLETE: Final = "ALL_METERS"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table; `dwellings` is rounded, an absent figure is None."""

    topic: StatisticTable
    residence_id: int | None
    fluid: Fluid | None
    grouping: Grouping
    classes: tuple[str, ...]
    dwellings: int
    figures: tuple[float | None, ...]


@dataclass(slots=True)
class Cells:
    """Contributions by residence and class, as they are collected."""

    found: dict[tuple[int, str], list[Contribution]] = field(default_factory=dict)

    def add(self, residence_id: int, name: str, one: Contribution) -> None:
        self.found.setdefault((residence_id, name), []).append(one)


def consumption_rows(meters: Sequence[MeterMonth], month: Month) -> Iterator[Row]:
    """How much dwellings used of each fluid; only those whose whole month was read."""
    names = (*(name for _, name in SURFACES), SURFACE_UNKNOWN)
    for fluid, of_fluid in _by_fluid(meters):
        cells = Cells()
        for of_dwelling in _by_dwelling(of_fluid):
            if not _covers(of_dwelling, month):
                continue
            one, amount = of_dwelling[0], max(0, sum(meter.amount for meter in of_dwelling))
            cells.add(
                one.residence_id,
                _surface(one.surface_m2),
                Contribution(one.dwelling_id, (amount,), (amount,)),
            )
        scale = 10 ** DisplayUnit.of(fluid).decimals

        def figures(amounts: Sequence[tuple[int, ...]], scale: int = scale) -> tuple[float | None, ...]:
            values = [amount for (amount,) in amounts]
            shares = (quantile(values, share) for share in (0.1, 0.25, 0.5, 0.75, 0.9))
            return tuple(
                None if value is None else _shortened(value / scale) for value in (fmean(values), *shares)
            )

        yield from _rows(StatisticTable.CONSUMPTION, fluid, Grouping.SURFACE, cells, names, figures)


def leak_rows(leaks: Sequence[LeakFact], month: Month) -> Iterator[Row]:
    """The leaks that began in the month, and those that were stopped in it, by their highest level."""
    begun, ended = Cells(), Cells()
    for leak in leaks:
        name = LEVELS[min(max(leak.level, 1), len(LEVELS)) - 1]
        if Month.of(leak.started_on) == month:
            begun.add(leak.residence_id, name, Contribution(leak.dwelling_id, (), (1,)))
        if leak.ended_on is not None and leak.repaired and Month.of(leak.ended_on) == month:
            loss, days = int(leak.loss_litres or 0), (leak.ended_on - leak.started_on).days
            ended.add(leak.residence_id, name, Contribution(leak.dwelling_id, (loss, days), (loss, days)))

    def counted(values: Sequence[tuple[int, ...]]) -> tuple[float | None, ...]:
        return (rounded_count(len(values)), None, None, None)

    def stopped(values: Sequence[tuple[int, ...]]) -> tuple[float | None, ...]:
        days = [days for _, days in values]
        median = quantile(days, 0.5)
        return (
            rounded_count(len(values)),
            _shortened(sum(loss for loss, _ in values) / LITRES_PER_M3),
            _shortened(fmean(days)),
            None if median is None else _shortened(median),
        )

    yield from _rows(StatisticTable.LEAKS, None, Grouping.BEGUN, begun, LEVELS, counted)
    yield from _rows(StatisticTable.LEAKS, None, Grouping.ENDED, ended, LEVELS, stopped)


def meter_rows(meters: Sequence[MeterNow], now: datetime) -> Iterator[Row]:
    """The meters in service, by maker, age, reported battery and last reception."""
    today, now_s = now.date(), int(now.timestamp())
    makers = tuple(sorted({meter.maker for meter in meters}))
    groupings: tuple[tuple[Grouping, Sequence[str], Callable[[MeterNow], str]], ...] = (
        (Grouping.MAKER, makers, lambda meter: meter.maker),
        (
            Grouping.AGE,
            [name for _, name in AGES],
            lambda meter: _below(AGES, (today - meter.installed_on).days / 365.25),
        ),
        (Grouping.BATTERY, BATTERIES, lambda meter: BATTERIES[meter.battery_low]),
        (
            Grouping.RECEPTION,
            [*(name for _, name in RECEPTIONS), NEVER_RECEIVED],
            lambda meter: (
                NEVER_RECEIVED
                if meter.last_at_s is None
                else _below(RECEPTIONS, (now_s - meter.last_at_s) / _DAY_S)
            ),
        ),
    )
    for fluid, of_fluid in _by_fluid(meters):
        for grouping, names, class_of in groupings:
            cells = Cells()
            for meter in of_fluid:
                cells.add(meter.residence_id, class_of(meter), Contribution(meter.dwelling_id, (), (1,)))
            yield from _rows(StatisticTable.METERS, fluid, grouping, cells, names, _counted)


def completeness_rows(meters: Sequence[MeterMonth]) -> Iterator[Row]:
    """How many of the days on which meters were in service have been read."""
    for fluid, of_fluid in _by_fluid(meters):
        cells = Cells()
        for meter in of_fluid:
            days = (meter.expected, meter.measured, meter.estimated, meter.partial)
            cells.add(meter.residence_id, COMPLETE, Contribution(meter.dwelling_id, (), days))
        yield from _rows(StatisticTable.COMPLETENESS, fluid, Grouping.FLUID, cells, (COMPLETE,), _shares)


def _counted(values: Sequence[tuple[int, ...]]) -> tuple[float | None, ...]:
    return (rounded_count(len(values)),)


def _shares(days: Sequence[tuple[int, ...]]) -> tuple[float | None, ...]:
    expected, *kinds = (sum(column) for column in zip(*days, strict=True))
    missing = max(0, expected - sum(kinds))
    return (rounded_count(expected), *(_shortened(100 * kind / expected) for kind in (*kinds, missing)))


def _rows(
    topic: StatisticTable,
    fluid: Fluid | None,
    grouping: Grouping,
    cells: Cells,
    names: Sequence[str],
    figures: Callable[[Sequence[tuple[int, ...]]], tuple[float | None, ...]],
) -> Iterator[Row]:
    for union in published(groups_of(cells.found, names)):
        yield Row(
            topic=topic,
            residence_id=union.residence_id,
            fluid=fluid,
            grouping=grouping,
            classes=union.classes,
            dwellings=rounded_count(_dwellings(union)),
            figures=figures([one.values for one in union.contributions]),
        )


def _dwellings(union: Published) -> int:
    return len({one.dwelling_id for one in union.contributions})


def _by_fluid(meters: Iterable[MeterT]) -> list[tuple[Fluid, list[MeterT]]]:
    found: dict[Fluid, list[MeterT]] = {}
    for meter in meters:
        found.setdefault(meter.fluid, []).append(meter)
    return sorted(found.items())


def _by_dwelling(meters: Iterable[MeterMonth]) -> Iterable[list[MeterMonth]]:
    found: dict[int, list[MeterMonth]] = {}
    for meter in meters:
        found.setdefault(meter.dwelling_id, []).append(meter)
    return found.values()


def _covers(meters: Sequence[MeterMonth], month: Month) -> bool:
    """Whether all meters of a dwelling were read on every day, and one was there from first to last."""
    return (
        all(meter.is_complete for meter in meters)
        and min(meter.installed_on for meter in meters) <= month.first_day
        and any(meter.removed_on is None or meter.removed_on > month.last_day for meter in meters)
    )


def _surface(surface_m2: Decimal | None) -> str:
    return SURFACE_UNKNOWN if surface_m2 is None else _below(SURFACES, surface_m2)


def _below(borders: Sequence[tuple[NumberT | None, str]], value: NumberT) -> str:
    return next(name for border, name in borders if border is None or value < border)


def _shortened(value: float) -> float:
    """With three digits; a figure that looks exact would tell more than the group does."""
    return float(f"{value:.{_DIGITS}g}")
