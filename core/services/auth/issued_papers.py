"""Papers that are issued with a code: the code before the file is made, its row with the hash after.

In: what a paper is about, and the file. Out: a mark to print, and a row. The one rule: the hash is that of
the bytes that are handed out; so the bytes are kept, and a link gives the same ones, for as long as a file of
its kind may be fetched. The row outlives the file: a paper is verified for as long as somebody holds it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from core.access.paper_codes import new_code, shown
from core.bootstrap import Application
from core.documents.marks import VerificationMark
from core.documents.statement import StatementFile
from core.errors import NotFound
from core.models import IssuedPaper, IssuedPaperKind, PaperSide

VERIFY_PATH: Final = "/verify"
KEPT_FOR: Final[Mapping[IssuedPaperKind, timedelta]] = MappingProxyType(
    {
        IssuedPaperKind.INDEX_STATEMENT: timedelta(days=1),  # whose link lasts ten minutes
        IssuedPaperKind.INDEX_CERTIFICATE: timedelta(days=1096),
        IssuedPaperKind.LEAK_DOSSIER: timedelta(days=731),
    }
)
"""How long a file may be fetched again. The certificate of a move: three years, as claims from a lease are
barred after them (loi 89-462, article 7-1); a dossier: two, as those from an insurance (code des assurances,
L. 114-1)."""


@dataclass(frozen=True, slots=True)
class PaperSubject:
    """What a paper is about, and whose it is: an account's, or a copy for one side of a move."""

    kind: IssuedPaperKind
    dwelling_id: int
    first_day: date
    last_day: date
    account_id: int | None = None
    occupancy_id: int | None = None
    side: PaperSide | None = None
    alert_id: int | None = None
    move_key: str | None = None


def new_mark(application: Application, operator_code: str) -> VerificationMark:
    """The mark of a paper that is about to be made."""
    return mark_of(application, operator_code, new_code())


def mark_of(application: Application, operator_code: str, code: str) -> VerificationMark:
    """The mark of a code: its page is at the address of the operator's portal."""
    return VerificationMark(code, application.portal_link(operator_code, f"{VERIFY_PATH}/{shown(code)}"))


async def keep_paper(
    subject: PaperSubject,
    mark: VerificationMark,
    file: StatementFile,
    *,
    now: datetime,
    connection: BaseDBAsyncClient | None = None,
) -> IssuedPaper:
    """Write the row of a file that is about to be handed out."""
    return await IssuedPaper.create(
        code=mark.code,
        kind=subject.kind,
        dwelling_id=subject.dwelling_id,
        first_day=subject.first_day,
        last_day=subject.last_day,
        issued_at=now,
        account_id=subject.account_id,
        occupancy_id=subject.occupancy_id,
        side=subject.side,
        alert_id=subject.alert_id,
        move_key=subject.move_key,
        file_name=file.name,
        media_type=file.media_type,
        sha256=hashlib.sha256(file.content).hexdigest(),
        size=len(file.content),
        content=file.content,
        using_db=connection,
    )


def file_of(paper: IssuedPaper, *, now: datetime) -> StatementFile:
    """The very file that was issued.

    Raises:
        NotFound: it is no longer kept.
    """
    if paper.content is None or paper.issued_at + KEPT_FOR[paper.kind] <= now:
        raise NotFound("The file is no longer kept.", field="code")
    return StatementFile(paper.file_name, paper.media_type, bytes(paper.content))


def outlived(now: datetime) -> QuerySet[IssuedPaper]:
    """Papers whose file is kept and should no longer be: past its time, or of an account that was erased."""
    past = Q(account_id=None, side=None)
    for kind, kept in KEPT_FOR.items():
        past |= Q(kind=kind, issued_at__lte=now - kept)
    return IssuedPaper.filter(past, content__not_isnull=True)
