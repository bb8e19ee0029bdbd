"""A series of civil days as columns, as charts show it.

In: the days that have data, in order, and the bounds of the series. Out: every day of it; None where nothing
is known. The one rule: the columns are of equal length and the days follow each other without a gap, so a
gap of the data is a day without an amount.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Self, TypeAlias, overload

from core.consumption import DayTotal, Quality
from core.services.places.dwelling_days import DayColumns


class DayWithoutData(NamedTuple):
    """A civil day of which nothing is known."""

    day: date
    amount: None = None
    quality: None = None


DayPoint: TypeAlias = DayTotal | DayWithoutData
"""A civil day of a series."""


@dataclass(frozen=True, slots=True)
class DaySeries(Sequence[DayPoint]):
    """Consecutive civil days; amounts in the fluid's smallest unit, None where there is no data."""

    days: Sequence[date] = ()
    amounts: Sequence[int | None] = ()
    qualities: Sequence[Quality | None] = ()

    @classmethod
    def of(cls, known: DayColumns, first: date, last: date) -> Self:
        """The series from `first` to `last`, both included, of days that are within it."""
        begin, after = first.toordinal(), last.toordinal() + 1
        if len(known.days) == after - begin:  # which are in order, and each once
            return cls(*known)
        days = list(map(date.fromordinal, range(begin, after)))
        amounts: list[int | None] = [None] * len(days)
        qualities: list[Quality | None] = [None] * len(days)
        for day, amount, quality in zip(*known, strict=True):
            place = day.toordinal() - begin
            amounts[place], qualities[place] = amount, quality
        return cls(days, amounts, qualities)

    def __len__(self) -> int:
        return len(self.days)

    def __iter__(self) -> Iterator[DayPoint]:
        return map(_point, self.days, self.amounts, self.qualities)

    @overload
    def __getitem__(self, place: int) -> DayPoint: ...

    @overload
    def __getitem__(self, place: slice) -> "DaySeries": ...

    def __getitem__(self, place: int | slice) -> "DayPoint | DaySeries":
        if isinstance(place, slice):
            return DaySeries(self.days[place], self.amounts[place], self.qualities[place])
        return _point(self.days[place], self.amounts[place], self.qualities[place])


def _point(day: date, amount: int | None, quality: Quality | None) -> DayPoint:
    if amount is None or quality is None:
        return DayWithoutData(day)
    return DayTotal(day, amount, quality)
