"""Two operators with a residence each: `ocea`, whose staff look, and `ista`, of which they see nothing."""

from datetime import date, timedelta
from typing import Any

import pytest

from core.access import SYSTEM, Role
from core.bootstrap import Application
from core.consumption.fluids import Fluid
from core.models import (
    Account,
    Dwelling,
    ManagedResidence,
    Meter,
    MeterAlias,
    MeterKey,
    Occupancy,
    OccupancyKind,
    Operator,
    Residence,
)
from core.services.portfolio.portfolio import upsert_operator
from tests.graphql.conftest import HEAT, WATER, Home, describe_home
from tests.support import factories
from tests.support.databases.prepared import Prepared, prepared_for
from tests.support.factories import NOW


async def meter(dwelling: Dwelling, serial: str, address: str, **differing: Any) -> Meter:
    """A cold water meter of a dwelling."""
    given = {"installed_at": NOW - timedelta(days=400), **differing}
    return await Meter.create(
        dwelling_id=dwelling.id,
        fluid=Fluid.COLD_WATER,
        vendor="ocea",
        printed_serial=serial,
        serial_key=serial,
        radio_address=address,
        **given,
    )


async def describe_estate(application: Application) -> None:
    """`ocea`: Claire's home with WATER, read an hour ago, and HEAT, never read; beside it a dwelling with a
    meter silent for ten days that has a key, and one that was removed. `ista`: a dwelling with a meter.
    """
    await describe_home(application)
    home = Home({row.printed_serial: row.id for row in await Meter.all()})
    await home.read(WATER, [(NOW - timedelta(hours=1), 1_000)])
    aa = await Residence.get(code="AA000")
    beside = await Dwelling.create(residence_id=aa.id, building="A", floor="3", number="13")
    silent = await meter(beside, "S1", "SAP-00000001-0C-04", location="cave_1")
    await MeterAlias.create(
        meter_id=silent.id, radio_address="SAP-0000000A-0C-04", serial_key="A", added_at=NOW
    )
    await MeterKey.create(meter_id=silent.id, encrypted_key=b"x", added_at=NOW)
    removed = await meter(beside, "S0", "SAP-00000000-0C-04", removed_at=NOW - timedelta(days=30))
    home.meters = {"S1": silent.id, "S0": removed.id}
    await home.read("S1", [(NOW - timedelta(days=10), 500)])
    await home.read("S0", [(NOW - timedelta(days=31), 700)])
    await upsert_operator(SYSTEM, code="ista", name="ista")
    other = await Operator.get(code="ista")
    theirs = await Residence.create(
        operator_id=other.id, code="AA000", name="Autre", street="2 rue", postcode="1", city="Lille"
    )
    flat = await Dwelling.create(residence_id=theirs.id, building="A", number="1")
    await meter(flat, "S1", "SAP-0000000B-0C-04")
    await factories.account(email="autre@example.org", first_name="Autre")
    await Account.filter(email="autre@example.org").update(operator_id=other.id)
    await Occupancy.create(
        dwelling_id=flat.id,
        account_id=(await Account.get(email="autre@example.org")).id,
        kind=OccupancyKind.TENANT,
        move_in=date(2024, 1, 1),
    )
    await factories.account(email="gestion@example.org", first_name="Odile", role=Role.MANAGER)
    managing = await Account.get(email="gestion@example.org")
    await ManagedResidence.create(account_id=managing.id, residence_id=aa.id, granted_at=NOW)


prepared = prepared_for("estate", Prepared("estate", describe_estate))


@pytest.fixture
async def estate(application: Application, home: Home) -> Application:
    """The application with both operators, which are prepared; `home` has the meters of `ocea`."""
    meters = await Meter.filter(dwelling__residence__operator__code="ocea")
    home.meters = {row.printed_serial: row.id for row in meters}
    assert home.meters.keys() == {HEAT, WATER, "S0", "S1"}
    return application
