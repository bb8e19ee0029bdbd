"""The figures of a note are the sums of the days behind them, and of no other day."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.consumption import DayTotal, Month, Quality
from core.consumption.dashboard import month_sums
from core.consumption.fluids import Fluid
from core.consumption.notes import NoteDays, NotedFigure, WhyMissing, fluid_note

OCTOBER = Month(2026, 10)
FIRST = date(2025, 9, 1)
DAYS = [FIRST + timedelta(days=offset) for offset in range((OCTOBER.last_day - FIRST).days + 1)]

gaps = st.sets(st.sampled_from(DAYS), max_size=5)


def summed(totals: list[DayTotal], first: date, last: date) -> tuple[int | None, bool]:
    within = [one for one in totals if first <= one.day <= last]
    whole = len(within) == (last - first).days + 1 and all(
        one.quality is not Quality.PARTIAL for one in within
    )
    return (sum(one.amount for one in within) if within else None, whole and bool(within))


def shown(figure: NotedFigure) -> tuple[int | None, bool]:
    return figure.amount, figure.complete


@given(gaps, gaps, gaps, st.sampled_from(DAYS), st.integers(0, 30))
def test_each_figure_is_the_sum_of_its_days(
    missing: set[date], estimated: set[date], partial: set[date], moved_in: date, days_there: int
) -> None:
    """Whenever the occupant moved in and left, whichever days were read; nothing of before is counted."""
    last = min(max(moved_in, OCTOBER.first_day) + timedelta(days=days_there), OCTOBER.last_day)
    totals = [
        DayTotal(
            day,
            day.toordinal() % 991,
            Quality.PARTIAL
            if day in partial
            else Quality.ESTIMATED
            if day in estimated
            else Quality.MEASURED,
        )
        for day in DAYS
        if moved_in <= day <= last and day not in missing
    ]
    days = NoteDays(OCTOBER, moved_in, last)
    note = fluid_note(Fluid.HEAT, month_sums(totals), days)
    assert shown(note.month) == summed(totals, days.first, last)
    assert shown(note.year_to_date) == summed(totals, max(moved_in, date(2026, 1, 1)), last)
    for figure, month in ((note.previous_month, Month(2026, 9)), (note.month_of_last_year, Month(2025, 10))):
        if moved_in > month.first_day:
            assert figure == NotedFigure(None, complete=False, why=WhyMissing.OTHER_OCCUPANCY)
        else:
            assert shown(figure) == summed(totals, month.first_day, month.last_day)
            assert (figure.why is None) == (figure.amount is not None)
    assert note.month.estimated_days == sum(
        one.quality is Quality.ESTIMATED for one in totals if one.day >= days.first
    )
