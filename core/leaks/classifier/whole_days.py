"""Weighs leaks against a dwelling's demand by whole days: the second opinion on what the profile reports.

In: the litres of a dwelling's last days. Out: the log odds of a leak. The one rule: leak and demand are
estimated together, so what a leak adds is never learned as demand: under each leak rate the same days leave
another demand, and the rates are compared by how well any steady demand explains what they leave. Quarters of
one day depend on each other (guests, an absence, a shift of the hours); days hardly do.
"""

from math import erf, log, sqrt

import numpy as np

from core.leaks.classifier.register import HOUR_S, IndexStep
from core.leaks.classifier.state import Array, ClassifierState

DAY_H = 24.0
_DAY_FROM_H = 21.0
_LONGEST_H = 80.0
"""A sum of this many hours counts as a day, in proportion; more tells nothing about a day."""

_RATES_LPH = np.array(
    [
        0,
        1,
        2,
        3,
        4.5,
        5.5,
        6.5,
        7.5,
        9,
        11,
        13,
        16,
        20,
        25,
        31,
        39,
        48,
        60,
        75,
        95,
        120,
        150,
        190,
        240,
        300,
        400,
    ],
)
_WIDTHS_LPH = np.gradient(_RATES_LPH)
_LEAK_SHARE = np.concatenate(([0.0], _WIDTHS_LPH[1:] / np.maximum(_RATES_LPH[1:], 1.5)))
_LEAK_SHARE = _LEAK_SHARE / _LEAK_SHARE.sum()

_BEGINS, _ENDS, _CHANGES = (float(-np.expm1(-a_day)) for a_day in (0.002, 0.08, 0.01))

_EDGES_L = np.concatenate(([0.0], np.geomspace(1, 6000, 58)))
_MEDIANS_L = np.geomspace(15, 1600, 22)
_SPREADS = (0.15, 0.3, 0.5, 0.9)
_DRY = (0.01, 0.15)
"""The demands that are weighed: median of a day, spread of its logarithm, share of days without any."""

_UNUSUAL = 0.03
_UNUSUAL_MEDIAN_L, _UNUSUAL_SPREAD = 60.0, 2.0
"""The share of days on which the dwelling did not draw what it usually draws."""

_IMPOSSIBLE = 1e-7
_BREATH = 0.03
_ROUNDING = 1e-6
UNKNOWN = -1.0

_DAYS_BEFORE = 4
"""Days that show the demand before a leak can be distinguished: equal days are a habit as well."""


def _densities(step_litres: int) -> Array:
    """The probability per litre of what a leak leaves of a day: a row a bin, a column a demand."""

    def below(litres: float, median: float, spread: float) -> float:
        return 0.0 if litres <= 0 else 0.5 * (1 + erf(log(litres / median) / spread / sqrt(2)))

    def shares(median: float, spread: float) -> Array:
        return np.diff([*(below(edge, median, spread) for edge in _EDGES_L), 1.0])

    widths = np.diff([-step_litres / 2, *_EDGES_L[1:], _EDGES_L[-1] * 4 / 3])
    unusual = shares(_UNUSUAL_MEDIAN_L, _UNUSUAL_SPREAD)
    columns = []
    for dry in _DRY:
        for spread in _SPREADS:
            for median in _MEDIANS_L:
                usual = shares(median, spread) * (1 - dry)
                usual[0] += dry
                drawn = (1 - _UNUSUAL) * usual + _UNUSUAL * unusual
                columns.append(np.concatenate(([_IMPOSSIBLE], drawn / widths)))
    return np.array(columns, np.float32).T


_DENSITIES = {step: _densities(step) for step in (1, 10, 100)}


def collect(state: ClassifierState, columns: Array, step: IndexStep) -> None:
    """Add a sparse interval of these meters to their present day; a day that is full joins the last days."""
    hours = step.elapsed_s[columns] / HOUR_S
    state["day_hours"][columns] += hours
    state["day_sum"][columns] += step.litres[columns]
    full = state["day_hours"][columns] >= _DAY_FROM_H
    ended = columns[full]
    if not len(ended):
        return
    hours = state["day_hours"][ended]
    litres = np.where(hours <= _LONGEST_H, state["day_sum"][ended] * DAY_H / hours, UNKNOWN)
    days = state["days"][:, ended]
    days[1:] = days[:-1].copy()
    days[0] = litres
    state["days"][:, ended] = days
    start_anew(state, ended)


def start_anew(state: ClassifierState, columns: Array) -> None:
    """Begin a new day: the one before is complete, or its litres are not known."""
    state["day_hours"][columns] = 0.0
    state["day_sum"][columns] = 0.0
    state["day_odds"][columns] = np.nan


def log_odds(days: Array, step_litres: int, lowest_lph: float) -> Array:
    """The log odds of a leak of at least this rate, by the last days of each meter."""
    densities = _DENSITIES[step_litres]
    meters, demands = days.shape[1], densities.shape[1]
    joint = np.zeros((meters, len(_RATES_LPH), demands), np.float32)
    joint[:, 0] = 1.0 / demands
    of_rates = joint.sum(axis=2)
    seen = np.zeros(meters, int)
    for day in days[::-1].astype(float):
        known = np.flatnonzero(day >= 0)
        if not len(known):
            continue
        litres = day[known, None]
        rest = litres - DAY_H * _RATES_LPH
        row = np.searchsorted(_EDGES_L, np.maximum(rest, 0), side="right")
        row = np.where(rest < -step_litres - _BREATH * litres, 0, row)
        weighed = _a_day_later(joint[known], seen[known] >= _DAYS_BEFORE)
        seen[known] += 1
        weighed *= densities[row]
        rates = weighed.sum(axis=2)
        total = rates.sum(axis=1)[:, None]
        weighed /= total[..., None]
        joint[known], of_rates[known] = weighed, rates / total
    leaking = of_rates[:, lowest_lph <= _RATES_LPH].sum(axis=1, dtype=np.float64)
    return np.asarray(np.log(leaking + _ROUNDING) - np.log(np.maximum(1 - leaking, 0) + _ROUNDING))


def _a_day_later(joint: Array, may_begin: Array) -> Array:
    """Leaks begin, end and drift; each takes the demand along that its days left."""
    none, leaks = joint[:, :1], joint[:, 1:]
    share = _LEAK_SHARE[1:, None].astype(np.float32)
    ended = leaks.sum(axis=1, keepdims=True) * np.float32(_ENDS)
    leaks = leaks * np.float32(1 - _ENDS)
    drift = leaks * np.float32(_CHANGES / 2)
    leaks -= 2 * drift
    leaks[:, :-1] += drift[:, 1:]
    leaks[:, 1:] += drift[:, :-1]
    leaks[:, -1] += drift[:, -1]
    ended[:, 0] += drift[:, 0]
    begun = none * np.where(may_begin, _BEGINS, 0.0).astype(np.float32)[:, None, None]
    leaks += begun * share
    return np.concatenate((none - begun + ended, leaks), axis=1)
