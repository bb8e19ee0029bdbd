from datetime import date
from fractions import Fraction

import pytest

from core.alerting.over_consumption import (
    ConsumptionLimits,
    Exceeded,
    OverConsumption,
    over_consumption,
    over_limits,
)
from core.consumption.periods import Month

NOW = Month(2022, 9)


def year(back):
    return NOW.plus(-12 * back)


@pytest.mark.requirement("R-197", "C-30")
@pytest.mark.parametrize(("amount", "raised"), [(20_000, False), (20_001, True)])
def test_more_than_twice_the_mean_of_three_years_is_abnormal(amount, raised):
    """Twice the mean of the same month is still normal; one litre more is not."""
    amounts = {NOW: amount, year(1): 8_000, year(2): 10_000, year(3): 12_000, year(4): 90_000}
    found = over_consumption(amounts, current=NOW)
    expected = OverConsumption(NOW, amount, Fraction(10_000), Fraction(20_000), 3)
    assert found == (expected if raised else None)


@pytest.mark.requirement("C-30")
def test_fewer_years_make_a_comparison_too():
    """One complete earlier year is enough; which year it is does not matter."""
    found = over_consumption({NOW: 101, year(3): 50, NOW.previous(): 1}, current=NOW)
    assert found is not None
    assert (found.years_compared, found.reference_mean) == (1, 50)


@pytest.mark.requirement("C-30")
@pytest.mark.parametrize(
    "amounts",
    [{}, {NOW: 10**6}, {NOW: 10**6, year(4): 1}, {year(1): 5}, {NOW: 10**6, year(1): 0, year(2): 0}],
)
def test_without_a_year_to_compare_with_there_is_no_alert(amounts):
    """No data now, no earlier year, or years without an occupant: no alert."""
    assert over_consumption(amounts, current=NOW) is None


def test_the_factor_may_be_another():
    """An operator or a resident may set how many times the mean is still normal."""
    amounts = {NOW: 151, year(1): 100}
    assert over_consumption(amounts, current=NOW, factor=Fraction(3, 2)) is not None
    assert over_consumption(amounts, current=NOW) is None


@pytest.mark.requirement("C-30")
def test_a_residents_own_limits_are_reported_when_they_are_exceeded():
    """Litres a day and a month, chosen by the resident; an amount equal to the limit does not exceed it."""
    days = {date(2026, 11, 2): 301, date(2026, 11, 1): 300}
    months = {Month(2026, 11): 4001, Month(2026, 10): 4000}
    assert over_limits(days, months, ConsumptionLimits(per_day=300, per_month=4000)) == [
        Exceeded(date(2026, 11, 2), 301, 300),
        Exceeded(Month(2026, 11), 4001, 4000),
    ]
    assert over_limits(days, months, ConsumptionLimits()) == []
    with pytest.raises(ValueError, match="positive"):
        ConsumptionLimits(per_day=0)
