"""Global ids and the Node interface (the GraphQL Global Object Identification specification).

In: a type's name and a row's number. Out: an opaque text, and back. The one rule: a text that is not a
global id is INVALID_INPUT; whether the object exists, and whose it is, is decided by the service.
"""

import base64
import re
from binascii import Error as Base64Error

import strawberry

from core.errors import InvalidInput

_CONTENT = re.compile(r"([A-Za-z]{1,40}):([1-9][0-9]{0,18})", re.ASCII)
_LARGEST_NUMBER = 2**63 - 1
_LONGEST_ID = 120


@strawberry.interface(description="An object with a global id.")
class Node:
    id: strawberry.ID = strawberry.field(description="The global id: opaque, and unique across all types.")


def global_id(type_name: str, number: int) -> strawberry.ID:
    return strawberry.ID(base64.b64encode(f"{type_name}:{number}".encode()).decode())


def parse_global_id(text: str, *, field: str = "id") -> tuple[str, int]:
    """Type name and number of a global id.

    Raises:
        InvalidInput: the text is not a global id.
    """
    try:
        content = base64.b64decode(text, validate=True).decode("ascii") if len(text) <= _LONGEST_ID else ""
    except (Base64Error, ValueError):
        content = ""
    found = _CONTENT.fullmatch(content)
    if found is None or int(found[2]) > _LARGEST_NUMBER:
        raise InvalidInput("This is not an id of this schema.", field=field)
    return found[1], int(found[2])


def number_of(text: str, type_name: str, *, field: str = "id") -> int:
    """The number in a global id that must be of this type.

    Raises:
        InvalidInput: the text is not a global id, or one of another type.
    """
    found, number = parse_global_id(text, field=field)
    if found != type_name:
        raise InvalidInput(f"This is the id of a {found}; the id of a {type_name} is expected.", field=field)
    return number
