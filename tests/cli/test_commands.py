"""The `submeter` command as a shell sees it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import encoder
from tests.support import encoder_sealing as sealing

PRIOS = "1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD"


@pytest.fixture
def run(tmp_path: Path):
    """Runs the command in an empty data folder; answers exit status, output and errors."""

    def submeter(*arguments: str, given: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SUBMETER_")}
        environment |= {"SUBMETER_DATA_DIR": str(tmp_path / "data"), **settings}
        command = [sys.executable, "-m", "cli.main", *arguments]
        return subprocess.run(
            command, input=given, capture_output=True, text=True, env=environment, check=False
        )

    return submeter


def test_decode_needs_no_database(run, tmp_path: Path) -> None:
    """A telegram is decoded without a data folder being made."""
    answer = run("decode", PRIOS, "--json")
    assert answer.returncode == 0, answer.stderr
    report = json.loads(answer.stdout)
    assert report["driver"] == "ocea"
    assert report["measurement"]["values"]["total_volume_m3"] == "123.456"
    assert not (tmp_path / "data").exists()


def test_decode_answers_json_lines_in_order(run) -> None:
    """Each line is answered in turn; what is wrong with one is its own answer, and the stream goes on."""
    key = "F5011AE1F4F10C62B7E5052DE5831F09"
    compact = "23442D2C043799691B168D204640207928848F2B4DCCDFACBABB24C04B9B1281721EA518"
    asked = [
        json.dumps({"id": 1, "telegram": PRIOS, "key": None, "prior_telegrams": []}),
        "no JSON",
        "",
        json.dumps({"id": 2, "telegram": compact, "key": key}),
        json.dumps({"id": 3, "telegram": compact}),
        json.dumps({"id": 4, "telegram": PRIOS[:-2]}),
        json.dumps({"id": 5, "telegram": PRIOS, "key": "my-secret"}),
        json.dumps({"id": 6}),
        json.dumps([7]),
    ]
    answer = run("decode", "--jsonl", given="\n".join(asked) + "\n")
    assert answer.returncode == 0, answer.stderr
    answers = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [told["id"] for told in answers] == [1, None, 2, 3, 4, 5, 6, None]
    codes = [told["error"] and told["error"]["code"] for told in answers]
    bad = "INVALID_INPUT"
    assert codes == [None, bad, None, "KEY_MISSING", "TRUNCATED", bad, bad, bad]
    first, _, second, third, *_ = answers
    assert (first["manufacturer"], first["serial"]) == ("SAP", "21131C34")
    assert first["measurements"]["total_volume_m3"] == 123.456
    assert first["history"][0] == {
        "day": "2025-04-30",
        "quantity": "VOLUME",
        "value": 120.001,
        "source": "SNAPSHOT",
    }
    assert second["measurements"]["total_volume_m3"] == 47.889
    assert (third["serial"], third["measurements"]) == ("69993704", {})
    assert "my-secret" not in answer.stdout + answer.stderr


def test_decode_learns_compact_formats_from_the_telegrams_before(run) -> None:
    """A full telegram among `prior_telegrams` opens a compact frame of a meter that no driver lists."""
    link = bytes.fromhex("6A49112233440107")
    records = [encoder.bcd(0xC, "13", 123456)]
    full = sealing.plain(link, encoder.full(records)).hex()
    compact = sealing.plain(link, encoder.compact(records), sealing.Header(compact=True)).hex()
    asked = [{"telegram": compact}, {"telegram": compact, "prior_telegrams": ["broken", full]}]
    answer = run("decode", "--jsonl", given="".join(json.dumps(line) + "\n" for line in asked))
    unknown, known = (json.loads(line) for line in answer.stdout.splitlines())
    assert unknown["error"]["code"] == "UNKNOWN_COMPACT_FORMAT"
    assert known["measurements"] == {"total_volume_m3": 123.456}


def test_decode_says_where_a_telegram_broke(run) -> None:
    """A telegram cut short ends the command with status 1, the code and the layers that were read."""
    answer = run("decode", PRIOS[:40])
    assert answer.returncode == 1
    assert "TRUNCATED" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_key_that_is_none_is_refused_without_being_repeated(run) -> None:
    """A --key that is not hex is refused, and the text given is not printed."""
    answer = run("decode", PRIOS, "--key", "my-secret-key")
    assert answer.returncode == 1
    assert "INVALID_INPUT" in answer.stderr
    assert "my-secret" not in answer.stdout + answer.stderr


def test_drivers_are_listed_with_where_they_come_from(run) -> None:
    """The four vendors are found through their entry points."""
    answer = run("drivers", "list", "--json")
    listed = json.loads(answer.stdout)
    assert [driver["driver"] for driver in listed["drivers"]] == ["ista", "itron", "kamstrup", "ocea"]
    assert listed["broken"] == []


def test_a_command_on_a_fresh_machine_says_what_to_do_first(run) -> None:
    """Without tables `ingest` names the command that makes them, and `migrate` makes them."""
    refused = run("ingest", "-", given=PRIOS)
    assert (refused.returncode, "submeter migrate" in refused.stderr) == (1, True)
    assert "0001_initial" in run("migrate").stdout
    assert "up to date" in run("migrate").stdout
    taken_in = run("ingest", "-", "--json", given=f"# a comment\n\n{PRIOS}\nnonsense\n")
    assert json.loads(taken_in.stdout)["unusable"] == {"NOT_A_TELEGRAM": 1, "UNKNOWN_METER": 1}


def test_meters_come_in_from_a_list_and_their_telegrams_with_them(run, tmp_path: Path) -> None:
    """`meters import` seals the keys of a CSV file; a kept telegram is then replayed."""
    run("migrate")
    run("ingest", "-", given=PRIOS)
    table = tmp_path / "meters.csv"
    heading = "operator,residence,number,fluid,vendor,printed_serial,radio_address,installed_on,key\n"
    row = "ocea,AA000,12,COLD_WATER,ocea,H18CA029620,SAP-21131C34-0C-04,2024-01-01,{}\n"
    table.write_text(heading + row.format(""), encoding="utf-8")
    refused = run("meters", "import", str(table))
    assert (refused.returncode, "NOT_FOUND" in refused.stderr) == (1, True)
    made = run("residences", "add", "ocea", "OCEA", "AA000", "Les Tilleuls", "1 rue A", "92400", "Courbevoie")
    assert made.returncode == 0, made.stderr
    table.write_text(heading + row.format("not hex"), encoding="utf-8")
    unreadable = run("meters", "import", str(table))
    assert (unreadable.returncode, "line 2" in unreadable.stderr, "not hex" in unreadable.stderr) == (
        1,
        True,
        False,
    )
    table.write_text(heading + row.format(""), encoding="utf-8")
    assert "1 meters registered" in run("meters", "import", str(table)).stdout
    assert json.loads(run("replay", "--json").stdout)["stored"] == 1


def test_a_setting_that_cannot_be_read_is_named(run) -> None:
    """A wrong variable ends the command with its name and no stack trace."""
    answer = run("migrate", SUBMETER_PORT="eight thousand")
    assert answer.returncode == 1
    assert "SUBMETER_PORT" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_postgresql_wants_a_secret_key(run) -> None:
    """With PostgreSQL no secret is made up: every worker must have the same."""
    answer = run("migrate", SUBMETER_DATABASE_URL="postgresql://nobody@localhost/none")
    assert (answer.returncode, "SUBMETER_SECRET_KEY" in answer.stderr) == (1, True)


def test_a_file_that_is_not_there_is_named(run) -> None:
    """A missing file is told in one line."""
    run("migrate")
    answer = run("ingest", "nowhere.log")
    assert (answer.returncode, "nowhere.log" in answer.stderr, "Traceback" in answer.stderr) == (
        1,
        True,
        False,
    )


def test_the_outbox_of_an_empty_house_is_empty(run) -> None:
    """`outbox list --json` is a list also when there is nothing in it."""
    run("migrate")
    assert json.loads(run("outbox", "list", "--json").stdout) == []
