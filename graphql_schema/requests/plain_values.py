"""Completes plain values: leaves, and objects whose selected fields are attributes or functions of them.

In: the type of a value and the fields that an operation selects of it. Out: a function from the value to its
part of the answer, made once for an operation, or None if it needs more: an argument, a permission, a
resolver that waits or asks for the context, an abstract type. The one rule: it answers what graphql-core
answers, or raises; the caller then completes that value by graphql-core, which finds the error, its path and
what becomes null. graphql-core spends some ten microseconds on a field, these functions less than one.
"""

from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, TypeAlias

from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
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

from graphql_schema.base.fields import is_guarded

Completed: TypeAlias = Callable[[Any], Any]

_DATE: Final = "Date"
_MOST_LEARNED: Final = 8_192
"""Days of twenty years."""


class NotPlainError(Exception):
    """A value that graphql-core must complete: null where it may not be, or of another kind."""


def plain_completer(
    executor: Executor[Any], item_type: GraphQLOutputType, field_details_list: Any
) -> Completed | None:
    """What completes a plain value of this type; None if graphql-core must."""
    is_required = isinstance(item_type, GraphQLNonNull)
    kind: Any = item_type.of_type if isinstance(item_type, GraphQLNonNull) else item_type
    if is_leaf_type(kind):
        return _leaf(kind, is_required=is_required)
    complete: Completed | None = None
    if isinstance(kind, GraphQLList) and is_leaf_type(get_named_type(kind)):
        item = plain_completer(executor, kind.of_type, field_details_list)
        complete = None if item is None else _list(item)
    elif isinstance(kind, GraphQLObjectType) and (kind.is_type_of is None or _origin_of(kind)):
        complete = _object(executor, kind, field_details_list)
    if complete is None or is_required:
        return complete
    return _optional(complete)


def plain_field(
    executor: Executor[Any], parent: GraphQLObjectType, field_details_list: Any
) -> Completed | None:
    """What completes a field of an object, from the object; None if graphql-core must.

    Lists are not completed so: they may be long (`requests.executor`).
    """
    field = parent.fields.get(field_details_list[0].node.name.value)
    read = None if field is None else _reader_of(field)
    if field is None or read is None or is_list_type(get_nullable_type(field.type)):
        return None
    complete = plain_completer(executor, field.type, field_details_list)
    return None if complete is None else lambda source: complete(read(source))


def _optional(complete: Completed) -> Completed:
    return lambda value: None if value is None else complete(value)


@lru_cache(maxsize=1_024)
def _leaf(kind: Any, *, is_required: bool) -> Completed:
    """Of a leaf type; the same function each time, so that what it has learned of few values lasts."""
    coerce = kind.coerce_output_value

    def checked(value: Any) -> Any:
        coerced = coerce(value)
        if coerced is None or coerced is Undefined or isinstance(value, Exception):
            raise NotPlainError
        return coerced

    complete = _learning(checked) if is_enum_type(kind) or kind.name == _DATE else checked
    return complete if is_required else _optional(complete)


def _learning(checked: Completed) -> Completed:
    """The same for types whose values are few: what was answered for a value is answered again."""
    known: dict[Any, Any] = {}

    def learned(value: Any) -> Any:
        answer = known.get(value, Undefined)
        if answer is Undefined:
            answer = checked(value)
            if len(known) < _MOST_LEARNED:
                known[value] = answer
        return answer

    return learned


def _list(item: Completed) -> Completed:
    def completed(values: Any) -> Any:
        if not isinstance(values, list | tuple):
            raise NotPlainError
        return [item(value) for value in values]

    return completed


def _object(executor: Executor[Any], kind: GraphQLObjectType, field_details_list: Any) -> Completed | None:
    selected = executor.collect_subfields(kind, field_details_list)
    parts: list[tuple[str, Completed, Completed]] = []
    for response_name, details in selected.grouped_field_set.items():
        name = details[0].node.name.value
        if name == "__typename":
            parts.append((response_name, type, lambda _: kind.name))
            continue
        field = kind.fields.get(name)
        read = None if field is None else _reader_of(field)
        if field is None or read is None:
            return None
        complete = plain_completer(executor, field.type, details)
        if complete is None:
            return None
        parts.append((response_name, read, complete))

    origin = None if kind.is_type_of is None else _origin_of(kind)

    def completed(value: Any) -> Any:
        if value is None or (origin is not None and type(value) is not origin):
            raise NotPlainError
        return {name: complete(read(value)) for name, read, complete in parts}

    return completed


def _origin_of(kind: GraphQLObjectType) -> type | None:
    """The class whose objects are of a type that has interfaces; None if the type decides by its own
    rule.
    """
    definition = kind.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    is_ordinary = isinstance(definition, StrawberryObjectDefinition) and definition.is_type_of is None
    return definition.origin if isinstance(definition, StrawberryObjectDefinition) and is_ordinary else None


def _reader_of(field: GraphQLField) -> Completed | None:
    """What reads the value of a field from its object: an attribute, or a function of nothing else."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    is_plain = isinstance(definition, StrawberryField) and not field.args and not is_guarded(field)
    if not is_plain or definition.extensions:
        return None
    if definition.is_basic_field:
        return attrgetter(definition.python_name)
    resolver = definition.base_resolver
    is_function = resolver is not None and not resolver.is_async and not definition.metadata
    if not is_function or list(resolver.signature.parameters) != ["self"]:
        return None
    if is_list_type(get_nullable_type(field.type)):
        return None  # it may be long
    function: Completed = resolver.wrapped_func
    return function
