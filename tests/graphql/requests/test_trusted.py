"""Trusted documents: run by their ids, and where the operator wants it no others."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.bootstrap import Application
from core.graphql_settings import GraphQLSettings
from core.metering import Registry
from core.settings import Settings, SettingsError
from graphql_schema.asgi import build_app
from graphql_schema.requests import documents
from tests.graphql.conftest import SIGN_IN

NAME = "query Name { viewer { firstName } }"
TYPE = "query Type($of: String!) { __type(name: $of) { name } }"
BOTH = "query A { __typename } query B { b: __typename }"


def id_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Documents as files and as one file by their ids."""
    path = tmp_path / "documents"
    (path / "screens").mkdir(parents=True)
    (path / "screens/name.graphql").write_text(NAME)
    (path / "sign_in.gql").write_text(SIGN_IN)
    (path / "more.json").write_text(json.dumps({id_of(TYPE): TYPE, f"sha256:{id_of(BOTH)}": BOTH}))
    (path / "README.md").write_text("No document.")
    return path


@pytest.fixture
def trusting(registry: Registry, tmp_path: Path, folder: Path, now: Any) -> Any:
    """An app that trusts the documents; its database is closed."""

    def client(**settings: Any) -> httpx.AsyncClient:
        graphql = GraphQLSettings(documents=folder, **settings)
        app = build_app(
            Application(Settings(tmp_path, "sqlite:///none", "s" * 32, graphql=graphql), registry),
            clock=lambda: now,
        )
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://portal.test")

    return client


@pytest.fixture
def open_to(application: Application, folder: Path, portal: Any) -> Any:
    """The portal, open to such documents as a mode allows."""

    def with_mode(allowed: str) -> Any:
        graphql = GraphQLSettings(documents=folder, allowed=allowed)
        settings = Settings(
            application.settings.data_dir,
            application.settings.database_url,
            application.settings.secret_key,
            graphql=graphql,
        )
        app = build_app(Application(settings, application.registry), clock=portal.clock)
        portal.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://portal.test")
        return portal

    return with_mode


@pytest.mark.parametrize(
    "asked",
    [
        {"documentId": id_of(TYPE)},
        {"documentId": f"sha256:{id_of(TYPE)}"},
        {"documentId": id_of(TYPE).upper()},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": id_of(TYPE)}}},
        {"documentId": id_of(TYPE), "query": TYPE},
    ],
)
async def test_a_document_is_run_by_its_id(trusting: Any, asked: dict[str, Any]) -> None:
    """By POST and by GET, as the specification's appendix and as Apollo's clients send it."""
    client = trusting()
    asked = {**asked, "variables": {"of": "Fluid"}}
    expected = {"__type": {"name": "Fluid"}}
    assert (await client.post("/graphql", json=asked)).json()["data"] == expected
    params = {name: value if isinstance(value, str) else json.dumps(value) for name, value in asked.items()}
    response = await client.get("/graphql", params=params, headers={"Accept": "text/html, */*"})
    assert response.json()["data"] == expected


async def test_an_operation_of_the_document_is_chosen(trusting: Any) -> None:
    """By its name, as of any document."""
    body = {"documentId": id_of(BOTH), "operationName": "B"}
    assert (await trusting().post("/graphql", json=body)).json()["data"] == {"b": "Query"}


@pytest.mark.parametrize("document_id", [id_of("{ other }"), "x", "", "sha256:"])
async def test_an_unknown_id_is_not_found(trusting: Any, document_id: str) -> None:
    """With the message and code that clients know; 400 in the newer media type."""
    client = trusting()
    response = await client.post("/graphql", json={"documentId": document_id})
    assert response.status_code == 200
    (error,) = response.json()["errors"]
    assert error == {
        "message": "PersistedQueryNotFound",
        "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
    }
    headers = {"Accept": "application/graphql-response+json"}
    response = await client.post("/graphql", json={"documentId": document_id}, headers=headers)
    assert response.status_code == 400


async def test_without_documents_no_id_is_known(door: Any) -> None:
    """So a client that tries an id first then sends the text."""
    response = await door.client.post("/graphql", json={"documentId": id_of(TYPE)})
    assert response.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    text = {"query": "{ __typename }", "documentId": id_of("{ __typename }")}
    assert (await door.client.post("/graphql", json=text)).json()["data"] == {"__typename": "Query"}


async def test_an_id_and_another_text_do_not_go_together(trusting: Any) -> None:
    """The text that is run is the one of the id."""
    body = {"query": "{ __typename }", "documentId": id_of(TYPE)}
    (error,) = (await trusting().post("/graphql", json=body)).json()["errors"]
    assert error["extensions"]["code"] == "BAD_REQUEST"
    for wrong in (1, "x" * 101):
        response = await trusting().post("/graphql", json={"documentId": wrong})
        assert response.status_code == 400


async def test_trusted_documents_are_read_when_the_process_starts(
    trusting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request parses and validates nothing."""
    client = trusting()
    work: Counter[str] = Counter()
    for name in ("parse", "validate"):
        monkeypatch.setattr(documents, name, lambda *_args, _name=name, **_kwargs: work.update([_name]))
    body = {"documentId": id_of(TYPE), "variables": {"of": "Fluid"}}
    assert (await client.post("/graphql", json=body)).json()["data"] == {"__type": {"name": "Fluid"}}
    assert not work


async def test_only_trusted_documents_are_run(trusting: Any) -> None:
    """TRUSTED: nobody's other text is run, or even parsed; a trusted text is, with its id or without."""
    client = trusting(allowed="TRUSTED")
    for query in ("{ __typename }", "{", TYPE + " "):
        (error,) = (await client.post("/graphql", json={"query": query})).json()["errors"]
        assert error["extensions"] == {"code": "DOCUMENT_NOT_TRUSTED"}
    body = {"query": TYPE, "variables": {"of": "Fluid"}}
    assert (await client.post("/graphql", json=body)).json()["data"] == {"__type": {"name": "Fluid"}}


async def test_people_send_trusted_documents_and_programs_any(
    open_to: Any, home: Any, issue_key: Any
) -> None:
    """PORTAL: sessions and strangers are held to the list; an access token and a gateway's key are not."""
    portal = open_to("PORTAL")
    await portal.sign_in()
    assert await portal.ask(NAME) == {"viewer": {"firstName": "Claire"}}
    assert await portal.refusal("{ viewer { email } }") == {"code": "DOCUMENT_NOT_TRUSTED"}
    open_to("ANY")
    created = await portal.ask(
        """mutation { createAccessToken(name: "home", scopes: [READ_DAILY]) {
  ... on AccessTokenIssued { token }
  ... on Refusal { code field } } }"""
    )
    open_to("PORTAL")
    for token, is_free in (
        (created["createAccessToken"]["token"], True),
        (await issue_key(), True),
        ("smp_" + "x" * 40, False),
        (None, False),
    ):
        portal.token = token
        answer = (await portal.post("{ operators { code } }")).json()
        assert ("data" in answer) is is_free


async def test_a_document_that_does_not_fit_the_schema_is_reported(
    trusting: Any, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The process starts, says so in its log, and the document is refused as any other."""
    wrong = "{ nothing }"
    (folder / "wrong.graphql").write_text(wrong)
    (folder / "unfinished.graphql").write_text("{")
    client = trusting()
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    answer = (await client.post("/graphql", json={"documentId": id_of(wrong)})).json()
    assert answer["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("wrong.json", json.dumps({"0" * 64: NAME})),
        ("wrong.json", "[]"),
        ("wrong.json", "{"),
        ("wrong.json", json.dumps({id_of("1"): 1})),
        ("wrong.graphql", "é".encode("latin-1")),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start(
    trusting: Any, folder: Path, name: str, content: str | bytes
) -> None:
    """The setting is named, and the file."""
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SettingsError, match=r"^SUBMETER_GRAPHQL_DOCUMENTS names"):
        trusting()
