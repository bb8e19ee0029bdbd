"""Registration over HTTP: every refusal of the catalogue, as typed data in French and English."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from graphql import is_required_input_field
from strawberry.utils.str_converters import to_camel_case

from core.bootstrap import House
from core.models import Account, Occupancy, Registration, Residence
from core.operators import Step
from core.registration.draft import Draft
from core.registration.forms import FormName, forms_of
from core.services import password_hashes
from core.services.portfolio import DwellingSpec, OccupancySpec
from core.services.vault import Vault
from drivers.ista.profile import PROFILE as ISTA
from drivers.ocea.profile import PROFILE as OCEA
from graphql_schema.relay import global_id
from graphql_schema.schema import schema
from tests.support import factories
from tests.support.sign_up import (
    NOW,
    OCEA_DWELLING,
    Applicant,
    describe,
    letters_to,
    meter,
)

EMAIL = "marcialemars@example.org"
PASSWORD = "Vierzon&Quimper&Lot7"
PERSON = {
    "lastName": "Marciale",
    "firstName": "Marseille",
    "email": EMAIL,
    "password": PASSWORD,
    "privacyAcknowledged": True,
}
SERIAL = "542 361 524"


@pytest.fixture
async def ista(portal: Any, vault: Vault) -> Applicant:
    """Somebody who begins to register with ista, whose residence is published."""
    await describe(vault, "ista")
    applicant = Applicant(portal.client, "ista")
    await applicant.start()
    return applicant


@pytest.fixture
async def ocea(portal: Any, vault: Vault) -> Applicant:
    """Somebody who begins to register with OCEA as a tenant."""
    await describe(vault, "ocea")
    applicant = Applicant(portal.client, "ocea")
    await applicant.start()
    await applicant.fill("occupancy", kind="TENANT")
    return applicant


async def _to_options(applicant: Applicant) -> None:
    await applicant.fill("serial", serial=SERIAL)
    await applicant.fill("attestation", attested=True)
    await applicant.fill("profile", kind="TENANT", moveIn="2024-05-12")


async def _to_verification(applicant: Applicant, **changes: Any) -> None:
    await _to_options(applicant)
    await applicant.fill("options")
    await applicant.fill("personalData", **{**PERSON, **changes})


async def _code_for(email: str, house: House) -> str:
    *_, (_, letter) = await letters_to(email, house.settings)
    found = re.search(r"\b\d{6}\b", letter.text)
    assert found
    return found[0]


def _refused(
    answer: dict[str, Any], code: str, field: str | None = None, kind: str = "AnswerRefused"
) -> None:
    assert (answer["__typename"], answer["code"], answer["field"]) == (kind, code, field), answer
    message = answer["message"]
    assert message["fr"]
    assert message["en"]
    assert message["fr"] != message["en"]


def test_forms_and_inputs_have_the_same_names() -> None:
    """Each form is a key of RegistrationAnswer, and its fields are the keys of that input."""
    inputs = schema._schema.type_map["RegistrationAnswer"].fields
    assert set(inputs) == {to_camel_case(name.value.lower()) for name in FormName}
    for profile in (OCEA, ISTA):
        for step in profile.steps:
            for form in forms_of(profile, Draft(step=step)):
                sent = inputs[to_camel_case(form.name.value.lower())].type.fields
                assert {to_camel_case(field.name) for field in form.fields} <= set(sent)
                needed = {name for name, one in sent.items() if is_required_input_field(one)}
                assert needed <= {to_camel_case(field.name) for field in form.fields}


@pytest.mark.requirement("R-017", "R-021")
async def test_every_answer_tells_the_journey(ista: Applicant) -> None:
    """The first answer holds the token, the stages and the forms; later ones hold no token."""
    assert ista.token.startswith("smr_")
    assert [stage["current"] for stage in ista.last["stages"]] == [True, False, False, False, False, False]
    answer = await ista.fill("serial", serial=SERIAL)
    assert answer["token"] is None
    assert [(stage["done"], stage["current"]) for stage in answer["stages"]][:3] == [
        (True, False),
        (False, True),
        (False, False),
    ]


async def test_a_registration_is_resumed_by_its_token(ista: Applicant, portal: Any) -> None:
    """Another device with the token stands at the same step; the token itself is stored nowhere."""
    await _to_options(ista)
    assert (await ista.act("resumeRegistration"))["step"] == "OPTIONS"
    row = await Registration.get()
    assert ista.token not in {str(value) for value in vars(row).values()}
    other = Applicant(portal.client, "ista", token=ista.token + "x")
    _refused(await other.act("resumeRegistration"), "REGISTRATION_EXPIRED")


@pytest.mark.requirement("C-12")
async def test_a_registration_lapses(ista: Applicant, portal: Any) -> None:
    """After its time it is gone, like one that never was, and the next start deletes it."""
    await _to_options(ista)
    portal.clock.now = NOW + timedelta(hours=24)
    _refused(await ista.send("options", leakByEmail=True), "REGISTRATION_EXPIRED")
    _refused(await ista.act("resumeRegistration"), "REGISTRATION_EXPIRED")
    await Applicant(portal.client, "ista").start()
    assert await Registration.all().count() == 1


@pytest.mark.requirement("R-029", "C-37")
async def test_cancelling_deletes_every_word(ista: Applicant) -> None:
    """«ANNULER MA DEMANDE» leaves no row, and may be said twice."""
    await _to_verification(ista)
    for _ in range(2):
        cancelled = await ista.post(
            "mutation ($token: String!) { cancelRegistration(token: $token) { cancelled } }", token=ista.token
        )
        assert cancelled == {"cancelRegistration": {"cancelled": True}}
    assert await Registration.all().count() == 0
    _refused(await ista.act("resumeRegistration"), "REGISTRATION_EXPIRED")


async def test_an_unknown_operator_has_no_form(portal: Any) -> None:
    """An operator that no plugin brings is NOT_FOUND."""
    refusal = await portal.refusal('mutation { startRegistration(operator: "acme") { __typename } }')
    assert refusal == {"code": "NOT_FOUND", "field": "operator"}


@pytest.mark.requirement("R-037", "R-039")
@pytest.mark.parametrize("code", ["ZZ999", "AA00", "AA0000", "", "' OR 1=1", "\0", "x" * 500])
async def test_residence_not_found(ocea: Applicant, code: str) -> None:
    """An unknown code and one of another shape get one answer."""
    _refused(await ocea.send("siteCode", code=code), "RESIDENCE_NOT_FOUND", "code")


async def test_another_operators_residence_is_not_found(ocea: Applicant, vault: Vault) -> None:
    """A code of another operator's residence is no code here."""
    await describe(vault, "ista", code="BB111")
    _refused(await ocea.send("siteCode", code="BB111"), "RESIDENCE_NOT_FOUND", "code")


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"published": False}, "NOT_PUBLISHED"),
        ({"option": False}, "OPTION_NOT_SUBSCRIBED"),
        ({"remote": False}, "DEVICE_NOT_REMOTE"),
    ],
)
@pytest.mark.requirement("C-09", "C-11", "R-129", "R-131", "R-132", "R-133", "R-138", "R-155")
async def test_a_residence_that_is_not_open(
    portal: Any, vault: Vault, state: dict[str, bool], code: str
) -> None:
    """Not published, not subscribed, not read remotely: each has its code, by site code and by serial."""
    await describe(vault, "ista", **state)
    await describe(vault, "ocea", **state)
    ista = Applicant(portal.client, "ista")
    await ista.start()
    by_serial = await ista.send("serial", serial=SERIAL)
    _refused(by_serial, code)
    _refused(await ista.send("buildingCode", code="50001369"), code)
    ocea = Applicant(portal.client, "ocea")
    await ocea.start()
    await ocea.fill("occupancy", kind="TENANT")
    _refused(await ocea.send("siteCode", code="AA000"), code)
    if code == "NOT_PUBLISHED":
        assert by_serial["message"]["fr"] == "Portail en cours de construction"
        assert await Registration.filter(step=Step.RESIDENCE).count() == 2


@pytest.mark.requirement("C-09", "R-131")
async def test_unpublishing_stops_newcomers_alone(claire: Any, home: Any) -> None:
    """Whoever has an account keeps it and its data when the residence is taken off again."""
    await Residence.all().update(published_at=None)
    applicant = Applicant(claire.client, "ocea")
    await applicant.start()
    await applicant.fill("occupancy", kind="TENANT")
    _refused(await applicant.send("siteCode", code="AA000"), "NOT_PUBLISHED")
    seen = await claire.ask("{ viewer { dwellings { number } } }")
    assert seen["viewer"]["dwellings"] == [{"number": "12"}]


@pytest.mark.requirement("R-036", "C-39")
async def test_an_address_finds_published_residences_alone(ocea: Applicant, vault: Vault) -> None:
    """Ten at most, by folded text, without codes, dwellings or names; one of them is chosen."""
    await describe(vault, "ocea", DwellingSpec(number="1"), code="ZZ001", name="Hidden", published=False)
    await describe(vault, "ista")
    found = await ocea.fill("address", postcode="92400", street="Place VICTOR hugo")
    assert [set(one) for one in found["candidates"]] == [{"id", "name", "street", "postcode", "city"}]
    (candidate,) = found["candidates"]
    assert candidate["name"] == "Résidence Les Tilleuls"
    assert found["step"] == "RESIDENCE"
    _refused(await ocea.send("address", postcode="34300", street="garnison"), "RESIDENCE_NOT_FOUND", "street")
    _refused(await ocea.send("address", postcode="92400", street="a"), "VALUE_REQUIRED", "street")
    _refused(await ocea.send("address", postcode="?", street="rue"), "VALUE_INVALID", "postcode")
    assert (await ocea.fill("residence", residence=candidate["id"]))["step"] == "DWELLING"


async def test_a_hidden_residence_cannot_be_chosen(ocea: Applicant, vault: Vault) -> None:
    """The id of a residence that no search finds is not found either."""
    hidden = await describe(vault, "ocea", DwellingSpec(number="1"), code="ZZ001", published=False)
    foreign = await describe(vault, "ista")
    for number in (hidden, foreign, 999, 2**62):
        answer = await ocea.send("residence", residence=global_id("Residence", number))
        _refused(answer, "RESIDENCE_NOT_FOUND", "residence")


@pytest.mark.parametrize("serial", ["H8CA029699", "", "x" * 500, "\0"])
@pytest.mark.requirement("R-047", "R-153")
async def test_device_not_found(ocea: Applicant, serial: str) -> None:
    """A serial that is none of the residence's is not found, and the step stays."""
    await ocea.fill("siteCode", code="AA000")
    _refused(await ocea.send("serial", serial=serial), "DEVICE_NOT_FOUND", "serial")
    assert (await ocea.act("resumeRegistration"))["step"] == "DWELLING"


@pytest.mark.requirement("C-07", "R-043", "R-159")
async def test_another_kind_of_device_is_the_same_answer(ista: Applicant, caplog: Any) -> None:
    """A serial named with the wrong kind is not found, word for word as one that is not there."""
    caplog.set_level("INFO", "core.services.identification")
    wrong_kind = await ista.send("serial", serial=SERIAL, device="COLD_WATER")
    _refused(wrong_kind, "DEVICE_NOT_FOUND", "serial")
    assert "another kind of device" in caplog.text
    assert "542" not in caplog.text
    assert wrong_kind == await ista.send("serial", serial="542 361 999")
    assert (await ista.fill("serial", serial=SERIAL, device="HEATING"))["step"] == "ATTESTATION"


@pytest.mark.requirement("C-05", "R-145", "R-146", "R-151")
async def test_istas_exception_and_its_fallback(ista: Applicant) -> None:
    """An Itron serial is not recognised; building code and dwelling reference with that serial let one in."""
    answer = await ista.send("serial", serial="48349952")
    _refused(answer, "SERIAL_FORMAT_UNSUPPORTED", "serial", "SerialRefused")
    assert answer["fallback"] == "BUILDING_CODE"
    await ista.fill("buildingCode", code="5000 1369")
    within = await ista.send("serial", serial="48349952")
    assert within["fallback"] == "DWELLING_REFERENCE"
    found = await ista.fill("dwellingReference", reference="51510008", serial="48349952")
    assert found["step"] == "ATTESTATION"
    assert (await Registration.get()).proven


@pytest.mark.requirement("C-05")
async def test_an_itron_serial_simply_works_elsewhere(portal: Any, vault: Vault) -> None:
    """Where the operator is not strict, a serial of any vendor identifies the dwelling."""
    itron = meter("48349952", "ITW-48349952-00-07", vendor="itron")
    kamstrup = meter("76348799", "KAM-76348799-1B-16", vendor="kamstrup")
    await describe(vault, "ocea", DwellingSpec(number="7", meters=(itron, kamstrup)))
    for serial in ("48349952", "7634 8799"):
        applicant = Applicant(portal.client, "ocea")
        await applicant.start()
        await applicant.fill("occupancy", kind="TENANT")
        await applicant.fill("siteCode", code="AA000")
        assert (await applicant.fill("serial", serial=serial))["step"] == "ATTESTATION"


@pytest.mark.requirement("C-06")
async def test_serial_ambiguous(ista: Applicant, vault: Vault) -> None:
    """A serial that two dwellings of the stock have asks for the building code, and is enough within it."""
    twin = meter("542361524", "IST-99999999-31-07")
    await describe(vault, "ista", DwellingSpec(number="9", meters=(twin,)), code="60001369")
    answer = await ista.send("serial", serial=SERIAL)
    _refused(answer, "SERIAL_AMBIGUOUS", "serial", "SerialRefused")
    assert answer["fallback"] == "BUILDING_CODE"
    await ista.fill("buildingCode", code="60001369")
    found = await ista.fill("serial", serial=SERIAL)
    assert found["confirmation"][0]["lines"][1]["value"]["fr"] == "60001369"


@pytest.mark.parametrize("reference", ["5151 0099", "", "%", "x" * 300])
async def test_dwelling_ref_not_found(ista: Applicant, reference: str) -> None:
    """An unknown reference is not found, nor a right one with another dwelling's serial beside it."""
    await ista.fill("buildingCode", code="50001369")
    _refused(await ista.send("dwellingReference", reference=reference), "DWELLING_REF_NOT_FOUND", "reference")
    answer = await ista.send("dwellingReference", reference="5151 0008", serial="542361599")
    _refused(answer, "DWELLING_REF_NOT_FOUND", "serial")


@pytest.mark.requirement("R-055", "C-35")
async def test_references_are_compared_without_spaces(ista: Applicant, ocea: Applicant) -> None:
    """5151 0008, 51510008 and the code 01030001 name one dwelling; lots are compared folded too."""
    for reference in ("51510008", "5151 0008", "0103 0001"):
        await ista.fill("buildingCode", code="50001369")
        found = await ista.fill("dwellingReference", reference=reference)
        assert found["confirmation"][1]["lines"][0]["value"]["fr"] == "5151 0008"
        await ista.act("rejectRegistrationDwelling")
    await ocea.fill("siteCode", code="AA000")
    assert (await ocea.fill("lotNumber", lot=" 104 "))["step"] == "ATTESTATION"


@pytest.mark.requirement("R-186")
async def test_not_my_dwelling(ista: Applicant) -> None:
    """«Ce n'est pas mon logement» leads back to the search; at another step there is nothing to reject."""
    _refused(await ista.act("rejectRegistrationDwelling"), "FORM_NOT_OFFERED")
    await ista.fill("serial", serial="542361599")
    assert (await ista.act("rejectRegistrationDwelling"))["step"] == "RESIDENCE"
    assert (await Registration.get()).dwelling_id is None


async def test_a_form_of_another_step_is_refused(ista: Applicant) -> None:
    """Personal data cannot be sent before the dwelling was confirmed."""
    _refused(await ista.send("personalData", **PERSON), "FORM_NOT_OFFERED")


@pytest.mark.requirement("R-153")
async def test_one_step_back(ista: Applicant) -> None:
    """From the options back to the profile, whose form is offered again."""
    await _to_options(ista)
    assert [form["name"] for form in (await ista.act("goBackInRegistration"))["forms"]] == ["profile"]


@pytest.mark.requirement("R-185")
async def test_attestation_required(ista: Applicant) -> None:
    await ista.fill("serial", serial=SERIAL)
    _refused(await ista.send("attestation", attested=False), "ATTESTATION_REQUIRED", "attested")


@pytest.mark.requirement("R-130", "C-01", "C-02")
async def test_non_occupant_not_allowed(ista: Applicant) -> None:
    """ista's form offers two qualities, and the third is refused with the seed's sentence."""
    await ista.fill("serial", serial=SERIAL)
    await ista.fill("attestation", attested=True)
    answer = await ista.send("profile", kind="OWNER_NON_OCCUPANT", moveIn="2024-05-12")
    _refused(answer, "NON_OCCUPANT_NOT_ALLOWED", "kind")
    assert answer["message"]["fr"].startswith("Les copropriétaires non occupants ne doivent pas s'inscrire")


@pytest.mark.requirement("C-14", "R-190")
async def test_move_in_in_future(ista: Applicant, portal: Any) -> None:
    """Tomorrow at the residence is the future; its today is not, though UTC still says yesterday."""
    await ista.fill("serial", serial=SERIAL)
    await ista.fill("attestation", attested=True)
    portal.clock.now = NOW.replace(hour=23, minute=30)
    answer = await ista.send("profile", kind="TENANT", moveIn="2026-11-24")
    _refused(answer, "MOVE_IN_IN_FUTURE", "moveIn")
    assert (await ista.fill("profile", kind="TENANT", moveIn="2026-11-23"))["step"] == "OPTIONS"


@pytest.mark.parametrize(
    ("changes", "code", "field", "kind"),
    [
        ({"privacyAcknowledged": False}, "PRIVACY_ACK_REQUIRED", "privacyAcknowledged", "AnswerRefused"),
        ({"password": "Zkvipq"}, "PASSWORD_TOO_WEAK", "password", "PasswordRefused"),
        ({"password": "Marciale-Xy!7"}, "PASSWORD_TOO_WEAK", "password", "PasswordRefused"),
        ({"password": "Xy!7-542361524-Qv"}, "PASSWORD_TOO_WEAK", "password", "PasswordRefused"),
        ({"passwordConfirmation": "x"}, "PASSWORD_MISMATCH", "passwordConfirmation", "AnswerRefused"),
        ({"phone": "123"}, "PHONE_INVALID", "phone", "AnswerRefused"),
        ({"email": "x"}, "EMAIL_INVALID", "email", "AnswerRefused"),
        ({"lastName": " "}, "VALUE_REQUIRED", "lastName", "AnswerRefused"),
    ],
)
@pytest.mark.requirement("R-112", "R-116", "R-207", "R-211")
async def test_personal_data_refused(
    ista: Applicant, changes: dict[str, Any], code: str, field: str, kind: str
) -> None:
    """Each thing that is wrong is told by code and field, and nothing is stored of it."""
    await _to_options(ista)
    await ista.fill("options")
    answer = await ista.send("personalData", **{**PERSON, **changes})
    _refused(answer, code, field, kind)
    if kind == "PasswordRefused":
        assert [one["label"]["fr"] for one in answer["criteria"]][:2] == [
            "10 caractères minimum",
            "Minuscules",
        ]
        assert any(not one["passed"] for one in answer["criteria"])
    assert (await Registration.get()).email == ""


@pytest.mark.requirement("C-19", "R-101")
async def test_phone_required_for_sms(ista: Applicant) -> None:
    await _to_options(ista)
    form = (await ista.fill("options", leakBySms=True))["forms"][0]
    assert [field["required"] for field in form["fields"] if field["name"] == "phone"] == [True]
    _refused(await ista.send("personalData", **PERSON), "PHONE_REQUIRED_FOR_SMS", "phone")


@pytest.mark.requirement("R-139", "R-140", "C-12")
async def test_dwelling_already_registered(ista: Applicant, portal: Any, house: House) -> None:
    """The second account of a dwelling is refused once the first is verified, and not before."""
    await _to_verification(ista)
    second = Applicant(portal.client, "ista")
    await second.start()
    await _to_verification(second, email="second@example.org")
    await ista.fill("verification", verificationCode=await _code_for(EMAIL, house))
    late = await _code_for("second@example.org", house)
    answer = await second.send("verification", verificationCode=late)
    _refused(answer, "DWELLING_ALREADY_REGISTERED", "contested")
    third = Applicant(portal.client, "ista")
    await third.start()
    await third.fill("serial", serial=SERIAL)
    _refused(await third.send("attestation", attested=True), "DWELLING_ALREADY_REGISTERED", "contested")
    assert await Account.all().count() == 1


@pytest.mark.requirement("C-12", "C-13", "R-139")
async def test_a_taken_address_is_answered_like_a_free_one(
    ista: Applicant, portal: Any, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same answer, same hash, a letter in both cases: to the owner it says that an account exists (C-13)."""
    hashed: list[str] = []
    plain: Callable[[str], str] = password_hashes.hash_password
    monkeypatch.setattr(password_hashes, "hash_password", lambda text: hashed.append(text) or plain(text))
    await _to_verification(ista)
    await ista.fill("verification", verificationCode=await _code_for(EMAIL, house))
    answers = []
    for email in (f" {EMAIL.upper()} ", "free@example.org"):
        other = Applicant(portal.client, "ista")
        await other.start()
        await other.fill("serial", serial="542361599")
        await other.fill("attestation", attested=True)
        await other.fill("profile", kind="TENANT", moveIn="2024-05-12")
        await other.fill("options")
        answer = await other.fill("personalData", **{**PERSON, "email": email})
        answers.append(
            {name: value for name, value in answer.items() if name != "screen"}
            | {"text": answer["screen"]["text"]["fr"].replace(email.strip(), "…")}
        )
        if email == "free@example.org":
            continue
        wrong = await other.send("verification", verificationCode="000000")
        _refused(wrong, "CODE_INVALID", "verificationCode", "CodeRefused")
    assert answers[0] == answers[1]
    assert hashed == [PASSWORD] * 3
    *_, (row, letter) = await letters_to(EMAIL, house.settings)
    assert (row.template, row.sealed_values) == ("registration_address_taken", None)
    assert "a déjà un compte" in letter.text
    assert await Account.all().count() == 1


async def test_even_the_right_code_makes_no_second_account_of_an_address(
    ista: Applicant, portal: Any, house: House
) -> None:
    """Two registrations with one address: the first that is verified has it, the other's code is wrong."""
    await _to_verification(ista)
    first_code = await _code_for(EMAIL, house)
    other = Applicant(portal.client, "ista")
    await other.start()
    await other.fill("serial", serial="542361599")
    await other.fill("attestation", attested=True)
    await other.fill("profile", kind="TENANT", moveIn="2024-05-12")
    await other.fill("options")
    await other.fill("personalData", **PERSON)
    await other.fill("verification", verificationCode=await _code_for(EMAIL, house))
    answer = await ista.send("verification", verificationCode=first_code)
    _refused(answer, "CODE_INVALID", "verificationCode", "CodeRefused")
    assert await Account.all().count() == 1


@pytest.mark.requirement("R-218", "R-219")
async def test_code_invalid_counts_down(ista: Applicant, house: House) -> None:
    """Five tries, then even the right code opens nothing; another code does."""
    await _to_verification(ista)
    code = await _code_for(EMAIL, house)
    wrong = "000000" if code != "000000" else "111111"
    for left in (4, 3, 2, 1, 0):
        answer = await ista.send("verification", verificationCode=wrong)
        _refused(answer, "CODE_INVALID", "verificationCode", "CodeRefused")
        assert answer["attemptsLeft"] == left
    _refused(await ista.send("verification", verificationCode=code), "CODE_EXPIRED", "verificationCode")
    assert await Account.all().count() == 0


async def test_code_expired(ista: Applicant, portal: Any, house: House) -> None:
    """After fifteen minutes the code opens nothing; a new one does, however it is typed."""
    await _to_verification(ista)
    code = await _code_for(EMAIL, house)
    portal.clock.now = NOW + timedelta(minutes=15)
    _refused(await ista.send("verification", verificationCode=code), "CODE_EXPIRED", "verificationCode")
    assert (await ista.act("resendRegistrationSecret"))["step"] == "VERIFICATION"
    again = await _code_for(EMAIL, house)
    typed = f" {again[:3]} {again[3:]} "
    assert (await ista.fill("verification", verificationCode=typed))["step"] == "COMPLETE"


@pytest.mark.requirement("R-221")
async def test_code_resend_too_soon(ista: Applicant, portal: Any, house: House) -> None:
    """Another code is sent after a minute, and the one before opens nothing any more."""
    _refused(await ista.act("resendRegistrationSecret"), "FORM_NOT_OFFERED")
    await _to_verification(ista)
    first = await _code_for(EMAIL, house)
    answer = await ista.act("resendRegistrationSecret")
    _refused(answer, "CODE_RESEND_TOO_SOON", None, "TryLater")
    assert answer["retryAfter"] == 60
    portal.clock.now = NOW + timedelta(minutes=1)
    await ista.act("resendRegistrationSecret")
    second = await _code_for(EMAIL, house)
    if first != second:
        answer = await ista.send("verification", verificationCode=first)
        _refused(answer, "CODE_INVALID", "verificationCode", "CodeRefused")
    assert (await ista.fill("verification", verificationCode=second))["step"] == "COMPLETE"


@pytest.mark.requirement("R-222")
async def test_the_address_is_corrected(ista: Applicant, house: House) -> None:
    """The code goes to the new address, and the old one's opens nothing there."""
    _refused(await ista.act("correctRegistrationEmail", email=EMAIL), "FORM_NOT_OFFERED")
    await _to_verification(ista, email="typo@example.org")
    old = await _code_for("typo@example.org", house)
    _refused(await ista.act("correctRegistrationEmail", email="no address"), "EMAIL_INVALID", "email")
    corrected = await ista.act("correctRegistrationEmail", email=EMAIL)
    assert EMAIL in corrected["screen"]["text"]["fr"]
    new = await _code_for(EMAIL, house)
    if old != new:
        answer = await ista.send("verification", verificationCode=old)
        _refused(answer, "CODE_INVALID", "verificationCode", "CodeRefused")
    await ista.fill("verification", verificationCode=new)
    assert (await Account.get()).email == EMAIL


async def test_rate_limited(ocea: Applicant, portal: Any) -> None:
    """Guessing site codes ends after twenty an hour, found or not, and goes on later."""
    for number in range(20):
        await ocea.send("siteCode", code=f"ZZ{number:03d}")
    for code in ("ZZ999", "AA000"):
        answer = await ocea.send("siteCode", code=code)
        _refused(answer, "RATE_LIMITED", None, "TryLater")
        assert answer["retryAfter"] == 75 * 60
    portal.clock.now = NOW + timedelta(hours=1, minutes=15)
    assert (await ocea.fill("siteCode", code="AA000"))["step"] == "DWELLING"


@pytest.mark.requirement("C-40")
async def test_references_are_guessed_slowly(ista: Applicant) -> None:
    """Six references an hour from one address, whatever they find."""
    await ista.fill("buildingCode", code="50001369")
    for number in range(6):
        await ista.send("dwellingReference", reference=f"5151 1{number:03d}")
    answer = await ista.send("dwellingReference", reference="5151 0008")
    _refused(answer, "RATE_LIMITED", None, "TryLater")


async def test_an_operation_answers_once(ista: Applicant) -> None:
    """Aliases are no way to try many serials with one request."""
    one = f'answerRegistration(token: "{ista.token}", answer: {{serial: {{serial: "1"}}}}) {{ __typename }}'
    response = await ista.client.post("/graphql", json={"query": f"mutation {{ a: {one} b: {one} }}"})
    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["INVALID_INPUT"]


async def test_two_forms_at_once_are_no_answer(ista: Applicant) -> None:
    """RegistrationAnswer is one of its forms: none and two are refused before anything runs."""
    for answer in ({}, {"serial": {"serial": SERIAL}, "buildingCode": {"code": "50001369"}}):
        query = (
            "mutation ($token: String!, $answer: RegistrationAnswer!)"
            " { answerRegistration(token: $token, answer: $answer) { __typename } }"
        )
        body = {"query": query, "variables": {"token": ista.token, "answer": answer}}
        response = await ista.client.post("/graphql", json=body)
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_who_has_an_account_somewhere_else_is_described(portal: Any, vault: Vault) -> None:
    """An account that an operator described itself counts as the dwelling's account."""
    await factories.account()
    stay = OccupancySpec(move_in=NOW.date() - timedelta(days=400), email="claire.martin@example.org")
    taken = DwellingSpec(number="12", lot="104", meters=OCEA_DWELLING.meters, occupancies=(stay,))
    await describe(vault, "ocea", taken)
    applicant = Applicant(portal.client, "ocea")
    await applicant.start()
    await applicant.fill("occupancy", kind="TENANT")
    await applicant.fill("siteCode", code="AA000")
    await applicant.fill("serial", serial="H8CA029620")
    _refused(await applicant.send("attestation", attested=True), "DWELLING_ALREADY_REGISTERED", "contested")


@pytest.mark.requirement("C-01", "R-031")
async def test_an_owner_elsewhere_takes_no_place(portal: Any, vault: Vault, house: House) -> None:
    """A landlord registers beside the tenant who has the account, and sees no dwelling's days (C-01)."""
    await factories.account()
    stay = OccupancySpec(move_in=NOW.date() - timedelta(days=400), email="claire.martin@example.org")
    rented = DwellingSpec(number="12", meters=OCEA_DWELLING.meters, occupancies=(stay,))
    await describe(vault, "ocea", rented)
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
    *_, (_, letter) = await letters_to(EMAIL, house.settings)
    password = re.search(r"[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}", letter.text)
    assert password
    sign_in = """mutation ($email: String!, $password: String!) {
      signIn(input: {email: $email, password: $password}) { __typename } }"""
    await portal.ask(sign_in, email=EMAIL, password=password[0])
    assert await Occupancy.filter(account__email=EMAIL, kind="OWNER_NON_OCCUPANT").count() == 1
    assert await Occupancy.all().count() == 2
