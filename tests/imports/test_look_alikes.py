"""Cells that can be read and cannot be meant: each is named, and all of a line at once."""

from datetime import date

import pytest
from openpyxl import Workbook

from core.access import SYSTEM
from core.errors import InvalidInput
from core.models import Dwelling, Meter, Operator, Residence
from core.services.portfolio.portfolio import upsert_operator
from core.services.portfolio.portfolio_import import ListsRefused
from core.services.portfolio.suggestions import did_you_mean
from submeter.imports.lines import lists_of
from submeter.imports.tables import tables_of
from tests.imports.conftest import HOME, Portfolio, portfolio, stored


async def faults(take, paths) -> list[tuple[str, int, str, str]]:
    with pytest.raises(ListsRefused) as refused:
        await take(paths, dry_run=True)
    return [
        (one.at.table.rpartition("/")[2].partition(".")[0], one.at.line, one.column, one.reason)
        for one in refused.value.faults
    ]


def residence(made: Portfolio, code: str, **cells: str) -> int:
    """A line of one more residence; its number in the file."""
    made.rows["residences"].append([*made.rows["residences"][1]])
    line = len(made.rows["residences"])
    for column, value in {"code": code, **cells}.items():
        made.cell("residences", line, column, value)
    return line


@pytest.mark.parametrize("code", ["new op!", "Résidence", "-acme", "a" * 33, "../acme", "ACME"])
async def test_an_operator_has_a_code_that_every_door_takes(take, tmp_path, code: str) -> None:
    """The list is at fault by the rule of `residences add`; an operator in capitals is no other one."""
    await upsert_operator(SYSTEM, code="acme", name="Acme")
    made = portfolio(1, residences=1)
    line = residence(made, "R900", operator=code, operator_name="New")
    assert [one[:3] for one in await faults(take, made.write(tmp_path))] == [("residences", line, "operator")]
    if code != "ACME":
        with pytest.raises(InvalidInput):
            await upsert_operator(SYSTEM, code=code, name="New")
    assert await Operator.all().count() == 1


async def test_an_unknown_operator_is_at_fault_with_the_known_one(take, tmp_path) -> None:
    """Only a line with a name makes an operator; `acne` may be `acme`, which is in no list."""
    await upsert_operator(SYSTEM, code="acme", name="Acme")
    made = portfolio(1, residences=1, operator="acne")
    made.cell("residences", 2, "operator_name", "")
    (first, *_) = [one for one in await faults(take, made.write(tmp_path)) if one[0] == "residences"]
    assert first[2] == "operator"
    assert "did you mean 'acme'?" in first[3]


@pytest.mark.parametrize("code", ["r 0 0 0", "r000", "R.000", "\uff32\uff10\uff10\uff10"])
async def test_a_code_is_compared_as_sign_up_reads_it(take, tmp_path, code: str) -> None:
    """However it is spelled it is R000: in the same list a second line of it, in others its residence."""
    made = portfolio(2, residences=1)
    line = residence(made, code)
    assert [one[:3] for one in await faults(take, made.write(tmp_path))] == [("residences", line, "code")]
    made.rows["residences"].pop()
    await take(made.write(tmp_path))
    before = await stored()
    for kind in ("dwellings", "meters", "occupancies"):
        made.cell(kind, 2, "residence", code)
    made.cell("residences", 2, "code", code)
    await take(made.write(tmp_path))
    assert await stored() == before


async def test_a_new_residence_has_its_code_as_residents_type_it(take, tmp_path) -> None:
    """`b 1 7` is stored as B17; one that the operator's sign-up would refuse is at fault."""
    made = portfolio(1, residences=1)
    residence(made, "b 1 7")
    await take(made.write(tmp_path))
    assert await Residence.filter(code="B17").exists()
    line = residence(made, "--")
    other = residence(made, "AA0001", operator="ocea", operator_name="OCEA")
    found = await faults(take, made.write(tmp_path))
    assert [one[:3] for one in found] == [("residences", line, "code"), ("residences", other, "code")]
    assert "looks like AA" in found[1][3]


@pytest.mark.parametrize(
    ("postcode", "zone", "says"),
    [
        ("9240", "", "did you mean '09240'?"),
        ("9240A", "", "five digits"),
        ("924000", "", "five digits"),
        ("9740", "Indian/Reunion", "did you mean '09740'?"),
        ("1000", "Europe/Brussels", None),
        ("L-1234", "Europe/Luxembourg", None),
        ("97400", "Indian/Reunion", None),
    ],
)
async def test_a_postcode_of_france_has_five_digits(take, tmp_path, postcode, zone, says) -> None:
    """Excel drops a 0 at the beginning; other countries' postcodes are texts."""
    made = portfolio(1, residences=1)
    made.cell("residences", 2, "postcode", postcode)
    made.cell("residences", 2, "time_zone", zone)
    if says is None:
        await take(made.write(tmp_path), dry_run=True)
        return
    ((_, line, column, reason),) = await faults(take, made.write(tmp_path))
    assert (line, column, says in reason) == (2, "postcode", True)


@pytest.mark.parametrize("is_stored", [False, True])
async def test_a_dwelling_that_looks_like_another_is_at_fault(take, tmp_path, is_stored) -> None:
    """`a`/`00` beside `A`/`0`: the second is named with the first, and neither is taken for the other."""
    made = portfolio(1)
    if is_stored:
        await take(made.write(tmp_path))
    made.rows["dwellings"].append([*made.rows["dwellings"][1][:2], "a", "00", "0", " 0", "", "", ""])
    made.rows["occupancies"][1][2] = "a"
    found = await faults(take, made.write(tmp_path))
    assert [one[:3] for one in found] == [("dwellings", 3, "number"), ("occupancies", 2, "number")]
    known = "stored" if is_stored else "line 2"
    assert f"looks the same as dwelling A/0/0/0 ({known})" in found[0][3]
    assert "did you mean 'A/0/0/0'?" in found[1][3]


@pytest.mark.parametrize("other", ["10", "-1", "1 bis", "B1"])
async def test_dwellings_that_look_different_are_two(take, tmp_path, other: str) -> None:
    """10, -1 and 1 bis are not 1."""
    made = portfolio(1)
    made.cell("dwellings", 2, "number", "1")
    made.rows = {kind: made.rows[kind] for kind in ("residences", "dwellings")}
    made.rows["dwellings"].append([*made.rows["dwellings"][1][:5], other, "", "", ""])
    await take(made.write(tmp_path))
    assert await Dwelling.all().count() == 2


@pytest.mark.parametrize("column", ["lot", "manager_reference"])
async def test_no_two_dwellings_have_one_reference(take, tmp_path, column: str) -> None:
    """Be the other in the list or stored; two that exchange theirs in one list are right."""
    made = portfolio(4, residences=2)
    await take(made.write(tmp_path))
    first, second, third = (made.rows["dwellings"][line][6:8] for line in (1, 2, 3))
    place = made.rows["dwellings"][0].index(column)
    made.cell("dwellings", 4, column, f" {first[place - 6].lower()}")
    assert [one[:3] for one in await faults(take, made.write(tmp_path))] == [("dwellings", 4, column)]
    alone = Portfolio({"dwellings": [made.rows["dwellings"][0], made.rows["dwellings"][3]]})
    ((_, line, named, reason),) = await faults(take, alone.write(tmp_path / "alone"))
    assert (line, named, "dwelling A/0/0/0 (stored)" in reason) == (2, column, True)
    made.cell("dwellings", 2, column, third[place - 6])
    await take(made.write(tmp_path))
    assert second[place - 6] in await Dwelling.all().values_list(column, flat=True)


@pytest.mark.parametrize(
    ("surface", "is_fault"),
    [("40000000", True), ("0,004", True), ("4,9", True), ("2000,5", True), ("5", False), ("2000", False)],
)
async def test_a_surface_is_that_of_a_dwelling(take, tmp_path, surface, is_fault) -> None:
    """5 to 2,000 m2."""
    made = portfolio(1)
    made.cell("dwellings", 2, "surface_m2", surface)
    if not is_fault:
        await take(made.write(tmp_path), dry_run=True)
        return
    ((_, _, column, reason),) = await faults(take, made.write(tmp_path))
    assert (column, reason) == ("surface_m2", "must be 5 to 2,000 m2")


@pytest.mark.parametrize("is_stored", [False, True])
async def test_a_serial_is_in_one_dwelling_at_a_time(take, tmp_path, is_stored) -> None:
    """A second meter of a maker with the same number is at fault, unless the first was removed before."""
    made = portfolio(2)
    if is_stored:
        await take(made.write(tmp_path))
    made.rows["meters"].append([*made.rows["meters"][3][:6], *made.rows["meters"][1][6:]])
    line = len(made.rows["meters"])
    made.cell("meters", line, "radio_address", "ITW-99000000-00-07")
    ((_, at, column, reason),) = await faults(take, made.write(tmp_path))
    assert (at, column, "the same serial as in line 2" in reason) == (line, "printed_serial", True)
    if is_stored:
        alone = Portfolio({"meters": [made.rows["meters"][0], made.rows["meters"][-1]]})
        ((_, at, column, reason),) = await faults(take, alone.write(tmp_path / "alone"))
        assert (at, column, "ITW-00000000-00-07" in reason) == (2, "printed_serial", True)
    made.cell("meters", 2, "removed_on", "01/02/2026")
    made.cell("meters", line, "installed_on", "01/02/2026")
    await take(made.write(tmp_path))
    assert await Meter.filter(printed_serial="00000000").count() == 2


@pytest.mark.parametrize(
    ("kind", "column", "day"),
    [
        ("meters", "installed_on", "1500-01-01"),
        ("meters", "installed_on", "2099-01-01"),
        ("meters", "removed_on", "2099-01-01"),
        ("occupancies", "move_in", "1500-01-01"),
        ("occupancies", "move_in", "2099-01-01"),
        ("occupancies", "move_out", "2099-01-01"),
    ],
)
async def test_days_are_those_of_people(take, tmp_path, kind, column, day) -> None:
    """A year that was mistyped is at fault."""
    made = portfolio(1)
    made.cell(kind, 2, column, day)
    ((_, line, named, reason),) = await faults(take, made.write(tmp_path))
    assert (line, named, reason.startswith("lies ")) == (2, column, True)


async def test_one_meter_has_one_key_in_the_lists(take, tmp_path) -> None:
    """Another key of it is at fault, in whichever list, and not shown; the same again is none."""
    made = portfolio(1)
    made.rows["keys"].append(["ITW-00000000-00-07", "AB" * 16])
    made.rows["keys"].append(made.rows["keys"][2])
    made.cell("meters", 3, "key", "CD" * 16)
    found = await faults(take, made.write(tmp_path))
    assert [one[:3] for one in found] == [("keys", 3, "key"), ("keys", 4, "key"), ("keys", 5, "key")]
    assert not any("AB" in one[3] or "CD" in one[3] for one in found)


async def test_all_of_a_line_is_named_at_once(take, tmp_path) -> None:
    """A bad day, serial, step, alias and key of one meter, and that it is in another dwelling."""
    made = portfolio(2)
    await take(made.write(tmp_path))
    made.rows["meters"][0] += ["register_step", "aliases"]
    for row in made.rows["meters"][1:]:
        row += ["", ""]
    made.rows["meters"] = [made.rows["meters"][0], made.rows["meters"][1]]
    for column, value in {
        "staircase": "1",
        "floor": "1",
        "number": "1",
        "residence": "R001",
        "printed_serial": "OOO",
        "installed_on": "31/02/2024",
        "register_step": "0",
        "aliases": "ITW-00000001-00-07 SAP",
        "key": "0011",
    }.items():
        made.cell("meters", 2, column, value)
    made.cell("occupancies", 2, "move_in", "01/01/2024")
    made.cell("occupancies", 2, "email", "nobody@example.org")
    found = await faults(take, made.write(tmp_path))
    assert [one[:3] for one in found] == [
        *(("meters", 2, name) for name in ("aliases", "aliases", "installed_on", "key", "printed_serial")),
        ("meters", 2, "radio_address"),
        ("meters", 2, "register_step"),
        *(("occupancies", 2, name) for name in ("email", "move_in")),
    ]
    with pytest.raises(ListsRefused) as refused:
        await take(made.write(tmp_path))
    values = {fault.value for fault in refused.value.faults if fault.column == "aliases"}
    assert values == {"ITW-00000001-00-07", "SAP"}


async def test_two_files_with_the_same_line_number_are_two_lines(take, tmp_path) -> None:
    """A dwelling that is in line 2 of two files is there twice, and the other file is named."""
    made = portfolio(1)
    paths = made.write(tmp_path)
    more = tmp_path / "dwellings-2.csv"
    more.write_bytes((tmp_path / "dwellings.csv").read_bytes())
    found = await faults(take, [*paths, more])
    assert [one[:3] for one in found] == [("dwellings", 2, "number")] or [one[:3] for one in found] == [
        ("dwellings-2", 2, "number")
    ]
    assert found[0][3].endswith("dwellings.csv")


def test_what_cannot_be_seen_is_left_out(tmp_path) -> None:
    """Line breaks and tabs are blanks, zero-width signs are nothing; a control character is at fault."""
    text = 'operator;residence;number;lot\nac\u200bme;"R\n0 01";\ufeff1\u00ad2\t;A\x07\n'
    (tmp_path / "dwellings.csv").write_text(text, "utf-8")
    lists, _ = lists_of(tables_of(tmp_path / "dwellings.csv"))
    (line,) = lists.dwellings
    assert (line.home.operator, line.home.residence, line.home.number) == ("acme", "R 0 01", "12")
    assert [(one.column, one.value, one.reason) for one in lists.faults] == [
        ("lot", "A\N{REPLACEMENT CHARACTER}", "contains a control character")
    ]


def test_a_text_that_became_a_date_is_at_fault(tmp_path) -> None:
    """`1-2` is no door once a spreadsheet has read it, in a workbook or saved as CSV; a day is a day."""
    book = Workbook()
    book.active.title = "occupants"
    book.active.append([*HOME, "move_in", "kind"])
    book.active.append(
        ["acme", "R1", "A", "1", date(2026, 2, 1), date(2026, 1, 2), date(2026, 3, 1), "locataire"]
    )
    book.save(tmp_path / "parc.xlsx")
    lists, _ = lists_of(tables_of(tmp_path / "parc.xlsx"))
    assert [one.column for one in lists.faults] == ["floor", "number"]
    assert lists.occupancies[0].move_in == date(2026, 3, 1)
    for door in ("01/02/2026", "2026-02-01", "01-févr", "1-Feb", "févr-01"):
        (tmp_path / "dwellings.csv").write_text(f"operator;residence;number\nacme;R1;{door}\n", "utf-8")
        lists, _ = lists_of(tables_of(tmp_path / "dwellings.csv"))
        assert [(one.column, one.value) for one in lists.faults] == [("number", door)]


@pytest.mark.parametrize(
    "text",
    [
        "operator;residence;number;key\na;b;c;;AABBCCDDEEFF00112233445566778899\n",
        "x;00112233445566778899AABBCCDDEEFF\n",
    ],
)
def test_a_key_beside_its_column_is_not_shown(tmp_path, text: str) -> None:
    """One cell too far to the right, or in the place of the header."""
    (tmp_path / "cles.csv").write_text(text, "utf-8")
    lists, _ = lists_of(tables_of(tmp_path / "cles.csv"))
    assert lists.faults
    assert not any("AABB" in f"{one.column}{one.value}{one.reason}".upper() for one in lists.faults)


@pytest.mark.parametrize(
    ("given", "known", "meant"),
    [
        ("AA00l", ("AA002", "AA001"), "AA001"),
        ("AAOO1", ("AA011", "AA001"), "AA001"),
        ("acne", ("acme",), "acme"),
    ],
)
def test_a_look_alike_is_the_nearest(given, known, meant) -> None:
    """A letter for a digit is nearer than another digit."""
    assert did_you_mean(given, known) == f"; did you mean {meant!r}?"
