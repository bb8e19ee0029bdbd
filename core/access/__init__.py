"""Who may do what: the Viewer, permission names, roles."""

from core.access.permissions import Permission, Role
from core.access.viewer import SYSTEM, Viewer

__all__ = ["SYSTEM", "Permission", "Role", "Viewer"]
