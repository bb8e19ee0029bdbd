"""What may be done, by name: `resource:action`, one enum in alphabetical order, one table of roles.

Which rows a permission covers is decided at one point: `core.services.shared.scope`.
"""

from enum import StrEnum


class Role(StrEnum):
    """Who an account or a key stands for."""

    RESIDENT = "RESIDENT"
    HOUSEHOLD_MEMBER = "HOUSEHOLD_MEMBER"
    THIRD_PARTY = "THIRD_PARTY"
    MANAGER = "MANAGER"
    STAFF = "STAFF"
    ANALYST = "ANALYST"
    GATEWAY = "GATEWAY"
    SYSTEM = "SYSTEM"


class Permission(StrEnum):
    """Every act that a service checks."""

    ACCESS_LOG_READ = "access_log:read"
    ACCOUNT_ERASE = "account:erase"
    ACCOUNT_READ = "account:read"
    ACCOUNT_WRITE = "account:write"
    ACCOUNTS_MANAGE = "accounts:manage"
    ACCOUNTS_READ = "accounts:read"
    ALERTS_HANDLE = "alerts:handle"
    ALERTS_READ = "alerts:read"
    ANALYSES_READ = "analyses:read"
    AUDIT_READ = "audit:read"
    CONSENT_RECORD = "consent:record"
    CONSENT_WRITE = "consent:write"
    CONSUMPTION_READ = "consumption:read"
    CONSUMPTION_READ_DAILY = "consumption:read_daily"
    DEAD_LETTERS_READ = "dead_letters:read"
    DOCUMENTS_DEPOSIT = "documents:deposit"
    DOCUMENTS_READ = "documents:read"
    DWELLING_REQUESTS_DECIDE = "dwelling_requests:decide"
    DWELLINGS_LEAVE = "dwellings:leave"
    DWELLINGS_READ = "dwellings:read"
    EXPORTS_WRITE = "exports:write"
    FINE_DATA_PURGE = "fine_data:purge"
    GRANTS_WRITE = "grants:write"
    HOUSEHOLD_WRITE = "household:write"
    LIMITS_WRITE = "limits:write"
    MANAGED_DAYS_READ = "managed_days:read"
    MANAGED_RESIDENCES_READ = "managed_residences:read"
    METERS_LIST = "meters:list"
    METERS_READ = "meters:read"
    METERS_WRITE = "meters:write"
    NOTES_MAKE = "notes:make"
    NOTES_PRINT = "notes:print"
    OCCUPANCIES_RECORD = "occupancies:record"
    OUTBOX_LIST = "outbox:list"
    OUTBOX_READ = "outbox:read"
    PAPERS_ISSUE = "papers:issue"
    PASSWORD_WRITE = "password:write"  # noqa: S105 - an act's name
    PLACES_READ = "places:read"
    PLACES_WRITE = "places:write"
    READINGS_CORRECT = "readings:correct"
    READINGS_READ = "readings:read"
    RESIDENCES_PUBLISH = "residences:publish"
    RESIDENTS_INVITE = "residents:invite"
    RETENTION_READ = "retention:read"
    SECOND_FACTOR_VERIFY = "second_factor:verify"
    SECOND_FACTOR_WRITE = "second_factor:write"
    SESSIONS_WRITE = "sessions:write"
    TELEGRAMS_REPLAY = "telegrams:replay"
    TELEGRAMS_SUBMIT = "telegrams:submit"
    TERMS_ACCEPT = "terms:accept"
    TOKENS_WRITE = "tokens:write"


_OWN_ACCOUNT = frozenset(
    {
        Permission.ACCOUNT_READ,
        Permission.ACCOUNT_WRITE,
        Permission.PASSWORD_WRITE,
        Permission.SECOND_FACTOR_VERIFY,
        Permission.SECOND_FACTOR_WRITE,
        Permission.SESSIONS_WRITE,
        Permission.TERMS_ACCEPT,
    }
)
"""What everyone who signs in may do with the own account."""

PERMISSIONS_OF: dict[Role, frozenset[Permission]] = {
    Role.RESIDENT: _OWN_ACCOUNT
    | frozenset(
        {
            Permission.ACCESS_LOG_READ,
            Permission.ACCOUNT_ERASE,
            Permission.ALERTS_HANDLE,
            Permission.ALERTS_READ,
            Permission.CONSENT_WRITE,
            Permission.CONSUMPTION_READ,
            Permission.CONSUMPTION_READ_DAILY,
            Permission.DOCUMENTS_READ,
            Permission.DWELLINGS_LEAVE,
            Permission.DWELLINGS_READ,
            Permission.EXPORTS_WRITE,
            Permission.FINE_DATA_PURGE,
            Permission.GRANTS_WRITE,
            Permission.HOUSEHOLD_WRITE,
            Permission.LIMITS_WRITE,
            Permission.METERS_READ,
            Permission.PAPERS_ISSUE,
            Permission.PLACES_READ,
            Permission.READINGS_READ,
            Permission.TOKENS_WRITE,
        }
    ),
    Role.HOUSEHOLD_MEMBER: (_OWN_ACCOUNT - {Permission.ACCOUNT_WRITE})
    | frozenset(
        {
            Permission.ACCOUNT_ERASE,
            Permission.ALERTS_READ,
            Permission.CONSUMPTION_READ,
            Permission.CONSUMPTION_READ_DAILY,
            Permission.DWELLINGS_READ,
            Permission.METERS_READ,
            Permission.PLACES_READ,
        }
    ),
    Role.THIRD_PARTY: frozenset(
        {Permission.CONSUMPTION_READ, Permission.CONSUMPTION_READ_DAILY, Permission.DWELLINGS_READ}
        | {Permission.READINGS_READ}
    ),
    Role.MANAGER: _OWN_ACCOUNT
    | frozenset(
        {
            Permission.ALERTS_HANDLE,
            Permission.ALERTS_READ,
            Permission.CONSUMPTION_READ,
            Permission.CONSENT_RECORD,
            Permission.DOCUMENTS_DEPOSIT,
            Permission.DOCUMENTS_READ,
            Permission.DWELLING_REQUESTS_DECIDE,
            Permission.DWELLINGS_READ,
            Permission.MANAGED_DAYS_READ,
            Permission.METERS_READ,
            Permission.MANAGED_RESIDENCES_READ,
            Permission.NOTES_PRINT,
            Permission.OCCUPANCIES_RECORD,
            Permission.PAPERS_ISSUE,
            Permission.PLACES_READ,
            Permission.RESIDENTS_INVITE,
        }
    ),
    Role.STAFF: _OWN_ACCOUNT
    | frozenset(
        {
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
    ),
    Role.ANALYST: _OWN_ACCOUNT | frozenset({Permission.ANALYSES_READ, Permission.TOKENS_WRITE}),
    Role.GATEWAY: frozenset({Permission.TELEGRAMS_SUBMIT}),
    Role.SYSTEM: frozenset(Permission),
}

NEEDING_SECOND_FACTOR = frozenset({Role.MANAGER, Role.STAFF})
"""Who sees other people's data signs in by two factors; an analyst sees nobody's."""
