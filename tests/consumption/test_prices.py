"""core.consumption.prices: exact sums by the rate of each day, and never a cost that is too low."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.consumption.comparison import days_of
from core.consumption.fluids import Fluid
from core.consumption.prices import (
    CENTS,
    GRAMS,
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
from core.consumption.resolutions import DaySpan

WATER = Price(date(2025, 1, 1), of_residence=False, eur_per_unit=Decimal("4.52"))
NOVEMBER = list(days_of(DaySpan(date(2026, 11, 1), date(2026, 11, 30))))


def test_the_residences_own_tariff_precedes_its_operators() -> None:
    """From its first day on, also where the operator's is newer; before that day the operator's applies."""
    own = Price(date(2026, 3, 1), of_residence=True, eur_per_unit=Decimal(3))
    newer = Price(date(2026, 6, 1), of_residence=False, eur_per_unit=Decimal(5))
    prices = [newer, own, WATER]
    days = (date(2024, 12, 31), date(2026, 2, 28), date(2026, 3, 1), date(2026, 7, 1))
    assert [in_force(prices, day) for day in days] == [None, WATER, own, own]


def test_a_day_is_priced_by_the_tariff_in_force_on_it() -> None:
    """Ten days at 4.52 and twenty at 5.00 EUR a cubic metre, a hundred litres each: 14.52 EUR."""
    prices = [WATER, Price(date(2026, 11, 11), of_residence=False, eur_per_unit=Decimal(5))]
    found = cost_of(Fluid.COLD_WATER, NOVEMBER, dict.fromkeys(NOVEMBER, 100), prices)
    assert found.shown(CENTS) == Decimal("14.52")


@pytest.mark.parametrize(
    ("per", "fixed", "days", "cost"),
    [
        (FixedCharge.MONTH, "12.00", 30, "12.00"),
        (FixedCharge.MONTH, "12.00", 22, "8.80"),
        (FixedCharge.YEAR, "73.00", 30, "6.00"),
    ],
)
def test_the_fixed_part_is_by_the_day(per: FixedCharge, fixed: str, days: int, cost: str) -> None:
    """A month's by the days of the month, a year's by 365; nothing used, it is still paid."""
    price = Price(
        date(2026, 1, 1), of_residence=False, eur_per_unit=Decimal(4), fixed_eur=Decimal(fixed), fixed_per=per
    )
    of_days = NOVEMBER[:days]
    used = cost_of(Fluid.COLD_WATER, of_days, dict.fromkeys(of_days, 0), [price])
    assert used.shown(CENTS) == Decimal(cost)
    without = cost_of(Fluid.COLD_WATER, of_days, dict.fromkeys(of_days, 0), [price], fixed=False)
    assert without.shown(CENTS) == 0


def test_what_has_no_tariff_or_no_data_has_no_cost() -> None:
    """One day before the first tariff leaves the whole value without a cost, and so the total."""
    days = [date(2024, 12, 31), date(2025, 1, 1)]
    priced = cost_of(Fluid.COLD_WATER, days[1:], {days[1]: 100}, [WATER])
    unpriced = cost_of(Fluid.COLD_WATER, days, dict.fromkeys(days, 100), [WATER])
    unknown = cost_of(Fluid.COLD_WATER, days[1:], {}, [WATER])
    assert (unpriced.exact, unpriced.reason) == (None, NoFigure.NO_RATE)
    assert (unknown.exact, unknown.reason) == (None, NoFigure.NO_DATA)
    assert total_of([priced, unknown]) == priced
    assert total_of([priced, unpriced]) == Figure(None, NoFigure.NO_RATE)
    assert total_of([]) == Figure(None, NoFigure.NO_DATA)


def test_carbon_dioxide_is_by_the_factor_of_each_day() -> None:
    """A thousand kilowatt-hours at 227 g are 227 kg; a day without a factor leaves none."""
    factor = Factor(date(2026, 1, 1), of_residence=False, grams_per_unit=Decimal(227), source="ADEME")
    days = [date(2026, 1, 1), date(2026, 1, 2)]
    amounts = {days[0]: 400_000, days[1]: 600_000}
    assert carbon_dioxide_of(Fluid.HEAT, days, amounts, [factor]).shown(GRAMS) == Decimal(227)
    early = carbon_dioxide_of(Fluid.HEAT, [date(2025, 12, 31)], {date(2025, 12, 31): 1}, [factor])
    assert early.reason is NoFigure.NO_RATE


@given(
    st.lists(st.integers(0, 5_000), min_size=60, max_size=60),
    st.integers(1, 59),
    st.decimals(0, 100, places=5),
    st.decimals(0, 1000, places=2),
)
def test_the_cost_of_a_span_is_that_of_its_parts(
    amounts: list[int], cut: int, eur_per_unit: Decimal, fixed_eur: Decimal
) -> None:
    """However a time is divided, the exact costs add up: only what is shown is rounded."""
    days = list(days_of(DaySpan(date(2026, 1, 10), date(2026, 3, 10))))
    known = dict(zip(days, amounts, strict=True))
    price = Price(
        date(2026, 1, 1),
        of_residence=False,
        eur_per_unit=eur_per_unit,
        fixed_eur=fixed_eur,
        fixed_per=FixedCharge.MONTH,
    )
    parts = [cost_of(Fluid.HOT_WATER, part, known, [price]) for part in (days[:cut], days[cut:])]
    assert total_of(parts) == cost_of(Fluid.HOT_WATER, days, known, [price])
