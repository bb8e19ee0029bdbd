"""`submeter dead-letters`: gateway lines that could not be used, with the reason."""

from dataclasses import asdict
from datetime import UTC, datetime

from cyclopts import App

from core.access import SYSTEM
from core.services.telegrams import pipeline
from core.services.telegrams.dead_letters import read_dead_letters
from core.services.telegrams.line_times import Dating
from submeter.application import opened
from submeter.commands.ingest import progress_bar, report
from submeter.output import AtMost, counted, fail, print_json, print_table

dead_letters = App(name="dead-letters", help="Gateway lines that could not be used, with the reason.")


@dead_letters.command(name="list")
async def list_dead_letters(*, reason: str | None = None, limit: AtMost = 50, json: bool = False) -> None:
    """List the newest dead letters; `submeter replay` processes them again.

    Args:
        reason: only dead letters with this reason, e.g. UNKNOWN_METER.
        limit: maximum number of dead letters.
        json: print the list as JSON, with the lines.
    """
    async with opened():
        rows = [asdict(line) for line in await read_dead_letters(SYSTEM, reason=reason, limit=limit)]
    if json:
        print_json(rows)
        return
    columns = ("id", "source", "stage", "reason", "offset", "radio_address", "times_seen", "message")
    print_table(
        f"{counted(len(rows), 'dead letter')}", columns, [[row[column] for column in columns] for row in rows]
    )


@dead_letters.command
async def replay(
    *,
    reason: str | None = None,
    reception_time: bool = False,
    line_time: bool = False,
    json: bool = False,
) -> None:
    """Process dead letters again; those whose cause was removed become readings.

    A line dated after its reception (TIME_IN_FUTURE) is refused again, however late it is replayed: its
    gateway's clock was ahead, and its time is wrong. Choose which clock counts for these lines.

    Args:
        reason: only dead letters with this reason.
        reception_time: date lines refused as TIME_IN_FUTURE by their reception; those of one delivery keep
            the time between them.
        line_time: date them by their own time, because the server's clock was behind.
        json: print the summary as JSON.
    """
    if reception_time and line_time:
        fail("choose one of --reception-time and --line-time", code="INVALID_INPUT")
    dating = Dating.RECEPTION if reception_time else Dating.LINE if line_time else Dating.UNCHANGED
    async with opened() as application:
        with progress_bar("Replaying", None) as advance:
            summary = await pipeline.replay(
                application, SYSTEM, reason=reason, dating=dating, now=datetime.now(UTC), progress=advance
            )
    report(summary, as_json=json)
