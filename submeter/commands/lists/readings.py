"""The readings of one meter that count, of a time: `submeter readings list --meter … --from … --to …`."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

from rich.table import Column

from core.access import SYSTEM
from core.errors import InvalidInput
from core.services.places.meters import ReadingsAsked, ReadingView
from core.services.places.reading_lists import NamedMeter, meter_named, stored_readings
from core.services.shared.paging import Page
from submeter.application import opened
from submeter.commands.lists.listing import Row, asked_rows, pages, print_list
from submeter.commands.lists.moments import begin_of, end_of

_COLUMNS = (Column("read at", no_wrap=True), "index", "unit", "received at", "flags")


async def list_counting(
    meter: str, *, since: str | None, until: str | None, limit: int | None, json: bool
) -> None:
    """Print the readings of a meter that count, the oldest first.

    Raises:
        InvalidInput: a bound that is neither a day nor a moment, or the last before the first.
        NotFound: no meter is named so.
        Conflict: several are.
    """
    async with opened():
        named = await meter_named(SYSTEM, meter)
        first = None if since is None else begin_of(since, named.zone, "from")
        last = None if until is None else end_of(until, named.zone, "to")
        if first is not None and last is not None and last < first:
            raise InvalidInput("is before --from", field="to")
        asked = ReadingsAsked(0, newest_first=False, read_from=first, read_to=last)

        async def read(most: int, after: datetime | None) -> Page[ReadingView]:
            return await stored_readings(SYSTEM, named, replace(asked, first=most, after=after))

        async def rows() -> AsyncIterator[list[Row]]:
            async for some in pages(read, lambda one: one.read_at, limit=asked_rows(limit, json=json)):
                yield [_row(named, one) for one in some]

        await print_list(rows(), "reading", _COLUMNS, limit=limit, json=json)


def _row(meter: NamedMeter, one: ReadingView) -> Row:
    return {
        "meter": meter.radio_address,
        "printed_serial": meter.printed_serial,
        "fluid": meter.fluid,
        "read_at": one.read_at,
        "index": one.index,
        "unit": meter.fluid.unit,
        "received_at": one.received_at,
        "flags": sorted(flag.name for flag in one.flags),
    }
