"""`submeter readings`: readings that do not count, accepted; and false ones, withdrawn."""

from datetime import UTC, datetime

from cyclopts import App

from core.access import SYSTEM
from core.errors import SubmeterError
from core.services.telegrams import corrections
from core.services.telegrams.corrections import Corrected, DoubtfulReadingView, ReadingStatus
from submeter.application import opened
from submeter.output import AtMost, counted, fail, out, print_json, print_table

readings = App(name="readings", help="Readings that do not count, and the correction of false ones.")

_COLUMNS = (
    "id",
    "meter",
    "residence",
    "dwelling",
    "read at",
    "before",
    "index",
    "after",
    "proved by",
    "doubt",
    "status",
)


@readings.command(name="list")
async def list_readings(
    *,
    meter: str | None = None,
    status: ReadingStatus | None = None,
    limit: AtMost = 50,
    json: bool = False,
) -> None:
    """List the readings that do not count, those received last first.

    Before and after are the nearest indexes that count. Indexes are in litres, watt-hours or allocator units.
    Later readings may still confirm a reading that is WAITING; they have left an OUTLIER aside; a WITHDRAWN
    one was taken out.

    Args:
        meter: radio address of one meter, MMM-IIIIIIII-VV-TT.
        status: WAITING, OUTLIER or WITHDRAWN; by default all.
        limit: maximum number of readings.
        json: print the list as JSON.
    """
    async with opened():
        page = await corrections.list_doubtful_readings(
            SYSTEM, radio_address=meter, status=status, limit=limit
        )
    found = page.items
    if json:
        print_json([_as_json(view) for view in found])
        return
    print_table(counted(len(found), "reading"), _COLUMNS, [_row(view) for view in found])


@readings.command
async def accept(reading: int, *, reason: str = "") -> None:
    """Count a doubtful reading from now on; volumes and alerts are recomputed.

    Args:
        reading: its id, from `submeter readings list`.
        reason: kept in the audit log.
    """
    async with opened() as application:
        try:
            changed = await corrections.accept_reading(
                application, SYSTEM, reading, reason=reason, now=datetime.now(UTC)
            )
        except SubmeterError as failure:
            fail(failure.message, code=failure.code)
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
    async with opened() as application:
        try:
            changed = await corrections.withdraw_reading(
                application,
                SYSTEM,
                meter,
                _moment(read_at),
                index=index,
                reason=reason,
                now=datetime.now(UTC),
            )
        except SubmeterError as failure:
            fail(failure.message, code=failure.code)
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
        view.read_at.isoformat(),
        view.index_before,
        view.index,
        view.index_after,
        view.evidence.name,
        view.doubt.value,
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
