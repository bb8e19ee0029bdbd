"""Fields with a resolver and a description (strawberry's own decorator loses types when it has arguments),
and the guard of a field.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import strawberry
from graphql import GraphQLField
from strawberry.types.field import StrawberryField

from core.access import Viewer

Resolver: TypeAlias = Callable[..., Awaitable[Any] | Any]
Guard: TypeAlias = Callable[[Viewer], None]
"""Raises what is to be answered to a viewer who may not read a field."""


def resolved(description: str) -> Callable[[Resolver], StrawberryField]:
    """Make a method the resolver of a field (or mutation) with this description in the schema."""

    def field_of(resolver: Resolver) -> StrawberryField:
        return strawberry.field(resolver, description=description)

    return field_of


_GUARD = "guard"


def set_guard(field: GraphQLField, guard: Guard) -> None:
    """Note what the resolver of a field checks first, for whoever reads the value without it."""
    field.extensions = {**field.extensions, _GUARD: guard}


def guard_of(field: GraphQLField) -> Guard | None:
    """What must be asked before the value of a field is read; None if everybody may."""
    guard: Guard | None = field.extensions.get(_GUARD)
    return guard
