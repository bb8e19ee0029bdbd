"""Habits: quiet nights, peaks and seasons, one day at a time."""

from collections.abc import Iterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from submeter.simulator import cast
from submeter.simulator.habits import (
    Habit,
    clock_hours,
    cold_water,
    day_start_s,
    heating,
    hot_water,
    on_holiday,
    outside_c,
)
from tests.support.demo import QUIET_HOURS

PARIS = ZoneInfo("Europe/Paris")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def _days(first: date, count: int) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range(count))


def _total(habit: Habit, first: date, count: int) -> int:
    return sum(sum(habit.hours(day, clock_hours(day, PARIS))) for day in _days(first, count))


@pytest.mark.parametrize("flat", cast.TILLEULS + cast.PARC, ids=lambda flat: flat.manager_reference)
def test_nobody_draws_water_at_night(flat: cast.Flat):
    """From 01:00 to 05:00 every hour of every day is zero, also when the clock is changed: no false leak."""
    for habit in (cold_water(flat.lot, flat.persons), hot_water(flat.lot, flat.persons)):
        for day in (*_days(date(2026, 1, 1), 25), SPRING, AUTUMN, *_days(date(2026, 7, 8), 25)):
            hours = clock_hours(day, PARIS)
            amounts = habit.hours(day, hours)
            quiet = [amount for amount, hour in zip(amounts, hours, strict=True) if hour in QUIET_HOURS]
            assert len(quiet) >= 3
            assert not any(quiet)


def test_a_civil_day_has_as_many_hours_as_the_clock_shows():
    """23 hours in spring without 2 o'clock, 25 in autumn with it twice, 24 otherwise."""
    assert clock_hours(SPRING, PARIS) == (0, 1, *range(3, 24))
    assert clock_hours(AUTUMN, PARIS) == (0, 1, 2, *range(2, 24))
    assert clock_hours(date(2026, 7, 14), PARIS) == tuple(range(24))
    assert day_start_s(date(2026, 7, 14), PARIS) == 1_783_980_000  # 2026-07-13T22:00Z


def test_a_day_is_the_same_whichever_window_it_is_computed_in():
    """A day follows from seed and date alone."""
    day = date(2026, 5, 4)
    hours = clock_hours(day, PARIS)
    alone = cold_water("AA000/5", 4).hours(day, hours)
    habit = cold_water("AA000/5", 4)
    _total(habit, date(2026, 4, 1), 33)
    assert habit.hours(day, hours) == alone


def test_people_use_a_hundred_litres_a_day_and_three_tenths_of_it_hot():
    """The totals of a spring are near the habit's figures."""
    cold, hot = (_total(make("x", 3), date(2026, 3, 1), 100) for make in (cold_water, hot_water))
    assert 270 * 100 < cold + hot < 340 * 100
    assert 0.27 < hot / (cold + hot) < 0.33


def test_workdays_peak_at_breakfast_and_in_the_evening_weekends_later():
    """The most water of a workday morning runs before nine, that of a Sunday after nine."""
    habit = cold_water("x", 4)
    mondays = [habit.hours(day, range(24)) for day in _days(date(2026, 1, 5), 140) if day.weekday() == 0]
    sundays = [habit.hours(day, range(24)) for day in _days(date(2026, 1, 5), 140) if day.weekday() == 6]
    workday, sunday = ([sum(hour) for hour in zip(*days, strict=True)] for days in (mondays, sundays))
    assert sum(workday[6:9]) > sum(workday[9:12])
    assert sum(sunday[6:9]) < sum(sunday[9:12])
    assert max(workday[17:22]) > 2 * max(workday[13:16])


def test_summer_brings_a_week_or_two_without_water():
    """Each home is away once in July or August, cold and hot alike."""
    for home in ("AA000/1", "50001369/8"):
        away = [day for day in _days(date(2026, 7, 1), 62) if on_holiday(home, day)]
        assert 7 <= len(away) <= 14
        assert away[-1] - away[0] == timedelta(days=len(away) - 1)
        assert not any(sum(hot_water(home, 2).hours(day, range(24))) for day in away)


def test_heat_follows_the_season():
    """None in July, much in January, and more on a colder day."""
    habit = heating("AA000/1", 62)
    assert _total(habit, date(2026, 7, 1), 31) == 0
    january = _total(habit, date(2026, 1, 1), 31)
    assert january > 2 * _total(habit, date(2026, 4, 1), 30) > 0
    days = sorted(_days(date(2026, 1, 1), 31), key=outside_c)
    assert sum(habit.hours(days[0], range(24))) > sum(habit.hours(days[-1], range(24)))
    assert abs(_total(habit, date(2025, 7, 1), 365) / 365 - habit.mean_per_day) < 0.35 * habit.mean_per_day
