"""What the `submeter` command says when it is used wrongly: one line with the place and the reason."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
HEADING = "operator,residence,number,fluid,vendor,printed_serial,radio_address,installed_on,removed_on\n"
METER = "o,A1,{number},COLD_WATER,ocea,X,SAP-21131C34-0C-04,{installed},{removed}\n"


def refused(answer: subprocess.CompletedProcess[str], *words: str) -> None:
    assert answer.returncode in {1, 2}, answer.stdout
    assert "Traceback" not in answer.stderr
    for word in words:
        assert word in answer.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("audit", "list", "--limit", "-1"),
        ("audit", "list", "--account", "9" * 20),
        ("dead-letters", "list", "--limit", "0"),
        ("outbox", "list", "--limit", "9" * 20),
        ("dwelling-requests", "approve", "9" * 20),
        ("serve", "--port", "99999"),
        ("managers", "invite", "g@example.org", "o", "A", "B", "--language", "de"),
    ],
    ids=" ".join,
)
def test_an_invalid_argument_is_refused_before_anything_is_done(run: Run, arguments) -> None:
    """The argument is named, and no database is opened."""
    refused(run(*arguments), "Invalid value")


def test_a_list_of_meters_names_line_and_column(tables, run: Run, tmp_path: Path) -> None:
    """Days the wrong way round, a cell too long or too many, a day outside the calendar."""
    assert run("residences", "add", "o", "O", "A1", "N", "S", "92400", "C").returncode == 0
    table = tmp_path / "meters.csv"
    good = {"number": "12", "installed": "2024-01-01", "removed": ""}
    for change, words in (
        ({"removed": "2023-01-01"}, ("line 2", "removed_on")),
        ({"number": "9" * 300}, ("line 2", "number")),
        ({"installed": "0001-01-01"}, ("line 2", "installed_on")),
        ({"removed": ",surplus"}, ("line 2", "more cells")),
        ({"number": "9" * 200_000}, ("CSV",)),
    ):
        table.write_text(HEADING + METER.format(**good | change), encoding="utf-8")
        refused(run("meters", "import", str(table)), *words)
    refused(run("residences", "add", "", "", "", "", "", "", ""), "operator")
    refused(run("managers", "invite", "nobody", "o", "A", "B"), "email")


def test_a_file_that_is_no_database_is_reported(run: Run, tmp_path: Path) -> None:
    """At once, by the commands that open it and by the one that would migrate it."""
    damaged = tmp_path / "damaged.db"
    damaged.write_text("no database at all", encoding="utf-8")
    settings = {"SUBMETER_DATABASE_URL": f"sqlite:///{damaged}"}
    refused(run("migrate", **settings), "DATABASE_UNREACHABLE")
    refused(run("dead-letters", "list", **settings), "DATABASE_UNREACHABLE")


def test_all_files_are_found_before_the_first_is_ingested(tables, run: Run, tmp_path: Path) -> None:
    """A wrong name at the end of the list does not leave half of it done."""
    log = tmp_path / "gateway.log"
    log.write_text("no telegram\n", encoding="utf-8")
    refused(run("ingest", str(log), "nowhere.log"), "nowhere.log")
    assert "0 dead letters" in run("dead-letters", "list").stdout
