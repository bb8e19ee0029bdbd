"""Writes an index statement as a file: CSV, XLSX, PDF or JSON (C-22).

In: a statement's content, its purpose, the language. Out: the bytes of a file. The one rule: all four formats
have the same content, and no spreadsheet runs any of their cells as a formula.
"""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias
from zoneinfo import ZoneInfo

import orjson

from core.consumption.amounts import DisplayUnit, in_shown_unit
from core.consumption.fluids import Fluid
from core.consumption.periods import civil_day
from core.documents.marks import VerificationMark
from core.language import Language, Text
from core.texts.alerts import fluid_label


class StatementReason(StrEnum):
    """What a statement is for (C-22); the first is the reason that OCEA's own interface knows."""

    INVENTORY = "INVENTORY"
    MOVE = "MOVE"
    SALE = "SALE"
    BILL_CHECK = "BILL_CHECK"
    OWN_RECORDS = "OWN_RECORDS"
    OTHER = "OTHER"


class StatementFormat(StrEnum):
    """The file formats of a statement (C-22)."""

    CSV = "CSV"
    XLSX = "XLSX"
    PDF = "PDF"
    JSON = "JSON"


TITLE = Text("Relevé d'index", "Index statement")

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
_REASONS = {
    StatementReason.INVENTORY: Text("Réalisation d'un état des lieux", "Inventory of fixtures"),
    StatementReason.MOVE: Text("Emménagement ou déménagement", "Moving in or out"),
    StatementReason.SALE: Text("Vente du logement", "Sale of the dwelling"),
    StatementReason.BILL_CHECK: Text("Vérification d'une facture", "Checking a bill"),
    StatementReason.OWN_RECORDS: Text("Suivi personnel", "Own records"),
    StatementReason.OTHER: Text("Autre", "Other"),
}
_FACTS = (
    Text("Résidence", "Residence"),
    Text("Adresse", "Address"),
    Text("Logement", "Dwelling"),
    Text("Index au", "Indexes on"),
    Text("Motif", "Reason"),
    Text("Établi le", "Issued on"),
)
_MARK = (
    Text("Code de vérification", "Verification code"),
    Text("À vérifier sur", "To be verified at"),
)
_NOT_READ = Text("non relevé", "not read")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula at the start of a cell."""
_DAY_FORMAT = "yyyy-mm-dd"
_INDEX_FORMATS = {unit.decimals: f"{0:.{unit.decimals}f}" for unit in DisplayUnit}
"""A spreadsheet's number formats, by the number of decimals."""


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """A device: its index in the smallest unit of its fluid; None, with `read_at`, where it was not read."""

    fluid: Fluid
    serial: str
    location: str
    index: int | None
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class StatementContent:
    """The content of a dwelling's statement at the end of a day; times are shown in `time_zone`.

    `mark`: what lets the file be verified. CSV, which is a table and nothing else, does not show it.
    """

    operator_name: str
    residence_code: str
    residence_name: str
    address: str
    time_zone: str
    dwelling_place: tuple[str, ...]
    dwelling_number: str
    day: date
    entries: tuple[StatementEntry, ...]
    mark: VerificationMark | None = None


@dataclass(frozen=True, slots=True)
class StatementFile:
    """A file to download; `name` is safe on every file system."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A device's line; `index` and `read_on` are None where it was not read."""

    dwelling: str
    fluid: str
    serial: str
    location: str
    index: Decimal | None
    unit: str
    read_on: date | None


def statement_file(
    statement: StatementContent,
    file_format: StatementFormat,
    reason: StatementReason,
    *,
    language: Language,
    now: datetime,
) -> StatementFile:
    """A statement as a file: `releve-index-AA000-12-2026-11-22.pdf`."""
    media_type, write = _WRITERS[file_format]
    return StatementFile(
        name=_file_name(statement, file_format, language),
        media_type=media_type,
        content=write(statement, reason, language, now),
    )


def csv_text(statement: StatementContent, language: Language) -> str:
    """UTF-8 with byte order mark and semicolons, as spreadsheets open it."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=";", lineterminator="\r\n")
    writer.writerow([column.in_language(language) for column in _COLUMNS])
    for row in _rows(statement, language):
        read_on = row.read_on.isoformat() if row.read_on else ""
        index = figure_text(row.index, language)
        cells = (row.dwelling, row.fluid, row.serial, row.location, index, row.unit, read_on)
        writer.writerow([harmless(cell) for cell in cells])
    return "\ufeff" + written.getvalue()


def _csv(statement: StatementContent, _reason: StatementReason, language: Language, _now: datetime) -> bytes:
    return csv_text(statement, language).encode()


def _xlsx(statement: StatementContent, reason: StatementReason, language: Language, now: datetime) -> bytes:
    """Figures and days are typed cells; texts are written as texts, whatever they begin with."""
    import xlsxwriter  # noqa: PLC0415 - half a second of start-up that few requests need

    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"in_memory": True})
    title = TITLE.in_language(language)
    book.set_properties({"title": title, "created": now.astimezone(UTC).replace(tzinfo=None)})
    sheet = book.add_worksheet(title)
    bold = book.add_format({"bold": True})
    day_format = book.add_format({"num_format": _DAY_FORMAT})
    index_formats = {places: book.add_format({"num_format": code}) for places, code in _INDEX_FORMATS.items()}
    facts = _facts(statement, reason, language, now)
    for line, (label, value) in enumerate(facts):
        sheet.write_string(line, 0, label, bold)
        sheet.write_string(line, 1, value)
    head = len(facts) + 1
    for place, column in enumerate(_COLUMNS):
        sheet.write_string(head, place, column.in_language(language), bold)
    rows = _rows(statement, language)
    for line, row in enumerate(rows, start=head + 1):
        for place, text in enumerate((row.dwelling, row.fluid, row.serial, row.location)):
            if text:  # an empty cell is empty, not an empty text
                sheet.write_string(line, place, text)
        if row.index is not None and row.read_on is not None:
            sheet.write_number(line, 4, float(row.index), index_formats[_decimals(row.index)])
            sheet.write_datetime(line, 6, row.read_on, day_format)
        sheet.write_string(line, 5, row.unit)
    for line, (label, value) in enumerate(_mark_facts(statement, language), start=head + len(rows) + 2):
        sheet.write_string(line, 0, label, bold)
        sheet.write_string(line, 1, value)
    sheet.autofit()
    book.close()
    return written.getvalue()


def _pdf(statement: StatementContent, reason: StatementReason, language: Language, now: datetime) -> bytes:
    from core.documents.marks import mark_block  # noqa: PLC0415 - as xlsxwriter
    from core.documents.pdf import Sheet, pdf  # noqa: PLC0415

    rows = [
        (
            row.fluid,
            row.serial,
            row.location,
            figure_text(row.index, language) or _NOT_READ.in_language(language),
            row.unit,
            _shown(row.read_on, language) if row.read_on else "",
        )
        for row in _rows(statement, language)
    ]
    return pdf(
        Sheet(
            title=TITLE.in_language(language),
            author=statement.operator_name,
            language=language,
            facts=_facts(statement, reason, language, now),
            columns=tuple(column.in_language(language) for column in _COLUMNS[1:]),
            rows=tuple(rows),
            after=() if statement.mark is None else (mark_block(statement.mark, language),),
        )
    )


def _json(statement: StatementContent, reason: StatementReason, language: Language, now: datetime) -> bytes:
    """Names for programs; an index is an exact text, as in the API."""
    mark = statement.mark
    return orjson.dumps(
        {
            "residence": statement.residence_code,
            "day": statement.day,
            "reason": reason.value,
            "issuedAt": now,
            **({} if mark is None else {"verification": {"code": mark.text, "address": mark.address}}),
            "lines": [
                {
                    "dwelling": row.dwelling,
                    "fluid": entry.fluid.value,
                    "serial": row.serial,
                    "location": row.location,
                    "index": f"{row.index:f}" if row.index is not None else None,
                    "unit": DisplayUnit.of(entry.fluid).value,
                    "date": row.read_on,
                }
                for entry, row in zip(statement.entries, _rows(statement, language), strict=True)
            ],
        },
        option=orjson.OPT_INDENT_2,
    )


_Writer: TypeAlias = Callable[[StatementContent, StatementReason, Language, datetime], bytes]
_WRITERS: Mapping[StatementFormat, tuple[str, _Writer]] = {
    StatementFormat.CSV: ("text/csv; charset=utf-8", _csv),
    StatementFormat.XLSX: ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx),
    StatementFormat.PDF: ("application/pdf", _pdf),
    StatementFormat.JSON: ("application/json", _json),
}


def _rows(statement: StatementContent, language: Language) -> list[StatementRow]:
    return [_row(statement, entry, language) for entry in statement.entries]


def _row(statement: StatementContent, entry: StatementEntry, language: Language) -> StatementRow:
    zone = ZoneInfo(statement.time_zone)
    return StatementRow(
        dwelling=_home(statement),
        fluid=fluid_label(entry.fluid, language),
        serial=entry.serial,
        location=entry.location,
        index=None if entry.index is None else in_shown_unit(entry.fluid, entry.index),
        unit=unit_text(entry.fluid, language),
        read_on=entry.read_at.astimezone(zone).date() if entry.read_at else None,
    )


def _facts(
    statement: StatementContent, reason: StatementReason, language: Language, now: datetime
) -> tuple[tuple[str, str], ...]:
    """The lines above the table, a label and a value each."""
    code, name = statement.residence_code, statement.residence_name
    values = (
        f"{name} ({code})" if name else code,
        statement.address,
        _home(statement),
        _shown(statement.day, language),
        _REASONS[reason].in_language(language),
        _shown(civil_day(now, statement.time_zone), language),
    )
    return tuple((label.in_language(language), value) for label, value in zip(_FACTS, values, strict=True))


def _mark_facts(statement: StatementContent, language: Language) -> tuple[tuple[str, str], ...]:
    """The lines that let the file be verified."""
    if statement.mark is None:
        return ()
    labels = (label.in_language(language) for label in _MARK)
    return tuple(zip(labels, (statement.mark.text, statement.mark.address), strict=True))


def _home(statement: StatementContent) -> str:
    return " ".join(part for part in statement.dwelling_place if part)


def _file_name(statement: StatementContent, file_format: StatementFormat, language: Language) -> str:
    stem = Text("releve-index", "index-statement").in_language(language)
    parts = (stem, statement.residence_code, statement.dwelling_number, statement.day.isoformat())
    return f"{safe_name(*parts)}.{file_format.lower()}"


def safe_name(*parts: str) -> str:
    """The parts of a file's name, of letters, digits and hyphens alone."""
    safe = (
        "".join(sign for sign in part if sign.isascii() and (sign.isalnum() or sign == "-")) for part in parts
    )
    return "-".join(part for part in safe if part)


def _decimals(index: Decimal) -> int:
    return -int(index.as_tuple().exponent)


def unit_text(fluid: Fluid, language: Language) -> str:
    """`m3`, `kWh`, `unités`."""
    return _UNITS[DisplayUnit.of(fluid)].in_language(language)


def figure_text(index: Decimal | None, language: Language) -> str:
    """An index as it is written in a language; nothing for none."""
    if index is None:
        return ""
    return f"{index:f}".replace(".", ",") if language is Language.FR else f"{index:f}"


def _shown(day: date, language: Language) -> str:
    return f"{day:%d/%m/%Y}" if language is Language.FR else day.isoformat()


def harmless(text: str) -> str:
    """A text that no spreadsheet runs as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
