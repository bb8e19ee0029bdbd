"""Reads the daily volumes of dwellings, grouped by dwelling and fluid, with the service time of each meter.

In: dwellings and the periods of civil days wanted. Out: `MeterDays` ready to be summed. One query for the
meters and one for the volumes, however many dwellings are asked for.
"""

from collections.abc import Iterable
from datetime import date
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import BaseDBAsyncClient

from core.consumption.fluids import Fluid
from core.consumption.totals import MeterDays
from core.models import Meter
from core.services.shared import time_series
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
    query = Meter.filter(dwelling_id__in=list(dwelling_ids)).using_db(connection)
    if fluid is not None:
        query = query.filter(fluid=fluid)
    meters = await query.select_related("dwelling__residence")
    volumes = await time_series.days_within(connection, [meter.id for meter in meters], *periods)
    found: dict[tuple[int, Fluid], list[MeterDays]] = {}
    for meter in meters:
        zone = ZoneInfo(meter.dwelling.residence.time_zone)
        days = MeterDays(
            installed_on=meter.installed_at.astimezone(zone).date(),
            removed_on=meter.removed_at.astimezone(zone).date() if meter.removed_at else None,
            days=volumes.get(meter.id, ()),
        )
        found.setdefault((meter.dwelling_id, meter.fluid), []).append(days)
    return found
