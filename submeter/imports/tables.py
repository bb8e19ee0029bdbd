"""Reads tables: CSV files as any program writes them, and the sheets of XLSX workbooks.

In: a file. Out: its tables, each a header and rows of texts with their line numbers. The one rule: a cell
becomes the text that a person would type: a date is `2026-01-31`, a whole number has no decimals, a line
break or tab is a blank, and signs that take no room are left out.

CSV: `;`, `,` or tab, whichever the header has most of; UTF-8 with or without a byte order mark, UTF-16 with
one, else Windows-1252, which is how Excel saves in Western Europe.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final
from unicodedata import category
from zipfile import BadZipFile

from core.errors import InvalidInput

_DELIMITERS: Final = (";", ",", "\t")
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
WORKBOOKS: Final = frozenset({".xlsx", ".xlsm"})
FORMULA_ERROR: Final = "#"
"""How the text of a cell begins whose formula has failed: `#N/A`, `#REF!`."""


class UnreadableFile(InvalidInput):
    """A file is no table; `line` is where that was noticed."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


class Day(str):
    """The text of a workbook's cell that holds a date, be it that its program has made one of `1-2`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A line: its number in the file, and its cells."""

    line: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file, or a sheet of a workbook.

    Attributes:
        name: for people: the file, and the sheet.
        title: what may say of what it is: the file's name without its ending, or the sheet's name.
        header: the texts of the first line that has any.
        rows: the lines below it, without those that are empty.
    """

    name: str
    title: str
    header: Sequence[str]
    rows: Sequence[Row]


def tables_of(path: Path) -> list[Table]:
    """The tables of a file; sheets without any text are left out.

    Raises:
        UnreadableFile: it is neither CSV nor a workbook that can be read.
        OSError: it cannot be opened.
    """
    return _sheets(path) if path.suffix.lower() in WORKBOOKS else [_csv(path)]


def _csv(path: Path) -> Table:
    text = _decoded(path.read_bytes())
    if "\0" in text.partition("\n")[0]:
        raise UnreadableFile(f"{path} is no CSV file; a workbook's name ends in .xlsx")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    rows = []
    try:
        rows = [Row(reader.line_num, [_seen(cell) for cell in cells]) for cells in reader if any(cells)]
    except csv.Error as failure:
        raise UnreadableFile(f"{path}, line {reader.line_num}: {failure}", reader.line_num) from failure
    return _table(str(path), path.stem, [row for row in rows if any(row.cells)])


def _decoded(content: bytes) -> str:
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _sheets(path: Path) -> list[Table]:
    from openpyxl import load_workbook  # noqa: PLC0415 - a quarter of a second of start-up
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, KeyError, ValueError) as failure:
        raise UnreadableFile(f"{path} is no XLSX workbook that can be read") from failure
    try:
        found = []
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # other programs write wrong ones
            rows = [
                Row(line, cells)
                for line, values in enumerate(sheet.iter_rows(values_only=True), start=1)
                if any(cells := [_text(value) for value in values])
            ]
            if rows:
                found.append(_table(f"{path}, sheet {sheet.title}", sheet.title, rows))
        return found
    finally:
        book.close()


def _table(name: str, title: str, rows: Sequence[Row]) -> Table:
    if not rows:
        raise UnreadableFile(f"{name} is empty")
    return Table(name, title, rows[0].cells, rows[1:])


def _text(value: Any) -> str:
    """A cell of a workbook as a person would type it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return Day(value.date().isoformat() if value.time() == time() else value.isoformat(" "))
    if isinstance(value, date):
        return Day(value.isoformat())
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return _seen(str(value))


def _seen(text: str) -> str:
    """A text without what cannot be seen: line breaks and tabs are blanks, and of blanks there is one.

    Left out are format characters (Unicode's category Cf): zero-width blanks, soft hyphens, byte order marks.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join("".join(sign for sign in text if category(sign) != "Cf").split())
