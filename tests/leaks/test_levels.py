from fractions import Fraction

import numpy as np
import pytest

from core.leaks.levels import Thresholds, levels_of


@pytest.mark.requirement("R-092", "R-094", "R-095", "R-096", "C-26")
def test_each_border_belongs_to_the_level_above_it():
    """The product's borders are half-open, and a flow above the last one is level 3."""
    under_2 = np.nextafter(8.0, 0.0)
    flows = [0, 3.99, 4, 7.99, under_2, 8, 11.99, 12, 20, 20.01, 63, 400]
    assert levels_of(np.array(flows)).tolist() == [0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 3, 3]


def test_an_operator_may_set_other_borders():
    """Levels follow the thresholds that are given."""
    strict = Thresholds(level_1_lph=Fraction(1), level_2_lph=Fraction(5, 2))
    assert levels_of(np.array([0.99, 1, 2.49, 2.5, 12]), strict).tolist() == [0, 1, 1, 2, 3]


@pytest.mark.parametrize(
    "values",
    [
        {"level_1_lph": Fraction(0)},
        {"level_2_lph": Fraction(4)},
        {"level_3_lph": Fraction(30)},
        {"stale_after_days": 0},
        {"reopen_within_days": -1},
    ],
)
def test_thresholds_that_make_no_sense_are_refused(values):
    """Borders rise, and what takes days takes at least one."""
    with pytest.raises(ValueError, match=r"rise|positive"):
        Thresholds(**values)
