"""A list of objects as columns of their attributes: a long list costs no object an item.

In: a type of the schema, and a column for each of its attributes. Out: a sequence of its objects, each made
when it is asked for. The one rule: whoever needs the objects gets them; who reads attributes of all of them
takes the columns (`requests.plain_values`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ByColumns(Sequence[T], Generic[T]):
    """Objects of `origin` by the columns of their attributes, which are of equal length."""

    origin: type[T]
    columns: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __iter__(self) -> Iterator[T]:
        for values in zip(*self.columns.values(), strict=True):
            yield self.origin(**dict(zip(self.columns, values, strict=True)))

    @overload
    def __getitem__(self, place: int) -> T: ...

    @overload
    def __getitem__(self, place: slice) -> "ByColumns[T]": ...

    def __getitem__(self, place: int | slice) -> "T | ByColumns[T]":
        values = {name: column[place] for name, column in self.columns.items()}
        return ByColumns(self.origin, values) if isinstance(place, slice) else self.origin(**values)
