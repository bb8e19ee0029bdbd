"""Consumption by hour, day, week, month, year or billing period: the days of each value, and their sum.

In: a resolution, how many values, and the day they end with; then totals by day. Out: spans in the order of
time, and the amount and quality of each. The one rule: a span is a whole calendar unit (a week is that of
ISO 8601, Monday to Sunday), and PARTIAL unless each of its days is known; so of the unit in progress, and of
the one of a move, the sum so far is shown, and never as the whole.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, Self

from core.consumption.dashboard import DayTotal
from core.consumption.periods import Month
from core.consumption.volumes import HOUR_S, Quality, worst

_EARLIEST_YEAR = 1900
_COMMON_YEAR: Final = 2023
"""Without 29 February: a day that not every year has begins no period."""

_MONTH_AND_DAY: Final = re.compile(r"[0-9]{2}-[0-9]{2}")


class Resolution(StrEnum):
    """How long one value of a series lasts."""

    HOURLY = "HOURLY"
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"
    BILLING_PERIOD = "BILLING_PERIOD"


MOST_VALUES: Mapping[Resolution, int] = {
    Resolution.HOURLY: 31 * 24,
    Resolution.DAILY: 3 * 366,
    Resolution.WEEKLY: 157,
    Resolution.MONTHLY: 37,
    Resolution.YEARLY: 4,
    Resolution.BILLING_PERIOD: 4,
}
"""The longest series of one query: 31 days by the hour, otherwise what an operator may keep (CN-03)."""


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Consecutive civil days, both ends included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class BillingStart:
    """The day of the year on which the billing periods of a residence begin; 1 January unless stated.

    Raises:
        ValueError: no day of every year.
    """

    month: int = 1
    day: int = 1

    def __post_init__(self) -> None:
        date(_COMMON_YEAR, self.month, self.day)

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """`07-01` is 1 July; None is a residence of which no day was stated.

        Raises:
            ValueError: it is written otherwise, or no day of every year.
        """
        if text is None:
            return cls()
        if not _MONTH_AND_DAY.fullmatch(text):
            raise ValueError("a day of the year is written MM-DD")
        return cls(int(text[:2]), int(text[3:]))

    def span_of(self, day: date) -> DaySpan:
        """The billing period that a day lies in: one year."""
        year = day.year if day >= date(day.year, self.month, self.day) else day.year - 1
        following = date(year + 1, self.month, self.day)
        return DaySpan(date(year, self.month, self.day), following - timedelta(days=1))


CALENDAR_YEAR = BillingStart()


def span_of(day: date, resolution: Resolution, billing: BillingStart = CALENDAR_YEAR) -> DaySpan:
    """The calendar unit that a day lies in; of HOURLY, the day itself."""
    match resolution:
        case Resolution.WEEKLY:
            monday = day - timedelta(days=day.weekday())
            return DaySpan(monday, monday + timedelta(days=6))
        case Resolution.MONTHLY:
            month = Month.of(day)
            return DaySpan(month.first_day, month.last_day)
        case Resolution.YEARLY:
            return DaySpan(date(day.year, 1, 1), date(day.year, 12, 31))
        case Resolution.BILLING_PERIOD:
            return billing.span_of(day)
    return DaySpan(day, day)


def spans_until(
    day: date, resolution: Resolution, count: int, billing: BillingStart = CALENDAR_YEAR
) -> list[DaySpan]:
    """The `count` calendar units up to the one that the day lies in, in the order of time."""
    spans = [span_of(day, resolution, billing)]
    while len(spans) < count and spans[-1].first.year > _EARLIEST_YEAR:
        spans.append(span_of(spans[-1].first - timedelta(days=1), resolution, billing))
    return spans[::-1]


def summed(span: DaySpan, totals: Mapping[date, DayTotal]) -> tuple[int, Quality] | None:
    """What the days of a span add up to; None where none is known."""
    days = (span.last - span.first).days + 1
    found = [
        totals[day]
        for day in (span.first + timedelta(days=number) for number in range(days))
        if day in totals
    ]
    if not found:
        return None
    quality = worst(total.quality for total in found)
    return sum(total.amount for total in found), quality if len(found) == days else Quality.PARTIAL


@dataclass(frozen=True, slots=True)
class MeterHours:
    """The hours of one meter by the second at which each begins, and when the meter was in service."""

    installed_s: float
    removed_s: float
    amounts: Mapping[int, int]

    def in_service(self, start_s: int) -> bool:
        """Whether at any time of the hour."""
        return self.installed_s < start_s + HOUR_S and start_s <= self.removed_s


def summed_hours(meters: Sequence[MeterHours]) -> dict[int, tuple[int, Quality]]:
    """The hours of several meters together; PARTIAL where one that was in service has none."""
    found: dict[int, list[int]] = {}
    for meter in meters:
        for start_s, amount in meter.amounts.items():
            found.setdefault(start_s, []).append(amount)
    return {
        start_s: (
            sum(amounts),
            Quality.PARTIAL
            if len(amounts) < sum(meter.in_service(start_s) for meter in meters)
            else Quality.MEASURED,
        )
        for start_s, amounts in found.items()
    }
