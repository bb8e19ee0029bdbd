"""Whatever is of a series, or of the log, is reached by a field that says whom it is for, and by no other."""

from collections.abc import Iterator

import pytest
from graphql import GraphQLObjectType, get_named_type, is_object_type

from core.access import Permission
from core.access.narrowing import Audience
from graphql_schema.base.narrowing import narrowed_fields
from graphql_schema.contract.access import BY_ARGUMENT, PERMISSIONS
from graphql_schema.dwellings.dwellings import Dwelling, Meter
from graphql_schema.schema import schema

READ, DAYS = Permission.CONSUMPTION_READ, Permission.CONSUMPTION_READ_DAILY

DOORS = {
    "Dwelling.consumption": (Dwelling, Audience.GRANTED, (READ,), {DAYS, Permission.READINGS_READ}),
    "Meter.consumption": (
        Meter,
        Audience.OCCUPANT,
        (READ, Permission.METERS_READ),
        {DAYS, Permission.READINGS_READ},
    ),
    "Dwelling.corrections": (Dwelling, Audience.CONSENTED, (DAYS,), {Permission.MANAGED_DAYS_READ}),
}
"""By field: its type, whom it is for, what it needs always, and what for some arguments or roles."""

SHARED = {"Amount", "PageInfo"}
"""Types of which each figure is that of the field that leads to it."""


def _objects() -> Iterator[GraphQLObjectType]:
    return (kind for kind in schema.core.type_map.values() if is_object_type(kind) and kind.name[:2] != "__")


def _reached(kind: GraphQLObjectType, found: set[str]) -> set[str]:
    if kind.name not in found | SHARED:
        found.add(kind.name)
        for field in kind.fields.values():
            inner = get_named_type(field.type)
            if is_object_type(inner):
                _reached(inner, found)
    return found


def _family() -> set[str]:
    """Every type that one of the doors leads to."""
    found: set[str] = set()
    for door in DOORS:
        noun, _, name = door.partition(".")
        kind = schema.core.type_map[noun]
        assert is_object_type(kind)
        inner = get_named_type(kind.fields[name].type)
        assert is_object_type(inner)
        _reached(inner, found)
    return found


def test_no_other_field_leads_to_them() -> None:
    """A new field that returns a series, or something of one, has to be given to somebody here."""
    family = _family()
    assert {"ConsumptionSeries", "ConsumptionComparison", "BuildingAverage", "ConsumptionCost"} <= family
    leading = {
        f"{kind.name}.{name}"
        for kind in _objects()
        if kind.name not in family
        for name, field in kind.fields.items()
        if get_named_type(field.type).name in family
    }
    assert leading == set(DOORS)


@pytest.mark.parametrize("door", DOORS)
def test_each_says_whom_it_is_for_and_what_it_needs(door: str) -> None:
    """As it is enforced: the audience by its declaration, the permissions by the table of the schema."""
    noun, audience, always, further = DOORS[door]
    name = door.partition(".")[2]
    assert {one.name: one.audience for one in narrowed_fields(noun)}[name] is audience
    assert PERMISSIONS[door] == always
    assert set(BY_ARGUMENT[door]) == further
