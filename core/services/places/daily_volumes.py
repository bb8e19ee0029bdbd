"""Reads the daily volumes of dwellings, grouped by dwelling and fluid, with the service time of each meter.

In: dwellings and the periods of civil days wanted. Out: `MeterDays` ready to be summed. One query for the
meters and one for the volumes, however many dwellings are asked for.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import BaseDBAsyncClient

from core.consumption.fluids import Fluid
from core.consumption.totals import MeterDays
from core.services.shared import time_series
from core.services.shared.columns import moment, moment_or_none
from core.services.shared.transaction import current_database


async def days_by_fluid(
    dwelling_ids: Iterable[int],
    *periods: tuple[date, date],
    fluid: Fluid | None = None,
    connection: BaseDBAsyncClient | None = None,
) -> dict[tuple[int, Fluid], list[MeterDays]]:
    """For each dwelling and fluid that has meters, the daily volumes of every one of them.

    Args:
        dwelling_ids: whose meters.
        periods: first and last day, both included; periods must not overlap.
        fluid: that of the meters wanted; all by default.
        connection: the transaction to read in, if any.
    """
    connection = connection or current_database()
    meters = await time_series.select(connection, _METERS, ((number,) for number in dwelling_ids))
    meters = [row for row in meters if fluid is None or row["fluid"] == fluid.value]
    volumes = await time_series.days_within(connection, [row["id"] for row in meters], *periods)
    found: dict[tuple[int, Fluid], list[MeterDays]] = {}
    for row in meters:
        zone, removed_at = ZoneInfo(row["time_zone"]), moment_or_none(row["removed_at"])
        days = MeterDays(
            installed_on=moment(row["installed_at"]).astimezone(zone).date(),
            removed_on=removed_at.astimezone(zone).date() if removed_at else None,
            days=volumes.get(row["id"], ()),
        )
        found.setdefault((row["dwelling_id"], Fluid(row["fluid"])), []).append(days)
    return found


_METERS: Final = (
    "SELECT m.id, m.dwelling_id, m.fluid, m.installed_at, m.removed_at, r.time_zone"
    " FROM k JOIN meter m ON m.dwelling_id = k.a"
    " JOIN dwelling d ON d.id = m.dwelling_id JOIN residence r ON r.id = d.residence_id ORDER BY m.id"
)
