"""The operator's meters in a list: silent, unread, without a key; of the own operator alone."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.models import Residence
from graphql_schema.base.relay import global_id
from tests.graphql.conftest import HEAT, WATER
from tests.support import seats
from tests.support.attack import watched
from tests.support.factories import NOW

LIST = """query (
    $filter: MeterFilterInput, $order: MeterOrder! = PLACE, $first: Int! = 50, $after: String
  ) {
  meters(filter: $filter, orderBy: $order, first: $first, after: $after) {
    totalCount edges { cursor node { serial seenAs lastReadAt lastReading { readAt } } }
    pageInfo { hasNextPage endCursor } } }"""
WITH_HOMES = """{ meters { edges { node { serial radioAddress dwelling { place residence { code } } } } } }"""
DAY = timedelta(days=1)


async def serials(portal: Any, **variables: Any) -> list[str]:
    found = (await portal.ask(LIST, **variables))["meters"]
    assert found["totalCount"] == len(found["edges"])
    return [edge["node"]["serial"] for edge in found["edges"]]


def ago(days: float) -> str:
    return (NOW - days * DAY).isoformat()


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, {WATER, HEAT, "S1", "S0"}),
        ({"inService": True}, {WATER, HEAT, "S1"}),
        ({"inService": False}, {"S0"}),
        ({"unread": True}, {HEAT}),
        ({"unread": False}, {WATER, "S1", "S0"}),
        ({"withoutKey": True}, {WATER, HEAT}),
        ({"withoutKey": True, "inService": False}, {"S0"}),
        ({"withoutKey": False}, {"S1"}),
        ({"silentSince": ago(1)}, {HEAT, "S1"}),
        ({"silentSince": ago(10)}, {HEAT}),
        ({"silentSince": ago(1), "unread": False}, {"S1"}),
        ({"silentSince": ago(401)}, {HEAT}),
        ({"silentSince": ago(4000)}, set()),
        ({"silentSince": "9999-12-31T23:59:59-12:00"}, {WATER, HEAT, "S1"}),
        ({"search": "s1"}, {"S1"}),
        ({"search": "sap-00000001"}, {"S1"}),
        ({"search": "0000000A"}, {"S1"}),
        ({"search": "0000000B"}, set()),
        ({"search": "_"}, {"S1"}),
        ({"search": "%"}, set()),
        ({"search": "a\0b"}, set()),
        ({"search": " "}, {WATER, HEAT, "S1", "S0"}),
    ],
)
async def test_meters_are_filtered(
    estate: Any, portal: Any, chosen: dict[str, Any], expected: set[str]
) -> None:
    """A meter that was removed is neither silent nor in need of a key; an alias is found as the address is;
    of another operator's meter, whose serial is the same, nothing.
    """
    await seats.staff(portal, estate)
    assert set(await serials(portal, filter=chosen)) == expected


async def test_a_silent_meter_was_read_at_that_very_moment_or_later(estate: Any, portal: Any) -> None:
    """Fractions of a second count: a reading in the second before is a reading before."""
    await seats.staff(portal, estate)
    at = datetime.fromtimestamp((NOW - 10 * DAY).timestamp(), NOW.tzinfo)
    for moment, silent in ((at, False), (at + timedelta(milliseconds=1), True), (at - timedelta(1), False)):
        found = await serials(portal, filter={"silentSince": moment.isoformat(), "unread": False})
        assert ("S1" in found) is silent


async def test_the_list_of_a_residence(estate: Any, portal: Any) -> None:
    """By its id; of another operator's residence, and of none, it is empty; another noun's id is refused."""
    await seats.staff(portal, estate)
    own, others = await Residence.get(name="Résidence Les Tilleuls"), await Residence.get(name="Autre")
    assert len(await serials(portal, filter={"residence": global_id("Residence", own.id)})) == 4
    for number in (others.id, 2**62):
        assert await serials(portal, filter={"residence": global_id("Residence", number)}) == []
    refused = await portal.refusal(LIST, filter={"residence": global_id("Dwelling", own.id)})
    assert refused == {"code": "INVALID_INPUT", "field": "residence"}


async def test_an_index_is_not_listed(estate: Any, portal: Any) -> None:
    """When a meter was last read, and not what it showed."""
    await seats.staff(portal, estate)
    edges = (await portal.ask(LIST, filter={"search": WATER}))["meters"]["edges"]
    assert [edge["node"] for edge in edges] == [
        {
            "serial": WATER,
            "seenAs": "STAFF",
            "lastReadAt": (NOW - timedelta(hours=1)).isoformat(),
            "lastReading": None,
        }
    ]


@pytest.mark.parametrize("order", ["PLACE", "LAST_READ"])
async def test_the_pages_hold_each_meter_once(estate: Any, portal: Any, order: str) -> None:
    """In the order of the whole list; a reading that arrives meanwhile moves its own meter at most."""
    await seats.staff(portal, estate)
    whole = await serials(portal, order=order)
    if order == "LAST_READ":
        assert whole == [HEAT, "S0", "S1", WATER]
    seen: list[str] = []
    after = None
    while len(seen) < len(whole):
        page = (await portal.ask(LIST, order=order, first=1, after=after))["meters"]
        assert page["totalCount"] == len(whole)
        seen += [edge["node"]["serial"] for edge in page["edges"]]
        assert page["pageInfo"]["hasNextPage"] is (len(seen) < len(whole))
        after = page["pageInfo"]["endCursor"]
    assert seen == whole
    assert (await portal.ask(LIST, order=order, first=1, after=after))["meters"]["totalCount"] == 4


async def test_a_meter_that_is_read_meanwhile_takes_no_other_with_it(
    estate: Any, home: Any, portal: Any
) -> None:
    """The last of the page before is read now and so comes last; the next page goes on where it was."""
    await seats.staff(portal, estate)
    page = (await portal.ask(LIST, order="LAST_READ", first=2))["meters"]
    assert [edge["node"]["serial"] for edge in page["edges"]] == [HEAT, "S0"]
    await home.read("S0", [(NOW, 900)])
    after = page["pageInfo"]["endCursor"]
    rest = (await portal.ask(LIST, order="LAST_READ", after=after))["meters"]["edges"]
    assert [edge["node"]["serial"] for edge in rest] == ["S1", WATER, "S0"]


async def test_a_cursor_of_another_order_or_operator_is_none(estate: Any, portal: Any) -> None:
    """INVALID_INPUT for the other order's; a forged one of another operator's meter shows nothing."""
    await seats.staff(portal, estate)
    after = (await portal.ask(LIST, first=1))["meters"]["pageInfo"]["endCursor"]
    assert (await portal.refusal(LIST, order="LAST_READ", after=after))["code"] == "INVALID_INPUT"
    await seats.staff(portal, estate, operator=seats.OTHER_OPERATOR)
    theirs = (await portal.ask(LIST, first=1))["meters"]["pageInfo"]["endCursor"]
    await seats.staff(portal, estate)
    assert (await portal.ask(LIST, after=theirs))["meters"]["edges"] == []


async def test_a_page_takes_one_statement_and_its_places_another(
    estate: Any, portal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside that of the session, however many meters there are."""
    await seats.staff(portal, estate)
    for document, statements in ((LIST, 2), (WITH_HOMES, 3)):
        await portal.ask(document)
        with watched(monkeypatch) as work:
            found = (await portal.ask(document))["meters"]["edges"]
        assert len(found) == 4
        assert len(work.statements) == statements, work.statements
