"""Registration over HTTP: the journey, its token, its end, and its rate limits."""

from datetime import timedelta
from typing import Any

import pytest
from graphql import is_required_input_field
from strawberry.utils.str_converters import to_camel_case

from core.bootstrap import Application
from core.models import Registration
from core.registration.draft import Draft
from core.registration.forms import FormName, forms_of
from core.services.operation.retention import purge
from drivers.ista.profile import PROFILE as ISTA
from drivers.ocea.profile import PROFILE as OCEA
from graphql_schema.schema import schema
from tests.support.sign_up import (
    NOW,
    PERSON,
    SERIAL,
    Applicant,
    refused,
    to_options,
    to_verification,
)


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
async def test_every_answer_has_the_journey(ista: Applicant) -> None:
    """The first answer has the token, the stages and the forms; later ones have no token."""
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
    """Another device with the token is at the same step; the token itself is stored nowhere."""
    await to_options(ista)
    assert (await ista.act("resumeRegistration"))["step"] == "OPTIONS"
    row = await Registration.get()
    assert ista.token not in {str(value) for value in vars(row).values()}
    other = Applicant(portal.client, "ista", token=ista.token + "x")
    refused(await other.act("resumeRegistration"), "REGISTRATION_EXPIRED")


@pytest.mark.requirement("C-12")
async def test_a_registration_expires(ista: Applicant, portal: Any, application: Application) -> None:
    """After its lifetime it is answered like an unknown one, and the next purge deletes it."""
    await to_options(ista)
    portal.clock.now = NOW + timedelta(hours=24)
    refused(await ista.send("options", leakByEmail=True), "REGISTRATION_EXPIRED")
    refused(await ista.act("resumeRegistration"), "REGISTRATION_EXPIRED")
    assert (await purge(application.settings, now=portal.clock.now))["registrations"] == 1
    assert await Registration.all().count() == 0


@pytest.mark.requirement("R-029", "C-37")
async def test_cancelling_deletes_the_registration(ista: Applicant) -> None:
    """«ANNULER MA DEMANDE» leaves no row, and may be repeated."""
    await to_verification(ista)
    for _ in range(2):
        cancelled = await ista.post(
            """mutation ($token: String!) { cancelRegistration(token: $token) {
                ... on RegistrationCancelled { cancelled }
                ... on Refusal { code field } } }""",
            token=ista.token,
        )
        assert cancelled == {"cancelRegistration": {"cancelled": True}}
    assert await Registration.all().count() == 0
    refused(await ista.act("resumeRegistration"), "REGISTRATION_EXPIRED")


async def test_an_unknown_operator_has_no_form(portal: Any) -> None:
    """An operator that no plugin brings is NOT_FOUND."""
    refusal = await portal.refused(
        'mutation { startRegistration(operator: "acme") { ... on Refusal { code field } } }'
    )
    assert refusal == {"code": "NOT_FOUND", "field": "operator"}


async def test_a_form_of_another_step_is_refused(ista: Applicant) -> None:
    """Personal data cannot be sent before the dwelling was confirmed."""
    refused(await ista.send("personalData", **PERSON), "FORM_NOT_OFFERED")


@pytest.mark.requirement("R-153")
async def test_one_step_back(ista: Applicant, portal: Any) -> None:
    """The page is titled «Créer votre compte»; the arrow leads from the options back to the profile, whose
    form is offered again, and from there to the attestation.
    """
    await to_options(ista)
    asked = "{ operators { code labels { key text(language: FR) } } }"
    labels = {one["code"]: one["labels"] for one in (await portal.ask(asked))["operators"]}["ista"]
    assert {one["key"]: one["text"] for one in labels}["page.title"] == "Créer votre compte"
    for before in ("profile", "attestation"):
        assert [form["name"] for form in (await ista.act("goBackInRegistration"))["forms"]] == [before]


async def test_rate_limited(ocea: Applicant, portal: Any) -> None:
    """Guessing site codes ends after twenty an hour, found or not, and goes on later."""
    for number in range(20):
        await ocea.send("siteCode", code=f"ZZ{number:03d}")
    for code in ("ZZ999", "AA000"):
        answer = await ocea.send("siteCode", code=code)
        refused(answer, "RATE_LIMITED", None, "RateLimited")
        assert answer["retryAfter"] == 75 * 60
    portal.clock.now = NOW + timedelta(hours=1, minutes=15)
    assert (await ocea.fill("siteCode", code="AA000"))["step"] == "DWELLING"


@pytest.mark.requirement("C-40")
async def test_guessing_references_is_rate_limited(ista: Applicant) -> None:
    """Six references an hour from one address, found or not."""
    await ista.fill("buildingCode", code="50001369")
    for number in range(6):
        await ista.send("dwellingReference", reference=f"5151 1{number:03d}")
    answer = await ista.send("dwellingReference", reference="5151 0008")
    refused(answer, "RATE_LIMITED", None, "RateLimited")


async def test_an_operation_takes_one_answer(ista: Applicant) -> None:
    """Aliases cannot try many serials in one request."""
    answer = '{serial: {serial: "1"}}'
    one = f'answerRegistration(token: "{ista.token}", answer: {answer}) {{ ... on Refusal {{ code }} }}'
    response = await ista.client.post("/graphql", json={"query": f"mutation {{ a: {one} b: {one} }}"})
    assert response.json()["data"]["b"] == {"code": "INVALID_INPUT"}
    assert response.json()["data"]["a"] != {"code": "INVALID_INPUT"}


async def test_an_answer_is_exactly_one_form(ista: Applicant) -> None:
    """RegistrationAnswer is one of its forms: none and two are refused before anything runs."""
    for answer in ({}, {"serial": {"serial": SERIAL}, "buildingCode": {"code": "50001369"}}):
        query = (
            "mutation ($token: String!, $answer: RegistrationAnswer!)"
            " { answerRegistration(token: $token, answer: $answer) { __typename } }"
        )
        body = {"query": query, "variables": {"token": ista.token, "answer": answer}}
        response = await ista.client.post("/graphql", json=body)
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
