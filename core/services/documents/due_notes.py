"""The job that makes the monthly notes in time, and reports those that are missing.

In: the moment. Out: from the first of the month on, once a day, the notes whose days were all read; from the
5th on the others, with what was read; and from the 15th on how many dwellings have none (EED-01). The one
rule: the law asks for a note by a day, so no note waits for readings beyond it; what arrives later is for the
next note.
"""

import logging
from datetime import datetime

from core.access import SYSTEM
from core.bootstrap import Application
from core.services.documents.monthly_notes import LATEST_DAY, NotesMade, last_month, make_monthly_notes
from core.services.documents.note_status import DUE_DAY, missing_notes
from core.telemetry import metrics

EARLY_HOUR = 6
"""UTC; before the 5th a fleet is looked through once a day, though the job runs once an hour."""

REPORT_HOUR = 8
"""UTC; the missing ones are named once a day."""

MOST_LOGGED = 20

_log = logging.getLogger(__name__)


async def make_due_notes(application: Application, *, now: datetime) -> NotesMade:
    """Make the notes of the last month that can be made by now, and report those that are missing."""
    month = last_month(now)
    is_due = (now.year, now.month) == (month.next().year, month.next().month) and now.day >= LATEST_DAY
    if not is_due and now.hour != EARLY_HOUR:
        return NotesMade()
    made = await make_monthly_notes(application, SYSTEM, month, complete_only=not is_due, now=now)
    metrics.NOTES_MADE.inc(made.made)
    if made.made:
        _log.info("%d notes of %s were made.", made.made, month)
    if not is_due or now.day < DUE_DAY:
        metrics.NOTES_MISSING.set(0)
        return made
    missing = await missing_notes(application, SYSTEM, month, now=now)
    metrics.NOTES_MISSING.set(len(missing))
    if missing and now.hour == REPORT_HOUR:
        _log.warning(
            "%d dwellings have no note of %s: %s (`submeter notes missing` lists all).",
            len(missing),
            month,
            ", ".join(f"{one.residence_code} {one.place} ({one.why})" for one in missing[:MOST_LOGGED]),
        )
    return made
