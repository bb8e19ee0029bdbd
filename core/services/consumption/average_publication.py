"""Publishes what the homes of buildings used on average, a month of a residence at a time, once.

In: the moment. Out: rows of `building_average`. The one rule: a figure is of five homes or more, none of
which has more than half of the amount or of the surface (`core.access.floor`), of a whole calendar month, and
never changed: whoever has both versions of a figure could tell what the home in between has used. The figures
of a month do not overlap: a residence has one for each of its buildings, or one for all of them.

A month is published when it has been over for three days, before its notes are due. The first time, the 37
months before are, from the first one of which anything is known.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.exceptions import IntegrityError

from core.access.floor import FLOOR, Contribution, may_stand_alone
from core.consumption import Month
from core.consumption.fluids import Fluid
from core.consumption.resolutions import MOST_VALUES, Resolution
from core.models import AveragePublication, BuildingAverage
from core.services.shared.columns import decimal_or_none, moment, moment_or_none
from core.services.shared.many_rows import insert_rows
from core.services.shared.time_series import day_number, run
from core.services.shared.transaction import current_database, transactional

SETTLED_AFTER: Final = timedelta(days=3)
"""Late readings of a month come within days; what comes later is in no average."""

CM2_PER_M2: Final = 10_000


@dataclass(frozen=True, slots=True)
class AveragedMeter:
    """A meter of a home, with what it counted by month and on how many days."""

    first_day: date
    last_day: date | None
    months: Mapping[Month, tuple[int, int]]

    def expected(self, month: Month) -> int:
        """On how many days of a month it was in service."""
        first = max(self.first_day, month.first_day)
        last = month.last_day if self.last_day is None else min(self.last_day, month.last_day)
        return max(0, (last - first).days + 1)


@dataclass(frozen=True, slots=True)
class AveragedHome:
    """A home with a surface, and its meters of a fluid."""

    dwelling_id: int
    building: str
    surface_m2: Decimal
    meters: Sequence[AveragedMeter]

    def contribution(self, month: Month) -> Contribution | None:
        """What it adds to a month; None unless all of its days are known by all meters in service."""
        amount = days = 0
        for meter in self.meters:
            expected = meter.expected(month)
            counted, known = meter.months.get(month, (0, 0))
            if known < expected:
                return None
            if expected:
                amount, days = amount + counted, days + known
        if days < month.length_days or self.surface_m2 <= 0:
            return None
        surface = int(self.surface_m2 * CM2_PER_M2)
        return Contribution(self.dwelling_id, (amount, surface), (amount, surface))


@dataclass(frozen=True, slots=True)
class MonthAverage:
    """What some homes used in a month together."""

    amount: int
    surface_cm2: int
    homes: int


def month_averages(month: Month, homes: Iterable[AveragedHome]) -> dict[str | None, MonthAverage]:
    """The averages of a fluid's month by building, or of all buildings together (None); empty if too few.

    A building has its own only where each building of the residence has one: otherwise the residence less the
    buildings that are shown would be the homes of the small one.
    """
    by_building: dict[str, list[Contribution]] = {}
    for home in homes:
        one = home.contribution(month)
        if one is not None:
            by_building.setdefault(home.building, []).append(one)
    if len(by_building) > 1 and all(map(may_stand_alone, by_building.values())):
        return {building: _of(some) for building, some in by_building.items()}
    everybody = [one for some in by_building.values() for one in some]
    return {None: _of(everybody)} if everybody and may_stand_alone(everybody) else {}


def _of(contributions: Sequence[Contribution]) -> MonthAverage:
    amount, surface = (sum(one.values[place] for one in contributions) for place in (0, 1))
    return MonthAverage(amount, surface, len(contributions))


async def publish_averages(*, now: datetime) -> int:
    """Publish every month that is due and of which anything is known; returns how many were."""
    newest, made = Month.of((now - SETTLED_AFTER).date()).previous(), 0
    rows = await run(
        current_database(),
        "SELECT r.id, r.time_zone, MAX(p.month) AS last FROM residence r"
        " LEFT JOIN average_publication p ON p.residence_id = r.id"
        " WHERE $1 <= (SELECT COUNT(*) FROM dwelling d"
        " WHERE d.residence_id = r.id AND d.surface_m2 IS NOT NULL)"
        " GROUP BY r.id, r.time_zone HAVING COALESCE(MAX(p.month), 0) < $2 ORDER BY r.id",
        [FLOOR, _number(newest)],
    )
    for row in rows:
        first = newest.plus(1 - MOST_VALUES[Resolution.MONTHLY])
        if row["last"] is not None:
            first = max(first, Month(row["last"] // 100, row["last"] % 100).next())
        homes = await _homes(row["id"], ZoneInfo(row["time_zone"]), first, newest)
        month = first
        while month <= newest:
            if _is_known(month, homes):
                made += await _published(row["id"], month, homes, now=now)
            month = month.next()
    return made


def _is_known(month: Month, homes: Mapping[Fluid, Sequence[AveragedHome]]) -> bool:
    """Whether any meter has counted anything in a month."""
    return any(month in meter.months for some in homes.values() for home in some for meter in home.meters)


async def _published(
    residence_id: int, month: Month, homes: Mapping[Fluid, Sequence[AveragedHome]], *, now: datetime
) -> bool:
    """Whether the month was published here; False if another process was faster."""
    averages = {fluid: month_averages(month, some) for fluid, some in homes.items()}
    try:
        await _store(residence_id, month, averages, now=now)
    except IntegrityError:
        return False
    return True


@transactional
async def _store(
    connection: TransactionalDBClient,
    residence_id: int,
    month: Month,
    averages: Mapping[Fluid, Mapping[str | None, MonthAverage]],
    *,
    now: datetime,
) -> None:
    publication = await AveragePublication.create(
        residence_id=residence_id, month=_number(month), published_at=now, using_db=connection
    )
    rows = [
        BuildingAverage(
            publication_id=publication.id,
            fluid=fluid,
            building=building,
            amount=one.amount,
            surface_cm2=one.surface_cm2,
            homes=one.homes,
        )
        for fluid, by_building in averages.items()
        for building, one in by_building.items()
    ]
    await insert_rows(connection, rows)


def _number(month: Month) -> int:
    """October 2026 as 202610, the form in which months are stored."""
    return month.year * 100 + month.month


async def _homes(
    residence_id: int, zone: ZoneInfo, first: Month, last: Month
) -> dict[Fluid, list[AveragedHome]]:
    """The homes of a residence that have a surface, by fluid, with their months; by one statement.

    Units of heat cost allocators depend on their radiators (EN 834): they are left out.
    """
    rows = await run(
        current_database(),
        "SELECT d.id AS dwelling_id, d.building, d.surface_m2, m.id AS meter_id, m.fluid, m.installed_at,"
        " m.removed_at, v.day / 100 AS month, SUM(v.amount) AS amount,"
        " SUM(CASE WHEN v.quality <> 'P' THEN 1 ELSE 0 END) AS days"
        " FROM dwelling d JOIN meter m ON m.dwelling_id = d.id AND m.fluid <> $2"
        " LEFT JOIN daily_volume v ON v.meter_id = m.id AND v.day BETWEEN $3 AND $4"
        " WHERE d.residence_id = $1 AND d.surface_m2 IS NOT NULL"
        " GROUP BY d.id, m.id, v.day / 100 ORDER BY d.id, m.id",
        [residence_id, Fluid.HEAT_ALLOCATOR.value, day_number(first.first_day), day_number(last.last_day)],
    )
    found: dict[tuple[Fluid, int], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault((Fluid(row["fluid"]), row["dwelling_id"]), []).append(row)
    homes: dict[Fluid, list[AveragedHome]] = {}
    for (fluid, _), of_home in found.items():
        homes.setdefault(fluid, []).append(_home(of_home, zone))
    return homes


def _home(rows: Sequence[dict[str, Any]], zone: ZoneInfo) -> AveragedHome:
    meters: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        meters.setdefault(row["meter_id"], []).append(row)
    surface = decimal_or_none(rows[0]["surface_m2"])
    assert surface is not None
    return AveragedHome(
        dwelling_id=rows[0]["dwelling_id"],
        building=rows[0]["building"],
        surface_m2=surface,
        meters=[_meter(some, zone) for some in meters.values()],
    )


def _meter(rows: Sequence[dict[str, Any]], zone: ZoneInfo) -> AveragedMeter:
    removed_at = moment_or_none(rows[0]["removed_at"])
    return AveragedMeter(
        first_day=moment(rows[0]["installed_at"]).astimezone(zone).date(),
        last_day=None if removed_at is None else removed_at.astimezone(zone).date(),
        months={
            Month(row["month"] // 100, row["month"] % 100): (int(row["amount"]), int(row["days"]))
            for row in rows
            if row["month"] is not None
        },
    )
