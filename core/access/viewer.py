"""Who is asking: the one value that every service takes first.

A door turns a token into a Viewer and knows nothing further; a service asks the Viewer for leave.
"""

from dataclasses import dataclass
from datetime import datetime

from core.access.permissions import PERMISSIONS_OF, Permission, Role
from core.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Viewer:
    """An authenticated party.

    Attributes:
        role: what it stands for; decides its permissions.
        account_id: the resident's account; None for a gateway or the command line.
        gateway_id: the gateway whose API key was shown; None for everyone else.
        operator_id: the operator it belongs to; None for the command line, which serves all.
        asked_at: the moment of the request; what has lapsed by then is not seen. None: nothing lapses.
    """

    role: Role
    account_id: int | None = None
    gateway_id: int | None = None
    operator_id: int | None = None
    asked_at: datetime | None = None

    def may(self, permission: Permission) -> bool:
        return permission in PERMISSIONS_OF[self.role]

    def require(self, permission: Permission) -> None:
        """Raise Forbidden unless the role has the permission."""
        if not self.may(permission):
            raise Forbidden(f"A {self.role.value.lower()} may not do this ({permission.value}).")


SYSTEM = Viewer(role=Role.SYSTEM)
"""The operator's own command line, which runs on the machine that holds the database."""
