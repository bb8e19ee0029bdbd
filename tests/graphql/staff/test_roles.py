"""Who is not of the staff reaches none of its lists and publishes nothing."""

from typing import Any

import pytest

from core.access import Role
from graphql_schema.base.relay import global_id
from tests.support import factories, seats

FIELDS = {
    "meters": "{ meters { totalCount } }",
    "accounts": "{ accounts { totalCount } }",
    "deadLetters": "{ deadLetters { totalCount } }",
    "deadLetterCounts": "{ deadLetterCounts { count } }",
    "outbox": "{ outbox { totalCount } }",
    "publishResidence": "mutation { publishResidence(residence: $R, withoutData: true) { __typename } }",
    "unpublishResidence": "mutation { unpublishResidence(residence: $R) { __typename } }",
    "account": "{ node(id: $A) { id } }",
}


async def codes(portal: Any) -> set[str]:
    ids = {"$R": global_id("Residence", 1), "$A": global_id("Account", 1)}
    found = set()
    for query in FIELDS.values():
        asked = query
        for sign, number in ids.items():
            asked = asked.replace(sign, f'"{number}"')
        found.add((await portal.refusal(asked))["code"])
    return found


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.MANAGER, Role.ANALYST])
async def test_nobody_else_with_an_account_lists_or_publishes(estate: Any, portal: Any, role: Role) -> None:
    """Not the manager of the residence, not somebody who lives there."""
    await factories.account(email="who@example.org", role=role)
    await seats.enter(portal, estate, "who@example.org")
    assert await codes(portal) == {"FORBIDDEN"}


async def test_neither_gateway_nor_nobody_lists_or_publishes(
    estate: Any, portal: Any, issue_key: Any
) -> None:
    """A gateway's key only submits; without a token nothing is shown."""
    assert await codes(portal) == {"UNAUTHENTICATED"}
    portal.token = await issue_key()
    assert await codes(portal) == {"FORBIDDEN"}


async def test_staff_without_a_second_factor_list_nothing(estate: Any, portal: Any) -> None:
    """By the password alone each is refused by the name of the next step."""
    await factories.account(email="nadia@example.org", role=Role.STAFF)
    answer = await portal.ask(
        """mutation ($password: String!) {
            it: signIn(input: {email: "nadia@example.org", password: $password}) {
            ... on SignedIn { token } } }""",
        password=factories.PASSWORD,
    )
    portal.client.cookies.clear()
    portal.token = answer["it"]["token"]
    assert await codes(portal) == {"MUST_ENROL_SECOND_FACTOR"}
