"""The papers that a viewer was issued: listed, and fetched again by a short-lived link.

In: the viewer, and dwellings or a code. Out: what was issued, or a link to the very file. The one rule: a
paper opens for whoever may still see what it shows, asked again each time it is fetched: who has lost the
dwelling, or whose manager has lost the consent, does not get it (CN-07, CN-10).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from core.access import Permission, Role, Viewer
from core.access.paper_codes import read
from core.bootstrap import Application
from core.documents.statement import StatementFile
from core.errors import NotFound
from core.models import IssuedPaper, IssuedPaperKind, PaperSide
from core.services.auth.download_links import OpenedLink, make_link, open_link
from core.services.auth.issued_papers import KEPT_FOR, file_of
from core.services.auth.rate_limits import RateLimit, RateLimiter
from core.services.certificates.index_days import certified_day
from core.services.certificates.leak_dossiers import dossier_homes
from core.services.managers.file_links import file_of_opened
from core.services.privacy.exports import StreamedFile
from core.services.shared.columns import day, moment, select_by
from core.services.shared.scope import homes, places_in_charge
from core.services.shared.transaction import current_database

FILES_BY_LINK: Final = RateLimit("issued files by link and account", 60, timedelta(hours=1))
LINK_KIND: Final = "issued paper"
MOST_PAPERS: Final = 50
"""Of a dwelling's: the newest."""


@dataclass(frozen=True, slots=True)
class IssuedPaperView:
    """A paper with a code; `side`: of a move, whose copy it is. `kept_until`: when its file is deleted."""

    code: str
    operator_code: str
    dwelling_id: int
    kind: IssuedPaperKind
    side: PaperSide | None
    first_day: date
    last_day: date
    issued_at: datetime
    kept_until: datetime
    file_name: str
    media_type: str
    sha256: str
    size: int


def view_of(paper: IssuedPaper, operator_code: str) -> IssuedPaperView:
    """A paper as it is stored."""
    return IssuedPaperView(
        code=paper.code,
        operator_code=operator_code,
        dwelling_id=paper.dwelling_id,
        kind=paper.kind,
        side=paper.side,
        first_day=paper.first_day,
        last_day=paper.last_day,
        issued_at=paper.issued_at,
        kept_until=paper.issued_at + KEPT_FOR[paper.kind],
        file_name=paper.file_name,
        media_type=paper.media_type,
        sha256=paper.sha256,
        size=paper.size,
    )


async def papers_by_dwelling(
    viewer: Viewer, dwelling_ids: Collection[int]
) -> dict[int, list[IssuedPaperView]]:
    """The papers at each dwelling that the viewer was issued, with copies of moves, the newest first.

    One statement; a dwelling that is not the viewer's is left out. Index statements, which are made anew at
    any time, are not among them.
    """
    viewer.require(Permission.PAPERS_ISSUE)
    operators = await _operators(viewer, dwelling_ids)
    whose = (
        "(p.account_id = k.account_id OR (p.side IS NOT NULL AND o.account_id = k.account_id))"
        if viewer.role is Role.RESIDENT
        else "(p.account_id = k.account_id OR p.side IS NOT NULL)"
    )
    rows = await select_by(
        current_database(),
        {"dwelling_id": "bigint", "account_id": "bigint"},
        "SELECT q.* FROM (SELECT p.id, p.code, p.kind, p.dwelling_id, p.side, p.first_day, p.last_day,"  # noqa: S608 - our own words
        " p.issued_at, p.file_name, p.media_type, p.sha256, p.size,"
        " ROW_NUMBER() OVER (PARTITION BY p.dwelling_id ORDER BY p.id DESC) AS place"
        " FROM k JOIN issued_paper p ON p.dwelling_id = k.dwelling_id"
        " LEFT JOIN occupancy o ON o.id = p.occupancy_id"
        f" WHERE {whose} AND p.kind <> 'INDEX_STATEMENT' AND p.content IS NOT NULL) q"
        f" WHERE q.place <= {MOST_PAPERS} ORDER BY q.id DESC",
        [(number, viewer.account_id) for number in operators],
    )
    found: dict[int, list[IssuedPaperView]] = {number: [] for number in operators}
    for row in rows:
        kind, issued_at = IssuedPaperKind(row["kind"]), moment(row["issued_at"])
        view = IssuedPaperView(
            code=row["code"],
            operator_code=operators[row["dwelling_id"]],
            dwelling_id=row["dwelling_id"],
            kind=kind,
            side=PaperSide(row["side"]) if row["side"] else None,
            first_day=day(row["first_day"]),
            last_day=day(row["last_day"]),
            issued_at=issued_at,
            kept_until=issued_at + KEPT_FOR[kind],
            file_name=row["file_name"],
            media_type=row["media_type"],
            sha256=row["sha256"],
            size=row["size"],
        )
        found[view.dwelling_id].append(view)
    return found


async def _operators(viewer: Viewer, dwelling_ids: Collection[int]) -> Mapping[int, str]:
    """Those of the dwellings that are the viewer's, each with the code of its operator."""
    if viewer.role is Role.RESIDENT:
        mine = {home.period.dwelling_id: home.place for home in await homes(viewer)}
        return {number: mine[number]["operator_code"] for number in dwelling_ids if number in mine}
    at = await places_in_charge(viewer, dwelling_ids)
    return {number: place["operator_code"] for number, place in at.items()}


async def open_paper(
    application: Application, viewer: Viewer, code: str, *, now: datetime
) -> tuple[IssuedPaperView, str]:
    """A paper that the viewer was issued, and a link to its file.

    Raises:
        NotFound: no such paper, or not the viewer's (any more), or its file is no longer kept.
        ForbiddenPeriod, ConsentRequired, NoOccupant: the viewer may not see any more what it shows.
    """
    viewer.require(Permission.PAPERS_ISSUE)
    paper = await _mine(viewer, code, now)
    file_of(paper, now=now)
    view = view_of(paper, paper.dwelling.residence.operator.code)
    return view, link_of_issued(application, viewer, paper.code, now=now)


def link_of_issued(application: Application, viewer: Viewer, code: str, *, now: datetime) -> str:
    """A link to the file of a paper that was issued to the viewer."""
    return make_link(application, viewer, {"kind": LINK_KIND, "code": code}, now=now)


async def file_of_any_link(
    application: Application, link: str, token: str | None, *, now: datetime
) -> StatementFile | StreamedFile:
    """The file that a download link names: an issued paper's, or one that is made as it is fetched.

    Raises:
        LinkInvalid, LinkExpired: the link opens nothing (any more).
        NotFound, ForbiddenPeriod, ConsentRequired, NoOccupant: the account has lost what it shows since.
        RateLimited: the account fetched too many files within the hour.
    """
    opened = await open_link(application, link, token, now=now)
    if opened.what["kind"] != LINK_KIND:
        return await file_of_opened(application, opened, now=now)
    return await _paper_of_link(application, opened, now)


async def _paper_of_link(application: Application, opened: OpenedLink, now: datetime) -> StatementFile:
    viewer = opened.viewer
    await RateLimiter.of(application).hit((FILES_BY_LINK, str(viewer.account_id)), now=now)
    return file_of(await _mine(viewer, opened.what["code"], now), now=now)


async def _mine(viewer: Viewer, text: str, now: datetime) -> IssuedPaper:
    """The paper, if the viewer may see today what it shows."""
    code = read(text)
    rows = IssuedPaper.exclude(kind=IssuedPaperKind.INDEX_STATEMENT)
    related = ("occupancy", "dwelling__residence__operator")
    paper = None if code is None else await rows.get_or_none(code=code).select_related(*related)
    if paper is None or viewer.account_id is None or not _is_for(viewer, paper):
        raise NotFound("No such paper.", field="code")
    if paper.kind is IssuedPaperKind.INDEX_CERTIFICATE:
        await certified_day(viewer, paper.dwelling_id, paper.last_day, now=now)
    else:
        periods = [home.period for home in await dossier_homes(viewer, paper.dwelling_id, now=now)]
        if not any(period.holds(paper.first_day) for period in periods):
            raise NotFound("No such paper.", field="code")
    return paper


def _is_for(viewer: Viewer, paper: IssuedPaper) -> bool:
    if paper.account_id == viewer.account_id:
        return True
    if viewer.role is Role.RESIDENT:
        return paper.occupancy is not None and paper.occupancy.account_id == viewer.account_id
    return paper.move_key is not None and viewer.role in {Role.MANAGER, Role.STAFF}
