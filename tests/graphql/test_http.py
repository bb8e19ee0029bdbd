"""GraphQL over HTTP: media types, statuses, and answers to malformed requests."""

from typing import Any

import pytest

TYPENAME = '{"query": "{ __typename }"}'
ANSWER = {"data": {"__typename": "Query"}, "extensions": {"cost": {"points": 1, "limit": 6_000}}}
TWO = '{"query": "query A { __typename } query B { __typename }"%s}'


async def test_typename_needs_no_credentials(door: Any) -> None:
    """The smallest query answers, so that a monitor can ask it."""
    assert await door.ask("{ __typename }") == {"__typename": "Query"}


@pytest.mark.parametrize(
    "body",
    [
        b"foo", b"", b'"foo"', b"1", b"null", b"true", b"{}",
        b"[]", b"[1]", b'[{"query": "{ __typename }"}]',
        b'{"query": "\xff"}', b'{"query": "\\ud800"}', b"[" * 50_000, b'{"a":' * 10_000,
        b'{"query": null}', b'{"query": 1}', b'{"query": ""}',
        b'{"query": "{ __typename }", "variables": []}',
        b'{"query": "{ __typename }", "variables": "x"}', b'{"query": "{ __typename }", "extensions": 1}',
        b'{"query": "{ __typename }", "operationName": 1}',
        b'{"query": "{ __typename }", "operationName": "No"}',
        b'{"query": "query A { __typename } query B { __typename }"}',
        TYPENAME.encode("utf-16"),
    ],
)  # fmt: skip
async def test_a_malformed_request_is_the_clients_fault(door: Any, body: bytes) -> None:
    """Every malformed request gets a 4xx and a JSON list of errors."""
    response = await door.client.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["message"]
    assert error["extensions"] == {"code": "BAD_REQUEST"}


@pytest.mark.parametrize(
    "query",
    [
        "{", "{ nothing }", "{ viewer }", "query ($n: Int!) { __typename }", "subscription { __typename }",
        "{ dwelling(id: {a: 1}) { id } }", "{ __typename @skip }", "fragment F on Query { __typename }",
        "{" * 150, "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
    ],
)  # fmt: skip
async def test_a_wrong_document_is_refused_with_a_code(door: Any, query: str) -> None:
    """Documents that do not fit the schema are errors with a code, and 400 in the newer media type."""
    accept = "application/graphql-response+json"
    response = await door.client.post("/graphql", json={"query": query}, headers={"Accept": accept})
    assert response.status_code == 400
    assert "data" not in response.json()
    assert {error["extensions"]["code"] for error in response.json()["errors"]} == {"BAD_REQUEST"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fluid", "MILK"), ("fluid", 1), ("fluid", None), ("day", "tomorrow"), ("day", 20260101),
        ("month", "2026-13"), ("month", "26-01"), ("month", 2026), ("month", "٢٠٢٦-01"),
    ],
)  # fmt: skip
async def test_a_wrong_variable_is_refused_with_a_code(claire: Any, name: str, value: object) -> None:
    """Values that are not of their type are a client error."""
    query = """query ($fluid: Fluid!, $day: Date, $month: Month) { viewer { dwellings {
      dailyConsumption(fluid: $fluid, from: $day) { day }
      monthlyConsumption(fluid: $fluid, from: $month) { month }
    } } }"""
    assert (await claire.refusal(query, **{"fluid": "HEAT", name: value}))["code"] == "BAD_REQUEST"


async def test_operation_name_chooses(door: Any) -> None:
    """Of several operations the named one runs."""
    headers = {"Content-Type": "application/json"}
    response = await door.client.post("/graphql", content=TWO % ', "operationName": "B"', headers=headers)
    assert response.json() == ANSWER


async def test_get_asks_and_never_changes(door: Any) -> None:
    """A query may use GET; a mutation gets 405 with the allowed method."""
    response = await door.client.get("/graphql", params={"query": "{ __typename }", "variables": "{}"})
    assert response.json() == ANSWER
    response = await door.client.get(
        "/graphql",
        params={"query": "mutation { signOut { __typename } }"},
    )
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert (await door.client.get("/graphql")).status_code == 400
    response = await door.client.get("/graphql", params={"query": "{ __typename }", "variables": "{"})
    assert response.status_code == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_refused(door: Any, method: str) -> None:
    """Only GET and POST are GraphQL."""
    response = await door.client.request(method, "/graphql")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html", "application/json"),
        ("application/graphql-response+json", "application/graphql-response+json"),
        ("application/graphql-response+json, application/json;q=0.9", "application/graphql-response+json"),
        ("application/graphql-response+json;q=0.5, application/json", "application/json"),
        ("application/json, application/graphql-response+json", "application/graphql-response+json"),
        ("application/graphql-response+json;q=x, application/json;q=0.1", "application/json"),
    ],
)
async def test_the_media_type_is_negotiated(door: Any, accept: str, media_type: str) -> None:
    """The answer is in the better of the two media types, by the client's weights."""
    response = await door.client.post(
        "/graphql", json={"query": "{ __typename }"}, headers={"Accept": accept}
    )
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"


async def test_a_browser_gets_a_page(door: Any) -> None:
    """A browser that opens the address finds GraphiQL."""
    response = await door.client.get("/graphql", headers={"Accept": "text/html,*/*;q=0.8"})
    assert response.headers["content-type"].startswith("text/html")
    assert "graphiql" in response.text


async def test_a_charset_other_than_utf_8_is_refused(door: Any) -> None:
    """JSON is UTF-8 (RFC 8259); the charset may be stated, but no other."""
    for charset, status in (("utf-8", 200), ('"UTF-8"', 200), ("utf-16", 415)):
        headers = {"Content-Type": f"application/json; charset={charset}"}
        assert (await door.client.post("/graphql", content=TYPENAME, headers=headers)).status_code == status


async def test_every_answer_carries_the_security_headers(door: Any) -> None:
    """Personal data are not cached, and types are not guessed."""
    for response in (await door.post("{ __typename }"), await door.client.get("/nowhere")):
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "same-origin"
        assert response.headers["content-security-policy"] == "frame-ancestors 'none'"
