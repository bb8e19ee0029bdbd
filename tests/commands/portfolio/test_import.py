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


def test_a_file_that_is_no_table_is_a_fault_like_others(tables, run, tmp_path) -> None:
    """With --json it is JSON with the line; every such file is named, and one of a kind is written as one."""
    folder = tmp_path / "lists"
    run("import", "examples", str(folder))
    broken, empty = tmp_path / "dwellings.csv", tmp_path / "keys.csv"
    broken.write_text('operator;residence;number\nacme;"AA001;1\n', "utf-8")
    empty.write_text("", "utf-8")
    refused = run("import", str(broken), str(empty), "--json")
    assert refused.returncode == 1
    faults = json.loads(refused.stdout)["faults"]
    assert [(fault["table"], fault["line"]) for fault in faults] == [(str(broken), 2), (str(empty), 1)]
    rates = json.loads(run("import", "tariffs", str(broken), "--json").stdout)
    assert rates["faults"][0]["line"] == 2
    people = folder / "occupancies.csv"
    people.write_text("".join(people.read_text("utf-8").splitlines(keepends=True)[:2]), "utf-8")
    lists = [str(folder / f"{kind}.csv") for kind in ("residences", "dwellings", "occupancies")]
    assert "2 residences, 4 dwellings, 1 occupancy: imported." in run("import", *lists).stdout


def test_keys_are_never_printed(tables, run, tmp_path) -> None:
    """A key that cannot be read is named by its line; its text is nowhere."""
    keys = tmp_path / "keys.csv"
    keys.write_text("radio_address;key\nITW-00000001-00-07;0011-SECRET\n", "utf-8")
    refused = run("import", str(keys))
    assert refused.returncode == 1
    assert "hexadecimal" in refused.stdout
    assert "SECRET" not in refused.stdout + refused.stderr


def test_tariffs_factors_and_degree_days_have_commands_of_their_own(tables, run, tmp_path) -> None:
    """Each list is checked and imported; a cell at fault ends it with status 1, and nothing is written."""
    folder = tmp_path / "lists"
    assert run("import", "examples", str(folder)).returncode == 0
    assert run("import", str(folder / "residences.csv")).returncode == 0
    lists = {
        "tariffs": (
            "operator;residence;fluid;valid_from;eur_per_unit;fixed_eur;fixed_per;vat_included\n"
            "acme;AA001;eau froide;2026-01-01;4,52;12;mois;oui\n"
        ),
        "emission-factors": (
            "operator,residence,fluid,valid_from,grams_per_unit,source\nacme,,HEAT,2026-01-01,227,ADEME\n"
        ),
        "degree-days": (
            "station;day;degree_days;base_celsius;source\nLYON-BRON;01/01/2026;12,5;18;Météo-France\n"
        ),
    }
    for command, text in lists.items():
        path = tmp_path / f"{command}.csv"
        path.write_text(text, "utf-8")
        assert "nothing is at fault" in run("import", command, "--dry-run", str(path)).stdout
        assert "imported" in run("import", command, str(path)).stdout
        assert "imported" in run("import", command, str(path)).stdout
        path.write_text(text.replace("2026", "20026"), "utf-8")
        refused = run("import", command, str(path), "--json")
        assert refused.returncode == 1
        (fault,) = json.loads(refused.stdout)["faults"]
        assert (fault["line"], "read as a day" in fault["reason"]) == (2, True)
    listed = json.loads(run("rates", "list", "--operator", "acme", "--json").stdout)
    assert [(one["kind"], one["residence"], one["fluid"]) for one in listed] == [
        ("tariff", "AA001", "COLD_WATER"),
        ("factor", None, "HEAT"),
    ]
    assert listed[0]["further"] == "12.00 EUR a month, VAT included"
    assert run("rates", "remove", "tariff", str(listed[0]["id"])).returncode == 0
    assert run("rates", "remove", "tariff", str(listed[0]["id"])).returncode == 1
    assert [one["kind"] for one in json.loads(run("rates", "list", "--json").stdout)] == ["factor"]


def _reasons(answer) -> str:
    return " ".join(fault["reason"] for fault in json.loads(answer.stdout)["faults"])
