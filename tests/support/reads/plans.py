"""What PostgreSQL does for the statements of a piece of the product: the tables and indexes that were read.

In: a coroutine that asks the database. Out: for each of its statements the plan as it was executed, reduced
to what was touched. The one rule: the statements are the product's own, recorded as it sends them.
"""

import json
from collections.abc import Awaitable, Iterator
from typing import Any, NamedTuple

from tortoise.backends.asyncpg.client import AsyncpgDBClient

from core.services.shared.transaction import current_database


class Touched(NamedTuple):
    """A node of a plan that was executed: what it scanned, how, and how many rows it looked at."""

    table: str
    how: str
    index: str
    rows: float


class Plan(NamedTuple):
    """An executed statement: its milliseconds and what it touched."""

    statement: str
    ms: float
    touched: list[Touched]

    def tables(self, prefix: str) -> set[str]:
        """The touched tables whose names begin so."""
        return {one.table for one in self.touched if one.table.startswith(prefix)}


async def plans_of(monkeypatch: Any, work: Awaitable[object], *, naming: str) -> list[Plan]:
    """The plans of the statements of `work` that name a table."""
    asked: list[tuple[str, list[Any]]] = []
    query = AsyncpgDBClient.execute_query
    dicts = AsyncpgDBClient.execute_query_dict

    async def recorded(client: Any, statement: str, values: list[Any] | None = None) -> Any:
        asked.append((statement, values or []))
        return await query(client, statement, values)

    async def recorded_dicts(client: Any, statement: str, values: list[Any] | None = None) -> Any:
        asked.append((statement, values or []))
        return await dicts(client, statement, values)

    with monkeypatch.context() as patch:
        patch.setattr(AsyncpgDBClient, "execute_query", recorded)
        patch.setattr(AsyncpgDBClient, "execute_query_dict", recorded_dicts)
        await work
    return [await _plan(*one) for one in asked if naming in one[0]]


async def _plan(statement: str, values: list[Any]) -> Plan:
    (row,) = await current_database().execute_query_dict(
        f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values
    )
    (explained,) = json.loads(row["QUERY PLAN"])
    return Plan(statement, explained["Execution Time"], list(_touched(explained["Plan"])))


def _touched(node: dict[str, Any]) -> Iterator[Touched]:
    if node.get("Actual Loops"):
        if "Relation Name" in node or "Index Name" in node:
            looked_at = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            yield Touched(
                node.get("Relation Name", ""), node["Node Type"], node.get("Index Name", ""), looked_at
            )
        for below in node.get("Plans", ()):
            yield from _touched(below)
