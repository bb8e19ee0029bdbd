"""Prints a list that may be as long as a fleet: JSON lines as they are read, or the first rows as a table.

In: a service's page by page, and how a row is shown. Out: text on standard output. The one rule: a page is
held at a time, so that a list of any length needs the memory of a few thousand rows; a table, whose columns
are as wide as its rows are, has `--limit` rows at most, 50 by default.
"""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

import orjson
from rich.table import Column

from core.services.shared.paging import Page
from submeter.output import counted, err, print_table

PAGE_ROWS = 5_000
"""The rows that are read and held at once."""

TABLE_ROWS = 50
"""The rows of a table without `--limit`."""

ItemT = TypeVar("ItemT")
KeyT = TypeVar("KeyT")
Row = Mapping[str, object]


async def pages(
    read: Callable[[int, KeyT | None], Awaitable[Page[ItemT]]],
    key_of: Callable[[ItemT], KeyT],
    *,
    limit: int | None,
) -> AsyncIterator[Sequence[ItemT]]:
    """The items page by page, `limit` at most.

    Args:
        read: reads so many items at most, after the one with this key.
        key_of: the key of an item.
        limit: None for all.
    """
    after: KeyT | None = None
    left = limit
    while left is None or left > 0:
        page = await read(PAGE_ROWS if left is None else min(left, PAGE_ROWS), after)
        if not page.items:
            return
        yield page.items
        if not page.has_next:
            return
        after = key_of(page.items[-1])
        left = None if left is None else left - len(page.items)


async def print_list(
    rows: AsyncIterator[Sequence[Row]],
    noun: str,
    columns: Sequence[str | Column],
    *,
    limit: int | None,
    json: bool,
) -> None:
    """Print rows: each a JSON object on a line of its own, or all as a table.

    Args:
        rows: by pages; for a table one row more than it may have, if there are so many.
        noun: what a row is: `meter`.
        columns: of the table: names of the rows' values, blanks for underscores.
        limit: the maximum number of rows that was asked for.
        json: whether as JSON lines.
    """
    if json:
        async for some in rows:
            sys.stdout.write("".join(f"{orjson.dumps(row, default=_plain).decode()}\n" for row in some))
        return
    most, held = limit or TABLE_ROWS, list[Row]()
    async for some in rows:
        held += some
    shown = held[:most]
    names = [str(column.header if isinstance(column, Column) else column) for column in columns]
    cells = [[_cell(row[name.replace(" ", "_")]) for name in names] for row in shown]
    print_table(counted(len(shown), noun), columns, cells)
    if len(held) > most:
        err.print("There are more: see --limit, or --json for all.", markup=False)


def asked_rows(limit: int | None, *, json: bool) -> int | None:
    """How many rows are read: as many as are printed, and of a table one more, to know whether there are."""
    return limit if json else (limit or TABLE_ROWS) + 1


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__qualname__} is no value of a row")


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:%Y-%m-%d %H:%M}" if hasattr(value, "hour") else value
