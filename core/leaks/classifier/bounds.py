"""Bounds a constant leak by windows of readings: the rule for meters that are read every hour or so.

In: the rings of a block of meters, a reading just taken. Out: for every stored reading the least bound
and the least estimate of the windows between it and now. The one rule: over any window the leak cannot
exceed (litres + one step of the register) / hours, whoever draws water; so a window under 4 L/h proves that
no leak of level 1 ran through it, and the least of all windows of a day bounds the minimum flow of R-092. No
assumption about nights is needed.
"""

import numpy as np

from core.leaks.classifier.register import HOUR_S, LONGEST_BRIDGE_S, LONGEST_STEP_S
from core.leaks.classifier.resolution import Resolution
from core.leaks.classifier.state import RING, Array, ClassifierState

LAGS = (*range(1, 13), 14, 16, 20, 24)
"""The lengths of the windows, in readings."""

_LAGS = np.array(LAGS)
_LONGEST_WITHIN = np.searchsorted(_LAGS, np.arange(1, RING), side="right") - 1
"""For each reading but the latest, the longest of the windows between it and now."""

_ONSET_LAGS = (1, 2, 3, 4, 6, 8, 12)
_FLOOR_LAGS = 12
_STAMP_S = 200.0
"""A window that is shorter by this much still counts as whole."""

_SLACK_S = 600.0
"""A day of readings that is shorter by this much still counts as a day."""

_FLOOR_STEPS = 3.5
"""A window that only the leak fills must be long enough to turn the register by so many steps."""

_BREATH = 0.2
_BREATHES_FROM_LPH = 12.0
"""A leak of this flow or more breathes with the pressure of the network: by up to this share of it."""

_HABIT_S = 30 * 24 * HOUR_S
"""How long habits last: a busy time is half forgotten in three weeks of observation."""

_LEAK_S = 96 * HOUR_S
"""A longer time without a pause is a leak and no habit."""

_UNKNOWN = 1.0e12
"""Ages, litres and times beyond this belong to missing readings."""


def update(state: ClassifierState, resolution: Resolution, level_1_lph: float) -> None:
    """Update the rings `bound` and `flow` with the windows that end now, and note a pause."""
    hours, litres = _windows(state)
    if not len(hours):
        return
    hours = np.where(hours > 0, hours, 1.0)
    within = _LONGEST_WITHIN[: len(state["time"]) - 1]
    added = np.where(hours >= resolution.pulse_window_h, resolution.pulse_share, 1.0)
    for ring, steps in (("bound", 1.0), ("flow", added)):
        least = np.minimum.accumulate((litres + steps * resolution.step_litres) / hours, axis=0)
        np.minimum(state[ring][1:], least[within], out=state[ring][1:])
        if ring == "bound":
            paused = least[-1] < level_1_lph
            if paused.any():
                _note_pause(state, np.flatnonzero(paused))


def _note_pause(state: ClassifierState, columns: Array) -> None:
    """Learn how long these dwellings, of which a window now carried less than level 1, go without one."""
    seen, before = state["seen"][0, columns], state["pause"][columns]
    stretch = np.where(before > -_UNKNOWN, seen - before, 0.0)
    kept = state["busy"][columns] * np.exp(-stretch / _HABIT_S)
    state["busy"][columns] = np.maximum(kept, np.where(stretch < _LEAK_S, stretch, 0.0))
    state["pause"][columns] = seen


def busy_h(state: ClassifierState) -> Array:
    """The longest time that the dwelling lately went without a pause, hours."""
    return np.asarray(state["busy"] / HOUR_S)


def horizon(state: ClassifierState, hours: float | Array) -> tuple[Array, Array]:
    """The latest reading since which so many hours were observed, and whether there is one."""
    age = state["seen"][0] - state["seen"]
    old_enough = (age >= hours * HOUR_S - _SLACK_S) & (age < _UNKNOWN)
    rank = old_enough.argmax(axis=0)
    return rank, old_enough[rank, np.arange(len(rank))]


def at(ring: Array, rank: Array) -> Array:
    """The value of each column at its rank."""
    return np.asarray(ring[rank, np.arange(len(rank))])


def intervals_on(state: ClassifierState, rank: Array, rate: Array, step: int) -> Array:
    """How many intervals since that reading could be the leak alone: they are at the flow's floor."""
    return np.asarray(_on_floor(state, rank, rate, step).sum(axis=0))


def shows_alone(state: ClassifierState, rank: Array, rate: Array, step: int) -> Array:
    """The same, where the flow turns the register by several steps within an interval; elsewhere 0."""
    plain = (rate >= _FLOOR_STEPS * step) & (rate < _UNKNOWN)
    return np.where(plain, intervals_on(state, rank, np.where(plain, rate, 0.0), step), 0)


def mean_on(state: ClassifierState, rank: Array, rate: Array, step: int) -> Array:
    """The mean flow of these intervals, where a leak's breathing is wider than the register's step.

    Only those count whose litres are within half the breath: beyond it more draws than breath are counted.
    """
    breathes = (rate >= _BREATHES_FROM_LPH) & (_BREATH * rate >= step) & (rate < _UNKNOWN)
    if not breathes.any():
        return rate
    seconds, litres, known = _intervals(state)
    most = np.where(breathes, rate * (1 + _BREATH / 2), 0.0)
    within = np.arange(len(seconds))[:, None] < rank
    on_floor = within & known & breathes & (seconds <= LONGEST_STEP_S) & (litres * HOUR_S <= most * seconds)
    observed = np.where(on_floor, seconds, 0.0).sum(axis=0) / HOUR_S
    drawn = np.where(on_floor, litres, 0.0).sum(axis=0)
    return np.where(observed > 0, np.maximum(drawn / np.maximum(observed, 1.0), rate), rate)


def _on_floor(state: ClassifierState, rank: Array, rate: Array, step: int) -> Array:
    seconds, litres, known = _intervals(state)
    within = np.arange(len(seconds))[:, None] < rank
    return np.asarray(within & known & (seconds <= LONGEST_STEP_S) & _alone(litres, seconds, rate, step))


def _alone(litres: Array, seconds: Array, rate: Array, step: int) -> Array:
    """Whether the leak alone could have counted these litres: its breath or a step of the register more."""
    leaked = rate * seconds / HOUR_S
    breath = np.where(rate >= _BREATHES_FROM_LPH, _BREATH, 0.0)
    return np.asarray(litres <= leaked + np.maximum(breath * leaked, step))


def hours_on(state: ClassifierState, rank: Array, rate: Array, step: int) -> Array:
    """How many intervals since that reading lie in windows that could be the leak alone.

    Only windows count in which such a leak turns the register by several steps: a shorter one proves nothing
    on a coarse register, since each of the two readings at its ends is uncertain by up to a step.
    """
    time, index, seen = state["time"], state["index"], state["seen"]
    ranks = np.arange(len(time))[:, None]
    edges = np.zeros((len(time), len(rate)), int)
    for lag in LAGS[:_FLOOR_LAGS]:
        seconds, litres = time[:-lag] - time[lag:], index[:-lag] - index[lag:]
        watched = (litres < _UNKNOWN) & (seen[:-lag] - seen[lag:] >= seconds - 1)
        turned = rate * (seconds + _STAMP_S) >= _FLOOR_STEPS * step * HOUR_S
        filled = watched & turned & _alone(litres, seconds, rate, step) & (ranks[lag:] <= rank)
        edges[:-lag] += filled
        edges[lag:] -= filled
    return np.asarray((np.cumsum(edges, axis=0) > 0).sum(axis=0))


def onset(state: ClassifierState, rank: Array, rate: Array, step: int, share: float) -> Array:
    """Since when the leak runs: after the last window that carried less than a share of it.

    The volume of that window is assigned to its end. No evidence reaches across a long gap before the
    horizon, nor back before the end of the previous episode.
    """
    time, index = state["time"], state["index"]
    since = np.full(len(rate), -np.inf)
    for lag in _ONSET_LAGS:
        seconds, litres = time[:-lag] - time[lag:], index[:-lag] - index[lag:]
        quiet = (litres < _UNKNOWN) & (index[:-lag] > -_UNKNOWN)
        quiet &= (litres + step) * HOUR_S < share * rate * seconds
        ends = np.where(quiet, time[:-lag] - litres / rate * HOUR_S, -np.inf)
        np.maximum(since, ends.max(axis=0), out=since)
    oldest = np.where(index > -_UNKNOWN, time, np.inf).min(axis=0)
    since = np.where(np.isfinite(since), since, oldest)
    seconds = time[:-1] - time[1:]
    after_gap = (seconds > LONGEST_BRIDGE_S) & (time[:-1] <= at(time, rank))
    received_again = np.where(after_gap, time[:-1], -np.inf).max(axis=0)
    since = np.maximum(np.maximum(since, received_again), state["until"])
    return np.asarray(np.minimum(since, at(time, rank)))


def end(state: ClassifierState, step: int, share: float, lowest_lph: float) -> Array:
    """When the open episode ended, else infinite: at the start of a window that carried too little for it.

    Too little is less than a share of its flow, and less than the smallest leak: a flow that was
    overestimated, or that shrank, continues.
    """
    hours, litres = _windows(state)
    began, rate = state["time"][_LAGS[: len(hours)]], state["rate_ref"]
    quiet = (
        (litres < _UNKNOWN)
        & (began >= state["since"])
        & (litres + step < np.minimum(share * rate, lowest_lph) * hours)
    )
    ends = np.where(quiet, began + litres / rate * HOUR_S, np.inf)
    return np.asarray(ends.min(axis=0))


def rate_now(state: ClassifierState, resolution: Resolution) -> tuple[Array, Array, Array, Array]:
    """The flow of the open episode, since when it can have changed, the least bound since, and its reading.

    It is the minimum of the hours that an alert requires where that is clearly more than before, else the
    settled one. While the flow is the same, its least bound so far holds (R-092: the minimum flow observed
    decides): days without a quiet hour do not make a leak larger. The bound itself is not reached, for a
    register counts its next step no earlier than when the water has run.
    """
    known = np.maximum((state["time"] >= state["since"] - 1).sum(axis=0) - 1, 0)
    day, has_day = horizon(state, resolution.observed_h)
    day = np.where(has_day, np.minimum(day, known), known)
    settled, has_settled = horizon(state, resolution.settled_h)
    settled = np.where(has_settled, np.minimum(settled, known), known)
    lately, long = at(state["flow"], day), at(state["flow"], settled)
    ceiling = np.minimum(at(state["bound"], known), state["least"])
    same = long < ceiling * resolution.agreement
    long = np.where(same & (ceiling <= long), np.nextafter(ceiling, 0), long)
    grew = lately > long * resolution.agreement
    rate = np.where(grew, lately, long)
    rate = np.where(np.isfinite(lately) & (lately < _UNKNOWN), rate, state["rate"])
    bound = at(state["bound"], day)
    least = np.where(same & ~grew, np.minimum(bound, state["least"]), bound)
    return rate, at(state["time"], day), least, np.where(grew, day, settled)


def _windows(state: ClassifierState) -> tuple[Array, Array]:
    """Hours and litres of the windows that end now, one row for each lag."""
    time, index = state["time"], state["index"]
    lags = _LAGS if len(time) > LAGS[-1] else _LAGS[len(time) > _LAGS]
    return (time[0] - time[lags]) / HOUR_S, index[0] - index[lags]


def _intervals(state: ClassifierState) -> tuple[Array, Array, Array]:
    seconds = state["time"][:-1] - state["time"][1:]
    litres = state["index"][:-1] - state["index"][1:]
    return seconds, litres, litres < _UNKNOWN
