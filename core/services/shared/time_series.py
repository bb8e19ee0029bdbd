"""The explicit SQL of the series tables: readings and daily volumes, in batches.

In: the open transaction (or connection) and plain rows; out: plain rows. One statement serves both
databases: it is written for PostgreSQL (`$1`); a batch's keys are passed as arrays, on SQLite as one JSON
text. Rows are inserted by COPY on PostgreSQL, by executemany on SQLite: the fastest of each, as measured.
Times are epoch seconds, days are written 20261122 (the initial migration).
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tortoise.backends.base.client import BaseDBAsyncClient

from core.consumption import DayVolume, IndexReading, Quality
from core.consumption.plausibility import Evidence
from core.consumption.register import BACKFLOW_LIMIT
from core.services.shared import many_rows
from core.services.shared.partitions import ensure_months, month_of
from core.services.shared.transaction import is_sqlite

_QUALITY_LETTER = {Quality.MEASURED: "M", Quality.ESTIMATED: "E", Quality.PARTIAL: "P"}
_NUMBERED = re.compile(r"\$(\d+)")
"""PostgreSQL's numbered parameters; SQLite writes them ?1 (and `$[0]` is a path inside JSON)."""
QUALITY_OF = {account_message: quality for quality, account_message in _QUALITY_LETTER.items()}

_DAY_S: Final = 86_400
_EVIDENCE = {evidence.value: evidence for evidence in Evidence}


class ReadingRow(NamedTuple):
    """One row of `reading`; `telegram_digest` is the signed 64-bit digest of the telegram's bytes.

    `evidence` is what proved the telegram whole.
    """

    meter_id: int
    read_at_s: int
    index_value: int
    status_bits: int
    received_at_s: int
    telegram_digest: int
    evidence: Evidence = Evidence.LINK_CHECKSUM


class Window(NamedTuple):
    """An interval of one meter's time, both ends included: epoch seconds, or days where stated."""

    meter_id: int
    first: int
    last: int


def day_number(day: date) -> int:
    """22 November 2026 as 20261122, the form in which days are stored."""
    return day.year * 10_000 + day.month * 100 + day.day


def day_of_number(number: int) -> date:
    return date(number // 10_000, number // 100 % 100, number % 100)


async def readings_near(connection: BaseDBAsyncClient, windows: Iterable[Window]) -> list[ReadingRow]:
    """The readings inside the windows; one that lies in several is returned several times."""
    rows = await select(
        connection,
        "SELECT r.* FROM k JOIN reading r ON r.meter_id = k.a AND r.read_at BETWEEN k.b AND k.c",
        windows,
    )
    return [reading_row(row) for row in rows]


async def indexes_near(
    connection: BaseDBAsyncClient, windows: Iterable[Window]
) -> list[tuple[int, int, int]]:
    """Meter id, time and index of the readings inside the windows, in no order."""
    rows = await select(
        connection,
        "SELECT r.meter_id, r.read_at, r.index_value FROM k JOIN reading r"
        " ON r.meter_id = k.a AND r.read_at BETWEEN k.b AND k.c",
        windows,
    )
    return [(row["meter_id"], row["read_at"], row["index_value"]) for row in rows]


async def known_telegrams(
    connection: BaseDBAsyncClient, digests: Iterable[tuple[int, int]]
) -> set[tuple[int, int]]:
    """Those of the (meter, telegram digest) pairs that a stored reading came from, doubtful or not."""
    rows = await select(
        connection,
        "SELECT r.meter_id, r.telegram_digest FROM k JOIN reading r"
        " ON r.meter_id = k.a AND r.telegram_digest = k.b"
        " UNION ALL SELECT d.meter_id, d.telegram_digest FROM k JOIN doubtful_reading d"
        " ON d.meter_id = k.a AND d.telegram_digest = k.b",
        digests,
    )
    return {(row["meter_id"], row["telegram_digest"]) for row in rows}


async def newest_readings(connection: BaseDBAsyncClient, meter_ids: Iterable[int]) -> dict[int, ReadingRow]:
    """The newest reading of each meter that has one, by the readings alone: for intake, which stores them
    before the states of their meters. Partitions are read from the latest on, until one has a reading.
    """
    rows = await select(
        connection,
        "SELECT r.* FROM k JOIN reading r ON r.meter_id = k.a"
        " AND r.read_at = (SELECT MAX(read_at) FROM reading WHERE meter_id = k.a)"
        if is_sqlite(connection)
        else "SELECT r.* FROM k JOIN LATERAL"
        " (SELECT * FROM reading WHERE meter_id = k.a ORDER BY read_at DESC LIMIT 1) r ON TRUE",
        ((meter_id,) for meter_id in meter_ids),
    )
    return {row["meter_id"]: reading_row(row) for row in rows}


_OF_READING: Final = dict.fromkeys(
    ("meter_id", "read_at", "index_value", "status_bits", "received_at", "telegram_digest", "evidence"),
    "BIGINT",
) | {"status_bits": "INTEGER", "evidence": "SMALLINT"}
_OF_DAY: Final = {"meter_id": "BIGINT", "day": "INTEGER", "amount": "BIGINT", "quality": "CHAR(1)"}


async def insert_readings(
    connection: BaseDBAsyncClient, rows: Sequence[ReadingRow], *tables: NDArray[np.int64]
) -> None:
    """Store readings, those of tables by the fields of `ReadingRow`; (meter, time) must not be stored yet."""
    table = np.concatenate([np.array(rows, dtype=np.int64).reshape(-1, len(_OF_READING)), *tables])
    if not len(table):
        return
    if is_sqlite(connection):
        await _insert(connection, "reading", tuple(_OF_READING), table.tolist())
        return
    days = np.unique(table[:, 1] // _DAY_S)
    await ensure_months(connection, {month_of(day * _DAY_S) for day in days.tolist()})
    # In the order of the key, so that neighbours in its index are written together.
    await many_rows.copy_numbers(
        connection, "reading", _OF_READING, table[np.lexsort((table[:, 1], table[:, 0]))]
    )


async def delete_readings(connection: BaseDBAsyncClient, rows: Iterable[ReadingRow]) -> None:
    """Remove readings from those that count."""
    windows = [Window(row.meter_id, row.read_at_s, row.read_at_s) for row in rows]
    await _delete(
        connection, "DELETE FROM reading WHERE meter_id = $1 AND read_at BETWEEN $2 AND $3", windows
    )


async def set_evidence(connection: BaseDBAsyncClient, row: ReadingRow, evidence: Evidence) -> None:
    """Store what proves a reading from now on, and the state that its best proved telegrams agree on."""
    await run(
        connection,
        "UPDATE reading SET evidence = $3, status_bits = $4 WHERE meter_id = $1 AND read_at = $2",
        [row.meter_id, row.read_at_s, int(evidence), row.status_bits],
    )


async def context_of(
    connection: BaseDBAsyncClient, windows: Iterable[Window], *, readings: int
) -> list[ReadingRow]:
    """The readings of each window, and up to so many on either side of it, by meter and time."""
    rows = await select(
        connection,
        ", w(a, b, c) AS (SELECT k.a,"  # noqa: S608 - a number of our own
        " COALESCE((SELECT MIN(read_at) FROM (SELECT read_at FROM reading WHERE meter_id = k.a"
        f" AND read_at < k.b ORDER BY read_at DESC LIMIT {readings}) AS before), k.b),"
        " COALESCE((SELECT MAX(read_at) FROM (SELECT read_at FROM reading WHERE meter_id = k.a"
        f" AND read_at > k.c ORDER BY read_at LIMIT {readings}) AS after), k.c) FROM k)"
        " SELECT r.* FROM w JOIN reading r"
        " ON r.meter_id = w.a AND r.read_at BETWEEN w.b AND w.c ORDER BY r.meter_id, r.read_at",
        windows,
    )
    return [reading_row(row) for row in rows]


async def neighbours(
    connection: BaseDBAsyncClient, windows: Iterable[Window], *, allowed_backflow: int = BACKFLOW_LIMIT
) -> dict[int, tuple[int | None, int | None]]:
    """For each meter the time of the last reading before its window, and of the one after it up to which
    the window's readings can matter: the first that reaches their highest index, or lies too far below it
    to have run back.
    """
    later = "FROM reading WHERE meter_id = w.a AND read_at > w.c"
    reached = f"(index_value >= w.top OR index_value < w.top - {allowed_backflow:d})"
    rows = await select(
        connection,
        ", w(a, b, c, top) AS (SELECT k.a, k.b, k.c,"  # noqa: S608 - texts and a number of our own
        " (SELECT MAX(index_value) FROM reading WHERE meter_id = k.a AND read_at BETWEEN k.b AND k.c) FROM k)"
        " SELECT w.a,"
        " (SELECT MAX(read_at) FROM reading WHERE meter_id = w.a AND read_at < w.b) AS before,"
        f" COALESCE((SELECT MIN(read_at) {later} AND {reached}), (SELECT MAX(read_at) {later})) AS after"
        " FROM w",
        windows,
    )
    return {row["a"]: (row["before"], row["after"]) for row in rows}


async def readings_around(
    connection: BaseDBAsyncClient, windows: Iterable[Window]
) -> dict[int, list[IndexReading]]:
    """The readings of each window and the nearest one beyond either end: its edges can be interpolated."""
    found: dict[int, list[IndexReading]] = {}
    for row in await rows_around(connection, windows):
        found.setdefault(row.meter_id, []).append(IndexReading(row.read_at_s, row.index_value))
    return found


async def rows_around(connection: BaseDBAsyncClient, windows: Iterable[Window]) -> list[ReadingRow]:
    """The same as whole rows, by meter and time."""
    rows = await select(
        connection,
        ", w(a, b, c) AS (SELECT k.a,"
        " COALESCE((SELECT MAX(read_at) FROM reading WHERE meter_id = k.a AND read_at <= k.b), k.b),"
        " COALESCE((SELECT MIN(read_at) FROM reading WHERE meter_id = k.a AND read_at >= k.c), k.c) FROM k)"
        " SELECT r.* FROM w JOIN reading r"
        " ON r.meter_id = w.a AND r.read_at BETWEEN w.b AND w.c ORDER BY r.meter_id, r.read_at",
        windows,
    )
    return [reading_row(row) for row in rows]


async def indexes_around(
    connection: BaseDBAsyncClient, moments: Iterable[tuple[int, int]]
) -> dict[tuple[int, int], tuple[int | None, int | None]]:
    """For each (meter, epoch seconds) the index before it and the one after it, of what counts."""
    rows = await select(
        connection,
        "SELECT k.a, k.b, (SELECT index_value FROM reading WHERE meter_id = k.a AND read_at < k.b"
        " ORDER BY read_at DESC LIMIT 1) AS before, (SELECT index_value FROM reading WHERE meter_id = k.a"
        " AND read_at > k.b ORDER BY read_at LIMIT 1) AS after FROM k",
        moments,
    )
    return {(row["a"], row["b"]): (row["before"], row["after"]) for row in rows}


async def last_readings(connection: BaseDBAsyncClient, meter_ids: Iterable[int]) -> dict[int, ReadingRow]:
    """The latest reading of each meter that has one: its state says when it was, so one partition is read.

    Between the storing of readings and of their states `newest_readings` is right.
    """
    rows = await select(
        connection,
        "SELECT r.* FROM k JOIN meter_state s ON s.meter_id = k.a"
        " JOIN reading r ON r.meter_id = s.meter_id AND r.read_at = s.last_at",
        ((meter_id,) for meter_id in meter_ids),
    )
    return {row["meter_id"]: reading_row(row) for row in rows}


async def readings_page(
    connection: BaseDBAsyncClient, window: Window, *, newest_first: bool, limit: int
) -> list[ReadingRow]:
    """Up to `limit` readings of one meter within the window, by time: a keyset page."""
    direction = "DESC" if newest_first else "ASC"
    rows = await run(
        connection,
        "SELECT * FROM reading WHERE meter_id = $1 AND read_at BETWEEN $2 AND $3"  # noqa: S608 - a fixed word
        f" ORDER BY read_at {direction} LIMIT $4",
        [*window, limit],
    )
    return [reading_row(row) for row in rows]


async def replace_days(
    connection: BaseDBAsyncClient, windows: Sequence[Window], days: Iterable[tuple[int, DayVolume]]
) -> None:
    """Replace all daily volumes inside the windows, whose ends are days as numbers, by new ones."""
    await _delete(
        connection, "DELETE FROM daily_volume WHERE meter_id = $1 AND day BETWEEN $2 AND $3", windows
    )
    rows = [
        (meter_id, day_number(day.day), day.amount, _QUALITY_LETTER[day.quality]) for meter_id, day in days
    ]
    await _insert(connection, "daily_volume", ("meter_id", "day", "amount", "quality"), rows)


async def upsert_days(
    connection: BaseDBAsyncClient, rows: Sequence[tuple[int, int, int, str]], *tables: NDArray[np.int64]
) -> None:
    """Store daily volumes as (meter id, day number, amount, quality letter), new or instead of known ones;
    and those of tables that have a row each, with the letter's code.
    """
    coded = [(meter_id, day, amount, ord(letter)) for meter_id, day, amount, letter in rows]
    table = np.concatenate([np.array(coded, dtype=np.int64).reshape(-1, len(_OF_DAY)), *tables])
    if not len(table):
        return
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    insert = "INSERT INTO daily_volume (meter_id, day, amount, quality)"
    conflict = (
        "ON CONFLICT (meter_id, day) DO UPDATE SET amount = excluded.amount, quality = excluded.quality"
    )
    if not is_sqlite(connection) and len(table) >= many_rows.STAGED_FROM:
        await many_rows.store_numbers(connection, "daily_volume", _OF_DAY, table, key=("meter_id", "day"))
        return
    *columns, codes = table.T.tolist()
    columns.append([*map(chr, codes)])
    if is_sqlite(connection):
        statement = f"{insert} VALUES (?, ?, ?, ?) {conflict}"
        await connection.execute_many(statement, [list(row) for row in zip(*columns, strict=True)])
        return
    await connection.execute_query(
        f"{insert} SELECT * FROM unnest($1::bigint[], $2::int[], $3::bigint[], $4::text[]) {conflict}",  # noqa: S608 - our own words
        columns,
    )


async def days_within(
    connection: BaseDBAsyncClient, meter_ids: Iterable[int], *periods: tuple[date, date]
) -> dict[int, list[DayVolume]]:
    """The daily volumes of each meter in the periods (first and last day), in the order of time.

    The periods must not overlap: a day inside two of them would be returned twice.
    """
    numbers = [(day_number(first), day_number(last)) for first, last in periods]
    windows = [Window(meter_id, *days) for meter_id in meter_ids for days in numbers]
    return await days_in(connection, windows)


async def days_in(connection: BaseDBAsyncClient, windows: Iterable[Window]) -> dict[int, list[DayVolume]]:
    """The daily volumes of each meter in its windows, whose ends are days as numbers, in order of time."""
    rows = await select(
        connection,
        "SELECT v.meter_id, v.day, v.amount, v.quality FROM k JOIN daily_volume v"
        " ON v.meter_id = k.a AND v.day BETWEEN k.b AND k.c ORDER BY v.meter_id, v.day",
        windows,
    )
    found: dict[int, list[DayVolume]] = {}
    for row in rows:
        volume = DayVolume(day_of_number(row["day"]), row["amount"], QUALITY_OF[row["quality"]])
        found.setdefault(row["meter_id"], []).append(volume)
    return found


async def run(connection: BaseDBAsyncClient, statement: str, values: list[Any]) -> list[dict[str, Any]]:
    """Run a statement written for PostgreSQL on either database; for the modules beside this one."""
    if is_sqlite(connection):
        statement = _for_sqlite(statement)
    return await connection.execute_query_dict(statement, values)


async def select(
    connection: BaseDBAsyncClient, statement: str, keys: Iterable[tuple[int, ...]]
) -> list[dict[str, Any]]:
    """Run a statement that reads the batch's keys as the table `k(a, b, c)`; without keys it is not run."""
    rows = [(*key, None, None)[:3] for key in keys]
    if not rows:
        return []
    if is_sqlite(connection):
        values: list[Any] = [json.dumps(rows)]
        columns = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(3))
        expanded = f"SELECT {columns} FROM json_each($1)"  # noqa: S608 - our own names
    else:  # of arrays the planner knows the length, of JSON it believes that there are a hundred keys
        values = [list(column) for column in zip(*rows, strict=True)]
        expanded = "SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])"
    separator = "" if statement.startswith(",") else " "
    return await run(connection, f"WITH k(a, b, c) AS ({expanded}){separator}{statement}", values)


@lru_cache(256)
def _for_sqlite(statement: str) -> str:
    return _NUMBERED.sub(r"?\1", statement)


async def _delete(connection: BaseDBAsyncClient, statement: str, windows: Sequence[Window]) -> None:
    if is_sqlite(connection):
        statement = _for_sqlite(statement)
    if windows:
        await connection.execute_many(statement, [list(window) for window in windows])


async def _insert(
    connection: BaseDBAsyncClient, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    if not rows:
        return
    if is_sqlite(connection):
        marks = ", ".join("?" for _ in columns)
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own names
        await connection.execute_many(statement, [list(row) for row in rows])
        return
    async with connection.acquire_connection() as raw:
        await raw.copy_records_to_table(table, records=rows, columns=columns)


def reading_row(row: dict[str, Any]) -> ReadingRow:
    return ReadingRow(
        row["meter_id"],
        row["read_at"],
        row["index_value"],
        row["status_bits"],
        row["received_at"],
        row["telegram_digest"],
        _EVIDENCE[row["evidence"]],
    )
