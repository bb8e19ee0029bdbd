"""Describing residences, meters, keys and people to the application."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from core.access import SYSTEM, Role, Viewer
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.models import Account, Dwelling, Meter, MeterKey, Occupancy, OccupancyKind, Residence
from core.services.portfolio.descriptions import AccountSpec, DwellingSpec, OccupancySpec, ResidenceSpec
from core.services.portfolio.portfolio import (
    has_residences,
    upsert_account,
    upsert_meter,
    upsert_operator,
    upsert_residence,
)
from core.services.shared.transaction import current_database
from tests.support import factories

KEY = bytes.fromhex("0123456789ABCDEF0123456789ABCDEF")
ADDRESS = "SAP-21131C34-0C-04"
TABLES = ("operator", "residence", "dwelling", "meter", "meter_key", "account", "occupancy")


async def counts():
    found = {}
    for name in TABLES:
        (row,) = await current_database().execute_query_dict(f"SELECT COUNT(*) AS n FROM {name}")
        found[name] = row["n"]
    return found


async def add_meter(key_encryption, meter, *, number="12", residence_code="AA000"):
    return await upsert_meter(
        SYSTEM,
        residence_code=residence_code,
        operator_code="ocea",
        dwelling=DwellingSpec(number=number, building="A", staircase="1", floor="2"),
        meter=meter,
        key_encryption=key_encryption,
        now=factories.NOW,
    )


async def test_describing_the_same_twice_changes_nothing(application, key_encryption) -> None:
    """Rows, keys and passwords are unchanged."""
    assert not await has_residences(SYSTEM)
    spec = factories.meter(key=KEY)
    first = await factories.residence(key_encryption, spec)
    before, password = await counts(), (await Account.get()).password_hash
    assert await factories.residence(key_encryption, spec) == first
    assert await counts() == before == dict.fromkeys(TABLES, 1)
    assert (await Account.get()).password_hash == password
    assert await has_residences(SYSTEM)


async def test_describing_with_other_values_updates(application, key_encryption) -> None:
    """Meters and occupancies keep their rows; a dwelling's lot that is not repeated is kept."""
    await factories.residence(key_encryption, factories.meter())
    meter_id = await add_meter(key_encryption, factories.meter(printed_serial="H8CA029620"))
    meter = await Meter.get()
    assert (meter.id, meter.printed_serial) == (meter_id, "H8CA029620")
    assert (await Dwelling.get()).lot == "104"
    await factories.residence(key_encryption, factories.meter(), time_zone="Europe/Berlin")
    assert (await Residence.get()).time_zone == "Europe/Berlin"


@pytest.mark.requirement("R-052")
async def test_an_address_is_stored_in_its_canonical_form(application, key_encryption) -> None:
    """However it is typed; the printed serial keeps its letters."""
    await factories.residence(key_encryption, factories.meter(f" {ADDRESS.lower()} "))
    meter = await Meter.get()
    assert (meter.radio_address, meter.printed_serial) == (ADDRESS, "H18CA029620")


@pytest.mark.parametrize("address", ["", "SAP", "SAP-2113-0C-04", "SAP-21131C34-0C-04-00", "\0"])
async def test_a_radio_address_that_cannot_be_read_is_named(application, key_encryption, address) -> None:
    """InvalidInput at `radio_address`, and nothing of the residence is stored."""
    with pytest.raises(InvalidInput) as refused:
        await factories.residence(key_encryption, factories.meter(address), email=None)
    assert refused.value.field == "radio_address"
    assert await Residence.all().count() == 0


@pytest.mark.parametrize("length", [0, 1, 7, 9, 15, 17, 32])
async def test_a_key_of_another_length_is_refused(application, key_encryption, length) -> None:
    """Sixteen bytes, or eight for PRIOS; the message does not quote it."""
    with pytest.raises(InvalidInput) as refused:
        await factories.residence(key_encryption, factories.meter(key=b"\xab" * length), email=None)
    assert refused.value.field == "key"
    assert "ab" * 4 not in refused.value.message
    assert await MeterKey.all().count() == 0


async def test_a_meter_is_in_one_dwelling(application, key_encryption) -> None:
    """The same radio address in another dwelling is a conflict, and makes no dwelling either."""
    await factories.residence(key_encryption, factories.meter())
    with pytest.raises(Conflict) as refused:
        await add_meter(key_encryption, factories.meter(), number="13")
    assert refused.value.field == "radio_address"
    assert await Dwelling.all().count() == 1


async def test_what_is_named_must_exist(application, key_encryption) -> None:
    """A residence, an operator, an account, a time zone: each is refused with its field."""
    for work, error, field in (
        (add_meter(key_encryption, factories.meter(), residence_code="ZZ999"), NotFound, "residence"),
        (
            upsert_account(SYSTEM, AccountSpec("no", "a@b.c", "x", "A", "B"), now=factories.NOW),
            NotFound,
            "operator_code",
        ),
        (factories.residence(key_encryption, time_zone="Europe/Atlantis"), InvalidInput, "time_zone"),
        (factories.residence(key_encryption, time_zone="../etc"), InvalidInput, "time_zone"),
    ):
        with pytest.raises(error) as refused:
            await work
        assert refused.value.field == field
    stranger = DwellingSpec(number="1", occupancies=[OccupancySpec(date(2024, 1, 1), email="no@example.org")])
    residence = ResidenceSpec("ocea", "OCEA", "AA000", "R", "1 rue", "1", "C", dwellings=[stranger])
    with pytest.raises(NotFound) as refused:
        await upsert_residence(SYSTEM, residence, key_encryption=key_encryption, now=factories.NOW)
    assert refused.value.field == "email"
    assert await Residence.all().count() == 0


@pytest.mark.requirement("C-01")
async def test_an_owner_who_lives_elsewhere_replaces_no_occupant(application, key_encryption) -> None:
    """Both may begin on one day; an occupant who gets an account keeps the occupancy."""
    await factories.account()
    first = date(2024, 2, 1)
    owner = OccupancySpec(first, kind=OccupancyKind.OWNER_NON_OCCUPANT)
    for tenant in (OccupancySpec(first), OccupancySpec(first, email="claire.martin@example.org")):
        spec = DwellingSpec(number="1", occupancies=[owner, tenant])
        residence = ResidenceSpec("ocea", "OCEA", "AA000", "R", "1 rue", "1", "C", dwellings=[spec])
        await upsert_residence(SYSTEM, residence, key_encryption=key_encryption, now=factories.NOW)
    rows = {row.kind: row.account_id for row in await Occupancy.all()}
    assert set(rows) == {OccupancyKind.OWNER_NON_OCCUPANT, OccupancyKind.TENANT}
    assert rows[OccupancyKind.TENANT] is not None


async def test_keys_are_stored_encrypted(application, key_encryption, settings) -> None:
    """The plain key is nowhere in the database, nor in the database's file."""
    await factories.residence(key_encryption, factories.meter(key=KEY))
    (row,) = await MeterKey.all()
    assert KEY not in row.encrypted_key
    assert key_encryption.open(row.encrypted_key, radio_address=ADDRESS) == KEY
    for path in settings.data_dir.glob("test.db*"):
        assert KEY not in path.read_bytes()
        assert KEY.hex().encode() not in path.read_bytes().lower()


async def test_a_new_key_is_added_and_an_old_one_is_kept(application, key_encryption) -> None:
    """Describing a known key again adds none."""
    for key in (KEY, KEY[::-1], KEY, None):
        await factories.residence(key_encryption, factories.meter(key=key))
    assert await MeterKey.all().count() == 2


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.GATEWAY])
async def test_only_the_operators_command_line_describes(application, key_encryption, role) -> None:
    """Residents and gateways may not."""
    viewer = Viewer(role=role, account_id=1, operator_id=1)
    residence = ResidenceSpec("ocea", "OCEA", "AA000", "R", "1 rue", "1", "C")
    for work in (
        upsert_operator(viewer, code="x", name="X"),
        upsert_residence(viewer, residence, key_encryption=key_encryption, now=factories.NOW),
        upsert_account(viewer, AccountSpec("ocea", "a@b.c", "x", "A", "B"), now=factories.NOW),
        has_residences(viewer),
    ):
        with pytest.raises(Forbidden):
            await work


@pytest.mark.requirement("R-015", "C-16")
async def test_nothing_is_ticked_in_advance(application) -> None:
    """An account is notified of nothing unless the description enables it."""
    await upsert_operator(SYSTEM, code="ocea", name="OCEA")
    await upsert_account(
        SYSTEM, AccountSpec("ocea", "a@b.c", "x", "A", "B"), now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    account = await Account.get()
    assert not any((account.leak_by_email, account.leak_by_sms))
    assert not any((account.over_consumption_by_email, account.over_consumption_by_sms))
    spec = AccountSpec("ocea", "A@b.c", "x", "A", "B", leak_by_sms=True)
    await upsert_account(SYSTEM, replace(spec, password="another"), now=factories.NOW)
    assert (await Account.get()).leak_by_sms
    assert "another" not in repr(replace(spec, password="another"))


async def test_a_residence_has_a_price_of_water_or_none(application, key_encryption) -> None:
    """None until one is named; described again without one, it keeps the last."""
    residence = ResidenceSpec("ocea", "OCEA", "AA000", "R", "1 rue", "1", "C")
    for price, kept in ((None, None), ("4.52", "4.52"), ("3.8601", "3.8601"), (None, "3.8601")):
        spec = replace(residence, water_price_eur_per_m3=price and Decimal(price))
        await upsert_residence(SYSTEM, spec, key_encryption=key_encryption, now=factories.NOW)
        assert (await Residence.get()).water_price_eur_per_m3 == (kept and Decimal(kept))


async def test_a_residence_is_billed_from_a_day_of_the_year(application, key_encryption) -> None:
    """MM-DD, a day that every year has; described again without one, it keeps the last."""
    residence = ResidenceSpec("ocea", "OCEA", "AA000", "R", "1 rue", "1", "C")
    for day, kept in ((None, None), ("07-01", "07-01"), (None, "07-01")):
        spec = replace(residence, billing_starts=day)
        await upsert_residence(SYSTEM, spec, key_encryption=key_encryption, now=factories.NOW)
        assert (await Residence.get()).billing_starts == kept
    spec = replace(residence, billing_starts="02-29")
    with pytest.raises(InvalidInput) as refused:
        await upsert_residence(SYSTEM, spec, key_encryption=key_encryption, now=factories.NOW)
    assert refused.value.field == "billing_starts"


@pytest.mark.requirement("R-131", "C-09")
async def test_a_residence_remains_published(application, key_encryption) -> None:
    """A description does not publish; once published, describing again does not end its residents' access."""
    residence = ResidenceSpec("ocea", "OCEA", "AA000", "R", "1 rue", "1", "C")
    await upsert_residence(SYSTEM, residence, key_encryption=key_encryption, now=factories.NOW)
    assert (await Residence.get()).published_at is None
    await upsert_residence(
        SYSTEM,
        replace(residence, published_at=factories.NOW),
        key_encryption=key_encryption,
        now=factories.NOW,
    )
    await upsert_residence(SYSTEM, residence, key_encryption=key_encryption, now=factories.NOW)
    assert (await Residence.get()).published_at == factories.NOW


@pytest.mark.parametrize("price", ["0", "-1", "452", "NaN", "Infinity", "4.52001"])
async def test_an_invalid_price_is_refused(application, key_encryption, price) -> None:
    """No price is 0, and a price above 100 EUR was entered in cents."""
    residence = ResidenceSpec(
        "ocea", "OCEA", "AA000", "R", "1 rue", "1", "C", water_price_eur_per_m3=Decimal(price)
    )
    with pytest.raises(InvalidInput) as refused:
        await upsert_residence(SYSTEM, residence, key_encryption=key_encryption, now=factories.NOW)
    assert refused.value.field == "water_price"


@pytest.mark.parametrize(("name", "amount"), [("register_capacity", 0), ("register_step", -1)])
async def test_an_invalid_register_is_refused(application, key_encryption, name, amount) -> None:
    """A list with a capacity of 0 is refused where it is read, not at the meter's first telegram."""
    with pytest.raises(InvalidInput) as refused:
        await factories.residence(key_encryption, replace(factories.meter(), **{name: amount}))
    assert refused.value.field == name


@pytest.mark.parametrize("written", ["SAP-21131C34-0C-04", "sap-21131c34-0c-04"])
async def test_a_removal_that_is_not_repeated_is_kept(application, key_encryption, written) -> None:
    """However the address is written in the list that leaves it out."""
    removed = factories.NOW - timedelta(days=30)
    await factories.residence(key_encryption, factories.meter("SAP-21131C34-0C-04", removed_at=removed))
    await upsert_meter(
        SYSTEM,
        residence_code="AA000",
        operator_code="ocea",
        dwelling=DwellingSpec(building="A", staircase="1", floor="2", number="12"),
        meter=factories.meter(written),
        keep_removal=True,
        key_encryption=key_encryption,
        now=factories.NOW,
    )
    assert (await Meter.get()).removed_at == removed
