"""Two readings that contradict each other and fit the rest alike: nothing tells which is false."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.consumption.plausibility import Doubt, Evidence, Observation, judge
from core.consumption.register import Register

HOUR = 3600
REGISTER = Register(capacity=10**8, highest_per_hour=5000)
BARE, BLOCK, GATEWAY, WHOLE = (
    Evidence.NOTHING,
    Evidence.DECRYPTION_CHECK,
    Evidence.GATEWAY_CHECK,
    Evidence.LINK_CHECKSUM,
)


def counted(*readings, evidence=BARE):
    """Of (hour, index[, evidence]) whether each counts."""
    observations = [
        Observation(int(at * HOUR), index, *(proof or [evidence])) for at, index, *proof in readings
    ]
    return [doubt is None for doubt in judge(observations, REGISTER)]


@pytest.mark.parametrize("evidence", [BARE, BLOCK, GATEWAY])
@pytest.mark.parametrize("after", [0.01, 0.3, 0.9])
def test_of_two_that_contradict_each_other_between_others_neither_counts(evidence, after):
    """1,000 L; 1,060 and soon after 1,020 L; 1,070 L: one of the middle two is damaged, and the slower course
    does not say which. The 70 L between the outer two are right all the same.
    """
    readings = [(0, 1000), (1, 1060), (1 + after, 1020), (2, 1070), (3, 1075)]
    assert counted(*readings, evidence=evidence) == [True, False, False, True, True]


def test_a_checksum_tells_which_of_them_is_false():
    """The same with a link checksum in one of them, whichever comes first."""
    around = [(0, 1000), (2, 1070), (3, 1075)]
    assert counted(around[0], (1, 1060, WHOLE), (1.3, 1020), *around[1:]) == [True, True, False, True, True]
    assert counted(around[0], (1, 1060), (1.3, 1020, WHOLE), *around[1:]) == [True, False, True, True, True]
    assert counted(around[0], (1, 1060, WHOLE), (1.3, 1020, GATEWAY), *around[1:])[1:3] == [True, False]


def test_a_gateways_word_about_one_moment_is_no_word_about_another():
    """A gateway checked what was damaged afterwards: 1,020 L does not take the place of 1,060 L, which came
    without its word. Of two readings of one moment the checked one counts.
    """
    around = [(0, 1000), (2, 1070), (3, 1075)]
    assert counted(around[0], (1, 1060), (1.3, 1020, GATEWAY), *around[1:])[1:3] == [False, False]
    assert counted(around[0], (1, 1020, GATEWAY), (1, 1060), *around[1:])[1:3] == [True, False]
    assert counted(around[0], (1, 1020), (1, 1060, GATEWAY), *around[1:])[1:3] == [False, True]


def test_two_of_one_moment_both_wait_however_slow_their_course():
    """1,001 L of the same moment as 1,060 L is the slower course, and as likely false."""
    observations = [
        Observation(int(at * HOUR), index, BARE) for at, index in [(0, 1000), (1, 1001), (1, 1060), (2, 1070)]
    ]
    conflict = Doubt.CONFLICTING_READING
    assert judge(observations, REGISTER) == [None, conflict, conflict, None]


def test_of_the_latest_two_the_slower_course_counts_until_the_next_decides():
    """1,010 L after 1,400 L: nobody is told of 400 L that may not have flowed; 1,405 L confirms them."""
    readings = [(0, 1000), (1, 1400), (2, 1010)]
    assert counted(*readings) == [True, False, True]
    assert counted(*readings, (3, 1405)) == [True, False, False, True]
    assert counted(*readings, (3, 1405), (3.5, 1406), (4, 1407))[3:] == [True] * 3
    assert counted(*readings, (3, 1012)) == [True, False, True, True]


def test_one_that_is_reached_only_by_running_back_is_false():
    """571,395 L lies 70 L below the reading before: of the same moment as 571,523 L, or soon after it, it is
    the damaged one, though water may run back as far.
    """
    around = [(0, 571_463), (1, 571_463), (2, 571_465)]
    same = [(3, 571_395), (3, 571_523), (4, 571_528), (5, 571_588)]
    assert counted(*around, *same, evidence=GATEWAY)[3:] == [False, True, True, True]
    apart = [(3, 571_471), (3.5, 571_215), (4, 571_472), (5, 571_472)]
    assert counted(*around, *apart, evidence=GATEWAY)[3:] == [True, False, True, True]


def test_a_fall_that_either_of_two_explains_leaves_out_both():
    """533,938, 533,998, 533,968, 534,001 L by gateways' checks: without either of the middle two the register
    never ran back. With link checksums it did.
    """
    readings = [(0, 533_938), (1, 533_998), (1.9, 533_968), (2, 534_001), (3, 534_031)]
    assert counted(*readings, evidence=GATEWAY) == [True, False, False, True, True]
    assert counted(*readings, evidence=WHOLE) == [True] * 5


@pytest.mark.parametrize("litres", [1, 2, 8, -1, -2, -8])
def test_a_detour_of_a_litre_is_false_where_it_alone_explains_the_fall(litres):
    """A register that stands at 886,531 L for hours shows another index once: no litre lies in that hour, and
    none in the hour hours later in which the register gets there.
    """
    readings = [(hour, 886_531) for hour in range(5)]
    readings[2:2] = [(1.5, 886_531 + litres)]
    found = counted(*readings, (5, 886_535), (6, 886_622), evidence=GATEWAY)
    assert found == [True, True, False, True, True, True, True, True]


def test_water_that_ran_back_by_a_little_while_it_flows_counts():
    """993, 1000, 996, 1003 L: by as little as a register may run back all count, checked by the gateway."""
    assert counted((0, 993), (1, 1000), (2, 996), (3, 1003), evidence=GATEWAY) == [True] * 4
    assert counted((0, 1000), (1, 1000), (2, 996), (3, 996), (4, 1003), evidence=GATEWAY) == [True] * 5


@given(
    st.lists(st.integers(0, 40), min_size=12, max_size=24),
    st.integers(3, 8),
    st.integers(1, 26),
    st.integers(-3500, 3500),
    st.sampled_from([BARE, BLOCK, GATEWAY]),
)
def test_a_damaged_reading_never_takes_the_place_of_a_true_one(steps, place, bit, apart, evidence):
    """Among true readings with damage as well proved: if the damaged one counts, so do its true neighbours,
    and it lies between them, but for what a register may run back.
    """
    index, truth = 500_000, []
    for hour, step in enumerate(steps):
        index += step
        truth.append(Observation(hour * HOUR, index, evidence))
    at_s = truth[place].at_s + apart
    damaged = Observation(at_s, truth[place].index ^ 1 << bit, evidence)
    together = sorted([*truth, damaged], key=lambda one: (one.at_s, one.index))
    doubts = dict(zip(together, judge(together, REGISTER), strict=True))
    lost = [one for one in truth if doubts[one] is not None]
    if doubts[damaged] is None:
        before = [one for one in truth if one.at_s < at_s][-1]
        after = next(one for one in truth if one.at_s > at_s)
        assert [one for one in lost if one.at_s != at_s] == []
        assert before.index - 10 <= damaged.index <= after.index + 10
    assert all(abs(one.at_s - at_s) <= 2 * HOUR for one in lost)
    assert len(lost) <= 1
