"""Consumption by hour, day, week, month and year: which days a value has, and what they add up to."""

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.consumption import DayTotal, Quality
from core.consumption.resolutions import (
    DaySpan,
    MeterHours,
    Resolution,
    span_of,
    spans_until,
    summed,
    summed_hours,
)

DAY = timedelta(days=1)
DAYS = [one for one in Resolution if one is not Resolution.HOURLY]


@pytest.mark.parametrize(
    ("resolution", "first", "last"),
    [
        (Resolution.DAILY, date(2026, 1, 1), date(2026, 1, 1)),
        (Resolution.WEEKLY, date(2025, 12, 29), date(2026, 1, 4)),
        (Resolution.MONTHLY, date(2026, 1, 1), date(2026, 1, 31)),
        (Resolution.YEARLY, date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_a_value_is_a_calendar_unit(resolution, first, last) -> None:
    """The first of January 2026 is a Thursday: its week began in the year before (ISO 8601)."""
    assert span_of(date(2026, 1, 1), resolution) == DaySpan(first, last)


@given(
    st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    st.sampled_from(DAYS),
    st.integers(min_value=1, max_value=60),
)
def test_spans_follow_one_another_without_a_gap(day, resolution, count) -> None:
    """As many as asked for, the last of which has the day."""
    spans = spans_until(day, resolution, count)
    assert len(spans) == count
    assert spans[-1].first <= day <= spans[-1].last
    for before, after in itertools.pairwise(spans):
        assert before.last + DAY == after.first


def test_nothing_is_older_than_the_calendar_of_the_data() -> None:
    """Spans end at the year 1900, however many are asked for."""
    assert spans_until(date(1901, 6, 1), Resolution.YEARLY, 40)[0].first >= date(1899, 1, 1)


def test_a_sum_is_partial_unless_each_day_is_known() -> None:
    """Seven days are a week; six, or one that is PARTIAL itself, are PARTIAL; none is no value."""
    week = span_of(date(2026, 11, 18), Resolution.WEEKLY)
    days = {day: DayTotal(day, 10, Quality.MEASURED) for day in (week.first + DAY * n for n in range(7))}
    assert summed(week, days) == (70, Quality.MEASURED)
    estimated = days | {week.first: DayTotal(week.first, 5, Quality.ESTIMATED)}
    assert summed(week, estimated) == (65, Quality.ESTIMATED)
    partial = days | {week.first: DayTotal(week.first, 5, Quality.PARTIAL)}
    assert summed(week, partial) == (65, Quality.PARTIAL)
    assert summed(week, {week.last: days[week.last]}) == (10, Quality.PARTIAL)
    assert summed(week, {}) is None


def test_hours_of_two_meters_are_partial_where_one_is_silent() -> None:
    """One that was not in service in an hour is not missing from it."""
    always = MeterHours(0, float("inf"), {0: 1, 3600: 2, 7200: 3})
    later = MeterHours(3600, float("inf"), {3600: 10})
    assert summed_hours([always, later]) == {
        0: (1, Quality.MEASURED),
        3600: (12, Quality.MEASURED),
        7200: (3, Quality.PARTIAL),
    }
