"""core.consumption.climate: heating in usual weather, or why it is not known."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.consumption.climate import NotCorrected, Station, corrected
from core.consumption.comparison import days_of
from core.consumption.resolutions import DaySpan, Resolution, span_of

TODAY = date(2026, 11, 22)
JANUARY = span_of(date(2026, 1, 5), Resolution.MONTHLY)


def station(
    first: date, last: date, *, by_year: dict[int, str] | None = None, without: tuple[date, ...] = ()
) -> Station:
    """Ten degree days a day, or those of a year."""
    return Station(
        "LYON-BRON",
        "Météo-France",
        Decimal(18),
        {
            day: Decimal((by_year or {}).get(day.year, "10"))
            for day in days_of(DaySpan(first, last))
            if day not in without
        },
        TODAY,
    )


def test_a_cold_month_is_shown_as_in_usual_weather() -> None:
    """Two usual years at 10 degree days, a January at 12.5: four fifths of what was used."""
    found = corrected(JANUARY, 1_000_000, station(date(2024, 1, 1), TODAY, by_year={2026: "12.5"}))
    assert found.amount == 800_000
    assert (found.degree_days, found.reference, found.reason) == (Decimal("387.5"), 310, None)


@pytest.mark.parametrize(
    ("amount", "first", "last", "without", "by_year", "reason"),
    [
        (None, date(2024, 1, 1), TODAY, (), {}, NotCorrected.INCOMPLETE),
        (1, date(2024, 1, 1), TODAY, (date(2026, 1, 31),), {}, NotCorrected.NO_DEGREE_DAYS),
        (1, date(2025, 1, 2), TODAY, (), {}, NotCorrected.NO_REFERENCE),
        (1, date(2024, 1, 1), TODAY, (date(2024, 5, 1), date(2025, 5, 1)), {}, NotCorrected.NO_REFERENCE),
        (1, date(2024, 1, 1), TODAY, (), {2026: "0"}, NotCorrected.NO_HEATING_WEATHER),
        (1, date(2024, 1, 1), TODAY, (), {2024: "0", 2025: "0"}, NotCorrected.NO_HEATING_WEATHER),
    ],
)
def test_what_cannot_be_corrected_has_a_reason(
    amount: int | None,
    first: date,
    last: date,
    without: tuple[date, ...],
    by_year: dict[int, str],
    reason: NotCorrected,
) -> None:
    """And no amount: never the raw one."""
    found = corrected(JANUARY, amount, station(first, last, without=without, by_year=by_year))
    assert (found.amount, found.reason) == (None, reason)


def test_without_a_station_nothing_is_corrected() -> None:
    assert corrected(JANUARY, 5, None).reason is NotCorrected.NO_STATION


def test_a_leap_day_is_usual_as_the_day_before() -> None:
    """February 2024 with its 29 days by a year that has 28."""
    one = Station(
        "X",
        "Y",
        Decimal(18),
        {day: Decimal(10) for day in days_of(DaySpan(date(2023, 1, 1), date(2024, 3, 1)))},
        date(2024, 3, 2),
    )
    found = corrected(span_of(date(2024, 2, 1), Resolution.MONTHLY), 290, one)
    assert (found.degree_days, found.reference, found.amount) == (290, 290, 290)


@given(
    st.lists(st.decimals("0.1", "30", places=1), min_size=3, max_size=3),
    st.integers(0, 10**7),
)
def test_the_years_of_the_reference_add_up_to_themselves(weathers: list[Decimal], per_degree: int) -> None:
    """A building whose heating follows the weather uses the same in usual weather every year."""
    years = dict(zip((2023, 2024, 2025), map(str, weathers), strict=True))
    one = station(date(2023, 1, 1), date(2025, 12, 31), by_year=years)
    found = []
    for year, degree_days in zip((2023, 2025), (weathers[0], weathers[2]), strict=True):
        used = Fraction(degree_days) * 31 * per_degree * 10
        assert used.denominator == 1
        month = span_of(date(year, 1, 1), Resolution.MONTHLY)
        found.append(corrected(month, int(used), one).amount)
    assert found[0] == found[1] == Fraction(sum(weathers)) / 3 * 31 * per_degree * 10
