"""Fields with a resolver and a description (strawberry's own decorator loses types when it has arguments),
and the note that a field is guarded.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import strawberry
from graphql import GraphQLField
from strawberry.types.field import StrawberryField

Resolver: TypeAlias = Callable[..., Awaitable[Any] | Any]


def resolved(description: str) -> Callable[[Resolver], StrawberryField]:
    """Make a method the resolver of a field (or mutation) with this description in the schema."""

    def field_of(resolver: Resolver) -> StrawberryField:
        return strawberry.field(resolver, description=description)

    return field_of


_GUARDED = "guarded"


def set_guarded(field: GraphQLField) -> None:
    """Note that the resolver of a field checks a permission: none but it may read the value."""
    field.extensions = {**field.extensions, _GUARDED: True}


def is_guarded(field: GraphQLField) -> bool:
    """Whether the resolver of a field checks a permission."""
    return _GUARDED in field.extensions
