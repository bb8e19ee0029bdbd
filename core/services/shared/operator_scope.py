"""The rows of one operator, for its staff; those of all operators for the command line.

In: the viewer, a part of a statement, and its conditions. Out: a page of rows by one statement. The one rule:
a list is narrowed to the operator's rows in the statement itself, by the first of its conditions; it is made
here and nowhere else, beside `scope`, which narrows to residences, dwellings and days. A cursor's row is
looked for among the viewer's own rows only, so that a forged one tells nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from core.access import Role, Viewer
from core.errors import Forbidden
from core.sanitize import escape_for_database
from core.services.shared.time_series import run
from core.services.shared.transaction import is_sqlite

LARGEST_ID = 2**63 - 1
"""The largest BIGINT; each database raises an error of its own for a larger number."""


def operator_in_charge(viewer: Viewer) -> int | None:
    """Whose rows the viewer lists: those of the staff's operator; None for all, of the command line.

    Raises:
        Forbidden: neither staff nor the command line.
    """
    if viewer.role is Role.SYSTEM:
        return None
    if viewer.role is Role.STAFF and viewer.operator_id is not None:
        return viewer.operator_id
    raise Forbidden("This list is for the operator's staff.")


@dataclass(frozen=True, slots=True)
class ListedRows:
    """The rows of a page, and whether more follow; `total` counts all pages, None where nobody asked."""

    rows: Sequence[dict[str, Any]]
    has_next: bool
    total: int | None


class OperatorRows:
    """A list of the viewer's rows: tables, and conditions with the values of their parameters.

    In a condition each `{}` is a parameter, so that a value is never part of the statement.
    """

    def __init__(
        self, connection: BaseDBAsyncClient, viewer: Viewer, *, tables: str, own: str, code: str | None = None
    ) -> None:
        """Begin with the condition that narrows to the viewer's rows.

        Args:
            connection: to read in.
            viewer: whose rows.
            tables: what follows FROM; the operator's table is `p` in it.
            own: what a row of the operator fulfils; each `{0}` in it is the operator's number.
            code: of an operator, whose rows alone are listed besides.
        """
        self.connection = connection
        self._tables = tables
        self._values: list[Any] = []
        self._conditions: list[str] = []
        operator_id = operator_in_charge(viewer)
        self.operator = None if operator_id is None else self.value(operator_id)
        if self.operator is not None:
            self._conditions.append(own.format(self.operator))
        self._own = " AND ".join(self._conditions)
        if code is not None:
            self.where("p.code = {}", code)

    def where(self, condition: str, *values: object) -> None:
        """Narrow further."""
        self._conditions.append(f"({condition.format(*map(self.value, values))})")

    def search(
        self, text: str | None, columns: Sequence[str], *, also: tuple[str, str] | None = None
    ) -> None:
        """Narrow to rows of which a column holds the text, whatever its case; a wildcard is a character.

        Args:
            text: what is searched; None or blanks do not narrow.
            columns: where.
            also: a further condition, whose `{}` is that this column of another table holds the text.
        """
        wanted = text.strip() if text else ""
        if not wanted:
            return
        place, within = self.value(wanted), "instr" if is_sqlite(self.connection) else "strpos"
        holds = f"{within}(LOWER({{}}), LOWER(CAST({place} AS TEXT))) > 0"
        found = [holds.format(column) for column in columns]
        if also is not None:
            condition, column = also
            found.append(condition.format(holds.format(column)))
        self._conditions.append(f"({' OR '.join(found)})")

    def value(self, value: object) -> str:
        """A parameter with this value."""
        if isinstance(value, datetime) and is_sqlite(self.connection):
            value = value.astimezone(UTC).isoformat(" ")  # as it is stored, so that texts compare as moments
        if isinstance(value, str):
            value = escape_for_database(value)
        self._values.append(value)
        return f"${len(self._values)}"

    async def page(
        self,
        columns: str,
        *,
        key: str,
        order: Sequence[str],
        first: int,
        after: int | None,
        counted: bool = True,
    ) -> ListedRows:
        """A page in ascending order, by one statement.

        Args:
            columns: what follows SELECT.
            key: the column of the row's number.
            order: expressions that are never null, the last of them unique.
            first: how many rows at most.
            after: the number of the last row of the page before.
            counted: whether all rows of the list are counted.
        """
        if after is not None:
            own = f" AND {self._own}" if self._own else ""
            self._after = (
                f"({', '.join(order)}) > (SELECT {', '.join(order)} FROM {self._tables}"  # noqa: S608 - our own words
                f" WHERE {key} = {self.value(after)}{own})"
            )
        return await self._page(columns, ", ".join(order), first, counted=counted)

    async def newest(
        self, columns: str, *, key: str, first: int, before: int | None, counted: bool = True
    ) -> ListedRows:
        """A page of the rows added last, by their numbers downwards."""
        if before is not None:
            self._after = f"{key} < {self.value(before)}"
        return await self._page(columns, f"{key} DESC", first, counted=counted)

    async def page_after(
        self, columns: str, *, order: Sequence[str], first: int, after: Sequence[int] | None, counted: bool
    ) -> ListedRows:
        """A page in the order of values that change: `after` are those that the last row had."""
        if after is not None:
            self._after = f"({', '.join(order)}) > ({', '.join(map(self.value, after))})"
        return await self._page(columns, ", ".join(order), first, counted=counted)

    async def grouped(self, columns: str, group: str, order: str) -> list[dict[str, Any]]:
        """The rows by groups."""
        statement = f"SELECT {columns} FROM {self._tables} {self._where()} GROUP BY {group} ORDER BY {order}"  # noqa: S608 - our own words
        return await run(self.connection, statement, self._values)

    _after: str = ""

    def _where(self, *further: str) -> str:
        conditions = [*self._conditions, *filter(None, further)]
        return f"WHERE {' AND '.join(conditions)}" if conditions else ""

    async def _page(self, columns: str, order: str, first: int, *, counted: bool) -> ListedRows:
        listed = f"{columns}, 1 AS found"
        if counted:  # the order of the joined rows is no longer that of the page
            listed = f"{columns}, ROW_NUMBER() OVER (ORDER BY {order}) AS found"
        listed = f"SELECT {listed} FROM {self._tables} {self._where(self._after)} ORDER BY {order}"  # noqa: S608 - our own words
        listed += f" LIMIT {self.value(first + 1)}"
        statement = listed
        if counted:
            count = f"SELECT COUNT(*) AS total FROM {self._tables} {self._where()}"  # noqa: S608 - our own words
            statement = (
                f"SELECT t.total, q.* FROM ({count}) t LEFT JOIN ({listed}) q ON 1 = 1 ORDER BY q.found"  # noqa: S608 - our own words
            )
        found = await run(self.connection, statement, self._values)
        rows = [row for row in found if row["found"] is not None]
        return ListedRows(rows[:first], len(rows) > first, found[0]["total"] if counted else None)
