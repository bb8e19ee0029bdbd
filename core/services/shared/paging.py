"""A page of a longer list: what a keyset query answers, whatever the door makes of it."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items in order; `total` is given where the whole is cheap to count."""

    items: list[T]
    has_next: bool
    total: int | None = None
