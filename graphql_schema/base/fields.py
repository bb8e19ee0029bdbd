"""Fields with a resolver and a description; strawberry's own decorator loses types when it has
arguments.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import strawberry
from strawberry.types.field import StrawberryField

Resolver: TypeAlias = Callable[..., Awaitable[Any] | Any]


def resolved(description: str) -> Callable[[Resolver], StrawberryField]:
    """Make a method the resolver of a field (or mutation) with this description in the schema."""

    def field_of(resolver: Resolver) -> StrawberryField:
        return strawberry.field(resolver, description=description)

    return field_of
