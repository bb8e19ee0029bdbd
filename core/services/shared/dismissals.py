"""Ends a resident's dismissals of alerts with the resident's time in the dwelling.

In: a dwelling, the first day that is no longer the resident's, and who lives there from then on. Out:
alerts whose snooze ends on that day, so that they are open again for the next one. The one rule: what
somebody dismissed as a use of their own is no use of the next occupant's; what a manager dismissed, or the
next occupant already has, remains. The action itself is kept as it was taken.
"""

from datetime import date

from tortoise.backends.base.client import BaseDBAsyncClient

from core.alerting.workflow import AlertActionKind, Party
from core.models import Alert, AlertAction


async def end_dismissals(
    connection: BaseDBAsyncClient, dwelling_id: int, *, on: date, kept_of: int | None = None
) -> None:
    """Let the snoozes of residents end on a day, but for those of the account `kept_of`."""
    snoozed = Alert.filter(
        dwelling_id=dwelling_id, last_action=AlertActionKind.NOT_A_LEAK, snoozed_until__gt=on
    )
    for alert in await snoozed.using_db(connection):
        dismissal = (
            await AlertAction.filter(alert_id=alert.id, action=AlertActionKind.NOT_A_LEAK)
            .using_db(connection)
            .order_by("-id")
            .first()
        )
        if dismissal is None or dismissal.party is not Party.RESIDENT:
            continue
        if kept_of is not None and dismissal.account_id == kept_of:
            continue
        alert.snoozed_until = on
        await alert.save(using_db=connection, update_fields=["snoozed_until"])
