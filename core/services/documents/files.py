"""The file of a document, and the short-lived link to it.

In: a document that the viewer sees. Out: a link, and for a link the file. The one rule: who may have the file
is decided when the link is opened, not when it was made: a document that was withdrawn meanwhile, or a place
that the account has lost, is no file any more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.access import Viewer
from core.bootstrap import Application
from core.errors import LinkInvalid
from core.services.auth.download_links import make_link, open_link
from core.services.auth.rate_limits import RateLimit, RateLimiter
from core.services.documents.file_store import content_of
from core.services.documents.seen import ResidentDocumentView, document_seen

LINK_KIND: Final = "document"
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


async def document_of_link(
    application: Application, link: str, token: str | None, *, now: datetime
) -> DocumentFile:
    """The file that a link stands for.

    Raises:
        LinkInvalid, LinkExpired: the link opens nothing (any more).
        NotFound: the document was withdrawn, or the account has lost its place.
        RateLimited: the account fetched too many files within the hour.
        ContentLost: the store has lost or damaged it.
    """
    opened = await open_link(application, link, token, now=now)
    if opened.what["kind"] != LINK_KIND:
        raise LinkInvalid
    await RateLimiter.of(application).hit((FILES_BY_ACCOUNT, str(opened.viewer.account_id)), now=now)
    view = await document_seen(opened.viewer, int(opened.what["document"]), now=now)
    return await document_file(application, view)


async def document_file(application: Application, view: ResidentDocumentView) -> DocumentFile:
    """The file of a document, which its caller has narrowed to the viewer."""
    assert view.sha256 is not None
    content = await content_of(application, view.sha256)
    return DocumentFile(view.file_name, view.media_type, content)
