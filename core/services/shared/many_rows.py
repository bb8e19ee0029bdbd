"""Writes many rows of one table at once: COPY and one UPDATE on PostgreSQL, executemany on SQLite.

In: the open transaction, and rows of one model, or their values; or a table of whole numbers, which intake
has many of. Out: the rows stored; ids of new ones are not read back. The one rule: one statement, however
many rows, so a trigger of the table's statements counts one change; and each value of a model is checked and
converted by its field, as by `save`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from itertools import islice
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient
from tortoise.models import MetaInfo

from core.models.base import Model
from core.services.shared.transaction import is_sqlite

_AT_ONCE: Final = 5_000
"""Values that one statement looks up: SQLite and PostgreSQL take some 32,000."""

STAGED_FROM: Final = 1_000
"""So many rows of whole numbers are copied, which costs PostgreSQL and us half of what arrays as parameters
do; for a few the statements that make room for them cost more.
"""

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
    table = described(type(rows[0]))
    names = [name for name in table.fields_db_projection if not table.fields_map[name].generated]
    columns = [table.fields_db_projection[name] for name in names]
    values = [_values(row, names) for row in rows]
    if is_sqlite(connection):
        marks = ", ".join("?" for _ in names)
        insert = f"INSERT INTO {table.db_table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own names
        await connection.execute_many(insert, values)
        return
    async with connection.acquire_connection() as raw:
        await raw.copy_records_to_table(table.db_table, records=map(tuple, values), columns=columns)


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


async def upsert_rows(
    connection: TransactionalDBClient,
    model: type[Model],
    names: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    key: Sequence[str],
    sets: str | None = None,
) -> None:
    """Store rows by the values of these fields, new ones or instead of those with the same key.

    Args:
        connection: the transaction.
        model: of the rows; a field that is not named must have a default in the database.
        names: the fields, columns of these names.
        rows: their values, as an object of the model would hold them; in the order in which they are locked.
        key: the fields of a unique key.
        sets: what is set of a row that exists, by default all that is new.
    """
    table = described(model)
    fields = [table.fields_map[name] for name in names]
    values = [
        [field.to_db_value(value, model) for field, value in zip(fields, row, strict=True)] for row in rows
    ]
    if not values:
        return
    if sets is None:
        sets = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    conflict = f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sets}"
    insert = f"INSERT INTO {table.db_table} ({', '.join(names)})"
    if is_sqlite(connection):
        marks = ", ".join("?" for _ in names)
        await connection.execute_many(f"{insert} VALUES ({marks}) {conflict}", values)
        return
    kinds = [field.get_for_dialect("postgres", "SQL_TYPE") for field in fields]
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(kinds, start=1))
    await connection.execute_query(
        f"{insert} SELECT * FROM unnest({arrays}) {conflict}",  # noqa: S608 - names of our own
        [list(column) for column in zip(*values, strict=True)],
    )


def described(model: type[Model]) -> MetaInfo:
    """What Tortoise knows of a table and of its fields."""
    return model._meta  # noqa: SLF001 - there is no public way to a field


def _values(row: Model, names: Sequence[str]) -> list[Any]:
    fields = described(type(row)).fields_map
    return [fields[name].to_db_value(getattr(row, name), row) for name in names]


_WIRE: Final = {"BIGINT": ">i8", "INTEGER": ">i4", "SMALLINT": ">i2", "CHAR(1)": "u1"}
"""How COPY sends a value of these types; of a character its code."""

_LOOKED_UP: Final = (
    "SELECT set_config('enable_hashjoin', '{0}', TRUE), set_config('enable_mergejoin', '{0}', TRUE)"
)
"""How the statements of the transaction that follow may join tables."""

_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"


async def copy_numbers(
    connection: BaseDBAsyncClient, table: str, columns: Mapping[str, str], values: NDArray[np.int64]
) -> None:
    """COPY rows of whole numbers into a table of PostgreSQL.

    Args:
        connection: the open transaction.
        table: its name.
        columns: name -> type, in the order of the values.
        values: a row each; of a character its code.
    """
    rows = np.empty(len(values), _row_of(columns))
    rows["count"] = len(columns)
    for place, (name, kind) in enumerate(columns.items()):
        rows[f"length of {name}"] = np.dtype(_WIRE[kind]).itemsize
        rows[name] = values[:, place]
    async with connection.acquire_connection() as raw:
        await raw.copy_to_table(
            table,
            source=BytesIO(b"".join((_SIGNATURE, rows.tobytes(), _END))),
            columns=list(columns),
            format="binary",
        )


async def copied_numbers(
    connection: BaseDBAsyncClient, statement: str, columns: Mapping[str, str]
) -> NDArray[np.int64]:
    """The rows of whole numbers that a statement of PostgreSQL selects, none of them NULL, as one table: a
    third of what the driver takes to make a row of Python's numbers each.

    Args:
        connection: the open transaction.
        statement: the selection, without parameters.
        columns: name -> type, in the order of the selection.
    """
    parts: list[bytes] = []

    async def take(part: bytes) -> None:
        parts.append(part)

    async with connection.acquire_connection() as raw:
        await raw.copy_from_query(statement, output=take, format="binary")
    data = b"".join(parts)
    row = _row_of(columns)
    count = (len(data) - len(_SIGNATURE) - len(_END)) // row.itemsize
    rows = np.frombuffer(data, row, count, offset=len(_SIGNATURE))
    return np.stack([rows[name].astype(np.int64) for name in columns], axis=1)


def _row_of(columns: Mapping[str, str]) -> np.dtype[np.void]:
    """A row in the binary format of COPY (PostgreSQL, sql-copy): the number of its fields, of each field its
    length and its value, highest byte first.
    """
    fields = [("count", ">i2")]
    for name, kind in columns.items():
        fields += [(f"length of {name}", ">i4"), (name, _WIRE[kind])]
    return np.dtype(fields)


async def store_numbers(
    connection: BaseDBAsyncClient,
    table: str,
    columns: Mapping[str, str],
    values: NDArray[np.int64],
    *,
    key: Sequence[str],
) -> None:
    """Store rows of whole numbers in a table of PostgreSQL, new ones or instead of those with the same key;
    their meters must be locked.

    The arguments are those of `copy_numbers`; `key` are the columns of the table's key. They are copied into
    a table that is made and dropped within the transaction, so a pooler may hand the connection on.
    """
    stage, names = f"{table}_staged", ", ".join(columns)
    sets = ", ".join(f"{name} = fresh.{name}" for name in columns if name not in key)
    same = " AND ".join(f"known.{name} = fresh.{name}" for name in key)
    described_columns = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    await connection.execute_query(f"CREATE TEMP TABLE {stage} ({described_columns})")
    await copy_numbers(connection, stage, columns, values)
    # Nearly all exist, and to update them costs half of an insert that finds a conflict. Each is looked up by
    # its key: with the default random_page_cost (4) the planner reads a table of some million rows whole.
    await connection.execute_query(_LOOKED_UP.format("off"))
    updated, _ = await connection.execute_query(
        f"UPDATE {table} AS known SET {sets} FROM {stage} AS fresh WHERE {same}"  # noqa: S608 - our own names
    )
    await connection.execute_query(_LOOKED_UP.format("on"))
    if updated < len(values):
        await connection.execute_query(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM {stage}"  # noqa: S608 - our own names
            f" ORDER BY {', '.join(key)} ON CONFLICT DO NOTHING"
        )
    await connection.execute_query(f"DROP TABLE {stage}")
