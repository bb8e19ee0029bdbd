"""`submeter dwelling-requests`: list, approve and reject dwelling requests."""

from datetime import UTC, datetime

from cyclopts import App

from core.access import SYSTEM
from core.services.occupancy.dwelling_request_views import list_dwelling_requests
from core.services.occupancy.dwelling_requests import decide
from submeter.application import opened
from submeter.output import AtMost, RowNumber, counted, out, print_table

dwelling_requests = App(name="dwelling-requests", help="Dwelling requests that a manager decides.")


@dwelling_requests.command(name="list")
async def list_open(*, limit: AtMost = 50) -> None:
    """List the open dwelling requests, oldest first.

    Args:
        limit: maximum number of requests.
    """
    async with opened():
        found = await list_dwelling_requests(SYSTEM, limit=limit, now=datetime.now(UTC))
    columns = ("request", "kind", "residence", "dwelling", "name", "moved in", "requested")
    rows = [
        (
            request.id,
            request.kind.value,
            request.residence_code,
            request.dwelling,
            request.name,
            request.move_in.isoformat(),
            request.opened_at.isoformat(timespec="minutes"),
        )
        for request in found
    ]
    print_table(counted(len(rows), "request"), columns, rows)


@dwelling_requests.command
async def approve(request: RowNumber, *, contested: bool | None = None) -> None:
    """Approve a request; a present occupancy ends on the day before the new one begins.

    Args:
        request: number of the request in the list.
        contested: confirm that somebody else occupies the dwelling and that this occupancy ends; required if
            the occupancy began after the request was made.
    """
    await _decide(request, approved=True, contested=contested)


@dwelling_requests.command
async def refuse(request: RowNumber) -> None:
    """Reject a request; the applicant is notified.

    Args:
        request: number of the request in the list.
    """
    await _decide(request, approved=False)


async def _decide(request: int, *, approved: bool, contested: bool | None = None) -> None:
    async with opened() as application:
        decided = await decide(
            application, SYSTEM, request, approved=approved, contested=contested, now=datetime.now(UTC)
        )
    out.print(f"Request {decided.id} is {decided.state.value.lower()}.")
