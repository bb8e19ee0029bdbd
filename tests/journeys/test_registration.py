"""From the flyer to the dashboard, over HTTP, for both operators, with e-mails from a real SMTP server on
loopback.
"""

import sys
import types
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import httpx
import pytest

from core.access import SYSTEM
from core.bootstrap import Application, open_application
from core.metering import hookimpl, load_registry
from core.models import Account, ConsentRecord, Occupancy, OutboxMessage, Registration
from core.services.occupancy.dwelling_request_views import list_dwelling_requests
from core.services.occupancy.dwelling_requests import decide
from core.services.places.key_encryption import KeyEncryption
from core.settings import Settings
from drivers.ocea.profile import PROFILE as OCEA
from graphql_schema.asgi import build_app
from tests.graphql.conftest import SettableClock
from tests.support.journey import DASHBOARD, PASSWORD, PostBox, Resident
from tests.support.sign_up import NOW, OCEA_DWELLING, Applicant, describe

EMAIL = "marcialemars@example.org"


@pytest.mark.requirement("R-148", "R-149", "R-160", "R-161", "R-171", "R-172", "R-173", "R-174", "R-188")
@pytest.mark.requirement("R-193", "R-194", "R-196", "R-198", "R-200", "R-216", "R-217", "R-218", "R-219")
@pytest.mark.requirement("R-223", "R-224", "R-225", "R-226", "C-03", "C-16", "C-18", "C-34")
async def test_ista(client: httpx.AsyncClient, post: PostBox, key_encryption: KeyEncryption) -> None:
    """A serial, the confirmation, status and day, options, personal data, six digits, sign-in, dashboard."""
    await describe(key_encryption, "ista")
    applicant = Applicant(client, "ista")
    await applicant.start()
    found = await applicant.fill("serial", serial="542 361 524", device="UNKNOWN")
    building, dwelling = found["confirmation"]
    assert building["title"] == "Vérifiez votre immeuble :"
    assert [(line["label"], line["value"]) for line in building["lines"]] == [
        ("Nom de l'immeuble :", "Non renseigné"),
        ("Code immeuble ista :", "50001369"),
        ("Adresse :", "RUE DE LA GARNISON BATIMENT D,34300 LE CAP D AGDE"),
    ]
    assert [(line["label"], line["value"]) for line in dwelling["lines"]] == [
        ("Code / numéro :", "5151 0008"),
        ("Bâtiment :", "01"),
        ("Code logement ista :", "01030001"),
        ("Escalier :", "03"),
        ("Étage :", "00"),
        ("Porte :", "01"),
    ]
    await applicant.fill("attestation", attested=True)
    await applicant.fill("profile", kind="OWNER_OCCUPIER", moveIn="2026-05-12", councilMember="NO")
    await applicant.fill("options", leakByEmail=True, leakBySms=True, managerDailyData=True)
    sent = await applicant.fill(
        "personalData",
        civility="MADAME",
        lastName="Marciale",
        firstName="Marseille",
        phone="+33 06 11 54 65 87",
        email=EMAIL,
        password=PASSWORD,
        privacyAcknowledged=True,
    )
    assert sent["screen"]["title"] == "Vérification de votre identité"
    assert sent["screen"]["text"].startswith(f"Un email vous a été envoyé à l'adresse {EMAIL}\n")
    assert await Account.all().count() == 0
    done = await applicant.fill("verification", verificationCode=await post.code_for(EMAIL))
    assert (done["step"], done["screen"]["title"]) == ("COMPLETE", "Félicitations !")
    assert done["forms"] == []

    resident = Resident(client, EMAIL)
    assert await resident.refusal(DASHBOARD) == "UNAUTHENTICATED"
    assert (await resident.enter())["state"] == "READY"
    home = await resident.home()
    assert (home["occupancy"], home["visibleFrom"], home["consent"]) == (
        "OWNER_OCCUPIER",
        "2026-05-12",
        {"answer": "GRANTED"},
    )
    assert {meter["serial"] for meter in home["meters"]} == {"542 361 524", "542361525", "48349952"}
    account = await Account.get()
    assert (account.civility, account.phone_e164, account.phone_confirmed_at) == ("Mme", "+33611546587", None)
    assert (account.leak_by_email, account.leak_by_sms, account.over_consumption_by_email) == (
        True,
        True,
        False,
    )
    assert (account.privacy_version, account.newsletter_since) == ("2026-11", None)
    assert (await Occupancy.get()).council_member == "NO"
    row = await Registration.get()
    assert (row.email, row.first_name, row.password_hash, row.code_hash) == ("", "", None, None)


@pytest.mark.requirement("R-017", "R-021", "R-030", "R-046", "R-047", "R-048", "R-049", "R-050", "R-058")
@pytest.mark.requirement(
    "R-060", "R-061", "R-062", "R-063", "R-064", "R-065", "R-066", "C-03", "C-18", "C-38"
)
async def test_ocea(client: httpx.AsyncClient, post: PostBox, key_encryption: KeyEncryption) -> None:
    """Four steps, a temporary password by e-mail, then password, terms, the question, the dashboard."""
    await describe(key_encryption, "ocea")
    applicant = Applicant(client, "ocea")
    await applicant.start()
    await applicant.fill("occupancy", kind="TENANT")
    await applicant.fill("siteCode", code="aa 000")
    await applicant.fill("serial", serial="H08CA 029620", device="UNKNOWN")
    await applicant.fill("attestation", attested=True, moveIn="2026-03-01")
    sent = await applicant.fill(
        "personalData", lastName="Martin", firstName="Claire", email=EMAIL, privacyAcknowledged=True
    )
    assert (sent["step"], sent["forms"]) == ("FIRST_SIGN_IN", [])
    temporary = await post.temporary_password_for(EMAIL)
    assert await Account.all().count() == 0

    resident = Resident(client, EMAIL)
    assert (await resident.enter("Wrong-Password-1"))["code"] == "SIGN_IN_REFUSED"
    assert (await resident.enter(temporary))["state"] == "MUST_CHANGE_PASSWORD"
    assert await resident.refusal(DASHBOARD) == "MUST_CHANGE_PASSWORD"
    assert (await resident.change_password(temporary, PASSWORD))["state"] == "MUST_ACCEPT_TERMS"
    assert await resident.refusal(DASHBOARD) == "MUST_ACCEPT_TERMS"
    accept = """mutation { acceptTerms(version: "2026-11") {
        ... on AccountChanged { viewer { email } }
        ... on Refusal { code field } } }"""
    assert await resident.ask(accept) == {"acceptTerms": {"viewer": {"email": EMAIL}}}
    home = await resident.home()
    assert home["consent"] == {"answer": "UNANSWERED"}
    assert await ConsentRecord.all().count() == 0
    assert (home["number"], home["visibleFrom"]) == ("12", "2026-03-01")
    answer = """mutation ($id: ID!) { answerConsent(dwelling: $id, granted: false) {
        ... on ConsentAnswered { consent { answer } }
        ... on Refusal { code field } } }"""
    assert await resident.ask(answer, id=home["id"]) == {"answerConsent": {"consent": {"answer": "REFUSED"}}}
    again = Resident(client, EMAIL)
    assert (await again.enter(temporary))["code"] == "SIGN_IN_REFUSED"
    assert (await applicant.act("resumeRegistration"))["step"] == "COMPLETE"


@pytest.mark.requirement("C-12")
async def test_a_temporary_password_expires(
    client: httpx.AsyncClient, post: PostBox, key_encryption: KeyEncryption, clock: SettableClock
) -> None:
    """After a day the password is refused, and neither address nor dwelling is taken."""
    await describe(key_encryption, "ocea")
    applicant = await _ocea_applicant(client, EMAIL)
    temporary = await post.temporary_password_for(EMAIL)
    clock.now = NOW + timedelta(hours=24)
    assert (await Resident(client, EMAIL).enter(temporary))["code"] == "SIGN_IN_REFUSED"
    assert await Account.all().count() == 0
    assert (await applicant.act("resumeRegistration"))["code"] == "REGISTRATION_EXPIRED"
    await _ocea_applicant(client, EMAIL)
    assert (await Resident(client, EMAIL).enter(await post.temporary_password_for(EMAIL)))["token"]


@pytest.mark.requirement("R-055", "C-40")
async def test_a_lot_number_is_reviewed(
    client: httpx.AsyncClient, post: PostBox, key_encryption: KeyEncryption, application: Application
) -> None:
    """With a lot number alone the account sees nothing until a manager has approved it."""
    await describe(key_encryption, "ocea")
    await _ocea_applicant(client, EMAIL, lotNumber={"lot": "104"})
    temporary = await post.temporary_password_for(EMAIL)
    resident = await _ready(client, EMAIL, temporary)
    assert (await resident.ask(DASHBOARD))["viewer"]["dwellings"] == []
    (dwelling_request,) = await list_dwelling_requests(SYSTEM, now=NOW)
    await decide(application, SYSTEM, dwelling_request.id, approved=True, now=NOW)
    assert (await resident.home())["number"] == "12"
    assert "vérifié votre demande" in (await post.mails_to(EMAIL))[-1]


async def test_a_third_operator_needs_a_plugin_alone(
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    key_encryption: KeyEncryption,
    post: PostBox,
    clock: SettableClock,
) -> None:
    """An external plugin brings an operator, and its residents register by its rules."""
    acme = replace(OCEA, code="acme", name="Acme", portal_name="My water", terms_version=None)
    module = types.ModuleType("submeter_acme")

    @hookimpl
    def submeter_operators() -> list[Any]:
        return [acme]

    module.submeter_operators = submeter_operators  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    plugins = [
        *entry_points(group="submeter.drivers"),
        EntryPoint("acme", module.__name__, "submeter.drivers"),
    ]
    async with open_application(settings, registry=load_registry(plugins)) as application:
        await describe(key_encryption, "acme", OCEA_DWELLING, code="BC123")
        transport = httpx.ASGITransport(build_app(application, clock=clock))
        async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
            await _ocea_applicant(client, EMAIL, operator="acme", siteCode={"code": "BC123"})
            (mail,) = await post.mails_to(EMAIL)
            assert "mot de passe temporaire" in mail
            resident = Resident(client, EMAIL)
            temporary = await post.temporary_password_for(EMAIL)
            assert (await resident.enter(temporary))["state"] == "MUST_CHANGE_PASSWORD"
            assert (await resident.change_password(temporary, PASSWORD))["state"] == "READY"
            assert (await resident.home())["number"] == "12"


async def test_no_secret_is_stored_in_the_clear(
    client: httpx.AsyncClient, post: PostBox, key_encryption: KeyEncryption
) -> None:
    """Codes and temporary passwords are encrypted until they are sent, and deleted then."""
    await describe(key_encryption, "ocea")
    await _ocea_applicant(client, EMAIL)
    (waiting,) = await OutboxMessage.all()
    assert waiting.encrypted_values is not None
    assert "password" not in waiting.values
    temporary = await post.temporary_password_for(EMAIL)
    assert temporary.encode() not in waiting.encrypted_values
    assert (await OutboxMessage.get()).encrypted_values is None
    stored = [str(value) for row in await Registration.all() for value in vars(row).values()]
    assert not [value for value in stored if temporary in value]


async def _ocea_applicant(
    client: httpx.AsyncClient, email: str, *, operator: str = "ocea", **forms: dict[str, str]
) -> Applicant:
    """Somebody whose temporary password has been sent."""
    applicant = Applicant(client, operator)
    await applicant.start()
    await applicant.fill("occupancy", kind="TENANT")
    await applicant.fill("siteCode", **forms.pop("siteCode", {"code": "AA000"}))
    for form, values in (forms or {"serial": {"serial": "H8CA029620"}}).items():
        await applicant.fill(form, **values)
    await applicant.fill("attestation", attested=True)
    await applicant.fill(
        "personalData", lastName="Martin", firstName="Claire", email=email, privacyAcknowledged=True
    )
    return applicant


async def _ready(client: httpx.AsyncClient, email: str, temporary: str) -> Resident:
    resident = Resident(client, email)
    await resident.enter(temporary)
    await resident.change_password(temporary, PASSWORD)
    await resident.ask("""mutation { acceptTerms(version: "2026-11") {
        ... on AccountChanged { viewer { email } }
        ... on Refusal { code field } } }""")
    return resident
