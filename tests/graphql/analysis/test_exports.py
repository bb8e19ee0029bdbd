"""`POST /export`: the answers of the schema as CSV and Arrow, and who is refused."""

import csv
import io
import json
from random import Random
from typing import Any

import httpx
import pyarrow as pa
import pytest

from core.access import Role
from core.graphql_settings import HOUR_POINTS
from core.models import Residence
from core.services.analysis import statistics
from core.services.analysis.publication import publish_due
from graphql_schema import exports
from graphql_schema.base.relay import global_id
from tests.support import factories
from tests.support.analyses import Home, add_residence, enter

ARROW = "application/vnd.apache.arrow.stream"
TABLES = ("consumption", "leaks", "meters", "completeness")


async def export(portal: Any, body: object, accept: str = "text/csv", **headers: str) -> httpx.Response:
    if portal.token is not None:
        headers.setdefault("Authorization", f"Bearer {portal.token}")
    return await portal.client.post("/export", json=body, headers={"Accept": accept, **headers})


def rows_of_csv(response: httpx.Response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.text)))


def rows_of_arrow(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    return pa.ipc.open_stream(response.content).read_all().to_pylist()


async def test_csv_has_the_rows_of_the_schema(analyst: Any) -> None:
    """Consumption of the operator: three rows, with the figures that `analysis` answers."""
    response = await export(analyst, {"query": "consumption"})
    assert response.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert response.headers["content-disposition"] == 'attachment; filename="consumption.csv"'
    fields = "month classes dwellings fluid unit mean p10 median"
    query = f"{{ analysis {{ consumption {{ edges {{ node {{ {fields} }} }} }} }} }}"
    answered = (await analyst.ask(query))["analysis"]["consumption"]["edges"]
    rows = rows_of_csv(response)
    assert len(rows) == len(answered) == 3
    for row, edge in zip(rows, answered, strict=True):
        node = edge["node"]
        assert (row["month"], row["fluid"], row["unit"]) == ("2026-10", node["fluid"], node["unit"])
        assert row["classes"].split("+") == node["classes"]
        assert (int(row["dwellings"]), float(row["mean"])) == (node["dwellings"], node["mean"])
        assert (row["p10"], node["p10"]) == ("", None)
        assert (float(row["median"]) if row["median"] else None) == node["median"]


@pytest.mark.parametrize("by_residence", [False, True])
async def test_arrow_and_csv_are_one_table(analyst: Any, *, by_residence: bool) -> None:
    """Each of the four tables: names, order, numbers as numbers, absent cells as null."""
    for table in TABLES:
        body = {"query": table, "parameters": {"byResidence": by_residence}}
        as_csv = rows_of_csv(await export(analyst, body))
        response = await export(analyst, body, ARROW)
        assert response.headers["content-type"] == ARROW
        as_arrow = rows_of_arrow(response)
        assert as_arrow
        assert [{k: "" if v is None else str(v) for k, v in row.items()} for row in as_arrow] == as_csv
        assert all(isinstance(row["dwellings"], int) and row["dwellings"] >= 5 for row in as_arrow)


async def test_a_table_longer_than_a_page(analyst: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read by two rows: the same rows, in several batches."""
    whole = rows_of_arrow(await export(analyst, {"query": "meters"}, ARROW))
    assert len(whole) == 8
    monkeypatch.setattr(statistics, "EXPORT_PAGE", 2)
    response = await export(analyst, {"query": "meters"}, ARROW)
    assert rows_of_arrow(response) == whole
    with pa.ipc.open_stream(response.content) as stream:
        assert sum(1 for _ in stream) == 1 + 4


async def test_a_table_without_rows_has_its_columns(analyst: Any) -> None:
    """Of a fluid that nobody has."""
    body = {"query": "consumption", "parameters": {"fluid": "HEAT", "from": "2026-10"}}
    assert (await export(analyst, body)).text.startswith("month,residence_code,residence_name,")
    stream = pa.ipc.open_stream((await export(analyst, body, ARROW)).content)
    assert stream.schema.names[-1] == "p90"
    assert stream.read_all().num_rows == 0


async def test_one_residence(analyst: Any, now: Any) -> None:
    """By its id; another operator's is none, and so is one that does not exist."""
    mine = await Residence.get(code="A")
    await add_residence("Z", [Home(100)] * 6, operator="ista")
    await publish_due(now=now)
    theirs = await Residence.get(code="Z")
    body = {"query": "leaks", "parameters": {"residence": global_id("Residence", mine.id)}}
    assert {row["residence_code"] for row in rows_of_csv(await export(analyst, body))} == {"A"}
    for number in (theirs.id, 10**9):
        body["parameters"] = {"residence": global_id("Residence", number)}
        response = await export(analyst, body)
        assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")


async def test_no_cell_is_a_formula(analyst: Any, now: Any) -> None:
    """A residence whose name begins with = is a text to a spreadsheet; in Arrow it is as it is."""
    row = await Residence.get(code="A")
    row.name = "=HYPERLINK(1)"
    await row.save()
    body = {"query": "meters", "parameters": {"byResidence": True}}
    assert {cell["residence_name"] for cell in rows_of_csv(await export(analyst, body))} == {"'=HYPERLINK(1)"}
    found = rows_of_arrow(await export(analyst, body, ARROW))
    assert {cell["residence_name"] for cell in found} == {"=HYPERLINK(1)"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"query": "alerts"}, "query"),
        ({"query": "consumption", "parameters": {"from": "2026-13"}}, None),
        ({"query": "consumption", "parameters": {"from": "2026-10", "to": "2026-09"}}, "to"),
        ({"query": "consumption", "parameters": {"dwelling": "1"}}, None),
        ({"query": "consumption", "parameters": {"residence": "x"}}, "residence"),
        ({"query": "consumption", "parameters": {"fluid": "BEER"}}, None),
        ({"query": ["consumption"]}, None),
        ([], None),
        ("consumption", None),
    ],
)
async def test_wrong_input_is_refused(analyst: Any, body: object, field: str | None) -> None:
    """With 400, a code and the field; no filter but those of the schema."""
    response = await export(analyst, body)
    assert (response.status_code, response.json()["code"]) == (400, "INVALID_INPUT")
    assert response.json().get("field") == field


async def test_the_form_of_a_request(analyst: Any) -> None:
    """Another media type, a large body, a format that is not written, GET."""
    client, token = analyst.client, {"Authorization": f"Bearer {analyst.token}"}
    plain = await client.post("/export", content="{}", headers={**token, "Content-Type": "text/plain"})
    assert plain.status_code == 415
    large = await export(analyst, {"query": "x" * 5_000})
    assert large.status_code == 413
    unknown = await export(analyst, {"query": "meters"}, "application/pdf")
    assert (unknown.status_code, unknown.json()["code"]) == (406, "NOT_ACCEPTABLE")
    assert (await client.get("/export", headers=token)).status_code == 405
    broken = await client.post(
        "/export", content=b'{"query": "\xff"}', headers={**token, "Content-Type": "application/json"}
    )
    assert broken.status_code == 400


async def test_nobody_else_exports(portal: Any, analyst: Any) -> None:
    """401 without a valid token, 403 for other roles, and for a cookie sent from another site."""
    session, portal.token = portal.token, None
    assert (await export(portal, {"query": "meters"})).status_code == 401
    portal.token = "wrong"
    assert (await export(portal, {"query": "meters"})).headers["www-authenticate"] == "Bearer"
    for role in (Role.RESIDENT, Role.MANAGER, Role.STAFF):
        email = f"{role.value.lower()}@example.org"
        await factories.account(email=email, role=role)
        portal.token = None
        await enter(portal, email)
        assert (await export(portal, {"query": "meters"})).status_code == 403
    portal.token = None
    headers = {"Cookie": f"submeter_session={session}", "Origin": "https://elsewhere.example"}
    assert (await export(portal, {"query": "meters"}, **headers)).status_code == 403
    own = {"Cookie": f"submeter_session={session}", "Origin": "http://portal.test"}
    assert (await export(portal, {"query": "meters"}, **own)).status_code == 200


async def test_an_export_costs_points_of_the_hour(analyst: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that operations are charged to; then 429 with the time to wait."""
    monkeypatch.setattr(exports, "POINTS", 9_000_000)
    answers = [await export(analyst, {"query": "meters"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) == 1_800
    response = await analyst.post("{ analysis { months } }")
    left = HOUR_POINTS["ANALYST"] - 27_000_000
    assert left < 0
    assert "r=0" in response.headers["ratelimit"]


async def test_no_generated_body_is_the_servers_fault(analyst: Any) -> None:
    """Four hundred bodies, most of them nearly right: an answer or a refusal, and never a 5xx."""
    chance = Random(7)
    values: list[Any] = [None, True, 1, -1, 2**70, 1.5, "", "x", "2026-10", "9999-99", "COLD_WATER", "MAKER"]
    values += [[], {}, ["2026-10"], "\0", "\ud800", "é" * 300, global_id("Residence", 1)]
    names = ["from", "to", "byResidence", "residence", "fluid", "grouping", "first", "from_"]
    for _ in range(400):
        parameters: Any = {chance.choice(names): chance.choice(values) for _ in range(chance.randrange(4))}
        body: Any = {"query": chance.choice([*TABLES, *TABLES, *values]), "parameters": parameters}
        if chance.random() < 0.1:
            body = chance.choice(values)
        content = json.dumps(body).encode()
        if chance.random() < 0.1:
            content = content[: chance.randrange(len(content) + 1)]
        headers = {"Authorization": f"Bearer {analyst.token}", "Content-Type": "application/json"}
        response = await analyst.client.post("/export", content=content, headers=headers)
        assert response.status_code in {200, 400, 404}, (body, response.text)
