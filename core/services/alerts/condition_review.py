"""Brings the alerts of meters' conditions in line with their readings after these were corrected.

In: meters, and from when on each one's readings changed. Out: alerts dated anew, withdrawn, or raised. The
one rule: an alert whose condition the readings still show keeps its row and what people did about it; one
that no reading shows is withdrawn. What is new is raised as at intake
(`core.services.alerts.meter_conditions`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.alerting.conditions import BURST_IN_READINGS_S, ConditionRun, runs
from core.consumption import day_of, day_start
from core.leak_thresholds import ThresholdsOf
from core.models import Alert, AlertKind
from core.services.alerts.meter_conditions import (
    CONDITION_KINDS,
    Conditions,
    end_of,
    update_condition_alerts,
)
from core.services.alerts.sightings import STATE_NEIGHBOURS, sightings_of
from core.services.alerts.withdrawals import withdraw_alerts
from core.services.places.meter_directory import MeterEntry
from core.services.shared import time_series
from core.services.shared.service_window import reading_after, reading_before, readings_before
from core.services.shared.time_series import ReadingRow, Window

_LATEST_S = 2**62


@dataclass(frozen=True, slots=True)
class _Spell:
    """Runs of one condition that share civil days: what one alert covers. `ended_on`: None while it
    lasts.
    """

    kind: AlertKind
    started_on: date
    ended_on: date | None

    def holds(self, day: date) -> bool:
        return self.ended_on is None or day <= self.ended_on

    def overlaps(self, alert: Alert) -> bool:
        ends_in_time = alert.ended_on is None or alert.ended_on >= self.started_on
        return alert.kind is self.kind and ends_in_time and self.holds(alert.started_on)


async def review_meters(
    connection: TransactionalDBClient,
    since_s: Mapping[MeterEntry, int],
    kept_s: Mapping[MeterEntry, int],
    *,
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> Conditions:
    """Judge the readings of some meters again, each from a moment on. The dwellings must be locked.

    `kept_s` are the first readings of meters whose older ones are past their retention: an alert of that
    time was shown by readings that are gone, and may only end otherwise.
    """
    if not since_s:
        return Conditions()
    ids = [meter.id for meter in since_s]
    alerts = Alert.filter(meter_id__in=ids, kind__in=CONDITION_KINDS).using_db(connection)
    alerted = {row.meter_id for row in await alerts.only("id", "meter_id")}
    outcome = Conditions()
    for meter, from_s in since_s.items():
        if meter.id in alerted:
            kept_from = day_of(kept_s[meter], meter.zone) if meter in kept_s else date.min
            outcome += await _review(
                connection, meter, from_s, kept_from, thresholds_of=thresholds_of, now=now
            )
    # The others have no alert that may have to be dated anew: they are judged as at intake.
    others = {meter.id: meter for meter in since_s if meter.id not in alerted}
    before = await readings_before(connection, [(meter.id, since_s[meter]) for meter in others.values()])
    windows = []
    for meter in others.values():
        before_s = before[meter.id]
        day = day_of(since_s[meter] if before_s is None else before_s, meter.zone)
        windows.append(Window(meter.id, day_start(day, meter.zone), _LATEST_S))
    rows = await time_series.readings_near(connection, windows)
    if rows:
        outcome += await update_condition_alerts(
            connection,
            [(others[row.meter_id], row) for row in rows],
            thresholds_of=thresholds_of,
            now=now,
        )
    return outcome


async def _review(
    connection: TransactionalDBClient,
    meter: MeterEntry,
    since_s: int,
    kept_from: date,
    *,
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> Conditions:
    before_s = await reading_before(connection, meter.id, since_s)
    since_s = since_s if before_s is None else before_s  # a neighbour decides about its state
    query = Alert.filter(meter_id=meter.id, kind__in=CONDITION_KINDS).using_db(connection)
    alerts = await query.order_by("started_on", "id")
    first_day = _first_day(alerts, day_of(since_s, meter.zone))
    known = [alert for alert in alerts if alert.ended_on is None or alert.ended_on >= first_day]
    first_s = min(since_s, day_start(first_day, meter.zone))
    rows = await time_series.readings_near(
        connection, [Window(meter.id, first_s - BURST_IN_READINGS_S, _LATEST_S)]
    )
    judged = [row for row in rows if row.read_at_s >= first_s]
    outcome = Conditions()
    missing = [alert for alert in known if alert.kind is AlertKind.NO_DATA]
    shown = [alert for alert in known if alert.kind is not AlertKind.NO_DATA]
    spells = _spells(
        await _runs(connection, meter, await _with_context(connection, meter, rows), first_s), meter, now
    )
    outcome.changed += await _settle(connection, shown, spells, kept_from, now=now)
    outcome.changed += await _settle_missing_data(connection, meter, missing, now=now)
    if judged:
        outcome += await update_condition_alerts(
            connection, [(meter, row) for row in judged], thresholds_of=thresholds_of, now=now
        )
    return outcome


def _first_day(alerts: list[Alert], day: date) -> date:
    """The day from which to judge, so that no alert of the days judged began before."""
    while True:
        touched = [one.started_on for one in alerts if one.ended_on is None or one.ended_on >= day]
        earliest = min([day, *touched])
        if earliest == day:
            return day
        day = earliest


async def _with_context(
    connection: TransactionalDBClient, meter: MeterEntry, rows: list[ReadingRow]
) -> list[ReadingRow]:
    """The rows in order, and those before them, which the first is compared with."""
    if not rows:
        return []
    first_s = min(row.read_at_s for row in rows)
    around = await time_series.context_of(
        connection, [Window(meter.id, first_s, first_s)], readings=STATE_NEIGHBOURS
    )
    return sorted({*around, *rows}, key=lambda row: row.read_at_s)


async def _runs(
    connection: TransactionalDBClient, meter: MeterEntry, rows: list[ReadingRow], first_s: int
) -> list[ConditionRun]:
    sightings = await sightings_of(connection, [meter], rows)
    return runs(
        sightings.get(meter.id, []),
        register=meter.register if meter.fluid.is_water else None,
        from_s=first_s,
    )


def _spells(found: list[ConditionRun], meter: MeterEntry, now: datetime) -> list[_Spell]:
    spells: list[_Spell] = []
    latest: dict[AlertKind, int] = {}
    for run in found:
        kind, started_on = AlertKind(run.condition.value), day_of(run.first_s, meter.zone)
        at = latest.get(kind)
        if at is not None and spells[at].holds(started_on):
            ended_on = end_of(run, meter, spells[at].started_on, now=now)
            spells[at] = replace(spells[at], ended_on=ended_on)
            continue
        latest[kind] = len(spells)
        spells.append(_Spell(kind, started_on, end_of(run, meter, started_on, now=now)))
    return spells


async def _settle(
    connection: TransactionalDBClient,
    alerts: list[Alert],
    spells: list[_Spell],
    kept_from: date,
    *,
    now: datetime,
) -> int:
    """Date the alerts by what the readings show, each spell by one; withdraw the others."""
    left, gone, changed = list(spells), [], 0
    for alert in alerts:
        spell = next((one for one in left if one.overlaps(alert)), None)
        if spell is None:
            if alert.started_on > kept_from:
                gone.append(alert)
            continue
        left.remove(spell)
        if alert.started_on <= kept_from:
            spell = replace(spell, started_on=alert.started_on)
        if spell.kind is AlertKind.METER_LEAK and alert.ended_on is not None:
            # It may have ended before its flag did: when the classifier began to decide.
            spell = replace(spell, ended_on=min(alert.ended_on, spell.ended_on or alert.ended_on))
        if (alert.started_on, alert.ended_on) != (spell.started_on, spell.ended_on):
            alert.started_on, alert.ended_on = spell.started_on, spell.ended_on
            await alert.save(using_db=connection, update_fields=["started_on", "ended_on"])
            changed += 1
    await withdraw_alerts(connection, gone, now=now)
    return changed + len(gone)


async def _settle_missing_data(
    connection: TransactionalDBClient, meter: MeterEntry, alerts: list[Alert], *, now: datetime
) -> int:
    """Alerts of missing data: they end with the next reading or the removal; after that there are none."""
    first_s, last_s = meter.service_s
    removed_at = meter.removed_at if meter.removed_at and meter.removed_at <= now else None
    gone, changed = [], 0
    for alert in alerts:
        last_reading_s = int(alert.alert_key.rpartition(":")[2])
        raised_late = removed_at is not None and alert.raised_at > removed_at
        if not first_s <= last_reading_s <= last_s or raised_late:
            gone.append(alert)
            continue
        again_s = await reading_after(connection, meter.id, last_reading_s)
        ends = [day_of(again_s, meter.zone)] if again_s is not None else []
        ends += [meter.day(removed_at)] if removed_at is not None else []
        ended_on = max(min(ends), alert.started_on) if ends else None
        if ended_on != alert.ended_on:
            alert.ended_on = ended_on
            await alert.save(using_db=connection, update_fields=["ended_on"])
            changed += 1
    await withdraw_alerts(connection, gone, now=now)
    return changed + len(gone)
