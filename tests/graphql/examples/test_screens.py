"""examples/screens: the screens of a resident and of a manager, each one operation that fits its role."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from graphql import FragmentDefinitionNode, OperationType, get_operation_ast, parse, validate

from core.access import NOBODY, Role, Viewer
from core.models import Account, Dwelling, DwellingRequest, DwellingRequestKind, OccupancyKind, Residence
from core.services.occupancy.consents import answer_consent
from graphql_schema.base.relay import global_id
from graphql_schema.schema import schema
from tests.graphql.alerts.test_alerts import leak
from tests.graphql.conftest import HEAT, WATER
from tests.graphql.examples.screens import FRAGMENTS, parsed, screens
from tests.support import seats
from tests.support.factories import NOW
from tests.support.sign_up import describe

SCREENS = screens()
RESIDENT = ("dashboard", "alerts", "consumption", "comparison", "statement", "account")
MANAGER = ("residences", "residence-alerts", "home", "dwelling-requests")
ANYBODY = ("registration", "registration-help")
OF_BOTH = {
    *("ResidenceFields", "DwellingFields", "MeterFields", "AlertFields"),
    *("ConsentFields", "DwellingRequestFields", "LeakLevelFields", "MonthFields"),
}
TODAY = NOW.date()
PLACE = "A · 1 · 2 · 12"


@pytest.fixture
async def lived_in(application: Any, home: Any) -> Any:
    """Claire's home after a year of 300 litres a day, with an active leak, one that ended, and a request."""
    await home.consume(WATER, TODAY - timedelta(days=400), TODAY - timedelta(days=1), daily=300)
    await home.read(WATER, [(NOW - timedelta(days=1), 120_000), (NOW - timedelta(hours=3), 120_300)])
    await leak(home.meters[WATER], TODAY - timedelta(days=3), level=2, loss="400.00", mean="5.9000")
    await leak(home.meters[WATER], date(2026, 3, 1), date(2026, 3, 9), loss="120.00", mean="2.0000")
    account, dwelling = await Account.get(email=seats.CLAIRE), await Dwelling.get()
    await DwellingRequest.create(
        account_id=account.id,
        dwelling_id=dwelling.id,
        kind=DwellingRequestKind.REVIEW,
        occupancy_kind=OccupancyKind.TENANT,
        move_in=date(2026, 11, 1),
        attested_at=NOW,
        opened_at=NOW,
    )
    return application


async def shown(portal: Any, screen: str, **variables: Any) -> dict[str, Any]:
    """The data of a screen; it costs at most a fifth of what its role may spend on one operation."""
    answer = (await portal.post(SCREENS[screen], variables)).json()
    assert "errors" not in answer, answer["errors"]
    cost = answer["extensions"]["cost"]
    assert 0 < cost["points"] <= cost["limit"] / 5
    data: dict[str, Any] = answer["data"]
    return data


async def own(portal: Any, screen: str, **variables: Any) -> dict[str, Any]:
    """The only dwelling of a resident's screen."""
    (dwelling,) = (await shown(portal, screen, **variables))["viewer"]["dwellings"]
    return dict(dwelling)


def fragments(screen: str) -> set[str]:
    document = parse(SCREENS[screen])
    return {one.name.value for one in document.definitions if isinstance(one, FragmentDefinitionNode)}


def used(names: Iterable[str]) -> set[str]:
    return set().union(*(fragments(name) for name in names))


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_is_one_operation_of_the_schema(screen: str) -> None:
    """Valid, and a query; beginning a registration alone is a mutation, for it makes a token."""
    document = parse(SCREENS[screen])
    assert validate(schema.core, document) == []
    operation = get_operation_ast(document)
    assert operation is not None
    mutates = operation.operation is OperationType.MUTATION
    assert mutates == (screen == "registration")


def test_every_screen_has_a_role_and_every_noun_one_fragment_for_both() -> None:
    """Each fragment is used by a resident's screen and by a manager's; no noun has two."""
    assert set(SCREENS) == {*RESIDENT, *MANAGER, *ANYBODY}
    defined = [one for one in parsed(FRAGMENTS).definitions if isinstance(one, FragmentDefinitionNode)]
    assert used(RESIDENT) == used(MANAGER) == {one.name.value for one in defined} == OF_BOTH
    nouns = [one.type_condition.name.value for one in defined]
    assert len(nouns) == len(set(nouns))


@pytest.mark.parametrize("screen", [*RESIDENT, *MANAGER])
async def test_a_screen_without_a_session(portal: Any, home: Any, screen: str) -> None:
    """Says that nobody is signed in, so that a portal whose session has ended knows what to do; it is small
    enough for a stranger's points.
    """
    variables = {
        "fluid": "COLD_WATER",
        "residence": global_id("Residence", 1),
        "dwelling": global_id("Dwelling", 1),
    }
    asked = {name: value for name, value in variables.items() if f"${name}:" in SCREENS[screen]}
    errors = (await portal.post(SCREENS[screen], asked)).json()["errors"]
    assert {error["extensions"]["code"] for error in errors} == {"UNAUTHENTICATED"}


async def test_the_dashboard(lived_in: Any, claire: Any) -> None:
    """A tab for each fluid; the month so far of 21 days at 300 litres, the month before whole."""
    dwelling = await own(claire, "dashboard")
    assert (dwelling["place"], dwelling["seenAs"], dwelling["activeAlertCount"]) == (PLACE, "OCCUPANT", 1)
    assert dwelling["residence"]["code"] == "AA000"
    assert dwelling["withheld"] == []
    water, heat = dwelling["dashboard"]
    figures = {name: water[name]["value"] for name in ("monthToDate", "previousMonth")}
    assert figures == {"monthToDate": "6.300", "previousMonth": "9.300"}
    assert (water["unit"], water["monthsCounted"]) == ("CUBIC_METRE", 12)
    assert (heat["fluid"], heat["monthToDate"]) == ("HEAT", None)
    assert water["lastReadingAt"] == (NOW - timedelta(hours=3)).isoformat()


async def test_the_alerts(lived_in: Any, claire: Any) -> None:
    """Active and past with loss, flow and meter, and three levels with what they mean."""
    dwelling = await own(claire, "alerts")
    (active,) = dwelling["activeAlerts"]
    assert (active["level"], active["lossM3"], active["meanFlowLph"]) == (2, "0.40", "5.90")
    assert active["meter"]["serial"] == WATER
    assert "niveau 2" in active["title"]
    past = dwelling["pastAlerts"]
    assert (past["totalCount"], past["edges"][0]["node"]["endedOn"]) == (1, "2026-03-09")
    levels = dwelling["residence"]["leakLevels"]
    assert [(one["level"], float(one["fromLph"])) for one in levels] == [(1, 4), (2, 8), (3, 12)]


async def test_the_months_compared(lived_in: Any, claire: Any) -> None:
    """October with the one of last year; without tariffs, surface or station each says why."""
    series = (await own(claire, "comparison", fluid="COLD_WATER"))["consumption"]
    assert (series["amounts"][-2], series["qualities"][-2]) == ("9.300", "MEASURED")
    compared = series["comparison"]
    assert (compared["amounts"][-1], compared["days"][-1], compared["percents"][-1]) == ("6.300", 21, "0.0")
    assert compared["total"]["trend"] == "EQUAL"
    assert series["climateCorrected"]["reasons"][-2] == "NOT_HEATING"
    assert series["buildingAverage"]["reasons"][-2] == "NO_SURFACE"
    assert series["cost"]["reasons"][-2] == "NO_RATE"


async def test_the_history_of_a_fluid(lived_in: Any, claire: Any) -> None:
    """Thirteen months, and the days that are asked for, in the unit of the series."""
    dwelling = await own(claire, "consumption", fluid="COLD_WATER", last=8)
    months = dwelling["monthlyConsumption"]
    assert (len(months), months[-2]["month"], months[-2]["amount"]["value"]) == (13, "2026-10", "9.300")
    series = dwelling["consumption"]
    assert (series["unit"], series["amounts"]) == ("CUBIC_METRE", [*["0.300"] * 7, None])
    assert (await own(claire, "consumption", fluid="HEAT"))["consumption"]["unit"] == "KILOWATT_HOUR"


async def test_the_statement(lived_in: Any, claire: Any) -> None:
    """A line for each device, with its index at the end of the day."""
    dwelling = await own(claire, "statement", day=str(TODAY))
    lines = {line["serial"]: line["index"] for line in dwelling["indexStatement"]["lines"]}
    assert lines == {WATER: {"value": "120.300", "unit": "CUBIC_METRE"}, HEAT: None}
    assert {meter["serial"] for meter in dwelling["meters"]} == set(lines)


async def test_the_account(lived_in: Any, claire: Any) -> None:
    """Contact, channels, the consent with its question, the session, and what waits for a decision."""
    viewer = (await shown(claire, "account"))["viewer"]
    assert (viewer["email"], viewer["phone"]) == (seats.CLAIRE, "+33639980012")
    leaks = [one for one in viewer["notifications"] if one["topic"] == "LEAK"]
    assert [(one["byEmail"], one["bySms"]) for one in leaks] == [(True, True)]
    (dwelling,) = viewer["dwellings"]
    assert (dwelling["consent"]["answer"], dwelling["consent"]["question"] != "") == ("UNANSWERED", True)
    assert [one["current"] for one in viewer["sessions"]] == [True]
    assert [one["moveIn"] for one in viewer["dwellingRequests"]] == ["2026-11-01"]
    assert len(viewer["operator"]["passwordCriteria"]) >= 4


@pytest.mark.parametrize(("operator", "form"), [("ocea", "occupancy"), ("ista", "serial")])
async def test_the_beginning_of_a_registration(
    portal: Any, key_encryption: Any, operator: str, form: str
) -> None:
    """Without an account: a token and the first forms, as the two guides show them, with the help beside."""
    await describe(key_encryption, operator)
    started = (await shown(portal, "registration", operator=operator, language="EN"))["startRegistration"]
    assert started["__typename"] == "Registration"
    assert form in {one["name"] for one in started["forms"]}
    assert started["token"].startswith("smr_")
    fields = [field for form in started["forms"] for field in form["fields"]]
    assert fields
    assert all(field["label"] for field in fields)
    offered = (await shown(portal, "registration-help", language="FR"))["operators"]
    (described,) = [one for one in offered if one["code"] == operator]
    assert all(page["items"] for page in described["helpPages"])
    assert described["privacyNotice"]["url"].startswith("https://")


async def test_a_registration_with_an_unknown_operator(portal: Any) -> None:
    """Is refused in the data of the same screen."""
    refused = (await shown(portal, "registration", operator="nobody"))["startRegistration"]
    assert (refused["__typename"], refused["code"]) == ("RequestRefused", "NOT_FOUND")


async def test_the_residences_of_a_manager(lived_in: Any, portal: Any) -> None:
    """With the counts of dwellings and of active alerts, and only those in charge."""
    other = await Residence.get()
    await Residence.create(
        operator_id=other.operator_id, code="BB001", name="x", street="x", postcode="1", city="x"
    )
    manager = await seats.manager(portal, lived_in)
    page = (await shown(manager, "residences"))["residences"]
    (found,) = [edge["node"] for edge in page["edges"]]
    assert (page["totalCount"], found["code"]) == (1, "AA000")
    assert (found["dwellings"]["totalCount"], found["activeAlerts"]["totalCount"]) == (1, 1)


async def test_the_alerts_of_a_residence(lived_in: Any, portal: Any) -> None:
    """The alert that the resident sees, by the same fragment, without loss and flow; and whose it is."""
    manager = await seats.manager(portal, lived_in)
    number = global_id("Residence", (await Residence.get()).id)
    residence = (await shown(manager, "residence-alerts", residence=number))["residence"]
    (active,) = [edge["node"] for edge in residence["activeAlerts"]["edges"]]
    assert (active["level"], active["dwelling"]["place"], active["meter"]["serial"]) == (2, PLACE, WATER)
    assert (active["lossM3"], active["meanFlowLph"]) == (None, None)
    assert residence["pastAlerts"]["totalCount"] == 1
    resident = await seats.enter(portal, lived_in, seats.CLAIRE)
    (same,) = (await own(resident, "alerts"))["activeAlerts"]
    differing = {name for name in same if same[name] != active[name]}
    assert differing == {"lossM3", "meanFlowLph"}


@pytest.mark.parametrize("granted", [False, True])
async def test_a_home_as_its_manager_sees_it(lived_in: Any, portal: Any, granted: bool) -> None:  # noqa: FBT001
    """Months, occupancy and consent always; days where the occupant has consented, else the reason."""
    row = await Account.get(email=seats.CLAIRE)
    claire = Viewer(role=Role.RESIDENT, account_id=row.id, operator_id=row.operator_id)
    dwelling = (await Dwelling.get()).id
    await answer_consent(lived_in, claire, dwelling, granted=granted, visitor=NOBODY, now=NOW)
    manager = await seats.manager(portal, lived_in)
    home = (await shown(manager, "home", dwelling=global_id("Dwelling", dwelling)))["dwelling"]
    assert (home["seenAs"], home["occupancy"], home["occupiedSince"]) == ("MANAGER", "TENANT", "2024-02-01")
    assert home["consent"]["answer"] == ("GRANTED" if granted else "REFUSED")
    assert home["monthlyConsumption"][-2]["amount"]["value"] == "9.300"
    assert [one["serial"] for one in home["meters"]] == [WATER, HEAT]
    withheld = {one["field"]: one["reason"] for one in home["withheld"]}
    if granted:
        assert home["dailySeries"]["amounts"][-2:] == ["0.300", None]
        assert "dailySeries" not in withheld
    else:
        assert home["dailySeries"] is None
        assert withheld["dailySeries"] == "CONSENT_REQUIRED"


async def test_the_requests_for_homes(lived_in: Any, portal: Any) -> None:
    """Who asks, for which dwelling, and from when."""
    manager = await seats.manager(portal, lived_in)
    page = (await shown(manager, "dwelling-requests"))["dwellingRequests"]
    (request,) = [edge["node"] for edge in page["edges"]]
    assert (page["totalCount"], request["residenceCode"], request["dwelling"]) == (1, "AA000", PLACE)
    assert (request["name"], request["occupancy"], request["moveIn"]) == (
        "Claire Martin",
        "TENANT",
        "2026-11-01",
    )
