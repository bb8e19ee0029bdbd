"""The ids by which a manager names residences and dwellings in arguments."""

import strawberry

from core.errors import InvalidInput
from graphql_schema.base.relay import parse_global_id

_RESIDENCES = frozenset({"Residence", "ManagedResidence"})
_DWELLINGS = frozenset({"Dwelling", "ManagedDwelling"})


def residence_number(text: strawberry.ID, *, field: str = "residence") -> int:
    """The number of a residence.

    Raises:
        InvalidInput: the text is not the id of a residence.
    """
    return _number(text, _RESIDENCES, "Residence", field)


def dwelling_number(text: strawberry.ID, *, field: str = "dwelling") -> int:
    """The number of a dwelling.

    Raises:
        InvalidInput: the text is not the id of a dwelling.
    """
    return _number(text, _DWELLINGS, "Dwelling", field)


def _number(text: str, kinds: frozenset[str], expected: str, field: str) -> int:
    found, number = parse_global_id(text, field=field)
    if found not in kinds:
        raise InvalidInput(f"This is the id of a {found}; the id of a {expected} is expected.", field=field)
    return number
