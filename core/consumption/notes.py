"""The figures of a note on consumption: a month or year of a fluid, and what it is compared with.

In: the sums by month of a fluid, which hold no day outside the occupancy, and the days of the occupancy. Out:
figures, each with its reason where there is none. The one rule: a comparison is with the same occupant's own
consumption of a whole month (EED-09), and a figure that lacks days says so (decree 2020-886, FR-02: the
consumption since the last note, and that of the calendar year so far).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.consumption.dashboard import MonthSum
from core.consumption.fluids import Fluid
from core.consumption.periods import Month

ALWAYS_NOTED = frozenset({Fluid.HOT_WATER, Fluid.HEAT, Fluid.HEAT_ALLOCATOR})
"""The fluids that decree 2020-886 names; an allocator counts shares of heat."""


class WhyMissing(StrEnum):
    """Why a figure is missing."""

    NOT_READ = "NOT_READ"
    OTHER_OCCUPANCY = "OTHER_OCCUPANCY"


@dataclass(frozen=True, slots=True)
class NotedFigure:
    """An amount in the smallest unit; None with its reason. `complete`: every day of the period is in it."""

    amount: int | None
    complete: bool
    estimated_days: int = 0
    why: WhyMissing | None = None


@dataclass(frozen=True, slots=True)
class FluidNote:
    """What a note says of a fluid."""

    fluid: Fluid
    month: NotedFigure
    previous_month: NotedFigure
    month_of_last_year: NotedFigure
    year_to_date: NotedFigure

    @property
    def has_figures(self) -> bool:
        return self.month.amount is not None


@dataclass(frozen=True, slots=True)
class NoteDays:
    """The days of an occupancy that a note of a month covers.

    `since` is the first day of the occupancy, `first` and `last` are the days of it in the month, and
    `year_first` is the first one of the calendar year.
    """

    month: Month
    since: date
    last: date

    @property
    def first(self) -> date:
        return max(self.since, self.month.first_day)

    @property
    def year_first(self) -> date:
        return max(self.since, date(self.month.year, 1, 1))

    @property
    def earliest(self) -> date:
        """The first day that any figure is made of."""
        return max(self.since, min(self.month.plus(-12).first_day, date(self.month.year, 1, 1)))


def fluid_note(fluid: Fluid, sums: Sequence[MonthSum], days: NoteDays) -> FluidNote:
    """The figures of a fluid."""
    known = {one.volume.month: one for one in sums}
    of_year = [
        one for one in sums if one.volume.month.year == days.month.year and one.volume.month <= days.month
    ]
    return FluidNote(
        fluid=fluid,
        month=sum_of([known[days.month]] if days.month in known else [], days.first, days.last),
        previous_month=_compared(known, days.month.previous(), days),
        month_of_last_year=_compared(known, days.month.plus(-12), days),
        year_to_date=sum_of(of_year, days.year_first, days.last),
    )


def _compared(known: Mapping[Month, MonthSum], month: Month, days: NoteDays) -> NotedFigure:
    """A whole month of the same occupancy."""
    if month.first_day < days.since:
        return NotedFigure(None, complete=False, why=WhyMissing.OTHER_OCCUPANCY)
    return sum_of([known[month]] if month in known else [], month.first_day, month.last_day)


def sum_of(parts: Sequence[MonthSum], first: date, last: date) -> NotedFigure:
    """The sum of months, which hold no day outside `first` to `last`."""
    if not parts:
        return NotedFigure(None, complete=False, why=WhyMissing.NOT_READ)
    days = sum(one.volume.days_with_data for one in parts)
    whole = days == (last - first).days + 1 and not any(one.partial_days for one in parts)
    estimated = sum(one.estimated_days for one in parts)
    return NotedFigure(sum(one.volume.amount for one in parts), complete=whole, estimated_days=estimated)
