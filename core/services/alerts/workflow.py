"""Actions of residents and managers on alerts, and the meter's verdict on a repair.

In: the viewer and an alert. Out: the alert's workflow, which is the same for both sides. The one rule: an
action is added and never changed; the alert's status follows from the last one (`core.alerting.workflow`).
Whoever may see an alert may act on it, while it runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Role, Viewer
from core.alerting.workflow import (
    LONGEST_SNOOZE_DAYS,
    SEEN_TO,
    SHORTEST_SNOOZE_DAYS,
    AlertActionKind,
    AlertStatus,
    KnownUse,
    Party,
    asked_from,
    possible_actions,
    verdict_of_episode,
    verdict_on_repair,
)
from core.consumption import day_of, day_start
from core.errors import AlertEnded, InvalidInput, NotFound
from core.leaks.classifier.tracker import Rule
from core.leaks.episodes.daily_flows import day_flows
from core.models import Alert, AlertAction, AlertKind, LeakEpisode
from core.sanitize import escape_for_database
from core.services.alerts.snoozes import status_of
from core.services.places.hourly_volumes import hours_of
from core.services.places.managed_residences import manages
from core.services.places.meter_directory import MeterEntry, lock_dwellings
from core.services.shared import columns, time_series
from core.services.shared.alert_rows import AlertRow
from core.services.shared.scope import OccupancyPeriod, occupancy_period_at
from core.services.shared.transaction import current_database, transactional

LONGEST_NOTE = 300
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AlertActionView:
    """One action. `repaired_at`, `reason` and `snoozed_until` are set where its kind has them. The author's
    account is None once it was erased.
    """

    action: AlertActionKind
    party: Party
    done_at: datetime
    repaired_at: datetime | None
    reason: KnownUse | None
    snoozed_until: date | None
    note: str
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class AlertWorkflowView:
    """The status of an alert, the actions taken (the oldest first), and those possible now."""

    status: AlertStatus
    actions: tuple[AlertActionView, ...]
    possible: frozenset[AlertActionKind]


async def workflows_of(
    alerts: Sequence[Alert], *, levels: Mapping[int, int | None], today: date
) -> dict[int, AlertWorkflowView]:
    """The workflow of each alert as a manager sees it, by its id.

    Args:
        alerts: as stored.
        levels: the level of each now, by its id.
        today: at the residence.
    """
    done = await actions_of([alert.id for alert in alerts])
    return {
        alert.id: workflow_of(alert, done.get(alert.id, ()), level=levels.get(alert.id), today=today)
        for alert in alerts
    }


async def actions_of(alert_ids: Sequence[int]) -> dict[int, list[AlertActionView]]:
    """The actions on each alert, the oldest first."""
    if not alert_ids:
        return {}
    rows = await time_series.select(
        current_database(),
        "SELECT x.alert_id, x.action, x.party, x.done_at, x.repaired_at, x.reason, x.snoozed_until, x.note,"
        " x.account_id"
        " FROM k JOIN alert_action x ON x.alert_id = k.a ORDER BY x.id",
        [(alert_id,) for alert_id in alert_ids],
    )
    found: dict[int, list[AlertActionView]] = {}
    for row in rows:
        action = AlertActionView(
            action=AlertActionKind(row["action"]),
            party=Party(row["party"]),
            done_at=columns.moment(row["done_at"]),
            repaired_at=columns.moment_or_none(row["repaired_at"]),
            reason=KnownUse(row["reason"]) if row["reason"] else None,
            snoozed_until=columns.day_or_none(row["snoozed_until"]),
            note=row["note"],
            account_id=row["account_id"],
        )
        found.setdefault(row["alert_id"], []).append(action)
    return found


def workflow_of(
    alert: Alert | AlertRow,
    done: Sequence[AlertActionView],
    *,
    level: int | None,
    today: date,
    since: datetime | None = None,
    reader: int | None = None,
) -> AlertWorkflowView:
    """The workflow of an alert by the actions on it; all of them for a manager, without `since`.

    An occupant sees what was done since the first moment there, and of residents the own actions (`reader`)
    alone: whoever left may have noted something after a last day that was entered afterwards. That another
    resident had seen the alert is none of it either: for this one it is open.
    """
    now = status_of(alert, level=level, today=today)
    running = alert.ended_on is None or alert.ended_on > today
    shown = tuple(action for action in done if since is None or _is_of(action, since, reader))
    if now is AlertStatus.ACKNOWLEDGED and done[-1].party is Party.RESIDENT and done[-1] not in shown:
        now = AlertStatus.OPEN
    return AlertWorkflowView(now, shown, _possible(alert, now, running=running))


def _is_of(action: AlertActionView, since: datetime, reader: int | None) -> bool:
    """Whether an action belongs to an occupant's time in the dwelling."""
    is_anothers = action.party is Party.RESIDENT and reader not in {None, action.account_id}
    return action.done_at >= since and not is_anothers


def _possible(alert: Alert | AlertRow, now: AlertStatus, *, running: bool) -> frozenset[AlertActionKind]:
    actions = possible_actions(now, running=running)
    return actions if alert.kind is AlertKind.LEAK else actions - {AlertActionKind.REPAIRED}


@transactional
async def acknowledge(
    connection: TransactionalDBClient, viewer: Viewer, alert_id: int, *, note: str = "", now: datetime
) -> AlertWorkflowView:
    """Acknowledge an alert: it was seen and is being dealt with. Repeating it changes nothing.

    Raises:
        NotFound: there is no such alert, or it is not the viewer's.
        AlertEnded: it has ended.
    """
    mine = await _mine(connection, viewer, alert_id, now)
    if (await _workflow(mine)).status not in SEEN_TO:
        action = AlertAction(action=AlertActionKind.ACKNOWLEDGED, note=_note(note))
        await _add(connection, mine.alert, action, viewer, now)
    return await _workflow(mine)


@transactional
async def report_repair(
    connection: TransactionalDBClient,
    viewer: Viewer,
    alert_id: int,
    *,
    repaired_at: datetime | None = None,
    note: str = "",
    now: datetime,
) -> AlertWorkflowView:
    """Report a leak as repaired. The meter's readings are checked after 48 hours.

    Args:
        connection: filled in.
        viewer: resident or manager.
        alert_id: of a leak.
        repaired_at: when; now if not given.
        note: for the other side.
        now: the present moment.

    Raises:
        NotFound: there is no such alert, or it is not the viewer's.
        AlertEnded: it has ended.
        InvalidInput: the moment lies in the future or before the leak, or the alert is not a leak's.
    """
    mine = await _mine(connection, viewer, alert_id, now)
    alert, moment = mine.alert, repaired_at or now
    if alert.kind is not AlertKind.LEAK:
        raise InvalidInput("Only a leak can be repaired.", field="id")
    if moment > now:
        raise InvalidInput("The repair lies in the future.", field="repairedAt")
    if moment.astimezone(mine.zone).date() < alert.started_on:
        raise InvalidInput("The repair lies before the leak.", field="repairedAt")
    alert.repaired_at = moment
    action = AlertAction(action=AlertActionKind.REPAIRED, repaired_at=moment, note=_note(note))
    await _add(connection, alert, action, viewer, now)
    return await _workflow(mine)


@transactional
async def dismiss(
    connection: TransactionalDBClient,
    viewer: Viewer,
    alert_id: int,
    *,
    reason: KnownUse,
    snooze_days: int,
    note: str = "",
    now: datetime,
) -> AlertWorkflowView:
    """Dismiss an alert as no leak, and snooze it for so many days at the level it has.

    Raises:
        NotFound: there is no such alert, or it is not the viewer's.
        AlertEnded: it has ended.
        InvalidInput: not 1 to 90 days, or an unexplained `OTHER`.
    """
    mine = await _mine(connection, viewer, alert_id, now)
    alert = mine.alert
    if not SHORTEST_SNOOZE_DAYS <= snooze_days <= LONGEST_SNOOZE_DAYS:
        message = f"An alert is snoozed for {SHORTEST_SNOOZE_DAYS} to {LONGEST_SNOOZE_DAYS} days."
        raise InvalidInput(message, field="snoozeDays")
    if reason is KnownUse.OTHER and not note.strip():
        raise InvalidInput("State what it is instead.", field="note")
    snoozed_until = mine.today + timedelta(days=snooze_days)
    alert.snoozed_until = min(snoozed_until, mine.until) if mine.until else snoozed_until
    alert.snoozed_level = None if alert.episode is None else alert.episode.level_now
    action = AlertAction(
        action=AlertActionKind.NOT_A_LEAK, reason=reason, snoozed_until=alert.snoozed_until, note=_note(note)
    )
    await _add(connection, alert, action, viewer, now)
    return await _workflow(mine)


@dataclass(frozen=True, slots=True)
class _Mine:
    """A running alert that the viewer may act on; before `since` and from `until` on others live there."""

    alert: Alert
    zone: ZoneInfo
    today: date
    since: datetime | None
    reader: int | None
    until: date | None


async def _mine(connection: TransactionalDBClient, viewer: Viewer, alert_id: int, now: datetime) -> _Mine:
    """The alert, with its dwelling locked so that no batch overwrites the action."""
    viewer.require(Permission.ALERTS_HANDLE)
    found = await Alert.get_or_none(id=alert_id, using_db=connection)
    if found is None or found.account_id not in {None, viewer.account_id}:
        raise NotFound("No such alert.", field="id")
    await lock_dwellings(connection, [found.dwelling_id])
    query = Alert.get_or_none(id=alert_id, using_db=connection)
    alert = await query.select_related("episode__meter", "dwelling__residence")
    if alert is None:
        raise NotFound("No such alert.", field="id")
    zone = ZoneInfo(alert.dwelling.residence.time_zone)
    today = now.astimezone(zone).date()
    since, until = None, None
    if viewer.role is Role.MANAGER:
        if not await manages(viewer, alert.dwelling.residence_id):
            raise NotFound("No such alert.", field="id")
    else:
        period = await _period(viewer, alert)
        if not period.holds(today):
            raise NotFound("No such alert.", field="id")
        since = datetime.combine(period.first_day, time(), tzinfo=zone)
        until = period.last_day + _ONE_DAY if period.last_day is not None else None
    if alert.ended_on is not None and alert.ended_on <= today:
        raise AlertEnded("The alert is over.", field="id")
    return _Mine(alert, zone, today, since, viewer.account_id, until)


async def _period(viewer: Viewer, alert: Alert) -> OccupancyPeriod:
    try:
        return await occupancy_period_at(viewer, alert.dwelling_id)
    except NotFound:
        raise NotFound("No such alert.", field="id") from None


async def _workflow(mine: _Mine) -> AlertWorkflowView:
    alert = mine.alert
    level = None if alert.episode is None else alert.episode.level_now
    done = (await actions_of([alert.id])).get(alert.id, ())
    return workflow_of(alert, done, level=level, today=mine.today, since=mine.since, reader=mine.reader)


async def _add(
    connection: TransactionalDBClient, alert: Alert, action: AlertAction, viewer: Viewer, now: datetime
) -> None:
    action.party = Party.MANAGER if viewer.role is Role.MANAGER else Party.RESIDENT
    action.alert_id, action.account_id, action.done_at = alert.id, viewer.account_id, now
    await action.save(using_db=connection)
    alert.last_action = action.action
    await alert.save(using_db=connection)


def _note(text: str) -> str:
    note = escape_for_database(text.strip())
    if len(note) > LONGEST_NOTE:
        raise InvalidInput(f"A note has {LONGEST_NOTE} characters at most.", field="note")
    return note


async def add_meter_action(
    connection: TransactionalDBClient, alert: Alert, action: AlertActionKind, *, now: datetime
) -> None:
    """Record what the meter's readings show about a repair, as an action of the meter."""
    await AlertAction.create(
        alert_id=alert.id, action=action, party=Party.METER, done_at=now, using_db=connection
    )
    alert.last_action = action
    await alert.save(using_db=connection)


async def judge_repairs(
    connection: TransactionalDBClient, meters: Sequence[MeterEntry], *, now: datetime
) -> list[tuple[MeterEntry, Alert, date]]:
    """Check repairs against the readings of the meters received; returns the relapses and their days."""
    entries = {meter.id: meter for meter in meters}
    if not entries:
        return []
    waiting = Alert.filter(
        last_action=AlertActionKind.REPAIRED, episode__meter_id__in=list(entries)
    ).using_db(connection)
    alerts = await waiting.select_related("episode")
    if not alerts:
        return []
    asked = []
    for alert in alerts:
        assert alert.episode is not None
        meter = entries[alert.episode.meter_id]
        asked.append((meter, alert, *_first_whole_day(alert, meter)))
    now_s = int(now.timestamp())
    since: dict[MeterEntry, int] = {}
    for meter, _, _, start_s in asked:
        since[meter] = min(start_s, since.get(meter, start_s))
    hours = await hours_of(connection, {meter: (start_s, now_s) for meter, start_s in since.items()})
    last = await time_series.newest_readings(connection, list(entries))
    relapsed: list[tuple[MeterEntry, Alert, date]] = []
    for meter, alert, first, start_s in asked:
        if meter.id not in last or last[meter.id].read_at_s <= start_s:
            continue
        received = [hour for hour in hours.get(meter.id, []) if hour.start_s >= start_s]
        flows = day_flows(received, zone=meter.zone, complete_until_s=last[meter.id].read_at_s)
        verdict = verdict_on_repair(flow for flow in flows if flow.day >= first)
        if verdict is None and (rare := _found_by_profile(alert)) is not None:
            today = day_of(last[meter.id].read_at_s, meter.zone)
            verdict = verdict_of_episode(rare.ended_on, first=first, today=today)
        if verdict is None:
            continue
        action, day = verdict
        await add_meter_action(connection, alert, action, now=now)
        if action is AlertActionKind.RELAPSED:
            relapsed.append((meter, alert, day))
    return relapsed


async def meters_under_repair(connection: TransactionalDBClient) -> set[int]:
    """The meters with a leak that was reported as repaired, and not verified yet: few of all."""
    rows = await connection.execute_query_dict(
        "SELECT e.meter_id FROM alert a JOIN leak_episode e ON e.id = a.episode_id"  # noqa: S608 - our own word
        f" WHERE a.last_action = '{AlertActionKind.REPAIRED.value}'"
    )
    return {row["meter_id"] for row in rows}


def _found_by_profile(alert: Alert) -> LeakEpisode | None:
    """The episode of a meter that is read too rarely for hours; None of any other."""
    assert alert.episode is not None
    opening = (alert.episode.evidence or {}).get("opening", {})
    return alert.episode if opening.get("rule") == Rule.PROFILE else None


def _first_whole_day(alert: Alert, meter: MeterEntry) -> tuple[date, int]:
    """The first civil day wholly after the 48 hours in which a repair is not checked, and its start."""
    assert alert.repaired_at is not None
    first = day_of(int(asked_from(alert.repaired_at).timestamp()) - 1, meter.zone) + _ONE_DAY
    return first, day_start(first, meter.zone)
