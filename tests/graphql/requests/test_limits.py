"""Limits before work: what a request costs is counted, and it is refused before the work is done."""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest
from graphql import GraphQLEnumType, GraphQLSchema

from graphql_schema.requests import bodies, documents
from graphql_schema.requests.bodies import GATEWAY_BODY, MOST_BRACKETS
from graphql_schema.requests.documents import DocumentCache
from graphql_schema.requests.introspection import MOST_ERRORS
from graphql_schema.requests.variables import DEEPEST, MOST_VALUES, excess_of
from graphql_schema.schema import schema
from tests.support.hostile import (
    INTROSPECTION,
    SCOPES,
    SIGN_IN,
    SUBMIT,
    Hostile,
    generated,
    introspections,
    measured,
    misspelt_keys,
    misspelt_types,
)

SCHEMA: GraphQLSchema = schema.core
TOO_LARGE = "OPERATION_TOO_LARGE"


async def sent(door: Any, request: Hostile) -> httpx.Response:
    headers = [(name.decode(), value.decode("latin-1")) for name, value in request.headers]
    url = httpx.URL("/graphql", query=request.query_string) if request.query_string else "/graphql"
    return await door.client.request(request.method, url, content=request.body, headers=headers)


@pytest.fixture(autouse=True)
def fresh_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """No document is known yet."""
    monkeypatch.setattr("graphql_schema.asgi.DOCUMENTS", DocumentCache())


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts what is read as JSON, coerced as an enum, and compared for a suggestion."""
    counted: Counter[str] = Counter()

    def counting(name: str, function: Any) -> Any:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            counted[name] += 1
            return function(*args, **kwargs)

        return wrapped

    monkeypatch.setattr(orjson, "loads", counting("json", orjson.loads))
    coerce = GraphQLEnumType.coerce_input_value
    monkeypatch.setattr(GraphQLEnumType, "coerce_input_value", counting("coerced", coerce))
    for name, module in list(sys.modules.items()):
        if name.startswith("graphql.") and hasattr(module, "suggestion_list"):
            monkeypatch.setattr(module, "suggestion_list", counting("compared", module.suggestion_list))
    return counted


@pytest.mark.parametrize("request_", measured(), ids=lambda request: request.kind)
async def test_what_tipped_the_server_over_is_answered_shortly(door: Any, request_: Hostile) -> None:
    """Each is a client's fault, or an ordinary introspection, and answered in a few hundred bytes."""
    response = await sent(door, request_)
    assert response.status_code in {200, 400, 413}
    if request_.kind == "an ordinary introspection":
        assert response.json()["data"]["__schema"]["queryType"] == {"name": "Query", "kind": "OBJECT"}
    else:
        assert len(response.content) < 3_000
        assert {error["extensions"]["code"] for error in response.json()["errors"]} <= {
            TOO_LARGE,
            "BAD_REQUEST",
            "UNAUTHENTICATED",
        }


async def test_no_generated_request_is_the_servers_fault(door: Any) -> None:
    """Two hundred of all kinds: none is a 5xx or INTERNAL."""
    for request in generated(seed=7, count=200):
        response = await sent(door, request)
        assert response.status_code < 500, request.kind
        assert b'"INTERNAL"' not in response.content, request.kind


async def test_a_strangers_body_is_small(door: Any, calls: Counter[str]) -> None:
    """A body of more than 64 KiB is refused once so much has come, and its JSON is not read."""
    pieces = 0

    async def body() -> Any:
        nonlocal pieces
        for _ in range(1_000):
            pieces += 1
            yield b'["x"],' * 1_000

    headers = {"Content-Type": "application/json"}
    response = await door.client.post("/graphql", content=body(), headers=headers)
    assert response.status_code == 413
    assert response.json()["errors"][0]["message"] == "The body is larger than 65536 bytes."
    assert pieces == 1 + 65_536 // 6_000
    assert calls["json"] == 0


async def test_a_declared_length_is_refused_before_the_body_comes(door: Any) -> None:
    """A Content-Length that is too large is refused before anything is received."""
    headers = {"Content-Type": "application/json", "Content-Length": str(10**9)}
    received = []

    async def body() -> Any:
        received.append(1)
        yield b"{"

    assert (await door.client.post("/graphql", content=body(), headers=headers)).status_code == 413
    assert not received


async def test_only_a_gateway_sends_more(portal: Any, claire: Any, issue_key: Any) -> None:
    """A valid key opens the larger body; a resident's session, or a key that is none, does not."""
    lines = ["x" * 4_000] * 30
    assert (await claire.post(SUBMIT, {"l": lines})).status_code == 413
    portal.token = "smg_" + "x" * 40
    assert (await portal.post(SUBMIT, {"l": lines})).status_code == 413
    portal.token = await issue_key()
    assert (await portal.ask(SUBMIT, l=lines))["submitTelegrams"]["lines"] == 30
    assert (await portal.post(SUBMIT, {"l": ["x"], "more": "x" * GATEWAY_BODY})).status_code == 413


async def test_a_gateways_body_of_many_small_values_is_not_read(
    portal: Any, home: Any, issue_key: Any, calls: Counter[str]
) -> None:
    """Half a million numbers, lists or objects are counted in the bytes."""
    portal.token = await issue_key()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {portal.token}"}
    for value in (b"1,", b"[],", b"{},"):
        body = b'{"query": "{ __typename }", "variables": {"l": [' + value * 500_000 + b"1]}}"
        calls.clear()
        response = await portal.client.post("/graphql", content=body, headers=headers)
        assert (response.status_code, calls["json"]) == (413, 0)


@pytest.mark.parametrize(
    "line", ['{"a%d":' + "[" * 140, "%d" + ",{" * 100, '%d\\" [[' + '"\\[' * 50, "%d" + "\\" * 99 + "[" * 60]
)
async def test_what_a_line_holds_is_no_value(portal: Any, home: Any, issue_key: Any, line: str) -> None:
    """Lines of brackets, commas, quotes and backslashes are dead letters, and their delivery is taken in."""
    portal.token = await issue_key()
    lines = [line % number for number in range(1_000)]
    assert sum(map(len, re.findall(r"[\[{]+", "".join(lines)))) > MOST_BRACKETS
    assert (await portal.ask(SUBMIT, l=lines))["submitTelegrams"]["lines"] == 1_000


async def test_strings_are_left_out_wherever_a_piece_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The count of what is outside strings is that of the whole body, for pieces of any size."""
    body = orjson.dumps({"a": ['["\\', '\\\\"', ',"[', "\\" * 5, '"' * 4], "b": [[], {}, [1, 2]], 'c"[\\': 1})
    counted = {"brackets": 0}

    def outside(text: bytes) -> int:
        counted["brackets"] += text.count(b"{") + text.count(b"[")
        return 0

    monkeypatch.setattr(bodies, "MOST_COMMAS", 0)
    monkeypatch.setattr(bodies, "_brackets", outside)
    monkeypatch.setattr(bodies, "_commas", lambda text: 1 if text == body else 0)
    for size in range(1, len(body)):
        monkeypatch.setattr(bodies, "PIECE", size)
        counted["brackets"] = 0
        await bodies.check_structure(body)
        assert counted["brackets"] == 6, size


@pytest.mark.parametrize("value", ["READ_DAILY", "NO", 1, None])
async def test_variables_are_counted_before_they_are_coerced(
    door: Any, calls: Counter[str], value: object
) -> None:
    """One value more than a thousand is refused, and no value was looked at; nobody is authenticated."""
    refusal = await door.refusal(SCOPES, s=[value] * (MOST_VALUES + 1))
    assert refusal == {"code": TOO_LARGE, "limit": MOST_VALUES}
    assert calls["coerced"] == 0


async def test_wrong_variables_are_few_errors(door: Any, calls: Counter[str]) -> None:
    """Of 900 wrong values five are reported, and at most one is compared with the right ones."""
    errors = (await door.post(SCOPES, {"s": ["READ_DALY"] * 900})).json()["errors"]
    assert len(errors) == MOST_ERRORS + 1
    assert calls["compared"] <= 1
    assert calls["coerced"] <= 2 * len(errors)


@pytest.mark.parametrize(
    ("variables", "limit"),
    [
        ({"a": [1] * 600, "b": {"c": [1] * 500}}, MOST_VALUES),
        ({f"k{number}": 1 for number in range(1_001)}, MOST_VALUES),
        ({"a": [[1]] * 501}, MOST_VALUES),
        ({"a": json.loads("[" * 100 + "]" * 100)}, DEEPEST),
        ({"a": json.loads('{"a":' * 100 + "1" + "}" * 100)}, DEEPEST),
    ],
)
def test_values_of_every_shape_count(variables: dict[str, Any], limit: int) -> None:
    """Items and members count alike, wherever they are; depth has a limit of its own."""
    excess = excess_of(variables, MOST_VALUES)
    assert excess is not None
    assert excess.extensions == {"code": TOO_LARGE, "limit": limit}


def test_the_walk_over_variables_stops_at_the_limit() -> None:
    """A list that is too long is not walked through."""

    class Unread(list[object]):
        def __iter__(self) -> Iterator[object]:
            raise AssertionError

    assert excess_of({"a": Unread([[1]] * 5_000)}, MOST_VALUES) is not None
    assert excess_of({"a": [[1]] * 400}, MOST_VALUES) is None


@pytest.mark.parametrize(
    "query",
    [
        misspelt_types(120),
        misspelt_keys(230),
        "{ viewer { " + " ".join(f"firstNam{number}" for number in range(450)) + " } }",
        "{ " + " ".join(f"dwelling(i{number}: 1) {{ id }}" for number in range(80)) + " }",
        "{ " + " ".join(f"__typename @ski{number}" for number in range(60)) + " }",
        "{ viewer { dwellings { dailyConsumption(fluid: HEATT, frm: 1) { day } } } }",
    ],
)
async def test_validation_stops_after_a_few_errors(door: Any, calls: Counter[str], query: str) -> None:
    """At most five errors, and the note that there are more; no word is compared with the schema's."""
    errors = (await door.post(query)).json()["errors"]
    assert 1 <= len(errors) <= MOST_ERRORS + 1
    assert calls["compared"] == 0
    assert not any("Did you mean" in error["message"] for error in errors)


async def test_a_long_value_is_not_repeated(door: Any) -> None:
    """Names, texts and numbers of a client are shortened in messages."""
    long = "x" * 20_000
    for query, variables in (
        (f"{{ {long} }}", {}),
        (f'{{ node(id: {{a: "{long}"}}) {{ id }} }}', {}),
        ("query ($i: ID!) { node(id: $i) { id } }", {"i": [long]}),
        ("query ($f: Fluid!) { viewer { dwellings { dailyConsumption(fluid: $f) { day } } } }", {"f": long}),
        (SIGN_IN, {"e": {long: long}}),
        (
            "query ($m: Month) { dwelling(id: 1) { monthlyConsumption(fluid: HEAT, from: $m) { month } } }",
            {"m": long},
        ),
    ):
        response = await door.post(query, variables)
        assert len(response.content) < 1_200
        assert response.json()["errors"]
    body = {"query": "{ __typename }", "operationName": long}
    response = await door.client.post("/graphql", json=body)
    assert (response.status_code, len(response.content) < 300) == (400, True)


@pytest.mark.parametrize(
    "number", ["9" * 31_000, "9" * 41, "-" + "1" * 5_000, "1." + "1" * 5_000, "1e" + "9" * 60]
)
@pytest.mark.parametrize(
    "place", ["node(id: 1) { ... on Meter { readings(first: %s) { totalCount } } }", "node(id: %s) { id }"]
)
async def test_a_number_of_many_digits_is_refused(door: Any, number: str, place: str) -> None:
    """It is the client's fault, whatever it stands for."""
    refusal = await door.refusal("{ " + place % number + " }")
    assert refusal["code"] == TOO_LARGE


async def test_a_long_address_or_header_is_refused(door: Any) -> None:
    """Parameters and headers are bounded before they are parsed."""
    for query, status in ((b"query=" + b"a" * 20_000, 414), (b"&".join([b"a=1"] * 30), 414)):
        response = await door.client.get(httpx.URL("/graphql", query=query))
        assert response.status_code == status
    response = await door.client.get("/graphql?query={__typename}", headers={"Accept": "a/b," * 20_000})
    assert response.status_code == 431


async def test_a_document_is_worked_on_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between parsing, validation and what follows others have their turn."""
    turns: list[str] = []
    monkeypatch.setattr(documents.asyncio, "sleep", lambda _seconds: _turn(turns))
    await DocumentCache().read(SCHEMA, INTROSPECTION)
    assert turns == ["turn", "turn"]


async def _turn(turns: list[str]) -> None:
    turns.append("turn")


async def test_thirty_introspections_are_refused_by_what_they_answer(door: Any) -> None:
    """Ten values a point, and a stranger has 6,000 points."""
    assert await door.refusal(introspections(30)) == {"code": TOO_LARGE, "limit": 6_000}


async def test_what_tools_ask_of_the_schema_is_a_half_of_what_strangers_may(door: Any) -> None:
    """So the schema may grow before GraphiQL is refused."""
    cost = (await door.post(INTROSPECTION)).json()["extensions"]["cost"]
    assert cost["points"] < cost["limit"] / 2
