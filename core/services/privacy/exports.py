"""Archives of a person's own data: asked for, made by a worker, fetched for a week (GDPR Art. 15 and 20).

In: a resident. Out: an archive, in parts of the database, so that any process may make it and any other may
serve it. The one rule: an archive is made from what the account may see when it is made, and is deleted
when it expires, a week later; whoever fetches it is signed in as its owner (`auth.download_links`). A
worker that is killed leaves a claim that ends by itself; the next one begins the archive again.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.expressions import F, Q

from core.access import Act, Permission, Viewer, Visitor
from core.access.acts import NOBODY
from core.access.purposes import ExportState
from core.bootstrap import Application
from core.errors import Conflict, LinkInvalid, NotFound
from core.models import Account, DataExport, DataExportPart
from core.services.auth.download_links import OpenedLink, make_link
from core.services.messaging.account_messages import AccountMessage, portal_link, queue_account_message
from core.services.privacy.archives import archive_of
from core.services.shared.audit import Subject, record
from core.services.shared.transaction import transactional

KEPT_FOR: Final = timedelta(days=7)
MOST_AT_ONCE: Final = 3
"""Archives of an account that are waiting or can be fetched: each holds all its data."""

LINK_KIND: Final = "data export"
MOST_TRIES: Final = 3
_CLAIM: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class ExportView:
    """An archive as its owner sees it."""

    id: int
    state: ExportState
    requested_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None
    size_bytes: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class StreamedFile:
    """A file that is sent part by part."""

    name: str
    media_type: str
    size_bytes: int
    parts: AsyncIterator[bytes]


@transactional
async def request_export(
    connection: TransactionalDBClient, viewer: Viewer, *, visitor: Visitor, now: datetime
) -> ExportView:
    """Ask for an archive; an e-mail says when it is ready.

    Raises:
        Conflict: one is waiting already, or there are as many as may be.
    """
    viewer.require(Permission.EXPORTS_WRITE)
    assert viewer.account_id is not None
    await Account.filter(id=viewer.account_id).using_db(connection).select_for_update().get()
    mine = await _listed(viewer.account_id, now).using_db(connection)
    if any(row.state is ExportState.REQUESTED for row in mine):
        raise Conflict("An archive is being made: wait for it.")
    if len(mine) >= MOST_AT_ONCE:
        raise Conflict(f"There are {MOST_AT_ONCE} archives: fetch one, or wait until one expires.")
    row = await DataExport.create(account_id=viewer.account_id, requested_at=now, using_db=connection)
    await record(Act.DATA_EXPORT_REQUESTED, Subject("data_export", row.id), viewer, visitor, now, connection)
    return _view(row)


async def my_exports(viewer: Viewer, *, now: datetime) -> list[ExportView]:
    """The viewer's archives that are waiting, failed or can be fetched, the newest first."""
    viewer.require(Permission.EXPORTS_WRITE)
    return [_view(row) for row in await _listed(viewer.account_id, now).order_by("-id")]


async def link_of_export(
    application: Application, viewer: Viewer, export_id: int, *, now: datetime
) -> str | None:
    """A link to an archive of the viewer's; None until it is ready."""
    viewer.require(Permission.EXPORTS_WRITE)
    row = await _listed(viewer.account_id, now).get_or_none(id=export_id)
    if row is None:
        raise NotFound("No such archive.", field="id")
    if row.state is not ExportState.READY:
        return None
    return make_link(application, viewer, {"kind": LINK_KIND, "export": str(row.id)}, now=now)


async def export_of_link(opened: OpenedLink, *, now: datetime) -> StreamedFile:
    """The archive that an opened link names.

    Raises:
        LinkInvalid: it has expired, or is none of the viewer's.
    """
    opened.viewer.require(Permission.EXPORTS_WRITE)
    number = int(opened.what["export"])
    row = await _listed(opened.viewer.account_id, now).get_or_none(id=number, state=ExportState.READY)
    if row is None or row.ready_at is None:
        raise LinkInvalid
    await record(Act.DATA_EXPORTED, Subject("data_export", row.id), opened.viewer, NOBODY, now)
    name = f"submeter-{row.ready_at:%Y-%m-%d}.zip"
    return StreamedFile(name, "application/zip", row.size_bytes, _parts(row.id))


async def _parts(export_id: int) -> AsyncIterator[bytes]:
    number = 0
    while part := await DataExportPart.get_or_none(export_id=export_id, number=number):
        yield bytes(part.content)
        number += 1


def _listed(account_id: int | None, now: datetime):  # type: ignore[no-untyped-def] # noqa: ANN202
    return DataExport.filter(Q(expires_at=None) | Q(expires_at__gt=now), account_id=account_id)


async def make_exports(application: Application, *, now: datetime) -> int:
    """Make the archives that are waiting and that no other process makes; returns how many."""
    made = 0
    while True:
        free = Q(claimed_until=None) | Q(claimed_until__lte=now)
        row = await DataExport.filter(free, state=ExportState.REQUESTED).order_by("id").first()
        if row is None:
            return made
        mine = DataExport.filter(free, id=row.id, state=ExportState.REQUESTED)
        if not await mine.update(claimed_until=now + _CLAIM, tries=F("tries") + 1):
            continue
        if row.tries >= MOST_TRIES:
            await DataExport.filter(id=row.id).update(state=ExportState.FAILED, expires_at=now + KEPT_FOR)
            continue
        await _make(application, row.id, now)
        made += 1


async def _make(application: Application, export_id: int, now: datetime) -> None:
    row = await DataExport.get(id=export_id).select_related("account")
    account = row.account
    viewer = Viewer(role=account.role, account_id=account.id, operator_id=account.operator_id, asked_at=now)
    await DataExportPart.filter(export_id=export_id).delete()  # of a worker that was killed
    size, digest, number = 0, sha256(), 0
    async for part in archive_of(viewer, now=now):
        await DataExportPart.create(export_id=export_id, number=number, content=part)
        digest.update(part)
        size, number = size + len(part), number + 1
    await _finish(application, export_id, size, digest.hexdigest(), now)


@transactional
async def _finish(
    connection: TransactionalDBClient,
    application: Application,
    export_id: int,
    size: int,
    digest: str,
    now: datetime,
) -> None:
    row = await DataExport.get(id=export_id, using_db=connection).select_related("account")
    row.state, row.ready_at, row.expires_at = ExportState.READY, now, now + KEPT_FOR
    row.size_bytes, row.sha256, row.claimed_until = size, digest, None
    await row.save(using_db=connection)
    message = AccountMessage.to(
        row.account,
        "data_export_ready",
        key=f"data_export_ready:{row.id}",
        values={
            "until": row.expires_at.date().isoformat(),
            "link": await portal_link(connection, application, row.account),
        },
        expires_at=row.expires_at,
    )
    await queue_account_message(connection, application.settings, message, now=now)


def _view(row: DataExport) -> ExportView:
    is_ready = row.state is ExportState.READY
    return ExportView(
        id=row.id,
        state=row.state,
        requested_at=row.requested_at,
        ready_at=row.ready_at,
        expires_at=row.expires_at,
        size_bytes=row.size_bytes if is_ready else None,
        sha256=row.sha256 if is_ready else None,
    )
