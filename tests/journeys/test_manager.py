"""A manager from the invitation to the managed residences, their alerts and requests."""

from datetime import UTC, date, datetime, timedelta

import pyotp
import pytest

from core.access import NOBODY, SYSTEM, Act, Viewer
from core.errors import Conflict, NotFound
from core.models import (
    Account,
    AuditRecord,
    Dwelling,
    DwellingRequest,
    DwellingRequestKind,
    ManagedResidence,
    OccupancyKind,
    OutboxMessage,
    Residence,
)
from core.services.messaging.account_messages import opened_values
from core.services.occupancy.consents import answer_consent
from core.services.places.managed_residences import grant_residence
from core.services.portfolio.invitations import invite_manager
from core.services.portfolio.publication import publish_residence, residence_documents
from core.services.telegrams.pipeline import take_in
from graphql_schema.base.relay import global_id
from notifications.texts.render import render
from tests.services.conftest import Izar
from tests.support import factories

EMAIL, OWN = "gestion@example.org", "Nouveau-Mot-77-Fleuve"
SIGN_IN = """mutation ($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password}) {
  ... on SignedIn { token state } ... on Refusal { code } } }"""
CHANGE = """mutation ($old: String!, $new: String!) {
  changePassword(password: $old, input: {newPassword: $new, confirmation: $new}) {
    ... on SignedIn { token state } ... on Refusal { code } } }"""
TERMS = """mutation ($version: String!) { acceptTerms(version: $version) {
    ... on AccountChanged { viewer { state } }
    ... on Refusal { code field } } }"""
BEGIN = "mutation ($p: String!) { startSecondFactor(password: $p) { ... on SecondFactorStarted { secret } } }"
CONFIRM = """mutation ($c: String!) { confirmSecondFactor(code: $c) {
  ... on SecondFactorEnrolled { signedIn { token state } } ... on Refusal { code } } }"""
RESIDENCES = """{
  residences(first: 20) { edges { node { code activeAlerts { edges { node {
    id dwelling { place } level workflow { status } lossLitres withheld { field reason } } } } } } }
  dwellingRequests { edges { node { id name contested residenceCode } } } }"""
ACKNOWLEDGE = """mutation ($id: ID!) { acknowledgeAlert(input: {id: $id}) {
  ... on AlertUpdated { workflow { status actions { party } } } } }"""
DECIDE = """mutation ($id: ID!) { decideDwellingRequest(input: {id: $id, approved: true}) {
    ... on DwellingRequestDecided { approved }
    ... on Refusal { code field } } }"""


def nodes(connection):
    return [edge["node"] for edge in connection["edges"]]


def dwellings_of(answer):
    (residence,) = nodes(answer["residences"])
    return nodes(residence["dwellings"])


async def days_withheld(portal):
    """Why the days of the only dwelling are null."""
    (dwelling,) = dwellings_of(await portal.ask(DAYS))
    assert dwelling["dailyConsumption"] is None
    return {one["field"]: one["reason"] for one in dwelling["withheld"]}["dailyConsumption"]


async def invited(application, now, email=EMAIL):
    await invite_manager(
        application.settings,
        SYSTEM,
        email=email,
        operator_code="ocea",
        first_name="Odile",
        last_name="Garnier",
        now=now,
    )
    mail = (
        await OutboxMessage.filter(account__email=email, template="manager_invited").order_by("-id").first()
    )
    values = opened_values(mail, application.settings)
    assert values["password"] in render(mail.template, mail.language, values).text
    return values["password"]


async def signed_in(portal, email, password):
    answer = (await portal.ask(SIGN_IN, email=email, password=password))["signIn"]
    portal.client.cookies.clear()
    portal.token = answer.get("token")
    return answer


async def own_access(portal, temporary):
    """From the temporary password to a session that is ready."""
    assert (await signed_in(portal, EMAIL, temporary))["state"] == "MUST_CHANGE_PASSWORD"
    changed = (await portal.ask(CHANGE, old=temporary, new=OWN))["changePassword"]
    portal.client.cookies.clear()
    portal.token = changed["token"]
    assert changed["state"] == "MUST_ENROL_SECOND_FACTOR"
    assert await portal.refusal(RESIDENCES) == {"code": "MUST_ENROL_SECOND_FACTOR"}
    app = pyotp.TOTP((await portal.ask(BEGIN, p=OWN))["startSecondFactor"]["secret"])
    done = (await portal.ask(CONFIRM, c=app.at(portal.clock.now)))["confirmSecondFactor"]["signedIn"]
    portal.client.cookies.clear()
    portal.token = done["token"]
    version = (await portal.ask("{ viewer { termsVersion } }"))["viewer"]["termsVersion"]
    assert (await portal.ask(TERMS, version=version))["acceptTerms"]["viewer"]["state"] == "READY"


@pytest.mark.requirement("R-042", "C-40")
async def test_a_manager_signs_in_and_manages_the_building(application, key_encryption, portal, now) -> None:
    """Temporary password, own password, terms, second factor; then alerts and requests are handled."""
    meter = Izar()
    await factories.residence(key_encryption, factories.meter(meter.address))
    start = datetime(2026, 11, 19, 23, tzinfo=UTC)
    await take_in(
        application, SYSTEM, meter.hourly(start, [6] * 48), source="roof", now=start + timedelta(hours=49)
    )
    temporary = await invited(application, now)
    await grant_residence(SYSTEM, email=EMAIL, operator_code="ocea", residence_code="AA000", now=now)
    await factories.account(email="luc@example.org", first_name="Luc")
    luc = await Account.get(email="luc@example.org")
    dwelling_request = await DwellingRequest.create(
        dwelling_id=(await Dwelling.get()).id,
        account_id=luc.id,
        kind=DwellingRequestKind.CONTESTED,
        occupancy_kind=OccupancyKind.TENANT,
        move_in=date(2026, 11, 21),
        attested_at=now,
        opened_at=now,
    )
    await own_access(portal, temporary)

    answer = await portal.ask(RESIDENCES)
    (residence,) = nodes(answer["residences"])
    (alert,) = nodes(residence["activeAlerts"])
    place = alert["dwelling"]["place"]
    assert (residence["code"], place, alert["level"]) == ("AA000", "A · 1 · 2 · 12", 1)
    assert alert["lossLitres"] is None
    assert {"field": "lossLitres", "reason": "NOT_FOR_ROLE"} in alert["withheld"]
    handled = (await portal.ask(ACKNOWLEDGE, id=alert["id"]))["acknowledgeAlert"]["workflow"]
    assert handled == {"status": "ACKNOWLEDGED", "actions": [{"party": "MANAGER"}]}
    (asked,) = nodes(answer["dwellingRequests"])
    assert (asked["name"], asked["contested"], asked["residenceCode"]) == ("Luc Martin", True, "AA000")
    assert (await portal.ask(DECIDE, id=asked["id"]))["decideDwellingRequest"] == {"approved": True}
    assert (await portal.refused(DECIDE, id=asked["id"]))["code"] == "CONFLICT"
    assert nodes((await portal.ask(RESIDENCES))["dwellingRequests"]) == []
    assert (await luc.occupancies.all())[0].dwelling_id == dwelling_request.dwelling_id


async def test_a_manager_sees_nothing_of_another_residence(application, key_encryption, portal, now) -> None:
    """Without the grant there are no residences, no requests, and no request under its number either."""
    await factories.residence(key_encryption)
    await factories.account(email="luc@example.org")
    dwelling_request = await DwellingRequest.create(
        dwelling_id=(await Dwelling.get()).id,
        account_id=(await Account.get(email="luc@example.org")).id,
        kind=DwellingRequestKind.REVIEW,
        occupancy_kind=OccupancyKind.TENANT,
        move_in=date(2026, 11, 21),
        attested_at=now,
        opened_at=now,
    )
    await own_access(portal, await invited(application, now))
    assert await portal.ask(RESIDENCES) == {
        "residences": {"edges": []},
        "dwellingRequests": {"edges": []},
    }
    number = global_id("DwellingRequest", dwelling_request.id)
    assert (await portal.refused(DECIDE, id=number))["code"] == "NOT_FOUND"


async def test_an_invitation_is_sent_again_until_it_is_used(application, key_encryption, now) -> None:
    """The second temporary password replaces the first; a resident's address cannot be invited."""
    await factories.residence(key_encryption)
    first, second = await invited(application, now), await invited(application, now)
    assert first != second
    assert await Account.filter(email=EMAIL).count() == 1
    with pytest.raises(Conflict):
        await invited(application, now, "claire.martin@example.org")
    await Account.filter(email=EMAIL).update(temporary_password_until=None)
    with pytest.raises(Conflict):
        await invited(application, now)
    with pytest.raises(NotFound):
        await invite_manager(
            application.settings,
            SYSTEM,
            email=EMAIL,
            operator_code="none",
            first_name="",
            last_name="",
            now=now,
        )


DOCUMENTS = """{ residences { edges { node {
  code documents { title(language: FR) english: title(language: EN) } } } } }"""


async def publish(application, now, code="AA000"):
    return await publish_residence(application, SYSTEM, operator_code="ocea", residence_code=code, now=now)


@pytest.mark.requirement("R-134", "R-135", "R-136", "R-137", "R-138", "C-09", "C-10")
async def test_publishing_notifies_the_managers_of_the_building(
    application, key_encryption, portal, now
) -> None:
    """One e-mail to each administrator, however often it is published; a document for all with access."""
    await factories.residence(key_encryption)
    await Residence.all().update(published_at=None)
    temporary = await invited(application, now)
    await invited(application, now, "autre@example.org")
    await invited(application, now, "ailleurs@example.org")
    for email, administrator in ((EMAIL, False), ("autre@example.org", True)):
        await grant_residence(
            SYSTEM,
            email=email,
            operator_code="ocea",
            residence_code="AA000",
            administrator=administrator,
            now=now,
        )
    later = now + timedelta(hours=1)
    assert [await publish(application, now), await publish(application, later)] == [True, False]
    assert (await Residence.get()).published_at == now
    mails = await OutboxMessage.filter(template="portal_ready")
    assert [mail.recipient for mail in mails] == ["autre@example.org"]
    message = render(mails[0].template, "fr", opened_values(mails[0], application.settings))
    assert message.subject == "Votre portail ISI HABITAT est prêt"
    await own_access(portal, temporary)
    (residence,) = nodes((await portal.ask(DOCUMENTS))["residences"])
    assert residence["documents"] == [
        {"title": "Votre portail ISI HABITAT est prêt", "english": "Your portal ISI HABITAT is ready"}
    ]
    with pytest.raises(NotFound):
        await publish(application, now, "ZZ999")


async def test_a_residences_documents_are_for_its_managers(application, key_encryption, now) -> None:
    """A resident, and a manager of another residence, find none."""
    number = await factories.residence(key_encryption)
    await publish(application, now)
    await invited(application, now)
    for email in (EMAIL, "claire.martin@example.org"):
        row = await Account.get(email=email)
        viewer = Viewer(role=row.role, account_id=row.id, operator_id=row.operator_id)
        with pytest.raises(NotFound):
            await residence_documents(application, viewer, number)


DAYS = """{ residences(first: 2) { edges { node { dwellings(first: 5) { edges { node {
  id place withheld { field reason }
  dailyConsumption(fluid: COLD_WATER, from: "2026-11-20") { day amount { value } } } } } } } } }"""


@pytest.mark.requirement("R-064", "R-065", "C-18", "CN-01", "CN-07", "CN-13")
async def test_a_manager_sees_days_only_with_the_occupants_consent(
    application, key_encryption, portal, now
) -> None:
    """Unanswered, no; granted, yes, and each look is recorded; withdrawn, no from the same moment."""
    meter = Izar()
    await factories.residence(key_encryption, factories.meter(meter.address))
    start = datetime(2026, 11, 19, 23, tzinfo=UTC)
    await take_in(
        application, SYSTEM, meter.hourly(start, [10] * 24), source="roof", now=start + timedelta(hours=25)
    )
    temporary = await invited(application, now)
    await grant_residence(SYSTEM, email=EMAIL, operator_code="ocea", residence_code="AA000", now=now)
    await own_access(portal, temporary)
    assert await days_withheld(portal) == "CONSENT_REQUIRED"
    row = await Account.get(email="claire.martin@example.org")
    claire = Viewer(role=row.role, account_id=row.id, operator_id=row.operator_id)
    home = (await Dwelling.get()).id
    await answer_consent(application, claire, home, granted=True, visitor=NOBODY, now=now)
    (dwelling,) = dwellings_of(await portal.ask(DAYS))
    assert dwelling["dailyConsumption"][0] == {"day": "2026-11-20", "amount": {"value": "0.240"}}
    (seen,) = await AuditRecord.filter(act=Act.DATA_ACCESSED)
    assert (seen.subject, seen.subject_id, seen.details["fluid"]) == ("dwelling", home, "COLD_WATER")
    await answer_consent(application, claire, home, granted=False, visitor=NOBODY, now=now)
    assert await days_withheld(portal) == "CONSENT_REQUIRED"
    assert await AuditRecord.filter(act=Act.DATA_ACCESSED).count() == 1


ONE_HOME = """query ($id: ID!) { dwelling(id: $id) {
  place lot dailyConsumption(fluid: COLD_WATER, from: "2026-11-20") { day } } }"""


@pytest.mark.requirement("C-18", "R-042")
async def test_one_home_without_consent_hides_no_other(application, key_encryption, portal, now) -> None:
    """Its days are null, with the reason beside them; another one's are answered, in the list and alone."""
    await factories.residence(key_encryption, factories.meter())
    residence = await Residence.get()
    temporary = await invited(application, now)
    await grant_residence(SYSTEM, email=EMAIL, operator_code="ocea", residence_code="AA000", now=now)
    await own_access(portal, temporary)
    await Dwelling.create(residence_id=residence.id, number="13")
    row = await Account.get(email="claire.martin@example.org")
    claire = Viewer(role=row.role, account_id=row.id, operator_id=row.operator_id)
    home = (await Dwelling.get(number="12")).id
    await answer_consent(application, claire, home, granted=True, visitor=NOBODY, now=now)
    other, open_one = dwellings_of(await portal.ask(DAYS))
    assert (other["place"], other["dailyConsumption"]) == ("13", None)
    assert {"field": "dailyConsumption", "reason": "NO_OCCUPANT"} in other["withheld"]
    assert (open_one["place"], open_one["dailyConsumption"][0]["day"]) == ("A · 1 · 2 · 12", "2026-11-20")
    assert "dailyConsumption" not in {one["field"] for one in open_one["withheld"]}
    alone = (await portal.ask(ONE_HOME, id=open_one["id"]))["dwelling"]
    assert (alone["lot"], len(alone["dailyConsumption"])) == ("104", len(open_one["dailyConsumption"]))
    assert open_one["id"] == global_id("Dwelling", home)
    await ManagedResidence.all().delete()
    assert (await portal.refusal(ONE_HOME, id=open_one["id"]))["code"] == "NOT_FOUND"


DECIDE_AS = """mutation ($id: ID!, $contested: Boolean) {
  decideDwellingRequest(input: {id: $id, approved: true, contested: $contested}) {
  ... on DwellingRequestDecided { approved } ... on Refusal { code field } } }"""


@pytest.mark.requirement("R-140", "C-12")
async def test_a_request_for_a_home_that_was_taken_since(application, key_encryption, portal, now) -> None:
    """Shown as contested; an approval that does not state it is refused, and the request remains open."""
    await factories.residence(key_encryption, factories.meter())
    luc = await factories.account(email="luc@example.org", first_name="Luc")
    temporary = await invited(application, now)
    await grant_residence(SYSTEM, email=EMAIL, operator_code="ocea", residence_code="AA000", now=now)
    await DwellingRequest.create(
        dwelling_id=(await Dwelling.get()).id,
        account_id=luc,
        kind=DwellingRequestKind.REVIEW,
        occupancy_kind=OccupancyKind.TENANT,
        move_in=date(2026, 11, 21),
        attested_at=now,
        opened_at=now,
    )
    await own_access(portal, temporary)
    (asked,) = nodes((await portal.ask(RESIDENCES))["dwellingRequests"])
    assert asked["contested"]
    refused = await portal.refused(DECIDE_AS, id=asked["id"], contested=False)
    assert (refused["code"], refused["field"]) == ("CONFLICT", "contested")
    assert len(nodes((await portal.ask(RESIDENCES))["dwellingRequests"])) == 1
    decided = await portal.ask(DECIDE_AS, id=asked["id"], contested=True)
    assert decided["decideDwellingRequest"] == {"approved": True}
