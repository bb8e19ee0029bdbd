"""Dwellings: whose they are, what their dashboard shows, and the series by day and by month."""

import base64
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from core.models import Dwelling
from core.models import OccupancyKind as Kind
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import OccupancySpec
from graphql_schema.base.enums import OccupancyKind
from tests.support import factories

WATER, HEAT = "H8CA029620", "76348799"
HOMES = "{ viewer { dwellings { id %s } } }"


def global_id(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def home_of(portal: Any, fields: str, **variables: Any) -> dict[str, Any]:
    (dwelling,) = (await portal.ask(HOMES % fields, **variables))["viewer"]["dwellings"]
    return dwelling


async def refusal_of(portal: Any, field: str) -> dict[str, Any]:
    return await portal.refusal(HOMES % field)


@pytest.mark.requirement("R-066", "R-067")
async def test_a_dwelling_has_its_place_and_residence(claire: Any) -> None:
    """It also has the period that the viewer may see."""
    fields = """building staircase floor number lot managerReference surfaceM2 occupancy
      visibleFrom visibleUntil
      residence { code name street postcode city timeZone operatorName } meters { fluid serial vendor }"""
    dwelling = await home_of(claire, fields)
    del dwelling["id"]
    assert dwelling == {
        "building": "A",
        "staircase": "1",
        "floor": "2",
        "number": "12",
        "lot": "104",
        "managerReference": None,
        "surfaceM2": None,
        "occupancy": "TENANT",
        "visibleFrom": "2024-02-01",
        "visibleUntil": None,
        "residence": {
            "code": "AA000",
            "name": "Résidence Les Tilleuls",
            "street": "1 place Victor Hugo",
            "postcode": "92400",
            "city": "Courbevoie",
            "timeZone": "Europe/Paris",
            "operatorName": "OCEA Smart Building",
        },
        "meters": [
            {"fluid": "COLD_WATER", "serial": WATER, "vendor": "ocea"},
            {"fluid": "HEAT", "serial": HEAT, "vendor": "kamstrup"},
        ],
    }


async def test_a_dwelling_is_found_again_by_its_id(claire: Any) -> None:
    """The global id of a dwelling leads back to it, by `dwelling` and by `node`."""
    known = (await home_of(claire, ""))["id"]
    query = (
        "query ($id: ID!) { dwelling(id: $id) { number } node(id: $id) { id ... on Dwelling { number } } }"
    )
    assert await claire.ask(query, id=known) == {
        "dwelling": {"number": "12"},
        "node": {"id": known, "number": "12"},
    }


@pytest.mark.parametrize("field", ["dwelling(id: $id) { id }", "node(id: $id) { id }"])
async def test_anothers_dwelling_is_not_found(claire: Any, key_encryption: KeyEncryption, field: str) -> None:
    """A neighbour's dwelling and an unknown one have the same answer; without sign-in not even that."""
    await factories.residence(key_encryption, email="paul@example.org", number="13")
    other = await Dwelling.get(number="13")
    query = f"query ($id: ID!) {{ {field} }}"
    for number in (other.id, 999_999, 2**63 - 1):
        refusal = await claire.refusal(query, id=global_id(f"Dwelling:{number}"))
        assert refusal == {"code": "NOT_FOUND", "field": "id"}
    claire.token = None
    assert await claire.refusal(query, id=global_id(f"Dwelling:{other.id}")) == {"code": "UNAUTHENTICATED"}


@pytest.mark.parametrize(
    "malformed",
    [
        "", "1", "é", "RHdlbGxpbmc6", "A" * 10_000, global_id("Dwelling:0"), global_id("Dwelling:-1"),
        global_id("Dwelling:1; DROP TABLE"), global_id(f"Dwelling:{2**63}"), global_id("Dwelling:٣"),
        global_id("Reading:1"), global_id("Nothing:1"), global_id("Dwelling:1") + "\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("field", ["dwelling", "node"])
async def test_a_malformed_id_is_invalid(claire: Any, malformed: str, field: str) -> None:
    """Any text that is no id of a dwelling is INVALID_INPUT."""
    refusal = await claire.refusal(f"query ($id: ID!) {{ {field}(id: $id) {{ id }} }}", id=malformed)
    assert refusal == {"code": "INVALID_INPUT", "field": "id"}


@pytest.mark.requirement("R-068", "R-069", "R-070", "R-073")
async def test_the_tabs_are_the_fluids_that_are_metered(claire: Any) -> None:
    """There is one tab for each fluid, labelled in French or English; each can be asked for alone."""
    fields = """all: dashboard { fluid unit fr: label(language: FR) en: label(language: EN) own: label }
      heat: dashboard(fluid: HEAT) { fluid } none: dashboard(fluid: HOT_WATER) { fluid }"""
    dwelling = await home_of(claire, fields)
    cold, heat = dwelling["all"]
    assert cold == {
        "fluid": "COLD_WATER",
        "unit": "CUBIC_METRE",
        "fr": "Eau froide",
        "en": "Cold water",
        "own": "Eau froide",
    }
    assert (heat["unit"], heat["fr"], heat["en"]) == ("KILOWATT_HOUR", "Chauffage", "Heating")
    assert (dwelling["heat"], dwelling["none"]) == ([{"fluid": "HEAT"}], [])


FIGURES = """dashboard(fluid: COLD_WATER) {
  monthToDate { value unit smallest smallestUnit } monthToDateDays lastReadingAt lastReceivedAt
  previousMonth { value } previousMonthDays yearToDate { value } meanOfLast12Months { value } monthsCounted
  estimatedDays
}"""


@pytest.mark.requirement("R-071", "R-072", "R-074", "R-075", "R-076")
async def test_the_dashboard_shows_the_months_figures(claire: Any, home: Any, now: datetime) -> None:
    """Month so far, last reading, month before, year so far and the mean of complete months, exact in m³."""
    await home.consume(WATER, date(2026, 9, 15), date(2026, 11, 21), daily=123)
    read_at = now - timedelta(hours=3)
    await home.read(WATER, [(read_at - timedelta(days=1), 1_000), (read_at, 1_123)])
    (tab,) = (await home_of(claire, FIGURES))["dashboard"]
    assert tab == {
        "monthToDate": {"value": "2.583", "unit": "CUBIC_METRE", "smallest": 2_583, "smallestUnit": "LITRE"},
        "monthToDateDays": 21,
        "lastReadingAt": "2026-11-22T06:30:00+00:00",
        "lastReceivedAt": "2026-11-22T06:31:00+00:00",
        "previousMonth": {"value": "3.813"},
        "previousMonthDays": 31,
        "yearToDate": {"value": "8.364"},
        "meanOfLast12Months": {"value": "3.813"},
        "monthsCounted": 1,
        "estimatedDays": 0,
    }


@pytest.mark.requirement("R-074", "R-076")
async def test_no_data_is_null_and_never_0(claire: Any) -> None:
    """A tab without a reading shows null for every figure, and 0 only for numbers of days and months."""
    (tab,) = (await home_of(claire, FIGURES))["dashboard"]
    counted = {"monthToDateDays": 0, "previousMonthDays": 0, "monthsCounted": 0, "estimatedDays": 0}
    assert tab == dict.fromkeys(tab) | counted


async def test_watt_hours_go_beyond_32_bits(claire: Any, home: Any) -> None:
    """An amount of energy is exact in kWh and as a number, however large."""
    await home.consume(HEAT, date(2026, 11, 1), date(2026, 11, 1), daily=5_000_000_000_001)
    (tab,) = (await home_of(claire, "dashboard(fluid: HEAT) { monthToDate { value smallest } }"))["dashboard"]
    assert tab["monthToDate"] == {"value": "5000000000.001", "smallest": 5_000_000_000_001}


@pytest.mark.requirement("R-193")
async def test_nothing_from_before_the_move_in_is_shown(
    portal: Any, key_encryption: KeyEncryption, data_of: Any
) -> None:
    """The month of the move-in counts from the day of the move-in, and what was before is left out (C-15)."""
    predecessor = OccupancySpec(move_in=date(2020, 1, 1), move_out=date(2026, 11, 10))
    spec = factories.meter(printed_serial=WATER)
    await factories.residence(key_encryption, spec, move_in=date(2026, 11, 10), predecessor=predecessor)
    home = await data_of()
    await home.consume(WATER, date(2026, 1, 1), date(2026, 11, 21), daily=100)
    await home.read(WATER, [(datetime(2026, 11, day, 12, tzinfo=UTC), day) for day in (8, 9, 10, 11)])
    await portal.sign_in()
    dwelling = await home_of(
        portal,
        FIGURES
        + """ visibleFrom monthlyConsumption(fluid: COLD_WATER) { month amount { value } complete }
          dailyConsumption(fluid: COLD_WATER) { day } meters { readings { edges { node { readAt } } } }""",
    )
    (tab,), (month,) = dwelling["dashboard"], dwelling["monthlyConsumption"]
    assert dwelling["visibleFrom"] == "2026-11-10"
    assert month == {"month": "2026-11", "amount": {"value": "1.200"}, "complete": False}
    assert (tab["monthToDate"]["value"], tab["yearToDate"]["value"]) == ("1.200", "1.200")
    assert (tab["previousMonth"], tab["meanOfLast12Months"]) == (None, None)
    assert dwelling["dailyConsumption"][0] == {"day": "2026-11-10"}
    assert len(dwelling["meters"][0]["readings"]["edges"]) == 2
    asked = """monthlyConsumption(fluid: COLD_WATER, from: "2026-08") { month amount { value } complete }
        dailyConsumption(fluid: COLD_WATER, from: "2026-11-01", to: "2026-11-11") { day }
        before: dailyConsumption(fluid: COLD_WATER, to: "2026-11-09") { day }"""
    clipped = await home_of(portal, asked)
    assert clipped == {
        "id": clipped["id"],
        "monthlyConsumption": [month],
        "dailyConsumption": [{"day": "2026-11-10"}, {"day": "2026-11-11"}],
        "before": [],
    }


@pytest.mark.requirement("R-007")
async def test_days_without_data_are_in_the_series(claire: Any, home: Any) -> None:
    """A series by day has every day that was asked for, with null where there is no data."""
    await home.consume(WATER, date(2026, 11, 2), date(2026, 11, 2), daily=90)
    field = """dailyConsumption(fluid: COLD_WATER, from: "2026-11-01", to: "2026-11-02") {
      day amount { value } quality }"""
    assert (await home_of(claire, field))["dailyConsumption"] == [
        {"day": "2026-11-01", "amount": None, "quality": None},
        {"day": "2026-11-02", "amount": {"value": "0.090"}, "quality": "MEASURED"},
    ]


@pytest.mark.requirement("R-073")
async def test_months_come_in_order(claire: Any, home: Any) -> None:
    """A series by month runs from month to month, each with its days and whether it is complete."""
    await home.consume(WATER, date(2026, 1, 31), date(2026, 2, 28), daily=100)
    field = """monthlyConsumption(fluid: COLD_WATER, from: "2025-12", to: "2026-02") {
      month amount { value } quality daysWithData complete }"""
    assert (await home_of(claire, field))["monthlyConsumption"] == [
        {"month": "2025-12", "amount": None, "quality": None, "daysWithData": 0, "complete": False},
        {
            "month": "2026-01",
            "amount": {"value": "0.100"},
            "quality": "PARTIAL",
            "daysWithData": 1,
            "complete": False,
        },
        {
            "month": "2026-02",
            "amount": {"value": "2.800"},
            "quality": "MEASURED",
            "daysWithData": 28,
            "complete": True,
        },
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        ('from: "2026-11-10", to: "2026-11-09"', "INVALID_INPUT", "to"),
        ('from: "9999-12-31"', "INVALID_INPUT", "to"),
        ('from: "0001-01-01"', "INVALID_INPUT", "from"),
        ('to: "0001-01-01"', "INVALID_INPUT", "to"),
    ],
)
async def test_days_that_are_no_series_are_refused(
    claire: Any, arguments: str, code: str, field: str
) -> None:
    """An end before the beginning, and days outside the supported calendar, are refusals with a field."""
    asked = f"dailyConsumption(fluid: HEAT, {arguments}) {{ day }}"
    assert await refusal_of(claire, asked) == {"code": code, "field": field}


async def test_the_year_9999_is_answered_up_to_today(claire: Any) -> None:
    """A series never goes past today, however far it is asked for."""
    field = 'dailyConsumption(fluid: HEAT, from: "2026-11-21", to: "9999-12-31") { day }'
    assert len((await home_of(claire, field))["dailyConsumption"]) == 2
    field = 'monthlyConsumption(fluid: HEAT, from: "2026-11", to: "2999-12") { month }'
    assert (await home_of(claire, field))["monthlyConsumption"] == [{"month": "2026-11"}]


def test_occupancy_kinds_are_those_of_the_tables() -> None:
    """The schema knows every kind of occupancy that is stored."""
    assert {kind.value for kind in OccupancyKind} == {kind.value for kind in Kind}


async def test_the_levels_and_their_borders_are_data(claire: Any) -> None:
    """Each border belongs to the level above it; the highest is marked above 20 L/h (C-26)."""
    fields = "residence { leakLevels { level fromLph belowLph overRangeAboveLph equivalent(language: FR) } }"
    levels = (await home_of(claire, fields))["residence"]["leakLevels"]
    assert [tuple(one.values()) for one in levels] == [
        (1, "4", "8", None, "goutte à goutte"),
        (2, "8", "12", None, "filet d'eau"),
        (3, "12", None, "20", "robinet ouvert"),
    ]
