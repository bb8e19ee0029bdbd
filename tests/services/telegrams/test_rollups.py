"""Volumes by hour and day, as intake leaves them in the tables."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.access import SYSTEM
from core.consumption import Quality, day_start
from core.services.places.hourly_volumes import hours_of
from core.services.places.meter_directory import meters_by_address
from core.services.shared import time_series
from core.services.shared.transaction import current_database
from core.services.telegrams.pipeline import take_in
from tests.support import factories

PARIS = ZoneInfo("Europe/Paris")
DAY = timedelta(days=1)


def midnight(day, zone=PARIS):
    return datetime.fromtimestamp(day_start(day, zone), UTC)


async def days_of(meter_id=1):
    """day -> (amount, quality) of a meter."""
    found = await time_series.days_within(
        current_database(), [meter_id], (date(2020, 1, 1), date(2030, 1, 1))
    )
    return {volume.day: (volume.amount, volume.quality) for volume in found.get(meter_id, [])}


async def test_the_days_add_up_to_what_the_register_counted(application, key_encryption, now, izar) -> None:
    """Amounts telescope: no litre is lost or counted twice between days, hours and batches."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    amounts = [hour * 7 % 31 for hour in range(24 * 6 + 5)]
    lines = izar.hourly(midnight(date(2026, 11, 2)) + timedelta(minutes=17), amounts)
    await take_in(application, SYSTEM, lines[:40], source="test", now=now)
    await take_in(application, SYSTEM, lines[40:], source="test", now=now)
    days = await days_of()
    assert sum(amount for amount, _ in days.values()) == sum(amounts)
    whole = {
        day: quality for day, (_, quality) in days.items() if date(2026, 11, 2) < day < date(2026, 11, 8)
    }
    assert set(whole.values()) == {Quality.MEASURED}
    meters = await meters_by_address(SYSTEM, [izar.address], key_encryption=key_encryption)
    hours = await hours_of(current_database(), {meters[izar.address]: (0, 1 << 40)})
    assert all(hour.start_s % 3600 == 0 for hour in hours[1])
    assert len(hours[1]) == len(amounts) - 1


@pytest.mark.parametrize(("day", "litres"), [(date(2026, 3, 29), 23), (date(2025, 10, 26), 25)])
async def test_a_day_of_the_clock_change_has_its_own_length(
    application, key_encryption, now, izar, day, litres
) -> None:
    """A litre an hour is 23 litres when the clock goes forward, 25 when it goes back."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    await take_in(application, SYSTEM, izar.hourly(midnight(day - DAY), [1] * 72), source="test", now=now)
    assert (await days_of())[day] == (litres, Quality.MEASURED)


async def test_a_week_without_data_is_estimated_and_its_total_is_kept(
    application, key_encryption, now, izar
) -> None:
    """After a gap its days share what the register counted, and are marked as estimates."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    first = midnight(date(2026, 11, 1))
    before = izar.hourly(first, [2] * 48)
    after = izar.hourly(first + 9 * DAY, [2] * 48, index=1000 + 96 + 700)
    await take_in(application, SYSTEM, before + after, source="test", now=now)
    days = await days_of()
    estimated = [days[date(2026, 11, number)] for number in range(3, 10)]
    assert estimated == [(100, Quality.ESTIMATED)] * 7
    assert days[date(2026, 11, 2)] == (48, Quality.MEASURED)


async def test_late_telegrams_fill_a_gap(application, key_encryption, now, izar, tables) -> None:
    """Late lines replace the estimates; the tables equal those of an import in order."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = izar.hourly(midnight(date(2026, 11, 1)), [3] * 120)
    await take_in(application, SYSTEM, lines[:30] + lines[80:], source="test", now=now)
    assert (await days_of())[date(2026, 11, 3)][1] is Quality.ESTIMATED
    await take_in(application, SYSTEM, lines[30:80], source="late", now=now)
    assert {quality for day, (_, quality) in (await days_of()).items()} == {Quality.MEASURED}


@pytest.mark.requirement("C-33")
async def test_a_register_that_starts_again_counts_on(application, key_encryption, now, izar) -> None:
    """Five black digits: past 99,999.999 m3 comes 0, and the day's volume is what ran through."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    first = midnight(date(2026, 11, 1))
    indexes = [99_999_950, 99_999_990, 20, 60]
    lines = [izar.line(index, first + number * DAY) for number, index in enumerate(indexes)]
    for line in lines:
        await take_in(application, SYSTEM, [line], source="test", now=now)
    assert [amount for amount, _ in (await days_of()).values()] == [40, 30, 40]


async def test_a_replaced_meter_is_never_subtracted_from_its_successor(
    application, key_encryption, now, izar, other_izar
) -> None:
    """Old and new meter count their own days; the day of the change is the part of each."""
    swap = midnight(date(2026, 11, 3)) + timedelta(hours=10)
    await factories.residence(
        key_encryption,
        factories.meter(izar.address, removed_at=swap),
        factories.meter(other_izar.address, printed_serial="H18CA029621", installed_at=swap),
    )
    old = izar.hourly(midnight(date(2026, 11, 1)), [2] * 58, index=80_000)
    new = other_izar.hourly(swap, [2] * 48, index=0)
    await take_in(application, SYSTEM, old + new, source="test", now=now)
    assert (await days_of(1))[date(2026, 11, 3)] == (20, Quality.PARTIAL)
    assert (await days_of(2))[date(2026, 11, 3)] == (28, Quality.PARTIAL)
    assert sum(amount for amount, _ in (await days_of(2)).values()) == 96


async def test_a_midnight_inside_an_hour_loses_no_hour(
    application, key_encryption, now, izar, tables, forget
) -> None:
    """In a time zone with a half hour, the hour that midnight divides is kept after a late telegram."""
    await factories.residence(key_encryption, factories.meter(izar.address), time_zone="Asia/Kolkata")
    first = datetime(2026, 11, 1, tzinfo=UTC)
    lines = [izar.line(1000 + number, first + number * timedelta(minutes=15)) for number in range(4 * 72)]
    await take_in(application, SYSTEM, lines, source="test", now=now)
    in_order = await tables()
    await forget()
    late = lines.pop(100)
    await take_in(application, SYSTEM, lines, source="test", now=now)
    await take_in(application, SYSTEM, [late], source="test", now=now)
    assert await tables() == in_order


async def test_heat_is_counted_in_watt_hours(application, key_encryption, now, heat_meter) -> None:
    """A heat meter has volumes as water has; the unit is the fluid's."""
    from core.consumption.fluids import Fluid  # noqa: PLC0415 - the one test that needs it

    spec = factories.meter(heat_meter.address, fluid=Fluid.HEAT, vendor="ista", key=heat_meter.key)
    await factories.residence(key_encryption, spec)
    first = midnight(date(2026, 11, 1))
    lines = [heat_meter.line(500_000 + 1200 * number, first + number * DAY) for number in range(4)]
    summary = await take_in(application, SYSTEM, lines, source="test", now=now)
    assert summary.stored == 4
    assert [amount for amount, _ in (await days_of()).values()] == [1200] * 3


async def test_a_late_reading_above_the_next_ones_counts_nothing_twice(
    application, key_encryption, now, izar, tables, forget
) -> None:
    """A register that ran back by 8 litres, read every day: received late, the 108 gives the same days."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    first = datetime(2026, 11, 1, 6, tzinfo=UTC)
    lines = [
        izar.line(index, first + number * DAY) for number, index in enumerate((100, 108, 100, 104, 112, 130))
    ]
    for line in lines:
        await take_in(application, SYSTEM, [line], source="test", now=now)
    in_order = await tables("daily_volume")
    await forget()
    for line in [lines[0], *lines[2:], lines[1]]:
        await take_in(application, SYSTEM, [line], source="test", now=now)
    assert await tables("daily_volume") == in_order
    assert sum(amount for amount, _ in (await days_of()).values()) == 30
