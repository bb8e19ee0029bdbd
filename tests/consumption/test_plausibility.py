"""Which readings of a meter count, by those around them."""

import random
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.consumption.fluids import Fluid
from core.consumption.plausibility import Doubt, Evidence, Extent, Observation, judge
from core.consumption.register import IndexReading, Register, highest_per_hour

HOUR = 3600
REGISTER = Register(capacity=10**8, highest_per_hour=5000)
BARE, GATEWAY, WHOLE, MAC = (
    Evidence.NOTHING,
    Evidence.GATEWAY_CHECK,
    Evidence.LINK_CHECKSUM,
    Evidence.MAC,
)


def hourly(*indexes, evidence=BARE, register=REGISTER, extent=None):
    """The doubts about readings an hour apart, None for an hour without one."""
    observations = [
        Observation(hour * HOUR, index, evidence) for hour, index in enumerate(indexes) if index is not None
    ]
    return judge(observations, register, extent or Extent())


@pytest.mark.parametrize("bit", range(32))
def test_a_flipped_bit_between_two_readings_never_counts_beyond_them(bit):
    """Of 99,997 L, 100,000 L, a damaged line and 100,006 L, all unproved: at most 6 L are consumption after
    the second.
    """
    indexes = (99_997, 100_000, 100_003 ^ (1 << bit), 100_006)
    readings = [Observation(hour * HOUR, index, BARE) for hour, index in enumerate(indexes)]
    doubts = judge(readings, REGISTER)
    counted = [one.index for one, doubt in zip(readings, doubts, strict=True) if doubt is None]
    assert all(0 <= after - before <= 6 for before, after in pairwise(counted))
    assert 100_000 in counted


@pytest.mark.parametrize("bit", range(3, 27))
def test_the_next_reading_settles_it(bit):
    """With 100,009 L an hour later all true readings count, and the damaged one is an outlier."""
    found = hourly(99_997, 100_000, 100_003 ^ (1 << bit), 100_006, 100_009)
    assert [doubt is None for doubt in found] == [True, True, False, True, True]


def test_a_false_reading_that_comes_first_does_not_keep_out_the_true_ones():
    """5,000 m3 and then 1,003 and 1,006 L: the two that agree count, the first does not."""
    assert hourly(5_000_000, 1003, 1006) == [Doubt.CONTRADICTED, None, None]


def test_an_unproved_reading_alone_waits_for_a_neighbour():
    """Nothing proves it: one telegram is none, two that agree are two; a checked one counts alone."""
    assert hourly(1000) == [Doubt.NOT_CONFIRMED]
    assert hourly(1000, 1003) == [None, None]
    assert hourly(1000, evidence=GATEWAY) == [None]
    assert hourly(1000, evidence=WHOLE) == [None]


@pytest.mark.parametrize("evidence", [BARE, GATEWAY, WHOLE, MAC])
def test_a_rise_that_no_meter_can_make_is_doubtful(evidence):
    """5,000 m3 in an hour through a meter of 5 m3/h, however well the telegram is proved."""
    assert hourly(1000, 1003, 1006, 1009, 5_000_000, evidence=evidence)[-1] is Doubt.RISE_TOO_FAST


@pytest.mark.parametrize("evidence", [BARE, WHOLE, MAC])
def test_a_fall_that_nothing_explains_is_doubtful(evidence):
    """From 5,000 m3 to 1 m3: no backflow, and no rollover of a register of 100,000 m3."""
    found = hourly(5_000_000, 5_000_003, 5_000_006, 1_000, evidence=evidence)
    assert found == [None, None, None, Doubt.FALL_UNEXPLAINED]


@pytest.mark.parametrize("evidence", [BARE, GATEWAY, WHOLE, MAC])
def test_three_readings_confirm_a_register_that_was_set_anew(evidence):
    """Two in a row may be one fault received twice; three are the register."""
    before = (5_000_000, 5_000_003, 5_000_006, 5_000_009)
    assert hourly(*before, 100, 103, evidence=evidence)[-2:] == [Doubt.FALL_UNEXPLAINED] * 2
    assert hourly(*before, 100, 103, 106, evidence=evidence) == [None] * 7


@pytest.mark.parametrize("evidence", [BARE, GATEWAY, WHOLE, MAC])
def test_a_register_set_anew_after_two_readings_keeps_them(evidence):
    """300,000 and 300,010 L, then 0, 10, 20: the first two agree, and nothing else will speak for them."""
    assert hourly(300_000, 300_010, 0, 10, 20, evidence=evidence) == [None] * 5
    assert hourly(300_000, 0, 10, 20, evidence=evidence) == [Doubt.CONTRADICTED, None, None, None]


def test_the_first_readings_count_when_the_new_register_passes_them():
    """20,000 and 20,010 L, then a register set anew to 1,000 L that shows 20,000 L again two days later: all
    count, as they did before it came so far.
    """
    anew = range(1000, 25_000, 400)
    assert set(hourly(20_000, 20_010, *anew[:7], evidence=GATEWAY)) == {None}
    assert set(hourly(20_000, 20_010, *anew, evidence=GATEWAY)) == {None}


def test_the_old_register_that_goes_on_takes_a_confirmation_back():
    """Three false readings and then the old series again: they were outliers."""
    found = hourly(1000, 1003, 1006, 1009, 5_000_000, 5_000_003, 5_000_006, 1021)
    assert found == [None] * 4 + [Doubt.RISE_TOO_FAST] * 3 + [None]


def test_a_surprising_step_of_an_unproved_reading_waits_for_the_next():
    """2 m3 in an hour is possible and rare: 3,003 counts when 3,005 agrees with it; a proved one at once."""
    assert hourly(1000, 1003, 3003)[-1] is Doubt.NOT_CONFIRMED
    assert hourly(1000, 1003, 3003, 3005) == [None] * 4
    assert hourly(1000, 1003, 3003, evidence=WHOLE) == [None] * 3


def test_at_one_moment_the_better_proved_reading_counts():
    """1,003 by its link checksum, 1,002 by nothing."""
    doubts = judge(
        [
            Observation(0, 1000, BARE),
            Observation(HOUR, 1002, BARE),
            Observation(HOUR, 1003, WHOLE),
            Observation(2 * HOUR, 1006, BARE),
        ],
        REGISTER,
    )
    assert doubts == [None, Doubt.CONFLICTING_READING, None, None]


def test_at_one_moment_equally_proved_readings_both_wait():
    """Nobody can tell which is true: neither counts, and neither keeps out the other."""
    doubts = judge(
        [
            Observation(0, 1000, GATEWAY),
            Observation(HOUR, 1002, GATEWAY),
            Observation(HOUR, 1034, GATEWAY),
            Observation(2 * HOUR, 1040, GATEWAY),
        ],
        REGISTER,
    )
    assert doubts == [None, Doubt.CONFLICTING_READING, Doubt.CONFLICTING_READING, None]


def test_the_operators_word_is_the_last():
    """An accepted reading counts, and what contradicts it does not."""
    observations = [
        Observation(hour * HOUR, index, Evidence.ACCEPTED if index > 10**6 else WHOLE)
        for hour, index in enumerate((1000, 1003, 5_000_000, 1009, 1012))
    ]
    assert judge(observations, REGISTER)[2] is None


def test_a_rollover_and_a_small_backflow_are_explained():
    """99,999,990 L, then 15 L; and a register that ran back 2 L."""
    assert hourly(99_999_987, 99_999_990, 15, 20) == [None] * 4
    assert hourly(1000, 1005, 1003, 1004, evidence=WHOLE) == [None] * 4


def test_water_that_runs_back_for_long_is_believed_where_it_is_proved():
    """100 L in an hour, checked by the gateway: the register fell, and the reading counts; unchecked, no."""
    assert hourly(1000, 1005, 905, evidence=WHOLE) == [None] * 3
    assert hourly(1000, 1005, 905, evidence=GATEWAY) == [None] * 3
    assert hourly(1000, 1005, 905)[-1] is Doubt.FALL_UNEXPLAINED


@pytest.mark.parametrize("there", [60, -60])
def test_a_reading_that_the_register_came_to_and_left_by_running_back_is_false(there):
    """Of 1000, 1060, 1005 by gateways' checks the middle one is damaged; so it is below, and before all
    others. With a link checksum it is water that ran back.
    """
    counts = [doubt is None for doubt in hourly(1000, 1000 + there, 1005, 1006, evidence=GATEWAY)]
    assert counts == [True, False, True, True]
    assert hourly(1000, 1000 + there, 1005, 1006, evidence=WHOLE) == [None] * 4
    assert hourly(1065, 1005, 1006, evidence=GATEWAY)[0] is not None
    assert hourly(1000, 1005, 905, 906, 907, evidence=GATEWAY) == [None] * 5


def test_a_neighbour_beyond_the_observations_is_not_asked_for():
    """The ends of a part of a series are not the ends of the series."""
    assert hourly(1000, 1003, 3003, extent=Extent(to_latest=False)) == [None] * 3
    assert hourly(1000, extent=Extent(from_first=False)) == [None]


@pytest.mark.parametrize("evidence", [BARE, GATEWAY, WHOLE, MAC])
@pytest.mark.parametrize("shown", [1, 2, 3])
def test_a_register_set_anew_near_the_end_of_a_part_keeps_the_readings_there(evidence, shown):
    """One, two or three readings of the old register or of the new one are among the observations, and others
    lie beyond, with which they are worth the break: they count. If nothing lies beyond, one is doubtful.
    """
    old, new = (9660, 9666, 9669), (200_000, 200_003, 200_009, 200_012)
    of_old, of_new = (*old[-shown:], *new), (*old, *new[:shown])
    for part, extent in ((of_old, Extent(from_first=False)), (of_new, Extent(to_latest=False))):
        assert hourly(*part, evidence=evidence, extent=extent) == [None] * len(part)
    if shown == 1:
        assert hourly(*of_old, evidence=evidence) == [Doubt.CONTRADICTED, *[None] * 4]
        assert hourly(*of_new, evidence=evidence) == [*[None] * 3, Doubt.RISE_TOO_FAST]


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 30), min_size=14, max_size=30), st.data())
def test_true_readings_count_and_damaged_ones_add_no_water(seed, steps, data):
    """One damaged copy among true unproved readings: if it counts, it lies between its true neighbours, or
    runs back no further than a register may, and adds no water; all true ones far from the damage count.
    """
    pick = random.Random(seed)
    truth, index = [], 50_000
    for hour, step in enumerate(steps):
        index += step
        truth.append(Observation(hour * HOUR, index, BARE))
    place = pick.randrange(len(truth))
    bit = 1 << pick.randrange(4, 27)
    damaged = Observation(truth[place].at_s + 600, truth[place].index ^ bit, BARE)
    together = sorted([*truth, damaged], key=lambda one: (one.at_s, one.index))
    doubts = dict(zip(together, judge(together, REGISTER), strict=True))
    lost = [hour for hour, one in enumerate(truth) if doubts[one] is not None]
    assert all(abs(hour - place) <= 1 for hour in lost)
    if place + 2 < len(truth) and doubts[damaged] is None:
        before = truth[place] if place not in lost else truth[max(0, place - 1)]
        assert before.index - 10 <= damaged.index <= truth[place + 1].index + 10


@pytest.mark.parametrize(
    ("fluid", "nominal", "per_hour"),
    [
        (Fluid.COLD_WATER, None, 5_000),
        (Fluid.HOT_WATER, "1.6", 2_000),
        (Fluid.COLD_WATER, "10", 12_500),
        (Fluid.HEAT, None, 407_050),
        (Fluid.HEAT, "0.6", 97_692),
        (Fluid.HEAT_ALLOCATOR, None, 20),
    ],
)
def test_the_fastest_that_a_meter_counts(fluid, nominal, per_hour):
    """Q4 = 1.25 Q3 for water, 2 qp at 70 K for heat, 20 units for an allocator."""
    assert highest_per_hour(fluid, nominal and Decimal(nominal)) == per_hour


def test_a_register_of_impossible_size_is_refused():
    """A size that is not positive is no size."""
    with pytest.raises(ValueError, match="positive"):
        highest_per_hour(Fluid.HEAT, Decimal(0))
    assert Register(highest_per_hour=None).moved(IndexReading(0, 0), IndexReading(1, 10**9)) == 10**9
