"""Reads days and, beside them, the months whose days are past their period, by one statement for all.

In: dwellings with the days wanted, which must come from `scope`. Out: of each its totals by day, and the
parts of months (`month_volume`) that lie within those days. The one rule: what is in the archive
(`archived_month`) is read by nobody here (CN-03).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import BaseDBAsyncClient

from core.consumption import DayTotal
from core.consumption.dashboard import MonthSum
from core.consumption.kept_months import MeterParts, MonthPart, sums_of_parts
from core.services.places.dwelling_days import DaysAsked, rows_of, totals_of_rows
from core.services.shared.columns import joined, moment, moment_or_none
from core.services.shared.time_series import day_of_number

_COLUMNS: Final = ("first_day", "last_day", "amount", "known_days", "partial_days", "estimated_days")
_PART: Final = " || ':' || ".join(f"p.{column}" for column in _COLUMNS)


@dataclass(frozen=True, slots=True)
class KeptMonths:
    """The parts of months of a fluid's meters."""

    meters: Sequence[MeterParts] = ()

    def sums(self, *, without: tuple[date, date] | None = None) -> list[MonthSum]:
        """The months; without the parts that end from the first of these days on and before the second."""
        if without is None:
            return sums_of_parts(self.meters)
        return sums_of_parts(
            [
                MeterParts(
                    meter.installed_on,
                    meter.removed_on,
                    [part for part in meter.parts if not without[0] <= part.last < without[1]],
                )
                for meter in self.meters
            ]
        )


async def totals_and_months(
    connection: BaseDBAsyncClient, asked: Sequence[DaysAsked]
) -> list[tuple[list[DayTotal], KeptMonths]]:
    """Of each that was asked for, in turn."""
    parts = (
        f", (SELECT {joined(connection, _PART)} FROM month_volume p WHERE p.meter_id = m.id"  # noqa: S608 - our own words
        " AND p.first_day >= k.first_day AND p.last_day <= k.last_day) AS parts"
    )
    found = await rows_of(connection, asked, beside=parts)
    return [
        (
            totals_of_rows(rows, one.time_zone),
            KeptMonths([_meter(row, ZoneInfo(one.time_zone)) for row in rows]),
        )
        for rows, one in zip(found, asked, strict=True)
    ]


def _meter(row: Mapping[str, Any], zone: ZoneInfo) -> MeterParts:
    removed_at = moment_or_none(row["removed_at"])
    return MeterParts(
        installed_on=moment(row["installed_at"]).astimezone(zone).date(),
        removed_on=removed_at.astimezone(zone).date() if removed_at else None,
        parts=[_part(text) for text in sorted((row["parts"] or "").split(",")) if text],
    )


def _part(text: str) -> MonthPart:
    """`20231101:20231130:300:1073741823:0:0`."""
    first, last, amount, known, partial, estimated = map(int, text.split(":"))
    return MonthPart(day_of_number(first), day_of_number(last), amount, known, partial, estimated)
