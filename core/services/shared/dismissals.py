"""Ends a resident's dismissals of alerts with the resident's time in the dwelling.

In: a dwelling, the first day that is no longer the resident's, and who lives there from then on. Out:
alerts whose snooze ends on that day, so that they are open again for the next one. The one rule: what
somebody dismissed as a use of their own is no use of the next occupant's; what a manager dismissed, or the
next occupant already has, remains. The action itself is kept as it was taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tortoise.backends.base.client import BaseDBAsyncClient

from core.alerting.workflow import AlertActionKind, Party
from core.models import Alert, AlertAction
from core.services.shared.many_rows import slices


@dataclass(frozen=True, slots=True)
class DismissalsEnd:
    """The day on which a resident's time in a dwelling has ended, or the next one's begins.

    Attributes:
        dwelling_id: where.
        on: the day.
        kept_of: whose dismissals remain.
        taken_before: dismissals of this moment or later are somebody else's, and remain; None: all end.
        leaving: whose dismissals end all the same.
    """

    dwelling_id: int
    on: date
    kept_of: int | None = None
    taken_before: datetime | None = None
    leaving: int | None = None

    def ends(self, dismissal: AlertAction) -> bool:
        if dismissal.party is not Party.RESIDENT:
            return False
        if self.kept_of is not None and dismissal.account_id == self.kept_of:
            return False
        is_leaving = self.leaving is not None and dismissal.account_id == self.leaving
        return is_leaving or self.taken_before is None or dismissal.done_at < self.taken_before


async def end_dismissals(
    connection: BaseDBAsyncClient, dwelling_id: int, *, on: date, kept_of: int | None = None
) -> None:
    """Let the snoozes of residents end on a day, but for those of the account `kept_of`."""
    await end_dismissals_of(connection, [DismissalsEnd(dwelling_id, on, kept_of)])


async def end_dismissals_of(connection: BaseDBAsyncClient, ends: Sequence[DismissalsEnd]) -> None:
    """The same for the residents of several dwellings at once."""
    by_dwelling: dict[int, list[DismissalsEnd]] = {}
    for end in ends:
        by_dwelling.setdefault(end.dwelling_id, []).append(end)
    for some in slices(sorted(by_dwelling)):
        first = min(end.on for number in some for end in by_dwelling[number])
        snoozed = Alert.filter(
            dwelling_id__in=some, last_action=AlertActionKind.NOT_A_LEAK, snoozed_until__gt=first
        )
        alerts = await snoozed.using_db(connection)
        dismissals: dict[int, AlertAction] = {}
        for numbers in slices(sorted(alert.id for alert in alerts)):
            actions = AlertAction.filter(alert_id__in=numbers, action=AlertActionKind.NOT_A_LEAK)
            dismissals |= {row.alert_id: row for row in await actions.using_db(connection).order_by("id")}
        for alert in alerts:
            dismissal = dismissals.get(alert.id)
            days = [end.on for end in by_dwelling[alert.dwelling_id] if dismissal and end.ends(dismissal)]
            if days and alert.snoozed_until is not None and alert.snoozed_until > min(days):
                alert.snoozed_until = min(days)
                await alert.save(using_db=connection, update_fields=["snoozed_until"])
