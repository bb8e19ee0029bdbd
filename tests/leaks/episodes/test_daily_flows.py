from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from core.consumption.periods import day_start
from core.consumption.readings import clean
from core.consumption.register import IndexReading, Register
from core.consumption.volumes import HourVolume, hourly_volumes
from core.leaks.episodes.daily_flows import DayFlow, day_flows

PARIS = ZoneInfo("Europe/Paris")
DAY = date(2022, 7, 14)
H = 3600


def hours_of(day, amounts, zone=PARIS):
    start_s = day_start(day, zone)
    return [HourVolume(start_s + at * H, amount) for at, amount in enumerate(amounts) if amount is not None]


def end_of(day, zone=PARIS):
    return day_start(day + timedelta(days=1), zone)


@pytest.mark.requirement("R-092")
def test_the_feature_of_a_day_is_its_smallest_hour():
    """The minimum flow is that of the quietest hour of the civil day."""
    hours = hours_of(DAY, [9] * 3 + [5] + [30] * 20)
    assert day_flows(hours, zone=PARIS, complete_until_s=end_of(DAY)) == [DayFlow(DAY, Fraction(5), 24)]


@pytest.mark.requirement("R-092")
def test_one_quiet_hour_is_no_leak():
    """A day with a pulse in each hour but one has a minimum flow of zero."""
    hours = hours_of(DAY, [7] * 13 + [0] + [7] * 10)
    assert day_flows(hours, zone=PARIS, complete_until_s=end_of(DAY))[0].q_min_lph == 0


@pytest.mark.parametrize(("valid", "q_min"), [(20, Fraction(6)), (19, None)])
def test_a_day_needs_twenty_valid_hours(valid, q_min):
    """With fewer hours the quiet one may be among the missing ones: no data."""
    hours = hours_of(DAY, [6] * valid)
    assert day_flows(hours, zone=PARIS, complete_until_s=end_of(DAY)) == [DayFlow(DAY, q_min, valid)]


def test_a_day_in_progress_is_not_judged():
    """Until the meter has been read past midnight the day does not exist for the leak rule."""
    hours = hours_of(DAY, [6] * 24)
    assert day_flows(hours, zone=PARIS, complete_until_s=end_of(DAY) - 1) == []
    assert day_flows([], zone=PARIS, complete_until_s=end_of(DAY)) == []


def test_days_without_hours_are_days_without_data():
    """The days of a gap are listed, without a minimum."""
    after = DAY + timedelta(days=2)
    hours = hours_of(DAY, [6] * 24) + hours_of(after, [7] * 24)
    assert day_flows(hours, zone=PARIS, complete_until_s=end_of(after)) == [
        DayFlow(DAY, Fraction(6), 24),
        DayFlow(DAY + timedelta(days=1), None, 0),
        DayFlow(after, Fraction(7), 24),
    ]


@pytest.mark.parametrize(("day", "length"), [(date(2022, 3, 27), 23), (date(2022, 10, 30), 25)])
def test_the_days_of_the_clock_change_keep_their_hours(day, length):
    """The 23 and 25 hours of the days of the clock change are all of that day and of no other."""
    before = hours_of(day - timedelta(days=1), [9] * 24)
    hours = before + hours_of(day, [5] * length) + hours_of(day + timedelta(days=1), [9] * 24)
    flows = day_flows(hours, zone=PARIS, complete_until_s=end_of(day + timedelta(days=1)))
    assert [(flow.q_min_lph, flow.hours) for flow in flows] == [(9, 24), (5, length), (9, 24)]


def test_an_hour_that_midnight_cuts_belongs_to_no_day():
    """Where midnight is at half past a UTC hour, that hour is part of two days and is left out."""
    kolkata = ZoneInfo("Asia/Kolkata")
    start_s = day_start(DAY, kolkata) - H // 2
    hours = [HourVolume(start_s + at * H, 0 if at in {0, 24} else 8) for at in range(25)]
    flows = day_flows(hours, zone=kolkata, complete_until_s=end_of(DAY, kolkata))
    assert flows == [DayFlow(DAY - timedelta(days=1), None, 0), DayFlow(DAY, Fraction(8), 23)]


def test_the_way_from_readings_to_the_feature():
    """Hourly readings of a steady drip give the drip, whatever minute of the hour they are taken."""
    first_s = day_start(DAY, PARIS) - 2 * H + 17 * 60
    readings = [IndexReading(first_s + at * H, 1_000 + 4 * at) for at in range(30)]
    hours = hourly_volumes(clean(readings, Register(capacity=10**8)))
    flows = day_flows(hours, zone=PARIS, complete_until_s=readings[-1].at_s)
    assert flows[-1] == DayFlow(DAY, Fraction(4), 24)
