"""Reads explicit SQL into values: the columns of a row that SQLite stores as text.

In: a column as the database gives it. Out: the value that a model would hold. The one rule: PostgreSQL
gives days, moments and decimals as such, SQLite as texts (Tortoise's own, in UTC), and both are one value
here, so that a read needs no object of the ORM.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from core.services.shared.time_series import run
from core.services.shared.transaction import is_sqlite


def moment(value: datetime | str) -> datetime:
    """A moment, aware."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def moment_or_none(value: datetime | str | None) -> datetime | None:
    return None if value is None else moment(value)


def day(value: date | str) -> date:
    """A civil day."""
    return date.fromisoformat(value[:10]) if isinstance(value, str) else value


def day_or_none(value: date | str | None) -> date | None:
    return None if value is None else day(value)


def decimal_or_none(value: Decimal | str | float | None) -> Decimal | None:
    """An exact number."""
    return None if value is None else value if isinstance(value, Decimal) else Decimal(str(value))


def document(value: Any) -> Any:
    """What a column of JSON holds."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value


async def select_by(
    connection: BaseDBAsyncClient,
    columns: Mapping[str, str],
    statement: str,
    keys: Iterable[Sequence[object]],
) -> list[dict[str, Any]]:
    """Run a statement that reads keys as the table `k`.

    Args:
        connection: to read in.
        columns: the columns of `k`, each with PostgreSQL's type.
        statement: written for PostgreSQL.
        keys: the rows of `k`.
    """
    rows = list(keys)
    if is_sqlite(connection):
        values: list[Any] = [orjson.dumps(rows).decode()]
        parts = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(columns)))
        expanded = f"SELECT {parts} FROM json_each($1)"  # noqa: S608 - our own names
    else:
        values = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in columns]
        kinds = enumerate(columns.values(), start=1)
        arrays = ", ".join(f"${place}::{kind}[]" for place, kind in kinds)
        expanded = f"SELECT * FROM unnest({arrays})"  # noqa: S608 - our own names
    table = f"WITH k({', '.join(columns)}) AS ({expanded})"
    return await run(connection, f"{table} {statement}", values)


def joined(connection: BaseDBAsyncClient, text: str, between: str = ",") -> str:
    """Texts of several rows as one: a row of an answer costs ten times what a part of a text does."""
    function = "group_concat" if is_sqlite(connection) else "string_agg"
    return f"{function}({text}, '{between}')"
