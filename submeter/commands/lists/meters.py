"""`submeter meters list`: all meters, or those that are silent, unread or without a key."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

from rich.table import Column

from core.access import SYSTEM
from core.services.places.meter_lists import MeterInList, MeterOrder, MetersAsked
from core.services.places.meter_lists import list_meters as meters_page
from core.services.shared.paging import Page
from submeter.application import opened
from submeter.commands.lists.listing import Row, asked_rows, pages, print_list
from submeter.commands.lists.moments import begin_of
from submeter.output import AtMost

_COLUMNS = (
    *("operator", "residence", "dwelling", "fluid"),
    Column("printed serial", no_wrap=True),
    Column("radio address", no_wrap=True),
    *("last read at", "has key", "removed on"),
)


async def list_meters(
    *,
    operator: str | None = None,
    residence: str | None = None,
    silent_since: str | None = None,
    unread: bool | None = None,
    without_key: bool | None = None,
    in_service: bool | None = None,
    search: str | None = None,
    order: MeterOrder = MeterOrder.PLACE,
    limit: AtMost | None = None,
    json: bool = False,
) -> None:
    """List meters with when each was last read, and whether it has a key.

    --silent-since, --unread and --without-key are of meters in service alone, unless --in-service or
    --no-in-service is given.

    Args:
        operator: the operator's code, e.g. ocea.
        residence: the residence's code, e.g. AA000.
        silent_since: only meters of which nothing was read since this moment, those never read included, and
            which were installed before it: YYYY-MM-DD in UTC, or ISO 8601 with an offset.
        unread: only meters that were never read, or that were.
        without_key: only meters that have no key, or that have one.
        in_service: only meters in service, or those that are not.
        search: part of a serial number, radio address, location or dwelling's number, whatever its case.
        order: PLACE: by residence and dwelling; LAST_READ: those never read, then by the last reading.
        limit: maximum number of meters; by default 50 in a table, all with --json.
        json: print a JSON object a line.
    """
    asked = MetersAsked(
        first=0,
        order=order,
        operator=operator,
        residence=residence,
        silent_since=None if silent_since is None else begin_of(silent_since, UTC, "silent_since"),
        unread=unread,
        without_key=without_key,
        in_service=in_service,
        search=search,
        counted=False,
    )
    now = datetime.now(UTC)

    async def read(first: int, after: tuple[int, int] | None) -> Page[MeterInList]:
        read_s, number = after or (None, None)
        return await meters_page(
            SYSTEM, replace(asked, first=first, after=number, after_read_s=read_s), now=now
        )

    async def rows() -> AsyncIterator[list[Row]]:
        most = asked_rows(limit, json=json)
        async for some in pages(read, lambda one: (one.read_s, one.view.id), limit=most):
            yield [_row(one) for one in some]

    async with opened():
        await print_list(rows(), "meter", _COLUMNS, limit=limit, json=json)


def _row(one: MeterInList) -> Row:
    return {
        "id": one.view.id,
        "operator": one.operator,
        "residence": one.residence,
        "dwelling": one.dwelling,
        "fluid": one.view.fluid,
        "vendor": one.view.vendor,
        "printed_serial": one.view.printed_serial,
        "radio_address": one.view.radio_address,
        "location": one.view.location,
        "installed_on": one.view.installed_on,
        "removed_on": one.view.removed_on,
        "last_read_at": one.view.last_read_at,
        "has_key": one.has_key,
    }
