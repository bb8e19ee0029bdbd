"""Dead letters for the operator's staff: those of its gateways and meters, without their lines."""

from datetime import timedelta
from typing import Any

import pytest

from core.models import DeadLetter, Gateway, Meter, Operator, TelegramState
from graphql_schema.base.relay import global_id
from tests.graphql.conftest import WATER
from tests.support import seats
from tests.support.attack import watched
from tests.support.factories import NOW

LIST = """query ($filter: DeadLetterFilterInput, $first: Int! = 50, $after: String) {
  deadLetters(filter: $filter, first: $first, after: $after) {
    totalCount edges { node { id reason message radioAddress gateway source timesSeen state replayedAt } }
    pageInfo { hasNextPage endCursor } } }"""
COUNTS = """query ($filter: DeadLetterFilterInput) {
  deadLetterCounts(filter: $filter) { reason count timesSeen } }"""
NODE = "query ($id: ID!) { node(id: $id) { ... on DeadLetter { message } } }"


@pytest.fixture
async def letters(estate: Any, home: Any) -> Any:
    """By `ocea`'s gateway: noise, and a meter that nobody has. By `ista`'s: noise, and Claire's meter. From a
    file: noise, an alias of an own meter, and a meter of `ista`.
    """
    gateways = {
        code: await Gateway.create(
            operator_id=(await Operator.get(code=code)).id, name=f"roof {code}", key_hash=code, created_at=NOW
        )
        for code in ("ocea", "ista")
    }
    own = (await Meter.get(id=home.meters[WATER])).radio_address
    for place, (gateway, reason, address) in enumerate(
        [
            ("ocea", "NOT_A_TELEGRAM", None),
            ("ocea", "UNKNOWN_METER", "SAP-0000000F-0C-04"),
            ("ista", "NOT_A_TELEGRAM", None),
            ("ista", "UNKNOWN_METER", own),
            (None, "NOT_A_TELEGRAM", None),
            (None, "KEY_MISSING", "SAP-0000000A-0C-04"),
            (None, "KEY_MISSING", "SAP-0000000B-0C-04"),
        ]
    ):
        await DeadLetter.create(
            line=f"line {place}",
            line_digest=str(place),
            source=f"source {place}",
            gateway_id=None if gateway is None else gateways[gateway].id,
            received_at=NOW - timedelta(hours=10 - place),
            stage="LINE",
            reason=reason,
            message=f"message {place}",
            radio_address=address,
            times_seen=place + 1,
        )
    return estate


async def messages(portal: Any, **chosen: Any) -> list[str]:
    found = (await portal.ask(LIST, filter=chosen))["deadLetters"]
    assert found["totalCount"] == len(found["edges"])
    return [edge["node"]["message"] for edge in found["edges"]]


async def test_the_list_is_of_the_operators_gateways_and_meters(letters: Any, portal: Any) -> None:
    """Newest first. What another's gateway received of an own meter lacks that gateway's name."""
    await seats.staff(portal, letters)
    nodes = [edge["node"] for edge in (await portal.ask(LIST))["deadLetters"]["edges"]]
    assert [(one["message"], one["gateway"], one["source"]) for one in nodes] == [
        ("message 5", None, "source 5"),
        ("message 3", None, None),
        ("message 1", "roof ocea", "source 1"),
        ("message 0", "roof ocea", "source 0"),
    ]
    await seats.staff(portal, letters, operator=seats.OTHER_OPERATOR)
    assert await messages(portal) == ["message 6", "message 3", "message 2"]


async def test_dead_letters_are_filtered_and_counted(letters: Any, portal: Any) -> None:
    """By reason, state and radio address in any case; the counts have the same filter and the same bounds."""
    await DeadLetter.filter(message="message 0").update(state=TelegramState.REPLAYED, replayed_at=NOW)
    await seats.staff(portal, letters)
    assert await messages(portal, reason="UNKNOWN_METER") == ["message 3", "message 1"]
    assert await messages(portal, state="REPLAYED") == ["message 0"]
    assert await messages(portal, state="WAITING", reason="NOT_A_TELEGRAM") == []
    assert await messages(portal, radioAddress="sap-0000000a-0c-04") == ["message 5"]
    for nothing in ("SAP-0000000B-0C-04", "no address", "", "x" * 5_000, "SAP\0"):
        assert await messages(portal, radioAddress=nothing) == []
    assert (await portal.ask(COUNTS))["deadLetterCounts"] == [
        {"reason": "UNKNOWN_METER", "count": 2, "timesSeen": 6},
        {"reason": "KEY_MISSING", "count": 1, "timesSeen": 6},
        {"reason": "NOT_A_TELEGRAM", "count": 1, "timesSeen": 1},
    ]
    waiting = (await portal.ask(COUNTS, filter={"state": "REPLAYED"}))["deadLetterCounts"]
    assert waiting == [{"reason": "NOT_A_TELEGRAM", "count": 1, "timesSeen": 1}]


async def test_a_page_goes_on_where_the_last_one_ended(letters: Any, portal: Any) -> None:
    """Though a dead letter arrives meanwhile; one is found by its id, another operator's is not."""
    await seats.staff(portal, letters)
    page = (await portal.ask(LIST, first=2))["deadLetters"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (4, True)
    newest = await DeadLetter.get(message="message 1")
    await DeadLetter.create(
        line="new",
        line_digest="new",
        source="file",
        gateway_id=newest.gateway_id,
        received_at=NOW,
        stage="LINE",
        reason="TRUNCATED",
        message="new",
    )
    rest = (await portal.ask(LIST, after=page["pageInfo"]["endCursor"]))["deadLetters"]
    assert [edge["node"]["message"] for edge in rest["edges"]] == ["message 1", "message 0"]
    assert (rest["totalCount"], rest["pageInfo"]["hasNextPage"]) == (5, False)
    first = page["edges"][0]["node"]
    assert await portal.ask(NODE, id=first["id"]) == {"node": {"message": first["message"]}}
    others = await DeadLetter.get(message="message 2")
    assert (await portal.refusal(NODE, id=global_id("DeadLetter", others.id)))["code"] == "NOT_FOUND"


async def test_a_page_and_the_counts_take_one_statement_each(
    letters: Any, portal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside that of the session."""
    await seats.staff(portal, letters)
    for document in (LIST, COUNTS):
        await portal.ask(document)
        with watched(monkeypatch) as work:
            await portal.ask(document)
        assert len(work.statements) == 2, work.statements
