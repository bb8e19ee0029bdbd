"""`submeter readings`: those of a meter; those that do not count, accepted; and false ones, withdrawn."""

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import App, Parameter
from rich.table import Column

from core.access import SYSTEM
from core.services.telegrams import corrections
from core.services.telegrams.corrections import Corrected, DoubtfulReadingView, ReadingStatus
from submeter.application import opened
from submeter.commands.lists.readings import list_counting
from submeter.output import AtMost, RowNumber, counted, fail, out, print_json, print_table

readings = App(name="readings", help="Readings of a meter, those that do not count, and corrections.")

_COLUMNS = (
    "id",
    Column("meter", no_wrap=True),
    "residence",
    "dwelling",
    Column("read at", no_wrap=True),
    Column("before", no_wrap=True),
    Column("index", no_wrap=True),
    Column("after", no_wrap=True),
    "proved by",
    "doubt",
    "status",
)
"""Address and moment are what `submeter readings withdraw` takes, and so are never shortened."""


@readings.command(name="list")
async def list_readings(
    *,
    meter: str | None = None,
    since: Annotated[str | None, Parameter(name="--from")] = None,
    until: Annotated[str | None, Parameter(name="--to")] = None,
    status: ReadingStatus | None = None,
    limit: AtMost | None = None,
    json: bool = False,
) -> None:
    """List the readings of a meter in a time; or those that do not count, those received last first.

    With --meter and --from or --to: the readings of this meter that count, the oldest first, with --json a
    JSON object a line. Without a time: the readings that do not count.

    Before and after are the nearest indexes that count. Indexes are in litres, watt-hours or allocator units.
    Later readings may still confirm a reading that is WAITING; they have left an OUTLIER aside; a WITHDRAWN
    one was taken out.

    Args:
        meter: radio address of one meter, MMM-IIIIIIII-VV-TT; with a time also its serial number.
        since: the first day of the residence, YYYY-MM-DD, or a moment, ISO 8601 with an offset.
        until: the last one, included.
        status: of those that do not count: WAITING, OUTLIER or WITHDRAWN; by default all.
        limit: maximum number of readings; by default 50, with a time and --json all.
        json: print the list as JSON.
    """
    if since is not None or until is not None:
        if meter is None:
            fail("meter: name the meter whose readings of a time are listed", code="INVALID_INPUT")
        if status is not None:
            fail("status: is of readings that do not count; leave out --from and --to", code="INVALID_INPUT")
        await list_counting(meter, since=since, until=until, limit=limit, json=json)
        return
    async with opened():
        page = await corrections.list_doubtful_readings(
            SYSTEM, radio_address=meter, status=status, limit=limit or 50
        )
    found = page.items
    if json:
        print_json([_as_json(view) for view in found])
        return
    print_table(counted(len(found), "reading"), _COLUMNS, [_row(view) for view in found])


@readings.command
async def accept(reading: RowNumber, *, reason: str = "") -> None:
    """Count a doubtful reading from now on; volumes and alerts are recomputed.

    Args:
        reading: its id, from `submeter readings list`.
        reason: kept in the audit log.
    """
    async with opened() as application:
        changed = await corrections.accept_reading(
            application, SYSTEM, reading, reason=reason, now=datetime.now(UTC)
        )
    out.print(f"Reading {reading} counts now. {_outcome(changed)}")


@readings.command
async def withdraw(meter: str, read_at: str, *, index: int | None = None, reason: str = "") -> None:
    """Take out a false reading; volumes and alerts are recomputed.

    Residents who were wrongly notified get a correction. The reading is kept, and `submeter readings accept`
    takes it back.

    Args:
        meter: radio address of the meter, MMM-IIIIIIII-VV-TT.
        read_at: moment of the reading, ISO 8601 with an offset (2026-11-28T06:00:00Z).
        index: which reading of this moment, by its index, if there are several.
        reason: kept in the audit log.
    """
    moment = _moment(read_at)
    async with opened() as application:
        changed = await corrections.withdraw_reading(
            application, SYSTEM, meter, moment, index=index, reason=reason, now=datetime.now(UTC)
        )
    out.print(f"The reading is withdrawn. {_outcome(changed)}")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        fail("read_at: give a moment in ISO 8601 with an offset, 2026-11-28T06:00:00Z", code="INVALID_INPUT")
    return moment


def _outcome(changed: Corrected) -> str:
    return f"{counted(changed.alerts, 'alert')} changed, {counted(changed.messages, 'message')} queued."


def _row(view: DoubtfulReadingView) -> list[object]:
    return [
        view.id,
        view.radio_address,
        view.residence_code,
        view.dwelling_number,
        f"{view.read_at:%Y-%m-%dT%H:%M:%SZ}",
        view.index_before,
        view.index,
        view.index_after,
        view.evidence.name.replace("_", " "),
        view.doubt.value.replace("_", " "),
        view.status.value,
    ]


def _as_json(view: DoubtfulReadingView) -> dict[str, object]:
    return {
        "id": view.id,
        "meter": view.radio_address,
        "printed_serial": view.printed_serial,
        "residence": view.residence_code,
        "dwelling": view.dwelling_number,
        "fluid": view.fluid.value,
        "read_at": view.read_at,
        "received_at": view.received_at,
        "index_before": view.index_before,
        "index": view.index,
        "index_after": view.index_after,
        "unit": view.fluid.unit.value,
        "evidence": view.evidence.name,
        "doubt": view.doubt.value,
        "status": view.status.value,
    }
