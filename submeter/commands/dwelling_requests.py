"""`submeter dwelling-requests`: requests for a dwelling that a manager decides."""

from datetime import UTC, datetime

from cyclopts import App

from core.access import SYSTEM
from core.services.occupancy.dwelling_requests import decide, list_dwelling_requests
from submeter.application import opened
from submeter.output import AtMost, RowNumber, counted, out, print_table

dwelling_requests = App(name="dwelling-requests", help="Requests for a dwelling that a manager decides.")


@dwelling_requests.command(name="list")
async def list_open(*, limit: AtMost = 50) -> None:
    """List the open cases, the oldest first.

    Args:
        limit: how many at most.
    """
    async with opened():
        found = await list_dwelling_requests(SYSTEM, limit=limit, now=datetime.now(UTC))
    columns = ("request", "kind", "residence", "dwelling", "name", "moved in", "asked")
    rows = [
        (
            case.id,
            case.kind.value,
            case.residence_code,
            case.dwelling,
            case.name,
            case.move_in.isoformat(),
            case.opened_at.isoformat(timespec="minutes"),
        )
        for case in found
    ]
    print_table(counted(len(rows), "request"), columns, rows)


@dwelling_requests.command
async def approve(case: RowNumber, *, contested: bool | None = None) -> None:
    """Let somebody into the dwelling; a present occupant's stay ends on the eve.

    Args:
        case: its number in the list.
        contested: somebody else has the dwelling, and gives way; needed where that came about after it was
            asked for.
    """
    await _decide(case, approved=True, contested=contested)


@dwelling_requests.command
async def refuse(case: RowNumber) -> None:
    """Refuse a request; whoever asked is told.

    Args:
        case: its number in the list.
    """
    await _decide(case, approved=False)


async def _decide(case: int, *, approved: bool, contested: bool | None = None) -> None:
    async with opened() as application:
        decided = await decide(
            application, SYSTEM, case, approved=approved, contested=contested, now=datetime.now(UTC)
        )
    out.print(f"Case {decided.id} is {decided.state.value.lower()}.")
