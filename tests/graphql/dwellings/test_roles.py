"""Role by field: what each who may look at a home sees of its nouns, and why not the rest."""

from datetime import date, timedelta
from typing import Any

import pytest
from graphql import GraphQLField, GraphQLObjectType, get_named_type, is_leaf_type

from core.access import NOBODY, Role, Viewer
from core.models import Account, Alert, Dwelling, Meter, Occupancy, RecurringDraw, Residence
from core.services.occupancy.consents import answer_consent
from graphql_schema.base.relay import global_id
from graphql_schema.schema import schema
from tests.graphql.alerts.test_alerts import leak
from tests.graphql.conftest import WATER
from tests.support import seats
from tests.support.factories import NOW

TODAY = NOW.date()
SEATS = (
    "occupant",
    "owner",
    "manager",
    "manager with consent",
    "manager of a vacant home",
    "staff",
    "household",
)
REASONS = {"O": "NOT_OCCUPANT", "C": "CONSENT_REQUIRED", "N": "NO_OCCUPANT", "R": "NOT_FOR_ROLE"}
EVERYBODY, BUILDING, MANAGERS = "vvvvvvv", "vOvvvvv", "vOvvvRv"
PAPERS, ISSUED = "vvvvvvR", "vOvvvvR"
OCCUPANCY, DAYS, READINGS = "vOvvNRR", "vOCvNRv", "vOCvNRR"
OCCUPANT, HOLDER, MANAGER_ONLY = "vORRRRv", "vORRRRR", "RRvvvRR"

TABLE = {
    "Residence": {
        EVERYBODY: "id seenAs withheld name street postcode city code timeZone operatorName publishedAt"
        " waterPrice leakLevels dwellings",
        PAPERS: "residentDocuments",
        MANAGER_ONLY: "documents activeAlerts pastAlerts overview notes",
    },
    "Dwelling": {
        EVERYBODY: "id seenAs withheld building staircase floor number place lot managerReference surfaceM2"
        " residence",
        PAPERS: "documents",
        BUILDING: "meters",
        ISSUED: "issuedPapers",
        MANAGERS: "monthlyConsumption activeAlertCount activeAlerts pastAlerts",
        OCCUPANCY: "occupancy occupiedSince consent",
        DAYS: "visibleFrom visibleUntil dashboard dailyConsumption dailySeries corrections",
        OCCUPANT: "consumption",
        HOLDER: "consumptionLimits indexStatement recurringDraws slowLeakHints accessLog",
    },
    "Meter": {
        EVERYBODY: "id seenAs withheld fluid vendor serial radioAddress location installedOn removedOn"
        " lastReadAt label dwelling",
        READINGS: "readings",
        OCCUPANT: "consumption",
        HOLDER: "lastReading",
    },
    "Alert": {
        EVERYBODY: "id seenAs withheld kind fluid level levelMax startedOn endedOn durationDays stale"
        " meterSerial ownLimit recurringDraw workflow title period equivalent meterLabel dwelling meter",
        OCCUPANT: "overRange lossLitres lossM3 lossCost projection meanFlowLph minimumFlowAtOpeningLph amount"
        " threshold",
        HOLDER: "evidence",
    },
    "RecurringDraw": {
        EVERYBODY: "id seenAs withheld fluid meterSerial draws firstOn lastOn answer answeredBy answeredAt"
        " meterLabel",
        OCCUPANT: "startsAt litres title",
    },
    "Consent": {EVERYBODY: "answer recordedAt byManager question trace"},
    "Reading": {EVERYBODY: "readAt receivedAt index flags"},
}
"""A letter for each seat: v for visible, or the reason why a field is withheld."""

MAY_BE_NULL = {
    "Residence": set(),
    "Dwelling": {"lot", "managerReference", "surfaceM2", "visibleUntil"},
    "Meter": {"removedOn"},
    "Alert": {"endedOn", "ownLimit", "recurringDraw", "period", "amount", "threshold", "evidence"},
    "RecurringDraw": {"answer", "answeredBy", "answeredAt"},
}
"""What this home does not have, whoever looks."""

SEES_NOTHING = {
    "Meter": {"owner"},
    "Alert": {"owner", "staff"},
    "RecurringDraw": {"owner", "staff", "household"},
}
"""Who does not get at a noun at all."""


def fields_of(noun: str) -> dict[str, GraphQLField]:
    kind = schema.core.type_map[noun]
    assert isinstance(kind, GraphQLObjectType)
    return kind.fields


@pytest.mark.parametrize("noun", TABLE)
def test_the_table_names_every_field(noun: str) -> None:
    """A new field has to be given to somebody here."""
    named = " ".join(TABLE[noun].values()).split()
    assert sorted(named) == sorted(fields_of(noun))


def test_whoever_is_seen_by_several_is_in_the_table() -> None:
    """Every type with withheld fields is walked."""
    narrowed = {
        name
        for name, kind in schema.core.type_map.items()
        if isinstance(kind, GraphQLObjectType) and "Narrowed" in {one.name for one in kind.interfaces}
    }
    assert narrowed == {noun for noun in TABLE if noun not in {"Consent", "Reading"}}


def everything(noun: str) -> str:
    """A selection of all fields of a noun."""
    parts = []
    for name, field in fields_of(noun).items():
        arguments = "(fluid: COLD_WATER)" if "fluid" in field.args and name != "dashboard" else ""
        inner = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
        parts.append(f"{name}{arguments}{inner}")
    return " ".join(parts).replace("withheld { __typename }", "withheld { field reason }")


@pytest.fixture
async def lived_in(application: Any, home: Any, portal: Any) -> Any:
    """Claire's home with readings, days, a leak, and a draw that comes back."""
    meter = home.meters[WATER]
    await home.read(WATER, [(NOW - timedelta(hours=2), 0), (NOW - timedelta(hours=1), 12)])
    await home.consume(WATER, TODAY - timedelta(days=40), TODAY - timedelta(days=1), daily=300)
    await leak(meter, TODAY - timedelta(days=3), loss="400.00", mean="5.9000")
    await RecurringDraw.create(
        meter_id=meter,
        first_on=date(2026, 6, 1),
        last_on=date(2026, 6, 8),
        draws=8,
        minute_of_day=1320,
        litres=700,
    )
    await Residence.all().update(water_price_eur_per_m3="4.52")
    return application


async def seated(portal: Any, application: Any, seat: str) -> Any:
    if seat == "occupant":
        return await seats.enter(portal, application, seats.CLAIRE)
    if seat == "owner":
        return await seats.owner(portal, application)
    if seat == "household":
        return await seats.household(portal, application)
    if seat == "staff":
        return await seats.staff(portal, application)
    if seat == "manager with consent":
        row = await Account.get(email=seats.CLAIRE)
        claire = Viewer(role=Role.RESIDENT, account_id=row.id, operator_id=row.operator_id)
        dwelling = (await Dwelling.get()).id
        await answer_consent(application, claire, dwelling, granted=True, visitor=NOBODY, now=NOW)
    if seat == "manager of a vacant home":
        await Occupancy.all().update(move_out=TODAY - timedelta(days=20))
    return await seats.manager(portal, application)


async def number_of(noun: str) -> int:
    if noun == "Meter":
        return int((await Meter.get(printed_serial=WATER)).id)
    model = {"Residence": Residence, "Dwelling": Dwelling, "Alert": Alert, "RecurringDraw": RecurringDraw}[
        noun
    ]
    return int((await model.get()).id)


NODE = "query ($id: ID!) { node(id: $id) { __typename ... on %s { %s } } }"
NARROWED = [noun for noun in TABLE if noun in MAY_BE_NULL]


@pytest.mark.parametrize("noun", NARROWED)
@pytest.mark.parametrize("seat", SEATS)
@pytest.mark.requirement("CN-01", "C-01", "C-18")
async def test_a_seat_sees_the_fields_that_the_table_says(
    lived_in: Any, portal: Any, noun: str, seat: str
) -> None:
    """All others are null, and listed with their reason; no field that is listed has a value."""
    await seated(portal, lived_in, seat)
    asked = {"id": global_id(noun, await number_of(noun))}
    if seat in SEES_NOTHING.get(noun, ()):
        refused = await portal.refusal(NODE % (noun, everything(noun)), **asked)
        assert refused["code"] in {"NOT_FOUND", "FORBIDDEN"}
        return
    found = (await portal.ask(NODE % (noun, everything(noun)), **asked))["node"]
    column = SEATS.index(seat)
    expected = {
        field: REASONS[letters[column]]
        for letters, fields in TABLE[noun].items()
        for field in fields.split()
        if letters[column] != "v"
    }
    assert {one["field"]: one["reason"] for one in found["withheld"]} == expected
    null = {name for name, value in found.items() if value is None}
    assert null >= set(expected)
    assert null <= set(expected) | MAY_BE_NULL[noun]


@pytest.mark.parametrize("noun", NARROWED)
@pytest.mark.parametrize("seat", ["stranger", "manager of another residence", "staff of another operator"])
async def test_to_others_the_whole_noun_does_not_exist(
    lived_in: Any, portal: Any, noun: str, seat: str
) -> None:
    """By the same answer as for a number that nobody has; staff get at no alert of anybody."""
    if seat == "stranger":
        await seats.stranger(portal, lived_in)
    elif seat == "staff of another operator":
        await seats.staff(portal, lived_in, operator=seats.OTHER_OPERATOR)
    else:
        await seats.manager(portal, lived_in, residence=None)
    query = NODE % (noun, "id")
    answers = [
        (await portal.post(query, {"id": global_id(noun, number)})).json()["errors"]
        for number in (await number_of(noun), 2**40)
    ]
    assert answers[0] == answers[1]
    assert answers[0][0]["extensions"]["code"] in {"NOT_FOUND", "FORBIDDEN"}
    assert (await portal.ask("{ residences { totalCount } }"))["residences"]["totalCount"] == 0


async def test_what_a_token_was_not_made_for_is_listed(claire: Any) -> None:
    """What its scopes do not cover is listed, beside the error for who asks for it all the same."""
    create = """mutation { createAccessToken(name: "HA", scopes: [READ_MONTHLY]) {
      ... on AccessTokenIssued { token } } }"""
    claire.token = (await claire.ask(create))["createAccessToken"]["token"]
    (dwelling,) = (await claire.ask("{ viewer { dwellings { withheld { field reason } } } }"))["viewer"][
        "dwellings"
    ]
    listed = {one["field"]: one["reason"] for one in dwelling["withheld"]}
    assert set(listed.values()) == {"TOKEN_SCOPE"}
    assert {"dailyConsumption", "dashboard", "meters", "activeAlerts", "consent"} <= set(listed)
    assert not {"monthlyConsumption", "consumptionLimits"} & set(listed)
    answer = (await claire.post("{ viewer { dwellings { number meters { id } } } }")).json()
    assert answer["data"]["viewer"]["dwellings"] == [{"number": "12", "meters": None}]
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
