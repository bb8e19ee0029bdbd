"""The resident's privacy through the API: archive, hours, erasure, household, third parties, logs."""

import io
import json
from datetime import timedelta
from typing import Any
from zipfile import ZipFile

import pytest

from core.models import Account, OutboxMessage, RetentionRun
from core.services.messaging.account_messages import opened_values
from core.services.privacy.exports import KEPT_FOR, make_exports
from tests.graphql.conftest import WATER
from tests.support import seats
from tests.support.factories import NOW, PASSWORD, TERMS

EXPORTS = "{ viewer { dataExports { id state readyAt expiresAt sizeBytes sha256 url } } }"


async def _home(portal: Any) -> str:
    found = await portal.ask("{ viewer { dwellings { id } } }")
    return str(found["viewer"]["dwellings"][0]["id"])


@pytest.mark.requirement("CN-09")
async def test_an_archive_is_asked_for_made_and_fetched(application: Any, claire: Any, home: Any) -> None:
    """REQUESTED without an address; READY with one that a browser follows; gone after a week."""
    await home.read(WATER, [(NOW - timedelta(hours=2), 0), (NOW - timedelta(hours=1), 12)])
    asked = """mutation { exportMyData {
      ... on DataExportRequested { dataExport { state url } } ... on Refusal { code } } }"""
    first = (await claire.ask(asked))["exportMyData"]
    assert first == {"dataExport": {"state": "REQUESTED", "url": None}}
    assert (await claire.refused(asked))["code"] == "CONFLICT"
    await make_exports(application, now=NOW)
    (export,) = (await claire.ask(EXPORTS))["viewer"]["dataExports"]
    assert export["state"] == "READY"
    answer = await claire.client.get(export["url"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].endswith("submeter-2026-11-22.zip")
    assert len(answer.content) == export["sizeBytes"]
    rows = json.loads(ZipFile(io.BytesIO(answer.content)).read("json/reading.json"))
    assert [row["index_value"] for row in rows] == [0, 12]
    node = await claire.ask(
        "query ($id: ID!) { node(id: $id) { ... on DataExport { state } } }", id=export["id"]
    )
    assert node["node"] == {"state": "READY"}
    claire.clock.now = NOW + KEPT_FOR
    assert (await claire.client.get(export["url"])).status_code == 410
    assert (await claire.ask(EXPORTS))["viewer"]["dataExports"] == []


@pytest.mark.requirement("CN-06")
async def test_hours_are_purged(claire: Any, home: Any) -> None:
    """Of the own home; the answer says from which day on hours are kept, and how many readings went."""
    first = NOW - timedelta(days=6)
    await home.read(WATER, [(first + timedelta(hours=hour), hour * 10) for hour in range(120)])
    purge = """mutation ($dwelling: ID!) { purgeFineData(dwelling: $dwelling) {
      ... on FineDataPurged { keptFrom readings } ... on Refusal { code } } }"""
    found = (await claire.ask(purge, dwelling=await _home(claire)))["purgeFineData"]
    assert found["keptFrom"] == "2026-11-20"
    assert found["readings"] > 70
    assert (await claire.ask(purge, dwelling=await _home(claire)))["purgeFineData"]["readings"] == 0


@pytest.mark.requirement("CN-09")
async def test_an_account_is_erased(claire: Any) -> None:
    """With the password; the session is over, and the address signs in no more."""
    erase = """mutation ($password: String!) { deleteMyAccount(password: $password) {
      ... on AccountErased { email } ... on Refusal { code } } }"""
    assert (await claire.refused(erase, password="Wrong-Horse-42"))["code"] == "PASSWORD_WRONG"
    assert (await claire.ask(erase, password=PASSWORD))["deleteMyAccount"] == {
        "email": "claire.martin@example.org"
    }
    assert (await claire.refusal("{ viewer { email } }"))["code"] == "UNAUTHENTICATED"
    assert not await Account.filter(email="claire.martin@example.org").exists()


async def test_a_household_member_joins_reads_and_is_removed(application: Any, claire: Any) -> None:
    """Invited by e-mail, with an own password; sees the home and its dashboard; then no longer."""
    home = await _home(claire)
    invited = await claire.ask(
        """mutation ($dwelling: ID!) {
          inviteHouseholdMember(dwelling: $dwelling, email: "child@example.org", name: "Camille") {
            ... on HouseholdMemberInvited { member { id name email acceptedAt dwelling } } } }""",
        dwelling=home,
    )
    member = invited["inviteHouseholdMember"]["member"]
    assert (member["name"], member["acceptedAt"], member["dwelling"]) == ("Camille", None, home)
    row = await OutboxMessage.get(template="household_invited")
    link = str(opened_values(row, application.settings)["link"])
    assert "/household-invitation#smh_" in link
    holder, claire.token = claire.token, None
    accept = """mutation ($input: AcceptHouseholdInvitationInput!) {
      acceptHouseholdInvitation(input: $input) {
      ... on HouseholdInvitationAccepted { email } ... on Refusal { code } } }"""
    given = {"token": link.partition("#")[2], "password": PASSWORD, "confirmation": PASSWORD}
    assert (await claire.ask(accept, input=given))["acceptHouseholdInvitation"] == {
        "email": "child@example.org"
    }
    assert (await claire.refused(accept, input=given))["code"] == "CODE_EXPIRED"
    await Account.filter(email="child@example.org").update(terms_version=TERMS)
    await seats.enter(claire, application, "child@example.org")
    seen = await claire.ask("{ viewer { role dwellings { id seenAs dashboard { fluid } } } }")
    assert seen["viewer"]["role"] == "HOUSEHOLD_MEMBER"
    ((dwelling),) = seen["viewer"]["dwellings"]
    assert (dwelling["id"], dwelling["seenAs"]) == (home, "HOUSEHOLD")
    assert len(dwelling["dashboard"]) == 2
    child, claire.token = claire.token, holder
    log = (
        """{ viewer { dwellings { accessLog { edges { node { looker name sentence(language: EN) } } } } } }"""
    )
    (dwelling,) = (await claire.ask(log))["viewer"]["dwellings"]
    assert [edge["node"] for edge in dwelling["accessLog"]["edges"]] == [
        {
            "looker": "HOUSEHOLD_MEMBER",
            "name": "Camille",
            "sentence": "Camille, of your household, looked on 2026-11-22 at your dashboard from 2026-11-01 "
            "to 2026-11-22.",
        }
    ]
    remove = """mutation ($id: ID!) { removeHouseholdMember(id: $id) {
      ... on HouseholdMemberRemoved { id } ... on Refusal { code } } }"""
    await claire.ask(remove, id=member["id"])
    assert (await claire.refused(remove, id=member["id"]))["code"] == "NOT_FOUND"
    assert (await claire.ask("{ viewer { household { id } } }"))["viewer"]["household"] == []
    claire.token = child
    assert (await claire.refusal("{ viewer { dwellings { id } } }"))["code"] == "UNAUTHENTICATED"


@pytest.mark.requirement("EED-07")
async def test_a_provider_reads_by_its_token_and_is_revoked(claire: Any, home: Any) -> None:
    """The token is answered once; what it reads is in the log; after the end it is unknown."""
    await home.consume(WATER, NOW.date() - timedelta(days=9), NOW.date() - timedelta(days=1), daily=100)
    dwelling = await _home(claire)
    grant = """mutation ($input: GrantThirdPartyAccessInput!) { grantThirdPartyAccess(input: $input) {
      ... on ThirdPartyAccessGranted { token grant { id provider dwelling firstDay lastDay resolution } }
      ... on Refusal { code field } } }"""
    given = {
        "dwelling": dwelling,
        "provider": "Énergies & Cie",
        "contact": "hello@energies.example",
        "fluids": ["COLD_WATER"],
        "resolution": "DAILY",
        "until": "2027-06-30",
    }
    refused = await claire.refused(grant, input={**given, "until": "2028-01-01"})
    assert refused == {"code": "INVALID_INPUT", "field": "until"}
    issued = (await claire.ask(grant, input=given))["grantThirdPartyAccess"]
    assert issued["token"].startswith("smt_")
    assert issued["grant"]["dwelling"] == dwelling
    resident, claire.token = claire.token, issued["token"]
    read = """query ($id: ID!) { dwelling(id: $id) {
      consumption(fluid: COLD_WATER, resolution: DAILY, last: 3) { amounts } } }"""
    amounts = (await claire.ask(read, id=dwelling))["dwelling"]["consumption"]["amounts"]
    assert amounts == ["0.100", "0.100", None]
    claire.token = resident
    log = "{ viewer { dwellings { accessLog { edges { node { looker name lookedAt firstDay } } } } } }"
    (found,) = (await claire.ask(log))["viewer"]["dwellings"]
    assert [edge["node"] for edge in found["accessLog"]["edges"]] == [
        {"looker": "THIRD_PARTY", "name": "Énergies & Cie", "lookedAt": "DAYS", "firstDay": "2026-11-20"}
    ]
    revoke = """mutation ($id: ID!) { revokeThirdPartyAccess(id: $id) {
      ... on ThirdPartyAccessRevoked { grant { revokedAt } } ... on Refusal { code } } }"""
    await claire.ask(revoke, id=issued["grant"]["id"])
    (listed,) = (await claire.ask("{ viewer { thirdPartyGrants { revokedAt lastUsedAt } } }"))["viewer"][
        "thirdPartyGrants"
    ]
    assert listed["revokedAt"] is not None
    assert listed["lastUsedAt"] is not None
    claire.token = issued["token"]
    assert (await claire.refusal(read, id=dwelling))["code"] == "UNAUTHENTICATED"


@pytest.mark.requirement("CN-02", "CN-07")
async def test_consents_have_their_text_and_history(claire: Any) -> None:
    """Each purpose by itself; the history pages, and names the sentence that was answered."""
    home = await _home(claire)
    choose = "mutation { chooseNotification(topic: NEW_DOCUMENT, byEmail: %s) { __typename } }"
    await claire.ask(choose % "true")
    claire.clock.now = NOW + timedelta(minutes=1)
    await claire.ask(choose % "false")
    claire.clock.now = NOW + timedelta(minutes=2)
    await claire.ask(
        "mutation ($id: ID!) { answerConsent(dwelling: $id, granted: true) { __typename } }", id=home
    )
    consents = (await claire.ask("{ viewer { consents { consentPurpose answer } } }"))["viewer"]["consents"]
    answers = {one["consentPurpose"]: one["answer"] for one in consents}
    assert answers["NEW_DOCUMENT_EMAIL"] == "REFUSED"
    assert answers["MANAGER_DAILY_DATA"] == "GRANTED"
    assert answers["NEWSLETTER"] == "UNANSWERED"
    history = """query ($after: String) { viewer { consentHistory(first: 2, after: $after) { totalCount
      pageInfo { hasNextPage endCursor }
      edges { node { consentPurpose granted text(language: EN) dwelling } } } } }"""
    page = (await claire.ask(history))["viewer"]["consentHistory"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (3, True)
    assert page["edges"][0]["node"]["dwelling"] == home
    rest = (await claire.ask(history, after=page["pageInfo"]["endCursor"]))["viewer"]["consentHistory"]
    nodes = [edge["node"] for edge in page["edges"] + rest["edges"]]
    assert [(one["consentPurpose"], one["granted"]) for one in nodes] == [
        ("MANAGER_DAILY_DATA", True),
        ("NEW_DOCUMENT_EMAIL", False),
        ("NEW_DOCUMENT_EMAIL", True),
    ]
    assert nodes[-1]["text"] == "Tell me of a new document by e-mail."


async def test_staff_read_what_was_deleted(application: Any, portal: Any, home: Any) -> None:
    """Run by run, with the rows of each kind; a resident may not."""
    for number in (1, 2):
        await RetentionRun.create(
            finished_at=NOW + timedelta(hours=number), deleted={"daily volumes": number}
        )
    await seats.staff(portal, application)
    asked = """query ($after: String) { retentionRuns(first: 1, after: $after) {
      pageInfo { hasNextPage endCursor } edges { node { deleted { data rows } } } } }"""
    page = (await portal.ask(asked))["retentionRuns"]
    assert [edge["node"]["deleted"] for edge in page["edges"]] == [[{"data": "daily volumes", "rows": 2}]]
    rest = (await portal.ask(asked, after=page["pageInfo"]["endCursor"]))["retentionRuns"]
    assert [edge["node"]["deleted"] for edge in rest["edges"]] == [[{"data": "daily volumes", "rows": 1}]]
    assert rest["pageInfo"]["hasNextPage"] is False
    await seats.enter(portal, application, seats.CLAIRE)
    assert (await portal.refusal(asked))["code"] == "FORBIDDEN"
