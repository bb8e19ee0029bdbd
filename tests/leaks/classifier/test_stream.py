"""The update at ingestion gives what the batch gives."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from core.leaks.classifier.classify import Readings, classify
from core.leaks.classifier.state import ClassifierState
from core.leaks.classifier.stream import LATE_S, Memory, follow

H = 3600
DAY = 24 * H
STEPS_LITRES = {1: (1, 10, 100), 6: (1, 10), 24: (1, 10)}
"""The steps of registers by the hours between their readings."""
LABELLED = Path(__file__).resolve().parents[4] / "shared" / "leaks" / "dev.npz"


def arrivals(readings, chance):
    """When readings arrive: a third of them up to three days late, a tenth of them twice."""
    late = np.where(
        chance.random(len(readings.at_s)) < 0.3, chance.uniform(0, LATE_S - 1, len(readings.at_s)), 0
    )
    again = np.flatnonzero(chance.random(len(readings.at_s)) < 0.1)
    came = np.concatenate(
        (readings.at_s + late, readings.at_s[again] + chance.uniform(0, LATE_S - 1, len(again)))
    )
    return came, np.concatenate((np.arange(len(readings.at_s)), again))


def in_order(readings, _chance):
    """Each reading arrives when it was taken, once."""
    return readings.at_s, np.arange(len(readings.at_s))


def streamed(series, arriving, *, step_litres, every_s, capacity_litres=10**8):
    """The result of readings ingested as they arrive, in batches."""
    memories = [Memory() for _ in series]
    reported = [[] for _ in series]
    first_s = min(int(one.at_s.min()) for one in series)
    last_s = max(int(came.max()) for came, _ in arriving)
    for start_s in range(first_s, last_s + 1, every_s):
        arrived = [
            Readings(*(part[which[(came >= start_s) & (came < start_s + every_s)]] for part in one))
            for one, (came, which) in zip(series, arriving, strict=True)
        ]
        followed = follow(memories, arrived, step_litres=step_litres, capacity_litres=capacity_litres)
        for number, one in enumerate(followed):
            assert one.too_late == 0
            reported[number] = [run for run in reported[number] if run.detected_s <= one.from_s] + one.runs
        memories = [one.memory for one in followed]
    return reported


def reported(runs):
    """A run's figures, without its number in the block; sums of floats may differ in their last digit."""
    return [
        (
            run.since_s,
            run.until_s,
            run.detected_s,
            run.level,
            run.level_max,
            round(run.lost_litres, 6),
            [(change.change, change.at_s, change.level) for change in run.changes],
        )
        for run in runs
    ]


def labelled(step_litres, cadence_h):
    """Those labelled dwellings of a cadence that have registers of this step, dealt out among its steps, and
    their batch's result.
    """
    steps = STEPS_LITRES[cadence_h]
    arrays = np.load(LABELLED)
    times, litres = np.cumsum(arrays["ts_delta"].astype(int)), np.cumsum(arrays["idx_delta"].astype(int))
    series = []
    for number in np.flatnonzero(arrays["cadence_h"] == cadence_h)[steps.index(step_litres) :: len(steps)]:
        part = slice(arrays["offsets"][number], arrays["offsets"][number + 1])
        shown = litres[part] // step_litres * step_litres
        series.append(Readings(times[part], shown, arrays["serial"][part].astype(int)))
    return series, classify(series, step_litres=step_litres, capacity_litres=10**8)


@pytest.mark.skipif(not LABELLED.exists(), reason="the labelled dwellings of ../shared are not here")
@pytest.mark.parametrize(
    ("step_litres", "cadence_h", "dwellings"),
    [(1, 1, 71), (10, 1, 71), (100, 1, 71), (1, 6, 12), (10, 6, 12), (1, 24, 11), (10, 24, 10)],
)
def test_stream_and_batch_agree_on_the_labelled_dwellings(step_litres, cadence_h, dwellings):
    """All 258 dwellings, each with a register of 1, 10 or 100 litres: readings in order, or shuffled within
    three days and doubled, give the very episodes of the batch.
    """
    series, batch = labelled(step_litres, cadence_h)
    assert len(series) == dwellings
    chance = np.random.default_rng(11)
    arriving = [coming(one, chance) for coming in (in_order, arrivals) for one in series]
    stream = streamed([*series, *series], arriving, step_litres=step_litres, every_s=3 * DAY + 7 * H)
    assert any(batch)
    assert [reported(runs) for runs in stream] == [reported(runs) for runs in (*batch, *batch)]


@st.composite
def dwellings(draw):
    """Ten days of a dwelling with quiet hours, draws, leaks, gaps, a backflow and a new meter."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    hours = 24 * 10
    flows = np.where(chance.random(hours) < 0.4, chance.uniform(1, 60, hours), 0.0)
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, hours - 30))
        flows[start : start + draw(st.integers(20, 120))] += draw(st.floats(3.0, 40.0))
    times = 1_740_787_200 + np.arange(hours) * H + chance.integers(-900, 900, hours)
    litres = np.floor(50 + np.cumsum(flows)).astype(int)
    if draw(st.booleans()):
        litres[draw(st.integers(1, hours - 1))] -= 2
    serial = (np.arange(hours) >= draw(st.integers(1, 4 * hours))).astype(int)
    kept = np.ones(hours, bool)
    gap = draw(st.integers(0, hours - 1))
    kept[gap : gap + draw(st.integers(0, 50))] = False
    return Readings(times[kept], litres[kept] % 10**4, serial[kept]), chance


@settings(max_examples=6, deadline=None, phases=(Phase.generate,))  # a seed does not shrink
@given(st.lists(dwellings(), min_size=8, max_size=8))
def test_stream_and_batch_agree_on_any_dwelling(homes):
    """For any register and any order of arrival, both forms give the same."""
    series = [readings for readings, _ in homes]
    arriving = [arrivals(readings, chance) for readings, chance in homes]
    batch = classify(series, step_litres=1, capacity_litres=10**4)
    stream = streamed(series, arriving, step_litres=1, every_s=30 * H, capacity_litres=10**4)
    assert [reported(runs) for runs in stream] == [reported(runs) for runs in batch]


def steady(lph, hours, start_s=1_740_787_200):
    return Readings.of(start_s + np.arange(hours) * H, np.floor(np.arange(hours) * lph).astype(int))


def test_memory_and_work_do_not_grow_with_history():
    """After a year of readings as much is kept as after ten days."""
    memory, sizes = Memory(), []
    readings = steady(6.3, 24 * 60)
    for day in range(60):
        part = slice(24 * day, 24 * day + 24)
        (one,) = follow([memory], [Readings(*(values[part] for values in readings))], step_litres=1)
        memory = one.memory
        sizes.append((len(memory.settled or b""), len(memory.pending.at_s), len(memory.changes)))
    assert max(size for size, _, _ in sizes) <= 4096
    assert max(pending for _, pending, _ in sizes) <= 24 * 5
    assert len(memory.changes) == 1


def test_readings_older_than_the_memory_are_counted():
    """What is too late for the update is counted."""
    readings = steady(6, 24 * 10)
    (one,) = follow([Memory()], [readings], step_litres=1)
    (again,) = follow([one.memory], [Readings(*(values[:5] for values in readings))], step_litres=1)
    assert again.too_late == 5
    assert reported(again.runs) == reported(one.runs)


def test_a_memory_is_resumed_where_it_was_left():
    """Packed and unpacked the state is the same to the bit; another version's bytes are refused."""
    (one,) = follow([Memory()], [steady(6, 24 * 10)], step_litres=1)
    state = ClassifierState.unpack([None, one.memory.settled])
    assert state.pack(1) == one.memory.settled
    with pytest.raises(ValueError, match="another version"):
        ClassifierState.unpack([b"\x00nothing"])
