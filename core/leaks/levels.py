"""The level of a flow, by an operator's thresholds.

In: a minimum flow in L/h. Out: a level 0 (none) to 3. The one rule: intervals are half-open, a threshold
belongs to the level above it, and a flow above the last one is never dropped (requirements R-092, R-094,
R-095, R-096, conflict C-26). Flows are compared as exact fractions: 7.999... is not 8.
"""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.leak_thresholds import DEFAULT_THRESHOLDS, Thresholds

__all__ = ["DEFAULT_THRESHOLDS", "NO_LEVEL", "Thresholds", "is_over_range", "level_of", "levels_of"]

NO_LEVEL = 0


def level_of(q_min_lph: Fraction, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> int:
    """The leak level of a minimum flow in L/h; 0 below the first threshold."""
    borders = (thresholds.level_1_lph, thresholds.level_2_lph, thresholds.level_3_lph)
    return sum(q_min_lph >= border for border in borders)


def is_over_range(q_min_lph: Fraction, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> bool:
    """Whether a minimum flow lies above the last interval the product describes."""
    return q_min_lph > thresholds.over_range_above_lph


def levels_of(rate_lph: NDArray[Any], thresholds: Thresholds = DEFAULT_THRESHOLDS) -> NDArray[Any]:
    """The same level of many flows; the thresholds are exact in binary, so no flow is rounded across one."""
    borders = (thresholds.level_1_lph, thresholds.level_2_lph, thresholds.level_3_lph)
    return np.searchsorted([float(border) for border in borders], rate_lph, side="right")
