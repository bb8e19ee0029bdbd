"""Makes frozen values fast: the constructor of a frozen dataclass with slots, without its price.

In: such a class. Out: the class with a faster constructor, or a function that makes its values. The one rule:
the value is the same in every respect; only the way to it is shorter. A frozen dataclass sets each field
through `object.__setattr__`, which is most of what decoding a telegram in a batch would cost. Here a twin
with the same slots and without the lock takes the fields, and then becomes the frozen class.
"""

from collections.abc import Callable, Collection
from dataclasses import MISSING, fields
from typing import Any, TypeVar

Value = TypeVar("Value")


def maker(frozen: type[Value], *, later: Collection[str] = ()) -> Callable[..., Value]:
    """The fast constructor: every field is given, by place, those with `init=False` too.

    The fields in `later` are left out; the class must fill them itself when they are asked for.
    """
    given = [name for name in _names(frozen) if name not in later]
    lines = [f"def __init__(self, {', '.join(given)}):"]
    lines += [f"    self.{name} = {name}" for name in given]
    lines += ["    self.__class__ = frozen"]
    return _twin(frozen, "\n".join(lines), {"frozen": frozen})


def quick(frozen: type[Value]) -> type[Value]:
    """Decorates a frozen dataclass with slots that is not subclassed: its constructor becomes a fast one.

    The arguments stay as they are.
    """
    declared = fields(frozen)  # type: ignore[arg-type]  # only dataclasses are given
    scope: dict[str, Any] = {"frozen": frozen, "become": object.__setattr__, "missing": MISSING}
    scope["twin"] = _twin(frozen, "def __init__(self): pass", {})
    arguments, lines = [], ['    become(self, "__class__", twin)']
    for field in declared:
        name, value = field.name, field.name
        if field.default_factory is not MISSING:
            scope[f"{name}_made"] = field.default_factory
            value = f"{name}_made() if {name} is missing else {name}"
            argument = f"{name}=missing"
        elif field.default is not MISSING:
            scope[f"{name}_else"] = field.default
            argument = f"{name}={name}_else"
        else:
            argument = name
        if field.init:
            arguments.append(argument)
        else:
            value = f"{name}_else"
        lines.append(f"    self.{name} = {value}")
    lines.append("    self.__class__ = frozen")
    exec("\n".join([f"def __init__(self, {', '.join(arguments)}):", *lines]), scope)  # noqa: S102 - as dataclasses do
    made: Callable[..., None] = scope["__init__"]
    made.__annotations__ = frozen.__init__.__annotations__
    made.__qualname__ = frozen.__init__.__qualname__
    frozen.__init__ = made  # type: ignore[method-assign]  # that is what this is for
    return frozen


def _names(frozen: type[Value]) -> list[str]:
    return [field.name for field in fields(frozen)]  # type: ignore[arg-type]  # only dataclasses are given


def _twin(frozen: type[Value], constructor: str, scope: dict[str, Any]) -> Callable[..., Value]:
    """A class with the slots of the frozen one, and a constructor whose text holds field names alone."""
    exec(constructor, scope)  # noqa: S102 - as dataclasses do
    members = {"__slots__": tuple(_names(frozen)), "__init__": scope["__init__"]}
    twin: Callable[..., Value] = type(frozen.__name__, (), members)
    return twin
