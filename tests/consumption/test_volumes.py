import random
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.consumption.periods import day_start
from core.consumption.readings import clean
from core.consumption.register import IndexReading, Register
from core.consumption.volumes import (
    HOUR_S,
    MAX_HOURLY_GAP_S,
    DayVolume,
    HourVolume,
    Quality,
    daily_volumes,
    hourly_volumes,
    worst,
)

PARIS = ZoneInfo("Europe/Paris")
UTC = ZoneInfo("UTC")
T0 = day_start(date(2022, 3, 1), UTC)
H = HOUR_S

STEPS = st.lists(
    st.tuples(st.integers(1, 60 * H), st.integers(0, 500)), min_size=1, max_size=60
)  # seconds and litres to the next reading
STARTS = st.integers(T0, T0 + 10 * 86_400)
ZONES = st.sampled_from([PARIS, UTC, ZoneInfo("America/Havana"), ZoneInfo("Asia/Kolkata")])


def series(*pairs):
    return tuple(IndexReading(at_s, index) for at_s, index in pairs)


def walked(start_s, steps):
    readings = [IndexReading(start_s, 1000)]
    for seconds, litres in steps:
        readings.append(IndexReading(readings[-1].at_s + seconds, readings[-1].index + litres))
    return tuple(readings)


def hourly(first_s, hours, per_hour=1):
    return series(*((first_s + at * H, at * per_hour) for at in range(hours + 1)))


def index_at(part, at_s):
    """The index at an instant: on the straight line between the neighbours, rounded down; None outside."""
    for earlier, later in pairwise(part):
        if earlier.at_s <= at_s <= later.at_s:
            drawn, elapsed = later.index - earlier.index, later.at_s - earlier.at_s
            return earlier.index + drawn * (at_s - earlier.at_s) // elapsed
    return None


def test_an_index_at_midnight_is_interpolated_and_rounded_down():
    """Between two readings the index moves evenly, in whole units."""
    part = series((T0 - H, 10), (T0 + 2 * H, 20))
    assert [day.amount for day in daily_volumes([part], zone=UTC)] == [3, 7]


def test_hours_add_up_where_readings_are_close():
    """Readings away from the full hour still give each hour between them once."""
    part = series((T0 + 600, 0), (T0 + 600 + H, 60), (T0 + 600 + 2 * H, 60), (T0 + 600 + 3 * H, 120))
    assert hourly_volumes([part]) == [HourVolume(T0 + H, 10), HourVolume(T0 + 2 * H, 50)]


def test_an_hour_counts_only_when_wholly_covered():
    """An hour that a series begins or ends in has no volume; one that it fills exactly has."""
    assert hourly_volumes([series((T0, 0), (T0 + H, 3))]) == [HourVolume(T0, 3)]
    assert hourly_volumes([series((T0 + 1, 0), (T0 + H, 3))]) == []
    assert hourly_volumes([series((T0, 0), (T0 + H - 1, 3))]) == []
    assert hourly_volumes([series((T0, 0))]) == []


@pytest.mark.parametrize(("gap_s", "hours"), [(MAX_HOURLY_GAP_S, 4), (MAX_HOURLY_GAP_S + 1, 1)])
def test_hours_in_a_gap_have_no_volume(gap_s, hours):
    """Readings more than two hours apart give no volume for the hours between them."""
    part = series((T0, 0), (T0 + H, 1), (T0 + H + gap_s, 5), (T0 + 2 * H + gap_s, 9))
    assert len(hourly_volumes([part])) == hours


def test_hours_begin_again_right_after_a_gap():
    """The full hours on both edges of a gap are kept when readings stand on them."""
    part = series((T0, 0), (T0 + H, 1), (T0 + 9 * H, 8), (T0 + 10 * H, 10))
    assert hourly_volumes([part]) == [HourVolume(T0, 1), HourVolume(T0 + 9 * H, 2)]


@given(STARTS, st.lists(st.tuples(st.integers(1, 3 * H), st.integers(0, 50)), min_size=1, max_size=80))
def test_hours_are_those_a_plain_reading_of_the_rule_finds(start_s, steps):
    """The walk agrees with asking each hour by itself: covered, close readings, interpolated edges."""
    part = walked(start_s, steps)
    expected = []
    for hour_s in range(start_s - start_s % H, part[-1].at_s, H):
        around = [
            later.at_s - earlier.at_s
            for earlier, later in pairwise(part)
            if earlier.at_s < hour_s + H and later.at_s > hour_s
        ]
        start, end = index_at(part, hour_s), index_at(part, hour_s + H)
        if start is not None and end is not None and max(around) <= MAX_HOURLY_GAP_S:
            expected.append(HourVolume(hour_s, end - start))
    assert hourly_volumes([part]) == expected


@pytest.mark.parametrize(
    ("day", "litres"), [(date(2022, 3, 27), 23), (date(2022, 10, 30), 25), (date(2022, 7, 14), 24)]
)
def test_a_day_of_the_clock_change_has_23_or_25_hours(day, litres):
    """At a litre an hour, 2022-03-27 takes 23 litres and 2022-10-30 takes 25 in Paris."""
    part = hourly(day_start(day - timedelta(days=2), PARIS), 5 * 24)
    measured = {volume.day: volume for volume in daily_volumes([part], zone=PARIS)}
    assert measured[day] == DayVolume(day, litres, Quality.MEASURED)


def test_the_first_and_last_day_are_partial():
    """A day that the readings do not cover to both midnights is PARTIAL; one they fill exactly is not."""
    noon = T0 + 12 * H
    part = series((noon, 0), (T0 + 24 * H, 5), (T0 + 48 * H, 9))
    assert daily_volumes([part], zone=UTC) == [
        DayVolume(date(2022, 3, 1), 5, Quality.PARTIAL),
        DayVolume(date(2022, 3, 2), 4, Quality.MEASURED),
    ]
    assert daily_volumes([part[:2] + series((noon + 24 * H, 7))], zone=UTC)[-1] == DayVolume(
        date(2022, 3, 2), 2, Quality.PARTIAL
    )


@pytest.mark.parametrize(("gap_h", "inside"), [(36, Quality.MEASURED), (37, Quality.ESTIMATED)])
def test_days_in_a_long_gap_are_estimates(gap_h, inside):
    """Past 36 hours between readings the split into days is an estimate, the total is kept."""
    start = T0 + 20 * H
    end = start + gap_h * H
    part = series((T0, 0), (start, 20), (end, 20 + gap_h), (T0 + 70 * H, 70), (T0 + 96 * H, 96))
    volumes = daily_volumes([part], zone=UTC)
    assert [volume.amount for volume in volumes] == [24, 24, 24, 24]
    assert [volume.quality for volume in volumes] == [inside, inside, inside, Quality.MEASURED]


def test_a_gap_that_ends_at_midnight_leaves_the_next_day_measured():
    """A day is an estimate only when the gap reaches into it."""
    part = series((T0, 0), (T0 + 48 * H, 48), (T0 + 72 * H, 72))
    assert [volume.quality for volume in daily_volumes([part], zone=UTC)] == [
        Quality.ESTIMATED,
        Quality.ESTIMATED,
        Quality.MEASURED,
    ]


@pytest.mark.requirement("C-33")
def test_nothing_is_subtracted_across_a_break():
    """The day of a break adds what was measured before and after, and is PARTIAL."""
    readings = [IndexReading(T0, 5_000), IndexReading(T0 + 6 * H, 5_030)]
    readings += [IndexReading(T0 + 12 * H, 100), IndexReading(T0 + 24 * H, 107)]
    parts = clean(readings, Register(capacity=None))
    assert daily_volumes(parts, zone=UTC) == [DayVolume(date(2022, 3, 1), 37, Quality.PARTIAL)]


@pytest.mark.requirement("C-33", "R-168")
def test_a_rollover_is_a_day_like_any_other():
    """The day a five-digit register passes zero has its true volume."""
    readings = [IndexReading(T0 + at * 24 * H, (99_999_900 + at * 80) % 10**8) for at in range(4)]
    parts = clean(readings, Register(capacity=10**8))
    assert [volume.amount for volume in daily_volumes(parts, zone=UTC)] == [80, 80, 80]


def test_one_reading_measures_nothing():
    """No data is not zero: a lone reading gives no day and no hour."""
    assert daily_volumes([series((T0, 5))], zone=PARIS) == []
    assert daily_volumes([], zone=PARIS) == []


@given(STARTS, STEPS, ZONES)
def test_days_add_up_to_the_last_index_minus_the_first(start_s, steps, zone):
    """Whenever a meter is read, no litre is lost between two days and none counted twice."""
    part = walked(start_s, steps)
    volumes = daily_volumes([part], zone=zone)
    assert sum(volume.amount for volume in volumes) == part[-1].index - part[0].index
    assert all(volume.amount >= 0 for volume in volumes)
    days = [volume.day for volume in volumes]
    assert days == [days[0] + timedelta(days=at) for at in range(len(days))]


@given(STARTS, STEPS, ZONES)
def test_days_are_those_a_plain_reading_of_the_rule_finds(start_s, steps, zone):
    """The walk agrees with asking each day by itself: the index at its edges, the gaps it meets."""
    part = walked(start_s, steps)
    first, last = part[0], part[-1]
    for volume in daily_volumes([part], zone=zone):
        start, end = day_start(volume.day, zone), day_start(volume.day + timedelta(days=1), zone)
        edges = index_at(part, max(start, first.at_s)), index_at(part, min(end, last.at_s))
        gaps = [
            later.at_s - earlier.at_s
            for earlier, later in pairwise(part)
            if earlier.at_s < end and later.at_s > start
        ]
        quality = Quality.ESTIMATED if max(gaps) > 36 * H else Quality.MEASURED
        if start < first.at_s or end > last.at_s:
            quality = Quality.PARTIAL
        assert edges[0] is not None
        assert edges[1] is not None
        assert (volume.amount, volume.quality) == (edges[1] - edges[0], quality)


@given(STARTS, STEPS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_no_volume(start_s, steps, chance: random.Random):
    """Shuffled and repeated readings make the same days and the same hours."""
    readings = list(walked(start_s, steps))
    disordered = readings + chance.choices(readings, k=3)
    chance.shuffle(disordered)
    straight, mixed = (clean(some, Register(capacity=10**8)) for some in (readings, disordered))
    assert daily_volumes(mixed, zone=PARIS) == daily_volumes(straight, zone=PARIS)
    assert hourly_volumes(mixed) == hourly_volumes(straight)


def test_the_quality_of_a_sum_is_that_of_its_worst_part():
    """One partial day makes a sum partial; nothing at all is not in doubt."""
    assert worst([Quality.MEASURED, Quality.PARTIAL, Quality.ESTIMATED]) is Quality.PARTIAL
    assert worst([Quality.MEASURED, Quality.ESTIMATED]) is Quality.ESTIMATED
    assert worst([]) is Quality.MEASURED
