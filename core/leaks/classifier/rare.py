"""Decides when a leak among rare readings is reported: a few readings a day, or one.

In: the beliefs of the filter and the last whole days of some meters. Out: the leaks to report. The one rule:
two opinions must agree, that of the filter, which knows each quarter of the day but takes it for independent
of the others, and that of whole days, which weighs leak and demand together.
"""

from dataclasses import dataclass

import numpy as np

from core.leaks.classifier import profile, whole_days
from core.leaks.classifier.register import HOUR_S
from core.leaks.classifier.resolution import Resolution, lowest_measurable_lph
from core.leaks.classifier.state import Array, ClassifierState
from core.leaks.levels import Thresholds

_SPARSE_OF_EIGHT = 6
_ONES = np.array([number.bit_count() for number in range(256)])
_FEWEST_QUARTERS, _FEWEST_DAYS = 28, 6
"""A dwelling's demand is learned from a week of quarter days, or from six days."""

_KNOWN_BEFORE = 1
_FEWEST_QUARTERS_UNKNOWN, _FEWEST_DAYS_UNKNOWN = 84, 30
"""A dwelling of which not one interval is known from before the leak is watched for longer: ten equal days
are a leak or a habit.
"""

_HARDLY_KNOWN_DAYS = 6
_HARDLY_KNOWN_ODDS = 0.0
_HARDLY_KNOWN_BELIEF = 0.9993
"""With no more days known from before the leak, whole days must find it likelier than not; or, since so few
may not show the demand, the filter must be this sure of a leak that is not slight, by quarter days.
"""

_BORDER_ODDS = 1.74
"""Six of seven openings by days at the border of what is asked were leaks, in labelled and made homes."""

_SUREST = 14.0
"""The log odds of the filter's belief count up to this: beyond it they are rounding."""

_SLIGHT = 1.625
_SLIGHT_LASTS_S = 200 * HOUR_S
"""How long a leak of up to this multiple of level 1 must have run among rare readings: a week of high demand
looks like one.
"""


@dataclass(frozen=True, slots=True)
class FoundLeaks:
    """The leaks to report: the meters' columns, each flow in L/h, its start, and how sure it is."""

    columns: Array
    rate: Array
    since_s: Array
    certainty: Array


def reads_rarely(state: ClassifierState) -> Array:
    """Whether most of a meter's last intervals were longer than bounds can be drawn from."""
    return np.asarray(_ONES[state["sparse"]] >= _SPARSE_OF_EIGHT)


def asked_belief(part: ClassifierState, resolution: Resolution, thresholds: Thresholds) -> Array:
    """The belief of the filter that an opening requires."""
    by_quarters = (1 - thresholds.belief_quarter_days) * resolution.doubt_quarters
    by_days = (1 - thresholds.belief_days) * resolution.doubt_days
    return 1 - np.where(profile.by_quarters(part["demand"]), by_quarters, by_days)


def found(
    state: ClassifierState, columns: Array, resolution: Resolution, thresholds: Thresholds
) -> FoundLeaks:
    """The leaks of these columns that both opinions agree on."""
    level_1 = float(thresholds.level_1_lph)
    lowest = lowest_measurable_lph(resolution.step_litres, level_1)
    part = state.take(columns)
    quarters = profile.by_quarters(part["demand"])
    believed = profile.believed_from(part, lowest)
    since = np.minimum(profile.onset(part, profile.believed_rate(part)), part["time"][1])
    rate = profile.rate_now(part, since)
    spacing_s = part["time"][0] - part["time"][1]
    before = part["intervals"] - (part["at"] - since) / spacing_s
    fewest = np.where(quarters, _FEWEST_QUARTERS, _FEWEST_DAYS)
    longer = np.where(quarters, _FEWEST_QUARTERS_UNKNOWN, _FEWEST_DAYS_UNKNOWN)
    sure = part["intervals"] >= np.where(before < _KNOWN_BEFORE, longer, fewest)
    sure &= believed >= asked_belief(part, resolution, thresholds)
    sure &= (rate >= _SLIGHT * level_1) | (part["at"] - since >= _SLIGHT_LASTS_S)
    odds = np.full(len(columns), -np.inf)
    odds[sure] = _odds_by_days(state, columns[sure], resolution.step_litres, lowest)
    both = _both(odds, believed, quarters, resolution)
    asked = np.where(quarters, resolution.by_quarters.asked, resolution.by_days.asked)
    hardly_known = before * spacing_s < _HARDLY_KNOWN_DAYS * profile.DAY_S
    alone = hardly_known & quarters & (believed >= _HARDLY_KNOWN_BELIEF) & (rate >= _SLIGHT * level_1)
    sure &= alone | ((both >= asked) & (~hardly_known | (odds >= _HARDLY_KNOWN_ODDS)))
    by_days = 1 / (1 + np.exp(asked - both - _BORDER_ODDS))
    certainty = np.where(quarters, believed, np.maximum(believed, by_days))
    return FoundLeaks(columns[sure], rate[sure], since[sure], certainty[sure])


def _odds_by_days(state: ClassifierState, columns: Array, step_litres: int, lowest_lph: float) -> Array:
    """The log odds of a leak by whole days; computed once for each day, when the filter believes in one."""
    asked = columns[np.isnan(state["day_odds"][columns])]
    if len(asked):
        state["day_odds"][asked] = whole_days.log_odds(state["days"][:, asked], step_litres, lowest_lph)
    return np.asarray(state["day_odds"][columns])


def _both(odds: Array, believed: Array, quarters: Array, resolution: Resolution) -> Array:
    """The log odds by whole days, and of the filter's own what the register lets them count."""
    doubt = np.exp(-_SUREST)
    own = np.log((believed + doubt) / (1 - believed + doubt))
    return np.asarray(
        odds + np.where(quarters, resolution.by_quarters.weight, resolution.by_days.weight) * own
    )
