"""Makes the monthly notes on consumption (decree 2020-886; code de l'énergie, R.241-14-1: FR-01, FR-02).

In: a month that is over. Out: for every occupied dwelling of a published residence with a meter of heat or
hot water (or of what the operator adds) one document with its figures, and an e-mail to its occupant. The one
rule: a note is made once per occupancy and month, in one transaction with its messages, in chunks of
dwellings; so a run that was killed goes on where it was, and two runs at once make each note once. A dwelling
of which nothing was read gets none, and is named as missing (`note_status`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer
from core.bootstrap import Application
from core.consumption import Month
from core.documents.note_values import json_of_month
from core.errors import InvalidInput
from core.language import Text
from core.models import DocumentType
from core.services.documents.note_plans import (
    FluidsByOperator,
    PlannedNote,
    candidates,
    count_of_candidates,
    fluids_by_operator,
    planned_notes,
)
from core.services.documents.note_store import NewNote, language_of, store_notes
from core.services.shared.transaction import current_database, transactional
from core.texts.notes import of_month

LATEST_DAY: Final = 5
"""Of the month after: by when each note is made, with what was read until then."""

_LAST_ZONE: Final = timedelta(hours=12)
"""A month has ended everywhere once it has at UTC-12."""


@dataclass(frozen=True, slots=True)
class NotesMade:
    """What a run has done: dwellings looked at of how many, notes made, of how many nothing was read, and how
    many wait for more readings.
    """

    dwellings: int = 0
    of: int = 0
    made: int = 0
    unread: int = 0
    waiting: int = 0


def last_month(now: datetime) -> Month:
    """The last month that is over everywhere."""
    return Month.of((now - _LAST_ZONE).date()).previous()


async def make_monthly_notes(
    application: Application,
    viewer: Viewer,
    month: Month,
    *,
    complete_only: bool = False,
    now: datetime,
    progress: Callable[[NotesMade], None] | None = None,
) -> NotesMade:
    """Make the notes of a month that are not made yet, and queue their messages.

    Args:
        application: with the operators' profiles.
        viewer: the command line, or the application's own job.
        month: one that is over.
        complete_only: leave those out whose month lacks days; readings may still arrive.
        now: the moment.
        progress: called after each chunk.

    Raises:
        InvalidInput: the month is not over.
    """
    viewer.require(Permission.NOTES_MAKE)
    if month > last_month(now):
        raise InvalidInput("The month is not over yet.", field="month")
    fluids = await fluids_by_operator(application)
    database = current_database()
    done = NotesMade(of=await count_of_candidates(database, month, fluids))
    after = 0
    while numbers := await candidates(database, month, fluids, after=after):
        made = await _make_chunk(application, month, fluids, numbers, complete_only=complete_only, now=now)
        after = numbers[-1]
        done = NotesMade(
            dwellings=done.dwellings + len(numbers),
            of=done.of,
            made=done.made + made.made,
            unread=done.unread + made.unread,
            waiting=done.waiting + made.waiting,
        )
        if progress is not None:
            progress(done)
    return done


@transactional
async def _make_chunk(
    connection: TransactionalDBClient,
    application: Application,
    month: Month,
    fluids: FluidsByOperator,
    numbers: Sequence[int],
    *,
    complete_only: bool,
    now: datetime,
) -> NotesMade:
    planned = await planned_notes(connection, month, fluids, numbers, now=now)
    read = [one for one in planned if one.is_read]
    ready = [one for one in read if one.is_complete or not complete_only]
    made = await store_notes(connection, application, [_new(one) for one in ready], now=now)
    return NotesMade(made=made, unread=len(planned) - len(read), waiting=len(read) - len(ready))


def _new(planned: PlannedNote) -> NewNote:
    month = planned.note.month
    return NewNote(
        occupancy=planned.occupancy,
        home=planned.home,
        type=DocumentType.MONTHLY_NOTE,
        period_on=month.first_day,
        figures=json_of_month(planned.note),
        stem=Text(f"consommations-{month}", f"consumption-{month}"),
        template="monthly_note",
        values={"of_month": of_month(month, language_of(planned.occupancy))},
    )
