"""Questions about the schema: answers as graphql-core's, and no more work than they have values."""

import random
from collections import Counter
from typing import Any

import pytest
from graphql import (
    GraphQLSchema,
    OperationDefinitionNode,
    execute_sync,
    get_introspection_query,
    parse,
    validate,
)

from graphql_schema.requests import introspection
from graphql_schema.requests.introspection import SchemaAnswer, answer_about_schema
from graphql_schema.schema import schema
from tests.support.hostile import INTROSPECTION, introspections

SCHEMA: GraphQLSchema = schema.core
FIELDS = {
    "__Schema": ("description", "types", "queryType", "mutationType", "subscriptionType", "directives"),
    "__Type": (
        *("kind", "name", "description", "specifiedByURL", "isOneOf"),
        *("fields", "fields(includeDeprecated: true)"),
        *("interfaces", "possibleTypes", "enumValues", "enumValues(includeDeprecated: $yes)"),
        *("inputFields", "ofType"),
    ),
    "__Field": (
        *("name", "description", "args", "args(includeDeprecated: $no)", "type", "isDeprecated"),
        "deprecationReason",
    ),
    "__InputValue": ("name", "description", "type", "defaultValue", "isDeprecated", "deprecationReason"),
    "__EnumValue": ("name", "description", "isDeprecated", "deprecationReason"),
    "__Directive": ("name", "description", "isRepeatable", "locations", "args"),
}  # fmt: skip
KINDS = {
    "types": "__Type", "queryType": "__Type", "mutationType": "__Type", "subscriptionType": "__Type",
    "directives": "__Directive", "fields": "__Field", "interfaces": "__Type", "possibleTypes": "__Type",
    "enumValues": "__EnumValue", "inputFields": "__InputValue", "ofType": "__Type", "args": "__InputValue",
    "type": "__Type",
}  # fmt: skip
VARIABLES = {"yes": True, "no": False, "name": "Mutation"}


def answered(query: str, most: int = 10**9) -> SchemaAnswer:
    document = parse(query)
    (operation,) = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    answer = answer_about_schema(SCHEMA, document, operation, VARIABLES, most=most)
    assert answer is not None
    return answer


def drawn(chance: random.Random, kind: str, depth: int) -> str:
    """A selection of a type, with aliases, fragments and directives here and there."""
    parts = []
    for number, field in enumerate(chance.sample(FIELDS[kind], k=min(4, len(FIELDS[kind])))):
        inner = KINDS.get(field.partition("(")[0])
        if inner is not None and depth == 0:
            continue
        condition = chance.choice(["", "", "", " @include(if: $yes)", " @skip(if: $yes)"])
        below = f" {{ {drawn(chance, inner, depth - 1)} }}" if inner else ""
        part = f"{chance.choice(['', f'a{number}: '])}{field}{condition}{below}"
        parts.append(chance.choice([part, f"... on {kind} {{ {part} }}"]))
    return " ".join([*parts, "__typename"])


@pytest.mark.parametrize("seed", range(40))
def test_answers_are_those_of_the_executor(seed: int) -> None:
    """Aliases, fragments, arguments, directives and variables mean what graphql-core takes them to mean."""
    chance = random.Random(seed)
    query = (
        "query ($yes: Boolean!, $no: Boolean, $name: String!) { __typename "
        f"s: __schema {{ {drawn(chance, '__Schema', 3)} }} "
        f"t: __type(name: $name) {{ {drawn(chance, '__Type', 2)} }} "
        '__type(name: "None") { fields(includeDeprecated: $yes) { args(includeDeprecated: $no) { name } } } }'
    )
    assert [one for one in validate(SCHEMA, parse(query)) if "conflict" not in str(one)] == []
    expected = execute_sync(SCHEMA, parse(query), variable_values=VARIABLES)
    assert expected.errors is None
    answer = answered(query)
    assert (answer.data, answer.is_whole) == (expected.data, True)


@pytest.mark.parametrize("deprecated", [True, False])
def test_what_tools_ask_is_answered_as_by_the_executor(*, deprecated: bool) -> None:
    """The query of GraphiQL and of code generators, letter for letter."""
    query = get_introspection_query(input_value_deprecation=deprecated, directive_is_repeatable=True)
    assert answered(query).data == execute_sync(SCHEMA, parse(query)).data


def test_values_are_counted_as_they_are_answered() -> None:
    """A field is one and an item of a list is one, also where an object is shown a second time."""

    def count(value: Any) -> int:
        if isinstance(value, dict):
            return len(value) + sum(map(count, value.values()))
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return len(value) + sum(map(count, value))
        return 0

    for query in (INTROSPECTION, introspections(2), "{ __schema { types { ofType { name } } } }"):
        answer = answered(query)
        assert answer.values == count(answer.data)


@pytest.mark.parametrize(
    "query",
    [
        introspections(30),
        "{ __schema { types { fields { type { ...F0 } } } } }"
        + " ".join(
            f"fragment F{n} on __Type {{ a: ofType {{ ...F{n + 1} }} b: ofType {{ ...F{n + 1} }} name }}"
            for n in range(30)
        )
        + "fragment F30 on __Type { name }",
        "{ "
        + " ".join(f'a{n}: __type(name: "Mutation") {{ fields {{ args {{ name }} }} }}' for n in range(90))
        + " }",
    ],
)
def test_the_walk_ends_at_the_limit(query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are read up to the limit and no further; each selection of the document is worked out once."""
    reads: Counter[str] = Counter()
    selected, collect = introspection._Walk.selected, introspection.collect_subfields

    def counted(self: Any, *args: Any) -> Any:
        found = selected(self, *args)
        read = found.read

        def noted(*args: Any, **kwargs: Any) -> Any:
            reads["values"] += 1
            return read(*args, **kwargs)

        found.read = noted
        return found

    def collected(*args: Any, **kwargs: Any) -> Any:
        reads["selections"] += 1
        return collect(*args, **kwargs)

    monkeypatch.setattr(introspection._Walk, "selected", counted)
    monkeypatch.setattr(introspection, "collect_subfields", collected)
    answer = answered(query, most=500)
    assert answer.error is not None
    assert answer.error.extensions == {"code": "OPERATION_TOO_LARGE", "limit": 500}
    assert reads["values"] <= 501
    assert reads["selections"] <= query.count("{")


async def test_the_schema_is_asked_alone_or_briefly(door: Any) -> None:
    """Beside another field a question about the schema is short: graphql-core answers it then."""
    data = await door.ask("{ operators { code } __schema { queryType { name } } }")
    assert data["__schema"] == {"queryType": {"name": "Query"}}
    beside = INTROSPECTION.replace("__schema", "operators { code } __schema", 1)
    assert await door.refusal(beside) == {"code": "OPERATION_TOO_LARGE", "limit": 500}


async def test_no_resolver_is_called_for_the_schema(door: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """graphql-core executes nothing when only the schema is asked for."""
    monkeypatch.setattr("graphql_schema.requests.operations.PiecewiseExecutor", None)
    assert (await door.ask(INTROSPECTION))["__schema"]["types"]
    assert await door.ask("{ __typename }") == {"__typename": "Query"}
    assert "errors" in (await door.post("{ operators { code } }")).json()
