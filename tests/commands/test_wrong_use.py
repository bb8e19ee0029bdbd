"""What the `submeter` command says when it is used wrongly: one line with the place and the reason."""

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from submeter.main import main

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
        ("meters", "list", "--limit", "0"),
        ("meters", "list", "--order", "SERIAL"),
        ("accounts", "list", "--role", "LANDLORD"),
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


@pytest.mark.parametrize(
    ("column", "text", "words"),
    [
        ("fluid", "STEAM", ("fluid", "'STEAM'")),
        ("installed_on", "2024-02-30", ("installed_on", "'2024-02-30'")),
        ("register_step", "0", ("register_step",)),
        ("register_step", "ten", ("register_step", "'ten'")),
        ("register_capacity", "1e8", ("register_capacity", "'1e8'")),
        ("nominal_flow_m3_per_h", "2,5", ("nominal_flow_m3_per_h", "'2,5'")),
        ("key", "my-secret-key", ("key", "hexadecimal")),
        ("radio_address", "SAP-1", ("radio_address", "SAP-1")),
        ("residence", "ZZ9", ("ZZ9",)),
    ],
)
def test_a_cell_that_cannot_be_read_is_quoted_with_its_column(
    tables, run: Run, tmp_path: Path, column, text, words
) -> None:
    """Only the text of a key is not repeated; nothing of the list is registered, the lines before neither."""
    assert run("residences", "add", "o", "O", "A1", "N", "S", "92400", "C").returncode == 0
    good = {
        "operator": "o",
        "residence": "A1",
        "number": "12",
        "fluid": "COLD_WATER",
        "vendor": "ocea",
        "printed_serial": "X",
        "radio_address": "SAP-21131C34-0C-04",
        "installed_on": "2024-01-01",
        "register_step": "1",
        "register_capacity": "",
        "nominal_flow_m3_per_h": "",
        "key": "",
    }
    table = tmp_path / "meters.csv"
    rows = [good, good | {"radio_address": "SAP-21131C35-0C-04", column: text}]
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(good))
        writer.writeheader()
        writer.writerows(rows)
    answer = run("meters", "import", str(table))
    refused(answer, "line 3", *words)
    assert "my-secret" not in answer.stdout + answer.stderr
    table.write_text(table.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert "0 meters registered" in run("meters", "import", str(table)).stdout
    assert "no meter" in run("meters", "restart-counter", good["radio_address"]).stderr


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


def test_a_closed_standard_input_is_an_empty_one(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """As a shell's `<&-` leaves it: there is nothing to answer, and no stack trace."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SystemExit) as ended:
        main(["decode", "--jsonl"])
    sys.stdin.close()
    assert not ended.value.code
    assert capsys.readouterr() == ("", "")
