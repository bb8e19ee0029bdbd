"""What the database alone takes: a bare COPY of a fleet's readings, beside which a rate of intake is put.

In: the open database, and the readings of a fleet's hours. Out: rows a second by one connection in batches of
the intake's size, and the bytes on disk a reading. The one rule: the rows are the fleet's own, of hours that
it has not been asked for, so that indexes and pages are those that intake writes to. On SQLite executemany
stands for COPY.
"""

import os
import random
import statistics
import time
from datetime import datetime
from typing import Any

from bench.ingestion.stored import Series
from core.services.shared.partitions import ensure_months, month_of
from core.services.shared.transaction import is_sqlite
from core.settings import Settings

COPIED_HOURS = 7
"""How many of the fleet's hours are copied."""

_HOUR_S = 3600
_EMPTY = (
    "CREATE TABLE bare (meter_id BIGINT, read_at BIGINT, index_value BIGINT, status_bits INTEGER,"
    " received_at BIGINT, telegram_digest BIGINT, evidence SMALLINT, PRIMARY KEY (meter_id, read_at))"
)


async def compare_with_copy(
    database: Any, fleet: Series, start: datetime, rate: float, *, before: int, batch: int
) -> None:
    """Print what part of a bare COPY a rate of intake is: into `reading` as it is, the rows of a batch in the
    order of their arrival and in that of their key; and in the latter into an empty table like it.

    Args:
        database: the open one.
        fleet: whose rows.
        start: when its hour 0 begins.
        rate: of intake, telegrams a second.
        before: the hour before which those lie that are copied; `COPIED_HOURS` of them.
        batch: rows of a COPY.
    """
    sqlite, start_s = is_sqlite(database), int(start.timestamp())
    hours = list(range(before - COPIED_HOURS, before))
    if not sqlite:
        await ensure_months(database, {month_of(start_s + hour * _HOUR_S) for hour in (hours[0], before)})
    await database.execute_query(_EMPTY + (" WITHOUT ROWID" if sqlite else ""))
    # The first hour pays for the pages that nobody has touched since the last checkpoint.
    await _copy(database, "reading", fleet, hours[0], start_s, batch, by_key=False)
    rates: dict[bool, list[float]] = {False: [], True: []}
    for hour in hours[1:]:
        by_key = hour % 2 == 0
        rates[by_key].append(await _copy(database, "reading", fleet, hour, start_s, batch, by_key=by_key))
    empty = await _copy(database, "bare", fleet, hours[0], start_s, batch, by_key=True)
    await database.execute_query("DROP TABLE bare")
    arriving, sorted_ones = map(statistics.median, rates.values())
    print(
        f"bare COPY by one connection, rows/s, and what part of it {rate:,.0f} telegrams/s are:"
        f" as they arrive {arriving:,.0f} ({rate / arriving:.2f}),"
        f" by meter and time {sorted_ones:,.0f} ({rate / sorted_ones:.2f}),"
        f" into an empty table {empty:,.0f} ({rate / empty:.2f})",
        flush=True,
    )


async def _copy(
    database: Any, table: str, fleet: Series, hour: int, start_s: int, batch: int, *, by_key: bool
) -> float:
    rows = fleet.rows(hour, start_s).tolist()
    random.Random(hour).shuffle(rows)
    batches = [rows[first : first + batch] for first in range(0, len(rows), batch)]
    if by_key:
        for some in batches:
            some.sort()
    marks = ", ".join("?" * len(rows[0]))
    started = time.perf_counter()
    for some in batches:
        if is_sqlite(database):
            await database.execute_many(f"INSERT INTO {table} VALUES ({marks})", some)  # noqa: S608
        else:
            async with database.acquire_connection() as raw:
                await raw.copy_records_to_table(table, records=some)
    return len(rows) / (time.perf_counter() - started)


async def print_sizes(database: Any, settings: Settings) -> None:
    """The bytes on disk a reading."""
    (count,) = await database.execute_query_dict("SELECT COUNT(*) AS rows FROM reading")
    if is_sqlite(database):
        size = os.stat(settings.database_url.removeprefix("sqlite:///")).st_size  # noqa: PTH116
        print(f"the whole database: {size / count['rows']:.0f} bytes a reading")
        return
    for name in ("reading", "daily_volume", "meter_state"):
        (found,) = await database.execute_query_dict(
            "SELECT SUM(pg_total_relation_size(relid)) AS bytes FROM pg_partition_tree($1)"
            if name == "reading"
            else "SELECT pg_total_relation_size($1::text::regclass) AS bytes",
            [name],
        )
        print(f"{name}: {float(found['bytes']) / count['rows']:.0f} bytes a reading")
