"""The classifier at ingestion: readings as they arrive, late and doubled ones included.

In: the stored state of each meter, and its new readings. Out: the leaks concerned, and the state to store.
The one rule: the state is settled up to a day before the latest reading, and later readings are
processed again with any that arrived late; so shuffled and doubled readings give the same result as ordered
ones, and neither work nor memory grows with a meter's history.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from core.leaks.classifier.classify import Classifier, Readings
from core.leaks.classifier.live import Basis, Live, LiveStates
from core.leaks.classifier.runs import LeakRun, runs
from core.leaks.classifier.state import Array, ClassifierState
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
    live: LiveStates | None = None,
    keys: Sequence[Hashable] = (),
) -> list[Followed]:
    """Process new readings of some meters, all with registers of one step, in any order.

    With `live`, states that were kept there of meters, by their `keys`, are continued from instead of the
    settled ones; what is found is the same.
    """
    block = _Block(
        memories,
        arrived,
        step_litres=step_litres,
        capacity_litres=capacity_litres,
        possible_lph=possible_lph,
        thresholds=thresholds,
    )
    block.begin(live, keys)
    block.settle()
    block.go_on(live)
    return block.result(live, keys)


class _Block:
    """One update of some meters: what is settled by it, and their state after the latest readings."""

    def __init__(
        self,
        memories: Sequence[Memory],
        arrived: Sequence[Readings],
        *,
        step_litres: int,
        capacity_litres: Sequence[int | None] | int | None,
        possible_lph: Sequence[float] | None,
        thresholds: Thresholds,
    ) -> None:
        self._memories, self._step, self._thresholds = memories, step_litres, thresholds
        self._meters = range(len(memories))
        self._capacity = (
            capacity_litres if isinstance(capacity_litres, Sequence) else [capacity_litres] * len(memories)
        )
        self._possible = [inf] * len(memories) if possible_lph is None else possible_lph
        self._pending: list[Readings] = []
        self._late: list[int] = []
        for memory, new in zip(memories, arrived, strict=True):
            in_time = new.at_s > memory.settled_s
            self._late.append(int((~in_time).sum()))
            if self._late[-1]:
                new = Readings(*(part[in_time] for part in new))  # noqa: PLW2901 - what is not too late
            self._pending.append(_joined(memory.pending, new).ordered())
        self._ripe, self._fresh, self._until = zip(
            *(_cut(one, memory) for one, memory in zip(self._pending, memories, strict=True)), strict=True
        )
        self._packed = [memory.settled for memory in memories]
        self._settled: list[list[Transition]] = [[] for _ in memories]
        self._latest: list[list[Transition]] = [[] for _ in memories]
        self._continued: dict[int, Live] = {}
        self._state = ClassifierState.fresh(len(memories))

    def begin(self, live: LiveStates | None, keys: Sequence[Hashable]) -> None:
        """Find the states that can be continued from."""
        if live is None:
            return
        for number in self._meters:
            basis = self._basis(number, self._memories[number].settled_s)
            known = live.of(keys[number], basis, self._pending[number])
            # The first so many readings are in it: where more than these are settled now, replay takes less.
            if known is not None and len(self._ripe[number].at_s) <= len(known.readings.at_s):
                self._continued[number] = known

    def settle(self) -> None:
        """Settle what is ripe; and begin the states of the meters that are not continued."""
        moves = [until > memory.settled_s for until, memory in zip(self._until, self._memories, strict=True)]
        begun = [number for number in self._meters if moves[number] or number not in self._continued]
        if not begun:
            return
        state = ClassifierState.unpack([self._memories[number].settled for number in begun])
        classifier = self._classifier(begun, state)
        for change in classifier.update([self._ripe[number] for number in begun]):
            number = begun[change.meter]
            self._settled[number].append(_numbered(change, number))
        for place, number in enumerate(begun):
            if moves[number]:
                self._packed[number] = state.pack(place)
        replayed = [place for place, number in enumerate(begun) if number not in self._continued]
        numbers = [begun[place] for place in replayed]
        self._state.put(_columns(numbers), state.take(_columns(replayed)))

    def go_on(self, live: LiveStates | None) -> None:
        """Take the latest readings."""
        left = list(self._fresh)
        if live is not None and self._continued:
            self._state.put(_columns(self._continued), live.take(list(self._continued.values())))
        for number, known in self._continued.items():
            left[number] = Readings(*(part[len(known.readings.at_s) :] for part in self._pending[number]))
            self._latest[number] = [_numbered(change, number) for change in known.changes]
        for change in self._classifier(self._meters, self._state).update(left):
            self._latest[change.meter].append(change)
        for number in self._continued:  # what is settled now was among the latest before
            del self._latest[number][: len(self._settled[number])]

    def result(self, live: LiveStates | None, keys: Sequence[Hashable]) -> list[Followed]:
        """What was found, and what is to be stored."""
        settled = [
            [*(_numbered(change, number) for change in memory.changes), *self._settled[number]]
            for number, memory in enumerate(self._memories)
        ]
        changes = [change for one in (*settled, *self._latest) for change in one]
        found = runs(changes, self._state, step_litres=self._step, thresholds=self._thresholds)
        if live is not None:
            bases = [self._basis(number, self._until[number]) for number in self._meters]
            live.keep(keys, bases, self._fresh, self._latest, self._state)
        reopen_s = self._thresholds.reopen_within_days * _DAY_S
        return [
            Followed(
                Memory(
                    self._packed[number],
                    self._until[number],
                    self._fresh[number],
                    _last_episode(settled[number], reopen_s),
                ),
                found[number],
                min([memory.settled_s, *(run.detected_s - 1 for run in found[number][:1])]),
                self._late[number],
            )
            for number, memory in enumerate(self._memories)
        ]

    def _classifier(self, meters: Sequence[int], state: ClassifierState) -> Classifier:
        return Classifier(
            len(meters),
            step_litres=self._step,
            capacity_litres=[self._capacity[number] for number in meters],
            possible_lph=[self._possible[number] for number in meters],
            thresholds=self._thresholds,
            state=state,
        )

    def _basis(self, number: int, settled_s: int) -> Basis:
        setup = self._step, self._capacity[number], self._possible[number], self._thresholds
        return Basis(self._packed[number], settled_s, setup)


def _columns(numbers: Iterable[int]) -> Array:
    return np.fromiter(numbers, np.intp)


def _joined(one: Readings, other: Readings) -> Readings:
    if not len(one.at_s):
        return other
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
