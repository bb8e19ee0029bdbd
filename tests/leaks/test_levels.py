from fractions import Fraction

import pytest

from core.leaks.levels import Thresholds, is_over_range, level_of


@pytest.mark.requirement("R-092", "R-094", "R-095", "R-096", "C-26")
@pytest.mark.parametrize(
    ("q_min_lph", "level", "over_range"),
    [
        ("0", 0, False),
        ("3.99", 0, False),
        ("4", 1, False),
        ("7.99", 1, False),
        ("7.999999999999999999999", 1, False),
        ("8", 2, False),
        ("11.99", 2, False),
        ("12", 3, False),
        ("20", 3, False),
        ("20.01", 3, True),
        ("63", 3, True),
        ("400", 3, True),
    ],
)
def test_each_border_belongs_to_the_level_above_it(q_min_lph, level, over_range):
    """The product's borders are half-open, and a flow above the last one is level 3, marked."""
    assert level_of(Fraction(q_min_lph)) == level
    assert is_over_range(Fraction(q_min_lph)) is over_range


def test_an_operator_may_set_other_borders():
    """Levels follow the thresholds that are given."""
    strict = Thresholds(level_1_lph=Fraction(1), over_range_above_lph=Fraction(12))
    assert level_of(Fraction(1), strict) == 1
    assert is_over_range(Fraction(13), strict)


@pytest.mark.parametrize(
    "values",
    [
        {"level_1_lph": Fraction(0)},
        {"level_2_lph": Fraction(4)},
        {"level_3_lph": Fraction(30)},
        {"days_to_open": 0},
        {"zero_days_to_close": 0},
        {"stale_after_days": 0},
        {"reopen_within_days": -1},
    ],
)
def test_thresholds_that_make_no_sense_are_refused(values):
    """Borders rise, and what takes days takes at least one."""
    with pytest.raises(ValueError, match=r"rise|complete day|positive"):
        Thresholds(**values)
