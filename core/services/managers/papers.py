"""The files that a manager prints: flyers, certificates of consumption, notices of publication.

In: what is asked for, and the manager. Out: a PDF. The one rule: a file is made when it is fetched, from
what the account may see at that moment; a link to it names what it is made of and holds nothing else
(`core.services.auth.download_links`).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from core.access import Permission, Role, Viewer
from core.bootstrap import Application
from core.consumption.periods import civil_day
from core.documents.sheets import Certificate, Flyer, Notice
from core.documents.statement import StatementFile
from core.errors import Conflict, InvalidInput, LinkInvalid, NotFound
from core.language import Language
from core.models import DocumentKind, Dwelling, Residence, ResidenceDocument
from core.services.auth.download_links import make_link
from core.services.auth.rate_limits import RateLimit, RateLimiter
from core.services.managers.homes import home_in_charge, residence_in_charge
from core.services.managers.senders import door_of, sender_of, site_of
from core.services.managers.without_account import certificates
from core.services.places.managed_residences import place_of

MOST_PAGES: Final = 300
"""Of one file that a server makes; a page takes ten milliseconds. The command line makes any number."""

FILES_BY_ACCOUNT: Final = RateLimit("papers by account", 30, timedelta(hours=1))
LINK_KIND: Final = "paper"
_MEDIA_TYPE: Final = "application/pdf"
_LARGEST_ID: Final = 2**63 - 1
_Page = TypeVar("_Page", Flyer, Certificate)


class PaperKind(StrEnum):
    """What a file holds.

    FLYER: a page for the whole residence, or for one dwelling. FLYERS: a page for each dwelling.
    CERTIFICATES: a page for each resident without an account. NOTICE: a document of the residence.
    """

    FLYER = "FLYER"
    FLYERS = "FLYERS"
    CERTIFICATES = "CERTIFICATES"
    NOTICE = "NOTICE"


@dataclass(frozen=True, slots=True)
class PaperAsked:
    """A file: of which kind, in which language, and of what.

    `number` is that of the residence; of a NOTICE that of the document; of a FLYER with `of_dwelling` that
    of the dwelling.
    """

    kind: PaperKind
    number: int
    language: Language
    of_dwelling: bool = False

    @property
    def for_link(self) -> Mapping[str, str]:
        return {
            "kind": LINK_KIND,
            "paper": self.kind.value,
            "number": str(self.number),
            "language": self.language.value,
            "dwelling": "1" if self.of_dwelling else "",
        }

    @classmethod
    def of_link(cls, what: Mapping[str, str]) -> "PaperAsked":
        return cls(
            PaperKind(what["paper"]), int(what["number"]), Language(what["language"]), bool(what["dwelling"])
        )


async def link_of_paper(
    application: Application, viewer: Viewer, asked: PaperAsked, *, now: datetime
) -> tuple[str, str]:
    """The name of a file, and a link to it.

    Raises:
        NotFound: no such residence, dwelling or document, or not the viewer's.
    """
    viewer.require(Permission.MANAGED_RESIDENCES_READ)
    residence = await _residence_of(viewer, asked)
    return _name(asked, residence), make_link(application, viewer, asked.for_link, now=now)


async def paper_of_link(
    application: Application, viewer: Viewer, what: Mapping[str, str], *, made_at: datetime, now: datetime
) -> StatementFile:
    """The file that an opened link names.

    Raises:
        LinkInvalid: it names no such file.
        NotFound: the account has lost the residence since.
        RateLimited: the account fetched too many files within the hour.
    """
    if what["kind"] != LINK_KIND:
        raise LinkInvalid
    await RateLimiter.of(application).hit((FILES_BY_ACCOUNT, str(viewer.account_id)), now=now)
    return await paper_file(application, viewer, PaperAsked.of_link(what), now=made_at)


async def paper_file(
    application: Application, viewer: Viewer, asked: PaperAsked, *, now: datetime
) -> StatementFile:
    """The file.

    Raises:
        NotFound: no such residence, dwelling or document, or not the viewer's.
        InvalidInput: more pages than one file may have.
        Conflict: a flyer of an operator whose residents cannot register.
    """
    viewer.require(Permission.MANAGED_RESIDENCES_READ)
    residence = await _residence_of(viewer, asked)
    content = await _content(application, viewer, asked, residence, now)
    return StatementFile(_name(asked, residence), _MEDIA_TYPE, content)


async def _content(
    application: Application, viewer: Viewer, asked: PaperAsked, residence: Residence, now: datetime
) -> bytes:
    """The pages, laid out in a thread: that takes CPU time, which must not block other requests."""
    from core.documents import paper  # noqa: PLC0415 - reportlab takes time to start, and few requests need it

    sender, language = sender_of(application, residence), asked.language
    if asked.kind is PaperKind.NOTICE:
        document = await _document(asked.number)
        notice = Notice(
            site_of(residence),
            is_open=document.kind is DocumentKind.PORTAL_READY,
            day=civil_day(document.created_at, residence.time_zone),
        )
        return await asyncio.to_thread(paper.notice_pdf, sender, notice, language)
    if asked.kind is PaperKind.CERTIFICATES:
        pages = _few(viewer, await certificates(viewer, residence.id, now=now))
        if not pages:
            raise NotFound("Every occupant of this residence has an account.", field="residence")
        today = civil_day(now, residence.time_zone)
        return await asyncio.to_thread(paper.certificates_pdf, sender, pages, language, today=today)
    flyers = _few(viewer, await _flyers(application, viewer, asked, residence))
    return await asyncio.to_thread(paper.flyers_pdf, sender, flyers, language)


async def _flyers(
    application: Application, viewer: Viewer, asked: PaperAsked, residence: Residence
) -> list[Flyer]:
    profile = application.registry.profile(residence.operator.code)
    if profile is None:
        raise Conflict("The residents of this operator cannot register.", field="operator")
    steps = tuple(stage.title.in_language(asked.language) for stage in profile.stages)
    site, example = site_of(residence), profile.serial_example
    if asked.of_dwelling:
        doors = [door_of(await home_in_charge(viewer, asked.number))]
    elif asked.kind is PaperKind.FLYERS:
        rows = await Dwelling.filter(residence_id=residence.id)
        doors = [door_of(row) for row in sorted(rows, key=lambda row: (place_of(row), row.id))]
    else:
        return [Flyer(site, None, steps, example)]
    return [Flyer(site, door, steps, example) for door in doors]


async def _residence_of(viewer: Viewer, asked: PaperAsked) -> Residence:
    """The residence of what is asked for, if it is the viewer's."""
    if asked.kind is PaperKind.NOTICE:
        return await residence_in_charge(viewer, (await _document(asked.number)).residence_id)
    if asked.of_dwelling:
        return (await home_in_charge(viewer, asked.number)).residence
    return await residence_in_charge(viewer, asked.number)


async def _document(number: int) -> ResidenceDocument:
    row = await ResidenceDocument.get_or_none(id=number) if 0 < number <= _LARGEST_ID else None
    if row is None:
        raise NotFound("No such document.", field="document")
    return row


def _few(viewer: Viewer, pages: list[_Page]) -> list[_Page]:
    if viewer.role is not Role.SYSTEM and len(pages) > MOST_PAGES:
        raise InvalidInput(f"has more than {MOST_PAGES} pages: print it by dwelling", field="residence")
    return pages


_STEMS: Final = {
    PaperKind.FLYER: {Language.FR: "flyer", Language.EN: "flyer"},
    PaperKind.FLYERS: {Language.FR: "flyers", Language.EN: "flyers"},
    PaperKind.CERTIFICATES: {Language.FR: "justificatifs", Language.EN: "certificates"},
    PaperKind.NOTICE: {Language.FR: "portail", Language.EN: "portal"},
}


def _name(asked: PaperAsked, residence: Residence) -> str:
    """`flyer-AA000.pdf`, safe on every file system."""
    code = "".join(sign for sign in residence.code if sign.isascii() and (sign.isalnum() or sign == "-"))
    number = f"-{asked.number}" if asked.of_dwelling or asked.kind is PaperKind.NOTICE else ""
    return f"{_STEMS[asked.kind][asked.language]}-{code}{number}.pdf"
