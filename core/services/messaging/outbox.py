"""Queues messages in the transaction of their event, and lists them; sending is another process.

The one rule: an event is notified once per account and channel, however often it is found again. Nobody is
notified who did not ask for it (R-015, R-118), or of somebody else's water, or of an event that is too old.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer
from core.consumption.periods import civil_day
from core.models import Account, Channel, Dwelling, MessageState, Occupancy, OccupancyKind, OutboxMessage
from core.services.places.managed_residences import managers_of, place_of
from core.services.shared.many_rows import slices
from core.services.shared.scope import OccupancyPeriod, occupants, with_periods

NOTIFICATION_MAX_AGE = timedelta(days=3)
"""An older event is stored and shown, but not notified."""


class Topic(StrEnum):
    """What residents choose to be notified of, each by e-mail and by SMS (R-104, R-105, R-197)."""

    LEAK = "leak"
    OVER_CONSUMPTION = "over_consumption"
    NEW_DOCUMENT = "new_document"
    SLOW_LEAK = "slow_leak"
    """Hints, by e-mail alone: there is no such switch for SMS."""


WITHDRAWN_MARK = ":withdrawn:"
"""Follows the key of a message whose alert was withdrawn, so that the same alert is notified anew."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One event to notify to the occupants of a dwelling.

    Attributes:
        dwelling_id: whose occupants.
        topic: the topic that an occupant must have switched on.
        template: the name of the text.
        key: the event's, the same whenever it is found.
        started_on: the first day that the event covers.
        happened_on: the day of the event.
        alert_id: the alert that it belongs to; None for a question, a hint or a document.
        document_id: the document that it is about, if it is about one.
        values: the template's values.
        figures: further values, counted from `started_on` on; left out for whoever moved in later.
        account_id: the only account to notify; None for everyone who lives there.
        to_managers: whether the managers of the residence are notified too, without figures.
        by_sms: whether an SMS may be sent at all.
        to_owners: whether those who own the dwelling and live elsewhere are notified too; never of its water.
    """

    dwelling_id: int
    topic: Topic
    template: str
    key: str
    started_on: date
    happened_on: date
    alert_id: int | None
    values: Mapping[str, Any]
    figures: Mapping[str, Any] = field(default_factory=dict)
    account_id: int | None = None
    to_managers: bool = False
    by_sms: bool = True
    document_id: int | None = None
    to_owners: bool = False


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A row of the outbox as it is listed; the address is resolved when it is sent.

    `failure` is why it was not sent, or not yet. An `erased` message has no text and no address any more.
    """

    id: int
    created_at: datetime
    channel: Channel
    template: str
    language: str
    recipient: str
    state: MessageState
    failure: str | None
    values: Mapping[str, Any]
    erased: bool


async def queue(
    connection: TransactionalDBClient, notifications: Sequence[Notification], *, now: datetime
) -> int:
    """Write the messages for the notifications; returns how many."""
    fresh = [item for item in notifications if item.happened_on >= (now - NOTIFICATION_MAX_AGE).date()]
    if not fresh:
        return 0
    occupants_of = await _occupants(connection, {item.dwelling_id for item in fresh}, now)
    rows = [
        _message(item, account, period, channel, now)
        for item in fresh
        for account, period in occupants_of.get(item.dwelling_id, ())
        if period.holds(item.happened_on) and item.account_id in {None, account.id}
        for channel in Channel
        if _asked_for(account, item, channel)
    ]
    rows += await _to_owners(connection, [item for item in fresh if item.to_owners], now)
    rows += await _to_managers(connection, [item for item in fresh if item.to_managers], now)
    by_key = {row.idempotency_key: row for row in reversed(rows)}  # an event of several of one's dwellings
    queued = await _queued(connection, by_key)
    new = [row for row in reversed(by_key.values()) if row.idempotency_key not in queued]
    await OutboxMessage.bulk_create(new, using_db=connection)
    return len(new)


async def _queued(connection: TransactionalDBClient, keys: Iterable[str]) -> set[str]:
    """Those of the keys that have a message already."""
    found: set[str] = set()
    for some in slices(keys):
        rows = OutboxMessage.filter(idempotency_key__in=some).using_db(connection)
        found |= {row.idempotency_key for row in await rows.only("id", "idempotency_key")}
    return found


async def list_messages(
    viewer: Viewer, *, state: MessageState | None = None, limit: int = 100
) -> list[QueuedMessage]:
    """The newest messages, of one state if one is given."""
    viewer.require(Permission.OUTBOX_READ)
    query = OutboxMessage.all() if state is None else OutboxMessage.filter(state=state)
    rows = await query.order_by("-id").limit(limit).select_related("account")
    return [
        QueuedMessage(
            id=row.id,
            created_at=row.created_at,
            channel=row.channel,
            template=row.template,
            language=row.language,
            recipient=_recipient(row),
            state=row.state,
            failure=row.failure,
            values=row.values,
            erased=row.erased_at is not None,
        )
        for row in rows
    ]


def _asked_for(account: Account, item: Notification, channel: Channel) -> bool:
    """Whether an account has this channel on for the topic; an SMS needs a confirmed phone (C-19)."""
    if channel is Channel.SMS and not item.by_sms:
        return False
    asked = bool(getattr(account, f"{item.topic.value}_by_{channel.value.lower()}"))
    return asked and (channel is Channel.EMAIL or account.phone_confirmed_at is not None)


async def _to_owners(
    connection: TransactionalDBClient, notifications: Sequence[Notification], now: datetime
) -> list[OutboxMessage]:
    """The messages to those who own a dwelling on the day and live elsewhere (C-01)."""
    if not notifications:
        return []
    items = {item.dwelling_id: item for item in notifications}
    owners = Occupancy.filter(
        kind=OccupancyKind.OWNER_NON_OCCUPANT, dwelling_id__in=list(items), account__disabled_at=None
    )
    found = []
    for row in await owners.using_db(connection).select_related("account"):
        item, end = items[row.dwelling_id], row.move_out
        day = item.happened_on
        if row.account is not None and row.move_in <= day and (end is None or day < end):
            period = OccupancyPeriod(row.dwelling_id, row.kind, row.move_in, None)
            found += [
                _message(item, row.account, period, channel, now)
                for channel in Channel
                if _asked_for(row.account, item, channel)
            ]
    return found


async def _to_managers(
    connection: TransactionalDBClient, notifications: Sequence[Notification], now: datetime
) -> list[OutboxMessage]:
    """The messages to the managers of the residences: which dwelling, and no figure of its consumption."""
    if not notifications:
        return []
    homes = await Dwelling.filter(id__in=[item.dwelling_id for item in notifications]).using_db(connection)
    by_id = {home.id: home for home in homes}
    managers = await managers_of(connection, [home.residence_id for home in homes])
    return [
        OutboxMessage(
            idempotency_key=f"{item.key}:{account.id}:{channel.value.lower()}",
            account_id=account.id,
            alert_id=item.alert_id,
            channel=channel,
            template=item.template,
            language=account.language,
            values={
                **item.values,
                **dict.fromkeys(item.figures),
                "started_on": item.started_on.isoformat(),
                "place": place_of(by_id[item.dwelling_id]),
            },
            created_at=now,
        )
        for item in notifications
        for account in managers.get(by_id[item.dwelling_id].residence_id, ())
        for channel in Channel
        if _asked_for(account, item, channel)
    ]


async def _occupants(
    connection: TransactionalDBClient, dwelling_ids: Iterable[int], now: datetime
) -> dict[int, list[tuple[Account, OccupancyPeriod]]]:
    """The accounts of today's occupants of the dwellings, each with its occupancy period."""
    query = occupants().filter(dwelling_id__in=list(dwelling_ids), account__disabled_at=None)
    rows = await query.using_db(connection).select_related("account", "dwelling__residence")
    found: dict[int, list[tuple[Account, OccupancyPeriod]]] = {}
    for row, period in await with_periods(rows, connection=connection):
        today = civil_day(now, row.dwelling.residence.time_zone)
        if row.account is not None and period.holds(today):
            found.setdefault(row.dwelling_id, []).append((row.account, period))
    return found


def _message(
    item: Notification, account: Account, period: OccupancyPeriod, channel: Channel, now: datetime
) -> OutboxMessage:
    figures = item.figures if period.holds(item.started_on) else dict.fromkeys(item.figures)
    started_on = max(item.started_on, period.first_day)
    return OutboxMessage(
        idempotency_key=f"{item.key}:{account.id}:{channel.value.lower()}",
        account_id=account.id,
        alert_id=item.alert_id,
        document_id=item.document_id,
        channel=channel,
        template=item.template,
        language=account.language,
        values={**item.values, **figures, "started_on": started_on.isoformat()},
        created_at=now,
        expires_at=now + NOTIFICATION_MAX_AGE,
    )


def _recipient(row: OutboxMessage) -> str:
    """The address of a message: its own, or the account's present one."""
    if row.recipient is not None or row.account is None or row.erased_at is not None:
        return row.recipient or ""
    return (row.account.phone_e164 or "") if row.channel is Channel.SMS else row.account.email


async def keep_proofs(
    connection: TransactionalDBClient, account_ids: Collection[int], *, now: datetime
) -> None:
    """Before accounts are deleted: that documents were sent to them remains, without the person (FR-03)."""
    proofs = OutboxMessage.filter(account_id__in=list(account_ids), document_id__isnull=False)
    await (
        proofs.exclude(state=MessageState.PENDING)
        .using_db(connection)
        .update(account_id=None, recipient=None, values={}, encrypted_values=None, erased_at=now)
    )
