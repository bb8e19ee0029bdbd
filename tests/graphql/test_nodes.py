"""`node(id)`: every object with an id is found by it, by its owner alone."""

from datetime import date, timedelta
from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType

from core.access import SYSTEM
from core.models import (
    Account,
    Alert,
    Dwelling,
    DwellingRequest,
    DwellingRequestKind,
    OccupancyKind,
    Residence,
    ResidenceDocument,
    Session,
)
from core.services.portfolio.publication import publish_residence
from core.services.telegrams.pipeline import take_in
from graphql_schema.base.relay import global_id
from graphql_schema.nodes import FINDERS
from graphql_schema.schema import schema
from tests.graphql.alerts.test_alerts import leak
from tests.graphql.conftest import WATER
from tests.services.conftest import Izar
from tests.support import factories, seats
from tests.support.factories import NOW

NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"
WITHOUT = {
    *("ResidenceCandidate", "AlertUpdated", "RecurringDrawAnswered", "DwellingRequestDecided"),
    *("AccessTokenRevoked", "HouseholdMemberRemoved"),
}
"""What a registration or a mutation answers: it has the id of something else."""


def objects_with_an_id() -> dict[str, GraphQLObjectType]:
    types = schema.core.type_map
    return {
        name: kind
        for name, kind in types.items()
        if isinstance(kind, GraphQLObjectType) and "id" in kind.fields
    }


def test_whatever_has_an_id_is_a_node_and_is_found() -> None:
    """No type has an id that leads nowhere."""
    interface = schema.core.type_map["Node"]
    assert isinstance(interface, GraphQLInterfaceType)
    nodes = {name for name, kind in objects_with_an_id().items() if interface in kind.interfaces}
    assert nodes == objects_with_an_id().keys() - WITHOUT == FINDERS.keys()


async def found(portal: Any, name: str, number: int) -> None:
    asked = global_id(name, number)
    assert (await portal.ask(NODE, id=asked))["node"] == {"__typename": name, "id": asked}


async def not_found(portal: Any, name: str, number: int) -> None:
    for absent in (number, 2**62):
        code = (await portal.refusal(NODE, id=global_id(name, absent)))["code"]
        assert code in {"NOT_FOUND", "FORBIDDEN"}, name


async def test_a_residents_own_objects_are_found(claire: Any, home: Any, application: Any) -> None:
    """Account, session, token, residence, dwelling, meter, alert; to another resident none of them
    exists.
    """
    await leak(home.meters[WATER], NOW.date() - timedelta(days=3))
    create = 'mutation { createAccessToken(name: "HA", scopes: [ALERTS]) { __typename } }'
    await claire.ask(create)
    numbers = {
        "Viewer": (await Account.get()).id,
        "Session": (await Session.get()).id,
        "AccessToken": 1,
        "Residence": (await Residence.get()).id,
        "Dwelling": (await Dwelling.get()).id,
        "Meter": home.meters[WATER],
        "Alert": (await Alert.get()).id,
    }
    for name, number in numbers.items():
        await found(claire, name, number)
    await seats.stranger(claire, application)
    for name, number in numbers.items():
        await not_found(claire, name, number)


async def test_a_managers_documents_and_requests_are_found(application: Any, home: Any, portal: Any) -> None:
    """By the managers of the residence alone."""
    number = await factories.account(email="luc@example.org")
    await publish_residence(application, SYSTEM, operator_code="ocea", residence_code="AA000", now=NOW)
    await ResidenceDocument.get_or_create(
        residence_id=(await Residence.get()).id, kind="PORTAL_READY", defaults={"created_at": NOW}
    )
    request = await DwellingRequest.create(
        dwelling_id=(await Dwelling.get()).id,
        account_id=number,
        kind=DwellingRequestKind.REVIEW,
        occupancy_kind=OccupancyKind.TENANT,
        move_in=date(2026, 11, 21),
        attested_at=NOW,
        opened_at=NOW,
    )
    numbers = {"ResidenceDocument": (await ResidenceDocument.get()).id, "DwellingRequest": request.id}
    await seats.manager(portal, application)
    for name, one in numbers.items():
        await found(portal, name, one)
    for other in (
        seats.manager(portal, application, residence=None),
        seats.staff(portal, application),
        seats.enter(portal, application, seats.CLAIRE),
    ):
        await other
        for name, one in numbers.items():
            await not_found(portal, name, one)


async def test_a_doubtful_reading_is_found_by_staff(
    application: Any, key_encryption: Any, portal: Any
) -> None:
    """Of their own operator."""
    meter = Izar()
    await factories.residence(key_encryption, factories.meter(meter.address))
    start = NOW - timedelta(hours=6)
    lines = [meter.line(300_000 + 10 * hour, start + timedelta(hours=hour)) for hour in range(3)]
    lines.append(meter.line(5_000_000, start + timedelta(hours=3)))
    await take_in(application, SYSTEM, lines, source="test", now=NOW)
    await seats.staff(portal, application)
    await found(portal, "DoubtfulReading", 1)
    await seats.staff(portal, application, operator=seats.OTHER_OPERATOR)
    await not_found(portal, "DoubtfulReading", 1)


@pytest.mark.parametrize("name", FINDERS)
async def test_without_a_sign_in_nothing_is_found(portal: Any, name: str) -> None:
    """Not even whether it exists."""
    assert (await portal.refusal(NODE, id=global_id(name, 1)))["code"] == "UNAUTHENTICATED"
