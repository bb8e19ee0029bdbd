"""Valid queries by chance, of every role: each is answered or refused, and shows nothing of others."""

from datetime import date, timedelta
from typing import Any

import pytest

from core.consumption.fluids import Fluid
from core.models import Account, Dwelling, Meter, Occupancy, OccupancyKind, Operator, Residence
from core.services.analysis.publication import publish_due
from graphql_schema.schema import schema
from tests.graphql.alerts.test_alerts import leak
from tests.graphql.conftest import WATER
from tests.support import factories
from tests.support.analyses import OCTOBER, Home, add_leak, add_residence
from tests.support.factories import NOW
from tests.support.generated.answers import tally
from tests.support.generated.operations import Generator
from tests.support.generated.people import Seat, addresses, all_seats, ids_for, rows_of_others
from tests.support.generated.rows import add_rows

OPERATIONS = 30
"""Of each role; `bench/api/generated_operations.py` asks thousands."""

REACHED = {"anonymous": 15, "provider": 15}
MOSTLY_REACHED = 25
"""So many fields have a value in the answers, by their names: the queries are not merely refused."""


async def _neighbour(residence: Residence, email: str, operator: str) -> Meter:
    """A home with a meter, and its tenant."""
    dwelling = await Dwelling.create(residence=residence, building="B", number="77")
    await factories.account(email=email, first_name="Nadia")
    row = await Operator.get(code=operator)
    await Account.filter(email=email).update(operator_id=row.id, phone_e164=f"+3361234567{row.id}")
    tenant = await Account.get(email=email)
    await Occupancy.create(
        dwelling=dwelling, account=tenant, kind=OccupancyKind.TENANT, move_in=date(2024, 1, 1)
    )
    return await Meter.create(
        dwelling=dwelling,
        fluid=Fluid.COLD_WATER,
        vendor="ocea",
        printed_serial=f"{operator}-serial-77",
        serial_key=f"{operator}-serial-77",
        radio_address=f"{operator}-address-77",
        installed_at=NOW - timedelta(days=400),
    )


@pytest.fixture
async def everybody(application: Any, home: Any, portal: Any) -> list[Seat]:
    """Claire's home, her neighbour's, residences of thirteen and of four homes, and another operator's; all
    of them with rows of every kind.
    """
    await home.read(WATER, [(NOW - timedelta(hours=hour), 100 - hour) for hour in (30, 2, 1)])
    await home.consume(WATER, NOW.date() - timedelta(days=40), NOW.date() - timedelta(days=1), daily=90)
    beside = await _neighbour(await Residence.get(code="AA000"), "beside@example.org", "ocea")
    meters = await add_residence("A", [Home(100, 35)] * 6 + [Home(300, 120)] * 7)
    await add_residence("=B()", [Home(300, 120)] * 4)
    await add_residence("Z", [Home(300, 120)] * 2, operator="ista")
    elsewhere = await _neighbour(await Residence.get(code="Z"), "elsewhere@example.org", "ista")
    for number in (home.meters[WATER], beside.id, elsewhere.id):
        await leak(number, NOW.date() - timedelta(days=3), loss="400.00", mean="5.9000")
    for number in meters[:6]:
        await add_leak(number, OCTOBER.first_day, OCTOBER.first_day.replace(day=5))
    await publish_due(now=NOW)
    await add_rows(NOW)
    return await all_seats(portal, application)


# When a field fails, graphql-core cancels the coroutines beside it, and what these had not begun to await.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
async def test_no_role_meets_an_internal_error_or_anything_of_others(everybody: Any, portal: Any) -> None:
    """Each role has what it may ask answered, and gets no id, serial, address or name of another's row; an
    analyst gets no count below five.
    """
    assert [seat.name for seat in everybody] == [
        *("anonymous", "resident", "owner", "household", "provider", "manager", "staff", "analyst")
    ]
    for seat in everybody:
        generator = Generator(schema.core, seat.name, NOW.date(), await ids_for(seat), seat.roots)
        found = await tally(portal.client, seat, generator.queries(OPERATIONS))
        assert found.faults == []
        assert found.with_data >= OPERATIONS / 5, (seat.name, found.refusals)
        assert len(found.fields) >= REACHED.get(seat.name, MOSTLY_REACHED), (seat.name, len(found.fields))
        assert (found.aggregates > 0) == seat.is_analyst


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
async def test_no_mutation_changes_what_is_of_others(everybody: Any, portal: Any) -> None:
    """Whatever ids are sent, of what exists and of what does not: no internal error, nothing of others in an
    answer, and their rows remain as they are.
    """
    for seat in everybody:
        ids = await ids_for(seat)
        generator = Generator(schema.core, seat.name, NOW.date(), ids, seat.roots, await addresses())
        before = await rows_of_others(seat)
        found = await tally(portal.client, seat, generator.mutations(OPERATIONS))
        assert found.faults == []
        after = await rows_of_others(seat)
        assert {name: after.get(name) for name in before} == before, seat.name


async def test_what_is_shown_to_a_stranger_is_noticed(everybody: Any, portal: Any) -> None:
    """The answers of the neighbour's own manager, held against what Claire may be shown, are faults."""
    by_name = {seat.name: seat for seat in everybody}
    claire, manager = by_name["resident"], by_name["manager"]
    mistaken = Seat("mistaken", manager.token, manager.roots, claire.ids, claire.texts, is_analyst=True)
    generator = Generator(schema.core, "mistaken", NOW.date(), await ids_for(mistaken), mistaken.roots)
    found = await tally(portal.client, mistaken, generator.queries(OPERATIONS))
    assert any("shows" in fault for fault in found.faults)
