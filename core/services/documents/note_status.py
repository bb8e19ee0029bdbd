"""What became of the monthly notes: which are missing, which were sent, and which are to be printed.

In: a month, and a residence or all. Out: the notes with their delivery (when, by which channel), and the
dwellings without one. The one rule: the proof is the message's own row in the outbox, or the day that a note
was printed (FR-03); a note whose e-mails all failed is to be printed, as one without an account.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from core.access import Permission, Role, Viewer
from core.bootstrap import Application
from core.consumption import Month
from core.errors import NotFound, SubmeterError
from core.models import Channel as Channel  # noqa: PLC0414 - the doors, which know no tables, name it from here
from core.models import DocumentType
from core.services.documents.note_plans import candidates, fluids_by_operator, planned_notes
from core.services.places.managed_residences import place_of
from core.services.shared.columns import moment_or_none, select_by
from core.services.shared.scope import residences_in_charge
from core.services.shared.transaction import current_database

DUE_DAY: Final = 15
"""Of the month after: from then on a note that is not there is missing (EED-01)."""

MOST_NAMED: Final = 1_000


class NoteDelivery(StrEnum):
    """What became of a note."""

    SENT = "SENT"
    QUEUED = "QUEUED"
    PRINTED = "PRINTED"
    TO_PRINT = "TO_PRINT"


class WhyNoNote(StrEnum):
    """Why a dwelling has no note."""

    NOT_READ = "NOT_READ"
    NOT_MADE = "NOT_MADE"


@dataclass(frozen=True, slots=True)
class NoteState:
    """A note, and what became of it: `channel` and `at` of its e-mail, or `at` of its printing.

    `failure` is why the last e-mail was not sent, or not yet.
    """

    document_id: int
    dwelling_id: int
    place: str
    delivery: NoteDelivery
    channel: Channel | None
    at: datetime | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class NotesAsked:
    """The notes of a residence and month."""

    residence_id: int
    month: Month


@dataclass(frozen=True, slots=True)
class MissingNote:
    """A dwelling whose occupant should have a note, and has none."""

    residence_id: int
    residence_code: str
    dwelling_id: int
    place: str
    why: WhyNoNote


async def missing_notes(
    application: Application,
    viewer: Viewer,
    month: Month,
    *,
    residence_id: int | None = None,
    now: datetime,
) -> list[MissingNote]:
    """The dwellings without their note, by number, at most a thousand.

    Raises:
        NotFound: no such residence, or not one that the viewer is in charge of.
    """
    viewer.require(Permission.NOTES_PRINT)
    if residence_id is not None:
        await require_charge(viewer, residence_id)
    elif viewer.role is not Role.SYSTEM:
        raise NotFound("No such residence.", field="residence")
    database = current_database()
    fluids, after = await fluids_by_operator(application), 0
    found: list[MissingNote] = []
    while len(found) < MOST_NAMED and (
        numbers := await candidates(database, month, fluids, after=after, residence_id=residence_id)
    ):
        after = numbers[-1]
        found += [
            MissingNote(
                residence_id=one.home.residence_id,
                residence_code=one.home.residence.code,
                dwelling_id=one.home.id,
                place=place_of(one.home),
                why=WhyNoNote.NOT_MADE if one.is_read else WhyNoNote.NOT_READ,
            )
            for one in await planned_notes(database, month, fluids, numbers, now=now)
        ]
    return found[:MOST_NAMED]


async def note_states(viewer: Viewer, residence_id: int, month: Month) -> list[NoteState]:
    """The notes of a residence by place, each with what became of it.

    Raises:
        NotFound: no such residence, or not one that the viewer is in charge of.
    """
    (states,) = await several_note_states(viewer, [NotesAsked(residence_id, month)])
    if isinstance(states, SubmeterError):
        raise states
    return states


async def several_note_states(
    viewer: Viewer, asked: Sequence[NotesAsked]
) -> list[list[NoteState] | SubmeterError]:
    """The same of several residences, by one statement; NotFound for one that is not in charge."""
    viewer.require(Permission.NOTES_PRINT)
    numbers = {one.residence_id for one in asked}
    if viewer.role is not Role.SYSTEM:
        numbers &= (await residences_in_charge(viewer, numbers)).keys()
    rows = await select_by(
        current_database(),
        {"n": "bigint", "residence_id": "bigint", "first_day": "date"},
        "SELECT k.n, n.id, n.dwelling_id, n.printed_at, d.building, d.staircase, d.floor, d.number,"  # noqa: S608 - our own words
        " m.channel, m.state, m.sent_at, m.created_at, m.failure FROM k JOIN document n"
        f" ON n.residence_id = k.residence_id AND n.type = '{DocumentType.MONTHLY_NOTE.value}'"
        " AND n.period_on = k.first_day AND n.withdrawn_at IS NULL"
        " JOIN dwelling d ON d.id = n.dwelling_id LEFT JOIN outbox_message m ON m.document_id = n.id"
        " ORDER BY d.building, d.staircase, d.floor, d.number, n.id, m.id",
        [
            (place, one.residence_id, one.month.first_day)
            for place, one in enumerate(asked)
            if one.residence_id in numbers
        ],
    )
    by_note: list[dict[int, list[dict[str, Any]]]] = [{} for _ in asked]
    for row in rows:
        by_note[row["n"]].setdefault(row["id"], []).append(row)
    missing = NotFound("No such residence.", field="residence")
    return [
        [_state(some) for some in notes.values()] if one.residence_id in numbers else missing
        for one, notes in zip(asked, by_note, strict=True)
    ]


async def require_charge(viewer: Viewer, residence_id: int) -> None:
    """Refuse who is not in charge of a residence; the command line is of all."""
    if viewer.role is Role.SYSTEM:
        return
    if residence_id not in await residences_in_charge(viewer, [residence_id]):
        raise NotFound("No such residence.", field="residence")


def _state(rows: Sequence[dict[str, Any]]) -> NoteState:
    first = rows[0]
    parts = (first["building"], first["staircase"], first["floor"], first["number"])
    printed_at = moment_or_none(first["printed_at"])
    messages = [row for row in rows if row["state"] is not None]
    sent = next((row for row in messages if row["state"] == "SENT"), None)
    waiting = next((row for row in messages if row["state"] == "PENDING"), None)
    last = sent or waiting or (messages[-1] if messages else None)
    if sent is not None:
        delivery, at = NoteDelivery.SENT, moment_or_none(sent["sent_at"])
    elif printed_at is not None:
        delivery, at = NoteDelivery.PRINTED, printed_at
    elif waiting is not None:
        delivery, at = NoteDelivery.QUEUED, moment_or_none(waiting["created_at"])
    else:
        delivery, at = NoteDelivery.TO_PRINT, None
    return NoteState(
        document_id=first["id"],
        dwelling_id=first["dwelling_id"],
        place=" · ".join(part for part in parts if part),
        delivery=delivery,
        channel=Channel(last["channel"]) if last and delivery is not NoteDelivery.PRINTED else None,
        at=at,
        failure=last["failure"] if last and sent is None else None,
    )
