"""Residences with a month of days, for the statistics of analysts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tortoise.transactions import in_transaction

from core.access import SYSTEM
from core.consumption import DayVolume, Month, Quality
from core.consumption.fluids import Fluid
from core.models import Dwelling, LeakEpisode, Meter, Operator, Residence
from core.services.portfolio.portfolio import upsert_operator
from core.services.shared import time_series
from tests.support import factories

OCTOBER = Month(2026, 10)
INSTALLED = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Home:
    """A dwelling: its surface, what it uses a day, and the days of the month on which it was not read."""

    daily: int
    surface_m2: int | None = 55
    missing_days: int = 0
    maker: str = "ocea"
    fluid: Fluid = Fluid.COLD_WATER


async def add_residence(
    code: str, homes: Sequence[Home], *, operator: str = "ocea", months: Sequence[Month] = (OCTOBER,)
) -> list[int]:
    """A residence whose homes each have one meter; answers the meters' ids."""
    await upsert_operator(SYSTEM, code=operator, name=operator)
    row = await Residence.create(
        operator=await Operator.get(code=operator),
        code=code,
        name=f"Residence {code}",
        street="1 rue des Lilas",
        postcode="69003",
        city="Lyon",
    )
    meters = []
    for number, home in enumerate(homes):
        surface = None if home.surface_m2 is None else Decimal(home.surface_m2)
        dwelling = await Dwelling.create(residence=row, number=str(number), surface_m2=surface)
        meter = await Meter.create(
            dwelling=dwelling,
            fluid=home.fluid,
            vendor=home.maker,
            printed_serial=f"{code}-{number}",
            serial_key=f"{code}-{number}",
            radio_address=f"{code}-{number}"[:20],
            installed_at=INSTALLED,
        )
        meters.append(meter.id)
    async with in_transaction() as connection:
        for month in months:
            await time_series.replace_days(
                connection,
                [],
                [
                    (meter_id, DayVolume(day, home.daily, Quality.MEASURED))
                    for meter_id, home in zip(meters, homes, strict=True)
                    for day in days_of(month)[home.missing_days :]
                ],
            )
    return meters


def days_of(month: Month) -> list[date]:
    return [month.first_day + timedelta(days=place) for place in range(month.length_days)]


async def add_leak(
    meter_id: int, started_on: date, ended_on: date | None, *, level: int = 1, loss: int = 500
) -> None:
    await LeakEpisode.create(
        meter_id=meter_id,
        started_on=started_on,
        ended_on=ended_on,
        level_at_opening=level,
        level_now=level,
        level_max=level,
        over_range=False,
        q_min_at_opening_lph=Decimal(5),
        loss_litres=Decimal(loss),
        mean_flow_lph=Decimal(5),
        counted_days=3,
        segments=[],
        close_reason=None if ended_on is None else "NO_FLOW",
        judged_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


async def enter(portal: Any, email: str) -> None:
    """Sign in somebody who has no dwellings to ask for."""
    query = """mutation ($email: String!, $password: String!) {
      signIn(input: {email: $email, password: $password}) { ... on SignedIn { token } } }"""
    answer = await portal.ask(query, email=email, password=factories.PASSWORD)
    portal.client.cookies.clear()
    portal.token = answer["signIn"]["token"]
