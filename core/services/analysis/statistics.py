"""Reads published statistics for an analyst: of the operator that the account belongs to.

In: the viewer, a table, and which of its rows. Out: pages of rows, in the order in which they were
published. The one rule: a filter chooses among rows that were published; it never makes a new figure, so
filters may be combined at will.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from core.access import Permission, Viewer
from core.consumption import Month
from core.consumption.fluids import Fluid
from core.errors import InvalidInput, NotFound
from core.services.analysis.figures import FIGURES, Grouping, StatisticTable
from core.services.analysis.publication import month_number, month_of_number
from core.services.shared.columns import document
from core.services.shared.paging import Page
from core.services.shared.time_series import run
from core.services.shared.transaction import current_database

_LARGEST_ID: Final = 2**63 - 1
EXPORT_PAGE: Final = 1_000
"""Rows of an export that are read at once."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rows: of one residence, of all residences by name, or of the operator as a whole."""

    fluid: Fluid | None = None
    first_month: Month | None = None
    last_month: Month | None = None
    grouping: Grouping | None = None
    by_residence: bool = False
    residence_id: int | None = None


@dataclass(frozen=True, slots=True)
class AnalysedResidence:
    """A residence, as statistics name it."""

    id: int
    code: str
    name: str
    city: str


@dataclass(frozen=True, slots=True)
class StatisticRow:
    """A published row; `figures` are in the order of `FIGURES`."""

    id: int
    month: Month
    residence: AnalysedResidence | None
    fluid: Fluid | None
    grouping: Grouping
    classes: tuple[str, ...]
    dwellings: int
    figures: tuple[float | None, ...]

    def figure(self, topic: StatisticTable, name: str) -> float | None:
        return self.figures[FIGURES[topic].index(name)]


async def published_months(viewer: Viewer) -> list[Month]:
    """The months that are published, the newest first."""
    viewer.require(Permission.ANALYSES_READ)
    rows = await run(
        current_database(),
        "SELECT month FROM analysis_publication WHERE operator_id = $1 ORDER BY month DESC",
        [_operator_of(viewer)],
    )
    return [month_of_number(row["month"]) for row in rows]


async def statistics(
    viewer: Viewer, topic: StatisticTable, choice: Choice, *, first: int, after: int | None = None
) -> Page[StatisticRow]:
    """A page of rows, the oldest month first.

    Raises:
        InvalidInput: the months are in the wrong order.
        NotFound: the operator has no such residence.
    """
    viewer.require(Permission.ANALYSES_READ)
    await _check(viewer, choice)
    return await _page(viewer, topic, choice, first, after or 0)


async def all_statistics(
    viewer: Viewer, topic: StatisticTable, choice: Choice
) -> AsyncIterator[list[StatisticRow]]:
    """All rows, in pages as they are read.

    Raises:
        InvalidInput, NotFound: as for `statistics`.
    """
    viewer.require(Permission.ANALYSES_READ)
    await _check(viewer, choice)
    after, more = 0, True
    while more:
        page = await _page(viewer, topic, choice, EXPORT_PAGE, after)
        if page.items:
            yield page.items
            after = page.items[-1].id
        more = page.has_next


async def _check(viewer: Viewer, choice: Choice) -> None:
    first, last = choice.first_month, choice.last_month
    if first is not None and last is not None and last < first:
        raise InvalidInput("The last month lies before the first.", field="to")
    if choice.residence_id is None:
        return
    found: list[dict[str, Any]] = []
    if 0 < choice.residence_id <= _LARGEST_ID:
        found = await run(
            current_database(),
            "SELECT 1 AS found FROM residence WHERE id = $1 AND operator_id = $2",
            [choice.residence_id, _operator_of(viewer)],
        )
    if not found:
        raise NotFound("No such residence.", field="residence")


def _operator_of(viewer: Viewer) -> int:
    """0, which no operator has, for a viewer without one: nothing was published of it."""
    return viewer.operator_id or 0


async def _page(
    viewer: Viewer, topic: StatisticTable, choice: Choice, first: int, after: int
) -> Page[StatisticRow]:
    conditions = ["p.operator_id = $1", "r.topic = $2", "r.id > $3"]
    values: list[Any] = [_operator_of(viewer), topic.value, after]

    def narrow(condition: str, value: Any) -> None:
        values.append(value)
        conditions.append(f"{condition} ${len(values)}")

    if choice.fluid is not None:
        narrow("r.fluid =", choice.fluid.value)
    if choice.grouping is not None:
        narrow("r.grouping =", choice.grouping.value)
    if choice.first_month is not None:
        narrow("p.month >=", month_number(choice.first_month))
    if choice.last_month is not None:
        narrow("p.month <=", month_number(choice.last_month))
    if choice.residence_id is not None:
        narrow("r.residence_id =", choice.residence_id)
    else:
        conditions.append(f"r.residence_id IS {'NOT ' if choice.by_residence else ''}NULL")
    values.append(first + 1)
    rows = await run(
        current_database(),
        "SELECT r.id, p.month, r.fluid, r.grouping, r.classes, r.dwellings, r.figures, e.id AS residence_id,"  # noqa: S608 - our own conditions
        " e.code, e.name, e.city FROM analysis_publication p JOIN analysis_row r ON r.publication_id = p.id"
        f" LEFT JOIN residence e ON e.id = r.residence_id WHERE {' AND '.join(conditions)}"
        f" ORDER BY r.id LIMIT ${len(values)}",
        values,
    )
    return Page([_row(row) for row in rows[:first]], has_next=len(rows) > first)


def _row(row: dict[str, Any]) -> StatisticRow:
    residence = None
    if row["residence_id"] is not None:
        residence = AnalysedResidence(row["residence_id"], row["code"], row["name"], row["city"])
    return StatisticRow(
        id=row["id"],
        month=month_of_number(row["month"]),
        residence=residence,
        fluid=None if row["fluid"] is None else Fluid(row["fluid"]),
        grouping=Grouping(row["grouping"]),
        classes=tuple(row["classes"].split("+")),
        dwellings=row["dwellings"],
        figures=tuple(document(row["figures"])),
    )
