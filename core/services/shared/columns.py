"""Reads explicit SQL into values: the columns of a row that SQLite stores as text.

In: a column as the database gives it. Out: the value that a model would hold. The one rule: PostgreSQL
gives days, moments and decimals as such, SQLite as texts (Tortoise's own, in UTC), and both are one value
here, so that a read needs no object of the ORM. Rows that may be changed and saved are read as objects by
`select_models`, without a query that is built anew each time.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from core.models.base import Model
from core.services.shared.time_series import run, select
from core.services.shared.transaction import is_sqlite

_Model = TypeVar("_Model", bound=Model)


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
    """Run a statement that reads keys as the table `k`; without keys it is not run.

    Args:
        connection: to read in.
        columns: the columns of `k`, each with PostgreSQL's type.
        statement: written for PostgreSQL.
        keys: the rows of `k`.
    """
    rows = list(keys)
    if not rows:
        return []
    if is_sqlite(connection):
        values: list[Any] = [orjson.dumps(rows).decode()]
        parts = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(columns)))
        expanded = f"SELECT {parts} FROM json_each($1)"  # noqa: S608 - our own names
    else:
        values = [list(column) for column in zip(*rows, strict=True)]
        kinds = enumerate(columns.values(), start=1)
        arrays = ", ".join(f"${place}::{kind}[]" for place, kind in kinds)
        expanded = f"SELECT * FROM unnest({arrays})"  # noqa: S608 - our own names
    table = f"WITH k({', '.join(columns)}) AS ({expanded})"
    return await run(connection, f"{table} {statement}", values)


async def select_models(
    connection: BaseDBAsyncClient, model: type[_Model], statement: str, keys: Iterable[tuple[int, ...]]
) -> list[_Model]:
    """The rows of a model that a statement selects whole (`SELECT t.*`), by keys as `time_series.select` has
    them.
    """
    rows = await select(connection, statement, keys)
    return [model._init_from_db(**row) for row in rows]  # noqa: SLF001 - as Tortoise makes its own rows


def joined(connection: BaseDBAsyncClient, text: str, between: str = ",") -> str:
    """Texts of several rows as one: a row of an answer costs ten times what a part of a text does."""
    function = "group_concat" if is_sqlite(connection) else "string_agg"
    return f"{function}({text}, '{between}')"
