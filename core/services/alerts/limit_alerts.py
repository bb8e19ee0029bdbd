"""Compares the days and months of dwellings with the limits that residents set themselves (C-30, R-197).

In: the meters whose volumes changed. Out: an alert per resident, limit and period that passes it, and its
notification. The one rule: a limit is private to its owner; it applies from the day it was set, to the days
of the owner's own occupancy, and a period is notified once, even if the limit changes later. A month's goal
raises no alert: its owner gets a hint at 80 % and one at 100 %.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import TransactionalDBClient

from core.alerting.over_consumption import (
    ConsumptionLimits,
    Exceeded,
    LimitPeriod,
    goal_stage,
    over_limits,
)
from core.consumption import Month, monthly
from core.consumption.dashboard import DayTotal
from core.consumption.fluids import Fluid
from core.consumption.totals import total_by_day
from core.models import Alert, AlertKind, ConsumptionLimit
from core.services.alerts.over_consumption import raise_once
from core.services.messaging.outbox import Notification, Topic
from core.services.places.daily_volumes import days_by_fluid
from core.services.places.meter_directory import MeterEntry
from core.services.shared.scope import OccupancyPeriod, occupants, with_periods

_ONE_DAY = timedelta(days=1)


async def update_limit_alerts(
    connection: TransactionalDBClient,
    touched: Mapping[MeterEntry, tuple[date, date]],
    *,
    now: datetime,
) -> list[Notification]:
    """Judge the touched days and months against their residents' limits: this month and the one before."""
    if not touched:
        return []
    spans = _spans(touched)
    query = ConsumptionLimit.filter(dwelling_id__in=[dwelling_id for dwelling_id, _ in spans])
    limits = [
        row
        for row in await query.using_db(connection).order_by("id")
        if (row.dwelling_id, row.fluid) in spans
    ]
    if not limits:
        return []
    zones = {meter.dwelling_id: meter.zone for meter in touched}
    today = {dwelling_id: now.astimezone(zone).date() for dwelling_id, zone in zones.items()}
    occupancy_periods = await _periods(connection, limits, today)
    months = {month for day in today.values() for month in (Month.of(day).previous(), Month.of(day))}
    days = await days_by_fluid(
        {row.dwelling_id for row in limits},
        *((month.first_day, month.last_day) for month in sorted(months)),
        connection=connection,
    )
    notifications: list[Notification] = []
    for row in limits:
        occupancy_period = occupancy_periods.get((row.account_id, row.dwelling_id))
        if occupancy_period is not None:
            totals = total_by_day(days.get((row.dwelling_id, row.fluid), ()))
            span = spans[row.dwelling_id, row.fluid]
            if row.period is LimitPeriod.GOAL:
                notifications += _goal_hints(
                    row, totals, occupancy_period, span, zones[row.dwelling_id], today[row.dwelling_id]
                )
                continue
            for found in _exceeded(row, totals, occupancy_period, span, zones[row.dwelling_id]):
                notifications += await _raise(
                    connection, row, found, occupancy_period, today[row.dwelling_id], now
                )
    return notifications


def _spans(touched: Mapping[MeterEntry, tuple[date, date]]) -> dict[tuple[int, Fluid], tuple[date, date]]:
    spans: dict[tuple[int, Fluid], tuple[date, date]] = {}
    for meter, (first, last) in touched.items():
        key = meter.dwelling_id, meter.fluid
        known = spans.get(key, (first, last))
        spans[key] = min(first, known[0]), max(last, known[1])
    return spans


async def _periods(
    connection: TransactionalDBClient, limits: Iterable[ConsumptionLimit], today: Mapping[int, date]
) -> dict[tuple[int, int], OccupancyPeriod]:
    """The occupancy period of each account at each dwelling that it occupies today."""
    query = occupants().filter(
        dwelling_id__in=[row.dwelling_id for row in limits], account_id__in=[row.account_id for row in limits]
    )
    rows = await query.using_db(connection)
    return {
        (row.account_id, row.dwelling_id): occupancy_period
        for row, occupancy_period in await with_periods(rows, connection=connection)
        if row.account_id is not None and occupancy_period.holds(today[row.dwelling_id])
    }


def _exceeded(
    row: ConsumptionLimit,
    totals: Iterable[DayTotal],
    occupancy_period: OccupancyPeriod,
    span: tuple[date, date],
    zone: ZoneInfo,
) -> list[Exceeded]:
    """The touched days, or months, that pass the limit since it was set."""
    set_on, own = (
        row.set_at.astimezone(zone).date(),
        [one for one in totals if occupancy_period.holds(one.day)],
    )
    first, last = span
    if row.period is LimitPeriod.DAY:
        days = {one.day: one.amount for one in own if max(first, set_on) <= one.day <= last}
        return over_limits(days, {}, ConsumptionLimits(per_day=row.amount))
    earliest = Month.of(max(first, set_on))
    months = {
        one.month: one.amount for one in monthly(own) if earliest <= one.month and one.month <= Month.of(last)
    }
    return over_limits({}, months, ConsumptionLimits(per_month=row.amount))


def _goal_hints(
    row: ConsumptionLimit,
    totals: Iterable[DayTotal],
    occupancy_period: OccupancyPeriod,
    span: tuple[date, date],
    zone: ZoneInfo,
    today: date,
) -> list[Notification]:
    """A hint for each touched month that has reached a stage of its goal: the outbox sends each once."""
    earliest = Month.of(max(span[0], row.set_at.astimezone(zone).date()))
    hints = []
    for one in monthly(total for total in totals if occupancy_period.holds(total.day)):
        stage = goal_stage(one.amount, row.amount)
        if stage is None or not earliest <= one.month <= Month.of(span[1]):
            continue
        first_day = one.month.first_day
        whose = f"{row.account_id}:{row.dwelling_id}:{row.fluid.value}"
        hints.append(
            Notification(
                dwelling_id=row.dwelling_id,
                topic=Topic.OVER_CONSUMPTION,
                template="goal",
                key=f"goal:{whose}:{first_day}:{stage}",
                started_on=max(occupancy_period.first_day, first_day),
                happened_on=min(one.month.last_day, today),
                alert_id=None,
                values={
                    "fluid": row.fluid.value,
                    "stage": stage,
                    "month": str(one.month),
                    "amount": one.amount,
                    "goal": row.amount,
                },
                account_id=row.account_id,
            )
        )
    return hints


async def _raise(
    connection: TransactionalDBClient,
    row: ConsumptionLimit,
    found: Exceeded,
    occupancy_period: OccupancyPeriod,
    today: date,
    now: datetime,
) -> list[Notification]:
    period = found.period
    first, last = (period.first_day, period.last_day) if isinstance(period, Month) else (period, period)
    key = f"limit:{row.account_id}:{row.dwelling_id}:{row.fluid.value}:{row.period.value}:{first}"
    alert = Alert(
        alert_key=key,
        kind=AlertKind.OVER_CONSUMPTION,
        dwelling_id=row.dwelling_id,
        fluid=row.fluid,
        account_id=row.account_id,
        own_limit=row.period,
        started_on=max(occupancy_period.first_day, first),
        ended_on=last + _ONE_DAY,
        amount=found.amount,
        threshold=found.limit,
        raised_at=now,
    )
    if not await raise_once(connection, alert):
        return []
    values = {
        "fluid": row.fluid.value,
        "period": row.period.value,
        "amount": found.amount,
        "limit": found.limit,
    }
    return [
        Notification(
            dwelling_id=row.dwelling_id,
            topic=Topic.OVER_CONSUMPTION,
            template="own_limit",
            key=key,
            started_on=alert.started_on,
            happened_on=min(last, today),
            alert_id=alert.id,
            values=values,
            account_id=row.account_id,
        )
    ]
