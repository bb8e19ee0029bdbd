"""`submeter dead-letters`: gateway lines that could not be used, with the reason."""

from dataclasses import asdict

from cyclopts import App

from core.access import SYSTEM
from core.services.telegrams.dead_letters import read_dead_letters
from submeter.application import opened
from submeter.output import AtMost, counted, print_json, print_table

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
