"""The documents that a viewer sees: of a dwelling and its residence, in pages, or one by its number.

In: the viewer. Out: views. The one rule: by what right a viewer sees a place, and which days of it, comes
from `core.services.shared.scope`; what follows from that for a document stands in one statement
(`document_rows`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from core.access import Permission, Role, Viewer
from core.access.narrowing import Basis
from core.consumption.periods import civil_day
from core.errors import NotFound, SubmeterError
from core.language import Language
from core.models import Document
from core.models import DocumentType as DocumentType  # noqa: PLC0414 - the doors, which know no tables, name it from here
from core.services.documents.document_rows import FAR_AHEAD, LONG_AGO, PageOfRights, Right, document_pages
from core.services.places.ownerships import owned_homes
from core.services.shared.columns import day, day_or_none, document, moment, moment_or_none
from core.services.shared.paging import Page
from core.services.shared.place_rows import ResidenceRow
from core.services.shared.scope import Home, homes, places_in_charge, residences_in_charge

_LARGEST_ID: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ResidentDocumentView:
    """A document that a viewer sees.

    A note has a period, by its first day, and no file until it is fetched: `media_type` is what it will be. A
    deposited file has a title and a size. Without `dwelling_id` it is of the residence as a whole.
    """

    id: int
    residence_id: int
    dwelling_id: int | None
    type: DocumentType
    title: str | None
    period_on: date | None
    language: Language
    valid_from: date
    for_owner: bool
    file_name: str
    media_type: str
    size_bytes: int | None
    sha256: str | None
    deposited_at: datetime
    printed_at: datetime | None
    figures: Mapping[str, Any] | None
    """Of a note what it states, as it is stored (`core.documents.note_values`)."""


@dataclass(frozen=True, slots=True)
class DocumentsAsked:
    """A page of the documents of a dwelling and its residence, or (without one) of a residence as a whole."""

    first: int
    after: int | None
    dwelling_id: int | None = None
    residence_id: int | None = None


async def documents_seen(
    viewer: Viewer, asked: Sequence[DocumentsAsked], *, now: datetime
) -> list[Page[ResidentDocumentView] | SubmeterError]:
    """Several pages, by one statement for the documents; NotFound for a place that is not the viewer's."""
    viewer.require(Permission.DOCUMENTS_READ)
    rights = await _rights(viewer, asked, now)
    pages = await document_pages(
        [PageOfRights(some, one.first, one.after) for some, one in zip(rights, asked, strict=True)]
    )
    return [
        _page(*page, one.first) if some else NotFound("No such place.", field="id")
        for some, page, one in zip(rights, pages, asked, strict=True)
    ]


async def document_seen(viewer: Viewer, document_id: int, *, now: datetime) -> ResidentDocumentView:
    """One document.

    Raises:
        NotFound: no such document, or none that the viewer sees.
    """
    viewer.require(Permission.DOCUMENTS_READ)
    row = await Document.get_or_none(id=document_id) if 0 < document_id <= _LARGEST_ID else None
    if row is not None:
        asked = DocumentsAsked(1, None, row.dwelling_id, None if row.dwelling_id else row.residence_id)
        (rights,) = await _rights(viewer, [asked], now, owned_too=True)
        ((rows, _total),) = await document_pages([PageOfRights(rights, 1, only=row.id)])
        if rows:
            return _view(rows[0])
    raise NotFound("No such document.", field="document")


async def _rights(
    viewer: Viewer, asked: Sequence[DocumentsAsked], now: datetime, *, owned_too: bool = False
) -> list[list[Right]]:
    """By which rights the viewer sees each place: none for one that is not the viewer's."""
    if viewer.role is Role.RESIDENT:
        return await _own_rights(viewer, asked, now, owned_too=owned_too)
    basis = Basis.MANAGER if viewer.role is Role.MANAGER else Basis.STAFF
    places = await places_in_charge(viewer, {one.dwelling_id for one in asked if one.dwelling_id is not None})
    residences = await residences_in_charge(
        viewer, {one.residence_id for one in asked if one.residence_id is not None}
    )
    found: list[list[Right]] = []
    for one in asked:
        row: ResidenceRow | None = (
            places.get(one.dwelling_id)
            if one.dwelling_id is not None
            else residences.get(one.residence_id or 0)
        )
        if row is None:
            found.append([])
            continue
        today = civil_day(now, row["time_zone"])
        found.append([Right(basis, row["residence_id"], one.dwelling_id, LONG_AGO, FAR_AHEAD, today)])
    return found


async def _own_rights(
    viewer: Viewer, asked: Sequence[DocumentsAsked], now: datetime, *, owned_too: bool
) -> list[list[Right]]:
    """A resident's: each time of living there, and of owning it if it is not lived in at present."""
    mine = [(Basis.OCCUPANT, home) for home in await homes(viewer)]
    if owned_too or not all(_lives_at(mine, one) for one in asked):
        mine += [(Basis.OWNER, home) for home in await owned_homes(viewer)]
    return [
        [_right(basis, home, one.dwelling_id, now) for basis, home in mine if _is_at(home, one)]
        for one in asked
    ]


def _lives_at(mine: Sequence[tuple[Basis, Home]], asked: DocumentsAsked) -> bool:
    return any(home.period.last_day is None and _is_at(home, asked) for _, home in mine)


def _is_at(home: Home, asked: DocumentsAsked) -> bool:
    return asked.dwelling_id in {None, home.period.dwelling_id} and asked.residence_id in {
        None,
        home.place["residence_id"],
    }


def _right(basis: Basis, home: Home, dwelling_id: int | None, now: datetime) -> Right:
    period, place = home.period, home.place
    return Right(
        basis,
        place["residence_id"],
        dwelling_id,
        period.first_day,
        period.last_day or FAR_AHEAD,
        civil_day(now, place["time_zone"]),
    )


def _page(rows: list[dict[str, Any]], total: int, first: int) -> Page[ResidentDocumentView]:
    return Page([_view(row) for row in rows[:first]], has_next=len(rows) > first, total=total)


def _view(row: dict[str, Any]) -> ResidentDocumentView:
    return ResidentDocumentView(
        id=row["id"],
        residence_id=row["residence_id"],
        dwelling_id=row["dwelling_id"],
        type=DocumentType(row["type"]),
        title=row["title"] or None,
        period_on=day_or_none(row["period_on"]),
        language=Language(row["language"]),
        valid_from=day(row["valid_from"]),
        for_owner=bool(row["for_owner"]),
        file_name=row["file_name"],
        media_type=row["media_type"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        deposited_at=moment(row["deposited_at"]),
        printed_at=moment_or_none(row["printed_at"]),
        figures=document(row["figures"]),
    )
