"""Weighs leaks against a dwelling's own demand: the rule for meters read every few hours, or once a day.

In: the litres of a sparse interval. Out: the belief in each leak rate, and since when. The one rule: what is
left after a leak must resemble this dwelling's demand at this time of day, as learned from its own readings;
with few readings, a usual dwelling's. Windows cannot help here: hardly any interval is free of draws.
"""

from dataclasses import dataclass
from math import erf, log, sqrt

import numpy as np

from core.leaks.classifier import bounds, whole_days
from core.leaks.classifier.register import HOUR_S, SPARSE_STEP_S, IndexStep
from core.leaks.classifier.state import DEMAND_EDGES_L, RATES_LPH, SLOTS, Array, ClassifierState

DAY_S = 24 * HOUR_S
_QUARTER_S = 6 * HOUR_S
_LONGEST_QUARTER_S = 9.5 * HOUR_S
_WHOLE_DAY = SLOTS - 1

_HABITS_LAST_S = 30 * DAY_S
_BEGINS_PER_DAY = 0.002
_ENDS_PER_DAY = 0.04
_CHANGES_PER_DAY = 0.005
_FORGOTTEN = 0.995
"""Share of the learned demand that remains after each further interval."""

_USUAL_WEIGHT = np.array([18.0, 18.0, 18.0, 18.0, 2.0])
"""The weight of the usual demand, in intervals."""

_SIZE_WEIGHT = np.array([8.0, 8.0, 8.0, 8.0, 3.0])
"""The weight of a usual dwelling's size against this one's, in intervals: a family of eight is soon known."""

_HALVINGS = 10
"""A dwelling's demand is up to 2^(10/2) times smaller or larger than a usual one's, in steps of 2^(1/2)."""

_USUAL = ((6, 1.5, 0.3), (45, 1.2, 0.08), (60, 1.1, 0.08), (60, 1.1, 0.06), (200, 0.75, 0.04))
"""Median litres, spread of their logarithm and share of zero: UTC quarters of a day, and a whole day."""

_LEAK_SHARE = np.where(RATES_LPH > 0, 1 / np.maximum(RATES_LPH, 1.5), 0.0)
_LEAK_SHARE = _LEAK_SHARE / _LEAK_SHARE.sum()
_BORDERS_LPH = (RATES_LPH[1:] + RATES_LPH[:-1]) / 2
_LEAST_LPH = np.concatenate(([0.0], _BORDERS_LPH))
_MOST_LPH = np.concatenate(([0.0], _BORDERS_LPH[1:], [RATES_LPH[-1] + (RATES_LPH[-1] - RATES_LPH[-2]) / 2]))
"""Each rate stands for all between it and its neighbours': no leak falls between two of them."""

_LOW_L = np.concatenate(([-np.inf], DEMAND_EDGES_L))
_HIGH_L = np.concatenate((DEMAND_EDGES_L, [np.inf]))
_WIDTH_L = np.concatenate(([2.0], np.diff(DEMAND_EDGES_L), [DEMAND_EDGES_L[-1]]))
_IMPOSSIBLE = 1e-9

_QUIET_WITHIN_S = 7 * DAY_S
"""So far back the quietest window bounds the flow of a leak."""


@dataclass(frozen=True, slots=True)
class WeekSlot:
    """To which part of the day an interval belongs, and what scales its litres to that part's length."""

    number: Array
    scale: Array


def _usual_demand(size: float = 1.0) -> Array:
    def below(litres: float, median: float, spread: float) -> float:
        return 0.0 if litres <= 0 else 0.5 * (1 + erf(log(litres / median) / spread / sqrt(2)))

    rows = []
    for median, spread, none in _USUAL:
        shares = [0.0, *(below(edge, median * size, spread) for edge in DEMAND_EDGES_L), 1.0]
        row = np.diff(shares) * (1 - none)
        row[0] += none
        rows.append(row)
    return np.array(rows)


_USUAL_DEMAND = np.array([_usual_demand(2.0 ** (step / 2)) for step in range(-_HALVINGS, _HALVINGS + 1)])
"""For each size of a dwelling, each slot and each bin."""

_MIDDLES_L = np.sqrt(DEMAND_EDGES_L[:-1] * DEMAND_EDGES_L[1:])
_SIZES = np.log2(np.concatenate(([0.3], _MIDDLES_L, [1.2 * DEMAND_EDGES_L[-1]])))
_DRAWN = _USUAL_DEMAND[_HALVINGS, :, 1:]
_USUAL_SIZE = (_DRAWN * _SIZES[1:]).sum(axis=1) / _DRAWN.sum(axis=1)


def update(state: ClassifierState, step: IndexStep, step_litres: int) -> Array:
    """Weigh the sparse intervals of a step; returns which columns had one."""
    long_gap = step.elapsed_s > _HABITS_LAST_S
    if long_gap.any():
        _forget(state, np.flatnonzero(long_gap))
    sparse = (step.elapsed_s > SPARSE_STEP_S) & ~long_gap
    sparse &= ~step.broken & ~step.first
    if step.broken.any():
        whole_days.start_anew(state, np.flatnonzero(step.broken))
    columns = sparse.nonzero()[0]
    if len(columns):
        seconds, litres = step.elapsed_s[columns], step.litres[columns]
        at_s = state["at"][columns]
        slot = _slot(at_s, seconds)
        belief = _moved_on(state["belief"][:, columns], seconds / DAY_S)
        likelihood, spread = _likelihood(state["demand"][..., columns], slot, seconds, litres, step_litres)
        parts = by_quarters(state["demand"][..., columns]) & (slot.number == _WHOLE_DAY)
        likelihood = np.where(parts, 1.0, likelihood)  # a missing reading: no slot resembles what is left
        belief = belief * likelihood
        belief /= belief.sum(axis=0)
        state["belief"][:, columns] = belief
        _weigh_onsets(state, columns, likelihood, at_s, seconds)
        _learn(state, columns, slot, spread, belief)
        state["intervals"][columns] += 1
        whole_days.collect(state, columns, step)
    return sparse


def _forget(state: ClassifierState, columns: Array) -> None:
    """After a long gap the occupants may have changed: the learned demand and the beliefs are reset."""
    for name in ("demand", "belief", "rise", "intervals"):
        state[name][..., columns] = 0
    state["belief"][:1, columns] = 1.0
    state["onset"][:, columns] = -np.inf
    state["days"][:, columns] = whole_days.UNKNOWN
    whole_days.start_anew(state, columns)


def by_quarters(demand: Array) -> Array:
    """Whether a meter is read several times a day, and not daily: by what was learned of it."""
    return np.asarray(demand[:_WHOLE_DAY].sum(axis=(0, 1)) > demand[_WHOLE_DAY].sum(axis=0))


def believed_from(state: ClassifierState, rate_lph: float | Array) -> Array:
    """The belief in a leak of at least this rate, 0 to 1."""
    return np.asarray((state["belief"] * (RATES_LPH[:, None] >= rate_lph)).sum(axis=0))


def believed_rate(state: ClassifierState) -> Array:
    """The believed leak in L/h."""
    return np.asarray((state["belief"] * RATES_LPH[:, None]).sum(axis=0))


def rate_now(state: ClassifierState, since_s: Array) -> Array:
    """The flow of a leak that runs since then, L/h: the believed one, or what the quietest window lets run.

    Belief alone is too high: what a dwelling draws each night resembles a leak. In a week there is nearly
    always a quarter of a day without a draw; among whole days there is none.
    """
    believed = believed_rate(state)
    lately = state["time"] >= np.maximum(since_s, state["at"] - _QUIET_WITHIN_S) - 1
    bound = bounds.at(state["flow"], np.maximum(lately.sum(axis=0) - 1, 0))
    bounded = by_quarters(state["demand"]) & (bound > 0)
    return np.where(bounded, np.minimum(believed, bound), believed)


def onset(state: ClassifierState, rate: Array) -> Array:
    """Since when a leak of about this rate explains the readings better than none."""
    nearest = np.abs(RATES_LPH[:, None] - rate).argmin(axis=0)
    return np.asarray(np.maximum(state["onset"][nearest, np.arange(len(rate))], state["until"]))


def _slot(at_s: Array, seconds: Array) -> WeekSlot:
    short = seconds < _LONGEST_QUARTER_S
    quarter = ((at_s - seconds / 2) % DAY_S // _QUARTER_S).astype(int)
    return WeekSlot(np.where(short, quarter, _WHOLE_DAY), np.where(short, _QUARTER_S, DAY_S) / seconds)


def _moved_on(belief: Array, days: Array) -> Array:
    """The beliefs before the reading is used: leaks begin, end and drift."""
    begins = 1 - np.exp(-_BEGINS_PER_DAY * days)
    ends = 1 - np.exp(-_ENDS_PER_DAY * days)
    changes = 1 - np.exp(-_CHANGES_PER_DAY * days)
    leaks = belief[1:] * (1 - ends) + begins * belief[0] * _LEAK_SHARE[1:, None]
    half = leaks * changes / 2
    moved = leaks - 2 * half
    moved[:-1] += half[1:]
    moved[1:] += half[:-1]
    moved[0] += half[0]
    moved[-1] += half[-1]
    none = belief[0] * (1 - begins) + ends * belief[1:].sum(axis=0)
    return np.concatenate((none[None], moved))


def _likelihood(
    demand: Array, slot: WeekSlot, seconds: Array, litres: Array, step_litres: int
) -> tuple[Array, Array]:
    """How well each rate explains the litres, and how the demand it leaves spreads over the bins.

    The uncertainty of a coarse register is spread evenly over a step, and a rate over those it stands for.
    """
    learned = demand[slot.number, :, np.arange(len(seconds))].T
    weight = _USUAL_WEIGHT[slot.number]
    shares = (learned + weight * _usual(learned, slot.number)) / (learned.sum(axis=0) + weight)
    hours = seconds / HOUR_S
    rest, least = litres - _LEAST_LPH[:, None] * hours, litres - _MOST_LPH[:, None] * hours
    low, high = (least - step_litres / 2) * slot.scale, (rest + step_litres / 2) * slot.scale
    spread = np.minimum(high, _HIGH_L[:, None, None]) - np.maximum(low, _LOW_L[:, None, None])
    spread = np.maximum(spread, 0) / (high - low)
    likelihood = ((shares / _WIDTH_L[:, None])[:, None] * spread).sum(axis=0) * slot.scale
    lacking = -rest / step_litres  # steps by which the leak alone exceeds what was counted
    short = shares[0] / 2 * np.exp(-2 * np.maximum(lacking - 0.5, 0)) * (lacking < 1.6)
    return np.where(lacking > 0.5, short, likelihood) + _IMPOSSIBLE, spread


def _usual(learned: Array, slot: Array) -> Array:
    """The usual demand of a dwelling of this one's size: what it draws shifts the litres of all bins."""
    drawn = learned[1:].sum(axis=0)
    size = (_SIZES[1:, None] * learned[1:]).sum(axis=0) / np.maximum(drawn, _IMPOSSIBLE)
    larger = (size - _USUAL_SIZE[slot]) * drawn / (drawn + _SIZE_WEIGHT[slot])
    steps = np.clip(np.rint(2 * larger).astype(int), -_HALVINGS, _HALVINGS)
    return np.asarray(_USUAL_DEMAND[steps + _HALVINGS, slot].T)


def _weigh_onsets(
    state: ClassifierState, columns: Array, likelihood: Array, at_s: Array, seconds: Array
) -> None:
    """A running sum of evidence for each rate against none; at zero its onset starts again."""
    rise = state["rise"][:, columns] + np.log(likelihood) - np.log(likelihood[0])
    known = state["onset"][:, columns]
    known = np.where(known > 0, known, at_s - seconds)
    state["onset"][:, columns] = np.where(rise <= 0, at_s, known)
    state["rise"][:, columns] = np.maximum(rise, 0.0)


def _learn(state: ClassifierState, columns: Array, slot: WeekSlot, spread: Array, belief: Array) -> None:
    demand = state["demand"][..., columns] * _FORGOTTEN
    demand[slot.number, :, np.arange(len(columns))] += (spread * belief).sum(axis=1).T
    state["demand"][..., columns] = demand
