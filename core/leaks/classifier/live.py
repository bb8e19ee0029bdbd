"""The classifier after the latest readings of some meters, kept in memory: the next readings need no replay.

In: what was followed of a meter, and later what is stored of it. Out: its classifier state with all of the
readings, if they are the very ones from which it was made. The one rule: what is kept is a result that would
come out again, from the settled state and the readings that are compared here; so it may be thrown away at
any time, and whatever another process did to either leads to a replay.
"""

from collections.abc import Hashable, Sequence
from itertools import islice
from typing import Final, NamedTuple

import numpy as np

from core.leaks.classifier.classify import Readings
from core.leaks.classifier.state import FIELDS, Array, ClassifierState
from core.leaks.classifier.tracker import Transition

LIVE_METERS: Final = 8192
"""So many meters are kept, of 8 KB each: those that are looked at, of a fleet of some 300,000."""

_FIRST_SLOTS: Final = 64
_DROPPED_AT_ONCE: Final = 16


class Basis(NamedTuple):
    """From what a state was made, beside readings: the settled state, and how the meter is judged."""

    settled: bytes | None
    settled_s: int
    setup: Hashable


class Live(NamedTuple):
    """What is kept of a meter: where its state is, the readings in it, and the transitions among them."""

    slot: int
    basis: Basis
    readings: Readings
    changes: tuple[Transition, ...]


class LiveStates:
    """The states of meters after their latest readings, within a bound.

    Args:
        limit: of how many meters.
    """

    def __init__(self, limit: int = LIVE_METERS) -> None:
        self._limit = limit
        self._kept: dict[Hashable, Live] = {}
        self._free: list[int] = []
        self._state = ClassifierState.fresh(0)

    def of(self, key: Hashable, basis: Basis, readings: Readings) -> Live | None:
        """What is kept of a meter, if it was made from this and from the first of these readings."""
        live = self._kept.get(key)
        if live is None or live.basis != basis:
            return None
        count = len(live.readings.at_s)
        if count > len(readings.at_s):
            return None
        same = [
            bool((one == other[:count]).all()) for one, other in zip(live.readings, readings, strict=True)
        ]
        return live if all(same) else None

    def take(self, kept: Sequence[Live]) -> ClassifierState:
        """A copy of the states."""
        return self._state.take(np.array([live.slot for live in kept], dtype=np.intp))

    def keep(
        self,
        keys: Sequence[Hashable],
        bases: Sequence[Basis],
        readings: Sequence[Readings],
        changes: Sequence[Sequence[Transition]],
        state: ClassifierState,
    ) -> None:
        """Keep the columns of a state, one a meter, instead of what was kept of these meters."""
        keys = keys[: self._limit]
        for key in keys:
            self._drop(key)
        self._make_room(len(keys))
        slots = [self._free.pop() for _ in keys]
        self._state.put(np.array(slots, dtype=np.intp), state.first(len(keys)))
        for key, slot, basis, own, latest in zip(keys, slots, bases, readings, changes, strict=False):
            self._kept[key] = Live(slot, basis, own, tuple(latest))

    def _drop(self, key: Hashable) -> None:
        live = self._kept.pop(key, None)
        if live is not None:
            self._free.append(live.slot)

    def _make_room(self, count: int) -> None:
        too_many = len(self._kept) + count - self._limit
        if too_many > 0:  # what was kept first goes, a part at once
            for key in list(islice(self._kept, max(too_many, self._limit // _DROPPED_AT_ONCE))):
                self._drop(key)
        slots = self._state.meters
        if len(self._free) < count:
            wanted = min(max(_FIRST_SLOTS, 2 * slots, slots + count), max(self._limit, slots + count))
            self._state = _grown(self._state, wanted)
            self._free += range(slots, wanted)


def _grown(state: ClassifierState, meters: int) -> ClassifierState:
    grown = ClassifierState.blank(meters, FIELDS)
    columns: Array = np.arange(state.meters)
    grown.put(columns, state)
    return grown
