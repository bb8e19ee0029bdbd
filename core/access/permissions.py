"""What may be done, by name: `resource:action`, one enum in alphabetical order, one table of roles.

Which rows a permission covers is another question, answered at one point: `core.services.scope`.
"""

from enum import StrEnum


class Role(StrEnum):
    """Who an account or a key stands for."""

    RESIDENT = "RESIDENT"
    MANAGER = "MANAGER"
    GATEWAY = "GATEWAY"
    SYSTEM = "SYSTEM"


class Permission(StrEnum):
    """Every act that a service asks leave for."""

    ALERTS_HANDLE = "alerts:handle"
    ALERTS_READ = "alerts:read"
    AUDIT_READ = "audit:read"
    CASES_DECIDE = "cases:decide"
    CONSUMPTION_READ = "consumption:read"
    DWELLINGS_LEAVE = "dwellings:leave"
    DWELLINGS_READ = "dwellings:read"
    METERS_READ = "meters:read"
    METERS_WRITE = "meters:write"
    OUTBOX_READ = "outbox:read"
    PLACES_WRITE = "places:write"
    READINGS_READ = "readings:read"
    TELEGRAMS_REPLAY = "telegrams:replay"
    TELEGRAMS_SUBMIT = "telegrams:submit"


PERMISSIONS_OF: dict[Role, frozenset[Permission]] = {
    Role.RESIDENT: frozenset(
        {
            Permission.ALERTS_HANDLE,
            Permission.ALERTS_READ,
            Permission.CONSUMPTION_READ,
            Permission.DWELLINGS_LEAVE,
            Permission.DWELLINGS_READ,
            Permission.METERS_READ,
            Permission.READINGS_READ,
        }
    ),
    Role.MANAGER: frozenset({Permission.ALERTS_HANDLE, Permission.ALERTS_READ}),
    Role.GATEWAY: frozenset({Permission.TELEGRAMS_SUBMIT}),
    Role.SYSTEM: frozenset(Permission),
}
