"""A long table as CSV or as an Arrow stream, piece by piece.

In: columns, and rows as they are read. Out: bytes that may be sent one after the other. The one rule: both
formats have the same columns, rows and values; nothing is rounded or translated on the way. CSV is RFC 4180
in UTF-8 with empty cells for what is absent, and texts that a spreadsheet would run as a formula are quoted
by an apostrophe; Arrow is the IPC streaming format, which pandas, DuckDB, Polars and R read.
"""

import csv
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO, StringIO
from typing import Any, Final, TypeAlias

import nanoarrow
from nanoarrow.ipc import StreamWriter

from core.documents.statement import harmless

Cell: TypeAlias = str | int | float | None


class ColumnKind(StrEnum):
    """What the cells of a column are; any of them may be absent."""

    TEXT = "TEXT"
    WHOLE = "WHOLE"
    NUMBER = "NUMBER"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in both formats, and what its cells are."""

    name: str
    kind: ColumnKind


class TableWriter(ABC):
    """Writes a table: `begin`, then any number of `rows`, then `end`; each gives the bytes that it made."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns

    @abstractmethod
    def begin(self) -> bytes:
        """What comes before the rows."""

    @abstractmethod
    def rows(self, rows: Sequence[Sequence[Cell]]) -> bytes:
        """Some rows."""

    @abstractmethod
    def end(self) -> bytes:
        """What comes after them."""


class CsvWriter(TableWriter):
    """Comma-separated, a line of names first."""

    def begin(self) -> bytes:
        return self.rows([[column.name for column in self.columns]])

    def rows(self, rows: Sequence[Sequence[Cell]]) -> bytes:
        written = StringIO()
        writer = csv.writer(written, lineterminator="\r\n")
        writer.writerows([harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
        return written.getvalue().encode()

    def end(self) -> bytes:
        return b""


class ArrowWriter(TableWriter):
    """A record batch for each piece."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__(columns)
        self._kinds = {column.name: _ARROW[column.kind]() for column in columns}
        self._schema = nanoarrow.struct(self._kinds)
        self._written = BytesIO()
        self._writer = StreamWriter.from_writable(self._written)

    def begin(self) -> bytes:
        return self.rows([])  # an empty batch, so that a table without rows has its columns

    def rows(self, rows: Sequence[Sequence[Cell]]) -> bytes:
        columns: list[Any] = [list(cells) for cells in zip(*rows, strict=True)] or [[] for _ in self.columns]
        children = [
            nanoarrow.c_array(cells, kind) for cells, kind in zip(columns, self._kinds.values(), strict=True)
        ]
        batch = nanoarrow.c_array_from_buffers(
            self._schema, length=len(rows), buffers=[None], children=children
        )
        self._writer.write_array(batch)
        return self._taken()

    def end(self) -> bytes:
        self._writer.close()
        return self._taken()

    def _taken(self) -> bytes:
        made = self._written.getvalue()
        self._written.seek(0)
        self._written.truncate()
        return made


_ARROW: Final = {
    ColumnKind.TEXT: nanoarrow.string,
    ColumnKind.WHOLE: nanoarrow.int64,
    ColumnKind.NUMBER: nanoarrow.float64,
}
