"""The classifier at ingestion: readings as they arrive, late and doubled ones included.

In: the stored state of each meter, and its new readings. Out: the leaks concerned, and the state to store.
The one rule: the state is settled up to a day before the latest reading, and later readings are
processed again with any that arrived late; so shuffled and doubled readings give the same result as ordered
ones, and neither work nor memory grows with a meter's history.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.leaks.classifier.classify import Classifier, Readings
from core.leaks.classifier.runs import LeakRun, runs
from core.leaks.classifier.state import ClassifierState
from core.leaks.classifier.tracker import Change, Transition
from core.leaks.levels import DEFAULT_THRESHOLDS, Thresholds

LATE_S = 26 * 3600
"""A reading this late is still processed in its place: more than the longest civil day, so that nothing
of the day of the last reading is settled.
"""

_DAY_S = 24 * 3600
_SETTLED_EVERY_S = 6 * 3600
_BEGINNING_S = -(2**62)
_NOTHING = Readings.of((), ())


@dataclass(frozen=True, slots=True)
class Memory:
    """The stored state of a meter between its readings.

    Attributes:
        settled: the packed classifier state up to `settled_s`; None before there is one.
        settled_s: readings up to this moment are processed for good.
        pending: the readings after it, in order.
        changes: the transitions up to `settled_s` of the last episode: of its run, and those it reopened.
    """

    settled: bytes | None = None
    settled_s: int = _BEGINNING_S
    pending: Readings = _NOTHING
    changes: tuple[Transition, ...] = ()


@dataclass(frozen=True, slots=True)
class Followed:
    """The result of one update of a meter.

    Attributes:
        memory: to store.
        runs: all that were detected after `from_s`; they replace those reported before for that time.
        from_s: earlier runs are unchanged.
        too_late: how many readings were older than the memory: to include them, the meter's whole series must
            be processed again.
    """

    memory: Memory
    runs: list[LeakRun]
    from_s: float
    too_late: int


def follow(
    memories: Sequence[Memory],
    arrived: Sequence[Readings],
    *,
    step_litres: int,
    capacity_litres: Sequence[int | None] | int | None = None,
    possible_lph: Sequence[float] | None = None,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> list[Followed]:
    """Process new readings of some meters, all with registers of one step, in any order."""
    pending, late = [], []
    for memory, new in zip(memories, arrived, strict=True):
        in_time = new.at_s > memory.settled_s
        late.append(int((~in_time).sum()))
        pending.append(_joined(memory.pending, Readings(*(part[in_time] for part in new))).ordered())
    classifier = Classifier(
        len(memories),
        step_litres=step_litres,
        capacity_litres=capacity_litres,
        possible_lph=possible_lph,
        thresholds=thresholds,
        state=ClassifierState.unpack([memory.settled for memory in memories]),
    )
    ripe, fresh, until = zip(
        *(_cut(one, memory) for one, memory in zip(pending, memories, strict=True)), strict=True
    )
    settled = [list(memory.changes) for memory in memories]
    for number, changes in enumerate(settled):
        changes[:] = [_numbered(change, number) for change in changes]
    for change in classifier.update(ripe):
        settled[change.meter].append(change)
    reopen_s = thresholds.reopen_within_days * _DAY_S
    kept = [
        Memory(
            classifier.state.pack(number) if until[number] > memory.settled_s else memory.settled,
            until[number],
            fresh[number],
            _last_episode(settled[number], reopen_s),
        )
        for number, memory in enumerate(memories)
    ]
    changes = [change for one in settled for change in one] + classifier.update(fresh)
    found = runs(changes, classifier.state, step_litres=step_litres, thresholds=thresholds)
    return [
        Followed(
            kept[number],
            found[number],
            min([memory.settled_s, *(run.detected_s - 1 for run in found[number][:1])]),
            late[number],
        )
        for number, memory in enumerate(memories)
    ]


def _joined(one: Readings, other: Readings) -> Readings:
    return Readings(*(np.concatenate(parts) for parts in zip(one, other, strict=True)))


def _cut(pending: Readings, memory: Memory) -> tuple[Readings, Readings, int]:
    """The readings to settle, the recent ones, and the moment between them."""
    if not len(pending.at_s):
        return pending, pending, memory.settled_s
    border = int(pending.at_s[-1]) - LATE_S
    if pending.at_s[0] > border - _SETTLED_EVERY_S:
        return Readings(*(part[:0] for part in pending)), pending, memory.settled_s
    ripe = pending.at_s <= border
    return Readings(*(part[ripe] for part in pending)), Readings(*(part[~ripe] for part in pending)), border


def _last_episode(changes: Sequence[Transition], within_s: float) -> tuple[Transition, ...]:
    """The transitions of the last run, and of those before it that it may have reopened."""
    openings = [at for at, change in enumerate(changes) if change.change is Change.OPENED]
    while len(openings) > 1:
        opening, before = changes[openings[-1]], changes[openings[-1] - 1]
        if opening.from_s - before.from_s > within_s:
            break
        openings.pop()
    return tuple(changes[openings[-1] :]) if openings else ()


def _numbered(change: Transition, number: int) -> Transition:
    return replace(change, meter=number)
