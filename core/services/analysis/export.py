"""The tables of statistics as rows of cells: what an export holds.

In: rows that were read. Out: columns, and cells in their order. The one rule: a column has the name of the
field in the schema, in snake case, and the same value.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from core.consumption.amounts import DisplayUnit
from core.documents.tables import Cell, Column, ColumnKind
from core.services.analysis.figures import FIGURES, StatisticTable
from core.services.analysis.statistics import StatisticRow

_TEXTS: Final = (
    "month",
    "residence_code",
    "residence_name",
    "residence_city",
    "fluid",
    "unit",
    "grouping",
    "classes",
)
_COUNTS: Final = frozenset({"leaks", "meters", "meter_days"})


def columns_of(table: StatisticTable) -> Sequence[Column]:
    """The columns of a table: those that all have, then its own figures."""
    figures = (
        Column(name, ColumnKind.WHOLE if name in _COUNTS else ColumnKind.NUMBER) for name in FIGURES[table]
    )
    return [
        *(Column(name, ColumnKind.TEXT) for name in _TEXTS),
        Column("dwellings", ColumnKind.WHOLE),
        *figures,
    ]


def cells_of(table: StatisticTable, row: StatisticRow) -> list[Cell]:
    """A row in the order of the columns."""
    place = row.residence
    is_amount = table is StatisticTable.CONSUMPTION and row.fluid is not None
    texts: Mapping[str, str | None] = {
        "month": str(row.month),
        "residence_code": place.code if place else None,
        "residence_name": place.name if place else None,
        "residence_city": place.city if place else None,
        "fluid": row.fluid.value if row.fluid else None,
        "unit": DisplayUnit.of(row.fluid).value if is_amount and row.fluid else None,
        "grouping": row.grouping.value,
        "classes": "+".join(row.classes),
    }
    figures = (
        int(figure) if name in _COUNTS and figure is not None else figure
        for name, figure in zip(FIGURES[table], row.figures, strict=True)
    )
    return [*(texts[name] for name in _TEXTS), row.dwellings, *figures]
