"""Makes everything that follows from meters' readings anew, after readings were taken out or put in.

In: meters, and the moment from which each one's readings changed. Out: their hours and days, their leaks,
their other alerts and their dwellings', as they would be had the readings been so from the start. The one
rule: what the readings still show keeps its row, with what people did about it; an alert that they do not
show is withdrawn, and whoever was notified of it is notified again (`core.services.alerts.withdrawals`).
Where everything is right already, nothing changes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tortoise.backends.base.client import TransactionalDBClient

from core.consumption import day_of, day_start
from core.consumption.corrections import CorrectionReason
from core.leak_thresholds import ThresholdsOf
from core.models import Alert, LeakCheckpoint, LeakClassifierState
from core.services.alerts.condition_review import review_meters
from core.services.alerts.consumption_review import review_consumption_alerts
from core.services.alerts.leak_alerts import notify_relapses, raise_leak_alerts, raise_missing_leak_alerts
from core.services.alerts.leak_detection import forget_leaks, watch
from core.services.alerts.limit_alerts import update_limit_alerts
from core.services.alerts.over_consumption import update_over_consumption_alerts
from core.services.alerts.withdrawals import corrections_queued
from core.services.messaging import outbox
from core.services.places.fine_data import fine_data_kept_from
from core.services.places.meter_directory import MeterEntry
from core.services.places.meter_states import refresh
from core.services.places.volume_corrections import Explanation
from core.services.shared import time_series
from core.services.shared.service_window import Extent, extents, readings_before
from core.services.telegrams.rollups import correct_days

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What a recomputation did: days whose volume was another; alerts changed; messages queued."""

    days: int = 0
    alerts: int = 0
    messages: int = 0


async def recompute_meter(
    connection: TransactionalDBClient,
    meter: MeterEntry,
    *,
    since: datetime | None = None,
    reason: CorrectionReason = CorrectionReason.RECOMPUTED,
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
        reason: why, for the log of what changed.
        thresholds_of: the leak thresholds of an operator (`Application.registry.leak_thresholds`).
        now: the present moment.
    """
    return await recompute_meters(
        connection, {meter: since}, reason=reason, thresholds_of=thresholds_of, now=now
    )


async def recompute_meters(
    connection: TransactionalDBClient,
    since: Mapping[MeterEntry, datetime | None],
    *,
    readings_moved: bool = True,
    reason: CorrectionReason = CorrectionReason.RECOMPUTED,
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> Recomputed:
    """The same of some meters at once, each from a moment on.

    `readings_moved`: from these moments on readings were moved. Otherwise, and of a whole series, volumes
    older than the first reading are those of readings past their retention, and remain.
    """
    stored = await extents(connection, [meter.id for meter in since])
    kept_s: dict[MeterEntry, int] = {}
    for meter, moment in since.items():
        kept = _kept_since(meter, stored[meter.id])
        if kept is not None and (moment is None or not readings_moved):
            kept_s[meter] = kept
    judged_s = {**kept_s, **await _fine_since(connection, since, kept_s)}
    touched = await _touched_days(connection, since, stored, kept_s)
    before = await _alerts_of(connection, touched)
    wrong_days = await correct_days(connection, touched, Explanation(reason, now))
    changed, notifications = await _recompute_leaks(
        connection, touched, judged_s, thresholds_of=thresholds_of, now=now
    )
    begun_s: dict[MeterEntry, int] = {}
    for meter, (first_day, _) in touched.items():
        moment, day_s = since[meter], day_start(first_day, meter.zone)
        begun_s[meter] = day_s if moment is None else max(day_s, int(moment.timestamp()))
    conditions = await review_meters(connection, begun_s, judged_s, thresholds_of=thresholds_of, now=now)
    withdrawn = await review_consumption_alerts(connection, touched, now=now)
    months = await update_over_consumption_alerts(connection, touched, now=now)
    limits = await update_limit_alerts(connection, touched, now=now)
    notifications += [*conditions.notifications, *months, *limits]
    await refresh(connection, since, thresholds_of=thresholds_of)
    corrections = await corrections_queued(connection, before - await _alerts_of(connection, touched))
    return Recomputed(
        days=wrong_days,
        alerts=changed
        + conditions.changed
        + withdrawn
        + len(months)
        + sum(one.alert_id is not None for one in limits),
        messages=corrections + await outbox.queue(connection, notifications, now=now),
    )


async def _alerts_of(connection: TransactionalDBClient, meters: Iterable[MeterEntry]) -> set[int]:
    dwellings = {meter.dwelling_id for meter in meters}
    if not dwellings:
        return set()
    rows = Alert.filter(dwelling_id__in=list(dwellings)).using_db(connection)
    return {row.id for row in await rows.only("id")}


async def _recompute_leaks(
    connection: TransactionalDBClient,
    touched: Mapping[MeterEntry, tuple[date, date]],
    kept_s: Mapping[MeterEntry, int],
    *,
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> tuple[int, list[outbox.Notification]]:
    """Bring the leaks up to date: a classifier state that has seen the days is void, and is made anew.

    Returns how many changed, and the notifications.
    """
    received = await time_series.newest_readings(connection, [meter.id for meter in touched])
    changed = 0
    for meter in touched:
        if meter.id not in received:
            changed += await forget_leaks(connection, meter, now=now)
    read = {meter: days for meter, days in touched.items() if meter.id in received}
    days = await _leak_days(connection, read, kept_s)
    findings = await watch(connection, days, last=received, thresholds_of=thresholds_of, now=now)
    notifications = await raise_leak_alerts(connection, findings, now=now)
    missing = await raise_missing_leak_alerts(connection, read, thresholds_of=thresholds_of, now=now)
    notifications += missing.notifications
    notifications += await notify_relapses(connection, list(read), now=now)
    return changed + len(findings) + missing.alerts, notifications


async def _leak_days(
    connection: TransactionalDBClient,
    touched: Mapping[MeterEntry, tuple[date, date]],
    kept_s: Mapping[MeterEntry, int],
) -> dict[MeterEntry, tuple[date, date]]:
    """The days from which leaks are judged again: only readings that are all kept can be.

    Where older ones are past their retention, the classifier goes on from the first state that was settled
    since: one of before would meet the next reading after a gap that there was not.
    """
    found = dict(touched)
    ids = [meter.id for meter in touched if meter in kept_s]
    if not ids:
        return found
    settled: dict[int, list[int]] = {}
    for model in (LeakCheckpoint, LeakClassifierState):
        rows = model.filter(meter_id__in=ids).using_db(connection)
        for row in await rows.only("id", "meter_id", "settled_s"):
            settled.setdefault(row.meter_id, []).append(row.settled_s)
    for meter, (first, last) in touched.items():
        if meter in kept_s:
            states = [at_s for at_s in settled.get(meter.id, ()) if at_s >= kept_s[meter]]
            if states:
                found[meter] = max(first, day_of(min(states), meter.zone) + _ONE_DAY), last
            else:
                del found[meter]
    return found


def _kept_since(meter: MeterEntry, stored: Extent) -> int | None:
    """The first reading of a meter whose older ones are past their retention; None of one that has them
    all.

    Readings are kept for a time, the volumes of their days for good.
    """
    if stored.first_s is None or stored.first_day is None:
        return None
    return stored.first_s if stored.first_day < day_of(stored.first_s, meter.zone) else None


async def _fine_since(
    connection: TransactionalDBClient, meters: Iterable[MeterEntry], kept_s: Mapping[MeterEntry, int]
) -> dict[MeterEntry, int]:
    """From when on the hours of meters can be judged whose fine data were purged: their days, but not their
    leaks and conditions, follow from the readings that are left.
    """
    meters = list(meters)
    purged = await fine_data_kept_from(connection, {meter.dwelling_id for meter in meters})
    return {
        meter: max(kept_s.get(meter, 0), day_start(purged[meter.dwelling_id], meter.zone))
        for meter in meters
        if meter.dwelling_id in purged
    }


async def _touched_days(
    connection: TransactionalDBClient,
    since: Mapping[MeterEntry, datetime | None],
    stored: Mapping[int, Extent],
    kept_s: Mapping[MeterEntry, int],
) -> dict[MeterEntry, tuple[date, date]]:
    """From the day of the reading before each change to the last day of which anything is stored."""
    moments = {meter.id: int(moment.timestamp()) for meter, moment in since.items() if moment is not None}
    before = await readings_before(connection, moments.items())
    touched: dict[MeterEntry, tuple[date, date]] = {}
    for meter in since:
        extent = stored[meter.id]
        lasts = [day_of(extent.last_s, meter.zone)] if extent.last_s is not None else []
        lasts += [extent.last_day] if extent.last_day is not None else []
        from_s = extent.first_s
        if meter.id in moments:
            before_s = before[meter.id]
            from_s = moments[meter.id] if before_s is None else before_s
        if from_s is None or not lasts:
            continue
        first = day_of(from_s, meter.zone)
        if meter in kept_s:
            # The first of the days whose readings are left is known from more of them than are.
            first = max(first, day_of(kept_s[meter], meter.zone) + _ONE_DAY)
        touched[meter] = first, max(*lasts, first)
    return touched
