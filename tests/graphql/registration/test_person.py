"""Registration over HTTP: personal data, what is taken already, and the verification of the mailbox."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from core.bootstrap import Application
from core.models import Account, Occupancy, Registration
from core.services.auth import passwords
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import DwellingSpec, OccupancySpec
from tests.support import factories
from tests.support.attack import watched
from tests.support.sign_up import (
    EMAIL,
    NOW,
    OCEA_DWELLING,
    PASSWORD,
    PERSON,
    SERIAL,
    Applicant,
    code_for,
    describe,
    messages_to,
    refused,
    to_options,
    to_verification,
)


@pytest.mark.requirement("R-185")
async def test_attestation_required(ista: Applicant) -> None:
    await ista.fill("serial", serial=SERIAL)
    refused(await ista.send("attestation", attested=False), "ATTESTATION_REQUIRED", "attested")


@pytest.mark.requirement("R-130", "C-01", "C-02")
async def test_non_occupant_not_allowed(ista: Applicant) -> None:
    """ista's form offers two tenures, and the third is refused with the guide's sentence."""
    await ista.fill("serial", serial=SERIAL)
    await ista.fill("attestation", attested=True)
    answer = await ista.send("profile", kind="OWNER_NON_OCCUPANT", moveIn="2024-05-12")
    refused(answer, "NON_OCCUPANT_NOT_ALLOWED", "kind")
    assert answer["fr"].startswith("Les copropriétaires non occupants ne doivent pas s'inscrire")


@pytest.mark.requirement("C-14", "R-190")
async def test_move_in_in_future(ista: Applicant, portal: Any) -> None:
    """Tomorrow at the residence is the future; its today is not, although in UTC it is still yesterday."""
    await ista.fill("serial", serial=SERIAL)
    await ista.fill("attestation", attested=True)
    portal.clock.now = NOW.replace(hour=23, minute=30)
    answer = await ista.send("profile", kind="TENANT", moveIn="2026-11-24")
    refused(answer, "MOVE_IN_IN_FUTURE", "moveIn")
    assert (await ista.fill("profile", kind="TENANT", moveIn="2026-11-23"))["step"] == "OPTIONS"


@pytest.mark.parametrize(
    ("changes", "code", "field", "kind"),
    [
        ({"privacyAcknowledged": False}, "PRIVACY_ACK_REQUIRED", "privacyAcknowledged", "RequestRefused"),
        ({"password": "Zkvipq"}, "PASSWORD_TOO_WEAK", "password", "PasswordTooWeak"),
        ({"password": "Marciale-Xy!7"}, "PASSWORD_TOO_WEAK", "password", "PasswordTooWeak"),
        ({"password": "Xy!7-542361524-Qv"}, "PASSWORD_TOO_WEAK", "password", "PasswordTooWeak"),
        ({"passwordConfirmation": "x"}, "PASSWORD_MISMATCH", "passwordConfirmation", "RequestRefused"),
        ({"phone": "123"}, "PHONE_INVALID", "phone", "RequestRefused"),
        ({"email": "x"}, "EMAIL_INVALID", "email", "RequestRefused"),
        ({"lastName": " "}, "VALUE_REQUIRED", "lastName", "RequestRefused"),
    ],
)
@pytest.mark.requirement("R-112", "R-116", "R-207", "R-211")
async def test_personal_data_refused(
    ista: Applicant, changes: dict[str, Any], code: str, field: str, kind: str
) -> None:
    """Each error is returned with code and field, and nothing is stored."""
    await to_options(ista)
    await ista.fill("options")
    answer = await ista.send("personalData", **{**PERSON, **changes})
    refused(answer, code, field, kind)
    if kind == "PasswordTooWeak":
        assert [one["label"] for one in answer["criteria"]][:2] == [
            "10 caractères minimum",
            "Minuscules",
        ]
        assert any(not one["passed"] for one in answer["criteria"])
    assert (await Registration.get()).email == ""


@pytest.mark.requirement("C-19", "R-101")
async def test_phone_required_for_sms(ista: Applicant) -> None:
    await to_options(ista)
    form = (await ista.fill("options", leakBySms=True))["forms"][0]
    assert [field["required"] for field in form["fields"] if field["name"] == "phone"] == [True]
    refused(await ista.send("personalData", **PERSON), "PHONE_REQUIRED_FOR_SMS", "phone")


@pytest.mark.requirement("R-139", "R-140", "C-12")
async def test_dwelling_already_registered(ista: Applicant, portal: Any, application: Application) -> None:
    """The second account of a dwelling is refused once the first is verified, and not before."""
    await to_verification(ista)
    second = Applicant(portal.client, "ista")
    await second.start()
    await to_verification(second, email="second@example.org")
    await ista.fill("verification", verificationCode=await code_for(EMAIL, application))
    late = await code_for("second@example.org", application)
    answer = await second.send("verification", verificationCode=late)
    refused(answer, "DWELLING_ALREADY_REGISTERED", "contested")
    third = Applicant(portal.client, "ista")
    await third.start()
    await third.fill("serial", serial=SERIAL)
    refused(await third.send("attestation", attested=True), "DWELLING_ALREADY_REGISTERED", "contested")
    assert await Account.all().count() == 1


@pytest.mark.requirement("C-12", "C-13", "R-139")
async def test_a_taken_address_is_answered_like_a_free_one(
    ista: Applicant, portal: Any, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same answer, same hash, as many statements, and an e-mail in both cases: the owner's states that an
    account exists (C-13).
    """
    hashed: list[str] = []
    plain: Callable[[str], str] = passwords.hash_password
    monkeypatch.setattr(passwords, "hash_password", lambda text: hashed.append(text) or plain(text))
    await to_verification(ista)
    await ista.fill("verification", verificationCode=await code_for(EMAIL, application))
    answers, costs = [], []
    for email in (f" {EMAIL.upper()} ", "free@example.org"):
        other = Applicant(portal.client, "ista")
        await other.start()
        await other.fill("serial", serial="542361599")
        await other.fill("attestation", attested=True)
        await other.fill("profile", kind="TENANT", moveIn="2024-05-12")
        await other.fill("options")
        with watched(monkeypatch) as work:
            answer = await other.fill("personalData", **{**PERSON, "email": email})
            costs.append(len(work.taken("").statements))
        answers.append(
            {name: value for name, value in answer.items() if name != "screen"}
            | {"text": answer["screen"]["text"].replace(email.strip(), "…")}
        )
        if email == "free@example.org":
            continue
        wrong = await other.send("verification", verificationCode="000000")
        refused(wrong, "CODE_INVALID", "verificationCode", "CodeInvalid")
    assert answers[0] == answers[1]
    assert costs[0] == costs[1] > 0
    assert hashed == [PASSWORD] * 3
    *_, (row, mail) = await messages_to(EMAIL, application.settings)
    assert (row.template, row.encrypted_values) == ("registration_address_taken", None)
    assert "a déjà un compte" in mail.text
    assert await Account.all().count() == 1


async def test_even_the_right_code_makes_no_second_account_of_an_address(
    ista: Applicant, portal: Any, application: Application
) -> None:
    """Two registrations with one address: the first that is verified has it, the other's code is wrong."""
    await to_verification(ista)
    first_code = await code_for(EMAIL, application)
    other = Applicant(portal.client, "ista")
    await other.start()
    await other.fill("serial", serial="542361599")
    await other.fill("attestation", attested=True)
    await other.fill("profile", kind="TENANT", moveIn="2024-05-12")
    await other.fill("options")
    await other.fill("personalData", **PERSON)
    await other.fill("verification", verificationCode=await code_for(EMAIL, application))
    answer = await ista.send("verification", verificationCode=first_code)
    refused(answer, "CODE_INVALID", "verificationCode", "CodeInvalid")
    assert await Account.all().count() == 1


@pytest.mark.requirement("R-218", "R-219")
async def test_code_invalid_counts_down(ista: Applicant, application: Application) -> None:
    """After five tries even the right code is refused; another code is accepted."""
    await to_verification(ista)
    code = await code_for(EMAIL, application)
    wrong = "000000" if code != "000000" else "111111"
    for left in (4, 3, 2, 1, 0):
        answer = await ista.send("verification", verificationCode=wrong)
        refused(answer, "CODE_INVALID", "verificationCode", "CodeInvalid")
        assert answer["attemptsLeft"] == left
    refused(await ista.send("verification", verificationCode=code), "CODE_EXPIRED", "verificationCode")
    assert await Account.all().count() == 0


async def test_code_expired(ista: Applicant, portal: Any, application: Application) -> None:
    """After fifteen minutes the code is refused; a new one is accepted, however it is typed."""
    await to_verification(ista)
    code = await code_for(EMAIL, application)
    portal.clock.now = NOW + timedelta(minutes=15)
    refused(await ista.send("verification", verificationCode=code), "CODE_EXPIRED", "verificationCode")
    assert (await ista.act("resendRegistrationSecret"))["step"] == "VERIFICATION"
    again = await code_for(EMAIL, application)
    typed = f" {again[:3]} {again[3:]} "
    assert (await ista.fill("verification", verificationCode=typed))["step"] == "COMPLETE"


@pytest.mark.requirement("R-221")
async def test_code_resend_too_soon(ista: Applicant, portal: Any, application: Application) -> None:
    """Another code is sent after a minute, and the earlier one is refused from then on."""
    refused(await ista.act("resendRegistrationSecret"), "FORM_NOT_OFFERED")
    await to_verification(ista)
    first = await code_for(EMAIL, application)
    answer = await ista.act("resendRegistrationSecret")
    refused(answer, "CODE_RESEND_TOO_SOON", None, "RateLimited")
    assert answer["retryAfter"] == 60
    portal.clock.now = NOW + timedelta(minutes=1)
    await ista.act("resendRegistrationSecret")
    second = await code_for(EMAIL, application)
    if first != second:
        answer = await ista.send("verification", verificationCode=first)
        refused(answer, "CODE_INVALID", "verificationCode", "CodeInvalid")
    assert (await ista.fill("verification", verificationCode=second))["step"] == "COMPLETE"


@pytest.mark.requirement("R-222")
async def test_the_address_is_corrected(ista: Applicant, application: Application) -> None:
    """The code is sent to the new address, and the old one's code is refused."""
    refused(await ista.act("correctRegistrationEmail", email=EMAIL), "FORM_NOT_OFFERED")
    await to_verification(ista, email="typo@example.org")
    old = await code_for("typo@example.org", application)
    refused(await ista.act("correctRegistrationEmail", email="no address"), "EMAIL_INVALID", "email")
    corrected = await ista.act("correctRegistrationEmail", email=EMAIL)
    assert EMAIL in corrected["screen"]["text"]
    new = await code_for(EMAIL, application)
    if old != new:
        answer = await ista.send("verification", verificationCode=old)
        refused(answer, "CODE_INVALID", "verificationCode", "CodeInvalid")
    await ista.fill("verification", verificationCode=new)
    assert (await Account.get()).email == EMAIL


async def test_a_described_account_counts_as_the_dwellings_account(
    portal: Any, key_encryption: KeyEncryption
) -> None:
    """An account that an operator has described takes the dwelling like one that registered."""
    await factories.account()
    period = OccupancySpec(move_in=NOW.date() - timedelta(days=400), email="claire.martin@example.org")
    taken = DwellingSpec(number="12", lot="104", meters=OCEA_DWELLING.meters, occupancies=(period,))
    await describe(key_encryption, "ocea", taken)
    applicant = Applicant(portal.client, "ocea")
    await applicant.start()
    await applicant.fill("occupancy", kind="TENANT")
    await applicant.fill("siteCode", code="AA000")
    await applicant.fill("serial", serial="H8CA029620")
    refused(await applicant.send("attestation", attested=True), "DWELLING_ALREADY_REGISTERED", "contested")


@pytest.mark.requirement("C-01", "R-031")
async def test_an_owner_who_lives_elsewhere_does_not_take_the_dwelling(
    portal: Any, key_encryption: KeyEncryption, application: Application
) -> None:
    """A landlord registers beside the tenant who has the account, and sees no dwelling's days (C-01)."""
    await factories.account()
    period = OccupancySpec(move_in=NOW.date() - timedelta(days=400), email="claire.martin@example.org")
    rented = DwellingSpec(number="12", meters=OCEA_DWELLING.meters, occupancies=(period,))
    await describe(key_encryption, "ocea", rented)
    owner = Applicant(portal.client, "ocea")
    await owner.start()
    await owner.fill("occupancy", kind="OWNER_NON_OCCUPANT")
    await owner.fill("siteCode", code="AA000")
    await owner.fill("serial", serial="H8CA029620")
    assert {field["name"] for field in owner.last["forms"][0]["fields"]} == {"attested", "contested"}
    await owner.fill("attestation", attested=True)
    await owner.fill(
        "personalData", lastName="Bailleur", firstName="Anne", email=EMAIL, privacyAcknowledged=True
    )
    *_, (_, mail) = await messages_to(EMAIL, application.settings)
    password = re.search(r"[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}", mail.text)
    assert password
    sign_in = """mutation ($email: String!, $password: String!) {
      signIn(input: {email: $email, password: $password}) { __typename } }"""
    await portal.ask(sign_in, email=EMAIL, password=password[0])
    assert await Occupancy.filter(account__email=EMAIL, kind="OWNER_NON_OCCUPANT").count() == 1
    assert await Occupancy.all().count() == 2
