"""The level of a flow, by an operator's thresholds.

In: minimum flows in L/h. Out: a level 0 (none) to 3 for each. The one rule: intervals are half-open, a
threshold belongs to the level above it, and a flow above the last one is never dropped (requirements R-092,
R-094, R-095, R-096, conflict C-26).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.leak_thresholds import DEFAULT_THRESHOLDS, Thresholds

__all__ = ["DEFAULT_THRESHOLDS", "Thresholds", "levels_of"]


def levels_of(rate_lph: NDArray[Any], thresholds: Thresholds = DEFAULT_THRESHOLDS) -> NDArray[Any]:
    """The leak level of each flow, 0 below the first threshold; no flow is rounded across one."""
    borders = (thresholds.level_1_lph, thresholds.level_2_lph, thresholds.level_3_lph)
    return np.array([float(border) for border in borders]).searchsorted(rate_lph, side="right")
