"""Permissions by field: checked before the resolver, described from the table that is checked."""

import re
from typing import Any

import pytest
from graphql import GraphQLObjectType, build_schema, is_leaf_type, parse

from core.access import Permission, Role
from core.access.permissions import PERMISSIONS_OF
from graphql_schema.base.query_limits import measured
from graphql_schema.contract import access
from graphql_schema.contract.access import BY_ARGUMENT, PERMISSIONS, guard
from graphql_schema.schema import schema

DWELLING = schema.core.type_map["Dwelling"]


def test_a_table_that_names_an_unknown_field_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that was renamed is never left without its check."""
    monkeypatch.setattr(access, "PERMISSIONS", {"Query.a": (), "Query.b": (Permission.METERS_READ,)})
    with pytest.raises(ValueError, match=r"Query\.a, Query\.b"):
        guard(build_schema("type Query { c: Int }"))


def test_each_permission_of_the_table_is_somebodys() -> None:
    """Of a role that signs in or submits: no field is closed to everybody, whatever its arguments."""
    roles = [role for role in Role if role is not Role.SYSTEM]
    for key, needed in PERMISSIONS.items():
        assert any({*needed} <= PERMISSIONS_OF[role] for role in roles), key
    for key, further in BY_ARGUMENT.items():
        for permission in further:
            assert any(permission in PERMISSIONS_OF[role] for role in roles), key


async def test_the_permission_is_checked_before_the_input(claire: Any) -> None:
    """Who may not do it learns nothing of what would be wrong with it."""
    accept = 'mutation { acceptReading(input: {id: "x"}) { ... on Refusal { code } } }'
    assert await claire.refusal(accept) == {"code": "FORBIDDEN"}
    claire.token = None
    assert await claire.refusal(accept) == {"code": "UNAUTHENTICATED"}
    assert await claire.refusal('{ dwelling(id: "x") { id } }') == {"code": "UNAUTHENTICATED"}


async def test_a_field_by_argument_is_refused_by_the_argument(claire: Any) -> None:
    """`consumption` by month for a token that may read months; by day not."""
    token = """mutation { createAccessToken(name: "x", scopes: [READ_MONTHLY]) {
        ... on AccessTokenIssued { token } } }"""
    claire.token = (await claire.ask(token))["createAccessToken"]["token"]
    asked = "{ viewer { dwellings { consumption(fluid: COLD_WATER, resolution: %s) { unit } } } }"
    await claire.ask(asked % "MONTHLY")
    assert await claire.refusal(asked % "DAILY") == {"code": "FORBIDDEN"}


@pytest.mark.parametrize("name", DWELLING.fields)
def test_the_cost_that_is_described_is_the_one_that_is_charged(name: str) -> None:
    """Of each field of a dwelling: what is selected of it, times the number that its description names."""
    assert isinstance(DWELLING, GraphQLObjectType)
    field = DWELLING.fields[name]
    selected = "" if is_leaf_type(getattr(field.type, "of_type", field.type)) else "{ __typename }"
    document = parse(f"{{ dwelling(id: 1) {{ {name} {selected} }} }}")
    times = re.search(r"times ([\d,]+|`first`)\.", field.description or "")
    factor = 1 if times is None else 50 if times[1] == "`first`" else int(times[1].replace(",", ""))
    assert measured(schema.core, document).points == {None: 2 + (factor if selected else 0)}
