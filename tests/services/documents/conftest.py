"""Homes with hot water and heat, and what was read of them."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from core.access import SYSTEM, Role, Viewer
from core.bootstrap import Application
from core.consumption import DayVolume, Quality
from core.consumption.fluids import Fluid
from core.models import Dwelling, Meter, Occupancy, OccupancyKind, Residence
from core.services.places.key_encryption import KeyEncryption
from core.services.places.managed_residences import grant_residence
from core.services.shared import time_series
from tests.support import factories
from tests.support.factories import NOW

PUBLISHED = datetime(2025, 1, 1, tzinfo=UTC)


async def consume(
    meter: Meter, first: date, last: date, *, daily: int, quality: Quality = Quality.MEASURED
) -> None:
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    async with in_transaction() as connection:
        window = time_series.Window(meter.id, time_series.day_number(first), time_series.day_number(last))
        volumes = [(meter.id, DayVolume(day, daily, quality)) for day in days]
        await time_series.replace_days(connection, [window], volumes)


@pytest.fixture
async def claires_home(application: Application, key_encryption: KeyEncryption) -> Dwelling:
    """Claire's dwelling in a residence that was published long ago, with hot water alone."""
    await factories.residence(key_encryption, factories.meter(fluid=Fluid.HOT_WATER))
    await Residence.all().update(published_at=PUBLISHED)
    return await Dwelling.get()


@pytest.fixture
async def gestion(claires_home: Dwelling) -> Viewer:
    """The manager of Claire's residence."""
    number = await factories.account(email="gestion@example.org", role=Role.MANAGER)
    await grant_residence(
        SYSTEM, email="gestion@example.org", operator_code="ocea", residence_code="AA000", now=NOW
    )
    return Viewer(role=Role.MANAGER, account_id=number)


@pytest.fixture
def add_homes(claires_home: Dwelling) -> Callable[..., Awaitable[list[Meter]]]:
    """Adds dwellings with a hot-water meter, whose occupants have no account."""

    async def add(count: int, *, since: date = date(2024, 1, 1), **more: Any) -> list[Meter]:
        first = await Dwelling.all().count()
        homes = [
            Dwelling(residence_id=claires_home.residence_id, number=f"{first + place:05d}", **more)
            for place in range(count)
        ]
        await Dwelling.bulk_create(homes)
        known = await Dwelling.filter(number__in=[home.number for home in homes])
        await Occupancy.bulk_create(
            [Occupancy(dwelling_id=home.id, kind=OccupancyKind.TENANT, move_in=since) for home in known]
        )
        sample = await Meter.first()
        assert sample is not None
        await Meter.bulk_create(
            [
                Meter(
                    dwelling_id=home.id,
                    fluid=Fluid.HOT_WATER,
                    vendor=sample.vendor,
                    printed_serial=f"S{home.number}",
                    serial_key=f"S{home.number}",
                    radio_address=f"SAP-{home.id:08d}-0C-04",
                    installed_at=sample.installed_at,
                )
                for home in known
            ]
        )
        return await Meter.filter(dwelling_id__in=[home.id for home in known]).order_by("dwelling_id")

    return add
