"""Reads what an overview of residences is made of, by a fixed number of statements.

In: residences, which must be the viewer's. Out: rows. The one rule: each table is read once for all
residences, and what is summed is summed by the database: a meter is one row, however many days it has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.expressions import Q
from tortoise.functions import Count

from core.consumption.fluids import Fluid
from core.models import Alert, AlertKind, ConsentPurpose, ConsentRecord, ConsentState
from core.services.shared.columns import moment, moment_or_none, select_by
from core.services.shared.time_series import day_number


@dataclass(frozen=True, slots=True)
class OverviewSpan:
    """The month and the window of days, both ends included, whose data an overview of a residence sums."""

    residence_id: int
    month_first: date
    month_last: date
    window_first: date
    window_last: date

    @property
    def days(self) -> tuple[date, ...]:
        """The four bounds, and the first of all days."""
        first = min(self.month_first, self.window_first)
        return self.month_first, self.month_last, self.window_first, self.window_last, first


@dataclass(frozen=True, slots=True)
class MeterRow:
    """A meter that was in service in the span, with the sums of its days."""

    id: int
    residence_id: int
    dwelling_id: int
    fluid: Fluid
    printed_serial: str
    installed_at: datetime
    removed_at: datetime | None
    last_read_s: int | None
    month_amount: int
    month_days: int
    window_days: int


async def meter_rows(connection: BaseDBAsyncClient, spans: Sequence[OverviewSpan]) -> list[MeterRow]:
    """The meters of residences, by one statement."""
    days = "v.day BETWEEN k.month_first AND k.month_last"
    rows = await select_by(
        connection,
        dict.fromkeys(_SPAN, "bigint"),
        "SELECT m.id, k.residence_id, m.dwelling_id, m.fluid, m.printed_serial, m.installed_at, m.removed_at,"  # noqa: S608 - our own words
        " s.last_at,"
        f" COALESCE(SUM(CASE WHEN {days} THEN v.amount END), 0) AS month_amount,"
        f" COUNT(CASE WHEN {days} AND v.quality <> 'P' THEN 1 END) AS month_days,"
        " COUNT(CASE WHEN v.day BETWEEN k.window_first AND k.window_last THEN 1 END) AS window_days"
        " FROM k JOIN dwelling d ON d.residence_id = k.residence_id JOIN meter m ON m.dwelling_id = d.id"
        " LEFT JOIN meter_state s ON s.meter_id = m.id"
        " LEFT JOIN daily_volume v ON v.meter_id = m.id"
        " AND v.day BETWEEN k.first_day AND k.window_last"
        " GROUP BY m.id, k.residence_id, m.dwelling_id, m.fluid, m.printed_serial, m.installed_at,"
        " m.removed_at, s.last_at ORDER BY m.id",
        [(one.residence_id, *map(day_number, one.days)) for one in spans],
    )
    return [_meter(row) for row in rows]


_SPAN = ("residence_id", "month_first", "month_last", "window_first", "window_last", "first_day")


def _meter(row: dict[str, Any]) -> MeterRow:
    return MeterRow(
        id=row["id"],
        residence_id=row["residence_id"],
        dwelling_id=row["dwelling_id"],
        fluid=Fluid(row["fluid"]),
        printed_serial=row["printed_serial"],
        installed_at=moment(row["installed_at"]),
        removed_at=moment_or_none(row["removed_at"]),
        last_read_s=row["last_at"],
        month_amount=int(row["month_amount"]),
        month_days=row["month_days"],
        window_days=row["window_days"],
    )


@dataclass(frozen=True, slots=True)
class AlertCount:
    """How many alerts of a kind are active in a residence; of leaks by level."""

    residence_id: int
    kind: AlertKind
    level: int | None
    count: int


async def alert_counts(residence_ids: Sequence[int], *, today: date) -> list[AlertCount]:
    """The active alerts of residences that managers see: an own limit is private."""
    goes_on = Q(ended_on=None) | Q(ended_on__gt=today)
    rows = Alert.filter(goes_on, dwelling__residence_id__in=list(residence_ids), account_id=None)
    counted = await (
        rows.annotate(count=Count("id"))
        .group_by("dwelling__residence_id", "kind", "episode__level_now")
        .values("dwelling__residence_id", "kind", "episode__level_now", "count")
    )
    return [
        AlertCount(
            row["dwelling__residence_id"], AlertKind(row["kind"]), row["episode__level_now"], row["count"]
        )
        for row in counted
    ]


async def silent_meters(residence_ids: Sequence[int], *, today: date) -> set[int]:
    """The meters with an active alert of missing data, which goes by each meter's own interval."""
    goes_on = Q(ended_on=None) | Q(ended_on__gt=today)
    rows = Alert.filter(goes_on, dwelling__residence_id__in=list(residence_ids), kind=AlertKind.NO_DATA)
    return {row["meter_id"] for row in await rows.values("meter_id")}


async def last_answers_of(occupancy_ids: Sequence[int]) -> dict[int, tuple[int, ConsentState]]:
    """The last answer to the question of daily data, by occupancy, with its number."""
    given = ConsentRecord.filter(
        occupancy_id__in=list(occupancy_ids), purpose=ConsentPurpose.MANAGER_DAILY_DATA
    )
    rows = await given.order_by("id").values_list("occupancy_id", "id", "state")
    return {occupancy: (number, ConsentState(state)) for occupancy, number, state in rows}
