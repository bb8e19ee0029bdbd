"""A page of a longer list: the result of a keyset query, for any door."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items in order; `total` is given where the whole is cheap to count."""

    items: list[T]
    has_next: bool
    total: int | None = None
