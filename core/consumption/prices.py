"""What consumption costs, and how much carbon dioxide it stands for, day by day.

In: the amounts of days, and dated rates. Out: exact sums; `core.consumption.amounts.rounded` makes cents and
grams of them. The one rule: a day is priced by the rate in force on it, and where one day has none, the value
has no cost: never one that is too low. The fixed part is paid for every day, used or not: a month's by the
number of its days, a year's by 365 or 366.

A value is rounded half up, and the total of a series is that of the exact values: it may differ from the sum
of the rounded ones by cents.
"""

from calendar import isleap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Protocol, TypeVar

from core.consumption.amounts import DisplayUnit, rounded
from core.consumption.fluids import Fluid
from core.consumption.periods import Month

CENTS = 2
GRAMS = 3
"""The decimals of a kilogram that are shown."""


class FixedCharge(StrEnum):
    """What the fixed part of a tariff is paid for."""

    MONTH = "MONTH"
    YEAR = "YEAR"


class NoFigure(StrEnum):
    """Why a value has no cost, or no carbon dioxide."""

    NO_DATA = "NO_DATA"
    """Nothing was consumed that is known."""
    NO_RATE = "NO_RATE"
    """The operator has entered no tariff, or no factor, for one of the days."""
    NOT_FOR_RESOLUTION = "NOT_FOR_RESOLUTION"
    """Hours have none: a fixed part is paid by the day. Nor has a month in which the rate changed, for a
    viewer who sees months alone.
    """


class Dated(Protocol):
    """Something in force from a day on, for all residences of an operator or for one."""

    @property
    def valid_from(self) -> date: ...
    @property
    def of_residence(self) -> bool: ...


DatedT = TypeVar("DatedT", bound=Dated)


@dataclass(frozen=True, slots=True)
class Price:
    """A tariff; `eur_per_unit` is of the unit in which the fluid is shown."""

    valid_from: date
    of_residence: bool
    eur_per_unit: Decimal
    fixed_eur: Decimal | None = None
    fixed_per: FixedCharge | None = None
    vat_included: bool | None = None

    def fixed_on(self, day: date) -> Fraction:
        """A day's share of the fixed part."""
        if self.fixed_eur is None or self.fixed_per is None:
            return Fraction(0)
        if self.fixed_per is FixedCharge.MONTH:
            return Fraction(self.fixed_eur) / Month.of(day).length_days
        return Fraction(self.fixed_eur) / (366 if isleap(day.year) else 365)


@dataclass(frozen=True, slots=True)
class Factor:
    """Grams of carbon dioxide a unit, and whose figure it is."""

    valid_from: date
    of_residence: bool
    grams_per_unit: Decimal
    source: str


def in_force(rates: Iterable[DatedT], day: date) -> DatedT | None:
    """The rate of a day: the residence's own if it has one by then, else the operator's."""
    valid = [rate for rate in rates if rate.valid_from <= day]
    return max(valid, key=lambda rate: (rate.of_residence, rate.valid_from), default=None)


@dataclass(frozen=True, slots=True)
class Figure:
    """An exact figure, or why there is none."""

    exact: Fraction | None
    reason: NoFigure | None = None

    def shown(self, places: int) -> Decimal | None:
        return None if self.exact is None else rounded(self.exact, places)


def cost_of(
    fluid: Fluid,
    days: Sequence[date],
    amounts: Mapping[date, int],
    prices: Sequence[Price],
    *,
    fixed: bool = True,
) -> Figure:
    """What some days cost in euros.

    Args:
        fluid: what was consumed.
        days: the days that are paid for; the fixed part is of each.
        amounts: what is known of them, in the smallest unit.
        prices: the tariffs of the residence and its operator.
        fixed: whether the fixed part counts: of a dwelling, not of one of its meters.
    """
    if not any(day in amounts for day in days):
        return Figure(None, NoFigure.NO_DATA)
    total = Fraction(0)
    for day in days:
        price = in_force(prices, day)
        if price is None:
            return Figure(None, NoFigure.NO_RATE)
        total += _units(fluid, amounts.get(day, 0)) * Fraction(price.eur_per_unit)
        total += price.fixed_on(day) if fixed else 0
    return Figure(total)


def carbon_dioxide_of(
    fluid: Fluid, days: Sequence[date], amounts: Mapping[date, int], factors: Sequence[Factor]
) -> Figure:
    """The kilograms of carbon dioxide that some days stand for."""
    known = [day for day in days if day in amounts]
    if not known:
        return Figure(None, NoFigure.NO_DATA)
    grams = Fraction(0)
    for day in known:
        factor = in_force(factors, day)
        if factor is None:
            return Figure(None, NoFigure.NO_RATE)
        grams += _units(fluid, amounts[day]) * Fraction(factor.grams_per_unit)
    return Figure(grams / 1000)


def total_of(figures: Iterable[Figure]) -> Figure:
    """The figures together; values without data do not count, and one without a rate leaves no total."""
    figures = list(figures)
    for reason in (NoFigure.NOT_FOR_RESOLUTION, NoFigure.NO_RATE):
        if any(one.reason is reason for one in figures):
            return Figure(None, reason)
    known = [one.exact for one in figures if one.exact is not None]
    return Figure(sum(known, Fraction(0))) if known else Figure(None, NoFigure.NO_DATA)


def _units(fluid: Fluid, smallest: int) -> Fraction:
    return Fraction(smallest, 10 ** DisplayUnit.of(fluid).decimals)
