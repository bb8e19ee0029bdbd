"""Writes many rows of one table at once: COPY and one UPDATE on PostgreSQL, executemany on SQLite.

In: the open transaction, and rows of one model. Out: the rows stored; ids of new ones are not read back.
The one rule: one statement, however many rows, so a trigger of the table's statements counts one change;
and each value is checked and converted by its field, as by `save`.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.models import MetaInfo

from core.models.base import Model
from core.services.shared.transaction import is_sqlite

_AT_ONCE: Final = 5_000
"""Values that one statement looks up: SQLite and PostgreSQL take some 32,000."""

_Value = TypeVar("_Value")


def slices(values: Iterable[_Value]) -> Iterator[list[_Value]]:
    """Values in parts that one statement can look up."""
    rest = iter(values)
    while some := list(islice(rest, _AT_ONCE)):
        yield some


async def insert_rows(connection: TransactionalDBClient, rows: Sequence[Model]) -> None:
    """Store new rows, whose ids the database gives."""
    if not rows:
        return
    if is_sqlite(connection):
        await type(rows[0]).bulk_create(rows, using_db=connection)
        return
    table = described(type(rows[0]))
    names = [name for name in table.fields_db_projection if not table.fields_map[name].generated]
    async with connection.acquire_connection() as raw:
        await raw.copy_records_to_table(
            table.db_table,
            records=[tuple(_values(row, names)) for row in rows],
            columns=[table.fields_db_projection[name] for name in names],
        )


async def update_rows(
    connection: TransactionalDBClient, rows: Sequence[Model], columns: Sequence[str]
) -> None:
    """Store these columns of rows that exist."""
    if not rows:
        return
    table = described(type(rows[0]))
    names = ["id", *columns]
    values = [_values(row, names) for row in rows]
    if is_sqlite(connection):
        sets = ", ".join(f"{name} = ?" for name in columns)
        await connection.execute_many(
            f"UPDATE {table.db_table} SET {sets} WHERE id = ?",  # noqa: S608 - names of our own
            [[*row[1:], row[0]] for row in values],
        )
        return
    kinds = [table.fields_map[name].get_for_dialect("postgres", "SQL_TYPE") for name in names]
    kinds[0] = "BIGINT"  # the key's own type makes a sequence
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(kinds, start=1))
    sets = ", ".join(f"{name} = fresh.{name}" for name in columns)
    await connection.execute_query(
        f"UPDATE {table.db_table} AS known SET {sets}"  # noqa: S608 - names of our own
        f" FROM unnest({arrays}) AS fresh ({', '.join(names)}) WHERE known.id = fresh.id",
        [list(column) for column in zip(*values, strict=True)],
    )


def described(model: type[Model]) -> MetaInfo:
    """What Tortoise knows of a table and of its fields."""
    return model._meta  # noqa: SLF001 - there is no public way to a field


def _values(row: Model, names: Sequence[str]) -> list[Any]:
    fields = described(type(row)).fields_map
    return [fields[name].to_db_value(getattr(row, name), row) for name in names]
