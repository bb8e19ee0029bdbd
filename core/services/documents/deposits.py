"""Managers and the operator's staff deposit documents for the residents of a residence or a dwelling.

In: what a document is, then its file, by a signed link that lives for minutes. Out: a document that those who
may see it are notified of (R-034), until it is withdrawn. The one rule: a document exists once its file was
received whole and was found to be of a format that we take (`core.documents.media`); what was announced only
is nobody's. A document of a dwelling is for those who live there on the day that it is shown from: the later
of its deposit and `valid_from`.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Permission, Viewer, Visitor
from core.bootstrap import Application
from core.consumption.periods import civil_day
from core.documents.media import FORMATS, format_of, safe_name
from core.errors import Conflict, InvalidInput, LinkInvalid, NotFound
from core.language import Language
from core.models import Document, DocumentType, MessageState, OutboxMessage
from core.sanitize import escape_for_database
from core.services.auth.download_links import make_link, open_link
from core.services.auth.rate_limits import RateLimit, RateLimiter
from core.services.documents.file_store import stored
from core.services.documents.new_documents import notify_shown
from core.services.documents.seen import ResidentDocumentView, document_seen
from core.services.shared.audit import Subject, record
from core.services.shared.place_rows import ResidenceRow
from core.services.shared.scope import places_in_charge, residences_in_charge
from core.services.shared.transaction import transactional

UPLOADS_BY_ACCOUNT: Final = RateLimit("uploads by account", 120, timedelta(hours=1))
LINK_KIND: Final = "document upload"
LONGEST_TITLE: Final = 120
LONGEST_GIVEN_NAME: Final = 1_000
FURTHEST_AHEAD: Final = timedelta(days=366)
_RECEIVED: Final = "The file of this document was received before."
_EARLIEST: Final = date(1900, 1, 1)
_NEVER: Final = date(9999, 12, 31)
"""When what was announced only is shown."""


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document to be deposited: of a dwelling, or (without one) of a residence as a whole."""

    title: str
    type: DocumentType
    language: Language
    file_name: str
    residence_id: int | None = None
    dwelling_id: int | None = None
    valid_from: date | None = None
    for_owner: bool = True


@dataclass(frozen=True, slots=True)
class Upload:
    """Where the file of a document is to be sent."""

    document_id: int
    link: str
    most_bytes: int


@dataclass(frozen=True, slots=True)
class Announced:
    """A document whose file may be sent, by whom; `ending` is set where the sender calls it a CSV."""

    viewer: Viewer
    document_id: int
    stem: str
    ending: str


async def request_upload(
    application: Application, viewer: Viewer, new: NewDocument, *, now: datetime
) -> Upload:
    """Announce a document.

    Raises:
        NotFound: no such dwelling or residence, or not one that the viewer is in charge of.
        InvalidInput: a title, name, type or day that cannot be used.
        RateLimited: too many within the hour.
    """
    viewer.require(Permission.DOCUMENTS_DEPOSIT)
    place = await _place(viewer, new)
    today = civil_day(now, place["time_zone"])
    title = _checked_title(new)
    valid_from = _checked_day(new.valid_from or today, today)
    if len(new.file_name) > LONGEST_GIVEN_NAME:
        raise InvalidInput("The name of the file is too long.", field="file_name")
    await RateLimiter.of(application).hit((UPLOADS_BY_ACCOUNT, str(viewer.account_id)), now=now)
    row = await Document.create(
        residence_id=place["residence_id"],
        dwelling_id=new.dwelling_id,
        type=new.type,
        title=title,
        language=new.language.value,
        valid_from=valid_from,
        shown_from=_NEVER,
        for_owner=new.for_owner,
        file_name=safe_name(escape_for_database(new.file_name), "bin", otherwise=new.type.value.lower()),
        author_id=viewer.account_id,
        created_at=now,
    )
    # The ending decides what a CSV is, and nothing else; it is replaced once the content is known.
    what = {"kind": LINK_KIND, "document": str(row.id), "csv": _ending(new.file_name)}
    link = make_link(application, viewer, what, now=now)
    return Upload(row.id, link, application.settings.documents.most_bytes)


async def announced_of_link(
    application: Application, link: str, token: str | None, *, now: datetime
) -> Announced:
    """What a link was made for; asked before the file is received.

    Raises:
        LinkInvalid, LinkExpired: the link opens nothing (any more), or its account has lost the place.
        Conflict: the file was received before.
    """
    opened = await open_link(application, link, token, now=now)
    if opened.what["kind"] != LINK_KIND:
        raise LinkInvalid
    viewer = opened.viewer
    viewer.require(Permission.DOCUMENTS_DEPOSIT)
    row = await Document.get_or_none(id=int(opened.what["document"]))
    if row is None or row.author_id != viewer.account_id:
        raise LinkInvalid
    if row.residence_id not in await residences_in_charge(viewer, [row.residence_id]):
        raise LinkInvalid
    if row.deposited_at is not None:
        raise Conflict(_RECEIVED, field="document")
    return Announced(viewer, row.id, row.file_name.removesuffix(".bin"), opened.what["csv"])


async def receive_upload(
    application: Application, announced: Announced, content: bytes, *, visitor: Visitor, now: datetime
) -> ResidentDocumentView:
    """Store the file of an announced document, and notify whom the document is for.

    Raises:
        Conflict: the file was received before.
        InvalidInput: the file is empty, too large, or of no format that we take.
    """
    if not content or len(content) > application.settings.documents.most_bytes:
        most = application.settings.documents.most_bytes
        raise InvalidInput(f"A file has from 1 to {most} bytes.", field="file")
    found = format_of(content, announced.ending)
    if found is None:
        names = ", ".join(one.extension.upper() for one in FORMATS)
        raise InvalidInput(f"The content is none of {names}.", field="file")
    sha256 = await stored(application, content)
    await _deposit(
        application,
        announced,
        {
            "sha256": sha256,
            "size_bytes": len(content),
            "media_type": found.media_type,
            "file_name": f"{announced.stem}.{found.extension}",
        },
        visitor=visitor,
        now=now,
    )
    return await document_seen(announced.viewer, announced.document_id, now=now)


@transactional
async def _deposit(
    connection: TransactionalDBClient,
    application: Application,
    announced: Announced,
    file: dict[str, str | int],
    *,
    visitor: Visitor,
    now: datetime,
) -> None:
    """Make an announced document one that is seen, once, and queue the messages."""
    rows = (
        Document.filter(id=announced.document_id, deposited_at=None).using_db(connection).select_for_update()
    )
    row = await rows.first()
    if row is None:
        raise Conflict(_RECEIVED, field="document")
    await row.fetch_related("residence__operator", using_db=connection)
    shown_from = max(row.valid_from, civil_day(now, row.residence.time_zone))
    row.update_from_dict({**file, "deposited_at": now, "shown_from": shown_from})
    await row.save(using_db=connection, update_fields=[*file, "deposited_at", "shown_from"])
    await record(
        Act.DOCUMENT_DEPOSITED,
        Subject("document", row.id),
        announced.viewer,
        visitor,
        now,
        connection,
        residence=row.residence_id,
        dwelling=row.dwelling_id,
        type=row.type.value,
        sha256=str(file["sha256"]),
    )
    await notify_shown(connection, application, [row], now=now)


@transactional
async def withdraw_document(
    connection: TransactionalDBClient,
    viewer: Viewer,
    document_id: int,
    *,
    visitor: Visitor,
    now: datetime,
) -> None:
    """Withdraw a deposited document: nobody sees it from then on, and messages that wait are not sent.

    Raises:
        NotFound: no such document, or none of a place that the viewer is in charge of.
        Conflict: it is a note on consumption, which is evidence.
    """
    viewer.require(Permission.DOCUMENTS_DEPOSIT)
    view = await document_seen(viewer, document_id, now=now)
    if view.type.is_note:
        raise Conflict("A note on consumption cannot be withdrawn.", field="document")
    open_still = Document.filter(id=view.id, withdrawn_at=None).using_db(connection)
    if not await open_still.update(withdrawn_at=now):
        raise NotFound("No such document.", field="document")
    await abandon_messages(connection, view.id)
    await record(
        Act.DOCUMENT_WITHDRAWN,
        Subject("document", view.id),
        viewer,
        visitor,
        now,
        connection,
        residence=view.residence_id,
        dwelling=view.dwelling_id,
    )


async def abandon_messages(connection: TransactionalDBClient, document_id: int) -> None:
    """Messages about a document that wait to be sent are not sent any more."""
    waiting = OutboxMessage.filter(document_id=document_id, state=MessageState.PENDING)
    await waiting.using_db(connection).update(
        state=MessageState.FAILED, failure="DOCUMENT_WITHDRAWN", encrypted_values=None
    )


async def _place(viewer: Viewer, new: NewDocument) -> ResidenceRow:
    if (new.dwelling_id is None) == (new.residence_id is None):
        raise InvalidInput("Name either a residence or a dwelling.", field="residence")
    if new.dwelling_id is not None:
        place = (await places_in_charge(viewer, [new.dwelling_id])).get(new.dwelling_id)
        if place is None:
            raise NotFound("No such dwelling.", field="dwelling")
        return place
    assert new.residence_id is not None
    residence = (await residences_in_charge(viewer, [new.residence_id])).get(new.residence_id)
    if residence is None:
        raise NotFound("No such residence.", field="residence")
    return residence


def _checked_title(new: NewDocument) -> str:
    title = " ".join(new.title.split())
    if not title or len(title) > LONGEST_TITLE or not title.isprintable():
        raise InvalidInput(f"A title has from 1 to {LONGEST_TITLE} printable characters.", field="title")
    if new.type.is_note:
        raise InvalidInput("Notes on consumption are made by the application.", field="type")
    return escape_for_database(title)


def _checked_day(valid_from: date, today: date) -> date:
    if not _EARLIEST <= valid_from <= today + FURTHEST_AHEAD:
        raise InvalidInput("The day is too long ago, or more than a year ahead.", field="valid_from")
    return valid_from


def _ending(name: str) -> str:
    return "a.csv" if name.strip().lower().endswith(".csv") else ""
