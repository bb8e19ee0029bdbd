"""`submeter dead-letters`: the lines that could not be used, and why."""

from dataclasses import asdict

from cyclopts import App

from core.access import SYSTEM
from core.services.telegrams.dead_letters import read_dead_letters
from submeter.application import opened
from submeter.output import AtMost, counted, print_json, print_table

dead_letters = App(name="dead-letters", help="Lines that could not be used.")


@dead_letters.command(name="list")
async def list_dead_letters(*, reason: str | None = None, limit: AtMost = 50, json: bool = False) -> None:
    """List the newest lines that wait; `submeter replay` tries them again.

    Args:
        reason: only those of this reason, e.g. UNKNOWN_METER.
        limit: how many at most.
        json: print the list as JSON, with the lines themselves.
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
