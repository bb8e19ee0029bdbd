"""Lists of places, meters and readings for the command line and for staff: whose rows, and in pages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.access import NOBODY, SYSTEM, Permission, Role, Viewer
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.models import AuditRecord, Dwelling, Meter, MeterAlias, Operator, Residence
from core.services.accounts.account_lists import AccountsAsked, list_accounts, reach_of
from core.services.messaging.message_lists import MessagesAsked, list_operator_messages
from core.services.places.meter_lists import MetersAsked, list_meters
from core.services.places.meters import ReadingsAsked
from core.services.places.place_lists import PlaceFilter, list_dwellings, list_residences
from core.services.places.reading_lists import meter_named, stored_readings
from core.services.portfolio.portfolio import upsert_operator
from core.services.portfolio.publication import publish_residence, readiness
from core.services.shared.operator_scope import operator_in_charge
from core.services.telegrams.dead_letters import DeadLettersAsked, list_dead_letters
from core.services.telegrams.pipeline import take_in
from tests.support import factories
from tests.support.attack import watched
from tests.support.factories import NOW

FIRST = datetime(2026, 11, 10, tzinfo=UTC)


@pytest.fixture
async def staff(application: Any, key_encryption: Any, izar: Any) -> Viewer:
    """Staff of `ocea`, which has AA000 with a meter that was read ten times; `ista` has a residence, too."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    await take_in(application, SYSTEM, izar.hourly(FIRST, [1] * 9), source="test", now=NOW)
    await upsert_operator(SYSTEM, code="ista", name="ista")
    other = await Operator.get(code="ista")
    theirs = await Residence.create(
        operator_id=other.id, code="AA000", name="Autre", street="2 rue", postcode="1", city="Lille"
    )
    flat = await Dwelling.create(residence_id=theirs.id, number="1")
    await Meter.create(
        dwelling_id=flat.id,
        fluid="COLD_WATER",
        vendor="ista",
        printed_serial="H18CA029620",
        serial_key="H18CA029620",
        radio_address="SAP-0000000B-0C-04",
        installed_at=FIRST,
    )
    return Viewer(Role.STAFF, account_id=1, operator_id=(await Operator.get(code="ocea")).id)


async def test_staff_list_the_own_places_and_the_command_line_all(staff: Viewer) -> None:
    """Whatever the filter names; of one operator if that is asked for."""
    for viewer, operators in ((staff, ["ocea"]), (SYSTEM, ["ista", "ocea"])):
        asked = PlaceFilter(first=10)
        assert [one.operator for one in (await list_residences(viewer, asked)).items] == operators
        assert [one.operator for one in (await list_dwellings(viewer, asked)).items] == operators
        meters = await list_meters(viewer, MetersAsked(first=10), now=NOW)
        assert [one.operator for one in meters.items] == operators
        assert meters.total == len(operators)
        accounts = await list_accounts(viewer, AccountsAsked(first=10), visitor=NOBODY, now=NOW)
        assert [one.operator for one in accounts.items] == ["ocea"]
        of_ista = replace(asked, operator="ista")
        assert len((await list_residences(viewer, of_ista)).items) == operators.count("ista")
        assert (await list_residences(viewer, replace(asked, operator="is\0ta"))).items == []


async def test_what_a_residence_holds(staff: Viewer) -> None:
    """Its dwellings and the meters in place; a meter that was removed does not count."""
    await Meter.filter(radio_address="SAP-0000000B-0C-04").update(removed_at=NOW)
    found = (await list_residences(SYSTEM, PlaceFilter(first=10))).items
    assert [(one.dwellings, one.meters) for one in found] == [(1, 0), (1, 1)]
    assert [one.meters for one in (await list_dwellings(SYSTEM, PlaceFilter(first=10))).items] == [0, 1]
    published = (await list_residences(SYSTEM, PlaceFilter(first=10, published=True))).items
    assert [(one.code, one.published_at) for one in published] == [("AA000", NOW)]
    assert (await list_residences(SYSTEM, PlaceFilter(first=10, city="lille"))).items[0].name == "Autre"


async def test_pages_of_places_hold_each_once(staff: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one statement each; nothing follows the last one."""
    residence = await Residence.get(name="Autre")
    for number in range(7):
        await Dwelling.create(residence_id=residence.id, number=str(number + 2))
    whole = [one.id for one in (await list_dwellings(SYSTEM, PlaceFilter(first=100))).items]
    assert len(whole) == 9
    for size in (1, 2, 4, 9):
        seen: list[int] = []
        has_next, pages = True, 0
        with watched(monkeypatch) as work:
            while has_next:
                page = await list_dwellings(SYSTEM, PlaceFilter(size, seen[-1] if seen else None))
                seen += [one.id for one in page.items]
                has_next, pages = page.has_next, pages + 1
        assert seen == whole
        assert len(work.statements) == pages


async def test_the_command_lines_look_is_not_recorded(staff: Viewer) -> None:
    """It is the operator's own; what accounts reach is read for all at once."""
    page = await list_accounts(SYSTEM, AccountsAsked(first=10), visitor=NOBODY, now=NOW)
    (one,) = page.items
    reach = await reach_of(SYSTEM, [one.id, 2**62], now=NOW)
    assert [home.place for home in reach[one.id].homes] == ["A · 1 · 2 · 12"]
    assert (reach[2**62].homes, reach[2**62].residences) == ([], [])
    assert await AuditRecord.filter(act="DATA_ACCESSED").count() == 0


async def test_a_meter_is_named_by_serial_address_or_alias(staff: Viewer, izar: Any) -> None:
    """In any case and with separators; one of several is named by its address, or by the operator."""
    own = await Meter.get(radio_address=izar.address)
    await MeterAlias.create(meter_id=own.id, radio_address="SAP-0000000A-0C-04", serial_key="A", added_at=NOW)
    for name in (izar.address, izar.address.lower(), "SAP-0000000A-0C-04", "a"):
        assert (await meter_named(SYSTEM, name)).id == own.id
    with pytest.raises(Conflict, match=izar.address):
        await meter_named(SYSTEM, "h18 ca-029620")
    assert (await meter_named(SYSTEM, "h18 ca-029620", operator="ocea")).id == own.id
    assert (await meter_named(staff, "H18CA029620")).id == own.id
    for name in ("X9", "SAP-0000000B-0C-04", "a\0"):
        with pytest.raises(NotFound):
            await meter_named(staff, name)
    with pytest.raises(InvalidInput):
        await meter_named(SYSTEM, " - ")


async def test_the_readings_of_a_meter_are_for_the_command_line(staff: Viewer, izar: Any) -> None:
    """Whoever lived there, in pages; staff, who see no index, are refused."""
    meter = await meter_named(staff, izar.address)
    with pytest.raises(Forbidden):
        await stored_readings(staff, meter, ReadingsAsked(5, newest_first=False))
    page = await stored_readings(SYSTEM, meter, ReadingsAsked(4, newest_first=False))
    assert ([one.index for one in page.items], page.has_next) == ([1000, 1001, 1002, 1003], True)
    since = ReadingsAsked(9, newest_first=False, read_from=FIRST + timedelta(hours=8))
    assert [one.index for one in (await stored_readings(SYSTEM, meter, since)).items] == [1008, 1009]


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.MANAGER, Role.ANALYST, Role.GATEWAY])
async def test_nobody_else_lists_an_operators_rows(staff: Viewer, role: Role) -> None:
    """Refused by the permission, and once more where rows are narrowed."""
    viewer = replace(staff, role=role)
    for asked in (
        list_meters(viewer, MetersAsked(first=1), now=NOW),
        list_accounts(viewer, AccountsAsked(first=1), visitor=NOBODY, now=NOW),
        reach_of(viewer, [1], now=NOW),
        list_dead_letters(viewer, DeadLettersAsked()),
        list_operator_messages(viewer, MessagesAsked()),
        list_residences(viewer, PlaceFilter(first=1)),
    ):
        with pytest.raises(Forbidden):
            await asked
    with pytest.raises(Forbidden):
        operator_in_charge(replace(staff, operator_id=None))


async def test_staff_publish_nothing_of_another_operator(application: Any, staff: Viewer) -> None:
    """Though they name it by its codes; the services see to it themselves."""
    assert staff.may(Permission.RESIDENCES_PUBLISH)
    codes = {"operator_code": "ista", "residence_code": "AA000"}
    with pytest.raises(NotFound):
        await readiness(staff, **codes)
    with pytest.raises(NotFound):
        await publish_residence(application, staff, **codes, now=NOW)
