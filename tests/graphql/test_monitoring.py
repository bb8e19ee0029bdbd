"""What machines ask of a process, and what its requests leave behind: health, metrics, log lines, spans."""

import asyncio
import json
import logging
import re
from dataclasses import replace
from typing import Any

import httpx
import pytest

from core.bootstrap import Application
from core.services.places.key_encryption import KeyEncryption
from core.services.shared import health
from core.services.shared.transaction import current_database
from core.telemetry import logs, metrics
from graphql_schema.asgi import build_app
from graphql_schema.monitoring import monitored, monitoring_app
from graphql_schema.request_log import request_id_of
from graphql_schema.requests import operations
from tests.support import factories
from tests.support.spans import collected_spans

IZAR = "1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD"
SUBMIT = """mutation Submit($lines: [String!]!) { submitTelegrams(lines: $lines) {
    ... on TelegramsSubmitted { stored }
    ... on Refusal { code field } } }"""


def value(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
async def gateway(portal: Any, key_encryption: KeyEncryption, issue_key: Any) -> Any:
    await factories.residence(key_encryption, factories.meter())
    portal.token = await issue_key()
    return portal


@pytest.fixture
def access_log(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The lines of the access log, as JSON."""
    kept: list[dict[str, Any]] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(json.loads(self.format(record)))

    handler = Kept()
    handler.setFormatter(logs.formatter("JSON"))
    caplog.set_level(logging.INFO, logger="submeter.access")
    logging.getLogger("submeter.access").addHandler(handler)
    yield kept
    logging.getLogger("submeter.access").removeHandler(handler)


async def test_a_process_lives_without_a_database(door: Any) -> None:
    """Liveness asks nothing of others: a restart would not bring the database back."""
    response = await door.client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_a_process_is_ready_with_its_database_and_its_tables(portal: Any) -> None:
    """Both answer, and nothing is pending."""
    response = await portal.client.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_a_process_without_a_database_is_not_ready(door: Any) -> None:
    """The reason is given without details."""
    response = await door.client.get("/health/ready")
    assert (response.status_code, response.json()) == (503, {"status": "database unreachable"})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("DELETE FROM tortoise_migrations", "migrations pending"),
        ("UPDATE tortoise_migrations SET name = '0999_later'", "database of another version"),
    ],
)
async def test_a_process_whose_tables_are_not_its_own_is_not_ready(
    portal: Any, change: str, reason: str
) -> None:
    """A migration is missing, or another version has migrated further."""
    await current_database().execute_query(change)
    response = await portal.client.get("/health/ready")
    assert (response.status_code, response.json()) == (503, {"status": reason})


async def test_migrations_are_asked_for_until_they_are_current(portal: Any, monkeypatch: Any) -> None:
    """A check every few seconds costs one small query, not a connection of its own."""
    asked = []
    pending = health.pending_migrations

    async def counted(settings: Any) -> list[str]:
        asked.append(settings)
        return await pending(settings)

    monkeypatch.setattr(health, "pending_migrations", counted)
    for _ in range(3):
        assert (await portal.client.get("/health/ready")).status_code == 200
    assert len(asked) == 1


async def test_a_process_that_stops_is_not_ready_but_lives(application: Application, now: Any) -> None:
    """A load balancer sends it nothing more, and nobody kills it."""
    stop = asyncio.Event()
    app = monitoring_app(application, clock=lambda: now, stopping=stop.is_set)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        assert (await client.get("/health/ready")).status_code == 200
        stop.set()
        assert (await client.get("/health/ready")).json() == {"status": "stopping"}
        assert (await client.get("/health/live")).status_code == 200


async def test_the_api_has_no_metrics(portal: Any) -> None:
    """They are on a port of their own, which the public does not reach."""
    assert (await portal.client.get("/metrics")).status_code == 404


async def test_the_metrics_are_served_at_their_own_address(application: Application, now: Any) -> None:
    """With the health routes, over a real socket; the port is free again afterwards."""
    configured = Application(
        replace(application.settings, metrics_address="127.0.0.1:0"), application.registry
    )
    stop = asyncio.Event()
    async with monitored(configured, clock=lambda: now, stop=stop) as address:
        assert address is not None
        url = f"http://{address[0]}:{address[1]}"
        async with httpx.AsyncClient(base_url=url) as client:
            response = await client.get("/metrics")
            assert (await client.get("/health/ready")).status_code == 200
    assert response.headers["content-type"] == metrics.CONTENT_TYPE
    names = set(re.findall(r"^# TYPE (\w+)", response.text, re.MULTILINE))
    assert {
        "submeter_telegrams_received_total",
        "submeter_intake_stage_seconds",
        "submeter_outbox_messages",
        "submeter_database_connections",
        "submeter_graphql_operations_total",
        "submeter_http_requests_total",
        "submeter_work_failures_total",
    } <= names
    await configured.counters.close()


async def test_without_an_address_nothing_is_listened_on(application: Application, now: Any) -> None:
    """A first try opens no second port."""
    async with monitored(application, clock=lambda: now, stop=asyncio.Event()) as address:
        assert address is None


async def test_a_batch_is_counted_by_source_and_reason(gateway: Any) -> None:
    """All lines, those stored, duplicates, and refusals; and how long the batch took."""
    names = ("received", "stored", "duplicates", "doubtful")

    def counts() -> list[float]:
        found = [value(f"submeter_telegrams_{name}_total", source="graphql") for name in names]
        refused = value("submeter_telegrams_refused_total", source="graphql", reason="NOT_A_TELEGRAM")
        return [*found, refused, value("submeter_intake_stage_seconds_count", stage="BATCH")]

    before = counts()
    line = f"T1;1;1;2026-11-22 08:30:00.000;97;148;21131C34;0x{IZAR.lower()}"
    await gateway.ask(SUBMIT, lines=[line, "noise"])
    await gateway.ask(SUBMIT, lines=[line])
    assert [after - earlier for after, earlier in zip(counts(), before, strict=True)] == [3, 1, 1, 0, 1, 2]
    assert value("submeter_intake_lag_seconds", source="graphql") > 0


@pytest.mark.parametrize(
    ("query", "kind", "outcome", "label"),
    [
        ("query MyHome { __typename }", "query", "ok", "MyHome"),
        ("{ __typename }", "query", "ok", "anonymous"),
        ("query Mine { viewer { id } }", "query", "refused", "other"),
        ("mutation Out { goBackInRegistration(token: 1) { __typename } }", "mutation", "invalid", "other"),
        ('mutation Back { goBackInRegistration(token: "x") { __typename } }', "mutation", "refused", "other"),
        ("query Wrong { nothing }", "query", "invalid", "other"),
        ("query {", "unknown", "invalid", "anonymous"),
        ("query One { __typename } query Two { __typename }", "query", "invalid", "other"),
        ("", "unknown", "invalid", "anonymous"),
    ],
)
async def test_an_operation_is_counted_by_name_kind_and_outcome(
    portal: Any, query: str, kind: str, outcome: str, label: str, monkeypatch: Any
) -> None:
    """A name is a label only once an operation of that name was answered."""
    monkeypatch.setattr(operations, "_names", metrics.BoundedNames(operations.MOST_NAMES))
    name = "submeter_graphql_operations_total"
    before = value(name, operation=label, kind=kind, outcome=outcome)
    await portal.post(query)
    assert value(name, operation=label, kind=kind, outcome=outcome) == before + 1


async def test_strangers_cannot_invent_more_labels_than_there_is_room(portal: Any, monkeypatch: Any) -> None:
    """The first names are known, the others are one."""
    monkeypatch.setattr(operations, "_names", metrics.BoundedNames(3))
    for number in range(10):
        await portal.post(f"query Flood{number} {{ __typename }}")
    await portal.post(f"query {'L' * 65} {{ __typename }}")
    labels = {
        sample.labels["operation"]
        for metric in metrics.GRAPHQL_OPERATIONS.collect()
        for sample in metric.samples
    }
    assert {label for label in labels if label.startswith(("Flood", "LL"))} == {"Flood0", "Flood1", "Flood2"}


async def test_a_failure_of_ours_is_counted_as_failed(portal: Any, monkeypatch: Any) -> None:
    """And not as the client's."""

    async def broken(*_arguments: Any, **_values: Any) -> None:
        raise RuntimeError("our fault")

    monkeypatch.setattr("graphql_schema.base.context.viewer_of_token", broken)
    portal.token = "sms_anything"
    before = value("submeter_graphql_operations_total", operation="anonymous", kind="query", outcome="failed")
    await portal.post("{ viewer { id } }")
    after = value("submeter_graphql_operations_total", operation="anonymous", kind="query", outcome="failed")
    assert after == before + 1


async def test_the_path_of_a_request_is_one_of_ours_or_other(portal: Any) -> None:
    """A scanner's paths make no labels."""
    before = value("submeter_http_requests_total", method="GET", path="other", status="404")
    for path in ("/wp-login.php", "/claire@example.org"):
        await portal.client.get(path)
    await portal.client.request("BREW", "/health/live")
    assert value("submeter_http_requests_total", method="GET", path="other", status="404") == before + 2
    assert value("submeter_http_requests_total", method="other", path="/health/live", status="405") >= 1


async def test_a_request_leaves_one_line_without_what_it_contained(
    portal: Any, access_log: list[dict[str, Any]]
) -> None:
    """Method, path, status, time and id: no query string, no header, no address."""
    portal.token = "sms_AbCdEfGhIjKlMnOpQr"
    await portal.client.get(
        "/graphql?query={__typename}&email=claire@example.org",
        headers={"X-Request-ID": "proxy-4711-a", "Cookie": "session=geheim", "User-Agent": "geheim"},
    )
    (line,) = access_log
    assert line.pop("milliseconds") >= 0
    line.pop("timestamp")
    assert line == {
        "level": "info",
        "logger": "submeter.access",
        "message": "request",
        "method": "GET",
        "path": "/graphql",
        "status": 200,
        "request_id": "proxy-4711-a",
    }


async def test_checks_of_machines_are_not_in_the_log(portal: Any, access_log: list[dict[str, Any]]) -> None:
    """They come every few seconds."""
    for path in ("/health", "/health/live", "/health/ready"):
        await portal.client.get(path)
    assert access_log == []


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        ("4bf92f3577b34da6a3ce929d0e0e4736", True),
        ("proxy-4711-a", True),
        ("", False),
        ("short", False),
        ("x" * 65, False),
        ("claire@example.org", False),
        ("abcdefgh\nforged line", False),
        ("0612345678", False),
        ("smp_AbCdEfGhIjKlMnOpQrStUvWx", False),
    ],
)
def test_a_proxys_id_is_taken_if_it_is_a_plain_one(given: str, is_taken: bool) -> None:  # noqa: FBT001 - a row
    """Any other is replaced, so that nobody writes into our log by it, nor a telephone number or token."""
    assert (request_id_of(given) == given) is is_taken
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", request_id_of(given))


async def test_a_response_names_the_id_of_its_request(portal: Any) -> None:
    """Also where nothing is found, and each has its own."""
    first, second = [await portal.client.get(path) for path in ("/health/live", "/nothing")]
    ids = {response.headers["x-request-id"] for response in (first, second)}
    assert len(ids) == 2


async def test_a_request_its_operation_and_its_batch_are_spans_of_one_trace(gateway: Any) -> None:
    """A gateway's request is followed down to the batch that it became."""
    with collected_spans() as finished:
        await gateway.ask(SUBMIT, lines=["noise"])
    by_name = {span.name: span for span in finished()}
    assert by_name.keys() == {"POST /graphql", "graphql operation", "intake batch"}
    assert len({span.context.trace_id for span in by_name.values()}) == 1
    assert by_name["POST /graphql"].attributes["http.response.status_code"] == 200
    assert by_name["graphql operation"].attributes["graphql.operation.type"] == "mutation"
    assert by_name["intake batch"].attributes["submeter.source"] == "graphql"


async def test_an_app_of_a_caller_is_never_stopping(application: Application) -> None:
    """Whoever embeds the app says when it ends."""
    assert build_app(application).state.stopping() is False
