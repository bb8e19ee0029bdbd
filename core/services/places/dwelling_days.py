"""Reads what dwellings consumed, by one statement for all that an answer shows: days, or sums by month.

In: dwellings with the days wanted, which must come from `scope`. Out: totals by day of each, or the tabs of
their dashboards. The one rule: the figures are those of `core.consumption.totals`. A fluid with one meter
is summed by the database, month by month; of one with several, the days are read, since a total lacks a
meter that was in service on a day, and whether it was depends on the residence's clock.
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache, partial
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from msgspec import Struct
from tortoise.backends.base.client import BaseDBAsyncClient

from core.consumption import DayTotal, DayVolume, Month, Quality
from core.consumption.dashboard import MonthSum, month_sum, month_sums
from core.consumption.fluids import Fluid
from core.consumption.totals import MeterDays, total_by_day
from core.services.shared.alert_rows import (
    COLUMNS_BESIDE,
    AlertsAsked,
    AlertStatusRow,
    key_beside,
    statuses_beside,
    statuses_of,
)
from core.services.shared.columns import joined, moment, moment_or_none, select_by
from core.services.shared.time_series import QUALITY_OF, day_number, day_of_number
from core.services.shared.transaction import is_sqlite

FLUIDS = tuple(Fluid)
"""The fluids by the numbers with which statements name them."""

FLUID_OF_NUMBER = " ".join(f"WHEN {number} THEN '{fluid.value}'" for number, fluid in enumerate(FLUIDS))
_VOLUMES = "FROM daily_volume v WHERE v.meter_id = m.id AND v.day BETWEEN k.first_day AND k.last_day"
_CORRECTED = (
    "FROM consumption_correction c WHERE c.meter_id = m.id AND c.day BETWEEN k.first_day AND k.last_day"
    " AND c.amount_before IS NOT NULL"
)
"""The days of which another amount was shown before."""


# A range of the key for each month: to group days by month, SQLite sorts them all first. The last number
# counts the days that are ESTIMATED, and in hundreds those that are PARTIAL.
_SUM = (
    "COALESCE(SUM(v.amount), 0) || ':' || COUNT(*) || ':'"
    " || COALESCE(SUM(CASE v.quality WHEN 'M' THEN 0 WHEN 'E' THEN 1 ELSE 100 END), 0)"
    " FROM daily_volume v WHERE v.meter_id = m.id"
)
_MONTHS_OF_KEY = {
    "sqlite": "(SELECT value AS month FROM json_each(k.months)) x",
    "postgresql": "(SELECT value::bigint AS month FROM json_array_elements_text(k.months::json) value) x",
}
_DAYS_OF_MONTH = {
    "sqlite": "MAX(x.month * 100, k.first_day) AND MIN(x.month * 100 + 99, k.last_day)",
    "postgresql": "GREATEST(x.month * 100, k.first_day) AND LEAST(x.month * 100 + 99, k.last_day)",
}


class DaysAsked(Struct, frozen=True):
    """The days of a fluid at a dwelling, both ends included; `meter_id`: of one of its meters alone."""

    dwelling_id: int
    time_zone: str
    fluid: Fluid
    first: date
    last: date
    meter_id: int | None = None


class SumsAsked(Struct, frozen=True):
    """The figures behind a dwelling's dashboard: days, both ends included; `alerts`: how those that run
    there stand, if it shows their number.
    """

    dwelling_id: int
    time_zone: str
    first: date
    last: date
    alerts: AlertsAsked | None = None


class MeterFigures(Struct, frozen=True):
    """A meter of the dwelling, and its last reading of all: when it was read and received, epoch
    seconds.
    """

    meter_id: int
    installed_s: float
    removed_s: float | None
    last_read_s: int | None
    last_received_s: int | None


class FluidSums(Struct, frozen=True):
    """The meters of a fluid at a dwelling, those that were replaced as well, and the sums by month."""

    meters: Sequence[MeterFigures]
    months: Sequence[MonthSum]


class DayColumns(NamedTuple):
    """Totals of days that have data, in the order of time: three columns of equal length."""

    days: Sequence[date]
    amounts: Sequence[int]
    qualities: Sequence[Quality]


async def columns_of(connection: BaseDBAsyncClient, asked: Sequence[DaysAsked]) -> list[DayColumns]:
    """The same as `totals_of`, as columns."""
    found = await rows_of(connection, asked)
    return [_columns_of_rows(meters, one) for meters, one in zip(found, asked, strict=True)]


class DwellingSums(Struct, frozen=True):
    """The sums of a dwelling by its fluids, and how the alerts that were asked for stand."""

    fluids: dict[Fluid, FluidSums]
    alerts: Sequence[AlertStatusRow]


async def totals_of(connection: BaseDBAsyncClient, asked: Sequence[DaysAsked]) -> list[list[DayTotal]]:
    """The totals by day, in the order of time, for each that was asked for."""
    found = await rows_of(connection, asked)
    return [totals_of_rows(meters, one.time_zone) for meters, one in zip(found, asked, strict=True)]


async def rows_of(
    connection: BaseDBAsyncClient, asked: Sequence[DaysAsked], *, beside: str = ""
) -> list[list[dict[str, Any]]]:
    """A row for each meter of each that was asked for, its days as one text; `beside`: a further column."""
    keys = [
        (
            number,
            one.dwelling_id,
            FLUIDS.index(one.fluid),
            one.meter_id or 0,
            day_number(one.first),
            day_number(one.last),
        )
        for number, one in enumerate(asked)
    ]
    rows = await select_by(
        connection,
        dict.fromkeys(("n", "dwelling_id", "fluid", "meter_id", "first_day", "last_day"), "bigint"),
        f"SELECT k.n, m.installed_at, m.removed_at, (SELECT {_days(connection)} {_VOLUMES}) AS days,"  # noqa: S608 - our own words
        f" (SELECT {joined(connection, 'CAST(c.day AS TEXT)')} {_CORRECTED}) AS corrected{beside}"
        " FROM k JOIN meter m ON m.dwelling_id = k.dwelling_id AND k.meter_id IN (0, m.id)"
        f" AND m.fluid = CASE k.fluid {FLUID_OF_NUMBER} END",
        keys,
    )
    found: list[list[dict[str, Any]]] = [[] for _ in asked]
    for row in rows:
        found[row["n"]].append(row)
    return found


async def sums_of(
    connection: BaseDBAsyncClient, asked: Sequence[SumsAsked]
) -> dict[int, dict[Fluid, FluidSums]]:
    """The sums by month of each dwelling and fluid, by the dwelling's number."""
    return {number: found.fluids for number, found in (await figures_of(connection, asked)).items()}


async def figures_of(connection: BaseDBAsyncClient, asked: Sequence[SumsAsked]) -> dict[int, DwellingSums]:
    """The same with alerts, by the dwelling's number."""
    kind = "sqlite" if is_sqlite(connection) else "postgresql"
    months = joined(connection, f"x.month || ':' || (SELECT {_SUM} AND v.day BETWEEN {_DAYS_OF_MONTH[kind]})")
    rows = await select_by(
        connection,
        {
            **dict.fromkeys(("dwelling_id", "first_day", "last_day"), "bigint"),
            "months": "text",
            **COLUMNS_BESIDE,
        },
        "SELECT k.dwelling_id, m.id, m.fluid, m.installed_at, m.removed_at, r.read_at, r.received_at,"  # noqa: S608 - our own words
        f" (SELECT {months} FROM {_MONTHS_OF_KEY[kind]}) AS months,"
        " CASE WHEN EXISTS (SELECT 1 FROM meter o WHERE o.dwelling_id = m.dwelling_id AND o.fluid = m.fluid"
        f" AND o.id <> m.id) THEN (SELECT {_days(connection)} {_VOLUMES}) END AS days,"
        f" {statuses_beside(connection, 'k.dwelling_id')} AS alerts"
        " FROM k LEFT JOIN meter m ON m.dwelling_id = k.dwelling_id"
        " LEFT JOIN meter_state s ON s.meter_id = m.id"
        " LEFT JOIN reading r ON r.meter_id = s.meter_id AND r.read_at = s.last_at",
        [
            (
                *(one.dwelling_id, day_number(one.first), day_number(one.last), _months_of(one)),
                *key_beside(one.alerts),
            )
            for one in asked
        ],
    )
    zones = {one.dwelling_id: one.time_zone for one in asked}
    grouped: dict[int, dict[Fluid, list[dict[str, Any]]]] = {dwelling_id: {} for dwelling_id in zones}
    alerts: dict[int, str | None] = {}
    for row in rows:
        alerts[row["dwelling_id"]] = row["alerts"]
        if row["id"] is not None:
            grouped[row["dwelling_id"]].setdefault(Fluid(row["fluid"]), []).append(row)
    return {
        dwelling_id: DwellingSums(
            {
                fluid: FluidSums([_meter(row) for row in meters], _months(meters, zones[dwelling_id]))
                for fluid, meters in by_fluid.items()
            },
            statuses_of(alerts.get(dwelling_id)),
        )
        for dwelling_id, by_fluid in grouped.items()
    }


def _months_of(asked: SumsAsked) -> str:
    """The months of the days, `[202510,202511]`."""
    numbers = range(Month.of(asked.first).number, Month.of(asked.last).number + 1)
    return str([number // 12 * 100 + number % 12 + 1 for number in numbers])


def _days(connection: BaseDBAsyncClient) -> str:
    """Days as three columns in one text, `20261122,…;350,…;M…`: fewer texts to make than a text a day."""
    columns = ("CAST(v.day AS TEXT)", ","), ("CAST(v.amount AS TEXT)", ","), ("v.quality", "")
    return " || ';' || ".join(joined(connection, column, between) for column, between in columns)


def _meter(row: dict[str, Any]) -> MeterFigures:
    removed_at = moment_or_none(row["removed_at"])
    return MeterFigures(
        meter_id=row["id"],
        installed_s=moment(row["installed_at"]).timestamp(),
        removed_s=removed_at.timestamp() if removed_at else None,
        last_read_s=row["read_at"],
        last_received_s=row["received_at"],
    )


def _months(meters: Sequence[dict[str, Any]], time_zone: str) -> list[MonthSum]:
    if len(meters) > 1:
        return month_sums(totals_of_rows(meters, time_zone))
    parts = [part.split(":") for part in sorted((meters[0]["months"] or "").split(",")) if part]
    return [
        month_sum(
            _month_of(month),
            amount=int(amount),
            days=int(days),
            partial_days=int(unmeasured) // 100,
            estimated_days=int(unmeasured) % 100,
        )
        for month, amount, days, unmeasured in parts
        if days != "0"
    ]


def _columns_of_rows(meters: Sequence[dict[str, Any]], asked: DaysAsked) -> DayColumns:
    if len(meters) == 1 and not _corrected(meters):
        return _columns(meters[0]["days"], _every_day(asked.first, asked.last))
    totals = totals_of_rows(meters, asked.time_zone)
    return DayColumns(*zip(*totals, strict=True)) if totals else _NO_DAYS


def totals_of_rows(meters: Sequence[dict[str, Any]], time_zone: str) -> list[DayTotal]:
    """The totals by day of meters as `rows_of` gives them; those CORRECTED that are measured and were shown
    otherwise before.
    """
    totals, corrected = _totals(meters, time_zone), _corrected(meters)
    if not corrected:
        return totals
    return [
        total._replace(quality=Quality.CORRECTED)
        if total.day in corrected and total.quality is Quality.MEASURED
        else total
        for total in totals
    ]


def _corrected(meters: Sequence[dict[str, Any]]) -> set[date]:
    """The days of which another amount was shown before."""
    return {_day_of(digits) for row in meters for digits in (row.get("corrected") or "").split(",") if digits}


def _totals(meters: Sequence[dict[str, Any]], time_zone: str) -> list[DayTotal]:
    if len(meters) == 1:
        return list(map(_total, zip(*_columns(meters[0]["days"]), strict=True)))
    zone = ZoneInfo(time_zone)
    return total_by_day(
        MeterDays(
            installed_on=moment(row["installed_at"]).astimezone(zone).date(),
            removed_on=removed_at.astimezone(zone).date() if removed_at else None,
            days=list(map(DayVolume, *_columns(row["days"]))),
        )
        for row in meters
        for removed_at in (moment_or_none(row["removed_at"]),)
    )


class _EveryDay(NamedTuple):
    """Consecutive days, as such a text has them, and as dates."""

    text: str
    days: Sequence[date]


@lru_cache(maxsize=128)
def _every_day(first: date, last: date) -> _EveryDay:
    """Most series are asked for by many and have no gap: their days are made once."""
    days = tuple(map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1)))
    return _EveryDay(",".join(str(day_number(day)) for day in days), days)


def _columns(days: str | None, expected: _EveryDay | None = None) -> DayColumns:
    """The days of such a text, in the order of time; `expected`: those that it has if none is missing."""
    if not days:
        return _NO_DAYS
    numbers, amounts, qualities = days.split(";")
    volumes = list(map(int, amounts.split(","))), list(map(QUALITY_OF.__getitem__, qualities))
    if expected is not None and numbers == expected.text:
        return DayColumns(expected.days, *volumes)
    digits = numbers.split(",")
    columns = DayColumns(list(map(_day_of, digits)), *volumes)
    if digits == sorted(digits):
        return columns
    return DayColumns(*zip(*sorted(zip(*columns, strict=True)), strict=True))


_NO_DAYS = DayColumns((), (), ())


_total = cast("Callable[[tuple[date, int, Quality]], DayTotal]", partial(tuple.__new__, DayTotal))
"""As `DayTotal._make`, which checks the length of each."""


@lru_cache(maxsize=1_024)
def _month_of(digits: str) -> Month:
    return Month(int(digits[:4]), int(digits[4:]))


@lru_cache(maxsize=8_192)
def _day_of(digits: str) -> date:
    """Few days, and each in the answers of all dwellings."""
    return day_of_number(int(digits))
