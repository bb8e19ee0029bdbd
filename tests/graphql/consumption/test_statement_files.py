"""«Obtenir un relevé» as a file over HTTP: the same indexes as CSV, XLSX, PDF and JSON, and the reason."""

import base64
import io
import json
from datetime import date, timedelta
from typing import Any

import openpyxl
import pypdf
import pytest

from core.access import SYSTEM, Act
from core.models import Meter, Residence
from core.services.consumption.statements import FILES_BY_ACCOUNT
from core.services.shared.audit import acts_on
from tests.graphql.conftest import HEAT, WATER
from tests.support.factories import NOW

ISSUE = """mutation ($input: IssueIndexStatementInput!) { issueIndexStatement(input: $input) {
  __typename
  ... on IndexStatementFile { name mediaType content size statement { day csv(language: FR) } }
  ... on Refusal { code retryAfter message }
} }"""


async def _issued(portal: Any, **asked: Any) -> dict[str, Any]:
    (dwelling,) = (await portal.ask("{ viewer { dwellings { id } } }"))["viewer"]["dwellings"]
    chosen = {"dwelling": dwelling["id"], "reason": "INVENTORY", "language": "FR"} | asked
    return dict((await portal.ask(ISSUE, input=chosen))["issueIndexStatement"])


async def _file(portal: Any, file_format: str, **asked: Any) -> bytes:
    issued = await _issued(portal, format=file_format, **asked)
    content = base64.b64decode(issued["content"])
    assert issued["size"] == len(content)
    assert issued["name"].endswith(f".{file_format.lower()}")
    return content


@pytest.fixture
async def read_home(home: Any) -> Any:
    await home.read(WATER, [(NOW - timedelta(hours=3), 12_345)])
    return home


@pytest.mark.requirement("R-077", "C-22")
async def test_the_spreadsheet_holds_figures_and_days(claire: Any, read_home: Any) -> None:
    """XLSX: indexes are numbers, days are dates, and a heading describes the file."""
    book = openpyxl.load_workbook(io.BytesIO(await _file(claire, "XLSX")))
    rows = [row for row in book.active.iter_rows(values_only=True) if any(row)]
    facts = {row[0]: row[1] for row in rows[:6]}
    assert facts["Index au"] == "22/11/2026"
    assert facts["Motif"] == "Réalisation d'un état des lieux"
    assert rows[6] == ("Logement", "Fluide", "N° de série", "Emplacement", "Index", "Unité", "Date")
    home, fluid, serial, _, index, unit, read_on = rows[7]
    assert (home, fluid, serial, index, unit) == ("AA000 A 1 2 12", "Eau froide", WATER, 12.345, "m3")
    assert read_on.date() == date(2026, 11, 22)
    assert rows[8][1:6] == ("Chauffage", HEAT, None, None, "kWh")


@pytest.mark.requirement("R-041")
async def test_the_code_of_the_residence_stands_on_a_reading_statement(claire: Any, read_home: Any) -> None:
    """In both languages, as the form says: a resident who looks for the code finds it there."""
    for language in ("FR", "EN"):
        document = pypdf.PdfReader(io.BytesIO(await _file(claire, "PDF", language=language)))
        assert "AA000" in document.pages[0].extract_text()


@pytest.mark.requirement("R-077", "C-22")
async def test_the_page_can_be_read_and_searched(claire: Any, read_home: Any) -> None:
    """PDF: one page whose text has the home, the day, the reason, each device, and its language."""
    await Meter.filter(printed_serial=WATER).update(location="<b>Gaine</b> & cœur d'îlot")
    document = pypdf.PdfReader(io.BytesIO(await _file(claire, "PDF")))
    assert len(document.pages) == 1
    assert document.metadata.title == "Relevé d'index"
    assert document.trailer["/Root"]["/Lang"] == "fr"
    text = " ".join(document.pages[0].extract_text().split())
    for part in ("Relevé d'index", "AA000 A 1 2 12", "22/11/2026", "Réalisation d'un état des lieux"):
        assert part in text
    assert f"Eau froide {WATER} <b>Gaine</b> & cœur d'îlot 12,345 m3 22/11/2026" in text
    assert f"Chauffage {HEAT}" in text
    assert "non relevé kWh" in text


@pytest.mark.requirement("R-077", "C-22")
async def test_the_file_for_programs(claire: Any, read_home: Any) -> None:
    """JSON: exact texts for indexes, null where there is none, codes rather than words."""
    reported = json.loads(await _file(claire, "JSON", reason="SALE"))
    assert (reported["residence"], reported["day"], reported["reason"]) == ("AA000", "2026-11-22", "SALE")
    water, heat = reported["lines"]
    assert water == {
        "dwelling": "AA000 A 1 2 12",
        "fluid": "COLD_WATER",
        "serial": WATER,
        "location": water["location"],
        "index": "12.345",
        "unit": "CUBIC_METRE",
        "date": "2026-11-22",
    }
    assert (heat["index"], heat["date"]) == (None, None)


@pytest.mark.requirement("R-077", "C-22")
async def test_the_text_file_is_the_one_of_the_query(claire: Any, read_home: Any) -> None:
    """CSV: byte for byte the text of `indexStatement.csv`."""
    issued = await _issued(claire, format="CSV")
    assert base64.b64decode(issued["content"]).decode() == issued["statement"]["csv"]
    assert issued["mediaType"] == "text/csv; charset=utf-8"


async def test_no_cell_of_a_spreadsheet_is_a_formula(claire: Any, read_home: Any) -> None:
    """A location that looks like a formula is a text in XLSX."""
    await Meter.filter(printed_serial=WATER).update(location="=1+1")
    book = openpyxl.load_workbook(io.BytesIO(await _file(claire, "XLSX")))
    (cell,) = [cell for row in book.active.iter_rows() for cell in row if cell.value == "=1+1"]
    assert cell.data_type == "s"


async def test_a_file_name_is_safe(claire: Any, read_home: Any) -> None:
    """Whatever the residence is named, the file name has letters, digits and hyphens alone."""
    await Residence.all().update(code='..\\/é"A1')
    assert (await _issued(claire, format="PDF"))["name"] == "releve-index-A1-12-2026-11-22.pdf"


@pytest.mark.requirement("C-22")
async def test_what_it_was_for_is_recorded(claire: Any, read_home: Any) -> None:
    """Each file leaves a record with day, reason and format, and no serial or index."""
    await _file(claire, "PDF", reason="BILL_CHECK", day="2026-11-10")
    (entry,) = await acts_on(SYSTEM, act=Act.STATEMENT_ISSUED)
    assert entry.details == {"day": "2026-11-10", "reason": "BILL_CHECK", "format": "PDF"}
    assert entry.subject.kind == "dwelling"


async def test_a_day_before_the_occupancy_has_no_file(claire: Any, read_home: Any) -> None:
    """No file of a predecessor's day is issued, and none is recorded."""
    (dwelling,) = (await claire.ask("{ viewer { dwellings { id } } }"))["viewer"]["dwellings"]
    asked = {"dwelling": dwelling["id"], "reason": "OTHER", "format": "CSV", "day": "2020-01-01"}
    assert (await claire.refused(ISSUE, input=asked))["code"] == "FORBIDDEN_PERIOD"
    assert await acts_on(SYSTEM, act=Act.STATEMENT_ISSUED) == []


async def test_files_are_limited_by_the_hour(claire: Any, read_home: Any) -> None:
    """One more than the limit is refused with the time to wait; an hour later one is issued again."""
    for _ in range(FILES_BY_ACCOUNT.amount):
        assert (await _issued(claire, format="JSON"))["__typename"] == "IndexStatementFile"
    refused = await _issued(claire, format="JSON")
    assert (refused["__typename"], refused["code"]) == ("RateLimited", "RATE_LIMITED")
    claire.clock.now += timedelta(seconds=refused["retryAfter"])
    assert (await _issued(claire, format="JSON"))["__typename"] == "IndexStatementFile"
