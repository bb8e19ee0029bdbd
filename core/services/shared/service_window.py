"""Keeps readings from outside a meter's time in service apart from those that count.

In: a meter and its first and last second in service. Out: from which moment on its readings changed. The
one rule: no reading is deleted. One that a corrected installation or removal puts outside is kept in a
table of its own, as if it had been refused, and returns when the correction is undone; so every query on
readings is about a meter in service, and needs no further condition. Readings that a server dated ahead of
its true time are kept in a table too; they do not return, since when they were received nobody knows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient

from core.services.shared.partitions import ensure_months, month_of
from core.services.shared.time_series import day_of_number, run, select
from core.services.shared.transaction import is_sqlite

_OUTSIDE = "meter_id = $1 AND (read_at < $2 OR read_at > $3)"
_INSIDE = "meter_id = $1 AND read_at BETWEEN $2 AND $3"


@dataclass(frozen=True, slots=True)
class Extent:
    """What is stored of a meter: the first and last second of its readings, the first and last day."""

    first_s: int | None
    last_s: int | None
    first_day: date | None
    last_day: date | None


async def move_readings(
    connection: TransactionalDBClient, meter_id: int, *, first_s: int, last_s: int
) -> int | None:
    """Set the readings outside these seconds apart, and take those inside back.

    Returns the moment of the first reading that was moved, epoch seconds; None where none was. The dwelling
    must be locked.
    """
    window = [meter_id, first_s, last_s]
    moved = [
        await _move(connection, "reading", "reading_outside_service", _OUTSIDE, window),
        await _move(connection, "reading_outside_service", "reading", _INSIDE, window),
    ]
    return min((at_s for at_s in moved if at_s is not None), default=None)


async def meters_read(connection: TransactionalDBClient, meter_ids: Iterable[int]) -> list[int]:
    """Those of the meters of which readings are stored, counted or set apart as outside their service."""
    rows = await select(
        connection,
        "SELECT k.a FROM k WHERE EXISTS (SELECT 1 FROM reading r WHERE r.meter_id = k.a)"
        " OR EXISTS (SELECT 1 FROM reading_outside_service o WHERE o.meter_id = k.a) ORDER BY k.a",
        ((meter_id,) for meter_id in meter_ids),
    )
    return [row["a"] for row in rows]


async def move_future_readings(
    connection: TransactionalDBClient, meter_id: int, *, after_s: int
) -> int | None:
    """Set the readings dated after this second apart for good; returns the moment of the first."""
    window = [meter_id, after_s]
    return await _move(connection, "reading", "reading_in_future", "meter_id = $1 AND read_at > $2", window)


async def meters_in_future(connection: BaseDBAsyncClient, *, after_s: int) -> dict[int, int]:
    """How many readings dated after this second each meter has."""
    rows = await run(
        connection,
        "SELECT m.id, (SELECT COUNT(*) FROM reading r WHERE r.meter_id = m.id AND r.read_at > $1) AS count"
        " FROM meter m ORDER BY m.id",
        [after_s],
    )
    return {row["id"]: row["count"] for row in rows if row["count"]}


async def _move(
    connection: TransactionalDBClient, source: str, target: str, which: str, window: list[int]
) -> int | None:
    """Move rows from one table to the other; returns the moment of the first."""
    (row,) = await run(connection, f"SELECT MIN(read_at) AS first FROM {source} WHERE {which}", window)  # noqa: S608 - names of our own
    first_s: int | None = row["first"]
    if first_s is not None and target == "reading" and not is_sqlite(connection):
        moments = await run(connection, f"SELECT read_at FROM {source} WHERE {which}", window)  # noqa: S608
        await ensure_months(connection, {month_of(one["read_at"]) for one in moments})
    if first_s is not None:
        copied = f"INSERT INTO {target} SELECT * FROM {source} WHERE {which} ON CONFLICT DO NOTHING"  # noqa: S608
        await run(connection, copied, window)
        await run(connection, f"DELETE FROM {source} WHERE {which}", window)  # noqa: S608
    return first_s


async def extents(connection: TransactionalDBClient, meter_ids: Iterable[int]) -> dict[int, Extent]:
    """What is stored of meters, in readings and in volumes."""
    rows = await select(
        connection,
        "SELECT k.a,"
        " (SELECT MIN(read_at) FROM reading WHERE meter_id = k.a) AS first_reading,"
        " (SELECT MAX(read_at) FROM reading WHERE meter_id = k.a) AS last_reading,"
        " (SELECT MIN(day) FROM daily_volume WHERE meter_id = k.a) AS first_day,"
        " (SELECT MAX(day) FROM daily_volume WHERE meter_id = k.a) AS last_day"
        " FROM k",
        ((meter_id,) for meter_id in meter_ids),
    )
    return {
        row["a"]: Extent(
            row["first_reading"],
            row["last_reading"],
            None if row["first_day"] is None else day_of_number(row["first_day"]),
            None if row["last_day"] is None else day_of_number(row["last_day"]),
        )
        for row in rows
    }


async def readings_before(
    connection: TransactionalDBClient, moments: Iterable[tuple[int, int]]
) -> dict[int, int | None]:
    """When the last reading of each meter before a moment was taken, epoch seconds."""
    rows = await select(
        connection,
        "SELECT k.a, (SELECT MAX(read_at) FROM reading WHERE meter_id = k.a AND read_at < k.b) AS before"
        " FROM k",
        moments,
    )
    return {row["a"]: row["before"] for row in rows}


async def reading_before(connection: TransactionalDBClient, meter_id: int, at_s: int) -> int | None:
    """When the last reading of a meter before a moment was taken, epoch seconds."""
    return (await readings_before(connection, [(meter_id, at_s)]))[meter_id]


async def reading_after(connection: TransactionalDBClient, meter_id: int, at_s: int) -> int | None:
    """When the first reading after a moment was taken, epoch seconds."""
    (row,) = await run(
        connection,
        "SELECT MIN(read_at) AS after FROM reading WHERE meter_id = $1 AND read_at > $2",
        [meter_id, at_s],
    )
    after: int | None = row["after"]
    return after
