"""What statistics are computed from: the meters of residences with their month, and their leaks.

In: a page of residences, and a month. Out: plain values, a meter or a leak each. The one rule: three
statements a page, each of which finds its rows by an index: dwellings by residence, meters by dwelling,
days by meter and day, leaks by meter; values are made of the rows beside the event loop. Nothing about
occupants is read.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import BaseDBAsyncClient

from core.consumption import Month
from core.consumption.fluids import Fluid
from core.metering import StatusFlag
from core.services.shared.columns import day, day_or_none, decimal_or_none, moment, moment_or_none
from core.services.shared.time_series import day_number, select

PAGE: Final = 20
"""Residences that are read at once: some thousand dwellings."""


@dataclass(frozen=True, slots=True)
class MeterMonth:
    """A meter that was in service in a month, and what it counted; `expected` are its days in service."""

    residence_id: int
    dwelling_id: int
    surface_m2: Decimal | None
    fluid: Fluid
    maker: str
    installed_on: date
    removed_on: date | None
    amount: int
    expected: int
    measured: int
    estimated: int
    partial: int

    @property
    def is_complete(self) -> bool:
        return self.measured + self.estimated >= self.expected


@dataclass(frozen=True, slots=True)
class MeterNow:
    """A meter in service, when it was last received, and whether its battery is reported low then."""

    residence_id: int
    dwelling_id: int
    fluid: Fluid
    maker: str
    installed_on: date
    last_at_s: int | None
    battery_low: bool


@dataclass(frozen=True, slots=True)
class LeakFact:
    """A leak that began or ended in a month; `repaired`: it ended because the flow stopped."""

    residence_id: int
    dwelling_id: int
    fluid: Fluid
    level: int
    started_on: date
    ended_on: date | None
    loss_litres: Decimal | None
    repaired: bool


async def meter_months(
    connection: BaseDBAsyncClient, residence_ids: Sequence[int], month: Month
) -> list[MeterMonth]:
    """The meters that were in service in the month; of a replaced pair both."""
    first, last = day_number(month.first_day), day_number(month.last_day)
    rows = await select(
        connection,
        "SELECT e.id AS residence_id, e.time_zone, d.id AS dwelling_id, d.surface_m2, m.fluid, m.vendor,"  # noqa: S608 - days of our own
        " m.installed_at, m.removed_at, SUM(v.amount) AS amount,"
        " SUM(CASE WHEN v.quality = 'M' THEN 1 ELSE 0 END) AS measured,"
        " SUM(CASE WHEN v.quality = 'E' THEN 1 ELSE 0 END) AS estimated,"
        " SUM(CASE WHEN v.quality = 'P' THEN 1 ELSE 0 END) AS partial"
        " FROM k JOIN residence e ON e.id = k.a JOIN dwelling d ON d.residence_id = e.id"
        " JOIN meter m ON m.dwelling_id = d.id"
        # As literals, so that an index finds the month and not all days of the meter.
        f" LEFT JOIN daily_volume v ON v.meter_id = m.id AND v.day BETWEEN {first} AND {last}"
        " GROUP BY e.id, d.id, m.id ORDER BY d.id, m.id",
        ((residence_id,) for residence_id in residence_ids),
    )
    return await asyncio.to_thread(_meter_months, rows, month)


async def meters_now(connection: BaseDBAsyncClient, residence_ids: Sequence[int]) -> list[MeterNow]:
    """The meters that are in service."""
    rows = await select(
        connection,
        "SELECT e.id AS residence_id, e.time_zone, d.id AS dwelling_id, m.fluid, m.vendor, m.installed_at,"
        " s.last_at, r.status_bits FROM k JOIN residence e ON e.id = k.a"
        " JOIN dwelling d ON d.residence_id = e.id"
        " JOIN meter m ON m.dwelling_id = d.id AND m.removed_at IS NULL"
        " LEFT JOIN meter_state s ON s.meter_id = m.id"
        " LEFT JOIN reading r ON r.meter_id = s.meter_id AND r.read_at = s.last_at ORDER BY d.id, m.id",
        ((residence_id,) for residence_id in residence_ids),
    )
    return await asyncio.to_thread(_meters_now, rows)


def _meters_now(rows: Sequence[dict[str, Any]]) -> list[MeterNow]:
    low = 1 << StatusFlag.BATTERY_LOW.bit
    return [
        MeterNow(
            residence_id=row["residence_id"],
            dwelling_id=row["dwelling_id"],
            fluid=Fluid(row["fluid"]),
            maker=row["vendor"],
            installed_on=moment(row["installed_at"]).astimezone(ZoneInfo(row["time_zone"])).date(),
            last_at_s=row["last_at"],
            battery_low=bool((row["status_bits"] or 0) & low),
        )
        for row in rows
    ]


async def leaks_of(
    connection: BaseDBAsyncClient, residence_ids: Sequence[int], month: Month
) -> list[LeakFact]:
    """The leaks that began or ended in the month."""
    rows = await select(
        connection,
        "SELECT d.residence_id, d.id AS dwelling_id, m.fluid, l.level_max, l.started_on, l.ended_on,"  # noqa: S608 - days of our own
        " l.loss_litres, l.close_reason FROM k JOIN dwelling d ON d.residence_id = k.a"
        " JOIN meter m ON m.dwelling_id = d.id JOIN leak_episode l ON l.meter_id = m.id"
        f" WHERE {_within('l.started_on', month)} OR {_within('l.ended_on', month)} ORDER BY l.id",
        ((residence_id,) for residence_id in residence_ids),
    )
    return [
        LeakFact(
            residence_id=row["residence_id"],
            dwelling_id=row["dwelling_id"],
            fluid=Fluid(row["fluid"]),
            level=row["level_max"],
            started_on=day(row["started_on"]),
            ended_on=day_or_none(row["ended_on"]),
            loss_litres=decimal_or_none(row["loss_litres"]),
            repaired=row["close_reason"] == "NO_FLOW",
        )
        for row in rows
    ]


def _within(column: str, month: Month) -> str:
    """A day of the month, as text that both databases compare as a day."""
    return f"{column} BETWEEN '{month.first_day.isoformat()}' AND '{month.last_day.isoformat()}'"


def _meter_months(rows: Sequence[dict[str, Any]], month: Month) -> list[MeterMonth]:
    found = [_meter_month(row, month) for row in rows]
    return [one for one in found if one.expected > 0]


def _meter_month(row: dict[str, Any], month: Month) -> MeterMonth:
    zone = ZoneInfo(row["time_zone"])
    installed_on = moment(row["installed_at"]).astimezone(zone).date()
    removed_at = moment_or_none(row["removed_at"])
    removed_on = None if removed_at is None else removed_at.astimezone(zone).date()
    first, last = max(installed_on, month.first_day), min(removed_on or month.last_day, month.last_day)
    return MeterMonth(
        residence_id=row["residence_id"],
        dwelling_id=row["dwelling_id"],
        surface_m2=decimal_or_none(row["surface_m2"]),
        fluid=Fluid(row["fluid"]),
        maker=row["vendor"],
        installed_on=installed_on,
        removed_on=removed_on,
        amount=int(row["amount"] or 0),
        expected=max(0, (last - first).days + 1),
        measured=int(row["measured"]),
        estimated=int(row["estimated"]),
        partial=int(row["partial"]),
    )
