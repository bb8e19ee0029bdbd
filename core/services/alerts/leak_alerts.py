"""Raises the alerts of leaks, in the transaction that found them.

In: the findings of leak detection. Out: one alert row per episode, and the notifications for the outbox.
The one rule: a running leak is notified once at the level it has, however old; so a leak first seen in late
telegrams is notified, also to whoever switches alerts on while it runs. The end of a leak is notified for a
few days only. A leak that somebody dismissed as no leak is stored and not notified, on this meter and for
that time; a leak that begins again after it was reported as repaired is notified to the manager as well. A
leak already notified by the meter's own flag is notified when it grows and when it ends, not at its
opening.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.alerting.workflow import AlertActionKind, AlertStatus
from core.leak_thresholds import ThresholdsOf
from core.leaks.cost import cost_of
from core.leaks.episodes.events import Event, EventKind
from core.models import Alert, AlertKind, LeakEpisode
from core.services.alerts.leak_detection import DetectedLeak, stored_leaks
from core.services.alerts.snoozes import carry_snooze_over, snoozed_leaks, status_of
from core.services.alerts.workflow import add_meter_action, judge_repairs
from core.services.messaging.outbox import Notification, Topic
from core.services.places.meter_directory import MeterEntry


async def raise_leak_alerts(
    connection: TransactionalDBClient, findings: Iterable[DetectedLeak], *, now: datetime
) -> list[Notification]:
    """Store the alerts of the episodes found; returns the notifications for their residents."""
    notifications: list[Notification] = []
    findings = list(findings)
    meters = {finding.meter.id: finding.meter for finding in findings}
    dismissed = await snoozed_leaks(connection, meters.values(), now=now)
    flagged = await _flagged(connection, meters)
    for finding in findings:
        episode, meter = finding.episode, finding.meter
        key = f"leak:{episode.id}"
        alert = await Alert.get_or_none(alert_key=key, using_db=connection) or Alert(
            alert_key=key,
            kind=AlertKind.LEAK,
            dwelling_id=meter.dwelling_id,
            fluid=meter.fluid,
            episode_id=episode.id,
            raised_at=now,
        )
        is_new = alert.pk is None
        alert.started_on, alert.ended_on = episode.started_on, episode.ended_on
        await alert.save(using_db=connection)
        if is_new and (before := dismissed.get(meter.id)) is not None:
            await carry_snooze_over(connection, alert, before)
        today = meter.day(now)
        is_dismissed = status_of(alert, level=episode.level_now, today=today) is AlertStatus.NOT_A_LEAK
        notified = any(_overlaps(flag, episode) for flag in flagged.get(meter.id, []))
        known = notified and finding.going_on is not None and finding.going_on.kind is EventKind.OPENED
        if finding.going_on is not None and not is_dismissed and not known:
            again = finding.going_on.kind is EventKind.REOPENED and alert.last_action in _REPAIRS
            if again:
                await add_meter_action(connection, alert, AlertActionKind.RELAPSED, now=now)
            template = "leak_relapsed" if again else f"leak_{finding.going_on.kind.value.lower()}"
            key, level = _key_and_level(finding.going_on)
            notifications.append(_notifications(meter, alert, episode, template, key, level=level, day=today))
        if finding.ended is not None and not is_dismissed:
            key, level = _key_and_level(finding.ended)
            day = finding.ended.day
            notifications.append(
                _notifications(meter, alert, episode, "leak_closed", key, level=level, day=day)
            )
    return notifications


@dataclass(frozen=True, slots=True)
class Raised:
    """How many alerts were raised or dated anew, and their notifications."""

    alerts: int
    notifications: Sequence[Notification]


async def raise_missing_leak_alerts(
    connection: TransactionalDBClient,
    meters: Collection[MeterEntry],
    *,
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> Raised:
    """Raise the alerts of stored episodes that have none, and date those anew that are dated otherwise."""
    episodes = LeakEpisode.filter(meter_id__in=[meter.id for meter in meters]).using_db(connection)
    stored = {row.id: row for row in await episodes.only("id", "started_on", "ended_on")}
    if not stored:
        return Raised(0, ())
    alerts = Alert.filter(episode_id__in=list(stored)).using_db(connection)
    right = {
        alert.episode_id
        for alert in await alerts
        if alert.episode_id is not None
        and (alert.started_on, alert.ended_on)
        == (stored[alert.episode_id].started_on, stored[alert.episode_id].ended_on)
    }
    wrong = stored.keys() - right
    if not wrong:
        return Raised(0, ())
    leaks = await stored_leaks(connection, wrong, meters, thresholds_of=thresholds_of, now=now)
    return Raised(len(leaks), await raise_leak_alerts(connection, leaks, now=now))


async def notify_relapses(
    connection: TransactionalDBClient, meters: Sequence[MeterEntry], *, now: datetime
) -> list[Notification]:
    """Check repairs against the meters received; returns the relapses' notifications for both sides."""
    notifications: list[Notification] = []
    for meter, alert, day in await judge_repairs(connection, meters, now=now):
        assert alert.episode is not None
        episode, key = alert.episode, f"relapsed:{day.isoformat()}"
        level = episode.level_now or episode.level_max
        notifications.append(
            _notifications(meter, alert, episode, "leak_relapsed", key, level=level, day=day)
        )
    return notifications


_REPAIRS = frozenset({AlertActionKind.REPAIRED, AlertActionKind.VERIFIED})


async def _flagged(connection: TransactionalDBClient, meter_ids: Collection[int]) -> dict[int, list[Alert]]:
    """The alerts of each meter that its own leak flag raised."""
    flagged: dict[int, list[Alert]] = {}
    if meter_ids:
        rows = Alert.filter(kind=AlertKind.METER_LEAK, meter_id__in=list(meter_ids)).using_db(connection)
        for alert in await rows:
            assert alert.meter_id is not None
            flagged.setdefault(alert.meter_id, []).append(alert)
    return flagged


def _overlaps(flag: Alert, episode: LeakEpisode) -> bool:
    begins_in_time = episode.ended_on is None or flag.started_on <= episode.ended_on
    return begins_in_time and (flag.ended_on is None or flag.ended_on >= episode.started_on)


def _key_and_level(event: Event) -> tuple[str, int]:
    """The event's key within its episode, and its level."""
    return event.key.partition(":")[2], event.level


def _notifications(
    meter: MeterEntry, alert: Alert, episode: LeakEpisode, template: str, key: str, *, level: int, day: date
) -> Notification:
    cost = cost_of(episode.loss_litres, None, eur_per_m3=meter.water_price_eur_per_m3)
    return Notification(
        dwelling_id=meter.dwelling_id,
        topic=Topic.LEAK,
        template=template,
        key=f"leak:{episode.id}:{key}",
        started_on=episode.started_on,
        happened_on=day,
        alert_id=alert.id,
        to_managers=template == "leak_relapsed",
        values={
            "fluid": meter.fluid.value,
            "meter": meter.printed_serial,
            "level": level,
            "ended_on": episode.ended_on.isoformat() if episode.ended_on else None,
        },
        figures={
            "loss_litres": None if episode.loss_litres is None else str(episode.loss_litres),
            "loss_eur": None if cost.eur is None else str(cost.eur),
            "mean_flow_lph": None if episode.mean_flow_lph is None else str(episode.mean_flow_lph),
        },
    )
