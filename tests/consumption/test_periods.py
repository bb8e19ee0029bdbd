from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from core.consumption.periods import Month, day_of, day_start

PARIS = ZoneInfo("Europe/Paris")


def test_a_month_knows_its_ends_and_its_neighbours():
    """A month is a value: first and last day, the one before, the one after, leap years included."""
    february = Month(2024, 2)
    assert (february.first_day, february.last_day, february.length_days) == (
        date(2024, 2, 1),
        date(2024, 2, 29),
        29,
    )
    assert february.next() == Month(2024, 3)
    assert february.previous() == Month(2024, 1)
    assert str(february) == "2024-02"


def test_month_arithmetic_crosses_years():
    """Adding and taking months crosses the year in both directions."""
    assert Month(2022, 12).next() == Month(2023, 1)
    assert Month(2023, 1).previous() == Month(2022, 12)
    assert Month(2022, 9).plus(-12) == Month(2021, 9)
    assert Month(2022, 9).plus(28) == Month(2025, 1)
    assert Month.of(date(2022, 9, 7)).plus(0) == Month(2022, 9)


def test_months_compare_in_the_order_of_time():
    """Sorting months sorts them by time."""
    assert sorted([Month(2023, 1), Month(2022, 12), Month(2022, 2)]) == [
        Month(2022, 2),
        Month(2022, 12),
        Month(2023, 1),
    ]


@pytest.mark.parametrize("month", [0, 13])
def test_there_are_twelve_months(month):
    """A thirteenth month cannot be built."""
    with pytest.raises(ValueError, match="1 to 12"):
        Month(2022, month)


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2022, 3, 26), 24), (date(2022, 3, 27), 23), (date(2022, 10, 30), 25), (date(2022, 10, 31), 24)],
)
def test_a_civil_day_lasts_as_long_as_the_clock_says(day, hours):
    """The days of the clock change last 23 and 25 hours in Paris."""
    after = date.fromordinal(day.toordinal() + 1)
    assert day_start(after, PARIS) - day_start(day, PARIS) == hours * 3600


def test_a_day_begins_at_its_local_midnight():
    """A summer day of Paris begins at 22:00 UTC of the day before, and that instant belongs to it."""
    start = day_start(date(2022, 7, 14), PARIS)
    assert datetime.fromtimestamp(start, UTC) == datetime(2022, 7, 13, 22, tzinfo=UTC)
    assert day_of(start, PARIS) == date(2022, 7, 14)
    assert day_of(start - 1, PARIS) == date(2022, 7, 13)


def test_a_day_without_midnight_begins_at_the_change_of_clock():
    """Where the clock jumps from 24:00 to 01:00, the day before ends where the next begins."""
    sao_paulo = ZoneInfo("America/Sao_Paulo")
    start = day_start(date(2018, 11, 4), sao_paulo)
    assert day_of(start, sao_paulo) == date(2018, 11, 4)
    assert day_of(start - 1, sao_paulo) == date(2018, 11, 3)
