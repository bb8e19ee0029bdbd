"""The sum of a fluid's meters, day by day."""

from datetime import date, timedelta

import pytest

from core.consumption import DayTotal, DayVolume, Quality
from core.consumption.totals import MeterDays, total_by_day

FIRST = date(2026, 11, 1)
DAY = timedelta(days=1)


def meter(*amounts, start=0, quality=Quality.MEASURED, installed=0, removed=None):
    """A meter with one amount a day from `start` on, counted in days from the first."""
    return MeterDays(
        installed_on=FIRST + installed * DAY,
        removed_on=None if removed is None else FIRST + removed * DAY,
        days=[DayVolume(FIRST + (start + at) * DAY, amount, quality) for at, amount in enumerate(amounts)],
    )


def totals(*meters):
    return [(total.amount, total.quality) for total in total_by_day(meters)]


def test_nothing_sums_to_nothing() -> None:
    """No meters, or meters without data: no day, and not a day of 0."""
    assert totals() == []
    assert totals(meter(), meter()) == []


@pytest.mark.requirement("R-071")
def test_the_meters_of_a_fluid_are_one_sum() -> None:
    """Day by day, in the order of time, whatever the order of the meters."""
    expected = [DayTotal(FIRST + at * DAY, 11 * (at + 1), Quality.MEASURED) for at in range(3)]
    assert total_by_day([meter(1, 2, 3), meter(10, 20, 30)]) == expected
    assert total_by_day([meter(10, 20, 30), meter(1, 2, 3)]) == expected


def test_a_total_that_lacks_a_meter_is_partial() -> None:
    """Where one of the meters in service has no data the sum is PARTIAL."""
    assert totals(meter(1, 1), meter(10)) == [(11, Quality.MEASURED), (1, Quality.PARTIAL)]


def test_a_meter_out_of_service_is_not_expected() -> None:
    """Before its installation and after its removal; on both of these days it is expected."""
    old, new = meter(1, 1, 1, removed=2), meter(5, 5, start=2, installed=2)
    assert totals(old, new) == [
        (1, Quality.MEASURED),
        (1, Quality.MEASURED),
        (6, Quality.MEASURED),
        (5, Quality.MEASURED),
    ]
    assert totals(meter(1, removed=0), meter(5, start=1, installed=0))[0] == (1, Quality.PARTIAL)


@pytest.mark.parametrize("quality", list(Quality))
def test_a_sum_is_as_good_as_its_worst_part(quality) -> None:
    """An estimate makes the sum an estimate."""
    assert totals(meter(1), meter(2, quality=quality)) == [(3, quality)]
