"""Files of lists as programs write them, and cells as people do."""

from datetime import date
from decimal import Decimal

import pytest
from openpyxl import Workbook

from core.consumption.fluids import Fluid
from core.errors import InvalidInput
from core.services.portfolio.portfolio_lists import Fault
from submeter.imports.lines import lists_of
from submeter.imports.tables import tables_of

HEADER = "operator;residence;number;surface_m2"


def read(path, content: bytes):
    path.write_bytes(content)
    return lists_of(tables_of(path))[0]


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\nacme;Rés;12;45,5\n".encode(),
        f"{HEADER}\nacme;Rés;12;45,5\n".encode("utf-8-sig"),
        f"{HEADER}\r\nacme;Rés;12;45,5\r\n".encode("cp1252"),
        f"{HEADER}\r\nacme;Rés;12;45,5\r\n".encode("utf-16"),
        f"{HEADER}\n\nacme;Rés;12;45,5\n;;;\n".encode(),
        "operator\tresidence\tnumber\tsurface_m2\nacme\tRés\t12\t45,5\n".encode(),
        'operator,residence,number,surface_m2\nacme,"Rés",12,"45,5"\n'.encode(),
        " Opérateur ;Code résidence;N°;Surface (m²)\nacme; Rés ;12;45,5\n".encode(),
        "EXPLOITANT;CODE SITE;NUMERO;SUPERFICIE\nacme;Rés;12;45.5\n".encode(),
    ],
)
def test_a_csv_file_is_read_however_it_was_saved(tmp_path, content) -> None:
    """Semicolon, comma or tab; UTF-8, with a mark, Windows-1252 or UTF-16; French headers; empty lines."""
    lists = read(tmp_path / "dwellings.csv", content)
    (line,) = lists.dwellings
    assert not lists.faults
    assert (line.home.residence, line.home.number, line.surface_m2) == ("Rés", "12", Decimal("45.5"))


@pytest.mark.parametrize(
    "text", ["2024-02-01", "01/02/2024", "1/2/2024", "01.02.2024", "01-02-2024", "2024-02-01 00:00:00"]
)
def test_days_are_read_as_french_people_write_them(tmp_path, text) -> None:
    """1 February 2024, day first."""
    lists = read(
        tmp_path / "m.csv",
        f"radio_address;fluid;printed_serial;installed_on;operator;residence;number;vendor\n;;;{text};;;;".encode(),
    )
    assert lists.meters[0].installed_on == date(2024, 2, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [("45", "45"), ("45,5", "45.5"), ("45.5", "45.5"), ("1 234,5", "1234.5"), ("1\u202f234,5", "1234.5")],
)
def test_numbers_have_a_point_or_a_comma(tmp_path, text, value) -> None:
    """Blanks may part the thousands."""
    assert read(tmp_path / "dwellings.csv", f"{HEADER}\na;b;c;{text}\n".encode()).dwellings[
        0
    ].surface_m2 == Decimal(value)


@pytest.mark.parametrize(
    ("text", "fluid"),
    [
        ("COLD_WATER", Fluid.COLD_WATER),
        ("Eau froide", Fluid.COLD_WATER),
        ("ECS", Fluid.HOT_WATER),
        ("chauffage", Fluid.HEAT),
        ("Répartiteur", Fluid.HEAT_ALLOCATOR),
    ],
)
def test_fluids_have_french_names(tmp_path, text, fluid) -> None:
    """As invoices and lists of French companies call them."""
    lists = read(tmp_path / "compteurs.csv", f"fluide\n{text}\n".encode())
    assert lists.meters[0].fluid is fluid


def test_a_column_that_is_not_known_is_at_fault(tmp_path) -> None:
    """`surfase_m2` is named with what may be meant, and never ignored; so is a column that is missing."""
    lists = read(tmp_path / "dwellings.csv", b"operator;residence;surfase_m2;lot;lot\na;b;1;2;3\n")
    found = [(fault.at.line, fault.column, fault.reason) for fault in lists.faults]
    assert found == [
        (1, "surfase_m2", "a list of dwellings has no such column; did you mean 'surface_m2'?"),
        (1, "lot", "the column is there twice"),
        (1, "number", "the column is missing in the header"),
    ]


def test_more_cells_than_the_header_are_at_fault(tmp_path) -> None:
    """A comma too many shifts nothing silently."""
    lists = read(tmp_path / "dwellings.csv", b"operator,residence,number,surface_m2\na,b,c,45,5\n")
    assert lists.faults == [Fault(lists.dwellings[0].at, "", "5", "more cells than the header has")]


def test_a_sheet_is_known_by_its_columns_and_others_are_named(tmp_path) -> None:
    """The first sheet has a title that says nothing; notes are left out, and named."""
    book = Workbook()
    book.active.append(["opérateur", "résidence", "numéro", "étage", "surface"])
    book.active.append(["acme", "R1", 12, 0, 45.5])
    book.create_sheet("Lisez-moi").append(["À remplir par le syndic"])
    book.create_sheet("Vide")
    book.save(tmp_path / "parc.xlsx")
    lists, others = lists_of(tables_of(tmp_path / "parc.xlsx"))
    (line,) = lists.dwellings
    assert (line.home.number, line.home.floor, line.surface_m2) == ("12", "0", Decimal("45.5"))
    assert [name.rpartition(" ")[2] for name in others] == ["Lisez-moi"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xlsx", b"operator;residence"),
        ("a.csv", b"PK\x03\x04\0\0\0"),
        ("a.csv", b""),
        ("a.csv", b'a;b\n"x;y'),
    ],
)
def test_what_is_no_table_is_refused_by_its_name(tmp_path, name, content) -> None:
    """A workbook named CSV, CSV named a workbook, nothing, and a quotation that does not end."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=name):
        tables_of(tmp_path / name)
