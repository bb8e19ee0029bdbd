"""The file of an index statement, with a code that verifies it; links to it for the minutes after (R-077).

In: what was issued, and for whom. Out: the file and a link, and for a link the file. The one rule: the code
and the hash are stored with the very bytes that are handed out; a link gives the same ones, if its account
may still see what they show. Issuing was recorded with its purpose, following the link is not recorded again.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from core.access import Viewer
from core.access.paper_codes import read
from core.bootstrap import Application
from core.documents.marks import VerificationMark
from core.documents.statement import StatementFile, StatementFormat, StatementReason, statement_file
from core.errors import LinkInvalid
from core.language import Language
from core.models import IssuedPaper, IssuedPaperKind
from core.services.auth.download_links import OpenedLink, make_link
from core.services.auth.issued_papers import PaperSubject, file_of, keep_paper, new_mark
from core.services.auth.rate_limits import RateLimit, RateLimiter
from core.services.consumption.statements import Statement, index_statement, printable

FILES_BY_LINK: Final = RateLimit("files by link and account", 60, timedelta(hours=1))
KIND: Final = "index statement"


@dataclass(frozen=True, slots=True)
class IssuedStatement:
    """The file of a statement, the code that verifies it, and a link to the same file."""

    file: StatementFile
    mark: VerificationMark
    link: str


async def issued_statement(
    application: Application,
    viewer: Viewer,
    statement: Statement,
    file_format: StatementFormat,
    reason: StatementReason,
    *,
    language: Language,
    now: datetime,
) -> IssuedStatement:
    """The file of a statement that was issued to the viewer."""
    dwelling = statement.dwelling
    mark = new_mark(application, dwelling.residence.operator_code)
    content = replace(printable(statement), mark=mark)
    # Laying out a page takes milliseconds of CPU time, which must not block other requests.
    file = await asyncio.to_thread(statement_file, content, file_format, reason, language=language, now=now)
    kind, day = IssuedPaperKind.INDEX_STATEMENT, statement.day
    subject = PaperSubject(kind, dwelling.id, day, day, account_id=viewer.account_id)
    await keep_paper(subject, mark, file, now=now)
    what = {"kind": KIND, "dwelling": str(dwelling.id), "day": day.isoformat(), "code": mark.code}
    return IssuedStatement(file, mark, make_link(application, viewer, what, now=now))


async def statement_of_link(application: Application, opened: OpenedLink, *, now: datetime) -> StatementFile:
    """The file that an opened link names.

    Raises:
        LinkInvalid: it is a link to something else.
        NotFound, ForbiddenPeriod: the account has lost the dwelling since.
        RateLimited: the account fetched too many files within the hour.
    """
    what = opened.what
    code = read(what.get("code", ""))
    if what["kind"] != KIND or code is None:
        raise LinkInvalid
    await RateLimiter.of(application).hit((FILES_BY_LINK, str(opened.viewer.account_id)), now=now)
    day = date.fromisoformat(what["day"])
    await index_statement(
        opened.viewer, int(what["dwelling"]), day=day, now=now
    )  # it may have been lost since
    paper = await IssuedPaper.get_or_none(code=code, kind=IssuedPaperKind.INDEX_STATEMENT)
    if paper is None or paper.account_id != opened.viewer.account_id:
        raise LinkInvalid
    return file_of(paper, now=now)
