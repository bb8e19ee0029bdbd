"""Reads files of index readings for `submeter classify`: CSV or Parquet, one reading per row.

In: a path. Out: the readings of each meter, the meters in the order in which they first appear. The one rule:
a row that cannot be read ends the command with its line number and the reason; no reading is guessed or
skipped.
"""

import csv
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from core.errors import InvalidInput
from core.leaks.classifier.classify import Readings
from submeter.line_files import LineReader, read_lines

REQUIRED = ("meter", "read_at", "litres")
LARGEST_INDEX_L = 10**15
_LATEST_S = 32_503_680_000  # the year 3000: a larger number is in milliseconds
_ROWS_A_STEP = 50_000


@dataclass(slots=True)
class _Column:
    """The readings of one meter while the file is read."""

    at_s: "array[int]" = field(default_factory=lambda: array("q"))
    litres: "array[int]" = field(default_factory=lambda: array("q"))
    serial: "array[int]" = field(default_factory=lambda: array("q"))
    numbers: dict[str, int] = field(default_factory=dict)


def read_readings(path: Path, *, progress: Callable[[int], None] | None = None) -> dict[str, Readings]:
    """The readings of a file, by meter.

    Columns are `meter`, `read_at` (ISO 8601 with an offset or Z, or epoch seconds), `litres` (the index) and,
    where meters were replaced, `serial`.

    Args:
        path: a `.parquet` file, or else CSV with a header, packed with gzip or zstd or not.
        progress: called with the number of rows of each step.

    Raises:
        InvalidInput: for a missing column, or a row that cannot be read, with its line number.
    """
    rows = _parquet_rows(path) if path.suffix.lower() in {".parquet", ".pq"} else _csv_rows(path)
    columns: dict[str, _Column] = {}
    for count, (line, row) in enumerate(rows, 1):
        meter = "" if row["meter"] is None else str(row["meter"]).strip()
        if not meter:
            raise _bad(path, line, "meter", "is empty")
        column = columns.setdefault(meter, _Column())
        column.at_s.append(_moment(row["read_at"], path, line))
        column.litres.append(_litres(row["litres"], path, line))
        serial = "" if row.get("serial") is None else str(row["serial"]).strip()
        column.serial.append(column.numbers.setdefault(serial, len(column.numbers)))
        if progress is not None and count % _ROWS_A_STEP == 0:
            progress(_ROWS_A_STEP)
    if not columns:
        raise InvalidInput(f"{path.name} contains no reading.", field="file")
    return {meter: Readings.of(one.at_s, one.litres, one.serial) for meter, one in columns.items()}


def _csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    lines = LineReader(errors="strict")
    with path.open("rb", buffering=0) as file:
        try:
            reader = csv.DictReader(read_lines(file, lines))
            _require_whole(path, lines)
            _require(path, reader.fieldnames or ())
            for row in reader:
                if None in row or None in row.values():
                    raise _bad(path, reader.line_num, "the row", "has more or fewer cells than the header")
                yield reader.line_num, row
        except (UnicodeDecodeError, csv.Error) as failure:
            message = f"{path.name} is not CSV in UTF-8 or UTF-16: {failure}"
            raise InvalidInput(message, field="file") from failure
    _require_whole(path, lines)


def _require_whole(path: Path, lines: LineReader) -> None:
    if lines.fault is not None:
        raise InvalidInput(f"{path.name} was not read to its end: {lines.fault.message}", field="file")


def _parquet_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        from pyarrow import ArrowInvalid, parquet  # noqa: PLC0415 - an extra, loaded when it is needed
    except ImportError as failure:
        raise InvalidInput(
            "Parquet needs pyarrow: pip install 'submeter[analysis]', or use CSV.", field="file"
        ) from failure
    line = 0
    try:
        file = parquet.ParquetFile(path)
        names = [name for name in (*REQUIRED, "serial") if name in file.schema_arrow.names]
        _require(path, names)
        for batch in file.iter_batches(columns=names):
            for row in batch.to_pylist():
                line += 1
                yield line, row
    except FileNotFoundError:
        raise
    except (ArrowInvalid, OSError, ValueError) as failure:
        raise InvalidInput(
            f"{path.name} cannot be read as Parquet beyond row {line}: {failure}", field="file"
        ) from failure


def _require(path: Path, names: Any) -> None:
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise InvalidInput(
            f"{path.name} has no column {', '.join(missing)}: {', '.join(REQUIRED)} are required.",
            field="file",
        )


def _moment(value: Any, path: Path, line: int) -> int:
    if isinstance(value, datetime):
        moment = value
    else:
        text = str(value).strip()
        if text.isdecimal():
            if int(text) > _LATEST_S:
                raise _bad(path, line, "read_at", f"is too large for epoch seconds: {text}")
            return int(text)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as failure:
            raise _bad(path, line, "read_at", f"is not a time: {text!r}") from failure
    if moment.tzinfo is None:
        raise _bad(path, line, "read_at", f"has no offset: {value!s}; write 2026-11-22T06:00:00Z or +01:00")
    return int(moment.timestamp())


def _litres(value: Any, path: Path, line: int) -> int:
    try:
        litres = int(value if isinstance(value, int | float) else _digits(value))
    except (OverflowError, ValueError) as failure:
        raise _bad(path, line, "litres", f"is not a whole number: {value!r}") from failure
    if not 0 <= litres <= LARGEST_INDEX_L or (isinstance(value, float) and value != litres):
        raise _bad(path, line, "litres", f"is not an index in whole litres: {value!r}")
    return litres


def _digits(value: Any) -> str:
    """A decimal figure; 1_000, which Python would read, is refused."""
    return str(value).replace("_", "?")


def _bad(path: Path, line: int, column: str, reason: str) -> InvalidInput:
    return InvalidInput(f"{path.name}, line {line}: {column} {reason}", field="file")
