"""Makes frozen values fast: the constructor of a frozen dataclass with slots, without its price.

In: such a class. Out: a function that takes its fields in order and answers with a value of that class. The
one rule: the value is the same in every respect; only the way to it is shorter. A frozen dataclass sets
each field through `object.__setattr__`, which is most of what decoding a telegram in a batch would cost. Here
a twin with the same slots and without the lock takes the fields, and then becomes the frozen class.
"""

from collections.abc import Callable, Collection
from dataclasses import fields
from typing import Any, TypeVar

Value = TypeVar("Value")


def maker(frozen: type[Value], *, later: Collection[str] = ()) -> Callable[..., Value]:
    """The fast constructor: every field is given, by place, those with `init=False` too.

    The fields in `later` are left out; the class must fill them itself when they are asked for.
    """
    names = [field.name for field in fields(frozen)]  # type: ignore[arg-type]  # only dataclasses are given
    given = [name for name in names if name not in later]
    lines = [f"def __init__(self, {', '.join(given)}):"]
    lines += [f"    self.{name} = {name}" for name in given]
    lines += ["    self.__class__ = frozen"]
    scope: dict[str, Any] = {"frozen": frozen}
    exec("\n".join(lines), scope)  # noqa: S102 - as dataclasses do: the text holds field names alone
    twin: Callable[..., Value] = type(
        frozen.__name__, (), {"__slots__": tuple(names), "__init__": scope["__init__"]}
    )
    return twin
