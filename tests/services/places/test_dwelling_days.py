"""What the database sums is what the days sum up to."""

import random
from datetime import date, timedelta
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from core.consumption import DayVolume, Quality
from core.consumption.dashboard import month_sums
from core.consumption.fluids import Fluid
from core.models import Meter
from core.services.places.dwelling_days import DaysAsked, SumsAsked, sums_of, totals_of
from core.services.shared import time_series
from core.services.shared.transaction import current_database
from tests.support import factories

FIRST, LAST = date(2025, 11, 14), date(2026, 11, 22)


@pytest.mark.usefixtures("application")
async def test_sums_by_month_are_those_of_the_days(key_encryption: Any) -> None:
    """Of a fluid with one meter, with gaps and days of every quality: 13 months, each as its days say."""
    chance = random.Random(7)
    await factories.residence(key_encryption, factories.meter("SAP-21131C35-15-07"))
    meter = await Meter.all().first().select_related("dwelling__residence")
    assert meter is not None
    days = [FIRST + timedelta(days=offset) for offset in range(-20, (LAST - FIRST).days + 20)]
    qualities = [Quality.MEASURED] * 60 + [Quality.ESTIMATED, Quality.PARTIAL]
    volumes = [
        (meter.id, DayVolume(day, chance.randrange(900), chance.choice(qualities)))
        for day in days
        if chance.random() < 0.97 or day.month == 3
    ]
    async with in_transaction() as connection:
        await time_series.replace_days(connection, [], volumes)
    dwelling_id, zone = meter.dwelling_id, meter.dwelling.residence.time_zone
    database = current_database()
    sums = await sums_of(database, [SumsAsked(dwelling_id, zone, FIRST, LAST)])
    (totals,) = await totals_of(database, [DaysAsked(dwelling_id, zone, meter.fluid, FIRST, LAST)])
    assert [total.day for total in totals] == [
        volume.day for _, volume in volumes if FIRST <= volume.day <= LAST
    ]
    assert sums[dwelling_id][Fluid(meter.fluid)].months == month_sums(totals)
    assert len(month_sums(totals)) == 13
