"""The thresholds of the leak levels, and the day counts that join and age alerts, as data.

In: the product's figures, or those of an operator's profile. Out: values only; `core.leaks` applies them. The
one rule: the thresholds rise, and every figure has its source. They belong to the lowest layer because an
operator's profile states them (`OperatorProfile.leak_thresholds`), and profiles do not know the classifier.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The product's figures; an operator may give others.

    Flows are in litres per hour. On the usual dwelling meter (Q3 = 1.6 m3/h) the first two thresholds are
    0.25 % and 0.5 % of Q3, the sensitivities that meters with a leak flag of their own use.

    Raises:
        ValueError: when the thresholds do not rise, or a count of days is not possible.
    """

    level_1_lph: Fraction = Fraction(4)
    """R-094: 4 to 8 L/h, "goutte à goutte"; 4.00 itself is level 1, as the guide's own row shows."""
    level_2_lph: Fraction = Fraction(8)
    """R-095: 8 to 12 L/h, "filet d'eau"."""
    level_3_lph: Fraction = Fraction(12)
    """R-096: from 12 L/h, "robinet ouvert"."""
    over_range_above_lph: Fraction = Fraction(20)
    """R-096 ends at 20 L/h, yet a running toilet leaks 20 to 100: level 3, marked over range (C-26)."""
    stale_after_days: int = 3
    """Days without data after which an open alert is marked as stale."""
    reopen_within_days: int = 7
    """A leak this soon after its closing is the same episode."""
    floor_intervals: int = 4
    """The number of intervals that must carry the leak's flow and nothing else before an alert opens."""
    end_share: float = 0.5
    """A window that carried less than this share of the flow proves that the leak had ended."""
    fall_after_h: float = 24.0
    """A level falls when the flow has been below it for this long; it rises at once."""
    belief_quarter_days: float = 0.98
    """Meters read every few hours: the filter's belief in a leak from which an alert opens, if days agree."""
    belief_days: float = 0.3
    """The same for meters read once a day: there the second opinion, by whole days, decides."""

    def __post_init__(self) -> None:
        if not 0 < self.level_1_lph < self.level_2_lph < self.level_3_lph <= self.over_range_above_lph:
            raise ValueError("the thresholds of the leak levels must rise")
        if self.stale_after_days < 1 or self.reopen_within_days < 0:
            raise ValueError("a delay is a positive number of days")
        if (
            not 0 < self.end_share < 1
            or not 0.5 < self.belief_quarter_days < 1
            or not 0 < self.belief_days < 1
        ):
            raise ValueError("a share and a belief lie between 0 and 1, that by quarter days above one half")


DEFAULT_THRESHOLDS = Thresholds()

ThresholdsOf: TypeAlias = Callable[[str], Thresholds]
"""The thresholds of an operator, by its code."""


def product_thresholds(_operator_code: str) -> Thresholds:
    """The thresholds of operators that define none of their own."""
    return DEFAULT_THRESHOLDS
