"""`submeter readings`: what an operator sees and decides at a shell, from the list of meters on."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import NamedTemporaryFile

import pytest

from tests.services.conftest import Izar

METER, OTHER = Izar(), Izar("H18CA029621")
START = datetime(2026, 3, 2, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
HEADING = (
    "operator,residence,building,number,fluid,vendor,printed_serial,radio_address,installed_on,"
    "register_capacity,nominal_flow_m3_per_h,aliases\n"
)
ROW = "acme,AA001,A,12,COLD_WATER,ocea,{},{},2024-01-01,100000000,{},{}\n"


def bare(litres: int, at: datetime, meter: Izar = METER) -> str:
    """A line that nothing vouches for."""
    return json.dumps({"telegram": meter.telegram(litres).hex(), "timestamp": at.isoformat()})


@pytest.fixture
def acme(tables, run, tmp_path: Path):
    """A residence and its meter, registered at the shell; more rows of the list on demand."""
    added = run("residences", "add", "acme", "Acme", "AA001", "Les Tilleuls", "1 rue", "92400", "Courbevoie")
    assert added.returncode == 0, added.stderr

    def register(*rows: str) -> CompletedProcess[str]:
        table = tmp_path / "meters.csv"
        table.write_text(HEADING + "".join(rows), encoding="utf-8")
        return run("meters", "import", str(table))

    assert register(ROW.format(METER.serial, METER.address, "", OTHER.address)).returncode == 0
    return register


@pytest.fixture
def listed(run):
    """The list as JSON."""

    def found(*options: str) -> list[dict[str, object]]:
        answer = run("readings", "list", "--json", *options)
        assert (answer.returncode, answer.stderr) == (0, "")
        return json.loads(answer.stdout)

    return found


def ingested(run, *lines: str) -> dict[str, object]:
    with NamedTemporaryFile("w", suffix=".log") as file:
        file.write("".join(f"{line}\n" for line in lines))
        file.flush()
        answer = run("ingest", file.name, "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def refused(answer: CompletedProcess[str], code: str, word: str) -> None:
    """One line that says what is wrong, and exit status 1."""
    (line,) = answer.stderr.strip().splitlines()
    assert (answer.returncode, line.partition(":")[0], word in line) == (1, code, True), line


def test_a_doubtful_reading_is_listed_and_accepted(acme, run, listed) -> None:
    """5,000 m3 between 300,010 and 300,020 litres: as text and JSON; accepted, it is listed no more."""
    lines = [bare(300_000 + 10 * hour, START + hour * HOUR) for hour in (0, 1, 3)]
    summary = ingested(run, *lines, bare(5_000_000, START + 2 * HOUR))
    assert (summary["stored"], summary["doubtful"]) == (4, 1)
    (reading,) = listed()
    number = reading.pop("id")
    assert reading.pop("received_at")
    assert reading == {
        "meter": METER.address,
        "printed_serial": METER.serial,
        "residence": "AA001",
        "dwelling": "12",
        "fluid": "COLD_WATER",
        "read_at": "2026-03-02T08:00:00+00:00",
        "index_before": 300_010,
        "index": 5_000_000,
        "index_after": 300_030,
        "unit": "LITRE",
        "evidence": "NOTHING",
        "doubt": "RISE_TOO_FAST",
        "status": "WAITING",
    }
    text = run("readings", "list").stdout
    for word in ("1 reading", METER.address, "2026-03-02T08:00:00Z", "300010", "5000000", "300030"):
        assert word in text, text
    accepted = run("readings", "accept", str(number), "--reason", "seen on site")
    assert (accepted.returncode, accepted.stderr) == (0, "")
    assert f"Reading {number} counts now." in accepted.stdout
    assert number not in [one["id"] for one in listed()]


def test_the_list_is_of_one_meter_or_one_status(acme, run, listed) -> None:
    """A meter is found by its alias too, in any case; a limit cuts the list."""
    ingested(run, bare(300_000, START), bare(5_000_000, START + HOUR))
    assert len(listed()) == 2
    for address in (METER.address, METER.address.lower(), OTHER.address):
        assert len(listed("--meter", address)) == 2
    assert listed("--meter", "SAP-00000000-0C-04") == []
    assert len(listed("--status", "WAITING")) == 2
    assert listed("--status", "OUTLIER") == []
    assert len(listed("--limit", "1")) == 1


def test_a_false_reading_is_withdrawn_and_accepted_again(acme, run, listed) -> None:
    """By the meter and its moment, in any zone; received again it remains withdrawn."""
    line = METER.line(300_010, START + HOUR)
    ingested(run, METER.line(300_000, START), line, METER.line(300_020, START + 2 * HOUR))
    assert listed() == []
    answer = run(
        "readings", "withdraw", METER.address, "2026-03-02T08:00:00+01:00", "--reason", "another meter"
    )
    assert (answer.returncode, answer.stdout.strip()) == (
        0,
        "The reading is withdrawn. 0 alerts changed, 0 messages queued.",
    )
    (reading,) = listed("--status", "WITHDRAWN")
    assert (reading["index"], reading["evidence"], reading["doubt"]) == (
        300_010,
        "GATEWAY_CHECK",
        "WITHDRAWN",
    )
    assert ingested(run, line)["duplicates"] == 1
    assert listed("--status", "WITHDRAWN") == [reading]
    assert run("readings", "accept", str(reading["id"])).returncode == 0
    assert listed() == []


def test_one_of_two_readings_of_a_moment_is_withdrawn_by_its_index(acme, run, listed) -> None:
    """Without the index the refusal names both."""
    ingested(run, bare(300_000, START), bare(302_900, START))
    moment = START.isoformat()
    answer = run("readings", "withdraw", METER.address, moment)
    refused(answer, "CONFLICT", "300000, 302900")
    assert run("readings", "withdraw", OTHER.address, moment, "--index", "302900").returncode == 0
    assert {(one["index"], one["status"]) for one in listed()} == {
        (300_000, "WAITING"),
        (302_900, "WITHDRAWN"),
    }


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("accept", "99"), "NOT_FOUND", "no such doubtful reading"),
        (("withdraw", "SAP-00000000-0C-04", START.isoformat()), "NOT_FOUND", "SAP-00000000-0C-04"),
        (
            ("withdraw", METER.address, "2026-03-02T06:30:00Z"),
            "NOT_FOUND",
            "300000 at 2026-03-02T06:00:00+00:00",
        ),
        (
            ("withdraw", METER.address, "9999-12-31T23:59:59-12:00"),
            "NOT_FOUND",
            "300010 at 2026-03-02T07:00:00+00:00",
        ),
        (
            ("withdraw", METER.address, "0001-01-01T00:00:00+12:00"),
            "NOT_FOUND",
            "300000 at 2026-03-02T06:00:00+00:00",
        ),
        (("withdraw", METER.address, "2026-03-02T06:00:00"), "INVALID_INPUT", "offset"),
        (("withdraw", METER.address, "yesterday"), "INVALID_INPUT", "ISO 8601"),
        (
            ("withdraw", METER.address, START.isoformat(), "--index", "99999999999999999999"),
            "NOT_FOUND",
            "300000",
        ),
        (
            ("withdraw", METER.address, START.isoformat(), "--reason", "x" * 201),
            "INVALID_INPUT",
            "reason: has at most 200 characters",
        ),
    ],
)
def test_what_cannot_be_corrected_is_one_line(acme, run, listed, arguments, code, word) -> None:
    """With its code, and the nearest readings where the moment is wrong; nothing is changed."""
    ingested(run, bare(300_000, START), bare(300_010, START + HOUR))
    refused(run("readings", *arguments), code, word)
    assert listed() == []


@pytest.mark.parametrize("arguments", [("accept", "99999999999999999999"), ("list", "--status", "LOST")])
def test_wrong_arguments_are_reported_without_a_stack_trace(tables, run, arguments) -> None:
    """A number beyond every row, a status that is none."""
    answer = run("readings", *arguments)
    assert answer.returncode != 0
    assert "Traceback" not in answer.stdout + answer.stderr


@pytest.mark.parametrize(("size", "doubtful"), [("", 1), ("1.6", 1), ("16", 0)])
def test_the_size_of_a_meter_decides_which_rise_is_possible(acme, run, size, doubtful) -> None:
    """15 m3 in an hour: too fast where no size is known, and for Q3 = 1.6 m3/h; a Q3 of 16 lets 20 pass."""
    registered = acme(ROW.format(METER.serial, METER.address, size, OTHER.address))
    assert (registered.returncode, registered.stderr) == (0, "")
    lines = [METER.line(300_000, START), METER.line(300_010, START + HOUR)]
    lines += [METER.line(315_000 + 10 * hour, START + (2 + hour) * HOUR) for hour in range(2)]
    summary = ingested(run, *lines)
    assert (summary["stored"], summary["doubtful"] > 0) == (4, doubtful > 0)


@pytest.mark.parametrize("size", ["0", "-1", "fast", "100000", "nan", "0.0004"])
def test_a_size_that_no_meter_has_is_refused(acme, size) -> None:
    """With the line and the column."""
    answer = acme(ROW.format(OTHER.serial, "SAP-99999999-0C-04", size, ""))
    assert (answer.returncode, "line 2" in answer.stderr, "nominal_flow_m3_per_h" in answer.stderr) == (
        1,
        True,
        True,
    ), answer.stderr
    assert "Traceback" not in answer.stderr


def test_staff_are_invited(acme, run) -> None:
    """The e-mail waits in the outbox, the password is not printed; what cannot be is one line."""
    who = ("nadia@example.org", "acme", "Nadia", "Petit")
    answer = run("accounts", "invite-staff", *who)
    assert (answer.returncode, answer.stdout.strip()) == (0, "nadia@example.org is invited.")
    assert run("accounts", "invite-staff", *who, "--language", "en").returncode == 0, "until it is used"
    sent = json.loads(run("outbox", "list", "--json").stdout)
    assert {(one["recipient"], one["state"]) for one in sent} == {("nadia@example.org", "PENDING")}
    refused(run("accounts", "invite-staff", "nadia@", "acme", "Nadia", "Petit"), "INVALID_INPUT", "email")
    refused(run("accounts", "invite-staff", "n@example.org", "none", "N", "P"), "NOT_FOUND", "none")
    refused(run("managers", "invite", *who), "CONFLICT", "has an account")
