"""Reads an operator's list of meters: a CSV file with a header, one meter a line.

In: the file. Out: its lines, one after the other, for `core.services.portfolio.meter_import`. The one rule: a
cell that cannot be read is reported by its column and its text, but for a key, of which nothing is repeated.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from core.consumption.fluids import Fluid
from core.errors import InvalidInput
from core.services.portfolio.descriptions import DwellingSpec, MeterSpec, midnight
from core.services.portfolio.meter_import import MeterLine
from core.services.portfolio.portfolio_lists import NOT_REMOVED

REQUIRED = (
    "operator",
    "residence",
    "number",
    "fluid",
    "vendor",
    "printed_serial",
    "radio_address",
    "installed_on",
)

_Value = TypeVar("_Value")
_LONGEST_QUOTED = 40


@contextmanager
def list_file(path: Path) -> Iterator[Iterator[MeterLine]]:
    """The lines of a CSV file, which is open within the block.

    Raises:
        InvalidInput: the header lacks a column.
    """
    # A damaged or Latin-1 byte affects its own cell only.
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.DictReader(file)
        missing = [column for column in REQUIRED if column not in (rows.fieldnames or ())]
        if missing:
            raise InvalidInput(f"{path}: columns missing in the header: {', '.join(missing)}")
        yield _lines(rows)


def _lines(rows: "csv.DictReader[str]") -> Iterator[MeterLine]:
    for row in rows:
        cells = _Cells(row)
        yield MeterLine(
            place=rows.line_num,
            operator_code=cells["operator"],
            residence_code=cells["residence"],
            describe=cells.dwelling,
            keep_removal=not cells["removed_on"],
        )


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of a line by column; None as a column holds what goes beyond the header."""

    row: Mapping[str | None, str | list[str] | None]

    def __getitem__(self, column: str) -> str:
        text = self.row.get(column)
        return text if isinstance(text, str) else ""

    def dwelling(self, zone: ZoneInfo) -> DwellingSpec:
        """The dwelling with its meter, whose days are those of the zone.

        Raises:
            InvalidInput: a cell cannot be read.
        """
        if None in self.row:
            raise InvalidInput("more cells than the header")

        def start_of(text: str) -> datetime:
            return midnight(date.fromisoformat(text), zone)

        meter = MeterSpec(
            fluid=self._read("fluid", Fluid, "a fluid"),
            vendor=self["vendor"],
            printed_serial=self["printed_serial"],
            radio_address=self["radio_address"],
            installed_at=self._read("installed_on", start_of, "a day"),
            removed_at=None
            if self["removed_on"] == NOT_REMOVED
            else self._given("removed_on", start_of, "a day"),
            register_step=self._given("register_step", int, "a whole number"),
            register_capacity=self._given("register_capacity", int, "a whole number"),
            nominal_flow_m3_per_h=self._given("nominal_flow_m3_per_h", Decimal, "a number"),
            location=self["location"] or None,
            key=self._key(),
            aliases=self["aliases"].split(),
        )
        return DwellingSpec(
            number=self["number"],
            building=self["building"],
            staircase=self["staircase"],
            floor=self["floor"],
            lot=self["lot"] or None,
            meters=[meter],
        )

    def _read(self, column: str, value_of: Callable[[str], _Value], what: str) -> _Value:
        text = self[column]
        try:
            return value_of(text)
        except (ValueError, OverflowError, InvalidOperation) as failure:
            shown = text if len(text) <= _LONGEST_QUOTED else f"{text[:_LONGEST_QUOTED]}…"
            raise InvalidInput(f"{shown!r} cannot be read as {what}", field=column) from failure

    def _given(self, column: str, value_of: Callable[[str], _Value], what: str) -> _Value | None:
        """The value of a cell that may be empty."""
        return self._read(column, value_of, what) if self[column] else None

    def _key(self) -> bytes | None:
        if not self["key"]:
            return None
        try:
            return bytes.fromhex(self["key"])
        except ValueError:
            # The text of a ValueError may quote the key's digits.
            raise InvalidInput("cannot be read as hexadecimal digits", field="key") from None
