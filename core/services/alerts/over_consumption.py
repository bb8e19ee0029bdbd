"""Checks the months of a dwelling's water for over-consumption (C-30, R-197).

In: the meters whose volumes changed. Out: an alert per dwelling, fluid and month that passes twice the mean
of the same month in up to three previous years, and its notification. The one rule: only months of the
present occupants' own occupancy are compared; a predecessor's consumption is not comparable, and private.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from tortoise.backends.base.client import TransactionalDBClient

from core.alerting.over_consumption import YEARS_COMPARED, OverConsumption, over_consumption
from core.consumption import Month, monthly
from core.consumption.fluids import Fluid
from core.consumption.periods import civil_day
from core.consumption.totals import MeterDays, total_by_day
from core.models import Alert, AlertKind
from core.services.messaging.outbox import Notification, Topic
from core.services.places.daily_volumes import days_by_fluid
from core.services.places.meter_directory import MeterEntry
from core.services.places.occupant_periods import occupant_periods

_ONE_DAY = timedelta(days=1)


async def update_over_consumption_alerts(
    connection: TransactionalDBClient,
    touched: Mapping[MeterEntry, tuple[date, date]],
    *,
    now: datetime,
) -> list[Notification]:
    """Judge the month in progress, and the one before while readings of it still arrive."""
    notifications: list[Notification] = []
    months: dict[tuple[int, Fluid], set[Month]] = {}
    for meter, (first_day, last_day) in touched.items():
        if meter.fluid.is_water:
            current = Month.of(meter.day(now))
            judged = {
                month
                for month in (current.previous(), current)
                if Month.of(first_day) <= month <= Month.of(last_day)
            }
            if judged:
                months.setdefault((meter.dwelling_id, meter.fluid), set()).update(judged)
    living_there = await living_since(connection, {dwelling_id for dwelling_id, _ in months}, now)
    comparable = {
        where: judged
        for where, judged in months.items()
        if where[0] in living_there and living_there[where[0]][0] <= max(judged).plus(-12).last_day
    }
    homes = {dwelling_id for dwelling_id, _ in comparable}
    days = await days_by_fluid(homes, *compared_days(comparable.values()), connection=connection)
    for (dwelling_id, fluid), judged in comparable.items():
        since, today = living_there[dwelling_id]
        for month in sorted(judged):
            found = judge_month(days.get((dwelling_id, fluid), ()), month, since=since)
            if found is not None:
                started_on = max(since, month.first_day)
                notifications += await _raise(connection, dwelling_id, fluid, found, started_on, today, now)
    return notifications


def judge_month(days: Iterable[MeterDays], month: Month, *, since: date) -> OverConsumption | None:
    """Whether a month passes its threshold, of the days that somebody has lived there."""
    volumes = monthly(total_by_day(days), visible_from=since)
    amounts = {one.month: one.amount for one in volumes if one.complete or one.month == month}
    return over_consumption(amounts, current=month)


def compared_days(judged: Iterable[set[Month]]) -> list[tuple[date, date]]:
    """The days of the judged months and of those they are compared with: a few months, not whole years."""
    compared = {
        month.plus(-12 * years)
        for months in judged
        for month in months
        for years in range(YEARS_COMPARED + 1)
    }
    return [(month.first_day, month.last_day) for month in sorted(compared)]


async def living_since(
    connection: TransactionalDBClient, dwelling_ids: Iterable[int], now: datetime
) -> dict[int, tuple[date, date]]:
    """Since when all present occupants have lived in each dwelling, and today's date there."""
    found: dict[int, tuple[date, date]] = {}
    for row, period in await occupant_periods(connection, dwelling_ids):
        today = civil_day(now, row.time_zone)
        if period.holds(today):
            since, _ = found.get(row.dwelling_id, (period.first_day, today))
            found[row.dwelling_id] = max(period.first_day, since), today
    return found


async def _raise(
    connection: TransactionalDBClient,
    dwelling_id: int,
    fluid: Fluid,
    found: OverConsumption,
    started_on: date,
    today: date,
    now: datetime,
) -> list[Notification]:
    """The alert of a month, counted from its first day or, in the month of a move-in, from that day on."""
    key = f"over-consumption:{dwelling_id}:{fluid.value}:{started_on}"
    alert = Alert(
        alert_key=key,
        kind=AlertKind.OVER_CONSUMPTION,
        dwelling_id=dwelling_id,
        fluid=fluid,
        started_on=started_on,
        ended_on=found.month.last_day + _ONE_DAY,
        amount=found.amount,
        threshold=int(found.threshold),
        raised_at=now,
    )
    if not await raise_once(connection, alert):
        return []
    return [
        Notification(
            dwelling_id=dwelling_id,
            topic=Topic.OVER_CONSUMPTION,
            template="over_consumption",
            key=key,
            started_on=started_on,
            happened_on=today,
            alert_id=alert.id,
            values={
                "fluid": fluid.value,
                "month": str(found.month),
                "amount": found.amount,
                "threshold": int(found.threshold),
            },
        )
    ]


async def raise_once(connection: TransactionalDBClient, alert: Alert) -> bool:
    """Store an alert; where its key is known already, nothing but its figures changes."""
    known = Alert.filter(alert_key=alert.alert_key).using_db(connection)
    if await known.update(amount=alert.amount, threshold=alert.threshold):
        return False
    await alert.save(using_db=connection)
    return True
