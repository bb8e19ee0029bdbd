"""A long series in parts: wherever it is cut, what is found is what one update finds."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.leaks.classifier.catch_up import cuts_of, follow_in_parts
from core.leaks.classifier.classify import Readings
from core.leaks.classifier.stream import LATE_S, Memory, follow
from tests.leaks.classifier.test_stream import DAY, H, dwellings, reported

MONTH = 30 * DAY


def in_parts(readings, cuts, memory=None):
    """One meter's result, and what was settled on the way."""
    (found,), (settled,) = follow_in_parts(
        [memory or Memory()],
        [readings],
        [cuts],
        step_litres=1,
        capacity_litres=[10**4],
        possible_lph=[np.inf],
    )
    return found, settled


def without_block(memory):
    return memory.settled, memory.settled_s, [str(change) for change in memory.changes]


@settings(max_examples=8, deadline=None)
@given(dwellings(), st.lists(st.integers(-5, 260), max_size=8))
def test_where_a_series_is_cut_changes_nothing_of_what_is_found(dwelling, hours) -> None:
    """The same runs; and at the last cut the state that one update with the readings so far has settled."""
    readings, _ = dwelling
    first_s = int(readings.at_s[0])
    cuts = sorted(first_s + hour * H for hour in hours)
    (whole,) = follow([Memory()], [readings], step_litres=1, capacity_litres=10**4)
    found, settled = in_parts(readings, cuts)
    assert reported(found.runs) == reported(whole.runs)
    assert (found.from_s, found.too_late) == (whole.from_s, 0)
    for one in settled:
        until = readings.at_s <= one.settled_s + LATE_S
        if readings.at_s[until][-1] != one.settled_s + LATE_S:
            continue
        (so_far,) = follow(
            [Memory()], [Readings(*(part[until] for part in readings))], step_litres=1, capacity_litres=10**4
        )
        assert without_block(so_far.memory) == without_block(one)


def test_states_are_settled_again_at_the_moments_asked_for() -> None:
    """Two that were settled before, one in each other month of half a year, and the last."""
    start_s = MONTH * 650
    times = start_s + np.arange(24 * 180) * H
    readings = Readings(times, np.floor(np.arange(24 * 180) * 0.7).astype(int), np.zeros(24 * 180, int))
    asked = [start_s + 35 * DAY + 3 * H, start_s + 100 * DAY + 7 * H]
    cuts = cuts_of(asked, first_s=int(times[0]), last_s=int(times[-1]), stretch_s=MONTH)
    _, settled = in_parts(readings, cuts)
    moments = [one.settled_s for one in settled]
    assert set(asked) < set(moments)
    assert [(at_s - start_s) // MONTH for at_s in moments] == [0, 1, 2, 3, 4, 5, 5]
    assert moments[-1] == int(times[-1]) - LATE_S


def test_nothing_is_cut_where_nothing_was_asked_for() -> None:
    """Neither before the first reading, nor so late that nothing could be settled there, nor in one month."""
    start_s = MONTH * 650 + 5 * DAY
    last_s = start_s + 20 * DAY
    asked = [start_s - H, last_s - LATE_S + H, last_s + H]
    assert cuts_of(asked, first_s=start_s, last_s=last_s, stretch_s=MONTH) == []
