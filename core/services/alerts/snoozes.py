"""How an alert stands today, and the snoozes that keep the next alert of its meter quiet.

In: stored alerts, and the meters of a batch. Out: a status, or the alert whose snooze still counts. The one
rule: a snooze counts on its meter, up to the level it was given for, until its last day in the residence.
"""

from collections.abc import Iterable
from datetime import date, datetime
from operator import attrgetter

from tortoise.backends.base.client import TransactionalDBClient

from core.alerting.workflow import AlertActionKind, AlertStatus, Snooze, status
from core.models import Alert, AlertAction, AlertKind
from core.services.places.meter_directory import MeterEntry
from core.services.shared.alert_rows import AlertRow, AlertStatusRow


def status_of(alert: Alert | AlertRow | AlertStatusRow, *, level: int | None, today: date) -> AlertStatus:
    """How an alert stands today, at the level that it has."""
    snooze = snooze_of(alert)
    snoozed = snooze is not None and snooze.covers(today, level)
    done: list[AlertActionKind] = [alert.last_action] if alert.last_action else []
    return status(done, snoozed=snoozed)


def is_snoozed_on(alert: Alert, day: date) -> bool:
    """Whether the last snooze holds on a day of the residence."""
    snooze = snooze_of(alert)
    return snooze is not None and snooze.covers(day, None)


def snooze_of(alert: Alert | AlertRow | AlertStatusRow) -> Snooze | None:
    """The last snooze; None when there is none."""
    if alert.snoozed_until is None or alert.last_action is not AlertActionKind.NOT_A_LEAK:
        return None
    return Snooze(alert.snoozed_until, alert.snoozed_level or 0)


async def snoozed_leaks(
    connection: TransactionalDBClient, meters: Iterable[MeterEntry], *, now: datetime
) -> dict[int, Alert]:
    """Of each meter the alert of a leak that was dismissed last, while that counts where the meter is."""
    places = {meter.id: meter for meter in meters}
    if not places:
        return {}
    rows = Alert.filter(
        last_action=AlertActionKind.NOT_A_LEAK,
        snoozed_until__gte=now.date(),
        episode__meter_id__in=list(places),
    )  # the day may be another there than in UTC, by one at most
    found: dict[int, Alert] = {}
    for alert in await rows.using_db(connection).select_related("episode").order_by("id"):
        assert alert.episode is not None
        number = alert.episode.meter_id
        if is_snoozed_on(alert, places[number].day(now)):
            found[number] = alert
    return found


def snoozed_conditions(
    alerts: Iterable[Alert], meters: Iterable[MeterEntry], *, now: datetime
) -> dict[tuple[int, AlertKind], Alert]:
    """The same of the alerts of these meters' conditions, by meter and kind."""
    today = {meter.id: meter.day(now) for meter in meters}
    return {
        (alert.meter_id, alert.kind): alert
        for alert in sorted(alerts, key=attrgetter("id"))
        if alert.meter_id is not None and is_snoozed_on(alert, today[alert.meter_id])
    }


async def carry_snooze_over(connection: TransactionalDBClient, alert: Alert, like: Alert) -> None:
    """Copy a snooze to the next alert of the same meter, with the same end."""
    dismissal = (
        await AlertAction.filter(alert_id=like.id, action=AlertActionKind.NOT_A_LEAK)
        .using_db(connection)
        .order_by("-id")
        .first()
    )
    alert.snoozed_until, alert.snoozed_level, alert.last_action = (
        like.snoozed_until,
        like.snoozed_level,
        like.last_action,
    )
    await alert.save(using_db=connection)
    if dismissal is not None:
        await AlertAction.create(
            alert_id=alert.id,
            action=dismissal.action,
            party=dismissal.party,
            account_id=dismissal.account_id,
            done_at=dismissal.done_at,
            reason=dismissal.reason,
            snoozed_until=dismissal.snoozed_until,
            note=dismissal.note,
            using_db=connection,
        )
