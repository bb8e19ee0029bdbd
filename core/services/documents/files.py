"""The file of a document, and the short-lived link to it.

In: a document that the viewer sees. Out: a link, and for a link the file. The one rule: who may have the file
is decided when the link is opened, not when it was made: a document that was withdrawn meanwhile, or a place
that the account has lost, is no file any more.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from core.access import Viewer, Visitor
from core.bootstrap import Application
from core.consumption import Month
from core.errors import LinkInvalid
from core.services.auth.download_links import OpenedLink, make_link, open_link
from core.services.auth.rate_limits import RateLimit, RateLimiter
from core.services.documents.file_store import content_of
from core.services.documents.note_files import batch_name, note_pdf, printed_batch
from core.services.documents.seen import ResidentDocumentView, document_seen

LINK_KIND: Final = "document"
BATCH_KIND: Final = "notes to print"
FILES_BY_ACCOUNT: Final = RateLimit("documents by account", 300, timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A file to save; `name` is safe on every file system."""

    name: str
    media_type: str
    content: bytes


def link_of_document(application: Application, viewer: Viewer, document_id: int, *, now: datetime) -> str:
    """A link to the file of a document that the viewer sees."""
    return make_link(application, viewer, {"kind": LINK_KIND, "document": str(document_id)}, now=now)


async def link_of_batch(
    application: Application,
    viewer: Viewer,
    residence_id: int,
    month: Month,
    *,
    again: bool,
    now: datetime,
) -> tuple[str, str]:
    """The name of the notes of a residence to be printed, and a link to them.

    Raises:
        NotFound: no such residence, or not one that the viewer is in charge of.
    """
    name = await batch_name(viewer, residence_id, month)
    what = {
        "kind": BATCH_KIND,
        "residence": str(residence_id),
        "month": str(month),
        "again": "1" if again else "",
    }
    return name, make_link(application, viewer, what, now=now)


async def document_of_link(
    application: Application, link: str, token: str | None, *, visitor: Visitor, now: datetime
) -> DocumentFile:
    """The file that a link stands for.

    Raises:
        LinkInvalid, LinkExpired: the link opens nothing (any more).
        NotFound: the document was withdrawn, or the account has lost its place.
        RateLimited: the account fetched too many files within the hour.
        ContentLost: the store has lost or damaged it.
    """
    opened = await open_link(application, link, token, now=now)
    if opened.what["kind"] not in {LINK_KIND, BATCH_KIND}:
        raise LinkInvalid
    await RateLimiter.of(application).hit((FILES_BY_ACCOUNT, str(opened.viewer.account_id)), now=now)
    if opened.what["kind"] == BATCH_KIND:
        return await _batch(application, opened, visitor=visitor, now=now)
    view = await document_seen(opened.viewer, int(opened.what["document"]), now=now)
    return await document_file(application, view)


async def document_file(application: Application, view: ResidentDocumentView) -> DocumentFile:
    """The file of a document, which its caller has narrowed to the viewer."""
    if view.type.is_note:
        return DocumentFile(view.file_name, view.media_type, await note_pdf(application, view.id))
    assert view.sha256 is not None
    content = await content_of(application, view.sha256)
    return DocumentFile(view.file_name, view.media_type, content)


async def _batch(
    application: Application, opened: OpenedLink, *, visitor: Visitor, now: datetime
) -> DocumentFile:
    what = opened.what
    residence_id, month = int(what["residence"]), Month.of(date.fromisoformat(f"{what['month']}-01"))
    name = await batch_name(opened.viewer, residence_id, month)
    _, content = await printed_batch(
        application,
        opened.viewer,
        residence_id,
        month,
        again=bool(what["again"]),
        visitor=visitor,
        now=now,
    )
    return DocumentFile(name, "application/pdf", content)
