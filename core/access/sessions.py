"""How a session's state or a token's scopes restrict the permissions of its role.

In: the state of an account. Out: the state of a session, the permissions of a state or scope. The one rule:
a state or scope only ever removes permissions. `Viewer.require` checks here, so no service can omit it
(C-38).
"""

from collections.abc import Iterable
from enum import StrEnum

from core.access.permissions import Permission


class SessionState(StrEnum):
    """The steps required between a sign-in and the data, in their order (R-061, R-062)."""

    MUST_VERIFY_SECOND_FACTOR = "MUST_VERIFY_SECOND_FACTOR"
    MUST_CHANGE_PASSWORD = "MUST_CHANGE_PASSWORD"  # noqa: S105 - a state's name
    MUST_ENROL_SECOND_FACTOR = "MUST_ENROL_SECOND_FACTOR"
    MUST_ACCEPT_TERMS = "MUST_ACCEPT_TERMS"
    READY = "READY"


class TokenScope(StrEnum):
    """What a personal access token was made for."""

    READ_MONTHLY = "read:monthly"
    READ_DAILY = "read:daily"
    ALERTS = "alerts"
    DOCUMENTS = "documents"
    ANALYSES = "analyses"


_OWN = frozenset({Permission.ACCOUNT_READ, Permission.SESSIONS_WRITE})
_ALLOWED_IN = {
    SessionState.MUST_VERIFY_SECOND_FACTOR: frozenset({Permission.SECOND_FACTOR_VERIFY}),
    SessionState.MUST_CHANGE_PASSWORD: _OWN | {Permission.PASSWORD_WRITE},
    SessionState.MUST_ENROL_SECOND_FACTOR: _OWN | {Permission.SECOND_FACTOR_WRITE},
    SessionState.MUST_ACCEPT_TERMS: _OWN | {Permission.TERMS_ACCEPT},
}

_PLACES = frozenset({Permission.DWELLINGS_READ, Permission.PLACES_READ})
_MONTHLY = _PLACES | {Permission.CONSUMPTION_READ}
PERMISSIONS_OF_SCOPE: dict[TokenScope, frozenset[Permission]] = {
    TokenScope.READ_MONTHLY: _MONTHLY,
    TokenScope.READ_DAILY: _MONTHLY
    | {Permission.CONSUMPTION_READ_DAILY, Permission.METERS_READ, Permission.READINGS_READ},
    TokenScope.ALERTS: _PLACES | {Permission.ALERTS_READ},
    TokenScope.DOCUMENTS: _PLACES | {Permission.DOCUMENTS_READ},
    TokenScope.ANALYSES: frozenset({Permission.ANALYSES_READ}),
}
"""A scope reads; no token changes anything."""


def state_of(
    *, factor_missing: bool, password_temporary: bool, factor_to_enrol: bool, terms_to_accept: bool
) -> SessionState:
    """The first step still required between a session and the data."""
    if factor_missing:
        return SessionState.MUST_VERIFY_SECOND_FACTOR
    if password_temporary:
        return SessionState.MUST_CHANGE_PASSWORD
    if factor_to_enrol:
        return SessionState.MUST_ENROL_SECOND_FACTOR
    return SessionState.MUST_ACCEPT_TERMS if terms_to_accept else SessionState.READY


def allowed_in(state: SessionState, permission: Permission) -> bool:
    return state is SessionState.READY or permission in _ALLOWED_IN[state]


def allowed_by(scopes: Iterable[TokenScope] | None, permission: Permission) -> bool:
    """Whether one of the scopes covers it; None is a session, which has no scopes."""
    return scopes is None or any(permission in PERMISSIONS_OF_SCOPE[scope] for scope in scopes)
