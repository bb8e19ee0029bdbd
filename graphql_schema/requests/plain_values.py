"""Completes plain values: leaves, and objects whose selected fields are attributes or functions of them.

In: the type of values and the fields that an operation selects of them. Out: a function from the values to
their parts of the answer, made once for an operation, or None if they need more: an argument, a permission, a
resolver that waits or asks for the context, an abstract type. The one rule: it answers what graphql-core
answers, or raises; the caller then completes the values by graphql-core, which finds the error, its path and
what becomes null. The values of a list are completed field by field, not item by item: graphql-core spends
some ten microseconds on a field, these functions a fraction of one.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, TypeAlias, cast

from graphql import (
    GraphQLBoolean,
    GraphQLField,
    GraphQLID,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLString,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_leaf_type,
    is_list_type,
)
from graphql.execution.executor import Executor
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from core.consumption import Month
from graphql_schema.base.columns import ByColumns
from graphql_schema.base.context import Context
from graphql_schema.base.fields import guard_of
from graphql_schema.base.texts import Words, words_of

PlainField: TypeAlias = Callable[[Any, Context], Any]
Column: TypeAlias = Callable[[Sequence[Any], Context], list[Any]]
"""From values of one type, or objects that have them, to their parts of the answer, in order."""

_DATE: Final = "Date"
_MOST_LEARNED: Final = 8_192
"""Days of twenty years."""

_AS_THEY_ARE: Final = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}
"""Scalars of which a value of this very type is its own answer."""

_BY_ITS_TEXT: Final = str
"""How decimals and months are answered."""


class NotPlainError(Exception):
    """A value that graphql-core must complete: null where it may not be, or of another kind."""


def plain_column(
    executor: Executor[Any], item_type: GraphQLOutputType, field_details_list: Any
) -> Column | None:
    """What completes plain values of this type; None if graphql-core must."""
    is_required = isinstance(item_type, GraphQLNonNull)
    kind: Any = item_type.of_type if isinstance(item_type, GraphQLNonNull) else item_type
    if is_leaf_type(kind):
        return _leaf(kind, is_required=is_required)
    column: Column | None = None
    if isinstance(kind, GraphQLList) and is_leaf_type(get_named_type(kind)):
        items = plain_column(executor, kind.of_type, field_details_list)
        column = None if items is None else _lists(items)
    elif isinstance(kind, GraphQLObjectType) and (kind.is_type_of is None or _origin_of(kind)):
        column = _objects(executor, kind, field_details_list)
    if column is None or is_required:
        return column
    return _optional(column)


def plain_field(
    executor: Executor[Any], parent: GraphQLObjectType, field_details_list: Any
) -> PlainField | None:
    """What completes a field of an object, from the object; None if graphql-core must.

    Lists are not completed so: they may be long (`requests.executor`).
    """
    field = parent.fields.get(field_details_list[0].node.name.value)
    if field is None or is_list_type(get_nullable_type(field.type)):
        return None
    column = _field(executor, field, field_details_list)
    return None if column is None else lambda source, context: column([source], context)[0]


def _field(executor: Executor[Any], field: GraphQLField, field_details_list: Any) -> Column | None:
    """What completes a field of objects, from the objects; None if graphql-core must."""
    read = _reader_of(field, field_details_list)
    column = None if read is None else plain_column(executor, field.type, field_details_list)
    if read is None or column is None:
        return None
    guard = guard_of(field)

    def completed(sources: Sequence[Any], context: Context) -> list[Any]:
        if guard is not None:
            viewer = context.known_viewer
            if viewer is None:
                raise NotPlainError
            guard(viewer)
        return column(read(sources, context), context)

    return completed


def _optional(column: Column) -> Column:
    def completed(values: Sequence[Any], context: Context) -> list[Any]:
        if type(values) is ByColumns:
            return column(values, context)
        present = [value for value in values if value is not None]
        if len(present) == len(values):
            return column(present, context)
        found = iter(column(present, context))
        return [None if value is None else next(found) for value in values]

    return completed


@lru_cache(maxsize=1_024)
def _leaf(kind: Any, *, is_required: bool) -> Column:
    """Of a leaf type; the same function each time, so that what it has learned of few values lasts."""
    coerce = kind.coerce_output_value

    def checked(value: Any) -> Any:
        coerced = coerce(value)
        if coerced is None or coerced is Undefined or isinstance(value, Exception):
            raise NotPlainError
        return coerced

    if is_enum_type(kind) or kind.name == _DATE:
        return _learning(checked, is_required=is_required)
    passed = _AS_THEY_ARE.get(kind)

    def completed(values: Sequence[Any], _context: Context) -> list[Any]:
        types = set(map(type, values))
        if len(types) == 1:
            (only,) = types
            if only is passed:
                return list(values)
            if coerce is _BY_ITS_TEXT and only in {Decimal, Month}:
                return list(map(str, values))
        return list(map(checked, values))

    return completed if is_required else _optional(completed)


def _learning(checked: Callable[[Any], Any], *, is_required: bool) -> Column:
    """For types whose values are few: what was answered for a value is answered again."""
    known: dict[Any, Any] = {} if is_required else {None: None}

    def learned(value: Any) -> Any:
        answer = known.get(value, Undefined)
        if answer is Undefined:
            answer = checked(value)
            if len(known) < _MOST_LEARNED:
                known[value] = answer
        return answer

    def completed(values: Sequence[Any], _context: Context) -> list[Any]:
        try:
            return list(map(known.__getitem__, values))
        except KeyError:
            return list(map(learned, values))

    return completed


def _lists(items: Column) -> Column:
    def completed(values: Sequence[Any], context: Context) -> list[Any]:
        if not all(isinstance(value, list | tuple) for value in values):
            raise NotPlainError
        return [items(value, context) for value in values]

    return completed


def _objects(executor: Executor[Any], kind: GraphQLObjectType, field_details_list: Any) -> Column | None:
    selected = executor.collect_subfields(kind, field_details_list)
    names = list(selected.grouped_field_set)
    parts: list[Column] = []
    for details in selected.grouped_field_set.values():
        name = details[0].node.name.value
        if name == "__typename":
            parts.append(lambda values, _context: [kind.name] * len(values))
            continue
        field = kind.fields.get(name)
        column = None if field is None else _field(executor, field, details)
        if column is None:
            return None
        parts.append(column)
    if not parts:  # all are skipped
        return None
    origin = None if kind.is_type_of is None else _origin_of(kind)

    def completed(values: Sequence[Any], context: Context) -> list[Any]:
        types = {values.origin} if type(values) is ByColumns else set(map(type, values))
        if type(None) in types or (origin is not None and types != {origin}):
            raise NotPlainError
        return _rows(names, [column(values, context) for column in parts])

    return completed


def _rows(names: Sequence[str], columns: Sequence[list[Any]]) -> list[dict[str, Any]]:
    """Objects by the columns of their fields; written out for few fields, which is four times as fast."""
    if len(names) == 1:
        (name,), (column,) = names, columns
        return [{name: value} for value in column]
    if len(names) == 2:
        first, second = names
        return [{first: one, second: two} for one, two in zip(*columns, strict=True)]
    if len(names) == 3:
        first, second, third = names
        return [{first: one, second: two, third: three} for one, two, three in zip(*columns, strict=True)]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _origin_of(kind: GraphQLObjectType) -> type | None:
    """The class whose objects are of a type that has interfaces; None if the type decides by its own
    rule.
    """
    definition = kind.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    is_ordinary = isinstance(definition, StrawberryObjectDefinition) and definition.is_type_of is None
    return definition.origin if isinstance(definition, StrawberryObjectDefinition) and is_ordinary else None


def _reader_of(field: GraphQLField, field_details_list: Any) -> Column | None:
    """What reads the values of a field from its objects: an attribute, a function of nothing else, or a text
    in the reader's language.
    """
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(definition, StrawberryField) or definition.extensions or definition.metadata:
        return None
    if any(details.node.arguments for details in field_details_list):
        return None
    resolver = definition.base_resolver
    words = None if resolver is None else words_of(resolver.wrapped_func)
    if words is not None:
        return _worded(words)
    if field.args:
        return None
    if definition.is_basic_field:
        return _attribute(definition.python_name)
    if resolver is None or resolver.is_async or list(resolver.signature.parameters) != ["self"]:
        return None
    # What a function makes may be long.
    is_long = is_list_type(get_nullable_type(field.type))
    return None if is_long else _each(cast("Callable[[Any], Any]", resolver.wrapped_func))


def _attribute(name: str) -> Column:
    each = _each(attrgetter(name))
    return lambda sources, context: (
        list(sources.columns[name]) if type(sources) is ByColumns else each(sources, context)
    )


def _each(read: Callable[[Any], Any]) -> Column:
    return lambda sources, _context: list(map(read, sources))


def _worded(words: Words) -> Column:
    def read(sources: Sequence[Any], context: Context) -> list[Any]:
        if not sources:
            return []  # in no language, and the answer names none
        language = context.readers_language
        if language is None:
            raise NotPlainError
        return [words(source, language) for source in sources]

    return read
