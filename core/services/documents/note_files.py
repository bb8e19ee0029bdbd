"""The files of notes on consumption: one note, or the batch that is printed for residents without e-mail.

In: stored notes. Out: a PDF, laid out when it is fetched from what was stored (`core.documents.note_values`).
The one rule: a batch holds the notes of those who live there still and were not reached by e-mail, so that no
letterbox gets a predecessor's figures; that it was printed is noted with each, once, and in the audit.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Permission, Role, Viewer, Visitor
from core.bootstrap import Application
from core.consumption import Month
from core.consumption.periods import civil_day
from core.documents.note_values import Addressed, month_of_json, year_of_json
from core.errors import InvalidInput, NotFound
from core.language import Language
from core.models import Document, DocumentType, Occupancy, Residence
from core.services.documents.note_status import NoteDelivery, note_states, require_charge
from core.services.managers.senders import door_of, sender_of, site_of
from core.services.shared.audit import Subject, record
from core.services.shared.many_rows import slices
from core.services.shared.scope import occupants, with_periods
from core.services.shared.transaction import transactional

MOST_PAGES: Final = 300
"""Of one file that a server makes; a page takes twenty milliseconds. The command line makes any number."""


async def note_pdf(application: Application, document_id: int) -> bytes:
    """One note, which its caller has narrowed to the viewer."""
    row = await Document.get(id=document_id).select_related("dwelling", "residence__operator")
    if row.type is DocumentType.ANNUAL_NOTE:
        return await _annual(application, row)
    return await _laid_out(application, [row], invites=False)


async def _annual(application: Application, row: Document) -> bytes:
    from core.documents import annual_paper  # noqa: PLC0415 - reportlab takes time to start

    assert row.figures is not None
    addressed, note = _addressed(application, row, invites=False), year_of_json(row.figures)
    return await asyncio.to_thread(annual_paper.annual_note_pdf, addressed, note)


async def batch_name(viewer: Viewer, residence_id: int, month: Month) -> str:
    """The name of a batch: `notes-AA000-2026-10.pdf`.

    Raises:
        NotFound: no such residence, or not one that the viewer is in charge of.
    """
    viewer.require(Permission.NOTES_PRINT)
    await require_charge(viewer, residence_id)
    row = await Residence.get_or_none(id=residence_id)
    if row is None:
        raise NotFound("No such residence.", field="residence")
    code = "".join(sign for sign in row.code if sign.isascii() and (sign.isalnum() or sign == "-"))
    return f"notes-{code}-{month}.pdf"


async def printed_batch(
    application: Application,
    viewer: Viewer,
    residence_id: int,
    month: Month,
    *,
    again: bool,
    visitor: Visitor,
    now: datetime,
) -> tuple[int, bytes]:
    """The notes of a residence that are to be printed, by place, in one file; and how many.

    Args:
        application: whose notes.
        viewer: a manager or staff in charge, or the command line.
        residence_id: of which residence.
        month: of which month.
        again: with those that were printed before.
        visitor: from where.
        now: the moment.

    Raises:
        NotFound: no such residence, not in the viewer's charge, or none of its notes is to be printed.
        InvalidInput: more pages than one file may have.
    """
    viewer.require(Permission.NOTES_PRINT)
    states = await note_states(viewer, residence_id, month)
    wanted = {NoteDelivery.TO_PRINT, *([NoteDelivery.PRINTED] if again else [])}
    numbers = [one.document_id for one in states if one.delivery in wanted]
    rows = await _of_present_occupants(await _notes(numbers), now)
    if not rows:
        raise NotFound("No note of this month is to be printed.", field="month")
    if viewer.role is not Role.SYSTEM and len(rows) > MOST_PAGES:
        raise InvalidInput(f"has more than {MOST_PAGES} pages: print it by command", field="residence")
    content = await _laid_out(application, rows, invites=True)
    await _note_printed(viewer, residence_id, month, [row.id for row in rows], visitor=visitor, now=now)
    return len(rows), content


async def _notes(numbers: Sequence[int]) -> list[Document]:
    """The documents in this order."""
    found: dict[int, Document] = {}
    for some in slices(numbers):
        rows = Document.filter(id__in=some).select_related("dwelling", "residence__operator")
        found |= {row.id: row for row in await rows}
    return [found[number] for number in numbers]


async def _of_present_occupants(rows: Sequence[Document], now: datetime) -> list[Document]:
    """Those of the notes whose occupant lives there today."""
    held = {row.occupancy_id: row for row in rows}
    at = occupants().filter(dwelling_id__in=[row.dwelling_id for row in rows])
    present: set[tuple[int, int]] = set()
    known = await with_periods(await at) if rows else []
    for occupancy, period in known:
        zone = rows[0].residence.time_zone
        if period.holds(civil_day(now, zone)):
            present.add((occupancy.dwelling_id, _person(occupancy)))
    of_note = {occupancy.id: _person(occupancy) for occupancy, _ in known if occupancy.id in held}
    return [
        row
        for row in rows
        if row.dwelling_id is not None
        and row.occupancy_id in of_note
        and (row.dwelling_id, of_note[row.occupancy_id]) in present
    ]


def _person(occupancy: Occupancy) -> int:
    """An account of several occupancies is one person; without an account each occupancy is another's."""
    return occupancy.account_id if occupancy.account_id is not None else -occupancy.id


async def _laid_out(application: Application, rows: Sequence[Document], *, invites: bool) -> bytes:
    """The pages, laid out in a thread: that takes CPU time, which must not block other requests."""
    from core.documents import note_paper  # noqa: PLC0415 - reportlab takes time to start, and few requests need it

    pages = []
    for row in rows:
        assert row.figures is not None
        pages.append((_addressed(application, row, invites=invites), month_of_json(row.figures)))
    return await asyncio.to_thread(note_paper.monthly_notes_pdf, pages)


def _addressed(application: Application, row: Document, *, invites: bool) -> Addressed:
    assert row.dwelling is not None
    return Addressed(
        sender=sender_of(application, row.residence),
        site=site_of(row.residence),
        door=door_of(row.dwelling),
        language=Language(row.language),
        invites=invites,
    )


@transactional
async def _note_printed(
    connection: TransactionalDBClient,
    viewer: Viewer,
    residence_id: int,
    month: Month,
    numbers: Sequence[int],
    *,
    visitor: Visitor,
    now: datetime,
) -> None:
    for some in slices(numbers):
        fresh = Document.filter(id__in=some, printed_at=None).using_db(connection)
        await fresh.update(printed_at=now)
    await record(
        Act.NOTES_PRINTED,
        Subject("residence", residence_id),
        viewer,
        visitor,
        now,
        connection,
        month=str(month),
        notes=len(numbers),
    )
