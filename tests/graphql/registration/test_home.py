"""Registration over HTTP: how a residence and a dwelling are found, and the answers where none is."""

from typing import Any

import pytest

from core.access import SYSTEM
from core.models import Registration
from core.operators import Step
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import DwellingSpec
from core.services.portfolio.publication import unpublish_residence
from graphql_schema.base.relay import global_id
from tests.support.factories import NOW
from tests.support.sign_up import (
    SERIAL,
    Applicant,
    describe,
    meter,
    refused,
)


@pytest.mark.requirement("R-037", "R-039")
@pytest.mark.parametrize("code", ["ZZ999", "AA00", "AA0000", "", "' OR 1=1", "\0", "x" * 500])
async def test_residence_not_found(ocea: Applicant, code: str) -> None:
    """An unknown code and one of another format have the same answer."""
    refused(await ocea.send("siteCode", code=code), "RESIDENCE_NOT_FOUND", "code")


async def test_another_operators_residence_is_not_found(
    ocea: Applicant, key_encryption: KeyEncryption
) -> None:
    """A code of another operator's residence is an unknown code."""
    await describe(key_encryption, "ista", code="BB111")
    refused(await ocea.send("siteCode", code="BB111"), "RESIDENCE_NOT_FOUND", "code")


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
    portal: Any, key_encryption: KeyEncryption, state: dict[str, bool], code: str
) -> None:
    """Not published, not subscribed, not read remotely: each has its code, by site code and by serial."""
    await describe(key_encryption, "ista", **state)
    await describe(key_encryption, "ocea", **state)
    ista = Applicant(portal.client, "ista")
    await ista.start()
    by_serial = await ista.send("serial", serial=SERIAL)
    refused(by_serial, code)
    refused(await ista.send("buildingCode", code="50001369"), code)
    ocea = Applicant(portal.client, "ocea")
    await ocea.start()
    await ocea.fill("occupancy", kind="TENANT")
    refused(await ocea.send("siteCode", code="AA000"), code)
    if code == "NOT_PUBLISHED":
        assert by_serial["fr"] == "Portail en cours de construction"
        assert await Registration.filter(step=Step.RESIDENCE).count() == 2


@pytest.mark.requirement("C-09", "R-131")
async def test_unpublishing_stops_new_registrations_alone(application: Any, claire: Any, home: Any) -> None:
    """Whoever has an account keeps it and its data when the operator unpublishes the residence."""
    of = {"operator_code": "ocea", "residence_code": "AA000"}
    assert await unpublish_residence(application, SYSTEM, **of, now=NOW)
    applicant = Applicant(claire.client, "ocea")
    await applicant.start()
    await applicant.fill("occupancy", kind="TENANT")
    refused(await applicant.send("siteCode", code="AA000"), "NOT_PUBLISHED")
    seen = await claire.ask("{ viewer { dwellings { number } } }")
    assert seen["viewer"]["dwellings"] == [{"number": "12"}]


@pytest.mark.requirement("R-036", "C-39")
async def test_an_address_finds_published_residences_alone(
    ocea: Applicant, key_encryption: KeyEncryption
) -> None:
    """Ten at most, by normalised text, without codes, dwellings or names; one of them is chosen."""
    await describe(
        key_encryption, "ocea", DwellingSpec(number="1"), code="ZZ001", name="Hidden", published=False
    )
    await describe(key_encryption, "ista")
    found = await ocea.fill("address", postcode="92400", street="Place VICTOR hugo")
    assert [set(one) for one in found["candidates"]] == [{"id", "name", "street", "postcode", "city"}]
    (candidate,) = found["candidates"]
    assert candidate["name"] == "Résidence Les Tilleuls"
    assert found["step"] == "RESIDENCE"
    refused(await ocea.send("address", postcode="34300", street="garnison"), "RESIDENCE_NOT_FOUND", "street")
    refused(await ocea.send("address", postcode="92400", street="a"), "VALUE_REQUIRED", "street")
    refused(await ocea.send("address", postcode="?", street="rue"), "VALUE_INVALID", "postcode")
    assert (await ocea.fill("residence", residence=candidate["id"]))["step"] == "DWELLING"


async def test_a_hidden_residence_cannot_be_chosen(ocea: Applicant, key_encryption: KeyEncryption) -> None:
    """The id of a residence that no search finds is not found either."""
    hidden = await describe(key_encryption, "ocea", DwellingSpec(number="1"), code="ZZ001", published=False)
    foreign = await describe(key_encryption, "ista")
    for number in (hidden, foreign, 999, 2**62):
        answer = await ocea.send("residence", residence=global_id("Residence", number))
        refused(answer, "RESIDENCE_NOT_FOUND", "residence")


@pytest.mark.parametrize("serial", ["H8CA029699", "", "x" * 500, "\0"])
@pytest.mark.requirement("R-047")
async def test_device_not_found(ocea: Applicant, serial: str) -> None:
    """A serial that is none of the residence's is not found, and the step does not change."""
    await ocea.fill("siteCode", code="AA000")
    refused(await ocea.send("serial", serial=serial), "DEVICE_NOT_FOUND", "serial")
    assert (await ocea.act("resumeRegistration"))["step"] == "DWELLING"


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("AAOOO", "Vouliez-vous saisir AA000 ?"),
        ("aaOo0", "Vouliez-vous saisir AA000 ?"),
        ("50001369", "a la forme AA000."),
        ("542 361 524", "a la forme AA000."),
    ],
)
async def test_a_code_of_another_form_gets_a_hint(ocea: Applicant, code: str, hint: str) -> None:
    """Another number tried as site code is answered with its form, look-alikes with what was meant."""
    answer = await ocea.send("siteCode", code=code)
    refused(answer, "RESIDENCE_NOT_FOUND", "code")
    assert answer["fr"].endswith(hint)


@pytest.mark.parametrize("code", ["AA 000", " aa000 ", "A A\u202f0 0 0", "AA-000", "AA\uff10\uff10\uff10"])
async def test_blanks_in_a_code_are_no_part_of_it(ocea: Applicant, code: str) -> None:
    """Whatever a label, a mail program or a keyboard puts between the characters."""
    assert (await ocea.fill("siteCode", code=code))["step"] == "DWELLING"


async def test_one_step_back_costs_no_look_up(ocea: Applicant) -> None:
    """From the confirmation back to the serial, within the residence, as often as one likes."""
    await ocea.fill("siteCode", code="AA000")
    for _ in range(30):
        found = await ocea.fill("serial", serial="H8CA029620")
        assert found["step"] == "ATTESTATION"
        assert [form["name"] for form in (await ocea.act("goBackInRegistration"))["forms"]] == [
            "serial",
            "lotNumber",
        ]
    assert (await ocea.act("goBackInRegistration"))["step"] == "RESIDENCE"


async def test_an_unknown_kind_of_device_is_invalid(ocea: Applicant) -> None:
    """A name that the form does not offer is no hint; «Je ne sais pas» and none at all are."""
    await ocea.fill("siteCode", code="AA000")
    refused(await ocea.send("serial", serial="H8CA029620", device="FRIDGE"), "VALUE_INVALID", "device")
    assert (await ocea.send("serial", serial="H8CA029620", device="UNKNOWN"))["step"] == "ATTESTATION"


@pytest.mark.requirement("C-07", "R-043", "R-159")
async def test_another_kind_of_device_is_the_same_answer(ista: Applicant, caplog: Any) -> None:
    """A serial given with the wrong kind is not found, in the same words as an unknown one."""
    caplog.set_level("INFO", "core.services.registration.identification")
    wrong_kind = await ista.send("serial", serial=SERIAL, device="COLD_WATER")
    refused(wrong_kind, "DEVICE_NOT_FOUND", "serial")
    assert "another kind of device" in caplog.text
    assert "542" not in caplog.text
    assert wrong_kind == await ista.send("serial", serial="542 361 999")
    assert (await ista.fill("serial", serial=SERIAL, device="HEATING"))["step"] == "ATTESTATION"


@pytest.mark.requirement("C-05", "R-145", "R-146", "R-151")
async def test_istas_exception_and_its_fallback(ista: Applicant) -> None:
    """An Itron serial has not nine digits; after the building code it is accepted, also with a reference."""
    answer = await ista.send("serial", serial="48349952")
    refused(answer, "SERIAL_FORMAT_UNSUPPORTED", "serial", "SerialRefused")
    assert answer["fallback"] == "BUILDING_CODE"
    assert "neuf chiffres" in answer["fr"]
    assert "nine digits" in answer["en"]
    await ista.fill("buildingCode", code="5000 1369")
    assert (await ista.fill("serial", serial="48349952"))["step"] == "ATTESTATION"
    assert (await ista.act("goBackInRegistration"))["step"] == "DWELLING"
    refused(await ista.send("serial", serial="48349953"), "DEVICE_NOT_FOUND", "serial")
    found = await ista.fill("dwellingReference", reference="51510008", serial="48349952")
    assert found["step"] == "ATTESTATION"
    assert (await Registration.get()).proven


@pytest.mark.requirement("C-05")
async def test_an_itron_serial_works_with_other_operators(portal: Any, key_encryption: KeyEncryption) -> None:
    """Where the operator is not strict, a serial of any vendor identifies the dwelling."""
    itron = meter("48349952", "ITW-48349952-00-07", vendor="itron")
    kamstrup = meter("76348799", "KAM-76348799-1B-16", vendor="kamstrup")
    await describe(key_encryption, "ocea", DwellingSpec(number="7", meters=(itron, kamstrup)))
    for serial in ("48349952", "7634 8799"):
        applicant = Applicant(portal.client, "ocea")
        await applicant.start()
        await applicant.fill("occupancy", kind="TENANT")
        await applicant.fill("siteCode", code="AA000")
        assert (await applicant.fill("serial", serial=serial))["step"] == "ATTESTATION"


@pytest.mark.requirement("C-06")
async def test_serial_ambiguous(ista: Applicant, key_encryption: KeyEncryption) -> None:
    """A serial that two dwellings of the stock have asks for the building code, and is enough within it."""
    twin = meter("542361524", "IST-99999999-31-07")
    await describe(key_encryption, "ista", DwellingSpec(number="9", meters=(twin,)), code="60001369")
    answer = await ista.send("serial", serial=SERIAL)
    refused(answer, "SERIAL_AMBIGUOUS", "serial", "SerialRefused")
    assert answer["fallback"] == "BUILDING_CODE"
    await ista.fill("buildingCode", code="60001369")
    found = await ista.fill("serial", serial=SERIAL)
    assert found["confirmation"][0]["lines"][1]["value"] == "60001369"


@pytest.mark.parametrize("reference", ["5151 0099", "", "%", "x" * 300])
async def test_dwelling_ref_not_found(ista: Applicant, reference: str) -> None:
    """An unknown reference is not found, nor a right one with another dwelling's serial beside it."""
    await ista.fill("buildingCode", code="50001369")
    refused(await ista.send("dwellingReference", reference=reference), "DWELLING_REF_NOT_FOUND", "reference")
    answer = await ista.send("dwellingReference", reference="5151 0008", serial="542361599")
    refused(answer, "DWELLING_REF_NOT_FOUND", "serial")


@pytest.mark.requirement("R-055", "C-35")
async def test_references_are_compared_without_spaces(ista: Applicant, ocea: Applicant) -> None:
    """5151 0008, 51510008 and the code 01030001 name one dwelling; lots are normalised too."""
    for reference in ("51510008", "5151 0008", "0103 0001"):
        await ista.fill("buildingCode", code="50001369")
        found = await ista.fill("dwellingReference", reference=reference)
        assert found["confirmation"][1]["lines"][0]["value"] == "5151 0008"
        await ista.act("rejectRegistrationDwelling")
    await ocea.fill("siteCode", code="AA000")
    assert (await ocea.fill("lotNumber", lot=" 104 "))["step"] == "ATTESTATION"


@pytest.mark.requirement("R-186")
async def test_not_my_dwelling(ista: Applicant) -> None:
    """«Ce n'est pas mon logement» returns to the search; at another step there is nothing to reject."""
    refused(await ista.act("rejectRegistrationDwelling"), "FORM_NOT_OFFERED")
    await ista.fill("serial", serial="542361599")
    assert (await ista.act("rejectRegistrationDwelling"))["step"] == "RESIDENCE"
    assert (await Registration.get()).dwelling_id is None
