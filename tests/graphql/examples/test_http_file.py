"""examples/http/submeter.http: its requests, in order, as an editor sends them."""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.models import DeadLetter
from tests.graphql.conftest import WATER
from tests.support import factories
from tests.support.factories import NOW

FILE = Path(__file__).resolve().parents[3] / "examples/http/submeter.http"
REFERENCE = re.compile(r"\{\{(\w+)(?:\.response\.body\.\$\.([\w.\[\]]+))?\}\}")


@dataclass
class Request:
    """A request of the file, with its references still in it."""

    name: str
    method: str
    url: str
    headers: dict[str, str]
    body: str


def parsed(text: str) -> tuple[dict[str, str], list[Request]]:
    """The variables, and the requests between lines of `###`."""
    head, *parts = re.split(r"(?m)^###.*\n", text)
    variables = dict(re.findall(r"(?m)^@(\w+) = (.+)$", head))
    return variables, [_request(part) for part in parts]


def _request(part: str) -> Request:
    found = re.search(r"(?m)^# @name (\w+)$", part)
    assert found, part
    lines = [line for line in part.splitlines() if not line.startswith("#")]
    top, _, body = "\n".join(lines).partition("\n\n")
    first, *headers = top.splitlines()
    method, url = first.split(" ")
    return Request(found[1], method, url, dict(line.split(": ", 1) for line in headers), body)


class Sender:
    """Sends requests, and fills the references of later ones with what the earlier ones were answered."""

    def __init__(self, client: httpx.AsyncClient, variables: dict[str, str]) -> None:
        self.client, self.variables = client, variables
        self.answers: dict[str, Any] = {}

    def filled(self, text: str) -> str:
        return REFERENCE.sub(self._value, text)

    def _value(self, found: re.Match[str]) -> str:
        name, path = found.groups()
        if path is None:
            return self.variables[name]
        value = self.answers[name]
        for step in re.findall(r"\w+", path):
            value = value[int(step) if step.isdigit() else step]
        return str(value)

    async def send(self, request: Request) -> httpx.Response:
        response = await self.client.request(
            request.method,
            self.filled(request.url),
            headers={name: self.filled(value) for name, value in request.headers.items()},
            content=self.filled(request.body),
        )
        self.client.cookies.clear()
        if "json" in response.headers["content-type"]:
            self.answers[request.name] = response.json()
        return response


@pytest.fixture
async def sender(portal: Any, key_encryption: Any, data_of: Any, issue_key: Any) -> Sender:
    """The file's variables, with this server, this password and a gateway's key in place of the demo's; the
    meter of the telegram is that of Claire's cold water.
    """
    await factories.residence(key_encryption, factories.meter(printed_serial=WATER))
    home = await data_of()
    await home.consume(WATER, (NOW - timedelta(days=60)).date(), (NOW - timedelta(days=1)).date(), daily=300)
    await home.read(WATER, [(NOW - timedelta(hours=3), 123_400)])
    variables, _ = parsed(FILE.read_text(encoding="utf-8"))
    own = {"url": "http://portal.test", "password": factories.PASSWORD, "gatewayKey": await issue_key()}
    return Sender(portal.client, {**variables, **own})


async def test_its_requests_in_order(sender: Sender) -> None:
    """Each is answered 200 and without a refusal, from the sign-in to a gateway's delivery."""
    _, requests = parsed(FILE.read_text(encoding="utf-8"))
    assert [one.name for one in requests] == ["signIn", "dashboard", "statement", "file", "delivery"]
    responses = {}
    for request in requests:
        responses[request.name] = await sender.send(request)
        assert responses[request.name].status_code == 200, (request.name, responses[request.name].text)
    assert all("errors" not in answer for answer in sender.answers.values()), sender.answers
    assert sender.answers["signIn"]["data"]["signIn"]["state"] == "READY"
    (dwelling,) = sender.answers["dashboard"]["data"]["viewer"]["dwellings"]
    assert dwelling["dashboard"][0]["monthToDate"] == {"value": "6.300"}
    statement = sender.answers["statement"]["data"]["issueIndexStatement"]["statement"]
    assert statement["lines"][0]["index"] == {"value": "123.400", "unit": "CUBIC_METRE"}
    assert responses["file"].headers["content-type"].startswith("text/csv")
    assert "123,400" in responses["file"].text
    delivery = sender.answers["delivery"]
    assert {name: delivery[name] for name in ("lines", "stored", "unusable")} == {
        "lines": 2,
        "stored": 1,
        "unusable": 1,
    }
    assert [(one["line"], one["reason"]) for one in delivery["unusableLines"]] == [(2, "NOT_A_TELEGRAM")]
    assert (await DeadLetter.get(reason="NOT_A_TELEGRAM")).source == "example"


def test_the_values_at_its_top_are_the_demos() -> None:
    """So that it runs against `make demo`; the gateway's key alone is printed there, and differs."""
    from submeter.demo.world import PASSWORD  # noqa: PLC0415 - the demo's world is needed here alone

    variables, _ = parsed(FILE.read_text(encoding="utf-8"))
    assert variables["password"] == PASSWORD
    assert variables["email"] == "claire.martin@example.org"
    assert not re.search(r"sm[sgpdfr]_[A-Za-z0-9_-]{43}", FILE.read_text(encoding="utf-8"))
