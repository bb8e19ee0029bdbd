"""Readings that do not count over GraphQL: for the operator's staff, who see no resident's data."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from core.access import NOBODY, SYSTEM, Role
from core.models import Account, AuditRecord, Dwelling, Operator
from core.services.auth.sessions import open_session
from core.services.portfolio.portfolio import upsert_operator
from core.services.telegrams.pipeline import take_in
from graphql_schema.base.relay import global_id
from graphql_schema.schema import schema
from tests.services.conftest import Izar
from tests.support import factories

METER = Izar()
START = datetime(2026, 11, 20, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)

LIST = """query ($meter: String, $status: ReadingStatus, $first: Int! = 50, $after: String) {
  it: doubtfulReadings(radioAddress: $meter, status: $status, first: $first, after: $after) {
    edges { cursor node { id printedSerial fluid index { value smallest } status doubt } }
    pageInfo { hasNextPage endCursor }
} }"""
ACCEPT = """mutation ($id: ID!, $reason: String! = "") {
  it: acceptReading(input: {id: $id, reason: $reason}) {
  ... on ReadingCorrected { counts } ... on Refusal { code field } } }"""
WITHDRAW = """mutation ($meter: String!, $at: DateTime!, $index: BigInt, $reason: String! = "") {
  it: withdrawReading(input: {radioAddress: $meter, readAt: $at, index: $index, reason: $reason}) {
  ... on ReadingCorrected {
    counts } ... on Refusal { code field } } }"""
SIGN_IN = """mutation ($email: String!, $password: String!) {
  it: signIn(input: {email: $email, password: $password}) { ... on SignedIn { token state } } }"""
TOKEN = """mutation ($scopes: [TokenScope!]!) {
  createAccessToken(name: "HA", scopes: $scopes, days: 30) {
  ... on AccessTokenIssued { token } ... on Refusal { code field } } }"""


@pytest.fixture
async def doubtful(application, key_encryption, portal):
    """Claire's meter with a reading 4,700 m3 too high; answers its global id."""
    await factories.residence(key_encryption, factories.meter(METER.address))
    lines = [METER.line(300_000 + 10 * hour, START + hour * HOUR) for hour in range(3)]
    lines.append(METER.line(5_000_000, START + 3 * HOUR))
    summary = await take_in(application, SYSTEM, lines, source="test", now=portal.clock.now)
    assert (summary.stored, summary.doubtful) == (4, 1)
    return application


async def enter_as(portal, application, role: Role, operator: str = factories.OPERATOR) -> None:
    """A session of somebody who has done everything that the sign-in asks for."""
    email = f"{role.value.lower()}@{operator}.example.org"
    await factories.account(email=email, role=role)
    await upsert_operator(SYSTEM, code=operator, name=operator)
    now = portal.clock.now
    await Account.filter(email=email).update(
        operator_id=(await Operator.get(code=operator)).id,
        second_factor_since=now,
        second_factor_encrypted=b"x",
    )
    account = await Account.get(email=email).select_related("operator")
    async with in_transaction() as connection:
        opened = await open_session(
            connection, application, account, visitor=NOBODY, second_factor_at=now, now=now
        )
    portal.token = opened.token


async def refusals(portal, number: str = global_id("DoubtfulReading", 1)) -> list[str]:
    """What the three fields answer, by their codes."""
    return [
        (await portal.refusal(LIST))["code"],
        (await portal.refusal(ACCEPT, id=number))["code"],
        (await portal.refusal(WITHDRAW, meter=METER.address, at=START.isoformat()))["code"],
    ]


async def test_staff_list_withdraw_and_accept(doubtful, portal) -> None:
    """The doubtful one is listed with exact amounts; withdrawn and accepted it is found by its status."""
    await enter_as(portal, doubtful, Role.STAFF)
    (edge,) = (await portal.ask(LIST, meter=METER.address))["it"]["edges"]
    node = edge["node"]
    assert (node["printedSerial"], node["fluid"]) == ("H18CA029620", "COLD_WATER")
    assert node["index"] == {"value": "5000.000", "smallest": 5_000_000}
    assert (node["status"], node["doubt"]) == ("WAITING", "RISE_TOO_FAST")
    at = (START + 3 * HOUR).isoformat()
    assert await portal.ask(WITHDRAW, meter=METER.address, at=at) == {"it": {"counts": False}}
    assert (await portal.ask(LIST, status="WAITING"))["it"]["edges"] == []
    assert len((await portal.ask(LIST, status="WITHDRAWN"))["it"]["edges"]) == 1
    assert await portal.ask(ACCEPT, id=node["id"]) == {"it": {"counts": True}}
    assert (await portal.ask(LIST))["it"]["edges"] == []
    assert (await portal.refused(ACCEPT, id=node["id"]))["code"] == "NOT_FOUND"
    staff = await Account.get(role=Role.STAFF)
    records = await AuditRecord.filter(subject="meter")
    assert {(one.role, one.actor_id) for one in records} == {("STAFF", staff.id)}


async def test_the_list_is_read_page_by_page(doubtful, portal) -> None:
    """Those received last first, each once."""
    await enter_as(portal, doubtful, Role.STAFF)
    await portal.ask(WITHDRAW, meter=METER.address, at=START.isoformat())
    seen, after = [], None
    while True:
        page = (await portal.ask(LIST, first=1, after=after))["it"]
        seen += [edge["node"]["index"]["smallest"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert seen == [300_000, 5_000_000]


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.MANAGER])
async def test_nobody_else_with_an_account_reaches_them(doubtful, portal, role) -> None:
    """Not the resident of another home, not a manager; a resident of this home neither."""
    await enter_as(portal, doubtful, role)
    assert await refusals(portal) == ["FORBIDDEN"] * 3
    await portal.sign_in()
    assert await refusals(portal) == ["FORBIDDEN"] * 3


@pytest.mark.parametrize(
    "scopes", [["READ_MONTHLY"], ["READ_DAILY"], ["ALERTS"], ["READ_MONTHLY", "READ_DAILY", "ALERTS"]]
)
async def test_no_access_token_reaches_them(doubtful, portal, scopes) -> None:
    """Whatever its scopes."""
    await portal.sign_in()
    portal.token = (await portal.ask(TOKEN, scopes=scopes))["createAccessToken"]["token"]
    assert await refusals(portal) == ["FORBIDDEN"] * 3


async def test_neither_gateway_nor_nobody_reaches_them(doubtful, portal, issue_key) -> None:
    """A key of the operator's own gateway submits and reads nothing; without a token nothing is shown."""
    assert await refusals(portal) == ["UNAUTHENTICATED"] * 3
    portal.token = await issue_key()
    assert await refusals(portal) == ["FORBIDDEN"] * 3


async def test_staff_of_another_operator_find_none(doubtful, portal) -> None:
    """An empty list, also by address; the reading and the meter do not exist for them."""
    await enter_as(portal, doubtful, Role.STAFF)
    (edge,) = (await portal.ask(LIST))["it"]["edges"]
    await enter_as(portal, doubtful, Role.STAFF, "ista")
    for address in (None, METER.address):
        assert (await portal.ask(LIST, meter=address))["it"]["edges"] == []
    assert (await portal.refused(ACCEPT, id=edge["node"]["id"]))["code"] == "NOT_FOUND"
    for at in (START, START + 3 * HOUR, START + HOUR / 2):
        refusal = await portal.refused(WITHDRAW, meter=METER.address, at=at.isoformat())
        assert refusal == {"code": "NOT_FOUND", "field": "radioAddress"}
        other = await portal.refused(WITHDRAW, meter="SAP-00000000-0C-04", at=at.isoformat())
        assert other == refusal, "no difference to a meter that does not exist"


async def test_staff_without_a_second_factor_reach_nothing(doubtful, portal) -> None:
    """By the password alone the three are refused by the name of the next step."""
    await factories.account(email="nadia@example.org", role=Role.STAFF)
    answer = await portal.ask(SIGN_IN, email="nadia@example.org", password=factories.PASSWORD)
    portal.client.cookies.clear()
    portal.token = answer["it"]["token"]
    assert await refusals(portal) == ["MUST_ENROL_SECOND_FACTOR"] * 3


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        (ACCEPT, {"id": "x"}, "INVALID_INPUT"),
        (ACCEPT, {"id": global_id("Dwelling", 1)}, "INVALID_INPUT"),
        (ACCEPT, {"id": global_id("DoubtfulReading", 2**62)}, "NOT_FOUND"),
        (WITHDRAW, {"at": "2026-11-20T06:00:00"}, "INVALID_INPUT"),
        (WITHDRAW, {"at": "0001-01-01T00:00:00+12:00"}, "INVALID_INPUT"),
        (WITHDRAW, {"at": "9999-12-31T23:59:59-12:00"}, "NOT_FOUND"),
        (WITHDRAW, {"at": "2026-11-20T06:30:00Z"}, "NOT_FOUND"),
        (WITHDRAW, {"at": "2026-11-20T06:00:00Z", "index": 2**53 - 1}, "NOT_FOUND"),
        (WITHDRAW, {"at": "2026-11-20T06:00:00Z", "index": -1}, "NOT_FOUND"),
        (WITHDRAW, {"at": "2026-11-20T06:00:00Z", "reason": "x" * 201}, "INVALID_INPUT"),
        (WITHDRAW, {"at": "2026-11-20T06:00:00Z", "meter": "SAP\0"}, "NOT_FOUND"),
        (WITHDRAW, {"at": "2026-11-20T06:00:00Z", "meter": "x" * 5_000}, "NOT_FOUND"),
        (LIST, {"first": 0}, "INVALID_INPUT"),
        (LIST, {"after": "x"}, "INVALID_INPUT"),
    ],
)
async def test_wrong_input_of_staff_is_refused_with_its_code(
    doubtful, portal, query, variables, code
) -> None:
    """Numbers and moments beyond the calendar, foreign ids, text that no column takes; nothing is changed."""
    await enter_as(portal, doubtful, Role.STAFF)
    given = {"meter": METER.address, **variables} if query is WITHDRAW else variables
    asked = portal.refusal if query is LIST else portal.refused
    assert (await asked(query, **given))["code"] == code
    assert await AuditRecord.filter(subject="meter").count() == 0


async def test_a_reason_of_any_text_is_kept(doubtful, portal) -> None:
    """NUL too, which no text column takes as it is."""
    await enter_as(portal, doubtful, Role.STAFF)
    at = START.isoformat()
    assert await portal.ask(WITHDRAW, meter=METER.address, at=at, reason="é\0'%") == {"it": {"counts": False}}
    assert "é" in (await AuditRecord.get(subject="meter")).details["reason"]


OWN_OR_OPEN = {
    *("viewer", "operators", "signIn", "signOut", "renewSession", "revokeSession", "revokeOtherSessions"),
    *("changePassword", "requestPasswordReset", "resetPassword", "updateContact", "chooseNotification"),
    *("chooseNewsletter", "chooseSlowLeakHints", "acceptTerms", "requestEmailChange", "confirmEmailChange"),
    *("requestPhoneCode", "confirmPhone", "startSecondFactor", "confirmSecondFactor", "verifySecondFactor"),
    *("removeSecondFactor", "startRegistration", "resumeRegistration", "answerRegistration"),
    *("rejectRegistrationDwelling", "goBackInRegistration", "resendRegistrationSecret"),
    *("correctRegistrationEmail", "cancelRegistration", "checkPassword", "contactSupport"),
    *("thirdPartyAccess", "acceptHouseholdInvitation"),
}
"""Fields about the own account, or that need none."""

OF_STAFF = {
    *("doubtfulReadings", "acceptReading", "withdrawReading", "retentionRuns"),
    *("accounts", "deadLetters", "deadLetterCounts", "meters", "outbox"),
    *("publishResidence", "unpublishResidence"),
    *("issueIndexCertificate", "openIssuedPaper"),  # by the rules of `tests/graphql/certificates`
    *("requestDocumentUpload", "withdrawDocument", "printMonthlyNotes"),
}

OF_THE_BUILDING = {"residences", "residence", "dwelling", "node"}
"""Places and meters, of which staff see what `tests/graphql/dwellings/test_roles.py` says."""

OF_OTHERS = {
    "analysis": "query { analysis { months } }",
    "dwellingRequests": "query { dwellingRequests { edges { node { id name } } } }",
    "createAccessToken": """mutation { createAccessToken(name: "x", scopes: [ALERTS]) {
        ... on AccessTokenIssued { token }
        ... on Refusal { code field } } }""",
    "revokeAccessToken": 'mutation { revokeAccessToken(id: "QWNjZXNzVG9rZW46MQ==") { __typename } }',
    "answerConsent": """mutation { answerConsent(dwelling: $D, granted: true) {
        ... on ConsentAnswered { consent { answer } }
        ... on Refusal { code field } } }""",
    "leaveDwelling": """mutation { leaveDwelling(dwelling: $D, lastDay: "2026-11-20") {
        ... on DwellingLeft { lastDay }
        ... on Refusal { code field } } }""",
    "acknowledgeAlert": "mutation { acknowledgeAlert(input: {id: $A}) { __typename } }",
    "reportRepair": "mutation { reportRepair(input: {id: $A}) { __typename } }",
    "dismissAlert": "mutation { dismissAlert(input: {id: $A, reason: WATERING}) { __typename } }",
    "answerRecurringDraw": """mutation { answerRecurringDraw(input: {id: $R, answer: MINE}) {
        ... on RecurringDrawAnswered { id }
        ... on Refusal { code field } } }""",
    "setConsumptionLimit": (
        "mutation { setConsumptionLimit(input: {dwelling: $D, fluid: COLD_WATER, period: DAY, amount: 9})"
        " { __typename } }"
    ),
    "issueIndexStatement": (
        "mutation { issueIndexStatement(input: {dwelling: $D, format: CSV, reason: OTHER}) { __typename } }"
    ),
    "decideDwellingRequest": (
        """mutation { decideDwellingRequest(input: {id: $Q, approved: true}) {
            ... on DwellingRequestDecided { approved }
            ... on Refusal { code field } } }"""
    ),
    "recordMoveIn": """mutation { recordMoveIn(input: {dwelling: $D, firstDay: "2026-11-20"}) {
        __typename } }""",
    "recordMoveOut": """mutation { recordMoveOut(input: {dwelling: $D, lastDay: "2026-11-20"}) {
        __typename } }""",
    "recordPaperConsent": """mutation { recordPaperConsent(input: {dwelling: $D, granted: false}) {
        __typename } }""",
    "inviteResidents": """mutation { inviteResidents(input: {
        invitations: [{dwelling: $D, email: "luc@example.org"}]}) { __typename } }""",
    "makeFlyer": "mutation { makeFlyer(input: {dwelling: $D}) { __typename } }",
    "makeCertificates": "mutation { makeCertificates(residence: $S) { __typename } }",
    "makeDocument": "mutation { makeDocument(document: $P) { __typename } }",
    "issueLeakDossier": "mutation { issueLeakDossier(input: {alert: $A}) { __typename } }",
    "exportMyData": "mutation { exportMyData { __typename } }",
    "deleteMyAccount": 'mutation { deleteMyAccount(password: "x") { __typename } }',
    "purgeFineData": "mutation { purgeFineData(dwelling: $D) { __typename } }",
    "grantThirdPartyAccess": """mutation { grantThirdPartyAccess(input: {dwelling: $D, provider: "x",
        contact: "x", fluids: [HEAT], resolution: DAILY, until: "2026-12-01"}) { __typename } }""",
    "revokeThirdPartyAccess": (
        'mutation { revokeThirdPartyAccess(id: "VGhpcmRQYXJ0eUdyYW50OjE=") { __typename } }'
    ),
    "inviteHouseholdMember": """mutation {
        inviteHouseholdMember(dwelling: $D, email: "x@example.org", name: "x") { __typename } }""",
    "removeHouseholdMember": (
        'mutation { removeHouseholdMember(id: "SG91c2Vob2xkTWVtYmVyOjE=") { __typename } }'
    ),
    "submitTelegrams": """mutation { submitTelegrams(lines: ["00"]) {
        ... on TelegramsSubmitted { lines }
        ... on Refusal { code field } } }""",
}
"""Fields of residents, managers, analysts and gateways."""


def test_every_field_of_the_schema_is_known_to_these_tables() -> None:
    """A new field has to be given to somebody here."""
    types = schema._schema.type_map
    fields = {name for kind in ("Query", "Mutation") for name in types[kind].fields}  # type: ignore[attr-defined]
    assert {*OWN_OR_OPEN, *OF_STAFF, *OF_THE_BUILDING, *OF_OTHERS} == fields


async def test_staff_see_nothing_of_residents(doubtful, portal) -> None:
    """Every field of others is FORBIDDEN, NOT_FOUND or empty, for existing homes."""
    home = await Dwelling.get()
    await enter_as(portal, doubtful, Role.STAFF)
    ids = {
        "$D": global_id("Dwelling", home.id),
        "$A": global_id("Alert", 1),
        "$R": global_id("RecurringDraw", 1),
        "$Q": global_id("DwellingRequest", 1),
        "$S": global_id("Residence", home.residence_id),
        "$P": global_id("ResidenceDocument", 1),
    }
    for name, asked in OF_OTHERS.items():
        query = re.sub(r"\$[A-Z]\b", lambda sign: f'"{ids[sign[0]]}"', asked)
        assert nothing_of((await portal.post(query)).json(), name), query
    own = await portal.ask("{ viewer { dwellings { id } ownedDwellings { id } } }")
    assert own["viewer"] == {"dwellings": [], "ownedDwellings": []}
    answer = (await portal.post("{ viewer { accessTokens { id } } }")).json()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


def nothing_of(answer: dict[str, Any], name: str) -> bool:
    """Whether an answer is a refusal without data, or an empty list."""
    if "errors" not in answer:
        return answer["data"][name] == []
    codes = {error["extensions"]["code"] for error in answer["errors"]}
    return codes <= {"FORBIDDEN", "NOT_FOUND"} and not (answer["data"] or {}).get(name)
