"""Raises and ends the alerts of a meter's conditions: burst, backflow, dry, tampering, leak flag, no data.

In: the readings that a batch stored. Out: alert rows, and the notifications of bursts and leak flags. The
one rule: a run of readings that show a condition is one alert, and so are runs that share a civil day
(draws: that begin on one); late readings may add an alert or date one back, and never end one that the
newest reading still shows. A burst is notified like a leak; one in readings that recurs at its hour is
asked about once (`recurring_draws`). The other conditions are shown to residents and managers and not
notified: they call for a look at the meter, not at the tap. A meter's own leak flag is notified like a leak
where its register is too coarse to show one, and while the classifier has found none; elsewhere the
classifier decides, which is right far more often than the flag.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Self

from tortoise.backends.base.client import TransactionalDBClient

from core.alerting.conditions import Condition, ConditionRun, runs
from core.alerting.workflow import AlertStatus
from core.consumption import day_of
from core.leak_thresholds import ThresholdsOf, product_thresholds
from core.leaks.classifier.resolution import shows_leaks
from core.models import Alert, AlertKind, LeakEpisode
from core.services.alerts.recurring_draws import draws_near, first_s_of, update_draws, windows_of
from core.services.alerts.sightings import disbelieved, sightings_around, undecided_since
from core.services.alerts.snoozes import carry_snooze_over, snoozed_conditions, status_of
from core.services.alerts.withdrawals import withdraw_alerts
from core.services.messaging.outbox import Notification, Topic
from core.services.places.meter_directory import MeterEntry
from core.services.shared.columns import select_models
from core.services.shared.time_series import ReadingRow

CONDITION_KINDS = [AlertKind(condition.value) for condition in Condition]


@dataclass(slots=True)
class Conditions:
    """How many alerts were raised or ended, and the notifications for their residents."""

    changed: int = 0
    notifications: list[Notification] = field(default_factory=list)

    def __iadd__(self, other: "Conditions") -> Self:
        self.changed += other.changed
        self.notifications += other.notifications
        return self


async def update_condition_alerts(
    connection: TransactionalDBClient,
    stored: Iterable[tuple[MeterEntry, ReadingRow]],
    *,
    thresholds_of: ThresholdsOf = product_thresholds,
    now: datetime,
) -> Conditions:
    """Bring the alerts of the meters received up to date. The dwellings must be locked."""
    spans: dict[MeterEntry, tuple[int, int]] = {}
    for meter, row in stored:
        first, last = spans.get(meter, (row.read_at_s, row.read_at_s))
        spans[meter] = min(first, row.read_at_s), max(last, row.read_at_s)
    if not spans:
        return Conditions()
    near = await draws_near(connection, spans)
    sightings, rows = await sightings_around(connection, spans, windows_of(spans, near))
    alerts = await select_models(connection, Alert, _ALERTS, ((meter.id,) for meter in spans))
    dismissed = snoozed_conditions(alerts, spans, now=now)
    snoozed = {meter_id for meter_id, kind in dismissed if kind is AlertKind.BURST}
    draws = await update_draws(connection, spans, sightings, near, snoozed=snoozed, now=now)
    spans, false_states = undecided_since(spans, rows), disbelieved(sightings, rows)
    known = _near([one for one in alerts if one.id not in draws.withdrawn], spans, draws.raising)
    measured = await _measured(connection, spans, thresholds_of)
    outcome = Conditions(notifications=draws.notifications)
    for meter, (first_s, last_s) in spans.items():
        received = sightings[meter.id]
        judged = _Judged(
            meter,
            [
                run
                for run in runs(
                    received,
                    register=meter.register if meter.fluid.is_water else None,
                    from_s=first_s,
                    drawn_s=draws.drawn_s.get(meter.id, ()),
                )
                if run.condition is not Condition.METER_LEAK or meter.id not in measured
            ],
            draws=draws.raising.get(meter.id, []),
            measured=meter.id in measured,
            first_s=first_s,
            newest=received[-1].at_s == last_s,
            received_s=[sighting.at_s for sighting in received if sighting.at_s >= first_s],
            disbelieved_s=false_states.get(meter.id, frozenset()),
        )
        await _settle(connection, judged, known.get(meter.id, []), dismissed, outcome, now=now)
    return outcome


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a batch shows of one meter.

    `draws` are the bursts that its readings show, each with all that begin on its civil day. `newest`:
    nothing later is stored. `measured`: the classifier decides on its leaks, not the flag. `disbelieved_s`:
    when a telegram reported a state that does not count.
    """

    meter: MeterEntry
    runs: Sequence[ConditionRun]
    draws: Sequence[ConditionRun]
    measured: bool
    first_s: int
    newest: bool
    received_s: Sequence[int]
    disbelieved_s: frozenset[int]

    def day(self, at_s: int) -> date:
        return day_of(at_s, self.meter.zone)


async def _settle(
    connection: TransactionalDBClient,
    judged: _Judged,
    known: list[Alert],
    dismissed: Mapping[tuple[int, AlertKind], Alert],
    outcome: Conditions,
    *,
    now: datetime,
) -> None:
    meter, going_on = judged.meter, set()
    for run in (*judged.runs, *judged.draws):
        is_draw = run in judged.draws
        belongs = _is_of_draw if is_draw else _is_of
        alert = next((one for one in known if belongs(one, run, judged)), None)
        before = None if alert is None else (alert.started_on, alert.ended_on)
        if alert is None:
            alert = await _new(connection, meter, AlertKind(run.condition.value), run.first_s, now=now)
            known.append(alert)
        alert.started_on = min(alert.started_on, judged.day(run.first_s))
        if before is None or judged.newest or (is_draw and _raised_by(alert, run)):
            alert.ended_on = end_of(run, meter, alert.started_on, now=now)
        if alert.ended_on is None:
            going_on.add(alert.kind)
        if before == (alert.started_on, alert.ended_on):
            continue
        await alert.save(using_db=connection)
        outcome.changed += 1
        if before is None and (meter.id, alert.kind) in dismissed:
            await carry_snooze_over(connection, alert, dismissed[meter.id, alert.kind])
        outcome.notifications += _notifications(alert, meter, run, now)
    for alert in known:
        over = alert.kind not in going_on and judged.newest and alert.ended_on is None
        if over and (ended_s := _without(alert, judged)) is not None:
            alert.ended_on = max(judged.day(ended_s), alert.started_on)
            await alert.save(using_db=connection)
            outcome.changed += 1
            if alert.kind is not AlertKind.METER_LEAK or not judged.measured:
                outcome.notifications += _notifications(alert, meter, None, now)
    await withdraw_alerts(connection, [one for one in known if _is_disproved(one, judged)], now=now)


def _is_disproved(alert: Alert, judged: _Judged) -> bool:
    """Whether a state raised an alert that a reading in between has shown to be false; no run has its
    day.
    """
    is_state = alert.kind is not AlertKind.NO_DATA and first_s_of(alert) in judged.disbelieved_s
    return is_state and not any(_is_of(alert, run, judged) for run in (*judged.runs, *judged.draws))


def end_of(run: ConditionRun, meter: MeterEntry, started_on: date, *, now: datetime) -> date | None:
    """The day on which a condition was over; that of a removed meter ends with it."""
    if run.ended_s is not None:
        return day_of(run.ended_s, meter.zone)
    if meter.removed_at is None or meter.removed_at > now:
        return None
    return max(meter.day(meter.removed_at), started_on)


def _is_of(alert: Alert, run: ConditionRun, judged: _Judged) -> bool:
    """Whether a run belongs to an alert: same condition, and a day in common."""
    return (
        alert.kind.value == run.condition.value
        and alert.started_on <= judged.day(run.last_s)
        and (alert.ended_on is None or alert.ended_on >= judged.day(run.first_s))
    )


def _is_of_draw(alert: Alert, run: ConditionRun, judged: _Judged) -> bool:
    """Whether a draw belongs to an alert: the alert was raised by it, or began on its day, or still runs.

    Draws that follow each other from day to day are notified one by one.
    """
    if alert.kind is not AlertKind.BURST or alert.started_on > judged.day(run.last_s):
        return False
    same_day = alert.started_on == judged.day(run.first_s)
    return _raised_by(alert, run) or same_day or alert.ended_on is None


def _raised_by(alert: Alert, run: ConditionRun) -> bool:
    return run.first_s <= first_s_of(alert) <= run.last_s


def _without(alert: Alert, judged: _Judged) -> int | None:
    """The first reading that no longer shows what an alert warns of; for missing data any later reading."""
    if alert.kind is not AlertKind.NO_DATA:
        return judged.first_s
    last_s = first_s_of(alert)
    return next((at_s for at_s in judged.received_s if at_s > last_s), None)


async def _new(
    connection: TransactionalDBClient, meter: MeterEntry, kind: AlertKind, first_s: int, *, now: datetime
) -> Alert:
    key = condition_key(kind, meter.id, first_s)
    return await Alert.get_or_none(alert_key=key, using_db=connection) or Alert(
        alert_key=key,
        kind=kind,
        dwelling_id=meter.dwelling_id,
        fluid=meter.fluid,
        meter_id=meter.id,
        started_on=day_of(first_s, meter.zone),
        raised_at=now,
    )


def condition_key(kind: AlertKind, meter_id: int, first_s: int) -> str:
    return f"{kind.value.lower()}:{meter_id}:{first_s}"


_ALERTS: Final = (
    "SELECT a.* FROM k JOIN alert a ON a.meter_id = k.a"  # noqa: S608 - our own names
    f" WHERE a.kind IN ({', '.join(repr(kind.value) for kind in CONDITION_KINDS)})"
    " ORDER BY a.started_on, a.id"
)


def _near(
    alerts: Iterable[Alert],
    spans: Mapping[MeterEntry, tuple[int, int]],
    raising: Mapping[int, Sequence[ConditionRun]],
) -> dict[int, list[Alert]]:
    """The alerts of each meter that are running, or ended no earlier than its readings or runs begin."""
    found: dict[int, list[Alert]] = {}
    earliest = {
        meter.id: day_of(min([first_s, *(run.first_s for run in raising.get(meter.id, ()))]), meter.zone)
        for meter, (first_s, _) in spans.items()
    }
    for alert in alerts:
        assert alert.meter_id is not None
        if alert.ended_on is None or alert.ended_on >= earliest[alert.meter_id]:
            found.setdefault(alert.meter_id, []).append(alert)
    return found


async def _measured(
    connection: TransactionalDBClient, meters: Iterable[MeterEntry], thresholds_of: ThresholdsOf
) -> set[int]:
    """The meters whose leaks the classifier decides: the register shows leaks, or the classifier found one.

    A meter that does not measure water has no leak alert.
    """
    coarse = {
        meter.id
        for meter in meters
        if meter.fluid.is_water
        and not shows_leaks(meter.register_step, float(thresholds_of(meter.operator_code).level_1_lph))
    }
    found: set[int] = set()
    if coarse:
        open_ones = LeakEpisode.filter(meter_id__in=list(coarse), ended_on=None).using_db(connection)
        found = {row.meter_id for row in await open_ones.only("id", "meter_id")}
    return {meter.id for meter in meters} - coarse | found


def _notifications(
    alert: Alert, meter: MeterEntry, run: ConditionRun | None, now: datetime
) -> list[Notification]:
    """The notifications of a burst and of a leak flag: that it runs, and that it has ended."""
    today = meter.day(now)
    name = _NOTIFIED_NAMES.get(alert.kind)
    if name is None or status_of(alert, level=None, today=today) is _DISMISSED:
        return []
    notified = [(f"{name}_opened", today if alert.ended_on is None else alert.started_on)]
    if alert.ended_on is not None:
        notified = [*([] if run is None else notified), (f"{name}_closed", alert.ended_on)]
    return [
        Notification(
            dwelling_id=alert.dwelling_id,
            topic=Topic.LEAK,
            template=template,
            key=f"{alert.alert_key}:{template}",
            started_on=alert.started_on,
            happened_on=day,
            alert_id=alert.id,
            values={
                "fluid": meter.fluid.value,
                "meter": meter.printed_serial,
                "ended_on": alert.ended_on.isoformat() if alert.ended_on else None,
            },
        )
        for template, day in notified
    ]


_DISMISSED = AlertStatus.NOT_A_LEAK
_NOTIFIED_NAMES = {AlertKind.BURST: "burst", AlertKind.METER_LEAK: "meter_leak"}
