"""Telegrams submitted by a gateway over HTTP."""

from typing import Any

import pytest

from core.mbus.errors import TelegramFault
from core.models import DeadLetter
from core.services.places.key_encryption import KeyEncryption
from core.services.telegrams.decoding import Reason
from graphql_schema.base.relay import number_of
from graphql_schema.gateways import UnusableReason
from tests.support import factories

IZAR = "1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD"
LINE = f"T1;1;1;2026-07-14 08:15:42.000;97;148;21131C34;0x{IZAR.lower()}"
SUBMIT = """mutation ($lines: [String!]!, $source: String) { submitTelegrams(lines: $lines, source: $source) {
  ... on TelegramsSubmitted {
  lines stored duplicates alerts messages unusable { reason count }
} ... on Refusal { code field } } }"""


@pytest.fixture
async def gateway(portal: Any, key_encryption: KeyEncryption, issue_key: Any) -> Any:
    """The portal as a gateway sees it, with one meter that is known."""
    await factories.residence(key_encryption, factories.meter())
    portal.token = await issue_key()
    return portal


async def test_a_gateway_submits_lines(gateway: Any) -> None:
    """Every line is counted: stored, duplicate, or unusable with its reason; blank ones are not lines."""
    lines = [LINE, "", "noise", "more \0 noise", f"telegram=|{IZAR[:-2]}|"]
    result = (await gateway.ask(SUBMIT, lines=lines, source="roof"))["submitTelegrams"]
    reasons = result.pop("unusable")
    assert result == {"lines": 4, "stored": 1, "duplicates": 0, "alerts": 0, "messages": 0}
    assert sum(entry["count"] for entry in reasons) == 3
    assert [entry["count"] for entry in reasons] == sorted(
        (entry["count"] for entry in reasons), reverse=True
    )
    again = (await gateway.ask(SUBMIT, lines=[LINE]))["submitTelegrams"]
    assert (again["lines"], again["stored"], again["duplicates"]) == (1, 0, 1)


async def test_unusable_lines_are_named(gateway: Any) -> None:
    """Each by its index among the lines, blank ones included, with the reason and its dead letter."""
    query = """mutation ($lines: [String!]!) { submitTelegrams(lines: $lines) { ... on TelegramsSubmitted {
      unusable { reason count } unusableLines { index reason message deadLetter }
    } ... on Refusal { code field } } }"""
    lines = ["noise", "", LINE, f"telegram=|{IZAR[:-2]}|", "noise"]
    result = (await gateway.ask(query, lines=lines))["submitTelegrams"]
    named = result["unusableLines"]
    assert [(one["index"], one["reason"]) for one in named] == [
        (0, "NOT_A_TELEGRAM"),
        (3, "TRUNCATED"),
        (4, "NOT_A_TELEGRAM"),
    ]
    assert all(one["message"] for one in named)
    letters = {row.line: row.id for row in await DeadLetter.all()}
    assert [number_of(one["deadLetter"], "DeadLetter") for one in named] == [
        letters["noise"],
        letters[lines[3]],
        letters["noise"],
    ]
    assert sum(entry["count"] for entry in result["unusable"]) == 3


def test_every_reason_is_in_the_schema() -> None:
    """The enum has the reasons of decoding and of intake, and no others."""
    assert set(UnusableReason.__members__) == {reason.value for reason in (*TelegramFault, *Reason)}


async def test_an_empty_batch_is_accepted(gateway: Any) -> None:
    """A batch without lines is no error."""
    result = (await gateway.ask(SUBMIT, lines=[]))["submitTelegrams"]
    assert result == {"lines": 0, "stored": 0, "duplicates": 0, "alerts": 0, "messages": 0, "unusable": []}


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({"lines": [""] * 2_001}, "lines"),
        ({"lines": ["x" * 4_097]}, "lines"),
        ({"lines": [], "source": "x" * 201}, "source"),
    ],
)
async def test_a_batch_beyond_the_limits_is_invalid(
    gateway: Any, variables: dict[str, Any], field: str
) -> None:
    """Too many lines, too long a one, and too long a source are refused as a whole."""
    assert await gateway.refused(SUBMIT, **variables) == {"code": "INVALID_INPUT", "field": field}


async def test_the_largest_batch_is_accepted(gateway: Any) -> None:
    """Two thousand of the longest lines at once, whatever their content."""
    lines = [f"{number:04d}" + "é" * 4_092 for number in range(2_000)]
    result = (await gateway.ask(SUBMIT, lines=lines))["submitTelegrams"]
    assert result["lines"] == sum(entry["count"] for entry in result["unusable"]) == 2_000


async def test_a_resident_submits_nothing(claire: Any) -> None:
    """Submitting is for gateways: a resident is FORBIDDEN, without sign-in it is UNAUTHENTICATED."""
    assert await claire.refusal(SUBMIT, lines=[LINE]) == {"code": "FORBIDDEN"}
    claire.token = None
    assert await claire.refusal(SUBMIT, lines=[LINE]) == {"code": "UNAUTHENTICATED"}


async def test_a_replaced_key_is_refused(gateway: Any, issue_key: Any) -> None:
    """A gateway that gets a new key cannot use the old one."""
    await issue_key()
    assert await gateway.refusal(SUBMIT, lines=[LINE]) == {"code": "UNAUTHENTICATED"}
