"""The same lists again, shorter ones, and later ones: what is stored remains, and so does who lives there."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

import pytest

from core.access import SYSTEM, Act
from core.alerting.kinds import AlertKind
from core.alerting.workflow import AlertActionKind, KnownUse, Party
from core.consumption.fluids import Fluid
from core.models import Alert, AlertAction, AuditRecord, Dwelling, Meter, Occupancy, OutboxMessage, Residence
from core.services.portfolio.descriptions import AccountSpec
from core.services.portfolio.meter_import import check_list, import_list
from core.services.portfolio.portfolio import upsert_account, upsert_operator
from core.services.portfolio.portfolio_import import ListsRefused
from submeter.meter_lists import list_file
from tests.imports.conftest import NOW, Portfolio, portfolio, stored

LEA, TOM = "lea@example.org", "tom@example.org"


async def account(email: str, operator: str = "acme") -> int:
    spec = AccountSpec(operator, email, "Demo-Water-2026", "A", "B")
    return await upsert_account(SYSTEM, spec, now=NOW)


async def faults(take, paths) -> list[tuple[int, str, str]]:
    with pytest.raises(ListsRefused) as refused:
        await take(paths)
    return [(one.at.line, one.column, one.reason) for one in refused.value.faults]


@pytest.fixture
async def lea_lives_there(take, tmp_path) -> Portfolio:
    """Two homes; Léa has the first, Tom has an account and no home."""
    made = portfolio(2)
    await take(made.write(tmp_path))
    for email in (LEA, TOM):
        await account(email)
    made.cell("occupancies", 2, "email", LEA)
    await take(made.write(tmp_path))
    return made


@pytest.mark.parametrize("columns", [4, 3])
async def test_a_list_without_e_mails_leaves_accounts_and_ends(
    take, tmp_path, lea_lives_there, columns: int
) -> None:
    """Empty cells, or a list without e-mails: Léa keeps her home, and who has left has left."""
    made = lea_lives_there
    made.cell("occupancies", 3, "move_out", "01/06/2024")
    await take(made.write(tmp_path))
    before = await stored()
    ended = (await Occupancy.get(dwelling__number="1")).access_until
    made.cell("occupancies", 2, "email", "")
    made.cell("occupancies", 3, "move_out", "")
    if columns == 3:
        made.rows["occupancies"] = [[*row[:7], row[8]] for row in made.rows["occupancies"]]
    await take(made.write(tmp_path))
    assert await stored() == before
    assert (await Occupancy.get(dwelling__number="1")).access_until == ended
    assert before[-1][0]["account_id"] is not None
    assert str(before[-1][1]["move_out"]) == "2024-06-01"


async def test_another_account_of_an_occupancy_is_at_fault(take, tmp_path, lea_lives_there) -> None:
    """Another person is another occupancy: the line is named, and Léa keeps hers."""
    before = await stored()
    lea_lives_there.cell("occupancies", 2, "email", TOM)
    ((line, column, reason),) = await faults(take, lea_lives_there.write(tmp_path))
    assert (line, column) == (2, "email")
    assert "another person's is one of its own" in reason
    assert await stored() == before


async def test_an_account_of_another_operator_is_at_fault(take, tmp_path, lea_lives_there) -> None:
    """It is named as that, be the occupancy stored, new, or of an operator that is new itself."""
    await upsert_operator(SYSTEM, code="other", name="Other")
    await account("max@example.org", "other")
    made = lea_lives_there
    made.cell("occupancies", 3, "email", "max@example.org")
    made.cell("occupancies", 2, "email", "max@example.org")
    made.rows["occupancies"].append([*made.rows["occupancies"][2]])
    made.cell("occupancies", 4, "move_in", "01/03/2019")
    made.cell("occupancies", 4, "move_out", "01/03/2020")
    found = await faults(take, made.write(tmp_path))
    assert [(line, column, "another operator's" in reason) for line, column, reason in found] == [
        (2, "email", True),
        (3, "email", True),
        (4, "email", True),
    ]


@pytest.mark.parametrize("left_out", [False, True])
async def test_empty_cells_of_every_list_leave_what_is_stored(take, tmp_path, left_out) -> None:
    """Each column that may be empty, once filled, remains, be its cells empty or the column left out."""
    made = portfolio(1, residences=1)
    extra: Mapping[str, Mapping[str, str]] = {
        "residences": {"time_zone": "Europe/Madrid", "billing_starts": "07-01", "weather_station": "LYON"},
        "dwellings": {},
        "meters": {
            "removed_on": "01/06/2026",
            "register_step": "10",
            "register_capacity": "100000000",
            "location": "Cuisine",
            "aliases": "ITW-77000001-00-07",
        },
    }
    for kind, cells in extra.items():
        header, row = made.rows[kind][0], made.rows[kind][1]
        for column, value in cells.items():
            if column not in header:
                header.append(column)
                for other in made.rows[kind][1:]:
                    other.append("")
            row[header.index(column)] = value
    await take(made.write(tmp_path))
    before = await stored()
    meter, residence = await Meter.get(printed_serial="00000000"), await Residence.get()
    kept = {
        "residences": ("operator", "code"),
        "dwellings": ("operator", "residence", "building", "staircase", "floor", "number"),
        "meters": (
            *("operator", "residence", "building", "staircase", "floor", "number"),
            *("fluid", "vendor", "printed_serial", "radio_address", "installed_on"),
        ),
    }
    for kind, columns in kept.items():
        header, *rows = made.rows[kind]
        if left_out:
            places = [header.index(column) for column in columns]
            made.rows[kind] = [[row[place] for place in places] for row in made.rows[kind]]
        else:
            made.rows[kind] = [
                header,
                *(
                    ["" if name not in columns else cell for name, cell in zip(header, row, strict=True)]
                    for row in rows
                ),
            ]
    await take(made.write(tmp_path))
    assert await stored() == before
    again = await Meter.get(id=meter.id)
    assert (again.register_step, again.register_capacity, again.location) == (10, 100_000_000, "Cuisine")
    assert again.removed_at == meter.removed_at is not None
    assert again.nominal_flow_m3_per_h == Decimal("2.5")
    assert (await Residence.get()).weather_station == residence.weather_station == "LYON"


async def test_a_dash_says_that_a_meter_is_in_service_still(take, tmp_path) -> None:
    """A removal that was wrong is taken back by `-`, which no empty cell does."""
    made = portfolio(1)
    made.cell("meters", 2, "removed_on", "01/06/2026")
    await take(made.write(tmp_path))
    made.cell("meters", 2, "removed_on", "-")
    await take(made.write(tmp_path))
    assert (await Meter.get(printed_serial="00000000")).removed_at is None


async def test_a_list_of_meters_leaves_what_it_does_not_name_as_well(application, take, tmp_path) -> None:
    """`submeter meters import` has the same rule: empty cells leave, and a dash takes a removal back."""
    made = portfolio(1)
    await take(made.write(tmp_path))
    key = "operator,residence,building,staircase,floor,number,fluid,vendor,printed_serial,radio_address"
    line = "acme,R000,A,0,0,0,COLD_WATER,itron,00000000,ITW-00000000-00-07,2024-02-01"
    columns = f"{key},installed_on,removed_on,register_step,register_capacity,location"
    path = tmp_path / "list.csv"
    for cells, expected in (
        (",10,100000000,Cuisine", (True, 10, 100_000_000, "Cuisine")),
        ("2026-06-01,,,", (False, 10, 100_000_000, "Cuisine")),
        (",,,", (False, 10, 100_000_000, "Cuisine")),
        ("-,,,", (True, 10, 100_000_000, "Cuisine")),
    ):
        path.write_text(f"{columns}\n{line},{cells}\n", "utf-8")
        with list_file(path) as lines:
            checked = await check_list(SYSTEM, lines)
        await import_list(application, SYSTEM, checked, now=NOW)
        row = await Meter.get(printed_serial="00000000")
        found = (row.removed_at is None, row.register_step, row.register_capacity, row.location)
        assert found == expected


async def leak(number: str, account_id: int, *, at: datetime = NOW) -> Alert:
    """A dismissed alert of a home."""
    dwelling = await Dwelling.get(number=number)
    alert = await Alert.create(
        alert_key=f"leak {number}",
        kind=AlertKind.LEAK,
        dwelling_id=dwelling.id,
        fluid=Fluid.COLD_WATER,
        started_on=date(2026, 11, 1),
        raised_at=at,
        last_action=AlertActionKind.NOT_A_LEAK,
        snoozed_until=date(2027, 2, 1),
    )
    await AlertAction.create(
        alert_id=alert.id,
        action=AlertActionKind.NOT_A_LEAK,
        party=Party.RESIDENT,
        account_id=account_id,
        done_at=at,
        reason=KnownUse.WATERING,
        snoozed_until=date(2027, 2, 1),
    )
    return alert


async def test_a_move_by_a_list_starts_clean(take, tmp_path, lea_lives_there) -> None:
    """Léa's end and Tom's beginning in one list: her dismissal ends, her access has an end, she gets an
    e-mail, and the audit says who came and who left.
    """
    lea, tom = (await Occupancy.get(dwelling__number="0")).account_id, await account(TOM)
    assert lea is not None
    alert = await leak("0", lea)
    beside = await leak("1", tom)
    made = lea_lives_there
    made.cell("occupancies", 2, "move_out", "20/11/2026")
    made.rows["occupancies"].append([*made.rows["occupancies"][1]])
    for column, value in (("move_in", "20/11/2026"), ("move_out", ""), ("email", TOM)):
        made.cell("occupancies", 4, column, value)
    await take(made.write(tmp_path))
    old, new = await Occupancy.filter(dwelling__number="0").order_by("move_in")
    assert (old.move_out, old.access_until) == (date(2026, 11, 20), date(2027, 11, 28))
    assert (new.account_id, new.move_in, new.move_out) == (tom, date(2026, 11, 20), None)
    assert (await Alert.get(id=alert.id)).snoozed_until == date(2026, 11, 20)
    assert (await Alert.get(id=beside.id)).snoozed_until == date(2027, 2, 1)
    letters = await OutboxMessage.all()
    assert [(row.recipient, row.template) for row in letters] == [(LEA, "occupancy_end_recorded")]
    acts = {
        act: [row.details for row in await AuditRecord.filter(act=act, subject_id=old.dwelling_id)]
        for act in (Act.OCCUPANCY_STARTED, Act.OCCUPANCY_ENDED)
    }
    assert acts[Act.OCCUPANCY_ENDED] == [{"account": lea}]
    assert acts[Act.OCCUPANCY_STARTED][-1] == {"account": tom}
    written = await AuditRecord.all().count()
    await take(made.write(tmp_path))
    assert await AuditRecord.all().count() == written
    assert await OutboxMessage.all().count() == 1


async def test_a_past_occupancy_ends_nothing_of_the_present_one(take, tmp_path, lea_lives_there) -> None:
    """One of years ago that a list adds succeeds nobody: Léa's dismissal remains, no message is written."""
    lea = (await Occupancy.get(dwelling__number="0")).account_id
    assert lea is not None
    alert = await leak("0", lea)
    made = lea_lives_there
    made.rows["occupancies"].append([*made.rows["occupancies"][1]])
    for column, value in (("move_in", "01/01/2015"), ("move_out", "01/01/2018"), ("email", "")):
        made.cell("occupancies", 4, column, value)
    await take(made.write(tmp_path))
    assert (await Alert.get(id=alert.id)).snoozed_until == date(2027, 2, 1)
    assert await OutboxMessage.all().count() == 0


async def test_a_departure_to_come_is_announced(take, tmp_path, lea_lives_there) -> None:
    """The access goes on for the operator's time from that day, and another end is another e-mail."""
    made = lea_lives_there
    for day, until in (("01/02/2027", date(2028, 2, 1)), ("01/03/2027", date(2028, 2, 29))):
        made.cell("occupancies", 2, "move_out", day)
        await take(made.write(tmp_path))
        assert (await Occupancy.get(dwelling__number="0")).access_until == until
    assert await OutboxMessage.filter(recipient=LEA).count() == 2
