"""Notifies residents of new documents (R-034), and deletes what was withdrawn or never received.

In: documents whose file was received. Out: messages to those who live there on the day that a document is
shown from, and asked to be notified of documents; so one that is deposited ahead is notified on its day. The
one rule: a document is notified once, in the transaction that notes it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from tortoise.backends.base.client import TransactionalDBClient

from core.bootstrap import Application
from core.consumption.periods import civil_day
from core.models import Document, Dwelling
from core.services.documents.file_store import removed
from core.services.messaging.outbox import Notification, Topic, queue
from core.services.places.managed_residences import place_of
from core.services.shared.transaction import transactional

AT_ONCE: Final = 50
ANNOUNCED_FOR: Final = timedelta(days=1)
"""How long an announced document waits for its file; its link lives for minutes."""

WITHDRAWN_FOR: Final = timedelta(days=30)
"""How long the file of a withdrawn document is kept, in case of a mistake."""

_EARLIEST_ZONE: Final = timedelta(hours=14)
"""No civil day begins earlier than UTC's by more (UTC+14, Line Islands)."""


async def notify_due(application: Application, *, now: datetime) -> int:
    """Notify the documents whose day has come; returns how many."""
    notified = 0
    while some := await _notify_some(application, now=now):
        notified += some
    return notified


@transactional
async def _notify_some(connection: TransactionalDBClient, application: Application, *, now: datetime) -> int:
    rows = Document.filter(
        notified_at=None,
        withdrawn_at=None,
        occupancy_id=None,
        deposited_at__isnull=False,
        shown_from__lte=(now + _EARLIEST_ZONE).date(),
    )
    locked = rows.using_db(connection).order_by("id").limit(AT_ONCE).select_for_update(skip_locked=True)
    found = await locked
    for row in found:
        await row.fetch_related("residence__operator", using_db=connection)
    return await notify_shown(connection, application, found, now=now)


async def notify_shown(
    connection: TransactionalDBClient, application: Application, rows: Sequence[Document], *, now: datetime
) -> int:
    """Queue the messages about those of the documents that are shown by now; returns how many documents.

    Their residences and operators must be loaded, and the rows locked.
    """
    shown = [row for row in rows if row.shown_from <= civil_day(now, row.residence.time_zone)]
    if not shown:
        return 0
    dwellings = Dwelling.filter(residence_id__in={row.residence_id for row in shown}).using_db(connection)
    by_residence: dict[int, list[Dwelling]] = {}
    for dwelling in await dwellings:
        by_residence.setdefault(dwelling.residence_id, []).append(dwelling)
    for row in shown:  # an event each: an owner of two homes gets one message about it
        homes = by_residence.get(row.residence_id, [])
        notifications = [
            _notification(application, row, dwelling)
            for dwelling in homes
            if row.dwelling_id in {None, dwelling.id}
        ]
        await queue(connection, notifications, now=now)
    numbers = [row.id for row in shown]
    await Document.filter(id__in=numbers).using_db(connection).update(notified_at=now)
    return len(shown)


def _notification(application: Application, row: Document, dwelling: Dwelling) -> Notification:
    return Notification(
        dwelling_id=dwelling.id,
        topic=Topic.NEW_DOCUMENT,
        template="new_document",
        key=f"new_document:{row.id}",
        started_on=row.shown_from,
        happened_on=row.shown_from,
        alert_id=None,
        document_id=row.id,
        values={
            "title": row.title,
            "residence": row.residence.name or row.residence.code,
            "place": place_of(dwelling) if row.dwelling_id is not None else "",
            "link": application.portal_link(row.residence.operator.code, "/documents"),
        },
        to_owners=row.for_owner,
    )


async def purge_documents(application: Application, *, now: datetime) -> int:
    """Delete the rows that never got a file, and withdrawn ones with their files; returns how many rows."""
    announced = Document.filter(deposited_at=None, created_at__lte=now - ANNOUNCED_FOR)
    gone = await announced.delete()
    withdrawn = await Document.filter(withdrawn_at__lte=now - WITHDRAWN_FOR).order_by("id").limit(1_000)
    for row in withdrawn:
        # The row last: if the store is away, the job tries again.
        if row.sha256 is not None and not await _is_used_otherwise(row):
            # Whoever deposits the same again has stored it anew, which is not older than a day.
            await removed(application, row.sha256, stored_before=now - ANNOUNCED_FOR)
        await row.delete()
    return gone + len(withdrawn)


async def _is_used_otherwise(row: Document) -> bool:
    return await Document.exclude(id=row.id).filter(sha256=row.sha256).exists()
