"""Months whose days are deleted: they read as they did by their days, and never reach across a move."""

from collections.abc import Sequence
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.consumption import DayVolume, Month, Quality
from core.consumption.dashboard import DayTotal, month_sums
from core.consumption.kept_months import MeterParts, parts_of, summed_with_months, sums_of_parts
from core.consumption.resolutions import DaySpan, summed
from core.consumption.totals import MeterDays, total_by_day

FIRST = date(2023, 1, 20)
SPAN = 100
DAYS = st.integers(0, SPAN - 1).map(lambda number: FIRST + timedelta(days=number))
STORED = Quality.MEASURED, Quality.ESTIMATED, Quality.PARTIAL
VOLUMES = st.dictionaries(DAYS, st.tuples(st.integers(0, 900), st.sampled_from(STORED)), max_size=SPAN)


def _meter(known: dict[date, tuple[int, Quality]], installed: date, removed: date | None) -> MeterDays:
    days = [DayVolume(day, *known[day]) for day in sorted(known)]
    return MeterDays(installed, removed, days)


def _parts(meters: Sequence[MeterDays], moves: frozenset[date]) -> list[MeterParts]:
    return [MeterParts(one.installed_on, one.removed_on, parts_of(one.days, moves)) for one in meters]


def _totals(meters: Sequence[MeterDays]) -> list[DayTotal]:
    """As the services sum them: one meter is its days."""
    if len(meters) == 1:
        return [DayTotal(day.day, day.amount, day.quality) for day in meters[0].days]
    return total_by_day(meters)


METERS = st.lists(st.builds(_meter, VOLUMES, DAYS, st.none() | DAYS), min_size=1, max_size=3)


@given(METERS, st.frozensets(DAYS, max_size=4))
def test_a_month_by_its_parts_is_the_month_by_its_days(
    meters: list[MeterDays], moves: frozenset[date]
) -> None:
    """Amount, days with data, completeness, quality and the number of estimated days: of any meters,
    replaced or beside one another, with any gaps and any moves.
    """
    assert sums_of_parts(_parts(meters, moves)) == month_sums(_totals(meters))


@given(VOLUMES, st.frozensets(DAYS, max_size=4), DAYS)
def test_a_part_lies_on_one_side_of_a_move(
    known: dict[date, tuple[int, Quality]], moves: frozenset[date], move: date
) -> None:
    """Whoever moved in on a day is shown parts from that day on alone, and they hold that person's days."""
    (meter,) = _parts([_meter(known, FIRST, None)], moves | {move})
    assert not any(part.first < move <= part.last for part in meter.parts)
    own = [part for part in meter.parts if part.first >= move]
    assert sum(part.amount for part in own) == sum(
        amount for day, (amount, _) in known.items() if day >= move
    )


@given(METERS, DAYS)
def test_a_year_of_kept_months_and_days_is_the_year_of_days(meters: list[MeterDays], border: date) -> None:
    """The months before a border by their parts, the rest by its days: the same amount as by days alone,
    and MEASURED only if that was.
    """
    border = border.replace(day=1)
    totals = _totals(meters)
    gone = [
        MeterDays(one.installed_on, one.removed_on, [day for day in one.days if day.day < border])
        for one in meters
    ]
    left = {total.day: total for total in totals if total.day >= border}
    span = DaySpan(date(2023, 1, 1), date(2023, 12, 31))
    whole = summed(span, {total.day: total for total in totals})
    mixed = summed_with_months(span, left, sums_of_parts(_parts(gone, frozenset())))
    assert mixed == whole


def test_a_whole_month_of_measured_days_is_measured() -> None:
    """31 days of 10 litres: 310 litres, complete."""
    days = {date(2023, 3, 1) + timedelta(days=number): (10, Quality.MEASURED) for number in range(31)}
    (found,) = sums_of_parts(_parts([_meter(days, FIRST, None)], frozenset({date(2023, 3, 12)})))
    assert (found.volume.month, found.volume.amount) == (Month(2023, 3), 310)
    assert found.volume.complete
    assert found.volume.quality is Quality.MEASURED
