"""Makes everything that follows from a meter's readings anew, after readings were taken out or put in.

In: a meter, and the moment from which its readings changed. Out: its hours and days, its leaks, its other
alerts and its dwelling's, as they would be had the readings been so from the start. The one rule: what the
readings still show keeps its row, with what people did about it; an alert that they do not show is withdrawn,
and whoever was notified of it is notified again (`core.services.alerts.withdrawals`).
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from tortoise.backends.base.client import TransactionalDBClient

from core.consumption import day_of, day_start
from core.leak_thresholds import ThresholdsOf
from core.models import Alert
from core.services.alerts.condition_review import review_conditions
from core.services.alerts.consumption_review import review_consumption_alerts
from core.services.alerts.leak_alerts import notify_relapses, raise_leak_alerts
from core.services.alerts.leak_detection import forget_leaks, watch
from core.services.alerts.limit_alerts import update_limit_alerts
from core.services.alerts.over_consumption import update_over_consumption_alerts
from core.services.alerts.withdrawals import corrections_queued
from core.services.messaging import outbox
from core.services.places.meter_directory import MeterEntry
from core.services.places.meter_states import refresh
from core.services.shared import time_series
from core.services.shared.service_window import extent, reading_before
from core.services.telegrams.rollups import recompute_days


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What a recomputation did: the civil days, None where nothing is stored; alerts changed; messages."""

    days: tuple[date, date] | None
    alerts: int = 0
    messages: int = 0


async def recompute_meter(
    connection: TransactionalDBClient,
    meter: MeterEntry,
    *,
    since: datetime | None = None,
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> Recomputed:
    """Recompute a meter's volumes, leaks and alerts from its stored readings.

    The correction itself (readings moved, marked, accepted) must be stored, and the dwelling be locked
    (`meter_directory.lock_dwellings`).

    Args:
        connection: the transaction of the correction.
        meter: as described now.
        since: the first moment whose reading changed; the whole series by default.
        thresholds_of: the leak thresholds of an operator (`Application.registry.leak_thresholds`).
        now: the present moment.
    """
    days = await _touched_days(connection, meter, since)
    if days is None:
        await refresh(connection, [meter], thresholds_of=thresholds_of)
        return Recomputed(None)
    touched = {meter: days}
    before = await _alerts_of(connection, meter)
    await recompute_days(connection, touched)
    leaks = await _recompute_leaks(connection, meter, days, thresholds_of=thresholds_of, now=now)
    since_s = day_start(days[0], meter.zone) if since is None else int(since.timestamp())
    conditions = await review_conditions(
        connection, meter, since_s=since_s, thresholds_of=thresholds_of, now=now
    )
    withdrawn = await review_consumption_alerts(connection, meter, days, now=now)
    months = await update_over_consumption_alerts(connection, touched, now=now)
    limits = await update_limit_alerts(connection, touched, now=now)
    notifications = [*leaks.notifications, *conditions.notifications, *months, *limits]
    await refresh(connection, [meter], thresholds_of=thresholds_of)
    corrections = await corrections_queued(connection, before - await _alerts_of(connection, meter))
    return Recomputed(
        days,
        alerts=leaks.changed + conditions.changed + withdrawn + len(months) + len(limits),
        messages=corrections + await outbox.queue(connection, notifications, now=now),
    )


async def _alerts_of(connection: TransactionalDBClient, meter: MeterEntry) -> set[int]:
    rows = Alert.filter(dwelling_id=meter.dwelling_id).using_db(connection)
    return {row.id for row in await rows.only("id")}


@dataclass(slots=True)
class _Leaks:
    changed: int = 0
    notifications: list[outbox.Notification] = field(default_factory=list)


async def _recompute_leaks(
    connection: TransactionalDBClient,
    meter: MeterEntry,
    days: tuple[date, date],
    *,
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> _Leaks:
    """Bring the leaks up to date: a classifier state that has seen the days is void, and is made anew."""
    if not await time_series.newest_readings(connection, [meter.id]):
        return _Leaks(await forget_leaks(connection, meter, now=now))
    findings = await watch(connection, {meter: days}, thresholds_of=thresholds_of, now=now)
    notifications = await raise_leak_alerts(connection, findings, now=now)
    notifications += await notify_relapses(connection, [meter], now=now)
    return _Leaks(len(findings), notifications)


async def _touched_days(
    connection: TransactionalDBClient, meter: MeterEntry, since: datetime | None
) -> tuple[date, date] | None:
    """From the day of the reading before the change to the last day of which anything is stored."""
    stored = await extent(connection, meter.id)
    lasts = [day_of(stored.last_s, meter.zone)] if stored.last_s is not None else []
    lasts += [stored.last_day] if stored.last_day is not None else []
    if since is None:
        firsts = [day_of(stored.first_s, meter.zone)] if stored.first_s is not None else []
        if firsts and stored.first_day is not None and stored.first_day < firsts[0]:
            # Readings are kept for a time, the volumes of their days for good: those begin with the readings
            # that are left, and the first of these days is known from more of them than are.
            firsts = [firsts[0] + timedelta(days=1)]
    else:
        since_s = int(since.timestamp())
        before_s = await reading_before(connection, meter.id, since_s)
        firsts = [day_of(since_s if before_s is None else before_s, meter.zone)]
    if not firsts or not lasts:
        return None
    return min(firsts), max(*lasts, *firsts)
