"""What else a meter or its readings warn of: burst, backflow, dry meter, tampering, and no news at all.

In: the states a meter sends, or how long and how much lies between two readings. Out: the conditions that
hold. The one rule: a state that the meter itself tells holds while it tells it, and needs no volume; what is
found in readings is a bound that they prove, never a guess (leaks.md §1).
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from core.metering import StatusFlag

_HOUR_S = 3600

BURST_SHARE_OF_Q3 = Fraction(1, 5)
"""More than 20 % of Q3: the highest sensitivity of one maker's meters; another asks for 30 %."""

BURST_S = 1800
"""For half an hour."""

USUAL_Q3_LPH = 1600
"""Q3 of the usual dwelling meter, 1.6 m3/h."""

SILENT_AFTER_INTERVALS = 6
"""So many of its usual intervals without a telegram, and no less than a day, are no news."""

_DAY_S = 24 * _HOUR_S


class Condition(StrEnum):
    """The further kinds of alert."""

    BURST = "BURST"
    BACKFLOW = "BACKFLOW"
    DRY = "DRY"
    TAMPER = "TAMPER"
    SILENT = "SILENT"


_TOLD_BY = {
    StatusFlag.BURST: Condition.BURST,
    StatusFlag.REVERSE: Condition.BACKFLOW,
    StatusFlag.DRY: Condition.DRY,
    StatusFlag.AIR: Condition.DRY,
    StatusFlag.TAMPER: Condition.TAMPER,
}


@dataclass(frozen=True, slots=True)
class Between:
    """Two neighbouring readings of one register: seconds and litres between them, and the register's step."""

    seconds: int
    litres: int
    step_litres: int = 1

    def __post_init__(self) -> None:
        if self.seconds <= 0 or self.step_litres <= 0:
            raise ValueError("the second reading comes after the first, and a register has a step")


def told(flags: Collection[StatusFlag]) -> frozenset[Condition]:
    """The conditions that the meter's own states tell."""
    return frozenset(_TOLD_BY[flag] for flag in flags if flag in _TOLD_BY)


def is_burst(between: Between, *, q3_lph: int = USUAL_Q3_LPH) -> bool:
    """Whether a burst ran for half an hour or longer: the mean flow proves it, less a step for the doubt."""
    if between.seconds < BURST_S:
        return False
    least_litres = max(between.litres - between.step_litres, 0)
    return Fraction(least_litres * _HOUR_S, between.seconds) > BURST_SHARE_OF_Q3 * q3_lph


def is_backflow(between: Between) -> bool:
    """Whether the register ran back by more than the jitter of a pulse: two steps or more."""
    return between.litres <= -2 * between.step_litres


def is_silent(last_reading_s: int, now_s: int, *, usual_interval_s: int) -> bool:
    """Whether there is no news from a meter that is usually heard this often.

    Raises:
        ValueError: for an interval that is not positive.
    """
    if usual_interval_s <= 0:
        raise ValueError("an interval is positive")
    return now_s - last_reading_s > max(SILENT_AFTER_INTERVALS * usual_interval_s, _DAY_S)
