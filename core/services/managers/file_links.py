"""The file that a download link names: an index statement or an archive of a resident, a paper of a
manager.

In: a link that was opened. Out: the file. The one rule: who may have it is decided when the link is opened
(`core.services.auth.download_links`), what it holds by the service that made it.
"""

from datetime import datetime

from core.bootstrap import Application
from core.documents.statement import StatementFile
from core.services.auth.download_links import OpenedLink
from core.services.consumption.statement_links import KIND, statement_of_link
from core.services.managers.papers import paper_of_link
from core.services.privacy.exports import LINK_KIND as EXPORT
from core.services.privacy.exports import StreamedFile, export_of_link


async def file_of_opened(
    application: Application, opened: OpenedLink, *, now: datetime
) -> StatementFile | StreamedFile:
    """The file.

    Raises:
        LinkInvalid: it is a link to something else.
        NotFound, ForbiddenPeriod: the account has lost what the file shows since.
        RateLimited: the account fetched too many files within the hour.
    """
    if opened.what["kind"] == EXPORT:
        return await export_of_link(opened, now=now)
    if opened.what["kind"] == KIND:
        return await statement_of_link(application, opened, now=now)
    return await paper_of_link(application, opened.viewer, opened.what, made_at=opened.made_at, now=now)
