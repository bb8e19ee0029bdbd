"""Deletes what is no longer needed: every kind of personal data has its period (GDPR Art. 5(1)(e)).

In: the settings and the moment. Out: how many of each kind were deleted. The one rule: rows are deleted in
small transactions, each of which takes rows that no other worker holds and checks them again under the
lock; so several may purge at once, and an interrupted purge loses nothing. Readings, days and months have
their own way (`core.services.privacy.series_retention`). What a run deleted is logged, and kept in
`retention_run`.

The row of an alert's or document's message remains without text and address: its key prevents a second
notification, and its day proves that the first was sent (WAR-04).
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.expressions import Q, Subquery
from tortoise.models import Model
from tortoise.queryset import QuerySet

from core.access import Act, Permission, Role, Viewer
from core.access.acts import NOBODY
from core.models import (
    AccessToken,
    Account,
    AuditRecord,
    BurstDraw,
    Challenge,
    DataExport,
    DataExportPart,
    DeadLetter,
    Device,
    DwellingRequest,
    DwellingRequestState,
    HouseholdMember,
    IssuedPaper,
    MessageState,
    Occupancy,
    OutboxMessage,
    RecurringDraw,
    Registration,
    RetentionRun,
    Session,
    ThirdPartyGrant,
)
from core.services.auth.issued_papers import outlived
from core.services.messaging import outbox
from core.services.privacy.fine_data import purge_after_moves
from core.services.privacy.series_retention import purge_series
from core.services.registration.messages import forget_account_messages
from core.services.shared.audit import Subject, record
from core.services.shared.paging import Page
from core.services.shared.partitions import kept_since
from core.services.shared.transaction import transactional
from core.settings import Settings

CHALLENGES_FOR = timedelta(days=7)
"""After a code or link has expired: long enough to answer a question why it was refused."""

SIGN_INS_FOR = timedelta(days=30)
"""After a session or access token has ended; the audit records it for longer."""

UNUSED_DEVICES_FOR = timedelta(days=395)
"""The thirteen months that the CNIL allows for data stored on a visitor's device (guidelines of 17 September
2020 on cookies)."""

BATCH_ROWS = 500
"""Rows in one transaction."""

_CLOCK_MARGIN = timedelta(days=1)
"""The audit's trigger uses the database's clock, and refuses a whole statement for one row too new."""

_log = logging.getLogger(__name__)

_M = TypeVar("_M", bound=Model)
_Settle: TypeAlias = Callable[[TransactionalDBClient, QuerySet[_M], datetime], Awaitable[int]]


async def purge(settings: Settings, *, now: datetime) -> Mapping[str, int]:
    """Delete or erase whatever has outlived its period; returns how many rows of each kind, by its name."""
    gone: Mapping[str, int] = MappingProxyType(
        {
            "registrations": await _purge(Registration.filter(expires_at__lte=now), _forget, now),
            "challenges": await _purge(Challenge.filter(expires_at__lte=now - CHALLENGES_FOR), _delete, now),
            "sessions": await _purge(_ended(Session, now), _delete, now),
            "access tokens": await _purge(_ended(AccessToken, now), _delete, now),
            "devices": await _purge(Device.filter(last_used_at__lte=now - UNUSED_DEVICES_FOR), _delete, now),
            **await _purge_messages(now - settings.message_retention, now),
            **await _purge_guests(settings, now),
            "archives": await _purge(DataExport.filter(expires_at__lte=now), _delete_archives, now),
            "accounts": await _purge(_left(now), _erase_accounts, now),
            "audit records": await _purge(
                AuditRecord.filter(at__lte=now - settings.audit_retention - _CLOCK_MARGIN), _delete, now
            ),
            "files of issued papers": await _purge(outlived(now), _drop_file, now),
            **await _purge_consumption(settings, now),
        }
    )
    await _report(gone, now)
    return gone


async def _purge_consumption(settings: Settings, now: datetime) -> Mapping[str, int]:
    """Readings, days and months; and what else tells the hour at which somebody used water."""
    border_s = kept_since(now, settings.retention.reading_months)
    border = datetime.fromtimestamp(border_s, UTC)
    return {
        **await purge_series(settings.retention, now=now),
        "bursts": await _purge(BurstDraw.filter(shown_until_s__lt=border_s), _delete, now),
        "recurring draws": await _purge(RecurringDraw.filter(last_on__lt=border.date()), _delete, now),
        "dead letters": await _purge(DeadLetter.filter(received_at__lt=border), _delete, now),
        "fine data of ended occupancies": await purge_after_moves(settings.retention, now=now),
    }


async def _report(gone: Mapping[str, int], now: datetime) -> None:
    """What was deleted, if anything was."""
    deleted = {kind: count for kind, count in gone.items() if count}
    if deleted:
        await RetentionRun.create(finished_at=now, deleted=deleted)
        _log.info("Retention deleted %s.", ", ".join(f"{kind}: {count}" for kind, count in deleted.items()))


@dataclass(frozen=True, slots=True)
class RunView:
    """What one run deleted, by the kind of data."""

    id: int
    finished_at: datetime
    deleted: Mapping[str, int]


async def retention_runs(viewer: Viewer, *, first: int = 100, after: int | None = None) -> Page[RunView]:
    """A page of the runs that deleted something, the newest first; `after`: the last of the page before."""
    viewer.require(Permission.RETENTION_READ)
    runs = RetentionRun.all() if after is None else RetentionRun.filter(id__lt=after)
    rows = await runs.order_by("-id").limit(first + 1)
    return Page([RunView(row.id, row.finished_at, row.deleted) for row in rows[:first]], len(rows) > first)


async def _purge_guests(settings: Settings, now: datetime) -> Mapping[str, int]:
    """Invitations that nobody accepted; guests whose access ended, once the audit no longer names them; and
    the accounts of household members whom nobody lets in.
    """
    ended = now - settings.audit_retention
    lapsed = HouseholdMember.filter(accepted_at=None, expires_at__lte=now - SIGN_INS_FOR)
    grants = ThirdPartyGrant.filter(Q(revoked_at__lte=ended) | Q(last_day__lt=ended.date()))
    let_in = HouseholdMember.filter(revoked_at=None).exclude(member_id=None)
    alone = Account.filter(role=Role.HOUSEHOLD_MEMBER, id__not_in=Subquery(let_in.values("member_id")))
    return {
        "household invitations": await _purge(lapsed, _delete, now),
        "household members": await _purge(HouseholdMember.filter(revoked_at__lte=ended), _delete, now),
        "third-party grants": await _purge(grants, _delete, now),
        "household accounts": await _purge(alone, _erase_accounts, now),
    }


async def _purge_messages(before: datetime, now: datetime) -> Mapping[str, int]:
    """Delete account messages; erase the text of those of alerts and documents; first abandon unsent ones."""
    unsent = OutboxMessage.filter(state=MessageState.PENDING, expires_at__lte=before)
    await _purge(unsent, _give_up, now)
    settled = OutboxMessage.exclude(state=MessageState.PENDING).filter(erased_at=None, created_at__lte=before)
    return {
        "account messages": await _purge(settled.filter(alert_id=None, document_id=None), _delete, now),
        "alert messages": await _purge(settled.exclude(alert_id=None), _erase_words, now),
        "document messages": await _purge(settled.exclude(document_id=None), _erase_words, now),
    }


def _ended(model: type[_M], now: datetime) -> QuerySet[_M]:
    """Sessions or tokens that were revoked or have expired long enough ago."""
    before = now - SIGN_INS_FOR
    return model.filter(Q(expires_at__lte=before) | Q(revoked_at__lte=before))


def _left(now: datetime) -> QuerySet[Account]:
    """Residents who have left every dwelling and whose access to past data has ended (CN-10).

    An account that awaits a manager's decision remains, and so does one that never had a dwelling.
    """
    occupancy_periods = Occupancy.exclude(account_id=None)
    over = occupancy_periods.filter(access_until__lte=now.date())
    open_still = occupancy_periods.filter(Q(access_until=None) | Q(access_until__gt=now.date()))
    waiting = DwellingRequest.filter(state=DwellingRequestState.OPEN)
    return Account.filter(
        role=Role.RESIDENT,
        id__in=Subquery(over.values("account_id")),
        id__not_in=Subquery(open_still.values("account_id")),
    ).filter(id__not_in=Subquery(waiting.values("account_id")))


async def _purge(doomed: QuerySet[_M], settle: _Settle[_M], now: datetime) -> int:
    gone = 0
    while True:
        taken = await _purge_batch(doomed, settle, now)
        gone += taken
        if taken < BATCH_ROWS:
            return gone


@transactional
async def _purge_batch(
    connection: TransactionalDBClient, doomed: QuerySet[_M], settle: _Settle[_M], now: datetime
) -> int:
    rows = doomed.using_db(connection).order_by("id").limit(BATCH_ROWS)
    ids = [row.pk for row in await rows.select_for_update(skip_locked=True).only("id")]
    return await settle(connection, doomed.filter(id__in=ids).using_db(connection), now) if ids else 0


async def _delete(_connection: TransactionalDBClient, rows: QuerySet[_M], _now: datetime) -> int:
    return await rows.delete()


async def _delete_archives(
    connection: TransactionalDBClient, rows: QuerySet[DataExport], _now: datetime
) -> int:
    ids = [row.pk for row in await rows.only("id")]
    await DataExportPart.filter(export_id__in=ids).using_db(connection).delete()
    return await rows.delete()


async def _forget(connection: TransactionalDBClient, rows: QuerySet[Registration], _now: datetime) -> int:
    """Delete registrations with the messages to the address that was entered (C-37)."""
    await forget_account_messages(connection, await rows.only("id", "messages_sent"))
    return await rows.delete()


async def _give_up(_connection: TransactionalDBClient, rows: QuerySet[OutboxMessage], _now: datetime) -> int:
    return await rows.update(state=MessageState.FAILED, failure="EXPIRED", encrypted_values=None)


async def _erase_words(
    _connection: TransactionalDBClient, rows: QuerySet[OutboxMessage], now: datetime
) -> int:
    return await rows.update(erased_at=now, values={}, encrypted_values=None, recipient=None)


async def _drop_file(_connection: TransactionalDBClient, rows: QuerySet[IssuedPaper], _now: datetime) -> int:
    """The row remains, without personal data: whoever holds the paper can have it verified."""
    return await rows.update(content=None)


async def _erase_accounts(connection: TransactionalDBClient, rows: QuerySet[Account], now: datetime) -> int:
    """Delete accounts with their dependent rows; occupancies, consents and actions remain, anonymous."""
    ids = [row.pk for row in await rows.only("id")]
    await outbox.keep_proofs(connection, ids, now=now)
    for account_id in ids:
        await record(Act.ACCOUNT_ERASED, Subject("account", account_id), None, NOBODY, now, connection)
    await Account.filter(id__in=ids).using_db(connection).delete()
    return len(ids)  # SQLite would count dependent rows too
