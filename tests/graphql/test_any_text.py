"""Any text may be sent wherever the schema takes one: it is answered or refused, never an INTERNAL error."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLScalarType,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
)

from core.services.auth.rate_limits import RateLimiter
from graphql_schema.schema import schema
from tests.support.sign_up import ANSWER, PERSON, SERIAL, Applicant

TEXTS = {
    "NUL": "92400\0",
    "longer than any column": "x" * 5_000,
    "longer once it is case-folded": "ß" * 60 + "@" + "ß" * 120 + ".example.org",
    "wildcards": "%_\\'\"",
}
PLAIN = {
    "String": "x",
    "ID": "x",
    "Int": 1,
    "Float": 1.0,
    "Boolean": True,
    "Date": "2026-11-01",
    "DateTime": "2026-11-01T00:00:00Z",
}
USUAL: dict[str, dict[str, Any]] = {
    "address": {"postcode": "92400", "street": "place Victor Hugo"},
    "serial": {"serial": SERIAL},
    "lotNumber": {"lot": "104"},
    "dwellingReference": {"reference": "5151 0008"},
    "personalData": PERSON,
}
ONE_OF = {"RegistrationAnswer"}
TYPES = schema._schema.type_map


def _plain(kind: GraphQLInputType) -> Any:
    """A valid value of the type, with its required fields only."""
    nullable = get_nullable_type(kind)
    if is_list_type(nullable):
        return [_plain(nullable.of_type)]
    if isinstance(nullable, GraphQLEnumType):
        return next(iter(nullable.values))
    if isinstance(nullable, GraphQLInputObjectType):
        fields = list(nullable.fields.items())
        needed = (
            fields[:1]
            if nullable.name in ONE_OF
            else [one for one in fields if is_required_input_field(one[1])]
        )
        return {name: _plain(one.type) for name, one in needed}
    return PLAIN[nullable.name]


def _with_text(kind: GraphQLInputType, text: str) -> Iterator[Any]:
    """Values that have the text at one place, for each place."""
    nullable = get_nullable_type(kind)
    if is_list_type(nullable):
        for value in _with_text(nullable.of_type, text):
            yield [value]
    elif isinstance(nullable, GraphQLInputObjectType):
        for name, one in nullable.fields.items():
            for value in _with_text(one.type, text):
                yield {**({} if nullable.name in ONE_OF else _plain(nullable)), name: value}
    elif isinstance(nullable, GraphQLScalarType) and nullable.name in {"String", "ID"}:
        yield text


def _requests(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """One for each place of the schema's roots that takes a text."""
    for operation, root in (("query", "Query"), ("mutation", "Mutation")):
        for name, field in TYPES[root].fields.items():
            needed = {one: arg for one, arg in field.args.items() if is_required_argument(arg)}
            for chosen, argument in field.args.items():
                for value in _with_text(argument.type, text):
                    given = {**needed, chosen: argument}
                    declared = ", ".join(f"${one}: {arg.type}" for one, arg in given.items())
                    passed = ", ".join(f"{one}: ${one}" for one in given)
                    selected = "{ __typename }" if is_composite_type(get_named_type(field.type)) else ""
                    yield (
                        f"{operation} ({declared}) {{ {name}({passed}) {selected} }}",
                        {**{one: _plain(arg.type) for one, arg in needed.items()}, chosen: value},
                    )


def _faults(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        one for one in answer.get("errors", []) if one["extensions"]["code"] in {"INTERNAL", "BAD_REQUEST"}
    ]


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without rate limits, or most texts would not be checked."""

    async def pass_on(*_: Any, **__: Any) -> None:
        pass

    monkeypatch.setattr(RateLimiter, "hit", pass_on)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_any_text_is_answered(claire: Any, text: str) -> None:
    """Every argument, and every field of every input, with and without sign-in."""
    asked = list(_requests(text))
    assert len(asked) > 50
    token = claire.token
    for query, variables in asked:
        for claire.token in (None, token):
            answer = (await claire.post(query, variables)).json()
            assert not _faults(answer), (query, answer)


async def _try(applicant: Applicant, text: str) -> int:
    """Send each form of the step with the text in each of its fields; answers how many were sent."""
    sent = 0
    for form in applicant.last["forms"]:
        usual = USUAL.get(form["name"], {})
        for field in form["fields"]:
            if field["kind"] in {"TEXT", "EMAIL", "PHONE", "PASSWORD", "CODE"}:
                answer = {form["name"]: {**usual, field["name"]: text}}
                body = {"query": ANSWER, "variables": {"token": applicant.token, "answer": answer}}
                reported = (await applicant.client.post("/graphql", json=body)).json()
                assert not _faults(reported), (answer, reported)
                sent += 1
    return sent


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_any_text_is_answered_at_every_step_of_a_registration(
    ista: Applicant, ocea: Applicant, text: str
) -> None:
    """Each field of each form that is offered, in both operators' journeys, and the address corrected."""
    sent = await _try(ista, text) + await _try(ocea, text)
    await ocea.fill("siteCode", code="AA000")
    sent += await _try(ocea, text)
    await ista.fill("buildingCode", code="50001369")
    sent += await _try(ista, text)
    await ista.fill("serial", serial=SERIAL)
    await ista.fill("attestation", attested=True)
    await ista.fill("profile", kind="TENANT", moveIn="2024-05-12")
    await ista.fill("options")
    sent += await _try(ista, text)
    await ista.send("personalData", **PERSON)
    await ista.act("resumeRegistration")
    sent += await _try(ista, text)
    await ista.act("correctRegistrationEmail", email=text)
    assert sent > 15
