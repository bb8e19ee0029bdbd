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

from core.services.shared.transaction import is_sqlite, sqlstate_of

_LOCK: Final = 0x5B3E7E5
MONTHS_AHEAD: Final = 2
_PATIENCE: Final = "3s"
_METERS_AT_ONCE: Final = 500
_LATER: Final = {"55P03", "42P01"}
"""PostgreSQL's lock_not_available, and undefined_table: another process has dropped it."""

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


def lacks_months(database: BaseDBAsyncClient, moments: Iterable[int]) -> bool:
    """Whether the partition of one of these moments may not be there yet."""
    return not is_sqlite(database) and not _known.get(require_context(), set()).issuperset(
        map(month_of, moments)
    )


async def prepare_months(database: BaseDBAsyncClient, moments: Iterable[int]) -> None:
    """Make the partitions of these moments, in a transaction of its own; for before a batch's."""
    if is_sqlite(database):
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


def kept_since(now: datetime, months: int) -> int:
    """The first second of which readings are kept: so many whole months, and the present one."""
    return month_start_s(next_month(month_of(int(now.timestamp())), -months))


async def drop_before(database: BaseDBAsyncClient, border_s: int) -> int:
    """Remove the readings of all months that end before a moment; returns how many months, or readings.

    On PostgreSQL whole partitions are detached and dropped, each in a transaction that gives up if readers
    keep it waiting: the next purge does it then. On SQLite rows are deleted, some meters' at a time.
    """
    border = month_of(border_s)
    if is_sqlite(database):
        return await _delete_before(database, month_start_s(border))
    names = await database.execute_query_dict(
        "SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'reading'::regclass ORDER BY c.relname"
    )
    old = [row["name"] for row in names if int(row["name"].rpartition("_")[2]) < border]
    dropped = 0
    for name in old:
        try:
            await _drop(database, name)
        except Exception as error:
            if sqlstate_of(error) not in _LATER:
                raise
        else:
            dropped += 1
    if old:
        _known.pop(require_context(), None)
    return dropped


async def _drop(database: BaseDBAsyncClient, name: str) -> None:
    async with in_transaction(database.connection_name) as connection:
        await connection.execute_query(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
        await connection.execute_query(f"SELECT pg_advisory_xact_lock({_LOCK})")
        await connection.execute_query(f"ALTER TABLE reading DETACH PARTITION {name}")
        await connection.execute_query(f"DROP TABLE {name}")


async def _delete_before(database: BaseDBAsyncClient, border_s: int) -> int:
    (row,) = await database.execute_query_dict("SELECT MAX(meter_id) AS last FROM reading")
    removed = 0
    for first in range(0, (row["last"] or 0) + 1, _METERS_AT_ONCE):
        gone, _ = await database.execute_query(
            "DELETE FROM reading WHERE meter_id IN"
            " (SELECT id FROM meter WHERE id BETWEEN ? AND ?) AND read_at < ?",
            [first, first + _METERS_AT_ONCE - 1, border_s],
        )
        removed += int(gone)
    return removed


async def _exists(connection: BaseDBAsyncClient, name: str) -> bool:
    # By a query, not by to_regclass: that may answer from a cache of before the lock was waited for.
    rows = await connection.execute_query_dict(
        "SELECT 1 FROM pg_class WHERE relname = $1 AND relnamespace ="
        " (SELECT relnamespace FROM pg_class WHERE oid = 'reading'::regclass)",
        [name],
    )
    return bool(rows)
