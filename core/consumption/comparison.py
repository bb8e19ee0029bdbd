"""Compares the values of a series with those of another period of the same home.

In: the days of either period, and which of them the viewer may see. Out: of each value the amount it is
compared with, over how many days. The one rule: like is compared with like. Two periods that are wholly known
are compared as wholes, whatever their lengths; otherwise the days that are known in both, each with its
counterpart: the same day of the month, or of the year. So a month in progress is compared with as many days.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from core.consumption.amounts import rounded
from core.consumption.dashboard import DayTotal
from core.consumption.periods import Month
from core.consumption.resolutions import CALENDAR_YEAR, BillingStart, DaySpan, Resolution, span_of
from core.consumption.volumes import Quality


class ComparedWith(StrEnum):
    """The other period."""

    PREVIOUS_PERIOD = "PREVIOUS_PERIOD"
    """The values just before the series, as many as it has."""
    SAME_PERIOD_LAST_YEAR = "SAME_PERIOD_LAST_YEAR"


class Trend(StrEnum):
    """Which way an amount has gone."""

    LOWER = "LOWER"
    HIGHER = "HIGHER"
    EQUAL = "EQUAL"


class NotCompared(StrEnum):
    """Why there is nothing to compare with."""

    OTHER_OCCUPANCY = "OTHER_OCCUPANCY"
    """The other period is not the viewer's (directive (EU) 2012/27, annex VII a: EED-09)."""
    NO_DATA = "NO_DATA"
    """Of one of the periods nothing is known."""
    NO_SUCH_PERIOD = "NO_SUCH_PERIOD"
    """29 February, or week 53, of a year that has none."""
    NOT_FOR_RESOLUTION = "NOT_FOR_RESOLUTION"
    """Hours are not compared."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A value and what it is compared with, both over `days` days of the own period.

    `whole`: both periods are whole. `reason`: why the amounts are None.
    """

    other_period: DaySpan | None
    own: int | None
    other: int | None
    days: int
    whole: bool
    reason: NotCompared | None

    @property
    def difference(self) -> int | None:
        return None if self.own is None or self.other is None else self.own - self.other

    @property
    def percent(self) -> Decimal | None:
        """By how much the own amount lies above (below: negative) the other, with one decimal."""
        if self.own is None or not self.other:
            return None
        return rounded(Fraction(100 * (self.own - self.other), self.other), 1)

    @property
    def trend(self) -> Trend | None:
        difference = self.difference
        if difference is None:
            return None
        return Trend.EQUAL if not difference else Trend.LOWER if difference < 0 else Trend.HIGHER


@dataclass(frozen=True, slots=True)
class Shift:
    """How far the other period lies back: of a series of so many values."""

    resolution: Resolution
    compared_with: ComparedWith
    values: int
    billing: BillingStart = CALENDAR_YEAR

    def day(self, day: date) -> date | None:
        """The counterpart of a day; None where the calendar has none."""
        previous = self.compared_with is ComparedWith.PREVIOUS_PERIOD
        try:
            match self.resolution:
                case Resolution.DAILY if previous:
                    return day - timedelta(days=self.values)
                case Resolution.WEEKLY if previous:
                    return day - timedelta(weeks=self.values)
                case Resolution.WEEKLY:
                    year, week, weekday = day.isocalendar()
                    return date.fromisocalendar(year - 1, week, weekday)
                case Resolution.MONTHLY if previous:
                    month = Month.of(day).plus(-self.values)
                    return date(month.year, month.month, day.day)
                case Resolution.YEARLY | Resolution.BILLING_PERIOD if previous:
                    return day.replace(year=day.year - self.values)
            return day.replace(year=day.year - 1)
        except (ValueError, OverflowError):
            return None

    def span(self, span: DaySpan) -> DaySpan | None:
        """The counterpart of a period; None where the calendar has none."""
        first = self.day(span.first)
        return None if first is None else span_of(first, self.resolution, self.billing)


@dataclass(frozen=True, slots=True)
class Side:
    """The days of a period, and the first of all days that the viewer may see."""

    totals: Mapping[date, DayTotal]
    first_visible: date

    def known(self, day: date | None) -> int | None:
        """The amount of a day that is known to its end."""
        total = None if day is None or day < self.first_visible else self.totals.get(day)
        if total is None or total.quality in {Quality.PARTIAL, Quality.MISSING}:
            return None
        return total.amount

    def whole(self, span: DaySpan) -> int | None:
        """What all days of a period add up to; None if one is not known."""
        amounts = [self.known(day) for day in days_of(span)]
        known = [amount for amount in amounts if amount is not None]
        return sum(known) if len(known) == len(amounts) else None


def days_of(span: DaySpan) -> Iterator[date]:
    """The days of a period."""
    return map(date.fromordinal, range(span.first.toordinal(), span.last.toordinal() + 1))


def compared(
    spans: Sequence[DaySpan], shift: Shift, own: Side, other: Side, *, by_day: bool
) -> list[Compared]:
    """Each period of a series compared.

    Args:
        spans: the periods.
        shift: where the other ones lie.
        own: what is known of the days of the series.
        other: what is known of those it is compared with.
        by_day: whether periods that are not wholly known are compared by their days; to a viewer who may not
            see days their sums would disclose some.
    """
    return [_compared(span, shift, own, other, by_day=by_day) for span in spans]


def _compared(span: DaySpan, shift: Shift, own: Side, other: Side, *, by_day: bool) -> Compared:
    period = shift.span(span)
    if period is None:
        return Compared(None, None, None, 0, whole=False, reason=NotCompared.NO_SUCH_PERIOD)
    if period.last < other.first_visible:
        return Compared(period, None, None, 0, whole=False, reason=NotCompared.OTHER_OCCUPANCY)
    own_whole, other_whole = own.whole(span), other.whole(period)
    if own_whole is not None and other_whole is not None:
        days = (span.last - span.first).days + 1
        return Compared(period, own_whole, other_whole, days, whole=True, reason=None)
    pairs = [
        (mine, theirs)
        for day in (days_of(span) if by_day else ())
        if (mine := own.known(day)) is not None and (theirs := other.known(shift.day(day))) is not None
    ]
    if not pairs:
        return Compared(period, None, None, 0, whole=False, reason=NotCompared.NO_DATA)
    mine_sum, their_sum = sum(mine for mine, _ in pairs), sum(theirs for _, theirs in pairs)
    return Compared(period, mine_sum, their_sum, len(pairs), whole=False, reason=None)


def total_of(values: Iterable[Compared]) -> Compared:
    """All values that could be compared, together; the reason is that of the first where none could."""
    values = list(values)
    found = [one for one in values if one.reason is None]
    periods = [one.other_period for one in values if one.other_period is not None]
    span = DaySpan(periods[0].first, periods[-1].last) if periods else None
    if not found:
        reasons = [one.reason for one in values if one.reason is not None]
        return Compared(
            span, None, None, 0, whole=False, reason=reasons[0] if reasons else NotCompared.NO_DATA
        )
    return Compared(
        span,
        sum(one.own or 0 for one in found),
        sum(one.other or 0 for one in found),
        sum(one.days for one in found),
        whole=all(one.whole for one in values),
        reason=None,
    )
