"""`submeter notes`: made once, listed with what became of them, printed for who has no e-mail."""

import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from pypdf import PdfReader

OF = ("ocea", "AA000")
MONTH = ("--month", "2020-01")


@pytest.fixture
def building(run: Any, tables: Any, data_dir: Path) -> None:
    """A published residence with three homes since 2019, nobody with an account; of one nothing was read."""
    run("residences", "add", "ocea", "OCEA", "AA000", "Les Tilleuls", "1 place", "92400", "Courbevoie")
    assert run("residences", "publish", *OF, "--without-data").returncode == 0
    with closing(sqlite3.connect(data_dir / "submeter.db")) as database, database:
        for number in (1, 2, 3):
            database.execute(
                "INSERT INTO dwelling (id, residence_id, building, staircase, floor, number)"
                f" VALUES ({number}, 1, 'A', '', '', '{number}')"
            )
            database.execute(
                "INSERT INTO occupancy (dwelling_id, kind, move_in) VALUES (?, 'TENANT', '2019-01-01')",
                [number],
            )
            database.execute(
                "INSERT INTO meter (id, dwelling_id, fluid, vendor, printed_serial, serial_key,"
                " radio_address, register_step, location, installed_at) VALUES"
                " (?, ?, 'HEAT', 'ista', ?, ?, ?, 1, '', '2019-01-01 00:00:00+00:00')",
                [number, number, str(number), str(number), f"IST-0000000{number}-1B-04"],
            )
        days = [(meter, 20200100 + day) for meter in (1, 2) for day in range(1, 32)]
        database.executemany("INSERT INTO daily_volume VALUES (?, ?, 20000, 'M')", days)


def test_notes_are_made_listed_and_printed(run: Any, building: Any, tmp_path: Path) -> None:
    """Each once; a page for each that is to be printed, and after that none is."""
    made = run("notes", "make", *MONTH)
    assert (made.returncode, made.stderr) == (0, "")
    assert "2 notes of 2020-01 made." in made.stdout
    assert "Of 1 occupied dwelling nothing was read" in made.stdout
    again = run("notes", "make", *MONTH, "--json")
    assert orjson.loads(again.stdout) == {"period": "2020-01", "made": 0, "unread": 1}
    listed = orjson.loads(run("notes", "list", *OF, *MONTH, "--json").stdout)
    assert [(one["dwelling"], one["delivery"]) for one in listed] == [
        ("A · 1", "TO_PRINT"),
        ("A · 2", "TO_PRINT"),
    ]
    file = tmp_path / "notes.pdf"
    printed = run("notes", "print", *OF, str(file), *MONTH)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert "is written: 2 notes." in printed.stdout
    pages = PdfReader(io.BytesIO(file.read_bytes())).pages
    assert ["620,00 kWh" in page.extract_text() for page in pages] == [True, True]
    assert "PRINTED" in run("notes", "list", *OF, *MONTH).stdout
    refused = run("notes", "print", *OF, str(tmp_path / "none.pdf"), *MONTH)
    assert refused.returncode == 1
    assert "No note of this month is to be printed" in refused.stderr
    assert not (tmp_path / "none.pdf").exists()
    assert run("notes", "print", *OF, str(file), *MONTH, "--again").returncode == 0


def test_missing_notes_are_an_exit_status(run: Any, building: Any) -> None:
    """So a scheduler notices: of all residences, or of one."""
    run("notes", "make", *MONTH)
    for of in ((), OF):
        missing = run("notes", "missing", *of, *MONTH)
        assert missing.returncode == 1
        assert "NOT_READ" in missing.stdout
    found = orjson.loads(run("notes", "missing", *MONTH, "--json").stdout)
    assert found == [{"residence": "AA000", "dwelling": "A · 3", "why": "NOT_READ"}]
    assert run("notes", "missing", "--month", "2018-12").returncode == 0


def test_annual_notes(run: Any, building: Any) -> None:
    """Of a year that is over."""
    made = run("notes", "make", "--year", "2020")
    assert "2 notes of 2020 made." in made.stdout
    assert run("notes", "make", "--year", "2999").returncode == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ("make", "--month", "2020-13"),
        ("make", "--month", "January"),
        ("make", "--month", "2999-01"),
        ("make", "--month", "2020-01", "--year", "2020"),
        ("missing", "ocea"),
        ("list", "ocea", "ZZ999"),
    ],
)
def test_what_cannot_be_done_is_one_line(run: Any, building: Any, wrong: tuple[str, ...]) -> None:
    """On standard error, with exit status 1."""
    refused = run("notes", *wrong)
    assert refused.returncode == 1
    assert len(refused.stderr.strip().splitlines()) == 1
