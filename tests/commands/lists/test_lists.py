"""`submeter residences|dwellings|meters|accounts|readings list`: JSON lines of any number, or a table."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from submeter.commands.lists import listing
from tests.services.conftest import Izar

METER, OTHER = Izar(), Izar("H18CA029621")
START = datetime(2026, 3, 2, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
HEADING = (
    "operator,residence,building,number,fluid,vendor,printed_serial,radio_address,installed_on,removed_on,"
    "key\n"
)
ROWS = (
    f"acme,AA001,A,12,COLD_WATER,ocea,{METER.serial},{METER.address},2024-01-01,,\n"
    f"acme,AA001,A,13,COLD_WATER,ocea,{OTHER.serial},{OTHER.address},2024-01-01,,{'0' * 31}1\n"
    "acme,BB001,,7,HEAT,kamstrup,76348799,KAM-76348799-1B-04,2024-01-01,2025-01-01,\n"
)
OTHERS = f"zeta,AA001,A,1,COLD_WATER,ocea,{METER.serial},SAP-0000000B-0C-04,2024-01-01,,\n"


@pytest.fixture
def acme(tables: None, run: Any, tmp_path: Path) -> Any:
    """Operator `acme` with two residences and three meters; `zeta` with one of the same serial as one."""
    for operator, code, name in (
        ("acme", "AA001", "Les Tilleuls"),
        ("acme", "BB001", "Été"),
        ("zeta", "AA001", "Zeta"),
    ):
        added = run("residences", "add", operator, operator, code, name, "1 rue", "92400", "Courbevoie")
        assert added.returncode == 0, added.stderr
    table = tmp_path / "meters.csv"
    table.write_text(HEADING + ROWS + OTHERS, encoding="utf-8")
    answer = run("meters", "import", str(table))
    assert answer.returncode == 0, answer.stderr
    return run


@pytest.fixture
def listed(run: Any) -> Any:
    """The rows of a list, from its JSON lines."""

    def rows(*arguments: str) -> list[dict[str, Any]]:
        answer = run(*arguments, "--json")
        assert (answer.returncode, answer.stderr) == (0, "")
        return [json.loads(line) for line in answer.stdout.splitlines()]

    return rows


def ingested(run: Any, tmp_path: Path, *lines: str) -> None:
    file = tmp_path / "lines.log"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    answer = run("ingest", str(file))
    assert answer.returncode == 0, answer.stderr


def refused(answer: CompletedProcess[str], code: str, word: str) -> None:
    """One line that says what is wrong, and exit status 1."""
    (line,) = answer.stderr.strip().splitlines()
    assert (answer.returncode, line.partition(":")[0], word in line) == (1, code, True), line


def test_residences_are_listed(acme: Any, listed: Any) -> None:
    """With their dwellings and the meters in place; by operator, city, publication and text."""
    (first, second, third) = listed("residences", "list")
    assert first.pop("id")
    assert first == {
        "operator": "acme",
        "code": "AA001",
        "name": "Les Tilleuls",
        "street": "1 rue",
        "postcode": "92400",
        "city": "Courbevoie",
        "time_zone": "Europe/Paris",
        "published_at": None,
        "dwellings": 2,
        "meters": 2,
    }
    assert (second["code"], second["dwellings"], second["meters"]) == ("BB001", 1, 0)
    assert third["operator"] == "zeta"
    assert [one["code"] for one in listed("residences", "list", "--operator", "acme")] == ["AA001", "BB001"]
    assert [one["name"] for one in listed("residences", "list", "--search", "tilleul")] == ["Les Tilleuls"]
    assert len(listed("residences", "list", "--city", "COURBEVOIE")) == 3
    assert listed("residences", "list", "--published") == []
    assert acme("residences", "publish", "acme", "BB001", "--without-data").returncode == 1, "no sign-up"
    assert len(listed("residences", "list", "--no-published")) == 3


def test_dwellings_are_listed(acme: Any, listed: Any) -> None:
    """By residence and place, with their meters in place."""
    found = [(one["operator"], one["residence"], one["number"]) for one in listed("dwellings", "list")]
    assert found == [
        ("acme", "AA001", "12"),
        ("acme", "AA001", "13"),
        ("acme", "BB001", "7"),
        ("zeta", "AA001", "1"),
    ]
    (one,) = listed("dwellings", "list", "--residence", "AA001", "--operator", "acme", "--search", "13")
    assert {name: one[name] for name in ("building", "floor", "lot", "surface_m2", "meters")} == {
        "building": "A",
        "floor": "",
        "lot": None,
        "surface_m2": None,
        "meters": 1,
    }


def test_meters_are_listed(acme: Any, listed: Any, tmp_path: Path) -> None:
    """Silent, unread, without a key, in service or not; in the order of the last reading too."""
    ingested(acme, tmp_path, METER.line(300_000, START), METER.line(300_010, START + HOUR))

    def serials(*options: str) -> list[str]:
        return [one["printed_serial"] for one in listed("meters", "list", "--operator", "acme", *options)]

    assert serials() == [METER.serial, OTHER.serial, "76348799"]
    assert serials("--residence", "BB001") == ["76348799"]
    assert serials("--unread") == [OTHER.serial]
    assert serials("--no-unread") == [METER.serial]
    assert serials("--without-key") == [METER.serial]
    assert serials("--no-without-key") == [OTHER.serial]
    assert serials("--no-in-service") == ["76348799"]
    assert serials("--silent-since", "2026-03-03") == [METER.serial, OTHER.serial]
    assert serials("--silent-since", "2026-03-02T23:00:00Z") == [OTHER.serial]
    assert serials("--order", "LAST_READ") == [OTHER.serial, "76348799", METER.serial]
    (one,) = listed("meters", "list", "--operator", "acme", "--search", METER.address[4:12].lower())
    assert (one["residence"], one["dwelling"], one["fluid"]) == ("AA001", "A · 12", "COLD_WATER")
    assert (one["last_read_at"], one["has_key"]) == ("2026-03-02T23:00:00+00:00", False)


def test_accounts_are_listed(acme: Any, listed: Any) -> None:
    """With their roles and what they reach."""
    who = ("gestion@example.org", "acme", "Odile", "Garnier")
    assert acme("managers", "invite", *who).returncode == 0
    assert acme("managers", "grant", "gestion@example.org", "acme", "AA001").returncode == 0
    assert acme("accounts", "invite-staff", "nadia@example.org", "acme", "Nadia", "Petit").returncode == 0
    manager, staff = listed("accounts", "list")
    assert (manager["email"], manager["role"], manager["residences"]) == (who[0], "MANAGER", ["AA001"])
    assert (manager["invited"], manager["dwellings"], manager["disabled_at"]) == (True, [], None)
    assert (staff["role"], staff["residences"]) == ("STAFF", [])
    assert listed("accounts", "list", "--role", "RESIDENT") == []
    assert listed("accounts", "list", "--residence", "AA001") == [manager]
    assert listed("accounts", "list", "--search", "nadia petit") == [staff]


def test_the_readings_of_a_meter_are_listed(acme: Any, listed: Any, tmp_path: Path) -> None:
    """By its serial or its address, in days of the residence or moments, both ends included."""
    ingested(acme, tmp_path, *(METER.line(300_000 + hour, START + hour * HOUR) for hour in range(4)))

    def indexes(*options: str, meter: str = METER.address) -> list[int]:
        return [one["index"] for one in listed("readings", "list", "--meter", meter, *options)]

    assert indexes("--from", "2026-03-02") == [300_000, 300_001, 300_002, 300_003]
    assert indexes("--to", "2026-03-02") == [300_000], "the day ends at 23:00 UTC"
    assert indexes("--from", "2026-03-03", "--to", "2026-03-03") == [300_001, 300_002, 300_003]
    span = ("--from", "2026-03-02T23:00:00Z", "--to", "2026-03-03T01:00:00+01:00")
    assert indexes(*span, meter=METER.address.lower()) == [300_001, 300_002]
    assert indexes("--from", "2026-03-02", "--limit", "2") == [300_000, 300_001]
    assert indexes("--from", "2026-03-02", meter=OTHER.serial.lower()) == []
    first = listed("readings", "list", "--meter", METER.address, "--from", "2026-03-02")[0]
    assert first.pop("received_at")
    assert first == {
        "meter": METER.address,
        "printed_serial": METER.serial,
        "fluid": "COLD_WATER",
        "read_at": START.isoformat(),
        "index": 300_000,
        "unit": "LITRE",
        "flags": [],
    }


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("--from", "2026-03-02"), "INVALID_INPUT", "meter"),
        (("--meter", "X9", "--from", "2026-03-02"), "NOT_FOUND", "X9"),
        (("--meter", " ", "--from", "2026-03-02"), "INVALID_INPUT", "meter"),
        (("--meter", METER.serial, "--to", "2026-03-02"), "CONFLICT", "SAP-0000000B-0C-04"),
        (("--meter", METER.address, "--from", "yesterday"), "INVALID_INPUT", "from"),
        (("--meter", METER.address, "--from", "2026-03-02T06:00:00"), "INVALID_INPUT", "offset"),
        (("--meter", METER.address, "--to", "9999-12-31"), "INVALID_INPUT", "to"),
        (("--meter", METER.address, "--from", "0001-01-01"), "INVALID_INPUT", "from"),
        (("--meter", METER.address, "--from", "2026-03-03", "--to", "2026-03-02"), "INVALID_INPUT", "--from"),
        (
            ("--meter", METER.address, "--from", "2026-03-03", "--status", "WAITING"),
            "INVALID_INPUT",
            "status",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_listed_is_one_line(acme: Any, arguments: Any, code: str, word: str) -> None:
    """No meter, several of one serial, a time that is none; with the argument at fault."""
    refused(acme("readings", "list", *arguments), code, word)


def test_a_day_that_is_none_is_one_line(acme: Any) -> None:
    """Of the meters' list too."""
    refused(acme("meters", "list", "--silent-since", "2026-02-30"), "INVALID_INPUT", "silent_since")


@pytest.mark.parametrize("noun", ["residences", "dwellings", "meters"])
def test_a_list_is_read_in_pages(acme: Any, listed: Any, noun: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the size of a page, each row once and in order; a limit cuts it."""
    whole = listed(noun, "list")
    assert len(whole) >= 3
    for size in (1, 2, 3, 4):
        monkeypatch.setattr(listing, "PAGE_ROWS", size)
        assert listed(noun, "list") == whole
        assert listed(noun, "list", "--limit", "3") == whole[:3]


def test_a_table_has_so_many_rows(acme: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By default fifty; if there are more, standard error says so."""
    answer = acme("meters", "list", "--operator", "acme")
    assert (answer.returncode, answer.stderr) == (0, "")
    for word in ("3 meters", METER.address, "A · 12"):
        assert word in answer.stdout
    monkeypatch.setattr(listing, "TABLE_ROWS", 2)
    cut = acme("meters", "list", "--operator", "acme")
    assert ("2 meters" in cut.stdout, "There are more" in cut.stderr) == (True, True)
    assert "There are more" not in acme("meters", "list", "--operator", "acme", "--limit", "3").stderr
    for noun in ("residences", "dwellings", "accounts"):
        assert acme(noun, "list").returncode == 0


def test_an_empty_list_is_no_error(tables: None, run: Any, listed: Any) -> None:
    """Nothing as JSON, a heading as a table."""
    for noun in ("residences", "dwellings", "meters", "accounts"):
        assert listed(noun, "list") == []
        assert f"0 {noun}" in run(noun, "list").stdout
