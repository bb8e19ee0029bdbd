"""What series cost, and how much carbon dioxide they stand for, by the operator's tariffs and factors.

In: series that were read for a viewer. Out: of each its costs, or its emissions. The one rule: a cost is of
the days that the viewer may see and that have begun, so the fixed part of a month in progress is that of its
days so far. One statement for the rates of all series of an operation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Generic, TypeVar

from core.consumption.comparison import days_of
from core.consumption.fluids import Fluid
from core.consumption.prices import (
    Factor,
    Figure,
    FixedCharge,
    NoFigure,
    Price,
    carbon_dioxide_of,
    cost_of,
    in_force,
    total_of,
)
from core.consumption.resolutions import DaySpan, Resolution
from core.services.consumption.by_resolution import Consumption
from core.services.shared.columns import day, decimal_or_none, select_by
from core.services.shared.transaction import current_database

RateT = TypeVar("RateT", Price, Factor)


@dataclass(frozen=True, slots=True)
class Rated(Generic[RateT]):
    """The figures of a series' values, their total, and the rates that they were computed by."""

    series: Consumption
    values: Sequence[Figure]
    total: Figure
    rates: Sequence[RateT]


async def costs(series: Sequence[Consumption]) -> list[Rated[Price]]:
    """The costs of each series; a series of one meter has no fixed part."""
    found = await _rates(series, "tariff", _price)
    return [
        _rated(
            one,
            prices,
            partial(
                cost_of,
                one.plan.fluid,
                amounts=_amounts(one),
                prices=prices,
                fixed=one.plan.asked.meter_id is None,
            ),
        )
        for one, prices in zip(series, found, strict=True)
    ]


async def emissions(series: Sequence[Consumption]) -> list[Rated[Factor]]:
    """The carbon dioxide of each series, in kilograms."""
    found = await _rates(series, "emission_factor", _factor)
    return [
        _rated(
            one,
            factors,
            partial(carbon_dioxide_of, one.plan.fluid, amounts=_amounts(one), factors=factors),
        )
        for one, factors in zip(series, found, strict=True)
    ]


def _rated(
    series: Consumption, rates: Sequence[RateT], figure_of: Callable[[Sequence[date]], Figure]
) -> Rated[RateT]:
    if series.plan.resolution is Resolution.HOURLY:
        values = [Figure(None, NoFigure.NOT_FOR_RESOLUTION) for _ in series.values]
        return Rated(series, values, Figure(None, NoFigure.NOT_FOR_RESOLUTION), ())
    days = [_seen(series, span) for span in series.plan.spans]
    values = [
        figure_of(one) if _may_be_rated(series, rates, one) else Figure(None, NoFigure.NOT_FOR_RESOLUTION)
        for one in days
    ]
    used = {in_force(rates, one) for some in days for one in some}
    ordered = sorted((rate for rate in used if rate is not None), key=lambda rate: rate.valid_from)
    return Rated(series, values, total_of(values), ordered)


def _may_be_rated(series: Consumption, rates: Sequence[RateT], days: Sequence[date]) -> bool:
    """Whether a figure shows the viewer no more than the amount: two rates within a period, and what both
    together cost, would show one who sees no days how much was used before the change.
    """
    return series.plan.by_day or len({in_force(rates, day) for day in days}) <= 1


def _seen(series: Consumption, span: DaySpan) -> list[date]:
    """The days of a period that the viewer may see and that have begun."""
    first, last = max(span.first, series.plan.home.period.first_day), min(span.last, series.plan.latest)
    return list(days_of(DaySpan(first, last)))


def _amounts(series: Consumption) -> Mapping[date, int]:
    return {day: total.amount for day, total in series.totals.items()}


async def _rates(
    series: Sequence[Consumption], table: str, made: Callable[[Mapping[str, Any]], RateT]
) -> list[list[RateT]]:
    """The rates that may apply to each series."""
    places = [one.plan.home.place for one in series]
    rows = await select_by(
        current_database(),
        {"operator_id": "bigint", "residence_id": "bigint"},
        "SELECT k.residence_id AS k_residence, t.* FROM k"  # noqa: S608 - a table of our own
        f" JOIN {table} t ON t.operator_id = k.operator_id"
        " AND (t.residence_id IS NULL OR t.residence_id = k.residence_id) ORDER BY t.id",
        sorted({(place["operator_id"], place["residence_id"]) for place in places}),
    )
    found: dict[tuple[int, Fluid], list[RateT]] = {}
    for row in rows:
        found.setdefault((row["k_residence"], Fluid(row["fluid"])), []).append(made(row))
    return [found.get((one.plan.home.place["residence_id"], one.plan.fluid), []) for one in series]


def _price(row: Mapping[str, Any]) -> Price:
    eur_per_unit = decimal_or_none(row["eur_per_unit"])
    assert eur_per_unit is not None
    vat_included = row["vat_included"]
    return Price(
        valid_from=day(row["valid_from"]),
        of_residence=row["residence_id"] is not None,
        eur_per_unit=eur_per_unit,
        fixed_eur=decimal_or_none(row["fixed_eur"]),
        fixed_per=FixedCharge(row["fixed_per"]) if row["fixed_per"] else None,
        vat_included=None if vat_included is None else bool(vat_included),
    )


def _factor(row: Mapping[str, Any]) -> Factor:
    grams_per_unit = decimal_or_none(row["grams_per_unit"])
    assert grams_per_unit is not None
    return Factor(
        valid_from=day(row["valid_from"]),
        of_residence=row["residence_id"] is not None,
        grams_per_unit=grams_per_unit,
        source=row["source"],
    )
