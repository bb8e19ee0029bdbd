"""Withdraws alerts of consumption that corrected volumes no longer show.

In: meters and the days whose volumes changed. Out: the alerts of days and months that pass no threshold any
more are gone, the figures of the others are right. The one rule: an alert is measured as when it was
raised; new ones are raised by the rules of intake, which look at this month and the one before.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from tortoise.backends.base.client import TransactionalDBClient

from core.alerting.over_consumption import YEARS_COMPARED
from core.consumption import Month
from core.consumption.totals import MeterDays, total_by_day
from core.models import Alert, AlertKind
from core.services.alerts.over_consumption import compared_days, judge_month, living_since
from core.services.alerts.withdrawals import withdraw_alerts
from core.services.places.daily_volumes import days_by_fluid
from core.services.places.meter_directory import MeterEntry

_ONE_DAY = timedelta(days=1)


async def review_consumption_alerts(
    connection: TransactionalDBClient, touched: Mapping[MeterEntry, tuple[date, date]], *, now: datetime
) -> int:
    """Judge the alerts of the days, and those of later years that were compared with them; returns how many
    were withdrawn.
    """
    if not touched:
        return 0
    dwellings = {meter.dwelling_id for meter in touched}
    rows = Alert.filter(kind=AlertKind.OVER_CONSUMPTION, dwelling_id__in=list(dwellings))
    alerted = {row.dwelling_id for row in await rows.using_db(connection).only("id", "dwelling_id")}
    return sum(
        [
            await _review(connection, meter, days, now=now)
            for meter, days in touched.items()
            if meter.dwelling_id in alerted
        ]
    )


async def _review(
    connection: TransactionalDBClient, meter: MeterEntry, days: tuple[date, date], *, now: datetime
) -> int:
    first, last = days
    compared_until = Month.of(last).plus(12 * YEARS_COMPARED).last_day
    rows = Alert.filter(
        kind=AlertKind.OVER_CONSUMPTION,
        dwelling_id=meter.dwelling_id,
        fluid=meter.fluid,
        ended_on__gt=first,
        started_on__lte=compared_until,
    )
    gone: list[Alert] = []
    for alert in await rows.using_db(connection).order_by("id"):
        if alert.account_id is not None and alert.started_on > last:
            continue
        figures = await _figures(connection, alert, now=now)
        if figures is None:
            gone.append(alert)
        elif figures != (alert.amount, alert.threshold):
            alert.amount, alert.threshold = figures
            await alert.save(using_db=connection, update_fields=["amount", "threshold"])
    await withdraw_alerts(connection, gone, now=now)
    return len(gone)


async def _figures(
    connection: TransactionalDBClient, alert: Alert, *, now: datetime
) -> tuple[int, int] | None:
    """The amount of an alert's period and what it passed; None where it passes nothing any more."""
    assert alert.ended_on is not None
    assert alert.threshold is not None
    month, where = Month.of(alert.started_on), (alert.dwelling_id, alert.fluid)
    if alert.account_id is None:
        living_there = await living_since(connection, [alert.dwelling_id], now)
        since, _ = living_there.get(alert.dwelling_id, (date.max, date.max))
        if since <= alert.started_on:
            stored = await days_by_fluid(
                [alert.dwelling_id], *compared_days([{month}]), fluid=alert.fluid, connection=connection
            )
            found = judge_month(stored.get(where, ()), month, since=since)
            return None if found is None else (found.amount, int(found.threshold))
    own = (alert.started_on, alert.ended_on - _ONE_DAY)
    stored = await days_by_fluid([alert.dwelling_id], own, fluid=alert.fluid, connection=connection)
    amount = _amount(stored.get(where, ()))
    return (amount, alert.threshold) if amount > alert.threshold else None


def _amount(days: Iterable[MeterDays]) -> int:
    return sum(one.amount for one in total_by_day(days))
