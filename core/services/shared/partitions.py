"""The monthly partitions of `reading` on PostgreSQL: made before their readings come, dropped by retention.

In: the moments of readings to be stored, epoch seconds. Out: partitions `reading_202611`, each of one UTC
month. The one rule: a partition is attached, never created in place, so that whoever reads or writes other
months goes on meanwhile; an advisory lock of the transaction lets one worker at a time do it (a lock of the
session would be lost in a pooler). SQLite has one table.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from weakref import WeakKeyDictionary

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext, require_context
from tortoise.transactions import in_transaction

_LOCK: Final = 0x5B3E7E5
MONTHS_AHEAD: Final = 2

_known: WeakKeyDictionary[TortoiseContext, set[int]] = WeakKeyDictionary()
"""The months that are there for good, of each open database: 202611."""


def month_of(at_s: int) -> int:
    """The UTC month of a moment: 202611."""
    moment = datetime.fromtimestamp(at_s, UTC)
    return moment.year * 100 + moment.month


def month_start_s(month: int) -> int:
    """The first second of a month."""
    return int(datetime(month // 100, month % 100, 1, tzinfo=UTC).timestamp())


def next_month(month: int, months: int = 1) -> int:
    """The month so many months later, or earlier."""
    count = month // 100 * 12 + month % 100 - 1 + months
    return count // 12 * 100 + count % 12 + 1


async def prepare_months(database: BaseDBAsyncClient, moments: Iterable[int]) -> None:
    """Make the partitions of these moments, in a transaction of its own; for before a batch's."""
    if is_single_table(database):
        return
    known = _known.setdefault(require_context(), set())
    missing = {month_of(at_s) for at_s in moments} - known
    if missing:
        async with in_transaction(database.connection_name) as connection:
            await ensure_months(connection, missing)
        known |= missing


async def ensure_months(connection: BaseDBAsyncClient, months: Iterable[int]) -> None:
    """Make the partitions of months that are missing, in the open transaction."""
    known = _known.get(require_context(), set())
    for month in sorted(set(months) - known):
        name = f"reading_{month}"
        if await _exists(connection, name):
            continue
        await connection.execute_query(f"SELECT pg_advisory_xact_lock({_LOCK})")
        if await _exists(connection, name):
            continue
        first_s, end_s = month_start_s(month), month_start_s(next_month(month))
        await connection.execute_query(f"CREATE TABLE {name} (LIKE reading INCLUDING ALL)")
        await connection.execute_query(
            f"ALTER TABLE reading ATTACH PARTITION {name} FOR VALUES FROM ({first_s}) TO ({end_s})"
        )


async def prepare_ahead(database: BaseDBAsyncClient, now: datetime) -> None:
    """Make the partitions of the present month and of those that follow."""
    present = month_of(int(now.timestamp()))
    months = [next_month(present, ahead) for ahead in range(MONTHS_AHEAD + 1)]
    await prepare_months(database, [month_start_s(month) for month in months])


async def drop_before(database: BaseDBAsyncClient, before: datetime) -> int:
    """Remove the readings of all months that end before a moment; returns how many months, or readings.

    On PostgreSQL whole partitions are detached and dropped; on SQLite rows are deleted.
    """
    border = month_of(int(before.timestamp()))
    if is_single_table(database):
        removed, _ = await database.execute_query(
            "DELETE FROM reading WHERE read_at < ?", [month_start_s(border)]
        )
        return int(removed)
    names = await database.execute_query_dict(
        "SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'reading'::regclass ORDER BY c.relname"
    )
    old = [row["name"] for row in names if int(row["name"].rpartition("_")[2]) < border]
    for name in old:
        async with in_transaction(database.connection_name) as connection:
            await connection.execute_query(f"SELECT pg_advisory_xact_lock({_LOCK})")
            await connection.execute_query(f"ALTER TABLE reading DETACH PARTITION {name}")
            await connection.execute_query(f"DROP TABLE {name}")
    _known.pop(require_context(), None)
    return len(old)


def is_single_table(connection: BaseDBAsyncClient) -> bool:
    """Whether the database has no partitions: SQLite."""
    return connection.capabilities.dialect == "sqlite"


async def _exists(connection: BaseDBAsyncClient, name: str) -> bool:
    rows = await connection.execute_query_dict("SELECT to_regclass($1) IS NOT NULL AS there", [name])
    return bool(rows[0]["there"])
