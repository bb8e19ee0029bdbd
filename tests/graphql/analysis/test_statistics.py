"""Statistics through the API: what an analyst reads, what nobody else does, and what it costs."""

from typing import Any

import pytest

from core.access import Role
from core.models import Dwelling, Meter
from graphql_schema.base.relay import global_id
from tests.support import factories
from tests.support.analyses import enter
from tests.support.attack import watched

ANALYST = "analyst@example.org"
EVERYTHING = """query ($filter: StatisticFilterInput) { analysis { months
  consumption(filter: $filter) { edges { cursor node { month
    residence { residenceId code name city } classes dwellings fluid unit mean p10 p25 median p75 p90 } }
    pageInfo { hasNextPage } }
  leaks(filter: $filter) { edges { node { grouping classes dwellings leaks lossM3 meanDays medianDays } } }
  meters(filter: $filter) { edges { node { fluid grouping classes meters } } }
  completeness(filter: $filter) { edges { node { fluid classes meterDays measuredPercent missingPercent } } }
} }"""


def nodes(connection: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in connection["edges"]]


async def test_an_analyst_reads_the_four_tables(analyst: Any) -> None:
    """Of the operator, in cubic metres; the residence with four homes, is nowhere."""
    analysis = (await analyst.ask(EVERYTHING))["analysis"]
    assert analysis["months"] == ["2026-10"]
    found = {"+".join(row["classes"]): row for row in nodes(analysis["consumption"])}
    assert {name: (row["dwellings"], row["mean"], row["median"]) for name, row in found.items()} == {
        "ALL": (15, 6.44, 6.82),  # (2 x 3.1 + 3 x 9.3) / 5
        "UNDER_40_M2": (5, 3.1, None),
        "FROM_100_M2": (5, 9.3, None),
    }
    assert found["ALL"]["unit"] == "CUBIC_METRE"
    assert found["ALL"]["residence"] is None
    leaks = {(row["grouping"], *row["classes"]): row for row in nodes(analysis["leaks"])}
    assert leaks["ENDED", "LEVEL_1"]["lossM3"] == 3.0
    assert leaks["ENDED", "LEVEL_1"]["meanDays"] == 4.0
    assert leaks["BEGUN", "ALL"]["lossM3"] is None
    assert {row["grouping"] for row in nodes(analysis["meters"])} == {"MAKER", "AGE", "BATTERY", "RECEPTION"}
    (complete,) = [row for row in nodes(analysis["completeness"]) if row["classes"] == ["ALL"]]
    assert (complete["meterDays"], complete["measuredPercent"]) == (405, 100.0)


async def test_rows_of_residences(analyst: Any) -> None:
    """By name; one residence by its id; a residence that is too small has no row."""
    analysis = (await analyst.ask(EVERYTHING, filter={"byResidence": True}))["analysis"]
    rows = nodes(analysis["consumption"])
    assert {row["residence"]["code"] for row in rows} == {"A"}
    chosen = {
        "residence": rows[0]["residence"]["residenceId"],
        "fluid": "COLD_WATER",
        "from": "2026-10",
        "to": "2026-10",
    }
    again = (await analyst.ask(EVERYTHING, filter=chosen))["analysis"]
    assert nodes(again["consumption"]) == rows
    assert (await analyst.refusal(EVERYTHING, filter={"residence": "UmVzaWRlbmNlOjk5OQ=="}))[
        "code"
    ] == "NOT_FOUND"


async def test_pages_are_walked_by_cursor(analyst: Any) -> None:
    """One row a page gives all rows once."""
    query = """query ($after: String) { analysis { consumption(first: 1, after: $after) {
      edges { cursor node { classes } } pageInfo { hasNextPage endCursor } } } }"""
    after, seen = None, []
    while True:
        page = (await analyst.ask(query, after=after))["analysis"]["consumption"]
        seen += ["+".join(row["classes"]) for row in nodes(page)]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert sorted(seen) == ["ALL", "FROM_100_M2", "UNDER_40_M2"]
    assert (await analyst.refusal(query, after="eA=="))["code"] == "INVALID_INPUT"


OTHER_FIELDS = (
    "query { viewer { dwellings { id } } }",
    "query { residences { edges { node { code } } } }",
    "query { dwellingRequests { edges { node { id } } } }",
    "query { doubtfulReadings { edges { node { doubt } } } }",
    'mutation { submitTelegrams(lines: ["00"]) { __typename } }',
    'mutation { withdrawReading(input: {radioAddress: "A", readAt: "2026-10-01T00:00:00Z"}) { __typename } }',
)
BY_ID = (
    ("Dwelling", "query ($id: ID!) { dwelling(id: $id) { number } }"),
    ("Residence", "query ($id: ID!) { residence(id: $id) { code } }"),
    ("Dwelling", "query ($id: ID!) { node(id: $id) { id } }"),
    ("Meter", "query ($id: ID!) { node(id: $id) { id } }"),
    ("Alert", "mutation ($id: ID!) { acknowledgeAlert(input: {id: $id}) { __typename } }"),
)


@pytest.mark.parametrize("query", OTHER_FIELDS)
async def test_an_analyst_sees_nothing_else(analyst: Any, query: str) -> None:
    """No home, no alert, no reading, no request, whatever exists."""
    assert (await analyst.refusal(query))["code"] == "FORBIDDEN"


@pytest.mark.parametrize(("kind", "query"), BY_ID)
async def test_an_analyst_finds_nothing_by_its_id(analyst: Any, kind: str, query: str) -> None:
    """A home or meter of the own operator, which exists, is refused like one that does not."""
    number = (await (Meter if kind == "Meter" else Dwelling).first()).id
    answers = []
    for candidate in (number, 10**9):
        answer = (await analyst.post(query, {"id": global_id(kind, candidate)})).json()
        answers.append(answer["errors"][0]["extensions"]["code"])
    assert answers[0] == answers[1]
    assert answers[0] in {"FORBIDDEN", "NOT_FOUND"}


async def test_an_analyst_has_the_own_account(analyst: Any) -> None:
    """Name, role and sessions, as everybody; no second factor is asked for, since nobody's data are shown."""
    viewer = (await analyst.ask("{ viewer { role state email sessions { current } } }"))["viewer"]
    assert (viewer["role"], viewer["state"], viewer["email"]) == ("ANALYST", "READY", ANALYST)


async def test_a_token_for_programs(analyst: Any) -> None:
    """With the scope ANALYSES it reads statistics, and not the account; with another, no statistics."""
    create = (
        'mutation ($scopes: [TokenScope!]!) { createAccessToken(name: "script", scopes: $scopes) '
        "{ ... on AccessTokenIssued { token } } }"
    )
    session = analyst.token
    tokens = {}
    for scope in ("ANALYSES", "READ_DAILY"):
        tokens[scope] = (await analyst.ask(create, scopes=[scope]))["createAccessToken"]["token"]
    analyst.token = tokens["ANALYSES"]
    assert (await analyst.ask("{ analysis { months } }"))["analysis"] == {"months": ["2026-10"]}
    assert (await analyst.refusal("{ viewer { email } }"))["code"] == "FORBIDDEN"
    analyst.token = tokens["READ_DAILY"]
    assert (await analyst.refusal("{ analysis { months } }"))["code"] == "FORBIDDEN"
    assert analyst.token != session


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.MANAGER, Role.STAFF])
async def test_others_are_refused(portal: Any, role: Role) -> None:
    """Also by the codes of a second factor that is missing; nobody else gets rows."""
    await factories.account(email="other@example.org", role=role)
    await enter(portal, "other@example.org")
    assert (await portal.refusal("{ analysis { months } }"))["code"] in {
        "FORBIDDEN",
        "MUST_ENROL_SECOND_FACTOR",
    }


@pytest.mark.parametrize(
    ("query", "statements"),
    [
        ("{ analysis { months } }", 2),
        ("{ analysis { consumption { edges { node { mean } } } } }", 2),
        (EVERYTHING, 6),
    ],
)
async def test_an_operation_takes_so_many_statements(
    analyst: Any, query: str, statements: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One for the session, and one a table, whatever it holds."""
    await analyst.ask(query)
    with watched(monkeypatch) as work:
        await analyst.ask(query)
    assert len(work.statements) == statements, work.statements
