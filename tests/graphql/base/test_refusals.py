"""Refusals: one family of types, in the reader's language; every mutation answers a union of them."""

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from graphql import GraphQLUnionType, get_named_type, is_non_null_type

import core.access.refusals
import core.errors
from core.errors import AccountLocked, Busy, FixedSentence, Forbidden, RateLimited, SubmeterError
from core.models import Account
from core.operators import WORDS
from core.registration.refusals import RefusalCode as RegistrationCode
from graphql_schema.base import refusals
from graphql_schema.base.refusal_codes import RefusalCode
from graphql_schema.schema import schema

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ERRORS_OF_THE_ANSWER = {
    *("UNAUTHENTICATED", "FORBIDDEN", "MUST_VERIFY_SECOND_FACTOR", "MUST_CHANGE_PASSWORD"),
    *("MUST_ENROL_SECOND_FACTOR", "MUST_ACCEPT_TERMS"),
    *("CONSENT_REQUIRED", "SECRET_UNUSABLE", "LINK_INVALID", "LINK_EXPIRED"),
}
"""What depends on who asks; what queries, downloads and the operator alone meet."""

BASES = {"ERROR", "REFUSED"}


def codes_of_errors() -> Iterator[str]:
    for module in (core.errors, core.access.refusals):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, SubmeterError) and kind.code not in BASES:
                yield kind.code


def test_an_error_is_a_refusal_or_an_error_of_the_answer() -> None:
    """Every code is decided to be one of them, and none to be both."""
    refused = set(RefusalCode.__members__)
    assert set(codes_of_errors()) | set(RegistrationCode) == (refused | ERRORS_OF_THE_ANSWER)
    assert refused & ERRORS_OF_THE_ANSWER == set()


def test_a_refusal_says_why_in_both_languages() -> None:
    """Each code has a text, and the English one is not the French one."""
    for code in RefusalCode.__members__:
        words = WORDS[f"error.{code}"]
        assert words.fr
        assert words.en
        assert words.fr != words.en, code


def test_every_mutation_answers_a_union_of_its_result_and_refusals() -> None:
    """One result, then refusals that implement `Refusal`; the field may be null, and leaves others alone."""
    mutation = schema.core.mutation_type
    assert mutation is not None
    for name, field in mutation.fields.items():
        assert not is_non_null_type(field.type), name
        union = get_named_type(field.type)
        assert isinstance(union, GraphQLUnionType), name
        refused = [
            kind for kind in union.types if "Refusal" in {interface.name for interface in kind.interfaces}
        ]
        assert len(union.types) == len(refused) + 1, name
        assert "RequestRefused" in {kind.name for kind in refused}, name
        assert union.name.endswith("Result"), name


@pytest.mark.parametrize(
    ("error", "kind", "retry_after"),
    [
        (RateLimited(retry_after=timedelta(seconds=90)), "RateLimited", 90),
        (AccountLocked(until=NOW + timedelta(minutes=15)), "AccountLocked", 900),
        (Busy(retry_after=timedelta(seconds=2)), "RateLimited", 2),
        (core.errors.InvalidInput("Too long.", field="newPassword"), "RequestRefused", None),
    ],
)
def test_an_error_becomes_its_type(error: SubmeterError, kind: str, retry_after: int | None) -> None:
    """With the time to wait, if waiting helps."""
    kinds = (refusals.RequestRefused, refusals.RateLimited, refusals.AccountLocked)
    refusal = refusals.refusal_of(error, kinds, now=NOW)
    assert refusal is not None
    assert (type(refusal).__name__, refusal.code.name, refusal.retry_after) == (kind, error.code, retry_after)
    assert (refusal.detail, refusal.field) == (error.message, error.field)


def test_a_type_that_the_union_lacks_is_a_plain_refusal() -> None:
    """Code and waiting time are those of all refusals, so nothing of them is lost."""
    refusal = refusals.refusal_of(Busy(retry_after=timedelta(seconds=2)), {refusals.RequestRefused}, now=NOW)
    assert isinstance(refusal, refusals.RequestRefused)
    assert (refusal.code, refusal.retry_after) == (RefusalCode.BUSY, 2)


def test_who_asks_is_no_refusal() -> None:
    """FORBIDDEN, and an error that nobody has thought of, remain errors."""

    class Unheard(FixedSentence):
        code = "UNHEARD"
        sentence = "Nobody knows."

    for error in (Forbidden("Not yours."), Unheard()):
        assert refusals.refusal_of(error, {refusals.RequestRefused}, now=NOW) is None


WRONG = """mutation { updateContact(input: {firstName: " "}) {
  ... on Refusal { code message detail field retryAfter } } }"""


async def test_bad_input_is_data_in_the_accounts_language(claire: Any) -> None:
    """Whatever the browser prefers; an argument overrides both."""
    french = "Cette saisie n'est pas valable."
    answer = await claire.post(WRONG, **{"Accept-Language": "en"})
    assert answer.json()["data"]["updateContact"] == {
        "code": "INVALID_INPUT",
        "message": french,
        "detail": "must have 1 to 80 characters",
        "field": "firstName",
        "retryAfter": None,
    }
    await Account.all().update(language="en")
    answer = await claire.post(WRONG, **{"Accept-Language": "fr"})
    assert answer.json()["data"]["updateContact"]["message"] == "What was entered is not valid."
    asked = await claire.ask(WRONG.replace("message", "message(language: FR)"))
    assert asked["updateContact"]["message"] == french


@pytest.mark.parametrize(
    ("accepted", "message"),
    [
        ("en-GB,en;q=0.9,fr;q=0.8", "E-mail and password do not belong together."),
        ("de, en;q=0.1", "E-mail and password do not belong together."),
        ("fr-CA", "L'adresse e-mail et le mot de passe ne correspondent pas."),
        ("de", "L'adresse e-mail et le mot de passe ne correspondent pas."),
    ],
)
async def test_who_is_not_signed_in_is_answered_as_the_browser_prefers(
    portal: Any, accepted: str, message: str
) -> None:
    """By `Accept-Language`; the portal's first language where none of the reader's is known."""
    sign_in = (
        'mutation { signIn(input: {email: "a@b.example", password: "x"}) { ... on Refusal { message } } }'
    )
    answer = await portal.post(sign_in, **{"Accept-Language": accepted})
    assert answer.json()["data"]["signIn"] == {"message": message}
    portal.token = "sms_expired"
    answer = await portal.post(sign_in, **{"Accept-Language": accepted})
    assert answer.json()["data"]["signIn"] == {"message": message}


async def test_an_error_of_one_mutation_leaves_the_answers_of_the_others(portal: Any, home: Any) -> None:
    """The token of a sign-in is answered beside a mutation that the session may not run."""
    both = """mutation {
      signIn(input: {email: "claire.martin@example.org", password: "Correct-Horse-42"}) {
        ... on SignedIn { token } }
      submitTelegrams(lines: []) { __typename } }"""
    answer = (await portal.post(both)).json()
    assert answer["data"]["signIn"]["token"].startswith("sms_")
    assert answer["data"]["submitTelegrams"] is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
