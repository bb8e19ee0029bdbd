"""Viewers, roles and permissions."""

import pytest

from core.access import SYSTEM, Permission, Role, Viewer
from core.access.permissions import PERMISSIONS_OF
from core.errors import Forbidden


def test_permissions_are_named_alike_and_stand_in_order() -> None:
    """`resource:action`, sorted, each member named after its value."""
    values = [permission.value for permission in Permission]
    assert values == sorted(values)
    assert [permission.name for permission in Permission] == [
        value.replace(":", "_").upper() for value in values
    ]


def test_every_role_has_its_line_in_the_table() -> None:
    """A role without one could not ask for anything."""
    assert set(PERMISSIONS_OF) == set(Role)


def test_a_resident_reads_and_changes_nothing() -> None:
    """All of a resident's permissions end in `:read`, and the outbox is not among them."""
    mine = PERMISSIONS_OF[Role.RESIDENT]
    assert {permission.value.split(":")[1] for permission in mine} == {"read"}
    assert Permission.OUTBOX_READ not in mine


def test_a_gateway_hands_in_telegrams_and_sees_no_datum() -> None:
    """A key that lies in a cellar opens nothing."""
    assert PERMISSIONS_OF[Role.GATEWAY] == {Permission.TELEGRAMS_SUBMIT}


def test_the_command_line_may_do_everything() -> None:
    """It runs on the machine that holds the database."""
    assert all(SYSTEM.may(permission) for permission in Permission)
    assert SYSTEM.operator_id is None


@pytest.mark.parametrize("role", list(Role))
def test_what_is_not_allowed_is_refused_by_name(role) -> None:
    """`require` agrees with `may`, and says what was missing."""
    viewer = Viewer(role=role)
    for permission in Permission:
        if viewer.may(permission):
            viewer.require(permission)
        else:
            with pytest.raises(Forbidden, match=permission.value):
                viewer.require(permission)
