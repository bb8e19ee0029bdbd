"""The key order of `reading` on PostgreSQL, measured: inserts in hourly order and the product's reads.

    python bench/key_order.py [--rows N] [--meters N] [--layouts NAME ...]

Builds one table a layout and fills them side by side: each hour's readings of every meter, in random order,
go by COPY in batches of 5,000 into each table in turn, so that whatever else the machine does falls on all
alike; trust the ratios. Prints for each layout rows a second and WAL bytes a row of the first, the middle and
the last fifth, the bytes on disk a row, and the reads: a meter's day, the last 48 h of 1,000 meters at once,
the reading at a known moment, and the newest one before a moment. What follows from it is in
docs/decisions/0008-readings-on-postgresql.md.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.ingestion.servers import server

COLUMNS = (
    "meter_id BIGINT NOT NULL, read_at BIGINT NOT NULL, index_value BIGINT NOT NULL,"
    " status_bits INTEGER NOT NULL, received_at BIGINT NOT NULL,"
    " telegram_digest BIGINT NOT NULL, evidence SMALLINT NOT NULL"
)
NAMES = [column.split()[0] for column in COLUMNS.split(", ")]
LAYOUTS = {
    "meter_first": ("PRIMARY KEY (meter_id, read_at)", ""),
    "time_first": ("PRIMARY KEY (read_at, meter_id)", ""),
    "time_first_indexed": (
        "PRIMARY KEY (read_at, meter_id)",
        "CREATE INDEX ON time_first_indexed (meter_id, read_at)",
    ),
    "meter_first_brin": (
        "PRIMARY KEY (meter_id, read_at)",
        "CREATE INDEX ON meter_first_brin USING brin (read_at)",
    ),
    "meter_first_loose": ("PRIMARY KEY (meter_id, read_at) WITH (fillfactor = 70)", ""),
}
START_S = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
BATCH = 5_000
FIFTHS = 5
ASKED = 200


@dataclass(slots=True)
class Fifth:
    """What a fifth of the rows cost one layout."""

    rows: int = 0
    seconds: float = 0.0
    wal: int = 0


@dataclass(slots=True)
class Layout:
    """A table, and what it cost."""

    name: str
    fifths: list[Fifth] = field(default_factory=lambda: [Fifth() for _ in range(FIFTHS)])


def main() -> None:
    """Runs the bench."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--meters", type=int, default=50_000)
    parser.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=list(LAYOUTS)[:3])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="submeter-") as folder, server("postgresql", Path(folder)) as url:
        asyncio.run(measure(url, options.rows, options.meters, options.layouts))


async def measure(url: str, rows: int, meters: int, names: Sequence[str]) -> None:
    """Fill the tables and read them."""
    database = await asyncpg.connect(url.partition("&")[0])
    layouts = [Layout(name) for name in names]
    for layout in layouts:
        key, index = LAYOUTS[layout.name]
        await database.execute(f"CREATE TABLE {layout.name} ({COLUMNS}, {key})")
        if index:
            await database.execute(index)
    hours = max(FIFTHS, rows // meters)
    await fill(database, layouts, meters, hours)
    print("layout                 fifth   rows/s   WAL bytes a row")
    for layout in layouts:
        for number in (0, FIFTHS // 2, FIFTHS - 1):
            one = layout.fifths[number]
            print(
                f"{layout.name:22} {number + 1:5} {one.rows / one.seconds:8,.0f} {one.wal / one.rows:17,.0f}"
            )
    for layout in layouts:
        await database.execute(f"VACUUM ANALYZE {layout.name}")
        heap = await database.fetchval("SELECT pg_relation_size($1::text::regclass)", layout.name)
        whole = await database.fetchval("SELECT pg_total_relation_size($1::text::regclass)", layout.name)
        count = meters * hours
        print(
            f"{layout.name}: {heap / count:.0f} bytes a row, {whole / count:.0f} with its indexes", flush=True
        )
    for layout in layouts:
        await read(database, layout.name, meters, hours)
    await database.close()


async def fill(database: asyncpg.Connection, layouts: Sequence[Layout], meters: int, hours: int) -> None:
    """Every hour's readings into each table in turn."""
    chance = random.Random(1)
    for hour in range(hours):
        at_s = START_S + hour * 3600
        records = [
            (number, at_s + number % 3300, hour * 10, 0, at_s + number % 3300, chance.getrandbits(62), 2)
            for number in range(1, meters + 1)
        ]
        chance.shuffle(records)
        for layout in layouts[hour % len(layouts) :] + layouts[: hour % len(layouts)]:
            fifth = layout.fifths[hour * FIFTHS // hours]
            before = await database.fetchval("SELECT pg_current_wal_insert_lsn()::text")
            started = time.perf_counter()
            for first in range(0, meters, BATCH):
                await database.copy_records_to_table(
                    layout.name, records=records[first : first + BATCH], columns=NAMES
                )
            fifth.seconds += time.perf_counter() - started
            fifth.rows += meters
            fifth.wal += int(
                await database.fetchval(
                    "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1::text::pg_lsn)", before
                )
            )
        if hour % 10 == 9:
            print(f"stored {(hour + 1) * meters:,} rows in each table", flush=True)


async def read(database: asyncpg.Connection, table: str, meters: int, hours: int) -> None:
    """The product's reads, in milliseconds: median of some hundred, of meters taken at random."""
    chance = random.Random(2)
    end_s = START_S + hours * 3600
    day = f"SELECT * FROM {table} WHERE meter_id = $1 AND read_at BETWEEN $2 AND $3"  # noqa: S608 - our names
    many = (
        f"SELECT r.* FROM unnest($1::bigint[]) AS k(a) JOIN {table} r"  # noqa: S608 - our names
        " ON r.meter_id = k.a AND r.read_at BETWEEN $2 AND $3"
    )
    older = "WHERE meter_id = $1 AND read_at < $2"
    newest = f"SELECT * FROM {table} {older} ORDER BY read_at DESC LIMIT 1"  # noqa: S608 - our names
    asked = [chance.randrange(1, meters + 1) for _ in range(ASKED)]
    figures = {
        "a meter's day": [
            await timed(database, day, meter, end_s - 2 * 86_400, end_s - 86_400) for meter in asked
        ],
        "48 h of 1,000 meters": [
            await timed(database, many, chance.sample(range(1, meters + 1), 1_000), end_s - 2 * 86_400, end_s)
            for _ in range(5)
        ],
        "at a known moment": [
            await timed(database, day, meter, *[end_s - 3600 + meter % 3300] * 2) for meter in asked
        ],
        "newest before": [await timed(database, newest, meter, end_s - 7 * 3600) for meter in asked],
    }
    for name, found in figures.items():
        print(f"{table}: {name}: {statistics.median(found):.2f} ms", flush=True)


async def timed(database: asyncpg.Connection, statement: str, *values: object) -> float:
    """Milliseconds of a query, its answer included."""
    started = time.perf_counter()
    await database.fetch(statement, *values)
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
