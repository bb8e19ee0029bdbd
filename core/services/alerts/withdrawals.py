"""Takes back alerts that corrected readings no longer show, and notifies whoever was notified of them.

In: stored alerts that would not exist had the readings been right from the start. Out: the rows gone, with
a record in the audit. The one rule: a message that still waits is not sent, and everybody who got one gets
the correction, by the same channel. If the alert is raised again, everybody is notified again.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.expressions import Q

from core.access import Act
from core.access.acts import NOBODY
from core.models import Alert, AlertAction, MessageState, OutboxMessage
from core.services.messaging.outbox import WITHDRAWN_MARK
from core.services.shared.audit import Subject, record

TEMPLATE = "alert_withdrawn"


async def withdraw_alerts(
    connection: TransactionalDBClient, alerts: Sequence[Alert], *, now: datetime
) -> int:
    """Delete these alerts; returns how many messages say so.

    The actions on an alert go with it; the audit keeps what was withdrawn, and how many actions it had.
    """
    messages = 0
    for alert in alerts:
        messages += await _correct(connection, alert, now=now)
        await record(
            Act.ALERT_WITHDRAWN,
            Subject("alert", alert.id),
            None,
            NOBODY,
            now,
            connection,
            kind=alert.kind.value,
            dwelling=alert.dwelling_id,
            started_on=alert.started_on.isoformat(),
            ended_on=alert.ended_on.isoformat() if alert.ended_on else None,
            actions=await AlertAction.filter(alert_id=alert.id).using_db(connection).count(),
        )
        await alert.delete(using_db=connection)
    return messages


async def _correct(connection: TransactionalDBClient, alert: Alert, *, now: datetime) -> int:
    """Abandon what waits to be sent about an alert, and queue a correction of what was sent."""
    about = OutboxMessage.filter(alert_id=alert.id).using_db(connection)
    unclaimed = about.filter(Q(claimed_until=None) | Q(claimed_until__lte=now), state=MessageState.PENDING)
    await unclaimed.update(state=MessageState.FAILED, failure="WITHDRAWN", encrypted_values=None)
    sent = about.filter(state__in=[MessageState.SENT, MessageState.PENDING], erased_at=None)
    notified = {
        (row.account_id, row.channel): row for row in await sent.exclude(account_id=None).order_by("id")
    }
    values = {
        "kind": alert.kind.value,
        "fluid": alert.fluid.value,
        "meter": await _serial(connection, alert),
        "ended_on": None,
    }
    rows = [
        OutboxMessage(
            idempotency_key=f"alert_withdrawn:{alert.id}:{account_id}:{channel.value.lower()}",
            account_id=account_id,
            channel=channel,
            template=TEMPLATE,
            language=row.language,
            values={
                **values,
                "started_on": row.values["started_on"],
                "period": row.values.get("period"),  # of a limit of their own
                "place": row.values.get("place"),
            },
            created_at=now,
        )
        for (account_id, channel), row in notified.items()
    ]
    await OutboxMessage.bulk_create(rows, using_db=connection)
    for row in await about:  # if the alert is raised again, it is an event of its own
        row.idempotency_key = f"{row.idempotency_key}{WITHDRAWN_MARK}{alert.id}"
        await row.save(using_db=connection, update_fields=("idempotency_key",))
    return len(rows)


async def corrections_queued(connection: TransactionalDBClient, withdrawn: Iterable[int]) -> int:
    """How many messages correct what was notified of these alerts, which are gone."""
    about = [Q(idempotency_key__startswith=f"{TEMPLATE}:{alert_id}:") for alert_id in withdrawn]
    if not about:
        return 0
    return await OutboxMessage.filter(Q(*about, join_type=Q.OR)).using_db(connection).count()


async def _serial(connection: TransactionalDBClient, alert: Alert) -> str | None:
    """The printed serial of the alert's meter; None of a dwelling's consumption."""
    row = await Alert.get(id=alert.id, using_db=connection).select_related("episode__meter", "meter")
    meter = row.meter if row.episode is None else row.episode.meter
    return None if meter is None else meter.printed_serial
