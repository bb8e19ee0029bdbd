"""Takes one reading of each of many meters: what is new, how far the register moved, where its series breaks.

In: the block's state and one reading per meter, in the order of time. Out: which readings count, and the
state updated by them. The one rule is that of `core.consumption.readings`: a small backflow keeps the
running maximum, a rollover is unwrapped, a drop that neither explains and a rise faster than the meter can
run break the series, and nothing is ever subtracted across a break.
"""

from dataclasses import dataclass

import numpy as np

from core.consumption.register import BACKFLOW_LIMIT, CLOCK_TOLERANCE_S, ROLLOVER_SHARE
from core.leaks.classifier.state import Array, ClassifierState

HOUR_S = 3600.0

LONGEST_STEP_S = 3 * HOUR_S
"""The time between readings farther apart is not observed time."""

LONGEST_BRIDGE_S = 12.5 * HOUR_S
"""No window of the bounds reaches across a longer gap."""

SPARSE_STEP_S = 3.5 * HOUR_S
"""A longer interval is one of a meter that is read rarely."""

UNKNOWN_CAPACITY = 1.0e17
"""The capacity of a register of unknown capacity."""

_NEVER = -1.0e15


@dataclass(frozen=True, slots=True)
class IndexStep:
    """One accepted reading of each meter of a block: seconds since the one before, and what happened."""

    elapsed_s: Array
    litres: Array
    first: Array
    broken: Array
    replaced: Array


def advance(
    state: ClassifierState,
    at_s: Array,
    shown: Array,
    serial: Array,
    *,
    capacity: Array,
    possible_lph: Array,
    step_litres: int,
) -> IndexStep:
    """Advance the registers and the rings. Every column must have an accepted reading.

    `possible_lph` is what a register can count in an hour, infinite where that is unknown.
    """
    first = state["serial"] < 0
    elapsed_s = np.where(first, 0.0, at_s - state["at"])
    replaced = ~first & (serial != state["serial"])
    moved = shown - np.mod(state["top"], capacity)
    explained = np.floor(capacity / ROLLOVER_SHARE)
    rolled = (moved < -BACKFLOW_LIMIT) & (moved + capacity <= explained)
    fell = (moved > 0) & (capacity - moved <= np.maximum(explained, BACKFLOW_LIMIT))
    moved = moved + np.where(rolled, capacity, 0.0) - np.where(fell, capacity, 0.0)
    possible = step_litres + possible_lph * (elapsed_s + CLOCK_TOLERANCE_S) / HOUR_S
    broken = ~first & (replaced | (moved < -BACKFLOW_LIMIT) | (moved > possible))
    anew = first | broken
    litres = np.where(anew, 0.0, np.maximum(moved, 0.0))
    state["top"][:] = np.where(anew, shown, state["top"] + litres)
    state["at"][:] = at_s
    state["serial"][:] = serial
    _turn_rings(state, elapsed_s, broken)
    sparse = (elapsed_s > SPARSE_STEP_S) & ~anew
    state["sparse"][:] = np.where(anew, state["sparse"], (state["sparse"] << 1 | sparse) & 0xFF)
    return IndexStep(elapsed_s, litres, first, broken, replaced)


def _turn_rings(state: ClassifierState, elapsed_s: Array, broken: Array) -> None:
    seen = state["seen"][0]
    watched = (elapsed_s <= LONGEST_STEP_S) & ~broken & (seen > _NEVER)
    now_seen = np.where(seen > _NEVER, seen, 0.0) + np.where(watched, elapsed_s, 0.0)
    for name, latest in (
        ("time", state["at"]),
        ("index", state["top"]),
        ("seen", now_seen),
        ("bound", np.inf),
        ("flow", np.inf),
    ):
        ring = state[name]
        ring[1:] = ring[:-1]
        ring[0] = latest
    missing = (elapsed_s > LONGEST_BRIDGE_S) | broken
    if missing.any():
        state["index"][1:, missing] = _NEVER
    if broken.any():
        state["seen"][1:, broken] = _NEVER
        state["bound"][:, broken] = np.inf
        state["flow"][:, broken] = np.inf
