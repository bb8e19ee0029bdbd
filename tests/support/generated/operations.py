"""Valid GraphQL operations by chance, of every field of the schema.

In: the schema, a seed, the ids of what exists, and the fields of Query that somebody may use. Out: queries
and mutations. The one rule: an operation is valid; fields that were asked rarely are asked next, so that a
thousand reach every field that can be reached. Each selection has the id of its object, for whoever looks at
the answers.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedOutputType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from graphql_schema.base.relay import global_id

_DEPTHS = (2, 3, 3, 4, 4, 5, 6)
_FIELDS_AT_MOST, _SELECTED_AT_MOST = 6, 90
_POSSIBLE_TYPES = 4
_OPTIONAL, _PAGE, _OF_ANOTHER_TYPE, _FORBIDDEN_ROOT, _IMPOSSIBLE, _KNOWN = 0.3, 0.85, 0.1, 0.06, 0.03, 0.5
"""How probable an argument is, the size of a page, and what is asked to be refused."""

_NESTED_INPUTS = 2
_NO_ROW = 10**12
_ENDING = {"signOut", "renewSession", "revokeSession"}
"""Mutations after which the asker's token is no longer known."""

_TEXTS = ("a", "AA000", "1", "", "%", '"', "é", "0", "x" * 300)
_DAYS_AGO = (0, 0, 1, 7, 30, 90, 365, 400, -1)


@dataclass(slots=True)
class Generator:
    """Makes operations.

    Attributes:
        schema: of which.
        seed: the same seed gives the same operations.
        today: days and months are around it.
        ids: the numbers of rows, by the name of their type.
        roots: the fields of Query that are mostly asked; others are asked now and then.
        texts: what is sent as a text beside useless ones.
        asked: how often each field was asked, as `Type.field`.
    """

    schema: GraphQLSchema
    seed: str
    today: date
    ids: Mapping[str, Sequence[int]]
    roots: Sequence[str]
    texts: Sequence[str] = ()
    asked: Counter[str] = field(default_factory=Counter)
    _chance: random.Random = field(init=False)
    _left: int = 0
    _aliases: int = 0

    def __post_init__(self) -> None:
        """Seed it."""
        self._chance = random.Random(self.seed)

    def queries(self, number: int) -> Iterator[str]:
        """So many queries."""
        return (self._query() for _ in range(number))

    def mutations(self, number: int) -> Iterator[str]:
        """So many mutations."""
        return (self._mutation() for _ in range(number))

    def _mutation(self) -> str:
        self._left, self._aliases = _SELECTED_AT_MOST, 0
        mutation = self.schema.mutation_type
        assert mutation is not None
        (name,) = self._rarest(mutation, sorted(mutation.fields.keys() - _ENDING), 1)
        return (
            f"mutation {{ {self._field(mutation, name, mutation.fields[name], _DEPTHS[0], aliased=False)} }}"
        )

    def _query(self) -> str:
        chance = self._chance
        self._left, self._aliases = _SELECTED_AT_MOST, 0
        query = self.schema.query_type
        assert query is not None
        roots = list(query.fields) if chance.random() < _FORBIDDEN_ROOT else list(self.roots)
        chosen = self._rarest(query, roots, chance.choice((1, 1, 1, 1, 2)))
        depth = chance.choice(_DEPTHS)
        parts = [self._field(query, name, query.fields[name], depth, aliased=True) for name in chosen]
        return "{ " + " ".join(filter(None, parts)) + " __typename }"

    def _rarest(
        self, kind: GraphQLObjectType | GraphQLInterfaceType, names: list[str], most: int
    ) -> list[str]:
        """Some names, those that were asked seldom rather than others."""
        weighed = sorted(
            names, key=lambda name: (self.asked[f"{kind.name}.{name}"] + 1) * self._chance.random()
        )
        return weighed[:most]

    def _field(
        self, kind: GraphQLObjectType, name: str, asked: GraphQLField, depth: int, *, aliased: bool
    ) -> str:
        """A field with arguments and selection; nothing where it would go too deep."""
        inner = get_named_type(asked.type)
        if is_composite_type(inner) and (depth <= 0 or self._left <= 0):
            return ""
        self.asked[f"{kind.name}.{name}"] += 1
        self._left -= 1
        self._aliases += aliased
        alias = f"{name}_{self._aliases}: " if aliased else ""
        sought = self._chance.choice(list(self.ids))
        of = self._noun_of(name, inner.name) if name != "node" else sought
        arguments = [
            f"{key}: {self._value(argument.type, key, of)}"
            for key, argument in asked.args.items()
            if is_required_argument(argument)
            or self._chance.random() < (_PAGE if key == "first" else _OPTIONAL)
        ]
        called = f"({', '.join(arguments)})" if arguments else ""
        if not is_composite_type(inner):
            return f"{alias}{name}{called}"
        return f"{alias}{name}{called} {{ {self._selection(inner, depth - 1, sought)} }}"

    def _noun_of(self, field_name: str, answered: str) -> str:
        """The type that `id` is of: `acknowledgeAlert` is about an Alert."""
        words = field_name.lower()
        named = [kind for kind in self.ids if kind.lower() in words and answered not in self.ids]
        return max(named, key=len, default=answered)

    def _selection(
        self, kind: GraphQLNamedOutputType, depth: int, sought: str, *, aliased: bool = False
    ) -> str:
        """What is selected of a type. Fields of an abstract type's members have aliases, so that none of
        them meets another of the same name and another type.
        """
        if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
            possible = list(self.schema.get_possible_types(kind))
            some = self._chance.sample(possible, min(_POSSIBLE_TYPES, len(possible)))
            some += [one for one in possible if one.name == sought and one not in some]
            parts = [
                f"... on {one.name} {{ {self._selection(one, depth, sought, aliased=True)} }}" for one in some
            ]
            return " ".join(["__typename", *parts])
        assert isinstance(kind, GraphQLObjectType)
        names = self._rarest(kind, list(kind.fields), self._chance.randint(1, _FIELDS_AT_MOST))
        parts = [
            self._field(kind, name, kind.fields[name], depth, aliased=aliased)
            for name in names
            if name not in {"id", "__typename"}
        ]
        return " ".join(["__typename", *(["id"] if "id" in kind.fields else []), *filter(None, parts)])

    def _value(self, kind: GraphQLInputType, name: str, of: str, depth: int = 0) -> str:
        """A value of a type, for an argument of this name of a field that answers `of`."""
        chance = self._chance
        if isinstance(kind, GraphQLNonNull):
            return self._value(kind.of_type, name, of, depth)
        if isinstance(kind, GraphQLList):
            some = [self._value(kind.of_type, name, of, depth) for _ in range(chance.randint(1, 2))]
            return f"[{', '.join(some)}]"
        if isinstance(kind, GraphQLEnumType):
            return chance.choice(list(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            fields = list(kind.fields.items())
            if _is_one_of(kind):
                key, one = chance.choice(fields)
                return f"{{{key}: {self._value(GraphQLNonNull(one.type), key, of, depth + 1)}}}"
            given = [
                f"{key}: {self._value(one.type, key, of, depth + 1)}"
                for key, one in fields
                if is_required_input_field(one) or (depth < _NESTED_INPUTS and chance.random() < _OPTIONAL)
            ]
            return "{" + ", ".join(given) + "}"
        return self._scalar(kind.name, name, of)

    def _scalar(self, kind: str, name: str, of: str) -> str:
        chance = self._chance
        day = self.today - timedelta(days=chance.choice(_DAYS_AGO))
        if kind == "ID":
            return json.dumps(self._id(name, of))
        texts = {
            "Date": day.isoformat(),
            "Month": f"{day:%Y-%m}",
            "DateTime": f"{day.isoformat()}T0{chance.randrange(10)}:00:00Z",
            "Decimal": chance.choice(("2.5", "0", "-1")),
        }
        if kind in texts:
            return json.dumps(texts[kind])
        if kind == "Boolean":
            return chance.choice(("true", "false"))
        if kind in {"Int", "Float", "BigInt"}:
            return str(
                chance.choice((0, -1, 2**31 - 1) if chance.random() < _IMPOSSIBLE else (1, 2, 3, 5, 13))
            )
        known = self.texts if chance.random() < _KNOWN else ()
        return json.dumps(chance.choice(known or _TEXTS), ensure_ascii=False)

    def _id(self, name: str, of: str) -> str:
        """Mostly of the type that is expected, and of a row that exists."""
        chance = self._chance
        expected = name[:1].upper() + name[1:]
        kind = expected if expected in self.ids else of
        if kind not in self.ids or chance.random() < _OF_ANOTHER_TYPE:
            kind = chance.choice(list(self.ids))
        return global_id(kind, chance.choice((*self.ids[kind], _NO_ROW)))


def _is_one_of(kind: GraphQLInputObjectType) -> bool:
    """Whether exactly one field is to be given, which strawberry knows and graphql-core does not."""
    return bool(kind.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].is_one_of)
