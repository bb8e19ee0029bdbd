"""A year of telegrams through the real intake: every series adds up to what the registers have counted."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.access import SYSTEM, Viewer
from core.consumption.fluids import Fluid
from core.consumption.resolutions import Resolution
from core.models import ConsumptionCorrection, Residence
from core.services.consumption.by_resolution import Consumption, ConsumptionAsked, consumptions
from core.services.telegrams.corrections import withdraw_reading
from core.services.telegrams.pipeline import take_in
from tests.support import factories

PARIS = ZoneInfo("Europe/Paris")
START = datetime(2025, 10, 1, tzinfo=PARIS)
SWAP = datetime(2026, 3, 10, 11, 20, tzinfo=PARIS)
END = datetime(2026, 10, 31, 23, 59, tzinfo=PARIS)
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def life(
    meter: Any, chance: Random, first: datetime, last: datetime, index: int
) -> list[tuple[datetime, int]]:
    """Readings at uneven times, some days without one; the register of 100,000 m3 starts again at 0."""
    at, readings = first.astimezone(UTC), []
    while at <= last:
        readings.append((at, index % 100_000_000))
        at += timedelta(minutes=chance.choice((170, 715, 1_430, 1_450, 3_100)))
        index += chance.choice((0, 30, 120, 260))
    return readings


async def series(viewer: Viewer, resolution: Resolution) -> Consumption:
    asked = ConsumptionAsked(resolution, 1_098, date(2026, 10, 31), fluid=Fluid.COLD_WATER, dwelling_id=1)
    (found,) = await consumptions(viewer, [asked], now=NOW)
    assert isinstance(found, Consumption)
    return found


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_year_adds_up_through_intake(
    application: Any, key_encryption: Any, izar: Any, other_izar: Any, resident: Any, seed: int
) -> None:
    """A replaced meter, a rollover, both changes of the clock, false readings and a withdrawn one, received
    in any order: days, weeks, months, years and billing periods have one sum, that of the indexes.
    """
    specs = [
        factories.meter(izar.address, printed_serial=izar.serial, removed_at=SWAP),
        factories.meter(other_izar.address, printed_serial=other_izar.serial, installed_at=SWAP),
    ]
    await factories.residence(key_encryption, *specs)
    await Residence.all().update(billing_starts="07-01")
    chance = Random(seed)
    old = life(izar, chance, START, SWAP, 99_993_000)
    new = life(other_izar, chance, SWAP + timedelta(minutes=5), END, 12)
    lines = [izar.line(index, at) for at, index in old] + [other_izar.line(index, at) for at, index in new]
    for meter, readings in ((izar, old), (other_izar, new)):
        for place in chance.sample(range(8, len(readings) - 8), 3):
            at, index = readings[place]
            lines.append(meter.line((index + 40_000_000) % 100_000_000, at + timedelta(minutes=2)))
    lines += chance.sample(lines, 30)
    chance.shuffle(lines)
    for first in range(0, len(lines), 97):
        await take_in(application, SYSTEM, lines[first : first + 97], source="test", now=NOW)
    await withdraw_reading(application, SYSTEM, other_izar.address, new[len(new) // 2][0], now=NOW)
    counted = sum(
        (last - first) % 100_000_000 for first, last in ((old[0][1], old[-1][1]), (new[0][1], new[-1][1]))
    )
    claire = await resident()
    days = await series(claire, Resolution.DAILY)
    assert sum(total.amount for total in days.totals.values()) == counted
    for resolution in Resolution:
        if resolution is not Resolution.HOURLY:
            found = await series(claire, resolution)
            assert sum(value.amount or 0 for value in found.values) == counted, resolution
    explained = {row.day for row in await ConsumptionCorrection.filter(amount_before__isnull=False)}
    corrected = {value.starts_at for value in days.values if value.quality.value == "CORRECTED"}
    assert {int(f"{at:%Y%m%d}") for at in corrected} <= explained
    assert explained
