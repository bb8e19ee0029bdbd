"""`submeter recompute` at a shell: what it takes, what it says, and how it goes on after an interruption."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest

from core.services.operation import recomputation
from tests.services.conftest import Izar

METERS = (Izar(), Izar("H18CA029621"))
START = datetime(2026, 3, 2, 6, tzinfo=UTC)
HEADING = "operator,residence,number,fluid,vendor,printed_serial,radio_address,installed_on\n"


@pytest.fixture
def volumes(tables, run, tmp_path: Path):
    """Two meters with five days of readings; reads or writes the volumes of the database."""
    assert run("residences", "add", "acme", "Acme", "AA001", "R", "1 rue", "92400", "C").returncode == 0
    table = tmp_path / "meters.csv"
    rows = [f"acme,AA001,1,COLD_WATER,ocea,{one.serial},{one.address},2024-01-01\n" for one in METERS]
    table.write_text(HEADING + "".join(rows), encoding="utf-8")
    assert run("meters", "import", str(table)).returncode == 0
    with NamedTemporaryFile("w", suffix=".log") as file:
        for one in METERS:
            for hour in range(0, 120, 6):
                file.write(one.line(1000 + hour, START + timedelta(hours=hour)) + "\n")
        file.flush()
        assert run("ingest", file.name).returncode == 0

    def query(statement: str) -> list[tuple[object, ...]]:
        with sqlite3.connect(tmp_path / "data" / "submeter.db") as database:
            return database.execute(statement).fetchall()

    return query


READ = "SELECT * FROM daily_volume ORDER BY meter_id, day"


def test_damaged_volumes_are_restored_and_counted(volumes, run) -> None:
    """As a sentence and as JSON; where all is right there is nothing to count, and no empty line."""
    before = volumes(READ)
    volumes("UPDATE daily_volume SET amount = amount + 1 WHERE day >= 20260304")
    answer = run("recompute", "--from", "2026-03-01", "--json")
    assert (answer.returncode, answer.stderr) == (0, "")
    wrong = sum(row[1] >= 20260304 for row in before)
    assert json.loads(answer.stdout) == {"meters": 2, "days": wrong, "alerts": 0, "messages": 0}
    assert volumes(READ) == before
    answer = run("recompute", "--from", "2026-03-01")
    assert "2 meters recomputed: 0 days had another volume, 0 alerts changed" in answer.stdout


def test_meters_are_chosen_by_address_and_by_residence(volumes, run) -> None:
    """Several addresses follow one option; a residence is an operator and a code."""
    for options, meters in (
        (("--meters", METERS[0].address), 1),
        (("--meters", METERS[0].address, METERS[1].address), 2),
        (("--residence", "acme", "AA001"), 2),
    ):
        answer = run("recompute", "--from", "2026-03-01", "--json", *options)
        assert (answer.returncode, json.loads(answer.stdout)["meters"]) == (0, meters), answer.stderr
    for options, code, word in (
        (("--meters", "SAP-00000001-0C-04"), "NOT_FOUND", "meters"),
        (("--meters", "SAP"), "INVALID_INPUT", "meters"),
        (("--residence", "acme", "none"), "NOT_FOUND", "residence"),
    ):
        answer = run("recompute", "--from", "2026-03-01", *options)
        assert (answer.returncode, answer.stderr.startswith(code), word in answer.stderr) == (1, True, True)


@pytest.mark.parametrize("arguments", [(), ("--from", "yesterday"), ("--from", "2026-02-30")])
def test_a_day_is_required(run, arguments) -> None:
    """Before anything is opened."""
    answer = run("recompute", *arguments)
    assert answer.returncode in {1, 2}
    assert "from" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_an_interrupted_run_goes_on_and_says_so(volumes, run, monkeypatch) -> None:
    """The summary is that of both runs; afterwards the same command is a new run."""
    before = volumes(READ)
    volumes("UPDATE daily_volume SET amount = amount + 1")
    monkeypatch.setattr(recomputation, "_MOST_METERS", 1)
    work, calls = recomputation.recompute_meters, []

    async def interrupted(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 2:
            raise ConnectionRefusedError
        return await work(*arguments, **options)

    monkeypatch.setattr(recomputation, "recompute_meters", interrupted)
    answer = run("recompute", "--from", "2026-03-01")
    assert (answer.returncode, "DATABASE_UNREACHABLE" in answer.stderr) == (1, True), answer.stderr
    assert 0 < len(set(volumes(READ)) & set(before)) < len(before)
    answer = run("recompute", "--from", "2026-03-01", "--json")
    assert "Goes on after 1 meter of a run that began on" in answer.stderr
    assert json.loads(answer.stdout) == {"meters": 2, "days": len(before), "alerts": 0, "messages": 0}
    assert volumes(READ) == before
    assert run("recompute", "--from", "2026-03-01").stderr == ""
