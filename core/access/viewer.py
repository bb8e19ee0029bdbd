"""Who is asking: the one value that every service takes first.

A door turns a token into a Viewer and knows nothing further; a service asks the Viewer for permission.
Role, state of the session and scopes of the token are checked at this one point (C-38).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.access.grants import Grant
from core.access.permissions import PERMISSIONS_OF, Permission, Role
from core.access.sessions import SessionState, TokenScope, allowed_by, allowed_in
from core.errors import (
    Forbidden,
    MustAcceptTerms,
    MustChangePassword,
    MustEnrolSecondFactor,
    MustVerifySecondFactor,
    SubmeterError,
)

_UNREADY: dict[SessionState, Callable[[], SubmeterError]] = {
    SessionState.MUST_VERIFY_SECOND_FACTOR: MustVerifySecondFactor,
    SessionState.MUST_CHANGE_PASSWORD: MustChangePassword,
    SessionState.MUST_ENROL_SECOND_FACTOR: MustEnrolSecondFactor,
    SessionState.MUST_ACCEPT_TERMS: MustAcceptTerms,
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """An authenticated party.

    Attributes:
        role: what it stands for; decides its permissions.
        account_id: the resident's account; None for a gateway or the command line.
        gateway_id: the gateway whose API key was shown; None for everyone else.
        operator_id: the operator it belongs to; None for the command line, which serves all.
        asked_at: the moment of the request; what has expired by then is not shown. None: nothing expires.
        session_id: the sign-in; None where there was none.
        state: the step still required between the session and the data.
        grant: what a provider may read, whose token was shown; None for everyone else.
        scopes: what a personal access token is for; None where none was shown.
        kept: what was read for the viewer by an operation that only reads, so that each row is read once;
            None: everything is read again, as one that writes must.
    """

    role: Role
    account_id: int | None = None
    gateway_id: int | None = None
    operator_id: int | None = None
    asked_at: datetime | None = None
    session_id: int | None = None
    state: SessionState = SessionState.READY
    scopes: frozenset[TokenScope] | None = None
    grant: Grant | None = None
    kept: dict[str, Any] | None = field(default=None, compare=False, repr=False)

    def may(self, permission: Permission) -> bool:
        return (
            permission in PERMISSIONS_OF[self.role]
            and allowed_by(self.scopes, permission)
            and (self.grant is None or self.grant.allows(permission))
            and allowed_in(self.state, permission)
        )

    def require(self, permission: Permission) -> None:
        """Check a permission.

        Raises:
            Forbidden: the role lacks the permission, or the token's scopes do not cover it.
            MustVerifySecondFactor, MustChangePassword, MustEnrolSecondFactor, MustAcceptTerms: not yet.
        """
        if permission not in PERMISSIONS_OF[self.role]:
            raise Forbidden(f"The role {self.role.value} may not do this ({permission.value}).")
        if not allowed_by(self.scopes, permission):
            raise Forbidden(f"This token was not made for this ({permission.value}).")
        if self.grant is not None and not self.grant.allows(permission):
            raise Forbidden(f"The resident has not granted this ({permission.value}).")
        if not allowed_in(self.state, permission):
            raise _UNREADY[self.state]()  # noqa: RSE102 - the table holds classes


SYSTEM = Viewer(role=Role.SYSTEM)
"""The operator's own command line, which runs on the machine that holds the database."""
