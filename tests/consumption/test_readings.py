import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.consumption.readings import clean
from core.consumption.register import IndexReading, Register

CAPACITY = 100_000_000  # five digits of cubic metres, in litres
CAPACITIES = st.one_of(st.none(), st.sampled_from([100_000, CAPACITY]))
READINGS = st.lists(
    st.builds(IndexReading, st.integers(0, 10**6), st.integers(0, CAPACITY - 1)), min_size=0, max_size=40
)


def readings(*pairs):
    return [IndexReading(at_s, index) for at_s, index in pairs]


def cleaned(*pairs, capacity=CAPACITY, backflow=10):
    series = clean(readings(*pairs), Register(capacity=capacity, allowed_backflow=backflow))
    return [[(reading.at_s, reading.index) for reading in part] for part in series]


def test_nothing_read_is_nothing():
    """No readings make no series."""
    assert clean([], Register(capacity=CAPACITY)) == []


def test_order_of_arrival_and_repetition_do_not_matter():
    """Late and repeated telegrams give the series that punctual ones would have given."""
    assert cleaned((20, 7), (0, 5), (10, 6), (20, 7), (0, 5)) == [[(0, 5), (10, 6), (20, 7)]]


def test_of_two_indexes_at_one_instant_the_running_maximum_holds():
    """Two telegrams of one instant leave one reading, the higher."""
    assert cleaned((0, 5), (10, 8), (10, 6), (20, 9)) == [[(0, 5), (10, 8), (20, 9)]]


def test_a_small_backflow_keeps_the_maximum():
    """A register that runs back a little neither loses nor invents water."""
    assert cleaned((0, 100), (10, 98), (20, 99), (30, 103)) == [[(0, 100), (10, 100), (20, 100), (30, 103)]]


def test_backflow_is_measured_from_the_maximum():
    """Many small steps back are not a small step: past the limit below the maximum the series breaks."""
    assert cleaned((0, 100), (10, 92), (20, 90), (30, 89)) == [[(0, 100), (10, 100), (20, 100)], [(30, 89)]]


@pytest.mark.requirement("C-33", "R-168")
def test_a_rollover_is_unwrapped():
    """A register that passes its last digit goes on counting."""
    assert cleaned((0, 99_999_990), (10, 15), (20, 20)) == [
        [(0, 99_999_990), (10, 100_000_015), (20, 100_000_020)]
    ]


@pytest.mark.requirement("C-33")
def test_a_register_may_roll_over_twice():
    """A small register wraps as often as the water makes it."""
    steps = [(at, at * 9 % 100) for at in range(24)]
    assert cleaned(*steps, capacity=100)[0][-1] == (23, 207)


@pytest.mark.requirement("C-33")
@pytest.mark.parametrize(("index", "parts"), [(9_999_999, 1), (10_000_000, 2)])
def test_a_drop_is_a_rollover_up_to_a_tenth_of_the_register(index, parts):
    """The volume a rollover may stand for ends at a tenth of the capacity; beyond it is an anomaly."""
    assert len(cleaned((0, 99_999_999), (10, index))) == parts


@pytest.mark.requirement("C-33")
def test_without_a_known_capacity_no_drop_is_a_rollover():
    """What the register's size does not explain is never unwrapped."""
    assert cleaned((0, 99_999_990), (10, 15), capacity=None) == [[(0, 99_999_990)], [(10, 15)]]


@pytest.mark.requirement("C-33")
def test_an_unexplained_drop_breaks_the_series():
    """A fall in the middle of the register begins anew; nothing is subtracted across it."""
    assert cleaned((0, 5_000), (10, 5_010), (20, 40), (30, 45)) == [
        [(0, 5_000), (10, 5_010)],
        [(20, 40), (30, 45)],
    ]


@pytest.mark.requirement("C-33")
@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (99_999_998, [[(0, 99_999_995), (10, 100_000_002), (20, 100_000_002), (30, 100_000_004)]]),
        (99_000_000, [[(0, 99_999_995), (10, 100_000_002)], [(20, 99_000_000), (30, 100_000_004)]]),
    ],
)
def test_a_fall_across_the_rollover_is_no_register_full_of_water(late, expected):
    """Just after a rollover an old index is backflow or a break, never a rise of the whole register."""
    assert cleaned((0, 99_999_995), (10, 2), (20, late), (30, 4)) == expected


@pytest.mark.parametrize(("capacity", "backflow"), [(0, 10), (-1, 10), (100, -1)])
def test_impossible_limits_are_refused(capacity, backflow):
    """A register counts at least one unit, and a backflow is not negative."""
    with pytest.raises(ValueError, match=r"is (not negative|positive)"):
        clean([], Register(capacity=capacity, allowed_backflow=backflow))


@given(READINGS, CAPACITIES)
def test_series_rise_in_time_and_never_fall_in_index(given_readings, capacity):
    """For any readings, each series can be subtracted from left to right, and no instant is lost."""
    parts = clean(given_readings, Register(capacity=capacity))
    for part in parts:
        assert part
        for before, after in pairwise(part):
            assert before.at_s < after.at_s
            assert before.index <= after.index
    assert {reading.at_s for part in parts for reading in part} == {
        reading.at_s for reading in given_readings
    }


@given(READINGS, CAPACITIES, st.randoms(use_true_random=False))
def test_shuffling_and_doubling_change_nothing(given_readings, capacity, chance: random.Random):
    """The same readings in another order, some of them twice, give the same series."""
    disordered = given_readings + chance.choices(given_readings, k=5) if given_readings else []
    chance.shuffle(disordered)
    assert clean(disordered, Register(capacity=capacity)) == clean(
        given_readings, Register(capacity=capacity)
    )


@given(st.lists(st.integers(0, 9_000), min_size=1, max_size=60), st.integers(0, 99_999))
def test_a_wrapped_register_measures_the_same_water_as_an_endless_one(steps, first):
    """Unwrapping undoes the register: a five-digit register and an endless one differ by nothing."""
    endless = [IndexReading(at, first + sum(steps[:at])) for at in range(len(steps) + 1)]
    wrapped = [IndexReading(reading.at_s, reading.index % 100_000) for reading in endless]
    assert clean(wrapped, Register(capacity=100_000)) == [tuple(endless)]
