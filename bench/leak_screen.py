"""A fleet of which nothing is remembered, judged at once: rows of one moment, a column for each meter.

In: the same moments for every meter, their indexes. Out: a level and a bound for each meter, and what was
opened. The one rule: the screen may only pass over a meter for which the classifier could not have opened an
alert: one with a quiet interval in every stretch of the hours that an alert asks for.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from core.leaks.classifier import bounds
from core.leaks.classifier.classify import BLOCK_METERS, Classifier
from core.leaks.classifier.register import HOUR_S, LONGEST_STEP_S
from core.leaks.classifier.resolution import Resolution, resolution_of
from core.leaks.classifier.state import FIELDS, RING, Array, ClassifierState
from core.leaks.classifier.tracker import Change, Transition
from core.leaks.levels import DEFAULT_THRESHOLDS, Thresholds

SCREEN_METERS = 4096
"""Columns of a block that the processor's cache holds while they are screened."""

_RINGS = ("time", "index", "seen", "bound", "flow")
_FEWEST_ROWS = 14
"""Room that the rule looks at in any case."""


@dataclass(frozen=True, slots=True)
class FleetVerdict:
    """A verdict for each meter: level 0 to 3, the bound of its minimum flow in L/h, and what was opened.

    The bound is infinite where the rows are too few, or tell nothing; a level 0 whose bound is not below
    level 1 is neither a leak nor the proof that there is none.
    """

    levels: Array
    bounds_lph: Array
    openings: list[Transition]


def classify_rows(
    at_s: Array,
    litres: Array,
    *,
    step_litres: int,
    capacity_litres: int | None = None,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> FleetVerdict:
    """Judge a fleet of which nothing is remembered.

    Args:
        at_s: the moments of the rows, rising, epoch seconds.
        litres: the index of each meter at each moment: an array of rows x meters.
        step_litres: what the registers count at a time.
        capacity_litres: where the registers show 0 again.
        thresholds: the operator's, or the product's.
    """
    meters = litres.shape[1]
    levels, least = np.zeros(meters, np.int8), np.full(meters, np.inf, np.float32)
    suspects = screen(at_s, litres, least, step_litres=step_litres, thresholds=thresholds)
    openings: list[Transition] = []
    serials = np.zeros(meters, np.int64)
    for start in range(0, len(suspects), BLOCK_METERS):
        columns = suspects[start : start + BLOCK_METERS]
        rows = litres[:, columns].astype(float)
        dense = bool((np.diff(at_s) <= LONGEST_STEP_S).all())
        classifier = Classifier(
            len(columns),
            step_litres=step_litres,
            capacity_litres=capacity_litres,
            thresholds=thresholds,
            state=_brief(len(columns), max(len(at_s), _FEWEST_ROWS)) if dense else None,
        )
        updated = _fill(classifier.state, at_s, rows, classifier.resolution)
        everyone = np.arange(len(columns))
        changes: list[Transition] = []
        for row in range(updated, len(at_s)):
            changes += classifier.take(
                everyone, np.full(len(columns), at_s[row]), rows[row], serials[: len(columns)]
            )
        state = classifier.state
        levels[columns] = np.where(state["open"] > 0, state["level"], 0)
        rank, seen = bounds.horizon(state, classifier.resolution.observed_h)
        least[columns] = np.where(seen, bounds.at(state["bound"], rank), np.inf)
        openings += [
            replace(change, meter=int(columns[change.meter]))
            for change in changes
            if change.change is Change.OPENED
        ]
    return FleetVerdict(levels, least, openings)


def screen(
    at_s: Array,
    litres: Array,
    least: Array,
    *,
    step_litres: int,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> Array:
    """The meters that must be looked at closely; `least` takes the bound of the others' quietest interval.

    Only neighbouring readings are compared, which is enough for nearly every dwelling: somewhere in a day an
    hour passes in which next to nothing runs.
    """
    elapsed = np.diff(at_s)
    resolution = resolution_of(step_litres)
    # An interval is quiet when (litres + step) / hours < level 1, whole litres against a whole border.
    limit = np.ceil(float(thresholds.level_1_lph) * elapsed / HOUR_S - step_litres).astype(litres.dtype)
    stretches = _stretches(at_s, resolution)
    suspects = []
    for start in range(0, litres.shape[1], SCREEN_METERS):
        block = slice(start, start + SCREEN_METERS)
        drawn = litres[1:, block] - litres[:-1, block]
        lowest = drawn.min(axis=0)
        if len(stretches) == 1 and (elapsed == elapsed[0]).all():
            first, end = stretches[0]
            quietest = drawn[first:end].min(axis=0) if end - first < len(drawn) else lowest
            passed = (quietest < limit[0]) & (lowest >= 0)
            least[block] = np.where(passed, (quietest + step_litres) * (HOUR_S / elapsed[0]), np.inf)
        else:
            quiet = drawn < limit[:, None]
            passed = lowest >= 0
            for first, end in stretches:
                passed &= quiet[first:end].any(axis=0)
            hours = (elapsed / HOUR_S)[:, None]
            least[block] = np.where(passed, ((drawn + step_litres) / hours).min(axis=0), np.inf)
        suspects.append(np.flatnonzero(~passed) + start)
    return np.concatenate(suspects) if suspects else np.zeros(0, int)


def _brief(meters: int, readings: int) -> ClassifierState:
    """Room for no more than so many readings, all of them dense: for a run that keeps no memory."""
    return ClassifierState.blank(
        meters,
        {
            name: (tuple(min(size, readings) if name in _RINGS else 0 for size in shape), kind, value)
            for name, (shape, kind, value) in FIELDS.items()
        },
    )


def _stretches(at_s: Array, resolution: Resolution) -> list[tuple[int, int]]:
    """The stretches of intervals over which an alert could open; the shortest one for each reading."""
    return list(_each_stretch(at_s, resolution.observed_h * HOUR_S - 600.0))


def _each_stretch(at_s: Array, asked_s: float) -> Iterator[tuple[int, int]]:
    elapsed = np.diff(at_s)
    seen = np.concatenate(([0.0], np.cumsum(np.where(elapsed <= LONGEST_STEP_S, elapsed, 0))))
    for end in range(1, len(at_s)):
        old_enough = np.flatnonzero(seen[end] - seen[: end + 1] >= asked_s)
        if len(old_enough):
            yield int(old_enough[-1]), end


def _fill(state: ClassifierState, at_s: Array, rows: Array, resolution: Resolution) -> int:
    """Fill the memory with rows at which nothing could open; answers how many.

    What the classifier would remember after taking them one by one: they are regular, no register falls,
    and the first reading that could open an alert is not among them.
    """
    elapsed = np.diff(at_s)
    stretches = _stretches(at_s, resolution)
    count = min(stretches[0][1] if stretches else len(at_s), RING)
    regular = (elapsed >= resolution.spacing_s).all() and (elapsed <= LONGEST_STEP_S).all()
    if not regular or count < 2 or (np.diff(rows[:count], axis=0) < 0).any():
        return 0
    times, index = at_s[:count].astype(float), rows[:count]
    state["at"][:], state["top"][:], state["serial"][:] = times[-1], index[-1], 0
    state["time"][:count] = times[::-1, None]
    state["index"][:count] = index[::-1]
    state["seen"][:count] = times[::-1, None] - times[0]
    for lag in bounds.LAGS:
        if lag >= count:
            break
        hours = (times[lag:] - times[:-lag])[::-1, None] / HOUR_S
        litres = (index[lag:] - index[:-lag])[::-1]
        share = resolution.pulse_share if hours.min() >= resolution.pulse_window_h else 1.0
        for ring, steps in (("bound", 1.0), ("flow", share)):
            least = (litres + steps * resolution.step_litres) / hours
            np.minimum(state[ring][lag:count], least, out=state[ring][lag:count])
    for ring in ("bound", "flow"):
        np.minimum.accumulate(state[ring][:count], axis=0, out=state[ring][:count])
    return count
