"""Months whose days were deleted: made of the days before they go, and read like sums of days afterwards.

In: the daily volumes of a meter, and the days on which somebody moved. Out: parts of months; and of the
parts of a fluid's meters the month's volume. The one rule: a month that was made into parts reads as it did
by its days: amount, days with data, completeness and quality are equal (`core.consumption.totals`,
`dashboard`). A part never reaches across a move, so that nobody is shown a part of another's occupancy
(EED-09). The days that were known, partial or estimated remain as bits (day 1 is bit 0): they say nothing
of what was used on which.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta

from core.consumption.dashboard import DayTotal, MonthSum, month_sum
from core.consumption.periods import Month
from core.consumption.resolutions import DaySpan, summed
from core.consumption.volumes import DayVolume, Quality, worst

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MonthPart:
    """Days of one month of a meter, both ends included, and what they add up to."""

    first: date
    last: date
    amount: int
    known: int
    partial: int
    estimated: int


@dataclass(frozen=True, slots=True)
class MeterParts:
    """The parts of one meter, in service from `installed_on` to `removed_on`, both included."""

    installed_on: date
    removed_on: date | None
    parts: Sequence[MonthPart]

    def in_service(self, day: date) -> bool:
        return self.installed_on <= day and (self.removed_on is None or day <= self.removed_on)


def parts_of(days: Iterable[DayVolume], moves: AbstractSet[date]) -> list[MonthPart]:
    """The parts of months that hold data; one begins on the first of a month, and on each day of a move."""
    by_first: dict[date, list[DayVolume]] = {}
    for day in days:
        first = max([day.day.replace(day=1), *(move for move in moves if _within(move, day.day))])
        by_first.setdefault(first, []).append(day)
    return [_part(first, by_first[first], moves) for first in sorted(by_first)]


def _within(move: date, day: date) -> bool:
    """Whether somebody moved in the month of the day, on that day or before."""
    return (move.year, move.month) == (day.year, day.month) and move <= day


def _part(first: date, days: Sequence[DayVolume], moves: AbstractSet[date]) -> MonthPart:
    end = Month.of(first).last_day
    last = min([end, *(move - _ONE_DAY for move in moves if first < move <= end)])
    return MonthPart(
        first,
        last,
        amount=sum(day.amount for day in days),
        known=_bits(day.day for day in days),
        partial=_bits(day.day for day in days if day.quality is Quality.PARTIAL),
        estimated=_bits(day.day for day in days if day.quality is Quality.ESTIMATED),
    )


def _bits(days: Iterable[date]) -> int:
    bits = 0
    for day in days:
        bits |= 1 << (day.day - 1)
    return bits


def sums_of_parts(meters: Sequence[MeterParts]) -> list[MonthSum]:
    """The months of a fluid by the parts of its meters, in the order of time."""
    amounts: dict[Month, int] = {}
    for meter in meters:
        for part in meter.parts:
            month = Month.of(part.first)
            amounts[month] = amounts.get(month, 0) + part.amount
    return [_month(month, amounts[month], meters) for month in sorted(amounts)]


def _month(month: Month, amount: int, meters: Sequence[MeterParts]) -> MonthSum:
    of_meters = [[part for part in meter.parts if Month.of(part.first) == month] for meter in meters]
    known = partial = estimated = 0
    for number in range(month.length_days):
        bit, day = 1 << number, month.first_day + timedelta(days=number)
        having = sum(any(part.known & bit for part in parts) for parts in of_meters)
        if not having:
            continue
        known += 1
        # As in `core.consumption.totals`: a total lacks a meter that was in service and has no data.
        lacks = len(meters) > 1 and having < sum(meter.in_service(day) for meter in meters)
        if lacks or any(part.partial & bit for parts in of_meters for part in parts):
            partial += 1
        elif any(part.estimated & bit for parts in of_meters for part in parts):
            estimated += 1
    return month_sum(month, amount=amount, days=known, partial_days=partial, estimated_days=estimated)


def summed_with_months(
    span: DaySpan, totals: Mapping[date, DayTotal], months: Iterable[MonthSum]
) -> tuple[int, Quality] | None:
    """What a span adds up to, some of whose months have no days any more; None where nothing is known."""
    within = [
        one.volume
        for one in months
        if span.first <= one.volume.month.first_day and one.volume.month.last_day <= span.last
    ]
    if not within:
        return summed(span, totals)
    kept_days = sum(volume.month.length_days for volume in within)
    rest = [total for day, total in totals.items() if span.first <= day <= span.last]
    whole = kept_days + len(rest) == (span.last - span.first).days + 1
    quality = worst([*(volume.quality for volume in within), *(total.quality for total in rest)])
    amount = sum(volume.amount for volume in within) + sum(total.amount for total in rest)
    return amount, quality if whole else Quality.PARTIAL
