"""`submeter ingest`, `decode` and `classify` on files as they lie about: packed, in UTF-16, cut, untimed."""

import gzip
import json
import sqlite3
from datetime import date
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.mbus.lines import LONGEST_LINE
from submeter.reading_files import read_readings
from submeter.simulator import prios
from submeter.unpacking import FREE_BYTES, zstd

SERIAL = "H18CA029620"
WIRE = prios.wire_address(SERIAL)
ADDRESS = f"SAP-{WIRE[5:1:-1].hex().upper()}-{WIRE[6]:02X}-{WIRE[7]:02X}"
KINDS = {
    "plain": str.encode,
    "UTF-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "gzip": lambda text: gzip.compress(text.encode()),
    "zstd": lambda text: zstd.compress(text.encode()),
    "gzip of UTF-16": lambda text: gzip.compress(text.encode("utf-16")),
    "Windows": lambda text: text.replace("\n", "\r\n").encode(),
}
CSV = "meter,read_at,litres\nA,2025-03-01T00:00:00Z,12\nA,2025-03-01T01:00:00Z,13\n"


def telegram(litres: int) -> str:
    state = prios.PriosState(litres=litres, month_end_litres=0, month_end=date(2026, 1, 31))
    return prios.encrypt(WIRE, state).hex()


@pytest.fixture
def registered(tables, run, tmp_path: Path) -> None:
    """The meter of the telegrams, in service since 2024."""
    described = ("ocea", "OCEA", "AA000", "Les Tilleuls", "1 rue A", "92400", "Courbevoie")
    assert run("residences", "add", *described, "--water-price", "4.52").returncode == 0
    table = tmp_path / "meters.csv"
    heading = "operator,residence,number,fluid,vendor,printed_serial,radio_address,installed_on,key\n"
    row = f"ocea,AA000,12,COLD_WATER,ocea,{SERIAL},{ADDRESS},2024-01-01,\n"
    table.write_text(heading + row, encoding="utf-8")
    assert run("meters", "import", str(table)).returncode == 0


def indexes(data_dir: Path) -> list[int]:
    """The stored indexes in the order of their times."""
    with sqlite3.connect(data_dir / "submeter.db") as database:
        return [row[0] for row in database.execute("SELECT index_value FROM reading ORDER BY read_at")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_ingested_whatever_it_is_packed_in(registered, run, data_dir, tmp_path, kind) -> None:
    """A byte order mark, UTF-16, gzip, zstd, Windows line ends: the same readings and dead letters."""
    path = tmp_path / "log"
    path.write_bytes(KINDS[kind](f"# a note\n{telegram(1)}\n\ngarbage\n{telegram(2)}\n"))
    summary = json.loads(run("ingest", str(path), "--json").stdout)
    assert (summary["lines"], summary["stored"], summary["unusable"]) == (3, 2, {"NOT_A_TELEGRAM": 1})
    assert indexes(data_dir) == [1, 2]


@pytest.mark.parametrize("kind", ["gzip", "zstd", "UTF-16"])
def test_a_pipe_is_recognised_as_a_file_is(registered, shell, data_dir, kind) -> None:
    """Packed content on standard input."""
    content = KINDS[kind](f"{telegram(1)}\n{telegram(2)}\n").decode("utf-8", "surrogateescape")
    answer = shell("ingest", "-", "--json", given=content)
    assert json.loads(answer.stdout)["stored"] == 2, answer.stderr
    assert indexes(data_dir) == [1, 2]


def test_a_truncated_file_is_ingested_as_far_as_it_goes(registered, run, data_dir, tmp_path) -> None:
    """The lines before the cut are readings, the fault is named, the status is 1, the next file is read."""
    whole = gzip.compress("".join(f"{telegram(index)}\n" for index in range(200)).encode())
    cut, after = tmp_path / "cut.gz", tmp_path / "after.log"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    after.write_text(f"{telegram(500)}\n{telegram(501)}\n", encoding="utf-8")
    answer = run("ingest", str(cut), str(after), "--json")
    summary = json.loads(answer.stdout)
    assert (answer.returncode, "FILE_TRUNCATED" in answer.stderr, "cut.gz" in answer.stderr) == (
        1,
        True,
        True,
    )
    assert 50 < summary["stored"] < 200
    assert indexes(data_dir) == [*range(summary["stored"] - 2), 500, 501]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xfd7zXZ\0\0\0", "FILE_FORMAT_NOT_READ"),
        (gzip.compress(b"one") + b"other", "FILE_DAMAGED"),
        (zstd.compress(b"0" * (2 * FREE_BYTES)), "FILE_EXPANDS_TOO_MUCH"),
    ],
    ids=["xz", "damaged", "bomb"],
)
def test_a_file_that_cannot_be_read_is_named_with_its_reason(tables, run, tmp_path, content, code) -> None:
    """One line on standard error, no stack trace, status 1."""
    path = tmp_path / "[bad]"
    path.write_bytes(content)
    answer = run("ingest", str(path))
    assert answer.returncode == 1
    assert (code in answer.stderr, "[bad]" in answer.stderr, "Traceback" in answer.stderr) == (
        True,
        True,
        False,
    )


def test_a_line_beyond_the_bound_is_a_dead_letter_with_its_length(tables, run, tmp_path) -> None:
    """Its beginning is kept, its length is stated; the line after it is read."""
    path = tmp_path / "log"
    path.write_text(f"{'F' * 1_000_000}\n{telegram(1)}\n", encoding="utf-8")
    summary = json.loads(run("ingest", str(path), "--json").stdout)
    assert summary["unusable"] == {"NOT_A_TELEGRAM": 1, "UNKNOWN_METER": 1}
    rows = json.loads(run("dead-letters", "list", "--json", "--reason", "NOT_A_TELEGRAM").stdout)
    assert [row["message"] for row in rows] == [
        f"The line has 1000000 characters, of which {LONGEST_LINE} are kept."
    ]
    assert len(rows[0]["line"]) < LONGEST_LINE + 100
    assert json.loads(run("replay", "--json").stdout)["unusable"] == summary["unusable"]


@pytest.mark.parametrize("batch", ["1", "3", "2000"])
@pytest.mark.parametrize("parts", [1, 4])
def test_untimed_files_end_with_their_newest_index(registered, run, data_dir, tmp_path, batch, parts) -> None:
    """Whole or cut in files, in batches of any size, once, doubled and again: the order of the lines."""
    lines = [f"{telegram(index)}\n" for index in range(20)]
    size = len(lines) // parts
    paths = [tmp_path / f"part{part}" for part in range(parts)]
    for part, path in enumerate(paths):
        path.write_text("".join(lines[part * size : (part + 1) * size]), encoding="utf-8")
    settings = {"SUBMETER_INTAKE_BATCH_LINES": batch}
    names = [str(path) for path in paths]
    first = json.loads(run("ingest", *names, "--json", **settings).stdout)
    assert (first["stored"], first["unusable"]) == (20, {})
    again = json.loads(run("ingest", *names, *names, "--json", **settings).stdout)
    assert (again["stored"], again["duplicates"], again["unusable"]) == (0, 40, {})
    assert indexes(data_dir) == list(range(20))


def test_untimed_lines_of_a_pipe_end_with_their_newest_index(registered, shell, data_dir) -> None:
    """More than a pipe holds, in small batches: the order of the lines, no conflict, none in the future."""
    lines = "".join(f"{telegram(index)}\n" for index in range(1500))
    answer = shell("ingest", "-", "--json", given=lines, SUBMETER_INTAKE_BATCH_LINES="500")
    summary = json.loads(answer.stdout)
    assert (summary["stored"], summary["unusable"]) == (1500, {})
    assert indexes(data_dir) == list(range(1500))


@pytest.mark.parametrize("kind", ["UTF-8 with a mark", "UTF-16", "gzip", "zstd"])
def test_decode_reads_packed_json_lines(run, kind) -> None:
    """`decode --jsonl` recognises what `ingest` does."""
    asked = "".join(json.dumps({"id": number, "telegram": telegram(5)}) + "\n" for number in range(3))
    given = KINDS[kind](asked).decode("utf-8", "surrogateescape")
    answers = [json.loads(line) for line in run("decode", "--jsonl", given=given).stdout.splitlines()]
    assert [(answer["id"], answer["measurements"]["total_volume_m3"]) for answer in answers] == [
        (0, 0.005),
        (1, 0.005),
        (2, 0.005),
    ]


def test_decode_names_an_object_that_is_too_long_and_a_cut_input(run) -> None:
    """A line beyond the bound is answered with its reason; a truncated input ends the command with it."""
    long = json.dumps({"telegram": "0" * (2 << 20)})
    answer = run("decode", "--jsonl", given=f"{long}\n{json.dumps({'telegram': telegram(5)})}\n")
    first, second = (json.loads(line) for line in answer.stdout.splitlines())
    assert (first["error"]["code"], "longer" in first["error"]["message"]) == ("INVALID_INPUT", True)
    assert second["error"] is None
    cut = gzip.compress(json.dumps({"telegram": telegram(5)}).encode())[:-3]
    answer = run("decode", "--jsonl", given=cut.decode("utf-8", "surrogateescape"))
    assert (answer.returncode, "FILE_TRUNCATED" in answer.stderr) == (1, True)


def test_decode_takes_a_line_as_it_comes(run) -> None:
    """A mark before the line, 0x, and a line end of Windows."""
    for line in (f"\ufeff{telegram(5)}\r\n", f"0x{telegram(5)}", f"telegram=|{telegram(5)}|+60"):
        report = json.loads(run("decode", line, "--json").stdout)
        assert report["measurement"]["values"]["total_volume_m3"] == "0.005"


@pytest.mark.parametrize("kind", KINDS)
def test_classify_reads_packed_files(tmp_path, kind) -> None:
    """CSV in UTF-16 or packed; the same readings."""
    path = tmp_path / "readings.csv"
    path.write_bytes(KINDS[kind](CSV))
    readings = read_readings(path)
    assert list(readings) == ["A"]
    assert len(readings["A"].at_s) == 2


def test_classify_refuses_a_truncated_file(tmp_path) -> None:
    """No reading is guessed or skipped: a file that is not whole is refused."""
    path = tmp_path / "readings.csv.gz"
    path.write_bytes(gzip.compress(CSV.encode())[:-4])
    with pytest.raises(InvalidInput, match="not read to its end"):
        read_readings(path)
