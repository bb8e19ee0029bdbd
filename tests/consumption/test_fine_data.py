"""Fine data that are purged: the days remain what they were, the hours are gone."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from core.consumption import IndexReading, Register, clean, daily_volumes, hourly_volumes
from core.consumption.fine_data import fine_readings

PARIS = ZoneInfo("Europe/Paris")
HOUR_S = 3600
BEGIN_S = 1_711_700_000
"""29 March 2024: the clocks change two days later."""


def _readings(steps: Sequence[tuple[int, int]]) -> list[IndexReading]:
    at_s, index, found = BEGIN_S, 5_000, []
    for seconds, rise in steps:
        at_s, index = at_s + seconds, max(index + rise, 0)
        found.append(IndexReading(at_s, index))
    return found


STEPS = st.lists(st.tuples(st.integers(600, 30 * HOUR_S), st.integers(0, 400)), max_size=120)


@given(STEPS)
def test_the_days_are_the_same_without_the_fine_readings(steps: list[tuple[int, int]]) -> None:
    """Whatever the intervals, over a change of the clocks too: each day's amount and quality."""
    readings = _readings(steps)
    gone = set(fine_readings(readings, PARIS))
    left = [reading for reading in readings if reading.at_s not in gone]
    register = Register(capacity=None, highest_per_hour=10**6)
    expected = daily_volumes(clean(readings, register), zone=PARIS)
    assert daily_volumes(clean(left, register), zone=PARIS) == expected


@given(STEPS)
def test_at_most_three_readings_of_a_day_remain(steps: list[tuple[int, int]]) -> None:
    """The first, the last and the highest; whatever was there once is not purged twice."""
    readings = _readings(steps)
    gone = set(fine_readings(readings, PARIS))
    left = [reading for reading in readings if reading.at_s not in gone]
    assert fine_readings(left, PARIS) == []


def test_the_hours_of_a_day_are_gone() -> None:
    """A day that was read every hour: 24 hourly volumes before, none after."""
    readings = _readings([(HOUR_S, 10)] * 72)
    gone = set(fine_readings(readings, PARIS))
    left = [reading for reading in readings if reading.at_s not in gone]
    register = Register(capacity=None, highest_per_hour=10**6)
    assert len(hourly_volumes(clean(readings, register))) >= 70
    assert len(hourly_volumes(clean(left, register))) <= 4, "the hours at midnight, of the first and last"
