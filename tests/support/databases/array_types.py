"""What asyncpg asks PostgreSQL about arrays, asked once for a whole test session.

In: the numbers of types that a new connection does not know. Out: their descriptions, for which the server
otherwise works 5 to 9 ms in each test. The one rule: kept are only types of PostgreSQL itself, which are the
same in every database; whatever a database defines is asked for each time.
"""

from types import SimpleNamespace
from typing import Any

import pytest
from asyncpg import Connection

FIRST_OF_A_DATABASE = 16_384
"""Below are the numbers of PostgreSQL's own objects (FirstNormalObjectId of its access/transam.h)."""

ASK = Connection._introspect_types


def keep_array_types(patch: pytest.MonkeyPatch) -> None:
    """Ask for each set of types once, while `patch` lasts."""
    kept: dict[frozenset[int], list[Any]] = {}
    no_statement = SimpleNamespace(name="kept")

    async def introspect(
        connection: Connection, numbers: Any, limit_s: float | None
    ) -> tuple[list[Any], Any]:
        wanted = frozenset(numbers)
        if wanted in kept:
            return kept[wanted], no_statement
        types, statement = await ASK(connection, numbers, limit_s)
        if all(one["oid"] < FIRST_OF_A_DATABASE for one in types):
            kept[wanted] = types
        return types, statement

    patch.setattr(Connection, "_introspect_types", introspect)
