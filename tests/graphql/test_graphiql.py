"""GraphiQL: a page from the package itself, its policy, its examples, and a browser that has no network."""

import asyncio
import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from core.access import Role
from core.bootstrap import Application
from core.graphql_settings import QUERY_POINTS, GraphQLSettings
from core.services.analysis.publication import publish_due
from graphql_schema.asgi import build_app
from graphql_schema.graphiql import page
from tests.support import factories
from tests.support.analyses import Home, add_residence, enter
from tests.support.served import served

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "graphiql"
EXAMPLES = {
    f"{path.parent.name}/{path.stem}": path.read_text(encoding="utf-8")
    for path in sorted((SOURCE / "examples").glob("*/*.graphql"))
}
HTML = {"Accept": "text/html,*/*;q=0.8"}
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build of a page and two assets, one of them packed."""
    folder = tmp_path / "built"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text('<meta nonce="CSP_NONCE"><script nonce="CSP_NONCE"></script>')
    (folder / "assets/index-1.js").write_text("whole")
    (folder / "assets/index-1.js.gz").write_bytes(b"packed")
    (folder / "assets/style-1.css").write_text("p{}")
    (folder / "sources.sha256").write_text("secret")
    monkeypatch.setattr(page, "BUILT", folder)
    return folder


async def test_the_page_allows_what_this_server_sends(door: Any, built: Path) -> None:
    """No inline script, no eval, no other host; each answer has a nonce of its own, for styles alone."""
    policies = []
    for _ in range(2):
        response = await door.client.get("/graphql", headers=HTML)
        policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert "unsafe" not in str(policy)
        assert "http" not in str(policy)
        nonce = policy["style-src"].removeprefix("'self' 'nonce-").removesuffix("'")
        assert response.text == f'<meta nonce="{nonce}"><script nonce="{nonce}"></script>'
        policies.append(policy)
    assert policies[0] != policies[1]


async def test_an_asset_is_packed_for_those_who_take_it(door: Any, built: Path) -> None:
    """Kept for a year, since its name says what is in it."""
    path = "/graphiql/assets/index-1.js"
    plain = await door.client.get(path, headers={"Accept-Encoding": "identity"})
    assert (plain.text, plain.headers["content-type"]) == ("whole", "text/javascript; charset=utf-8")
    assert "immutable" in plain.headers["cache-control"]
    async with door.client.stream("GET", path, headers={"Accept-Encoding": "gzip, br"}) as response:
        packed = b"".join([chunk async for chunk in response.aiter_raw()])
    assert (packed, response.headers["content-encoding"]) == (b"packed", "gzip")
    assert response.headers["vary"] == "Accept-Encoding"
    style = await door.client.get("/graphiql/assets/style-1.css")
    assert "content-encoding" not in style.headers


@pytest.mark.parametrize(
    "name",
    [
        "nothing.js",
        "../page.py",
        "%2e%2e/page.py",
        "..%2f..%2fpage.py",
        "sources.sha256",
        "assets",
        "",
        "index.html",
    ],
)
async def test_nothing_else_is_given_out(door: Any, built: Path, name: str) -> None:
    """No file outside of the build, and of it only what the page loads."""
    assert (await door.client.get(f"/graphiql/{name}")).status_code == 404


async def test_without_a_build_the_page_says_what_to_run(
    door: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a sentence; and the API itself answers as ever."""
    monkeypatch.setattr(page, "BUILT", tmp_path / "none")
    response = await door.client.get("/graphql", headers=HTML)
    assert response.status_code == 200
    assert "run `make graphiql`" in response.text
    assert "<script" not in response.text
    assert (await door.client.get("/graphiql/assets/index-1.js")).status_code == 404
    answer = await door.client.post("/graphql", json={"query": "{ __typename }"})
    assert answer.json()["data"] == {"__typename": "Query"}


async def test_it_can_be_switched_off(application: Application, built: Path) -> None:
    """Page and assets; a browser that asks a query is still answered."""
    settings = replace(application.settings, graphql=GraphQLSettings(graphiql=False))
    app = build_app(replace(application, settings=settings))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://portal.test") as client:
        assert (await client.get("/graphql", headers=HTML)).status_code == 404
        assert (await client.get("/graphiql/assets/index-1.js")).status_code == 404
        asked = await client.get("/graphql", params={"query": "{ __typename }"}, headers=HTML)
        assert asked.json()["data"] == {"__typename": "Query"}


@pytest.fixture
async def people(portal: Any, now: Any) -> Any:
    """One of each role that has examples."""
    for role in (Role.RESIDENT, Role.MANAGER, Role.STAFF, Role.ANALYST):
        await factories.account(email=f"{role.value.lower()}@example.org", role=role)
    await add_residence("A", [Home(100)] * 6 + [Home(200)] * 6)
    await publish_due(now=now)
    return portal


@pytest.mark.parametrize("name", EXAMPLES)
async def test_an_example_is_answered(people: Any, name: str) -> None:
    """As its role, without an error; a manager and staff are asked for their second factor first."""
    role = name.partition("/")[0]
    if role != "anonymous":
        await enter(people, f"{role}@example.org")
    answer = (await people.post(EXAMPLES[name])).json()
    if role in {"manager", "staff"}:
        codes = {error["extensions"]["code"] for error in answer["errors"]}
        assert codes == {"MUST_ENROL_SECOND_FACTOR"}
    else:
        assert "errors" not in answer, answer["errors"]
        assert all(answer["data"].values())


def test_every_role_that_reads_has_examples() -> None:
    """A folder for each, and a name in each document, which is the tab's title."""
    roles = [name.partition("/")[0] for name in EXAMPLES]
    assert set(roles) == {"anonymous", "resident", "manager", "staff", "analyst"}
    assert roles.count("analyst") == 5
    assert all(re.search(r"^query [A-Z]", text, re.MULTILINE) for text in EXAMPLES.values())


async def test_the_schema_costs_less_than_half_of_what_a_stranger_has(door: Any) -> None:
    """What GraphiQL asks first, with all that it may ask for."""
    query = get_introspection_query(
        descriptions=True, schema_description=True, input_value_deprecation=True, specified_by_url=True
    )
    answer = (await door.client.post("/graphql", json={"query": query})).json()
    assert "errors" not in answer
    assert answer["extensions"]["cost"]["points"] < QUERY_POINTS["ANONYMOUS"] / 2


@pytest.mark.skipif(
    not (CHROMIUM and shutil.which("node") and (SOURCE / "node_modules/playwright-core").is_dir()),
    reason="needs Node, Chromium, and what `make graphiql` installs",
)
@pytest.mark.skipif(not (page.BUILT / "index.html").is_file(), reason="needs `make graphiql`")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_browser_without_a_network(people: Any, application: Application, tmp_path: Path) -> None:
    """Signs in as an analyst, runs an example, downloads the CSV: no error, no violation, no other host."""
    async with served(application, people.clock) as url:
        process = await asyncio.create_subprocess_exec(
            *("node", "check/browser.mjs", url, "analyst@example.org", factories.PASSWORD, str(tmp_path)),
            cwd=SOURCE,
            env={**os.environ, "CHROMIUM": str(CHROMIUM)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
    assert process.returncode == 0, (output, errors)
    seen = json.loads(output)
    assert seen["faults"] == []
    assert len(seen["tabs"]) == 5
    edges = seen["answer"]["data"]["analysis"]["consumption"]["edges"]
    lines, picture = _files_of(tmp_path)
    assert len(lines) == 1 + len(edges) > 1
    assert picture > 20_000


def _files_of(folder: Path) -> tuple[list[str], int]:
    """The lines of the CSV, and the size of the screenshot."""
    lines = (folder / "consumption.csv").read_text(encoding="utf-8").splitlines()
    return lines, (folder / "graphiql.png").stat().st_size
