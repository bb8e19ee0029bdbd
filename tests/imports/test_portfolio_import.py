"""An operator's lists: all of them or nothing, and every cell at fault named."""

from datetime import date

import pytest

from core.access import SYSTEM, Role, Viewer
from core.errors import Forbidden
from core.models import Dwelling, Meter, MeterKey, Occupancy, Operator, Residence
from core.services.portfolio.descriptions import AccountSpec
from core.services.portfolio.portfolio import upsert_account
from core.services.portfolio.portfolio_import import ListsRefused, import_lists
from core.services.portfolio.portfolio_lists import Lists
from submeter.imports.examples import write_examples
from tests.imports.conftest import NOW, Portfolio, portfolio, stored, workbook
from tests.support.attack import watched


async def test_the_examples_can_be_imported_as_they_are(take, tmp_path) -> None:
    """CSV or the workbook into an empty database; the same lists again change nothing."""
    *lists, book = write_examples(tmp_path)
    await take(lists)
    first = await stored()
    assert [len(rows) for rows in first] == [2, 4, 4, 3, 0, 4]
    await take([book])
    await take(reversed(lists))
    assert await stored() == first
    residence = await Residence.get(code="AA002")
    assert (residence.resident_portal_option, residence.name) == (False, "Le Clos des Vignes")
    assert (await Dwelling.get(lot="102")).manager_reference == "5151 0002"


async def test_a_workbook_of_another_program_gives_the_same_tables(take, tmp_path) -> None:
    """Dates, numbers and truths that are cells of their kind are read as the texts of CSV are."""
    made = portfolio(7)
    await take([workbook(made.rows, tmp_path / "parc.xlsx")])
    first = await stored()
    assert [len(rows) for rows in first] == [2, 7, 14, 14, 0, 7]
    await take(made.write(tmp_path))
    assert await stored() == first


async def test_when_billing_begins_and_whose_weather_it_is(take, tmp_path) -> None:
    """Columns of residences, in French as well; an empty cell leaves what is stored."""
    made = portfolio(3, residences=1)
    made.rows["residences"][0] += ["début de l'exercice", "station météo"]
    made.rows["residences"][1] += ["07-01", "LYON-BRON"]
    await take(made.write(tmp_path))
    residence = await Residence.get()
    assert (residence.billing_starts, residence.weather_station) == ("07-01", "LYON-BRON")
    made.rows["residences"][1][-2:] = ["", ""]
    await take(made.write(tmp_path))
    assert (await Residence.get()).billing_starts == "07-01"
    for wrong in ("02-29", "31-12", "1 July", "13-01", "7-1"):
        made.rows["residences"][1][-2] = wrong
        with pytest.raises(ListsRefused) as refused:
            await take(made.write(tmp_path))
        assert [(one.column, one.value) for one in refused.value.faults] == [("billing_starts", wrong)]


BROKEN = (
    ("residences", "operator", "acmee", "operator"),
    ("residences", "time_zone", "Europe/Pari", "time zone"),
    ("residences", "remote_reading", "peut-être", "yes or no"),
    ("residences", "water_price_eur_per_m3", "452", "up to 100"),
    ("residences", "name", "", "is empty"),
    ("residences", "postcode", "750012345678", "12 characters"),
    ("dwellings", "residence", "R00l", "no such residence"),
    ("dwellings", "number", "", "is empty"),
    ("dwellings", "lot", "12345678901234567", "17 characters"),
    ("dwellings", "surface_m2", "1.234,5", "thousands"),
    ("dwellings", "surface_m2", "-3", "above 0"),
    ("dwellings", "surface_m2", "#REF!", "formula"),
    ("meters", "fluid", "eau tiède", "must be one of"),
    ("meters", "vendor", "itrom", "did you mean 'itron'?"),
    ("meters", "printed_serial", "0000O017", "did you mean '00000017'?"),
    ("meters", "radio_address", "ITW-0000-00-07", "no radio address"),
    ("meters", "installed_on", "31/02/2024", "no such day"),
    ("meters", "installed_on", "01/02/24", "four digits"),
    ("meters", "installed_on", "45292", "format of a date"),
    ("meters", "removed_on", "2023-01-01", "before installed_on"),
    ("meters", "nominal_flow_m3_per_h", "dix", "as a number"),
    ("meters", "register_capacity", "12,5", "whole number"),
    ("keys", "radio_address", "QQQ-00000003-00-07", "did you mean 'ITW-"),
    ("keys", "key", "SECRETSECRETSECRETSECRET", "hexadecimal"),
    ("keys", "key", "00112233", "16 bytes"),
    ("occupancies", "number", "999", "no such dwelling"),
    ("occupancies", "move_out", "01/01/2020", "not after the move-in"),
    ("occupancies", "kind", "locatère", "did you mean 'locataire'?"),
    ("occupancies", "email", "personne@example.org", "no account"),
)
"""Kind of list, column, what a cell is replaced by, and what the reason says."""


def broken(made: Portfolio, *, each: int) -> dict[tuple[str, int, str], str]:
    """Break so many cells of each kind, each in a line of its own; what the reason of each must say."""
    expected: dict[tuple[str, int, str], str] = {}
    lines = {kind: iter(range(3, len(rows) + 1)) for kind, rows in made.rows.items()}
    lines["residences"] = iter(range(32, len(made.rows["residences"]) + 1))
    for kind, column, value, reason in BROKEN:
        for number in range(each):
            line = next(lines[kind])
            text = value if column != "radio_address" or kind != "keys" else f"QQQ-{line - 2:08d}-00-07"
            text = text if column != "printed_serial" else f"0000O{number:03d}"
            says = reason if column != "printed_serial" else f"did you mean '00000{number:03d}'?"
            made.cell(kind, line, column, text)
            expected[kind, line, column] = says
    return expected


async def test_every_broken_cell_is_named_and_nothing_is_written(take, tmp_path) -> None:
    """116 broken cells of 29 kinds: each is named once, by line, column, value and reason; no row is written.

    The mended lists go in, and a dry run of them says the same before.
    """
    each = 4
    whole = portfolio(60, residences=30)
    made = Portfolio({kind: [list(row) for row in rows] for kind, rows in whole.rows.items()})
    for number in range(30):  # residences on which no other line depends
        made.rows["residences"].append(["acme", "", f"S{number:03d}", *whole.rows["residences"][1][3:]])
    expected = broken(made, each=each)
    with pytest.raises(ListsRefused) as refused:
        await take(made.write(tmp_path / "broken"))
    found = {
        (fault.at.table.rpartition("/")[2].removesuffix(".csv"), fault.at.line, fault.column): fault
        for fault in refused.value.faults
    }
    assert len(found) == len(refused.value.faults)
    unnamed = {place for place in expected if place not in found}
    assert not unnamed
    wrong = {
        place: found[place].reason for place, says in expected.items() if says not in found[place].reason
    }
    assert not wrong
    caused = {place for place in found if place not in expected}
    assert {(kind, column) for kind, _, column in caused} <= {
        *(
            ("meters", "number"),
            ("occupancies", "number"),
        ),  # of dwellings whose residence or number is broken
        ("keys", "radio_address"),  # of meters whose address is
    }
    assert len(caused) <= (3 * 2 + 1) * each
    assert not any("SECRET" in f"{fault.value}{fault.reason}" for fault in found.values())
    assert (await Operator.all().count(), await Dwelling.all().count()) == (0, 0)
    mended = whole.write(tmp_path / "whole")
    await take(mended, dry_run=True)
    assert await Operator.all().count() == 0
    await take(mended)
    assert (await Dwelling.all().count(), await Meter.all().count(), await MeterKey.all().count()) == (
        60,
        120,
        120,
    )


@pytest.mark.parametrize(
    ("kind", "changed", "column", "reason"),
    [
        ("dwellings", {}, "number", "the same dwelling as in line 2"),
        ("dwellings", {"number": "77", "manager_reference": ""}, "lot", "the same lot as in line 2"),
        ("dwellings", {"number": "77", "lot": ""}, "manager_reference", "the same reference as in line 2"),
        ("meters", {}, "radio_address", "the same meter as in line 2"),
        (
            "meters",
            {"number": "2", "floor": "2", "staircase": "2"},
            "radio_address",
            "the same meter as in line 2",
        ),
        ("occupancies", {}, "move_in", "the same dwelling and day as in line 2"),
        ("occupancies", {"move_in": "2021-01-01"}, "move_in", "is still going on"),
        ("residences", {}, "code", "the same residence as in line 2"),
    ],
)
async def test_a_line_that_contradicts_another_names_it(
    take, tmp_path, kind, changed, column, reason
) -> None:
    """A second line of the same thing is at fault, and says which line has it already."""
    made = portfolio(4)
    made.rows[kind].append(list(made.rows[kind][1]))
    for name, value in changed.items():
        made.cell(kind, len(made.rows[kind]), name, value)
    with pytest.raises(ListsRefused) as refused:
        await take(made.write(tmp_path))
    (fault,) = refused.value.faults
    assert (fault.at.line, fault.column) == (len(made.rows[kind]), column)
    assert reason in fault.reason


async def test_a_stored_occupancy_counts_as_well(take, tmp_path) -> None:
    """A new tenant needs the end of the stored one; an owner who lives elsewhere does not (R-140, C-01)."""
    made = portfolio(2)
    await take(made.write(tmp_path))
    made.cell("occupancies", 2, "move_in", "01/06/2024")
    with pytest.raises(ListsRefused) as refused:
        await take(made.write(tmp_path))
    (fault,) = refused.value.faults
    assert "from 2020-03-01 (stored)" in fault.reason
    made.cell("occupancies", 2, "kind", "propriétaire bailleur")
    await take(made.write(tmp_path))
    made.cell("occupancies", 2, "kind", "locataire")
    made.rows["occupancies"].append([*made.rows["occupancies"][1]])
    made.cell("occupancies", 4, "move_in", "01/03/2020")
    made.cell("occupancies", 4, "move_out", "01/06/2024")
    await take(made.write(tmp_path))
    kinds = (
        await Occupancy.filter(dwelling__number="0")
        .order_by("move_in", "kind")
        .values_list("move_in", "move_out")
    )
    assert kinds == [
        (date(2020, 3, 1), date(2024, 6, 1)),
        (date(2024, 6, 1), None),
        (date(2024, 6, 1), None),
    ]


async def test_an_occupancy_belongs_to_the_account_of_its_e_mail(take, tmp_path) -> None:
    """The e-mail of a resident's account, in whatever case; a manager's is at fault."""
    made = portfolio(2)
    await take(made.write(tmp_path))
    for email, role in (("lea@example.org", Role.RESIDENT), ("chef@example.org", Role.MANAGER)):
        spec = AccountSpec("acme", email, "Demo-Water-2026", "A", "B", role=role)
        await upsert_account(SYSTEM, spec, now=NOW)
    made.cell("occupancies", 2, "email", "Lea@Example.org")
    made.cell("occupancies", 3, "email", "chef@example.org")
    with pytest.raises(ListsRefused) as refused:
        await take(made.write(tmp_path))
    assert [(fault.at.line, fault.column) for fault in refused.value.faults] == [(3, "email")]
    made.cell("occupancies", 3, "email", "")
    await take(made.write(tmp_path))
    row = await Occupancy.get(dwelling__number="0").select_related("account")
    assert row.account.email == "lea@example.org"


async def test_empty_cells_leave_what_is_stored(take, tmp_path) -> None:
    """A residence listed by its codes alone keeps its name, options and price; a dwelling its lot."""
    made = portfolio(3)
    await take(made.write(tmp_path))
    before = await stored()
    made.rows["residences"] = [["operator", "code"], ["acme", "R000"], ["acme", "R001"]]
    for line in (2, 3, 4):
        for column in ("lot", "manager_reference", "surface_m2"):
            made.cell("dwellings", line, column, "")
    await take(made.write(tmp_path))
    assert await stored() == before


async def test_the_number_of_statements_does_not_grow(take, tmp_path, monkeypatch, application) -> None:
    """Ten dwellings or a hundred, new or known: as many statements."""
    counts = []
    await take(portfolio(2).write(tmp_path))
    for dwellings in (10, 100):
        made = portfolio(dwellings, operator=f"op{dwellings}")
        for row in made.rows["meters"][1:]:
            row[9] = row[9].replace("ITW-0", f"ITW-{len(str(dwellings))}")
        for row in made.rows["keys"][1:]:
            row[0] = row[0].replace("ITW-0", f"ITW-{len(str(dwellings))}")
        paths = made.write(tmp_path / str(dwellings))
        for _ in range(2):
            with watched(monkeypatch) as work:
                await take(paths)
            counts.append(len(work.statements))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 60


async def test_only_who_may_describe_places_imports(application) -> None:
    """A manager's viewer is refused before a list is looked at."""
    manager = Viewer(account_id=1, role=Role.MANAGER)
    with pytest.raises(Forbidden):
        await import_lists(application, manager, Lists(), now=NOW)


async def test_what_another_process_writes_meanwhile_is_noticed(take, tmp_path) -> None:
    """A meter that was put into another dwelling since the last import is at fault."""
    made = portfolio(2)
    await take(made.write(tmp_path))
    other = await Dwelling.get(number="1")
    await Meter.filter(radio_address="ITW-00000000-00-07").update(dwelling_id=other.id)
    made.cell("dwellings", 2, "surface_m2", "99")
    with pytest.raises(ListsRefused) as refused:
        await take(made.write(tmp_path))
    assert [(fault.at.line, fault.column) for fault in refused.value.faults] == [(2, "radio_address")]
    assert (await Dwelling.get(number="0")).surface_m2 != 99
