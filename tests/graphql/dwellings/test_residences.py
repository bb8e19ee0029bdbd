"""Residences and their dwellings in pages, as managers, staff and residents list them."""

from typing import Any

import pytest

from core.access import SYSTEM
from core.models import Dwelling, Meter, Residence
from core.services.places.managed_residences import grant_residence
from graphql_schema.base.relay import global_id
from tests.graphql.alerts.test_alerts import leak
from tests.graphql.conftest import WATER
from tests.support import factories, seats
from tests.support.attack import watched
from tests.support.factories import NOW

LIST = """query (
    $filter: ResidenceFilterInput, $order: ResidenceOrder! = CODE, $first: Int! = 50, $after: String
  ) {
  residences(filter: $filter, orderBy: $order, first: $first, after: $after) {
    totalCount edges { node { code seenAs } } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""
DWELLINGS = """query ($first: Int!, $after: String) { residences { edges { node { code
  dwellings(first: $first, after: $after) {
    totalCount edges { node { place } } pageInfo { hasNextPage endCursor } } } } } }"""

NAMES = {"AA000": ("Les Tilleuls", "Lyon"), "BB001": ("Été", "Lille"), "CC002": ("Les Tilleuls", "Brest")}


@pytest.fixture
async def three(application: Any, home: Any) -> Any:
    """Three residences of the operator, of which AA000 is Claire's; BB001 is not published."""
    first = await Residence.get()
    for code, (name, city) in NAMES.items():
        published = None if code == "BB001" else NOW
        shared = {"name": name, "city": city, "published_at": published}
        if code == "AA000":
            await Residence.all().update(**shared)
        else:
            await Residence.create(
                operator_id=first.operator_id, code=code, street="1 rue Haute", postcode="69000", **shared
            )
    return application


async def codes(portal: Any, **variables: Any) -> list[str]:
    found = (await portal.ask(LIST, **variables))["residences"]
    assert found["totalCount"] == len(found["edges"])
    return [edge["node"]["code"] for edge in found["edges"]]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, ["AA000", "BB001", "CC002"]),
        ({"order": "NAME"}, ["AA000", "CC002", "BB001"]),
        ({"order": "CITY"}, ["CC002", "BB001", "AA000"]),
        ({"filter": {"code": "BB001"}}, ["BB001"]),
        ({"filter": {"city": "lyon"}}, ["AA000"]),
        ({"filter": {"search": "tilleuls"}}, ["AA000", "CC002"]),
        ({"filter": {"search": "%"}}, []),
        ({"filter": {"search": "a\0b"}}, []),
        ({"filter": {"published": False}}, ["BB001"]),
        ({"filter": {"published": True, "search": "rue"}}, ["CC002"]),
        ({"filter": {"search": "  "}}, ["AA000", "BB001", "CC002"]),
    ],
)
async def test_residences_are_filtered_and_ordered(
    three: Any, portal: Any, variables: dict[str, Any], expected: list[str]
) -> None:
    """Exact code, city whatever its case, part of any text, published or not; a wildcard is a character."""
    await seats.staff(portal, three)
    assert await codes(portal, **variables) == expected


@pytest.mark.parametrize("order", ["CODE", "NAME", "CITY"])
async def test_the_pages_of_residences_hold_each_once(three: Any, portal: Any, order: str) -> None:
    """In any order, and with the count of all on each page."""
    await seats.staff(portal, three)
    whole = await codes(portal, order=order)
    seen, after = [], None
    while True:
        page = (await portal.ask(LIST, order=order, first=1, after=after))["residences"]
        assert (page["totalCount"], page["pageInfo"]["hasPreviousPage"]) == (3, after is not None)
        seen += [edge["node"]["code"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert seen == whole


async def test_each_lists_what_it_is_in_charge_of(three: Any, portal: Any) -> None:
    """A manager those granted, staff the operator's, a resident and an owner those of the dwellings."""
    manager = await seats.manager(portal, three)
    assert await codes(manager) == ["AA000"]
    await grant_residence(
        SYSTEM, email="manager.AA000@example.org", operator_code="ocea", residence_code="CC002", now=NOW
    )
    assert await codes(manager) == ["AA000", "CC002"]
    assert await codes(await seats.staff(portal, three)) == ["AA000", "BB001", "CC002"]
    assert await codes(await seats.staff(portal, three, operator=seats.OTHER_OPERATOR)) == []
    for seat in (seats.owner(portal, three), seats.enter(portal, three, seats.CLAIRE)):
        resident = await seat
        assert await codes(resident) == ["AA000"]
        narrowed = {"search": "TILLEULS", "city": "LYON", "published": True}
        assert await codes(resident, filter=narrowed) == ["AA000"]
        assert await codes(resident, filter={"code": "CC002"}) == []
    assert await codes(await seats.stranger(portal, three)) == []


async def test_the_dwellings_of_a_residence_come_by_place(three: Any, portal: Any) -> None:
    """Page by page, each once; a resident finds the own one alone."""
    residence = await Residence.get(code="AA000")
    for number in ("3", "11", "2"):
        await Dwelling.create(residence_id=residence.id, building="B", number=number)
    await seats.manager(portal, three)
    seen, after = [], None
    while True:
        answer = await portal.ask(DWELLINGS, first=3, after=after)
        page = answer["residences"]["edges"][0]["node"]["dwellings"]
        assert page["totalCount"] == 4
        seen += [edge["node"]["place"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert seen == ["A · 1 · 2 · 12", "B · 11", "B · 2", "B · 3"]
    await seats.enter(portal, three, seats.CLAIRE)
    page = (await portal.ask(DWELLINGS, first=3))["residences"]["edges"][0]["node"]["dwellings"]
    assert page["totalCount"] == 1
    assert [edge["node"]["place"] for edge in page["edges"]] == ["A · 1 · 2 · 12"]


@pytest.mark.parametrize("after", ["", "x", "cmVzaWRlbmNlfDA=", "cmVzaWRlbmNlfGE=", "ZHdlbGxpbmd8MQ=="])
async def test_a_cursor_of_another_list_is_refused(three: Any, portal: Any, after: str) -> None:
    """One that is forged, or of dwellings, is INVALID_INPUT; after one that is gone ends the list."""
    await seats.staff(portal, three)
    assert (await portal.refusal(LIST, after=after))["code"] == "INVALID_INPUT"
    gone = (await portal.ask(LIST, after="cmVzaWRlbmNlfDk5OTk5"))["residences"]
    assert (gone["edges"], gone["pageInfo"]["hasNextPage"]) == ([], False)


SCREENS = {
    "residences with alerts": (
        """{ residences(first: 20) { totalCount edges { node { name activeAlerts(first: 5) { totalCount
        edges { node { title level dwelling { place } meter { serial } } } } } } } }""",
        5,
    ),
    "a residence's dwellings": (
        """{ residences(first: 5) { edges { node { dwellings(first: 20) { edges { node { place occupancy
        consent { answer } activeAlertCount meters { serial lastReadAt } withheld { field reason }
        monthlyConsumption(fluid: COLD_WATER) { month amount { value } } } } } } } } }""",
        8,
    ),
}


@pytest.mark.parametrize("name", SCREENS)
async def test_a_managers_screen_takes_as_many_statements_for_any_number_of_homes(
    three: Any, portal: Any, home: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One dwelling or seven, one residence or two: no statement is repeated for a row."""
    document, statements = SCREENS[name]
    await leak(home.meters[WATER], NOW.date())
    await seats.manager(portal, three)
    await portal.ask(document)
    with watched(monkeypatch) as work:
        await portal.ask(document)
    few = len(work.statements)
    for code in ("AA000", "CC002"):
        residence = await Residence.get(code=code)
        for number in range(3):
            dwelling = await Dwelling.create(residence_id=residence.id, number=f"9{number}")
            spec = factories.meter(f"SAP-3113{residence.id}{number}34-0C-04")
            created = await Meter.create(
                dwelling_id=dwelling.id,
                fluid=spec.fluid,
                vendor="ocea",
                printed_serial=f"X{code}{number}",
                serial_key=f"X{code}{number}",
                radio_address=spec.radio_address,
                installed_at=NOW,
            )
            await leak(created.id, NOW.date())
    await grant_residence(
        SYSTEM, email="manager.AA000@example.org", operator_code="ocea", residence_code="CC002", now=NOW
    )
    with watched(monkeypatch) as work:
        await portal.ask(document)
    assert len(work.statements) == few == statements, "\n".join(work.statements)


async def test_a_residence_is_found_by_its_id(three: Any, portal: Any) -> None:
    """By whoever sees it; an unknown one and another's have one answer."""
    one = "query ($id: ID!) { residence(id: $id) { code timeZone dwellings { totalCount } } }"
    residence = await Residence.get(code="AA000")
    await seats.manager(portal, three)
    found = (await portal.ask(one, id=global_id("Residence", residence.id)))["residence"]
    assert found == {"code": "AA000", "timeZone": "Europe/Paris", "dwellings": {"totalCount": 1}}
    for number in ((await Residence.get(code="BB001")).id, 2**40):
        refused = await portal.refusal(one, id=global_id("Residence", number))
        assert refused == {"code": "NOT_FOUND", "field": "id"}
