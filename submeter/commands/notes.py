"""`submeter notes`: make, print and follow the notes on consumption."""

from datetime import UTC, date, datetime
from pathlib import Path

from anyio import to_thread
from cyclopts import App

from core.access import NOBODY, SYSTEM
from core.consumption import Month
from core.errors import InvalidInput
from core.services.documents.annual_notes import make_annual_notes
from core.services.documents.monthly_notes import NotesMade, last_month, make_monthly_notes
from core.services.documents.note_files import printed_batch
from core.services.documents.note_status import missing_notes, note_states
from core.services.managers.homes import residence_number
from submeter.application import opened
from submeter.commands.ingest import progress_bar
from submeter.output import counted, fail, out, print_json, print_table

notes = App(name="notes", help="Notes on consumption for residents, by month and by year.")


@notes.command
async def make(
    *,
    month: str | None = None,
    year: int | None = None,
    json: bool = False,
) -> None:
    """Make the notes of a month, or of a year, that are not made yet, and queue their e-mails.

    The worker does the same for each month, until the 5th of the next. After an interruption the same command
    goes on where it was; each note is made once.

    Args:
        month: a month that is over, YYYY-MM; by default the last one.
        year: a year that is over: its annual notes instead.
        json: print the summary as JSON.
    """
    if month is not None and year is not None:
        raise InvalidInput("is a month or a year, not both", field="--year")
    now = datetime.now(UTC)
    async with opened() as application:
        with progress_bar("Making notes", None) as advance:
            shown = 0

            def show(reached: NotesMade) -> None:
                nonlocal shown
                advance.of(reached.of)
                advance(reached.dwellings - shown)
                shown = reached.dwellings

            if year is not None:
                period: object = year
                done = await make_annual_notes(application, SYSTEM, year, now=now, progress=show)
            else:
                period = asked = _month(month, now)
                done = await make_monthly_notes(application, SYSTEM, asked, now=now, progress=show)
    if json:
        print_json({"period": str(period), "made": done.made, "unread": done.unread})
        return
    out.print(f"{counted(done.made, 'note')} of {period} made.")
    if done.unread:
        homes = counted(done.unread, "occupied dwelling")
        out.print(f"Of {homes} nothing was read: `submeter notes missing` lists them.")


@notes.command(name="print")
async def print_(
    operator: str, code: str, file: Path, *, month: str | None = None, again: bool = False
) -> None:
    """Write the monthly notes of residents who were not reached by e-mail, a page each, as a PDF.

    Args:
        operator: the operator's code, e.g. ista.
        code: the residence's code.
        file: the PDF to write.
        month: the month, YYYY-MM; by default the last one.
        again: with those that were printed before.
    """
    now = datetime.now(UTC)
    async with opened() as application:
        number = await residence_number(SYSTEM, operator, code)
        pages, content = await printed_batch(
            application, SYSTEM, number, _month(month, now), again=again, visitor=NOBODY, now=now
        )
    await to_thread.run_sync(file.write_bytes, content)
    out.print(f"{file} is written: {counted(pages, 'note')}.", markup=False)


@notes.command
async def missing(
    operator: str | None = None, code: str | None = None, *, month: str | None = None, json: bool = False
) -> None:
    """List the dwellings whose occupant has no note of a month; exit status 1 if there are any.

    Args:
        operator: the operator's code; all residences by default.
        code: the residence's code.
        month: the month, YYYY-MM; by default the last one.
        json: print the list as JSON.
    """
    now = datetime.now(UTC)
    if (operator is None) != (code is None):
        raise InvalidInput("names a residence together with the operator's code", field="code")
    async with opened() as application:
        number = await residence_number(SYSTEM, operator, code) if operator and code else None
        asked = _month(month, now)
        found = await missing_notes(application, SYSTEM, asked, residence_id=number, now=now)
    if json:
        print_json(
            [{"residence": one.residence_code, "dwelling": one.place, "why": one.why.value} for one in found]
        )
    elif found:
        rows = [(one.residence_code, one.place, one.why.value) for one in found]
        print_table(f"Without a note of {asked}", ("residence", "dwelling", "why"), rows)
    else:
        out.print(f"No note of {asked} is missing.")
    if found:
        raise SystemExit(1)


@notes.command(name="list")
async def list_(operator: str, code: str, *, month: str | None = None, json: bool = False) -> None:
    """List the notes of a residence, each with what became of it: the proof that they were sent.

    Args:
        operator: the operator's code, e.g. ista.
        code: the residence's code.
        month: the month, YYYY-MM; by default the last one.
        json: print the list as JSON.
    """
    now = datetime.now(UTC)
    async with opened():
        number = await residence_number(SYSTEM, operator, code)
        asked = _month(month, now)
        states = await note_states(SYSTEM, number, asked)
    rows = [
        (
            one.place,
            one.delivery.value,
            one.channel.value if one.channel else None,
            one.at.isoformat(timespec="minutes") if one.at else None,
            one.failure,
        )
        for one in states
    ]
    columns = ("dwelling", "delivery", "channel", "at", "failure")
    if json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    print_table(f"Notes of {asked}", columns, rows)


def _month(text: str | None, now: datetime) -> Month:
    if text is None:
        return last_month(now)
    try:
        return Month.of(date.fromisoformat(f"{text}-01"))
    except ValueError:
        fail(f"{text} is no month: write YYYY-MM", code="INVALID_INPUT")
