"""Makes a type of the schema from a value of the core: fields of equal names are taken over as they are.

In: the type, the value, and the fields that differ. Out: the type's object. The one rule: what is
translated on the way (an id, an amount, a text) is named at the call, so a reader sees the differences
alone; that the others have the same types on both sides is held by `tests/graphql/base/test_views.py`.
"""

from dataclasses import fields
from typing import Any, TypeVar, cast

T = TypeVar("T")


def shown(kind: type[T], view: object, /, **differing: object) -> T:
    """The object of a type that shows a view.

    Raises:
        AttributeError: the view has no field of that name, and none was given.
        TypeError: a field was given that the type does not have.
    """
    taken = {
        field.name: getattr(view, field.name)
        for field in fields(cast("Any", kind))
        if field.init and field.name not in differing
    }
    return kind(**taken, **differing)
