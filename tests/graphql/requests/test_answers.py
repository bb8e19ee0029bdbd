"""Answers on their way out: tags, what may keep them, compression, and the pages of other sites."""

import gzip
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.bootstrap import Application
from core.graphql_settings import GraphQLSettings
from core.metering import Registry
from core.models import Account
from core.settings import Settings
from graphql_schema.asgi import build_app
from graphql_schema.base.credentials import COOKIE
from graphql_schema.requests import answers
from tests.support.hostile import INTROSPECTION

NAME = "{ viewer { firstName } }"
PORTAL = "https://portal.example.org"


async def got(portal: Any, query: str, **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if portal.token is not None:
        names.setdefault("Authorization", f"Bearer {portal.token}")
    return await portal.client.get("/graphql", params={"query": query}, headers=names)


async def test_a_client_that_has_the_answer_gets_304(claire: Any) -> None:
    """The tag follows the answer; both forms of a tag are known, and one of several is enough."""
    first = await got(claire, NAME)
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in first.headers["Vary"]
    for given in (tag, tag.removeprefix("W/"), f'"x", {tag}'):
        response = await got(claire, NAME, If_None_Match=given)
        assert (response.status_code, response.content, response.headers["ETag"]) == (304, b"", tag)
        assert response.headers["Cache-Control"] == "private, no-cache"
        assert response.headers["RateLimit"]
    assert (await got(claire, NAME, If_None_Match='"x"')).status_code == 200
    await Account.all().update(first_name="Clara")
    changed = await got(claire, NAME, If_None_Match=tag)
    assert (changed.status_code, changed.json()["data"]) == (200, {"viewer": {"firstName": "Clara"}})


async def test_answers_by_a_session_cookie_are_not_stored(claire: Any) -> None:
    """Computers are shared: a browser keeps nothing."""
    claire.client.cookies.set(COOKIE, claire.token)
    claire.token = None
    response = await got(claire, NAME)
    assert response.json()["data"] == {"viewer": {"firstName": "Claire"}}
    assert response.headers["Cache-Control"] == "no-store"
    assert "ETag" not in response.headers


async def test_posts_and_errors_have_no_tag(door: Any) -> None:
    """Nothing but a whole answer to GET may be kept."""
    for response in (
        await door.post("{ __typename }"),
        await got(door, NAME),
        await got(door, "{ nothing }"),
    ):
        assert "ETag" not in response.headers
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "*", "x-gzip"])
async def test_answers_are_compressed(door: Any, accepted: str) -> None:
    """Where the client takes gzip, and the answer is a kilobyte or more; the tag is the same."""
    headers = {"Accept-Encoding": accepted}
    body = {"query": INTROSPECTION}
    async with door.client.stream("POST", "/graphql", json=body, headers=headers) as response:
        raw = b"".join([part async for part in response.aiter_raw()])
    assert response.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response.headers["Vary"]
    assert len(raw) == int(response.headers["Content-Length"]) < 60_000
    assert json.loads(gzip.decompress(raw))["data"]["__schema"]
    tags = {
        (await got(door, "{ operators { code labels { key } } }", Accept_Encoding=encoding)).headers["ETag"]
        for encoding in (accepted, "identity")
    }
    assert len(tags) == 1


@pytest.mark.parametrize("accepted", ["identity", "", "gzip;q=0", "br", "gzip; q=0.0"])
async def test_answers_are_plain_where_gzip_is_not_taken(door: Any, accepted: str) -> None:
    """A client that does not name it gets the answer as it is."""
    response = await door.client.post(
        "/graphql", json={"query": INTROSPECTION}, headers={"Accept-Encoding": accepted}
    )
    assert "Content-Encoding" not in response.headers


async def test_small_answers_and_those_of_mutations_are_plain(
    claire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mutation may answer a secret, whose length compression could tell."""
    monkeypatch.setattr(answers, "SMALLEST_COMPRESSED", 10)
    secret = await claire.post("""mutation { createAccessToken(name: "x", scopes: [ALERTS]) {
        ... on AccessTokenIssued { token }
        ... on Refusal { code field } } }""")
    assert secret.json()["data"]["createAccessToken"]["token"]
    assert "Content-Encoding" not in secret.headers
    assert (await claire.post(NAME)).headers["Content-Encoding"] == "gzip"
    monkeypatch.undo()
    assert "Content-Encoding" not in (await claire.post(NAME)).headers


async def test_large_answers_are_compressed_beside_the_event_loop(
    door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond 64 KiB a thread does it."""
    threads = []
    to_thread = answers.asyncio.to_thread

    async def noted(function: Any, *args: Any) -> Any:
        threads.append(function)
        return await to_thread(function, *args)

    monkeypatch.setattr(answers.asyncio, "to_thread", noted)
    await door.ask("{ operators { code labels { key } } }")
    assert threads == []
    await door.ask(INTROSPECTION)
    assert len(threads) == 1


@pytest.fixture
def named(registry: Registry, tmp_path: Path, now: Any) -> httpx.AsyncClient:
    """An app that a portal on another host may call."""
    settings = Settings(tmp_path, "sqlite:///none", "s" * 32, graphql=GraphQLSettings(origins=(PORTAL,)))
    app = build_app(Application(settings, registry), clock=lambda: now)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test")


async def test_pages_of_named_sites_may_call(named: httpx.AsyncClient) -> None:
    """Their browsers learn it before and with the answer, also for requests with the session's cookie."""
    headers = {
        "Origin": PORTAL,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, authorization",
    }
    before = await named.options("/graphql", headers=headers)
    assert before.status_code == 200
    for response in (
        before,
        await named.post(
            "/graphql", json={"query": "{ __typename }"}, headers={"Origin": PORTAL, "Cookie": f"{COOKIE}=x"}
        ),
    ):
        assert response.headers["Access-Control-Allow-Origin"] == PORTAL
        assert response.headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in response.headers["Vary"]
    assert response.json()["data"] == {"__typename": "Query"}
    assert "RateLimit" in response.headers["Access-Control-Expose-Headers"]


async def test_pages_of_other_sites_may_not(named: httpx.AsyncClient, door: Any) -> None:
    """Neither of unnamed sites nor, without the setting, of any; and never with the session's cookie."""
    for client, origin in ((named, "https://evil.example"), (named, "null"), (door.client, PORTAL)):
        for headers in ({"Origin": origin}, {"Origin": origin, "Access-Control-Request-Method": "POST"}):
            response = await client.options("/graphql", headers=headers)
            assert response.status_code in {400, 405}
            assert "Access-Control-Allow-Origin" not in response.headers
        response = await client.post(
            "/graphql", json={"query": "{ __typename }"}, headers={"Origin": origin, "Cookie": f"{COOKIE}=x"}
        )
        assert response.status_code == 403
        assert "Access-Control-Allow-Origin" not in response.headers
