"""Reads the cells of a line: days, numbers, choices and keys, as people write them in France and elsewhere.

In: a line of a table. Out: values, None where a cell is empty or cannot be read; and a fault of each cell
that cannot. The one rule: what could mean two things is refused, with what would be clear; a key's text is
never repeated.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from typing import Final, TypeVar
from unicodedata import category

from core.consumption.fluids import Fluid
from core.operators import OccupancyKind
from core.services.portfolio.portfolio_lists import Fault, Place
from core.services.portfolio.suggestions import did_you_mean
from submeter.imports.columns import normalised
from submeter.imports.tables import FORMULA_ERROR, Day

_Choice = TypeVar("_Choice", bound=Enum)

_LONGEST_QUOTED: Final = 60
_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]00:00(?::00(?:\.0+)?)?)?", re.ASCII)
_FRENCH_DAY: Final = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})", re.ASCII)
_SHORT_YEAR: Final = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}", re.ASCII)
_SPREADSHEET_DAY: Final = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_MONTH: Final = (
    "janv?|févr?|fevr?|feb|mars?|avr|apr|mai|may|juin|june?|juil|july?|août|aout|aug|sept?|oct|nov|déc|dec"
)
_MADE_A_DAY: Final = re.compile(
    rf"\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}/\d{{1,2}}/\d{{4}}"
    rf"|\d{{1,2}}[-. ]({_MONTH})\.?|({_MONTH})\.?[-. ]\d{{2}}",
    re.IGNORECASE,
)
"""`1-2` as Excel saves it after it took it for a day: 01/02/2026, 01-févr, 1-Feb, Feb-01."""
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BLANKS: Final = re.compile(r"[\s\u00a0\u202f']+")
_NUMBER: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?", re.ASCII)
_THOUSANDS: Final = re.compile(r"[+-]?\d{1,3}(?:[.,]\d{3})+[.,]\d+|[+-]?\d{1,3}(?:\.\d{3}){2,}", re.ASCII)

_YES: Final = frozenset({"oui", "yes", "true", "vrai", "1", "x", "o", "y"})
_NO: Final = frozenset({"non", "no", "false", "faux", "0", "n"})

_FLUIDS: Final = {
    "eau froide": Fluid.COLD_WATER,
    "ef": Fluid.COLD_WATER,
    "efs": Fluid.COLD_WATER,
    "eau chaude": Fluid.HOT_WATER,
    "eau chaude sanitaire": Fluid.HOT_WATER,
    "ec": Fluid.HOT_WATER,
    "ecs": Fluid.HOT_WATER,
    "chauffage": Fluid.HEAT,
    "chaleur": Fluid.HEAT,
    "energie thermique": Fluid.HEAT,
    "repartiteur": Fluid.HEAT_ALLOCATOR,
    "repartiteur de frais de chauffage": Fluid.HEAT_ALLOCATOR,
    "rfc": Fluid.HEAT_ALLOCATOR,
}

_KINDS: Final = {
    "locataire": OccupancyKind.TENANT,
    "proprietaire occupant": OccupancyKind.OWNER_OCCUPIER,
    "proprietaire": OccupancyKind.OWNER_OCCUPIER,
    "proprietaire bailleur": OccupancyKind.OWNER_NON_OCCUPANT,
    "proprietaire non occupant": OccupancyKind.OWNER_NON_OCCUPANT,
    "bailleur": OccupancyKind.OWNER_NON_OCCUPANT,
}


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a line by column.

    Attributes:
        at: where the line stands.
        places: the place of each column.
        cells: the texts.
        required: the columns that must not be empty.
        faults: where faults go.
    """

    at: Place
    places: Mapping[str, int]
    cells: Sequence[str]
    required: frozenset[str]
    faults: list[Fault]

    def has(self, column: str) -> bool:
        """Whether the list has this column."""
        return column in self.places

    def says(self, column: str, text: str) -> bool:
        """Whether a cell holds this text; whatever else it holds is judged where it is read."""
        place = self.places.get(column)
        return place is not None and self.cells[place : place + 1] == [text]

    def text(self, column: str) -> str:
        """The text of a cell; empty where it is missing, which is a fault of a required one."""
        text = self._cell(column)
        if isinstance(text, Day):
            reason = "the spreadsheet has made a date of this: give the cell the format of text, type it anew"
            self.fault(column, text, reason)
            return ""
        return text

    def place(self, column: str) -> str:
        """A part of a dwelling's designation, of which a spreadsheet may have made a date."""
        text = self.text(column)
        if _MADE_A_DAY.fullmatch(text):
            self.fault(column, text, "a spreadsheet has made a date of this: write what the door says")
            return ""
        return text

    def _cell(self, column: str) -> str:
        """What a cell holds; nothing of one that cannot be meant."""
        place = self.places.get(column)
        text = self.cells[place] if place is not None and place < len(self.cells) else ""
        if text.startswith(FORMULA_ERROR) and text[1:2].isalpha():
            self.fault(column, text, "the cell's formula has failed")
            return ""
        if not text.isprintable() and any(category(sign) == "Cc" for sign in text):
            self.fault(column, text, "contains a control character")
            return ""
        if not text and column in self.required and place is not None:
            self.fault(column, text, "is empty")
        return text

    def given(self, column: str) -> str | None:
        """The text of a cell; None where it is empty."""
        return self.text(column) or None

    def fault(self, column: str, value: str, reason: str) -> None:
        shown = value if len(value) <= _LONGEST_QUOTED else f"{value[:_LONGEST_QUOTED]}…"
        shown = "" if column == "key" else _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", shown)
        self.faults.append(Fault(self.at, column, shown, reason))

    def day(self, column: str) -> date | None:
        """A day: `2026-01-31`, `31/01/2026`, `31.01.2026` or `31-01-2026`."""
        text = self._cell(column)
        if not text:
            return None
        if iso := _ISO.fullmatch(text):
            parts = (iso[1], iso[2], iso[3])
        elif french := _FRENCH_DAY.fullmatch(text):
            parts = (french[4], french[3], french[1])
        else:
            self.fault(column, text, _why_no_day(text))
            return None
        try:
            return date(*map(int, parts))
        except ValueError:
            self.fault(column, text, "the calendar has no such day (day/month/year)")
            return None

    def number(self, column: str) -> Decimal | None:
        """A number with a decimal point or comma; blanks may part its thousands."""
        text = self.text(column)
        if not text:
            return None
        plain = _BLANKS.sub("", text)
        if not _NUMBER.fullmatch(plain):
            thousands = "a point or comma for thousands is not clear: write 1234,5"
            is_clear = not _THOUSANDS.fullmatch(plain)
            self.fault(column, text, "cannot be read as a number, such as 12,5" if is_clear else thousands)
            return None
        try:
            return Decimal(plain.replace(",", "."))
        except InvalidOperation:
            self.fault(column, text, "cannot be read as a number, such as 12,5")
            return None

    def positive(self, column: str) -> Decimal | None:
        """A number above 0."""
        number = self.number(column)
        if number is not None and number <= 0:
            self.fault(column, self.text(column), "must be above 0")
            return None
        return number

    def whole(self, column: str) -> int | None:
        """A whole number."""
        number = self.number(column)
        if number is not None and number != number.to_integral_value():
            self.fault(column, self.text(column), "must be a whole number")
            return None
        return None if number is None else int(number)

    def flag(self, column: str) -> bool | None:
        """Yes or no: `oui`, `non`, `yes`, `no`, `true`, `false`, `vrai`, `faux`, `1`, `0`, `x`."""
        text = self.text(column)
        if not text:
            return None
        if normalised(text) in _YES:
            return True
        if normalised(text) not in _NO:
            self.fault(column, text, "must be yes or no (oui, non)")
            return None
        return False

    def fluid(self, column: str) -> Fluid | None:
        return self._choice(column, Fluid, _FLUIDS)

    def kind(self, column: str) -> OccupancyKind | None:
        return self._choice(column, OccupancyKind, _KINDS)

    def key(self, column: str) -> bytes | None:
        """A key in hexadecimal digits, blanks between as you like."""
        text = self.text(column)
        if not text:
            return None
        try:
            return bytes.fromhex(_BLANKS.sub("", text))
        except ValueError:
            self.fault(column, "", "cannot be read as hexadecimal digits (the value is not shown)")
            return None

    def words(self, column: str) -> list[str]:
        """The words of a cell."""
        return self.text(column).replace(",", " ").split()

    def _choice(self, column: str, kind: type[_Choice], others: Mapping[str, _Choice]) -> _Choice | None:
        text = self.text(column)
        if not text:
            return None
        names = _names(kind) | dict(others)
        chosen = names.get(normalised(text))
        if chosen is None:
            near = did_you_mean(normalised(text), names)
            choices = ", ".join(one.value for one in kind)
            self.fault(column, text, f"must be one of {choices}{near}")
        return chosen


@cache
def _names(kind: type[_Choice]) -> dict[str, _Choice]:
    return {normalised(one.value): one for one in kind}


def _why_no_day(text: str) -> str:
    if _SHORT_YEAR.fullmatch(text):
        return "the year must have four digits"
    if _SPREADSHEET_DAY.fullmatch(text):
        return "is a spreadsheet's number of a day: give the cell the format of a date"
    return "cannot be read as a day, such as 2026-01-31 or 31/01/2026"
