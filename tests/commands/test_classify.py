"""`submeter classify`: readings in a file, leaks out, no database."""

import csv
import io
import json
import math
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from core.errors import InvalidInput
from submeter.commands.classify import classify
from submeter.reading_files import read_readings

START = datetime(2025, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def readings(meter="A1", *, leak_lph=6, step=1, serial=None, ends=None):
    """Two dry days, then a leak; one row an hour."""
    litres, found = 500.4, []
    for hour in range(24 * 8):
        row = {
            "meter": meter,
            "read_at": (START + hour * HOUR).isoformat(),
            "litres": int(litres // step * step),
        }
        found.append(row if serial is None else row | {"serial": serial})
        if hour >= 48 and (ends is None or hour < ends):
            litres += leak_lph
    return found


def written(path: Path, rows) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_file_of_readings_becomes_a_line_for_each_leak(tmp_path, capsys):
    """Start, end, level, loss, flow and detection of each leak; a dry meter has no line."""
    rows = [*readings("A1"), *readings("B2", leak_lph=0), *readings("C3", leak_lph=13, ends=120)]
    classify(written(tmp_path / "fleet.csv", rows))
    printed = capsys.readouterr()
    first, second = table(printed.out)
    assert tuple(first) == (
        "meter",
        "start",
        "end",
        "level",
        "total_loss_m3",
        "mean_flow_lph",
        "detected_at",
    )
    assert (first["meter"], first["start"], first["end"], first["level"]) == (
        "A1",
        "2025-03-03T00:00:00Z",
        "",
        "1",
    )
    assert first["detected_at"] == "2025-03-04T00:00:00Z"
    assert float(first["total_loss_m3"]) == pytest.approx(0.858, rel=0.01)
    assert (second["meter"], second["level"], second["end"]) == ("C3", "3", "2025-03-06T00:00:00Z")
    assert float(second["mean_flow_lph"]) == pytest.approx(13, rel=0.01)
    assert "2 leaks of 2 meters among 3 meters" in printed.err


def test_each_meter_has_its_verdict(tmp_path, capsys):
    """Asked for verdicts, a meter without a leak has a line too, and states whether none can be found."""
    rows = [*readings("A1"), *readings("B2", leak_lph=0), *readings("C3")[:60]]
    path = written(tmp_path / "fleet.csv", rows)
    classify(path, verdicts=True)
    printed = capsys.readouterr()
    leaking, dry, young = table(printed.out)
    assert tuple(leaking) == (
        "meter",
        "finding",
        "level",
        "flow_lph",
        "bound_lph",
        "observed_h",
        "lowest_lph",
    )
    assert (leaking["meter"], leaking["finding"], leaking["level"]) == ("A1", "LEAK", "1")
    assert float(leaking["flow_lph"]) == pytest.approx(6, rel=0.02)
    assert (dry["finding"], dry["level"], dry["flow_lph"]) == ("NO_LEAK", "0", "")
    assert float(dry["bound_lph"]) < 4
    assert (young["meter"], young["finding"]) == ("C3", "NO_LEAK")
    assert "1 leak of 1 meter among 3 meters" in printed.err
    classify(path, register=100, verdicts=True, json=True)
    coarse = json.loads(capsys.readouterr().out)
    assert [row["finding"] for row in coarse] == ["NOT_MEASURABLE"] * 3
    assert coarse[0]["lowest_lph"] == pytest.approx(20.833, abs=0.001)
    classify(written(tmp_path / "short.csv", readings("D4")[50:60]), verdicts=True)
    (short,) = table(capsys.readouterr().out)
    assert (short["finding"], short["bound_lph"], short["observed_h"]) == ("UNDECIDED", "", "9.0")


def test_parquet_and_csv_say_the_same_and_json_too(tmp_path, capsys):
    """The kind of file makes no difference; --out writes it, and a name ending in .json gives JSON."""
    rows = readings(serial="X9")
    classify(written(tmp_path / "one.csv", rows))
    reported = table(capsys.readouterr().out)
    columns = {name: [row[name] for row in rows] for name in ("meter", "litres", "serial")}
    columns["read_at"] = [datetime.fromisoformat(row["read_at"]) for row in rows]
    parquet.write_table(pa.table(columns), tmp_path / "one.parquet")
    out = tmp_path / "found.json"
    classify(tmp_path / "one.parquet", out=out)
    (found,) = json.loads(out.read_text())
    assert {name: "" if value is None else str(value) for name, value in found.items()} == reported[0]
    assert capsys.readouterr().out == ""


def test_a_coarse_register_is_judged_as_one(tmp_path, capsys):
    """--register 10 needs two days before it reports a leak."""
    path = written(tmp_path / "ten.csv", readings(leak_lph=9, step=10))
    classify(path, register=10)
    (row,) = table(capsys.readouterr().out)
    assert (row["level"], row["detected_at"] >= "2025-03-04T16") == ("2", True)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("meter,read_at\nA,1\n", "no column litres"),
        (
            "meter,read_at,litres\nA,2025-03-01T00:00:00Z,12\nA,yesterday,13\n",
            "line 3: read_at is not a time",
        ),
        ("meter,read_at,litres\nA,2025-03-01T00:00:00,12\n", "line 2: read_at has no offset"),
        ("meter,read_at,litres\nA,1740787200000,12\n", "line 2: read_at is too large"),
        ("meter,read_at,litres\nA,1740787200,twelve\n", "line 2: litres is not a whole number: 'twelve'"),
        ("meter,read_at,litres\nA,1740787200,-3\n", "line 2: litres is not an index"),
        ("meter,read_at,litres\n,1740787200,3\n", "line 2: meter is empty"),
        ("meter,read_at,litres\nA,1740787200\n", "line 2: the row has more or fewer cells"),
        ("meter,read_at,litres\n", "contains no reading"),
        ("\xff\xff", "is not CSV in UTF-8"),
        ("\xff\xfe", "no column meter"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path, rows, reason):
    """File, line and reason are given: nothing is guessed, and nothing skipped."""
    path = tmp_path / "bad.csv"
    path.write_bytes(rows.encode("latin-1"))
    with pytest.raises(InvalidInput, match=reason):
        read_readings(path)


def test_a_file_that_is_no_parquet_is_refused_with_its_reason(tmp_path):
    """A file that has only the suffix."""
    path = tmp_path / "bad.parquet"
    path.write_text("meter,read_at,litres\n")
    with pytest.raises(InvalidInput, match="cannot be read as Parquet"):
        read_readings(path)


@pytest.mark.parametrize(
    ("moment", "litres", "reason"),
    [
        (datetime(2026, 1, 1), 5, "read_at has no offset"),
        (datetime(2026, 1, 1, tzinfo=UTC), math.inf, "litres is not a whole number"),
        (datetime(2026, 1, 1, tzinfo=UTC), 5.5, "litres is not an index in whole litres"),
    ],
)
def test_no_reading_of_a_parquet_file_is_guessed(tmp_path, moment, litres, reason):
    """A local time would shift every leak by its offset; a broken figure is not an index."""
    path = tmp_path / "one.parquet"
    parquet.write_table(pa.table({"meter": [0], "read_at": [moment], "litres": [litres]}), path)
    with pytest.raises(InvalidInput, match=f"line 1: {reason}"):
        read_readings(path)


def test_a_meter_may_be_named_0(tmp_path):
    """A number is a valid name; a folder is no file of readings."""
    path = tmp_path / "one.parquet"
    parquet.write_table(
        pa.table({"meter": [0], "read_at": [datetime(2026, 1, 1, tzinfo=UTC)], "litres": [5]}), path
    )
    assert list(read_readings(path)) == ["0"]
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(InvalidInput, match="cannot be read as Parquet"):
        read_readings(tmp_path / "folder.parquet")


@pytest.mark.parametrize(("suffix", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_a_meter_is_drawn_with_its_verdict(tmp_path, suffix, begins, capsys):
    """A picture of the flow and the leaks; a meter that is not in the file is an error."""
    path = written(tmp_path / "one.csv", readings())
    picture = tmp_path / f"flow{suffix}"
    classify(path, plot="A1", plot_to=picture)
    assert picture.read_bytes().startswith(begins)
    assert "plot written to" in capsys.readouterr().err
    with pytest.raises(InvalidInput, match="no meter Z"):
        classify(path, plot="Z")
    with pytest.raises(InvalidInput, match="A plot is"):
        classify(path, plot="A1", plot_to=tmp_path / "flow.doc")


def test_an_unknown_register_ends_the_command(tmp_path, capsys):
    """7 litres a step are no register."""
    with pytest.raises(SystemExit):
        classify(written(tmp_path / "one.csv", readings()), register=7)
    assert "INVALID_INPUT" in capsys.readouterr().err


@pytest.mark.parametrize(("module", "options"), [("pyarrow", []), ("matplotlib", ["--plot", "A1"])])
def test_without_the_extra_the_command_says_what_to_install(tmp_path, module, options):
    """CSV without a picture needs neither pyarrow nor matplotlib; otherwise the command names the extra."""
    source = written(tmp_path / "one.csv", readings())
    if module == "pyarrow":
        source = source.rename(tmp_path / "one.parquet")
    program = f"import sys; sys.modules[{module!r}] = None; from submeter.main import main; main()"
    command = [sys.executable, "-c", program, "classify", str(source), *options]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert answer.returncode == 1
    assert "submeter[analysis]" in answer.stderr


@pytest.mark.parametrize("option", ["--output", "--out"])
def test_the_output_file_has_two_names(tmp_path, option):
    """--output, as other commands call it, and --out write the same file, and nothing to standard output."""
    source = written(tmp_path / "one.csv", readings())
    command = [sys.executable, "-m", "submeter", "classify", str(source), option, str(tmp_path / "leaks.csv")]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    (leak,) = table((tmp_path / "leaks.csv").read_text())
    assert (answer.stdout, leak["meter"]) == ("", "A1")


def test_classify_needs_no_database_and_imports_none(tmp_path):
    """The command starts without tortoise, pyarrow and matplotlib."""
    source = written(tmp_path / "one.csv", readings())
    program = (
        "import sys; sys.argv[0] = 'submeter'; from submeter.main import app;"
        "app(result_action='return_value');"
        "print([name for name in ('tortoise', 'pyarrow', 'matplotlib') if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, "classify", str(source)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert answer.stdout.splitlines()[-1] == "[]"
