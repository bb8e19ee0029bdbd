"""core.consumption.comparison: like with like, and nothing of another occupancy."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.consumption import DayTotal, Quality
from core.consumption.comparison import (
    Compared,
    ComparedWith,
    NotCompared,
    Shift,
    Side,
    Trend,
    compared,
    days_of,
    total_of,
)
from core.consumption.resolutions import BillingStart, DaySpan, Resolution, span_of, spans_until

LONG_AGO = date(2000, 1, 1)
LAST_YEAR, PREVIOUS = ComparedWith.SAME_PERIOD_LAST_YEAR, ComparedWith.PREVIOUS_PERIOD


def days(first: date, last: date, amount: int = 10) -> dict[date, DayTotal]:
    return {day: DayTotal(day, amount, Quality.MEASURED) for day in days_of(DaySpan(first, last))}


@pytest.mark.parametrize(
    ("resolution", "compared_with", "day", "counterpart"),
    [
        (Resolution.DAILY, PREVIOUS, date(2026, 3, 1), date(2026, 2, 22)),
        (Resolution.DAILY, LAST_YEAR, date(2026, 3, 1), date(2025, 3, 1)),
        (Resolution.DAILY, LAST_YEAR, date(2024, 2, 29), None),
        (Resolution.WEEKLY, PREVIOUS, date(2026, 11, 18), date(2026, 9, 30)),
        (Resolution.WEEKLY, LAST_YEAR, date(2026, 11, 18), date(2025, 11, 19)),
        (Resolution.WEEKLY, LAST_YEAR, date(2026, 12, 31), None),
        (Resolution.MONTHLY, PREVIOUS, date(2026, 11, 30), date(2026, 4, 30)),
        (Resolution.MONTHLY, PREVIOUS, date(2026, 9, 30), None),
        (Resolution.MONTHLY, LAST_YEAR, date(2026, 11, 30), date(2025, 11, 30)),
        (Resolution.YEARLY, PREVIOUS, date(2026, 11, 30), date(2019, 11, 30)),
        (Resolution.BILLING_PERIOD, LAST_YEAR, date(2026, 11, 30), date(2025, 11, 30)),
        (Resolution.YEARLY, PREVIOUS, date(3, 1, 1), None),
    ],
)
def test_each_day_has_its_counterpart(
    resolution: Resolution, compared_with: ComparedWith, day: date, counterpart: date | None
) -> None:
    """Of a series of seven values; where the other period has no such day, there is none."""
    assert Shift(resolution, compared_with, 7).day(day) == counterpart


def test_wholes_are_compared_as_wholes() -> None:
    """March with its 31 days and February with its 28, as people read them on their bills."""
    march, known = span_of(date(2026, 3, 5), Resolution.MONTHLY), days(date(2026, 2, 1), date(2026, 3, 31))
    side = Side(known, LONG_AGO)
    (found,) = compared([march], Shift(Resolution.MONTHLY, PREVIOUS, 1), side, side, by_day=True)
    assert found == Compared(
        DaySpan(date(2026, 2, 1), date(2026, 2, 28)), 310, 280, days=31, whole=True, reason=None
    )
    assert (found.difference, found.percent, found.trend) == (30, Decimal("10.7"), Trend.HIGHER)


def test_a_month_in_progress_is_compared_with_as_many_days() -> None:
    """Day by day: the 22nd, of which not all is known, and what comes after are compared with nothing."""
    own = days(date(2026, 11, 1), date(2026, 11, 21), 9)
    own[date(2026, 11, 22)] = DayTotal(date(2026, 11, 22), 4, Quality.PARTIAL)
    other = days(date(2025, 11, 1), date(2025, 11, 30))
    (found,) = compared(
        [span_of(date(2026, 11, 22), Resolution.MONTHLY)],
        Shift(Resolution.MONTHLY, LAST_YEAR, 1),
        Side(own, LONG_AGO),
        Side(other, LONG_AGO),
        by_day=True,
    )
    assert (found.own, found.other, found.days, found.whole) == (189, 210, 21, False)
    assert (found.percent, found.trend) == (Decimal("-10.0"), Trend.LOWER)


def test_days_are_not_compared_for_whom_they_are_not() -> None:
    """Without the right to see days, a month that is not wholly known is not compared."""
    own, other = days(date(2026, 10, 1), date(2026, 10, 31)), days(date(2025, 10, 1), date(2025, 10, 30))
    spans = [span_of(date(2026, 10, 1), Resolution.MONTHLY)]
    shift = Shift(Resolution.MONTHLY, LAST_YEAR, 1)
    asked = spans, shift, Side(own, LONG_AGO), Side(other, LONG_AGO)
    assert compared(*asked, by_day=True)[0].days == 30
    assert compared(*asked, by_day=False)[0].reason is NotCompared.NO_DATA


def test_percent_of_nothing_is_not_known() -> None:
    """A rise from 0 has no percentage; its difference is known."""
    one = Compared(None, 5, 0, 1, whole=True, reason=None)
    assert (one.percent, one.difference, one.trend) == (None, 5, Trend.HIGHER)
    assert Compared(None, 5, 5, 1, whole=True, reason=None).trend is Trend.EQUAL


@given(
    st.sampled_from([one for one in Resolution if one is not Resolution.HOURLY]),
    st.sampled_from(ComparedWith),
    st.dates(date(2024, 1, 1), date(2027, 12, 31)),
    st.integers(1, 14),
    st.dates(date(2023, 1, 1), date(2027, 12, 31)),
    st.sets(st.dates(date(2023, 6, 1), date(2026, 6, 1)), max_size=60),
    st.sampled_from([BillingStart(), BillingStart(7, 1)]),
)
def test_no_day_before_the_occupancy_is_in_any_comparison(
    resolution: Resolution,
    compared_with: ComparedWith,
    until: date,
    count: int,
    move_in: date,
    gaps: set[date],
    billing: BillingStart,
) -> None:
    """Were a predecessor's day in a sum, it would show: each of those is worth a billion."""
    known = {
        day: DayTotal(day, 1 if day >= move_in else 10**9, Quality.MEASURED)
        for day in days_of(DaySpan(date(2022, 1, 1), date(2028, 12, 31)))
        if day not in gaps
    }
    side = Side(known, move_in)
    spans = spans_until(until, resolution, count, billing)
    values = compared(spans, Shift(resolution, compared_with, count, billing), side, side, by_day=True)
    assert len(values) == len(spans)
    for one in (*values, total_of(values)):
        assert (one.own is None) == (one.other is None) == (one.reason is not None)
        assert max(one.other or 0, one.own or 0) < 10**9
        if one.reason is None and not one.whole:
            assert one.days >= 1
    for one in values:
        if one.own is not None and not one.whole:
            assert one.own == one.other == one.days
        if one.reason is NotCompared.OTHER_OCCUPANCY:
            assert one.other_period is not None
            assert one.other_period.last < move_in


def test_the_total_is_of_what_could_be_compared() -> None:
    """A first half-year that lies before the occupancy leaves the second to be compared."""
    known = days(date(2024, 7, 1), date(2025, 12, 31))
    side = Side(known, date(2024, 7, 1))
    spans = spans_until(date(2025, 12, 31), Resolution.MONTHLY, 12)
    values = compared(spans, Shift(Resolution.MONTHLY, LAST_YEAR, 12), side, side, by_day=True)
    assert [one.reason for one in values] == [NotCompared.OTHER_OCCUPANCY] * 6 + [None] * 6
    total = total_of(values)
    assert (total.own, total.other, total.days, total.whole) == (1840, 1840, 184, False)
    nothing = total_of(values[:3])
    assert (nothing.reason, nothing.own) == (NotCompared.OTHER_OCCUPANCY, None)
    assert timedelta(0) == timedelta(days=nothing.days)
