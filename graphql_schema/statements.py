"""Statements of indexes: «Obtenir un relevé», as data and as a file for a spreadsheet (R-077, C-22)."""

import csv
import io
from datetime import date, datetime
from zoneinfo import ZoneInfo

import strawberry

from core.language import Language as Tongue
from core.language import Text
from core.leaks.words import fluid_label
from core.services.statements import Statement, StatementLine
from graphql_schema.amounts import Amount
from graphql_schema.context import Info
from graphql_schema.enums import DisplayUnit, Fluid, Language
from graphql_schema.fields import resolved

_COLUMNS = (
    Text("Logement", "Dwelling"),
    Text("Fluide", "Fluid"),
    Text("N° de série", "Serial number"),
    Text("Emplacement", "Location"),
    Text("Index", "Index"),
    Text("Unité", "Unit"),
    Text("Date", "Date"),
)
_UNITS = {
    DisplayUnit.CUBIC_METRE: Text("m3", "m3"),
    DisplayUnit.KILOWATT_HOUR: Text("kWh", "kWh"),
    DisplayUnit.ALLOCATOR_UNIT: Text("unités", "units"),
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula at the head of a cell."""


@strawberry.type(description="A device on the day; `index` is null where it was not read yet.")
class IndexLine:
    fluid: Fluid
    serial: str
    location: str
    index: Amount | None
    read_at: datetime | None

    @classmethod
    def of(cls, line: StatementLine) -> "IndexLine":
        meter, reading = line.meter, line.reading
        return cls(
            fluid=meter.fluid,
            serial=meter.printed_serial,
            location=meter.location,
            index=Amount.of(meter.fluid, reading.index) if reading else None,
            read_at=reading.read_at if reading else None,
        )


@strawberry.type(description="The indexes of a dwelling's devices at the end of a day.")
class IndexStatement:
    statement: strawberry.Private[Statement]
    day: date
    lines: list[IndexLine]

    @classmethod
    def of(cls, statement: Statement) -> "IndexStatement":
        lines = [IndexLine.of(line) for line in statement.lines]
        return cls(statement=statement, day=statement.day, lines=lines)

    @resolved("The same as a CSV file (UTF-8 with byte order mark, semicolons), as spreadsheets open it.")
    async def csv(self, info: Info, language: Language | None = None) -> str:
        return _file(self, await info.context.language(language))


def _file(shown: IndexStatement, language: Tongue) -> str:
    view = shown.statement.dwelling
    zone = ZoneInfo(view.residence.time_zone)
    home = " ".join(
        part for part in (view.residence.code, view.building, view.staircase, view.floor, view.number) if part
    )
    written = io.StringIO()
    writer = csv.writer(written, delimiter=";", lineterminator="\r\n")
    writer.writerow([column.in_language(language) for column in _COLUMNS])
    for line in shown.lines:
        value, unit, read_on = "", _UNITS[DisplayUnit.of(line.fluid)].in_language(language), ""
        if line.index is not None and line.read_at is not None:
            value = f"{line.index.value:f}"
            value = value.replace(".", ",") if language is Tongue.FR else value
            read_on = line.read_at.astimezone(zone).date().isoformat()
        cells = (home, fluid_label(line.fluid, language), line.serial, line.location, value, unit, read_on)
        writer.writerow([_cell(cell) for cell in cells])
    return "\ufeff" + written.getvalue()


def _cell(text: str) -> str:
    """A text that no spreadsheet runs."""
    return f"'{text}" if text.startswith(_FORMULA) else text
