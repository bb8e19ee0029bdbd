"""Over-consumption: a month that used far more than the same month of the years before.

In: the amounts of a fluid's months. Out: the month with what it is measured against, or None. The one rule:
the amount SO FAR is compared, so the alert is raised as soon as the threshold is passed; a comparison needs
at least one earlier year with complete data. Conflict C-30; the factor two over the mean of three years is
that of the French rule on abnormal water volumes ("loi Warsmann", Code général des collectivités
territoriales, article L2224-12-4).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from core.consumption.periods import Month

YEARS_COMPARED = 3
"""The same calendar month of up to three previous years."""

ABNORMAL_FACTOR = Fraction(2)
"""More than twice the mean is abnormal."""


@dataclass(frozen=True, slots=True)
class OverConsumption:
    """A month above its threshold; amounts in the smallest unit. `threshold` is factor x `reference_mean`."""

    month: Month
    amount: int
    reference_mean: Fraction
    threshold: Fraction
    years_compared: int


def over_consumption(
    month_amounts: Mapping[Month, int], *, current: Month, factor: Fraction = ABNORMAL_FACTOR
) -> OverConsumption | None:
    """The current month when its amount so far exceeds its threshold, else None.

    None also when there is nothing to compare with: the current month has no data, no earlier year has any,
    or the mean of the earlier years is 0 (an empty dwelling is not comparable with an inhabited one).

    Args:
        month_amounts: the current month so far, and earlier months that are COMPLETE; an earlier month with
            gaps must be left out, it would lower the threshold.
        current: the month to judge.
        factor: how many times the mean is still normal.
    """
    amount = month_amounts.get(current)
    earlier = [
        month_amounts[month]
        for month in (current.plus(-12 * years) for years in range(1, YEARS_COMPARED + 1))
        if month in month_amounts
    ]
    if amount is None or not any(earlier):
        return None
    mean = Fraction(sum(earlier), len(earlier))
    threshold = factor * mean
    if amount <= threshold:
        return None
    return OverConsumption(current, amount, mean, threshold, len(earlier))


class LimitPeriod(StrEnum):
    """What a resident's own limit is counted over: a civil day, or a calendar month.

    A GOAL is one for the calendar month too: reaching it is no alert, and hinted at twice.
    """

    DAY = "DAY"
    MONTH = "MONTH"
    GOAL = "GOAL"


GOAL_STAGES = (100, 80)
"""The percentages of a month's goal at which its resident is hinted at, the highest first."""


def goal_stage(amount: int, goal: int) -> int | None:
    """The highest stage of a goal that an amount so far has reached; None below all of them."""
    return next((stage for stage in GOAL_STAGES if 100 * amount >= stage * goal), None)


@dataclass(frozen=True, slots=True)
class ConsumptionLimits:
    """A resident's own limits, in the smallest unit; None is no limit.

    Raises:
        ValueError: for a limit that is not positive.
    """

    per_day: int | None = None
    per_month: int | None = None

    def __post_init__(self) -> None:
        if any(limit is not None and limit <= 0 for limit in (self.per_day, self.per_month)):
            raise ValueError("a limit is positive")


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A day or a month that passed the resident's own limit."""

    period: date | Month
    amount: int
    limit: int


def over_limits(
    day_amounts: Mapping[date, int], month_amounts: Mapping[Month, int], limits: ConsumptionLimits
) -> list[Exceeded]:
    """The days and months above the resident's own limits (C-30), days first, each in the order of time.

    Amounts so far are compared: a day or month in progress is listed as soon as it exceeds the limit.
    """
    found: list[Exceeded] = []
    if limits.per_day is not None:
        found += [
            Exceeded(day, day_amounts[day], limits.per_day)
            for day in sorted(day_amounts)
            if day_amounts[day] > limits.per_day
        ]
    if limits.per_month is not None:
        found += [
            Exceeded(month, month_amounts[month], limits.per_month)
            for month in sorted(month_amounts)
            if month_amounts[month] > limits.per_month
        ]
    return found
