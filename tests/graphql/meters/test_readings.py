"""Readings of a meter, page by page in either order."""

import base64
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from core.access import SYSTEM
from core.services.telegrams.pipeline import take_in
from tests.services.conftest import Izar
from tests.support import factories

WATER = "H8CA029620"
PAGE = """
query ($id: ID!, $first: Int!, $after: String, $order: ReadingOrder!, $from: DateTime, $to: DateTime) {
  node(id: $id) { ... on Meter { readings(first: $first, after: $after, order: $order, from: $from, to: $to) {
    edges { cursor node { readAt receivedAt index { value smallest } flags } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } } }
}"""
METERS = "{ viewer { dwellings { meters { id serial %s } } } }"


async def water_meter(portal: Any, fields: str = "") -> dict[str, Any]:
    (dwelling,) = (await portal.ask(METERS % fields))["viewer"]["dwellings"]
    return next(meter for meter in dwelling["meters"] if meter["serial"] == WATER)


@pytest.fixture
async def meter_id(claire: Any, home: Any, now: datetime) -> str:
    """A water meter with five readings, an hour apart, the last at `now`."""
    await home.read(WATER, [(now - timedelta(hours=hours), 1_000 - hours) for hours in range(5)])
    return (await water_meter(claire))["id"]


async def page(portal: Any, meter_id: str, **arguments: Any) -> dict[str, Any]:
    variables = {"id": meter_id, "first": 2, "order": "NEWEST_FIRST"} | arguments
    return (await portal.ask(PAGE, **variables))["node"]["readings"]


def indexes(connection: dict[str, Any]) -> list[int]:
    return [edge["node"]["index"]["smallest"] for edge in connection["edges"]]


@pytest.mark.requirement("R-009")
async def test_the_indexes_explain_the_consumption(
    application: Any, key_encryption: Any, portal: Any, now: datetime
) -> None:
    """From the meter's telegrams: the difference of the indexes at both ends of a day is that day's
    consumption, the days add up to the month's, and each is shown beside the one before.
    """
    izar, start = Izar(), datetime(2026, 11, 18, 23, tzinfo=UTC)
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = izar.hourly(start, [10] * 24 + [20] * 24)
    await take_in(application, SYSTEM, lines, source="roof", now=now)
    await portal.sign_in()
    asked = """{ viewer { dwellings { meters { readings(first: 100, order: OLDEST_FIRST) {
      edges { node { readAt index { smallest } } } } }
      dailyConsumption(fluid: COLD_WATER, from: "2026-11-19") { day amount { smallest } }
      dashboard(fluid: COLD_WATER) { monthToDate { smallest } previousMonth { smallest } } } } }"""
    (found,) = (await portal.ask(asked))["viewer"]["dwellings"]
    (meter,) = found["meters"]
    read = [
        (edge["node"]["readAt"], edge["node"]["index"]["smallest"]) for edge in meter["readings"]["edges"]
    ]
    at = dict(read)
    midnights = [f"2026-11-{day}T23:00:00+00:00" for day in (18, 19, 20)]
    differences = [at[last] - at[first] for first, last in pairwise(midnights)]
    amounts = {day["day"]: day["amount"] for day in found["dailyConsumption"]}
    assert differences == [amounts[f"2026-11-{day}"]["smallest"] for day in (19, 20)] == [240, 480]
    assert found["dashboard"] == [{"monthToDate": {"smallest": 720}, "previousMonth": None}]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("NEWEST_FIRST", [[1_000, 999], [998, 997], [996]]),
        ("OLDEST_FIRST", [[996, 997], [998, 999], [1_000]]),
    ],
)
async def test_pages_follow_each_other(
    claire: Any, meter_id: str, order: str, expected: list[list[int]]
) -> None:
    """Each cursor gives the next page, in either order, until there is none."""
    after = None
    for number, numbers in enumerate(expected):
        found = await page(claire, meter_id, order=order, after=after)
        assert indexes(found) == numbers
        after = found["pageInfo"]["endCursor"]
        assert found["pageInfo"] == {
            "hasNextPage": number < 2,
            "hasPreviousPage": number > 0,
            "startCursor": found["edges"][0]["cursor"],
            "endCursor": found["edges"][-1]["cursor"],
        }
    assert indexes(await page(claire, meter_id, order=order, after=after)) == []


async def test_a_reading_that_arrives_shifts_nothing(
    claire: Any, home: Any, meter_id: str, now: datetime
) -> None:
    """The second page is the same whether or not a reading came in meanwhile."""
    first = await page(claire, meter_id)
    await home.read(WATER, [(now + timedelta(minutes=10), 1_001)])
    assert indexes(await page(claire, meter_id, after=first["pageInfo"]["endCursor"])) == [998, 997]


@pytest.mark.requirement("R-072")
async def test_a_reading_has_both_its_times(claire: Any, meter_id: str) -> None:
    """A reading has the moment of its index, the moment of its reception, and its exact index (C-21)."""
    expected = {
        "readAt": "2026-11-22T09:30:00+00:00",
        "receivedAt": "2026-11-22T09:31:00+00:00",
        "index": {"value": "1.000", "smallest": 1_000},
        "flags": [],
    }
    assert (await page(claire, meter_id))["edges"][0]["node"] == expected
    fields = "lastReading { readAt receivedAt index { value smallest } flags }"
    assert (await water_meter(claire, fields))["lastReading"] == expected


async def test_bounds_narrow_the_readings(claire: Any, meter_id: str) -> None:
    """`from` and `to` are both included, in whatever offset they are given."""
    found = await page(
        claire, meter_id, **{"from": "2026-11-22T07:30:00Z", "to": "2026-11-22T09:30:00+01:00"}
    )
    assert indexes(found) == [999, 998]


@pytest.mark.parametrize("first", [0, -1, 201, 2_147_483_647])
async def test_a_page_has_1_to_200_items(claire: Any, meter_id: str, first: int) -> None:
    """Another size is refused with a code and the name of the argument."""
    variables = {"id": meter_id, "first": first, "order": "NEWEST_FIRST"}
    assert await claire.refusal(PAGE, **variables) == {"code": "INVALID_INPUT", "field": "first"}


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "A" * 500,
        "reading|x",
        "reading|",
        "reading",
        "reading|1|2",
        "alert|1",
        f"reading|{10**18}",
    ],
)
async def test_a_forged_cursor_is_invalid(claire: Any, meter_id: str, cursor: str) -> None:
    """What is no cursor of readings is INVALID_INPUT, plain or in base64."""
    for after in (cursor, base64.urlsafe_b64encode(cursor.encode()).decode()):
        variables = {"id": meter_id, "first": 1, "order": "NEWEST_FIRST", "after": after}
        assert await claire.refusal(PAGE, **variables) == {"code": "INVALID_INPUT", "field": "after"}


async def test_a_moment_needs_its_offset(claire: Any, meter_id: str) -> None:
    """A moment without an offset would mean the server's own zone, so it is refused."""
    variables = {"id": meter_id, "first": 1, "order": "NEWEST_FIRST", "to": "2026-11-22T07:30:00"}
    assert await claire.refusal(PAGE, **variables) == {"code": "INVALID_INPUT", "field": "to"}


@pytest.mark.parametrize("number", [999_999, 2**63 - 1])
async def test_another_meter_is_not_found(claire: Any, number: int) -> None:
    """A meter that is not the viewer's is NOT_FOUND."""
    other = base64.b64encode(f"Meter:{number}".encode()).decode()
    refusal = await claire.refusal("query ($id: ID!) { node(id: $id) { id } }", id=other)
    assert refusal == {"code": "NOT_FOUND", "field": "id"}


@pytest.mark.requirement("R-086")
async def test_a_meter_has_a_label(claire: Any) -> None:
    """A meter's label has its fluid and serial, in French and English."""
    meter = await water_meter(claire, "fr: label(language: FR) en: label(language: EN)")
    assert (meter["fr"], meter["en"]) == ("Eau froide n°H8CA029620", "Cold water no. H8CA029620")
