"""`submeter import` as an operator's engineer uses it."""

import json


def test_the_examples_are_written_checked_and_imported(tables, run, tmp_path) -> None:
    """Examples of each kind, a dry run that changes nothing, an import; broken cells end it with status 1."""
    folder = tmp_path / "lists"
    assert run("import", "examples", str(folder)).returncode == 0
    book = str(folder / "portfolio.xlsx")
    assert "nothing is at fault" in run("import", "--dry-run", book).stdout
    meters = folder / "meters.csv"
    assert "no operator has this code" in _reasons(run("import", "--json", str(meters)))
    assert "4 dwellings" in run("import", book).stdout
    meters.write_text(meters.read_text("utf-8").replace("itron", "itrom"), "utf-8")
    refused = run("import", str(meters), "--json")
    assert refused.returncode == 1
    faults = json.loads(refused.stdout)["faults"]
    assert [(fault["line"], fault["column"], fault["value"]) for fault in faults] == [
        (3, "vendor", "itrom"),
        (5, "vendor", "itrom"),
    ]
    assert "nothing was imported" in refused.stderr


def test_keys_are_never_printed(tables, run, tmp_path) -> None:
    """A key that cannot be read is named by its line; its text is nowhere."""
    keys = tmp_path / "keys.csv"
    keys.write_text("radio_address;key\nITW-00000001-00-07;0011-SECRET\n", "utf-8")
    refused = run("import", str(keys))
    assert refused.returncode == 1
    assert "hexadecimal" in refused.stdout
    assert "SECRET" not in refused.stdout + refused.stderr


def _reasons(answer) -> str:
    return " ".join(fault["reason"] for fault in json.loads(answer.stdout)["faults"])
