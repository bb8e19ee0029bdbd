"""Generated dwellings with and without leaks, labelled: test data of the classifier.

In: a seed, a number of dwellings and a cadence. Out: their readings, and the labels in the columns of the
scorer of the labelled data set. The one rule: seeded, and not from real dwellings, so figures found on one
set can be verified on a set that was not used before.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.leaks.classifier.classify import Readings

DAYS = 60
END_S = DAYS * 86_400.0
KINDS = ("none", "c1_3", "c3.9", "c4.1_8", "c8_12", "c12_20", "c20p", "drift", "interm")
_SHARES = (0.4, 0.06, 0.04, 0.13, 0.13, 0.1, 0.06, 0.05, 0.03)
_DRIFT, _INTERMITTENT = 7, 8
_GRID_S = 300.0
_NEVER = -1.0

Array = NDArray[Any]

_NIGHT, _DAY = (0.1, 0.05, 0.03, 0.03, 0.06, 0.3), (1.2, 2.0, 1.8, 1.2, 1.0, 1.0, 1.2, 1.0, 0.8, 0.8)
_EVENING = (1.0, 1.4, 1.8, 1.8, 1.6, 1.4, 1.0, 0.4)
_WAKING = np.array([*_NIGHT, *_DAY, *_EVENING])
_DRAWS_L = ((1.5, 0.5), (6.0, 0.28), (12.0, 0.1), (45.0, 0.1), (60.0, 0.02))
"""Litres and share of the draws: tap, toilet, dishes, shower, machine."""


class Leak(NamedTuple):
    """One leak: its kind, start and end in seconds, and its flow at both."""

    kind: int
    start_s: float
    end_s: float
    open_ended: bool
    first_lph: float
    last_lph: float

    def litres(self, at_s: Array) -> Array:
        """The litres lost until each time."""
        since = np.clip(at_s - self.start_s, 0, self.end_s - self.start_s)
        span = max(self.end_s - self.start_s, 1.0)
        litres = (self.first_lph * since + (self.last_lph - self.first_lph) * since**2 / (2 * span)) / 3600
        if self.kind != _INTERMITTENT:
            return np.asarray(litres)
        halves, rest = np.divmod(since, 1800.0)
        running = halves // 2 * 1800.0 + np.where(halves % 2 == 0, rest, 1800.0)
        return np.asarray(running * self.first_lph / 3600)


@dataclass(frozen=True)
class Homes:
    """A generated set: the arrays that the scorer needs, the labels, and the readings."""

    arrays: dict[str, Any]
    truth: list[dict[str, float]]
    readings: list[Readings]


def homes(seed: int, count: int, *, cadence_h: int = 1, step_litres: int = 1) -> Homes:
    """Generate this number of dwellings over sixty days."""
    chance = np.random.default_rng([seed, cadence_h])
    readings, truth, kinds = [], [], []
    for number in range(count):
        leak = _leak(chance)
        kinds.append(0 if leak is None else leak.kind)
        if leak is not None:
            truth.append({"dwelling": number, **_truth(leak)})
        readings.append(_readings(chance, leak, cadence_h, step_litres))
    arrays = {
        "offsets": np.zeros(count + 1),
        "days": DAYS,
        "kinds": np.array(KINDS),
        "cadence_h": np.full(count, cadence_h),
        "base": np.zeros(count, int),
        "leak_kind": np.array(kinds),
        "confounder": np.zeros((count, 1), bool),
    }
    return Homes(arrays, truth, readings)


def _leak(chance: np.random.Generator) -> Leak | None:
    kind = int(chance.choice(len(KINDS), p=_SHARES))
    if not kind:
        return None
    start_s = chance.uniform(10, 45) * 86_400
    open_ended = bool(chance.random() < 0.35)
    end_s = END_S if open_ended else min(END_S - 1, start_s + chance.uniform(4, 25) * 86_400)
    flow = {
        1: chance.uniform(1, 3),
        2: 3.9,
        3: chance.uniform(4.1, 8),
        4: chance.uniform(8, 12),
        5: chance.uniform(12, 20),
        6: float(np.exp(chance.uniform(np.log(20), np.log(300)))),
        _DRIFT: chance.uniform(2, 8),
        _INTERMITTENT: chance.uniform(9, 24),
    }[kind]
    last = flow * chance.uniform(1.5, 4) if kind == _DRIFT else flow
    return Leak(kind, start_s, end_s, open_ended, flow, last)


def _truth(leak: Leak) -> dict[str, float]:
    """The columns of the scorer; a leak is alertable when its 24-hour minimum reaches 4 L/h."""
    grid = np.arange(leak.start_s, leak.end_s, _GRID_S)
    hourly = leak.litres(grid + 3600) - leak.litres(grid)
    day = np.array([hourly[max(0, at - 276) : at + 1].min() for at in range(len(grid))])
    complete = (grid >= leak.start_s + 86_400 - 3600) & (grid + 3600 <= leak.end_s)
    least = np.where(complete, day, 0.0)
    alertable = leak.kind > 2 and bool((least >= 4).any())
    final = float(least[complete][-1]) if alertable else 0.0
    begun = leak.start_s
    if alertable and leak.kind == _DRIFT:
        begun = max(leak.start_s, float(grid[np.argmax(least >= 4)]) - 86_400 + 3600)
    total = float(leak.litres(np.array([leak.end_s]))[0]) / 1000
    before = float(leak.litres(np.array([begun]))[0]) / 1000
    return {
        "kind": leak.kind,
        "leak_start": leak.start_s,
        "leak_end": _NEVER if leak.open_ended else leak.end_s,
        "rate_lph": leak.first_lph,
        "loss_m3": total,
        "alertable": float(alertable),
        "alert_start": begun if alertable else _NEVER,
        "alert_end": _NEVER if leak.open_ended else leak.end_s,
        "level_final": float(_level(final)) if alertable else 0.0,
        "level_max": float(_level(least.max())) if alertable else 0.0,
        "loss_alert_m3": total - before,
        "min24_final": final,
    }


def _level(lph: float) -> int:
    return max(1, int(sum(lph >= border for border in (4, 8, 12))))


def _readings(chance: np.random.Generator, leak: Leak | None, cadence_h: int, step_litres: int) -> Readings:
    times = np.arange(chance.uniform(0, cadence_h), DAYS * 24, cadence_h) * 3600.0
    if cadence_h == 1 and chance.random() < 0.3:
        times = times + chance.uniform(-1500, 1500, len(times))
    times = np.sort(times[times >= 0]) // 1
    if chance.random() < 0.2:
        gap_s = chance.uniform(0, END_S)
        times = times[(times < gap_s) | (times > gap_s + chance.uniform(3, 100) * 3600)]
    draws_s, litres = _draws(chance)
    drawn = np.concatenate(([0.0], np.cumsum(litres)))[np.searchsorted(draws_s, times)]
    index = chance.uniform(0, 1e6) + drawn + (0.0 if leak is None else leak.litres(times))
    shown = (index // step_litres * step_litres).astype(np.int64)
    order = np.arange(len(times))
    if chance.random() < 0.1:
        order = np.argsort(times + chance.uniform(0, 86_400, len(times)))
    if chance.random() < 0.1:
        order = np.concatenate((order, order[::9]))
    return Readings(times.astype(np.int64)[order], shown[order], np.zeros(len(order), np.int64))


def _draws(chance: np.random.Generator) -> tuple[Array, Array]:
    """Times and amounts of this dwelling's draws, with nights and days of absence."""
    persons = int(chance.integers(1, 6))
    per_hour = _WAKING * persons * chance.uniform(0.5, 1.6) * 0.5
    hours = np.tile(per_hour, DAYS)
    if chance.random() < 0.15:
        away = int(chance.integers(0, DAYS - 8)) * 24
        hours[away : away + int(chance.integers(3, 14)) * 24] = 0
    if chance.random() < 0.05:
        awake = int(chance.integers(0, DAYS - 3)) * 24 + 20
        hours[awake : awake + int(chance.integers(20, 36))] = 6
    counts = chance.poisson(hours)
    at_s = np.sort(np.repeat(np.arange(len(hours)), counts) * 3600 + chance.uniform(0, 3600, counts.sum()))
    sizes, shares = zip(*_DRAWS_L, strict=True)
    litres = chance.choice(sizes, p=shares, size=len(at_s)) * chance.uniform(0.6, 1.4, len(at_s))
    return at_s, litres
