"""Who may do what: the Viewer, permission names, roles; and the acts that the audit keeps."""

from core.access.acts import NOBODY, Act, Visitor
from core.access.grants import Grant
from core.access.permissions import Permission, Role
from core.access.sessions import SessionState, TokenScope
from core.access.viewer import SYSTEM, Viewer

__all__ = [
    "NOBODY",
    "SYSTEM",
    "Act",
    "Grant",
    "Permission",
    "Role",
    "SessionState",
    "TokenScope",
    "Viewer",
    "Visitor",
]
