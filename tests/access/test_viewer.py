"""Viewers, roles and permissions."""

import pytest

from core.access import SYSTEM, Permission, Role, SessionState, TokenScope, Viewer
from core.access.permissions import NEEDING_SECOND_FACTOR, PERMISSIONS_OF
from core.access.sessions import state_of
from core.errors import (
    Forbidden,
    MustAcceptTerms,
    MustChangePassword,
    MustEnrolSecondFactor,
    MustVerifySecondFactor,
)


def test_permissions_follow_one_naming_rule_and_are_sorted() -> None:
    """`resource:action`, sorted, each member named after its value."""
    values = [permission.value for permission in Permission]
    assert values == sorted(values)
    assert [permission.name for permission in Permission] == [
        value.replace(":", "_").upper() for value in values
    ]


def test_every_role_is_in_the_table() -> None:
    """A role that is missing there would have no permission at all."""
    assert set(PERMISSIONS_OF) == set(Role)


def test_a_resident_changes_nothing_but_the_own_account_and_alerts() -> None:
    """Application data are read only, outbox and audit excluded; alerts can be acknowledged."""
    mine = PERMISSIONS_OF[Role.RESIDENT]
    own = {"account", "consent", "limits", "password", "second_factor", "sessions", "terms", "tokens"}
    own |= {"exports", "fine_data", "grants", "household"}
    verbs = {
        permission.value.split(":")[1] for permission in mine if permission.value.split(":")[0] not in own
    }
    assert verbs == {"read", "read_daily", "leave", "handle", "issue"}
    assert not {Permission.OUTBOX_READ, Permission.AUDIT_READ, Permission.CONSENT_RECORD} & mine


@pytest.mark.requirement("C-38", "R-061", "R-062")
@pytest.mark.parametrize(
    ("state", "refusal", "way_on"),
    [
        (SessionState.MUST_VERIFY_SECOND_FACTOR, MustVerifySecondFactor, Permission.SECOND_FACTOR_VERIFY),
        (SessionState.MUST_CHANGE_PASSWORD, MustChangePassword, Permission.PASSWORD_WRITE),
        (SessionState.MUST_ENROL_SECOND_FACTOR, MustEnrolSecondFactor, Permission.SECOND_FACTOR_WRITE),
        (SessionState.MUST_ACCEPT_TERMS, MustAcceptTerms, Permission.TERMS_ACCEPT),
    ],
)
def test_a_session_that_is_not_ready_sees_no_data(state, refusal, way_on) -> None:
    """Each permission except the next step and the own sessions is refused by the state's name."""
    viewer = Viewer(role=Role.RESIDENT, state=state)
    allowed = {permission for permission in Permission if viewer.may(permission)}
    assert way_on in allowed
    assert allowed <= {way_on, Permission.ACCOUNT_READ, Permission.SESSIONS_WRITE}
    for permission in PERMISSIONS_OF[Role.RESIDENT] - allowed:
        with pytest.raises(refusal):
            viewer.require(permission)
    assert refusal.code == state.value


def test_the_states_are_asked_for_in_their_order() -> None:
    """The first state that is unmet decides (C-38)."""
    every = ("factor_missing", "password_temporary", "factor_to_enrol", "terms_to_accept")
    for count, state in enumerate(reversed(SessionState)):
        unmet = dict.fromkeys(every, False) | dict.fromkeys(every[len(every) - count :], True)
        assert state_of(**unmet) is state


def test_a_scope_reads_and_changes_nothing() -> None:
    """With any scopes a token has no mutation and no account, and days only with read:daily."""
    for scope in TokenScope:
        viewer = Viewer(role=Role.RESIDENT, scopes=frozenset({scope}))
        allowed = {permission for permission in Permission if viewer.may(permission)}
        assert all(permission.value.split(":")[1].startswith("read") for permission in allowed)
        assert Permission.ACCOUNT_READ not in allowed
        assert (Permission.CONSUMPTION_READ_DAILY in allowed) == (scope is TokenScope.READ_DAILY)
        assert (Permission.ALERTS_READ in allowed) == (scope is TokenScope.ALERTS)
    both = Viewer(role=Role.RESIDENT, scopes=frozenset({TokenScope.READ_MONTHLY, TokenScope.ALERTS}))
    assert both.may(Permission.CONSUMPTION_READ)
    assert both.may(Permission.ALERTS_READ)
    assert not any(Viewer(role=Role.RESIDENT, scopes=frozenset()).may(one) for one in Permission)


def test_a_scope_gives_nothing_that_the_role_has_not() -> None:
    """With every scope a gateway's would read nothing, staff's places, meters and documents, a manager's
    alerts and months as well; none is issued to them.
    """
    places = {
        *(Permission.DOCUMENTS_READ, Permission.DWELLINGS_READ),
        *(Permission.METERS_READ, Permission.PLACES_READ),
    }
    expectations = (
        (Role.GATEWAY, set()),
        (Role.STAFF, places),
        (Role.MANAGER, {*places, Permission.ALERTS_READ, Permission.CONSUMPTION_READ}),
    )
    for role, expected in expectations:
        viewer = Viewer(role=role, scopes=frozenset(TokenScope))
        assert {permission for permission in Permission if viewer.may(permission)} == expected


def test_a_gateway_submits_telegrams_and_reads_no_data() -> None:
    """A key stored in a cellar must not give access to data."""
    assert PERMISSIONS_OF[Role.GATEWAY] == {Permission.TELEGRAMS_SUBMIT}


def test_guests_read_and_change_nothing() -> None:
    """The household keeps its own sign-in and reads; a provider has no account and reads consumption."""
    own = {"account", "password", "second_factor", "sessions", "terms"}
    household = PERMISSIONS_OF[Role.HOUSEHOLD_MEMBER]
    assert Permission.ACCOUNT_WRITE not in household
    others = {one for one in household if one.value.split(":")[0] not in own}
    assert {one.value.split(":")[1] for one in others} == {"read", "read_daily"}
    assert Permission.READINGS_READ not in others
    assert PERMISSIONS_OF[Role.THIRD_PARTY] == {
        *(Permission.CONSUMPTION_READ, Permission.CONSUMPTION_READ_DAILY),
        *(Permission.DWELLINGS_READ, Permission.READINGS_READ),
    }


def test_staff_list_their_operators_things_and_correct_readings() -> None:
    """Places, meters, dead letters, who has an account, which messages were sent; documents, and notes on
    paper; they publish residences. No resident's consumption, no text of a message, no change of an account;
    nobody else corrects any reading.
    """
    own = {"account", "password", "second_factor", "sessions", "terms"}
    others = {one for one in PERMISSIONS_OF[Role.STAFF] if one.value.split(":")[0] not in own}
    assert others == {
        Permission.ACCOUNTS_READ,
        Permission.DEAD_LETTERS_READ,
        Permission.DOCUMENTS_DEPOSIT,
        Permission.DOCUMENTS_READ,
        Permission.DWELLINGS_READ,
        Permission.METERS_LIST,
        Permission.METERS_READ,
        Permission.NOTES_PRINT,
        Permission.OUTBOX_LIST,
        Permission.PAPERS_ISSUE,
        Permission.PLACES_READ,
        Permission.READINGS_CORRECT,
        Permission.RESIDENCES_PUBLISH,
        Permission.RETENTION_READ,
    }
    correcting = {role for role, granted in PERMISSIONS_OF.items() if Permission.READINGS_CORRECT in granted}
    assert correcting == {Role.STAFF, Role.SYSTEM}


def test_whoever_sees_others_data_has_a_second_factor() -> None:
    """Managers and staff; a resident sees the own home."""
    assert frozenset({Role.MANAGER, Role.STAFF}) == NEEDING_SECOND_FACTOR


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
