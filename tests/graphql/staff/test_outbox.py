"""The outbox for the operator's staff: what became of each message, not what it says nor to whom exactly."""

from datetime import timedelta
from typing import Any

import pytest

from core.models import Account, OutboxMessage
from core.services.messaging.message_lists import TOPIC_OF, masked
from graphql_schema.base.relay import global_id
from notifications.texts import render
from tests.support import seats
from tests.support.attack import watched
from tests.support.factories import NOW

LIST = """query ($filter: OutboxFilterInput, $first: Int! = 50, $after: String) {
  outbox(filter: $filter, first: $first, after: $after) {
    totalCount edges { node {
      id topic template channel recipient state attempts lastError createdAt dueAt expiresAt sentAt
    } } pageInfo { hasNextPage endCursor } } }"""
NODE = "query ($id: ID!) { node(id: $id) { ... on OutboxMessage { template } } }"


@pytest.fixture
async def posted(estate: Any) -> Any:
    """To Claire a leak by SMS, waiting after a failure, and a code that was sent; to a manager a template of
    the future; to somebody at `ista` a leak; to somebody without an account an invitation.
    """
    numbers = {account.email: account.id for account in await Account.all()}
    claire = numbers["claire.martin@example.org"]
    rows: list[dict[str, Any]] = [
        {"account_id": claire, "channel": "SMS", "template": "leak_opened", "failure": "VONAGE_5"},
        {"account_id": claire, "template": "email_code", "recipient": "neuve@example.net", "state": "SENT"},
        {"account_id": numbers["gestion@example.org"], "template": "of_the_future", "state": "FAILED"},
        {"account_id": numbers["autre@example.org"], "template": "leak_opened"},
        {"recipient": "luc@example.org", "template": "resident_invited"},
    ]
    for place, row in enumerate(rows):
        await OutboxMessage.create(
            idempotency_key=str(place),
            language="fr",
            values={"code": "SECRET"},
            created_at=NOW - timedelta(hours=9 - place),
            attempts=place,
            sent_at=NOW if row.get("state") == "SENT" else None,
            **{"channel": "EMAIL", **row},
        )
    return estate


async def templates(portal: Any, **chosen: Any) -> list[str]:
    found = (await portal.ask(LIST, filter=chosen))["outbox"]
    assert found["totalCount"] == len(found["edges"])
    return [edge["node"]["template"] for edge in found["edges"]]


async def test_messages_are_listed_without_text_and_address(posted: Any, portal: Any) -> None:
    """Those to the operator's accounts, newest first."""
    await seats.staff(portal, posted)
    answer = await portal.post(LIST)
    assert "SECRET" not in answer.text
    nodes = [edge["node"] for edge in answer.json()["data"]["outbox"]["edges"]]
    shown = ("topic", "template", "channel", "recipient", "state", "attempts", "lastError")
    assert [tuple(node[name] for name in shown) for node in nodes] == [
        ("OTHER", "of_the_future", "EMAIL", "g…@example.org", "FAILED", 2, None),
        ("SECURITY", "email_code", "EMAIL", "n…@example.net", "SENT", 1, None),
        ("LEAK", "leak_opened", "SMS", "+33…12", "PENDING", 0, "VONAGE_5"),
    ]
    assert [node["sentAt"] for node in nodes] == [None, NOW.isoformat(), None]
    await seats.staff(portal, posted, operator=seats.OTHER_OPERATOR)
    assert await templates(portal) == ["leak_opened"]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"state": "PENDING"}, ["leak_opened"]),
        ({"channel": "EMAIL"}, ["of_the_future", "email_code"]),
        ({"topic": "LEAK"}, ["leak_opened"]),
        ({"topic": "OTHER"}, ["of_the_future"]),
        ({"topic": "LEAK", "state": "SENT"}, []),
        ({"topic": "INVITATION"}, []),
    ],
)
async def test_messages_are_filtered(
    posted: Any, portal: Any, chosen: dict[str, str], expected: list[str]
) -> None:
    """By state, channel and topic, all at once."""
    await seats.staff(portal, posted)
    assert await templates(portal, **chosen) == expected


async def test_an_erased_message_has_no_recipient(posted: Any, portal: Any) -> None:
    """Although its account has an address."""
    await OutboxMessage.filter(template="leak_opened").update(erased_at=NOW)
    await seats.staff(portal, posted)
    (edge,) = (await portal.ask(LIST, filter={"topic": "LEAK"}))["outbox"]["edges"]
    assert edge["node"]["recipient"] is None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("claire.martin@example.org", "c…@example.org"),
        ("c@example.org", "…@example.org"),
        ('"a@b"@example.org', '"…@example.org'),
        ("+33639980012", "+33…12"),
    ],
)
def test_a_masked_address_finds_nobody(address: str, expected: str) -> None:
    """The domain helps to find out why mail is refused; the rest is not shown."""
    assert masked(address) == expected


def test_each_template_has_a_topic() -> None:
    """A new message is found under what it is about."""
    known = {name for name, _ in (*render._LETTERS, *render._SUBJECTS)}
    assert known - TOPIC_OF.keys() == set()


async def test_a_page_goes_on_where_the_last_one_ended(
    posted: Any, portal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One statement a page beside that of the session; one message is found by its id, another's is not."""
    await seats.staff(portal, posted)
    page = (await portal.ask(LIST, first=2))["outbox"]
    with watched(monkeypatch) as work:
        rest = (await portal.ask(LIST, first=2, after=page["pageInfo"]["endCursor"]))["outbox"]
    assert len(work.statements) == 2, work.statements
    assert [edge["node"]["template"] for edge in rest["edges"]] == ["leak_opened"]
    assert (rest["totalCount"], rest["pageInfo"]["hasNextPage"]) == (3, False)
    assert await portal.ask(NODE, id=rest["edges"][0]["node"]["id"]) == {"node": {"template": "leak_opened"}}
    for row in await OutboxMessage.filter(idempotency_key__in=["3", "4"]):
        assert (await portal.refusal(NODE, id=global_id("OutboxMessage", row.id)))["code"] == "NOT_FOUND"
