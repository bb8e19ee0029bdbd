"""Reads the months of dwellings whose days are past their period, from `month_volume`, by one statement.

In: dwellings with the days wanted, which must come from `scope`. Out: of each the parts of months that lie
within those days. The one rule: what is in the archive (`archived_month`) is read by nobody here (CN-03).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import BaseDBAsyncClient

from core.consumption.dashboard import MonthSum
from core.consumption.fluids import Fluid
from core.consumption.kept_months import MeterParts, MonthPart, sums_of_parts
from core.retention_periods import FEWEST_READING_MONTHS
from core.services.places.dwelling_days import DaysAsked
from core.services.shared.columns import moment, moment_or_none, select_by
from core.services.shared.time_series import day_number, day_of_number

_FLUIDS = tuple(Fluid)
_FLUID = " ".join(f"WHEN {number} THEN '{fluid.value}'" for number, fluid in enumerate(_FLUIDS))
_DAYS_OF_ALL: Final = timedelta(days=FEWEST_READING_MONTHS * 28)
"""Days as young as that are kept by every installation: of those no month need be looked for."""


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


async def kept_months(
    connection: BaseDBAsyncClient, asked: Sequence[DaysAsked], *, today: date
) -> list[KeptMonths]:
    """Of each that was asked for, in turn; no statement where all days are young."""
    if not any(one.first < today - _DAYS_OF_ALL for one in asked):
        return [KeptMonths() for _ in asked]
    rows = await select_by(
        connection,
        dict.fromkeys(("n", "dwelling_id", "fluid", "meter_id", "first_day", "last_day"), "bigint"),
        "SELECT k.n, m.id, m.installed_at, m.removed_at, v.first_day, v.last_day, v.amount, v.known_days,"  # noqa: S608 - our own words
        " v.partial_days, v.estimated_days"
        f" FROM k JOIN meter m ON m.dwelling_id = k.dwelling_id AND m.fluid = CASE k.fluid {_FLUID} END"
        " AND k.meter_id IN (0, m.id)"
        " LEFT JOIN month_volume v ON v.meter_id = m.id AND v.first_day >= k.first_day"
        " AND v.last_day <= k.last_day ORDER BY k.n, m.id, v.first_day",
        [
            (
                number,
                one.dwelling_id,
                _FLUIDS.index(one.fluid),
                one.meter_id or 0,
                day_number(one.first),
                day_number(one.last),
            )
            for number, one in enumerate(asked)
        ],
    )
    found: list[dict[int, list[dict[str, Any]]]] = [{} for _ in asked]
    for row in rows:
        found[row["n"]].setdefault(row["id"], []).append(row)
    return [
        KeptMonths([_meter(rows, ZoneInfo(one.time_zone)) for rows in meters.values()])
        for meters, one in zip(found, asked, strict=True)
    ]


def _meter(rows: Sequence[dict[str, Any]], zone: ZoneInfo) -> MeterParts:
    removed_at = moment_or_none(rows[0]["removed_at"])
    return MeterParts(
        installed_on=moment(rows[0]["installed_at"]).astimezone(zone).date(),
        removed_on=removed_at.astimezone(zone).date() if removed_at else None,
        parts=[part_of_row(row) for row in rows if row["first_day"] is not None],
    )


def part_of_row(row: dict[str, Any]) -> MonthPart:
    """A row of `month_volume` or `archived_month`."""
    return MonthPart(
        day_of_number(row["first_day"]),
        day_of_number(row["last_day"]),
        row["amount"],
        row["known_days"],
        row["partial_days"],
        row["estimated_days"],
    )
