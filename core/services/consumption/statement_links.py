"""Links to the file of an index statement that was issued, for the minutes after (R-077).

In: what was issued, and for whom. Out: a link, and for a link the file. The one rule: a link is one file
(day, format, purpose, language and moment are part of it), made from what its account may see when it is
followed; issuing was recorded with its purpose, following the link is not recorded again.
"""

import asyncio
from datetime import date, datetime, timedelta
from typing import Final

from core.access import Viewer
from core.bootstrap import Application
from core.documents.statement import StatementFile, StatementFormat, StatementReason, statement_file
from core.errors import LinkInvalid
from core.language import Language
from core.services.auth.download_links import OpenedLink, make_link
from core.services.auth.rate_limits import RateLimit, RateLimiter
from core.services.consumption.statements import Statement, index_statement, printable

FILES_BY_LINK: Final = RateLimit("files by link and account", 60, timedelta(hours=1))
KIND: Final = "index statement"


def link_of_statement(
    application: Application,
    viewer: Viewer,
    statement: Statement,
    file_format: StatementFormat,
    reason: StatementReason,
    *,
    language: Language,
    now: datetime,
) -> str:
    """A link to the file of a statement that was issued to the viewer."""
    what = {
        "kind": KIND,
        "dwelling": str(statement.dwelling.id),
        "day": statement.day.isoformat(),
        "format": file_format.value,
        "reason": reason.value,
        "language": language.value,
    }
    return make_link(application, viewer, what, now=now)


async def statement_of_link(application: Application, opened: OpenedLink, *, now: datetime) -> StatementFile:
    """The file that an opened link names.

    Raises:
        LinkInvalid: it is a link to something else.
        NotFound, ForbiddenPeriod: the account has lost the dwelling since.
        RateLimited: the account fetched too many files within the hour.
    """
    what = opened.what
    if what["kind"] != KIND:
        raise LinkInvalid
    await RateLimiter.of(application).hit((FILES_BY_LINK, str(opened.viewer.account_id)), now=now)
    day = date.fromisoformat(what["day"])
    statement = await index_statement(opened.viewer, int(what["dwelling"]), day=day, now=now)
    # Laying out a page takes milliseconds of CPU time, which must not block other requests.
    return await asyncio.to_thread(
        statement_file,
        printable(statement),
        StatementFormat(what["format"]),
        StatementReason(what["reason"]),
        language=Language(what["language"]),
        now=opened.made_at,
    )
