"""Points of operations: what they cost, what is left, and refusals before anything is read."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.bootstrap import Application
from core.graphql_settings import GraphQLSettings
from core.metering import Registry
from core.settings import Settings
from graphql_schema.asgi import build_app
from graphql_schema.base import context
from graphql_schema.requests import documents

TYPENAME = "{ __typename }"
THREE = "{ a: __typename b: __typename c: __typename }"
NAME = "{ viewer { firstName } }"


@pytest.fixture
def narrow(registry: Registry, tmp_path: Path, now: datetime) -> Callable[..., httpx.AsyncClient]:
    """The app with these settings of the API; its database is closed."""

    def client(address: str = "192.0.2.1", **settings: Any) -> httpx.AsyncClient:
        application = Application(
            Settings(tmp_path, "sqlite:///none", "s" * 32, graphql=GraphQLSettings(**settings)), registry
        )
        transport = httpx.ASGITransport(build_app(application, clock=lambda: now), client=(address, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://portal.test")

    return client


async def ask(client: httpx.AsyncClient, query: str, **headers: str) -> httpx.Response:
    return await client.post("/graphql", json={"query": query}, headers=headers)


async def test_an_answer_says_what_it_cost(door: Any) -> None:
    """A point is a field of the answer; lists count as long as they may be."""
    for query, points in ((TYPENAME, 1), (THREE, 3), ("{ operators { code name } }", 1 + 5 * 2)):
        cost = (await door.post(query)).json()["extensions"]["cost"]
        assert cost == {"points": points, "limit": 6_000}


async def test_the_schema_costs_a_point_for_ten_values(door: Any) -> None:
    """What is answered counts, not what is written."""
    answer = (await door.post('{ __type(name: "Fluid") { enumValues { name } } }')).json()
    values = answer["data"]["__type"]["enumValues"]
    assert answer["extensions"]["cost"]["points"] == 1 + (2 + 2 * len(values)) // 10


async def test_an_operation_beyond_the_limit_of_the_role_is_refused(narrow: Any) -> None:
    """The refusal names the limit, and no field was resolved."""
    client = narrow(query_points={"ANONYMOUS": 2})
    assert (await ask(client, TYPENAME)).json()["data"] == {"__typename": "Query"}
    answer = (await ask(client, THREE)).json()
    assert "data" not in answer
    assert answer["errors"][0]["extensions"] == {"code": "OPERATION_TOO_LARGE", "limit": 2}
    assert answer["extensions"]["cost"] == {"points": 3, "limit": 2}


async def test_what_is_left_of_the_hour_is_in_the_headers(narrow: Any, now: datetime) -> None:
    """`RateLimit` names what is left and the seconds to the next hour; both fall from answer to answer."""
    client = narrow(hour_points={"ANONYMOUS": 10})
    seconds = 3_600 - int(now.timestamp()) % 3_600
    for left in (9, 6):
        response = await ask(client, TYPENAME if left == 9 else THREE)
        assert response.headers["RateLimit-Policy"] == '"anonymous";q=10;w=3600'
        assert response.headers["RateLimit"] == f'"anonymous";r={left};t={seconds}'


async def test_an_hours_points_are_refused_beyond_their_number(narrow: Any, now: datetime) -> None:
    """RATE_LIMITED with the time to wait, 429 in the newer media type; another address has its own points."""
    client = narrow(hour_points={"ANONYMOUS": 4})
    seconds = 3_600 - int(now.timestamp()) % 3_600
    assert (await ask(client, THREE)).json()["data"]
    response = await ask(client, THREE, Accept="application/graphql-response+json")
    assert response.status_code == 429
    assert response.headers["Retry-After"] == str(seconds)
    assert response.json()["errors"][0]["extensions"] == {"code": "RATE_LIMITED", "retryAfter": seconds}
    assert "data" not in response.json()
    assert (await ask(client, TYPENAME)).json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    other = narrow("192.0.2.2", hour_points={"ANONYMOUS": 4})
    assert (await ask(other, THREE)).json()["data"]


async def test_documents_that_have_to_be_read_are_limited(
    narrow: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """A stream of documents that are refused, each another: once the network's points are gone, none is read
    any more, by whatever token. What is kept is answered still, and another network has its own points.
    """
    read = []
    parsed = documents.parsed
    monkeypatch.setattr(documents, "parsed", lambda text: read.append(text) or parsed(text))
    client = narrow(hour_points={"ANONYMOUS": 100})
    texts = [f"{{ nothing{number} }} # {request.node.name}".ljust(16 * 24) for number in range(6)]
    answers = [await ask(client, text, Authorization="Bearer sms_unknown") for text in texts]
    codes = [answer.json()["errors"][0]["extensions"]["code"] for answer in answers]
    assert codes == ["BAD_REQUEST"] * 4 + ["RATE_LIMITED"] * 2
    assert read == texts[:4]
    assert int(answers[-1].headers["Retry-After"]) > 0
    again = (await ask(client, texts[0])).json()["errors"][0]["extensions"]["code"]
    assert again == "BAD_REQUEST"
    other = narrow("192.0.2.2", hour_points={"ANONYMOUS": 100})
    assert (await ask(other, texts[5])).json()["errors"][0]["extensions"]["code"] != "RATE_LIMITED"


async def test_points_come_back_with_the_hour(portal: Any, settings: Settings, now: datetime) -> None:
    """The counter is that of the hour of the request."""
    left = [await _left(portal, TYPENAME) for _ in range(2)]
    assert left == [1_999_999, 1_999_998]
    portal.clock.now = now + timedelta(hours=1)
    assert await _left(portal, TYPENAME) == 1_999_999


async def test_an_account_has_its_own_points(claire: Any, issue_key: Callable[[], Awaitable[str]]) -> None:
    """Those of a resident's sessions are one sum, those of a gateway another; an invalid token has none."""
    first = await _left(claire, NAME)
    claire.token = None
    await claire.sign_in()
    assert await _left(claire, NAME) == first - 2
    assert first > 4_000_000
    claire.token = await issue_key()
    assert await _left(claire, TYPENAME) == 19_999_999
    claire.token = "sms_" + "x" * 40
    assert await _left(claire, TYPENAME) < 2_000_000


async def test_a_role_that_is_not_named_has_a_residents_points() -> None:
    """So a role of a plugin or a later version is limited."""
    settings = GraphQLSettings()
    assert settings.points_of("INSPECTOR") == settings.points_of("RESIDENT")


async def test_who_asks_is_looked_up_once(claire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget and the fields share one look-up of the token."""
    looked_up = []
    viewer_of_token = context.viewer_of_token

    async def counted(*args: Any, **kwargs: Any) -> Any:
        looked_up.append(args)
        return await viewer_of_token(*args, **kwargs)

    monkeypatch.setattr(context, "viewer_of_token", counted)
    assert await claire.ask(NAME) == {"viewer": {"firstName": "Claire"}}
    assert len(looked_up) == 1


async def _left(portal: Any, query: str) -> int:
    header = (await portal.post(query)).headers["RateLimit"]
    return int(header.split(";r=")[1].split(";")[0])
