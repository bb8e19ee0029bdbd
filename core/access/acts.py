"""Every security-relevant act that the audit records, by name, and the visitor who causes it.

In: nothing. Out: names and values. The one rule: a door fills `Visitor` from the connection itself, never
from an address that the visitor sends.
"""

from dataclasses import dataclass
from enum import StrEnum


class Act(StrEnum):
    """What happened, in alphabetical order."""

    ACCOUNT_CREATED = "ACCOUNT_CREATED"
    ACCOUNT_DISABLED = "ACCOUNT_DISABLED"
    ACCOUNT_ENABLED = "ACCOUNT_ENABLED"
    ACCOUNT_ERASED = "ACCOUNT_ERASED"
    ACCOUNT_LOCKED = "ACCOUNT_LOCKED"
    CODE_REFUSED = "CODE_REFUSED"
    CONSENT_CHANGED = "CONSENT_CHANGED"
    CONTACT_CHANGED = "CONTACT_CHANGED"
    DATA_ACCESSED = "DATA_ACCESSED"
    DWELLING_CONTESTED = "DWELLING_CONTESTED"
    DWELLING_REQUEST_DECIDED = "DWELLING_REQUEST_DECIDED"
    DWELLING_REQUEST_WITHDRAWN = "DWELLING_REQUEST_WITHDRAWN"
    EMAIL_CHANGED = "EMAIL_CHANGED"
    EMAIL_CHANGE_REQUESTED = "EMAIL_CHANGE_REQUESTED"
    NOTIFICATIONS_CHANGED = "NOTIFICATIONS_CHANGED"
    OCCUPANCY_ENDED = "OCCUPANCY_ENDED"
    OCCUPANCY_STARTED = "OCCUPANCY_STARTED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - an act's name
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - an act's name
    PASSWORD_RESET_REQUESTED = "PASSWORD_RESET_REQUESTED"  # noqa: S105 - an act's name
    PHONE_CONFIRMED = "PHONE_CONFIRMED"
    RATE_LIMITED = "RATE_LIMITED"
    RECOVERY_CODE_USED = "RECOVERY_CODE_USED"
    RECURRING_DRAW_ANSWERED = "RECURRING_DRAW_ANSWERED"
    REGISTRATION_CANCELLED = "REGISTRATION_CANCELLED"
    REGISTRATION_STARTED = "REGISTRATION_STARTED"
    RESIDENCE_GRANTED = "RESIDENCE_GRANTED"
    RESIDENCE_REVOKED = "RESIDENCE_REVOKED"
    SECOND_FACTOR_ENROLLED = "SECOND_FACTOR_ENROLLED"
    SECOND_FACTOR_REFUSED = "SECOND_FACTOR_REFUSED"
    SECOND_FACTOR_REMOVED = "SECOND_FACTOR_REMOVED"
    SECOND_FACTOR_RESET = "SECOND_FACTOR_RESET"
    SESSION_RENEWED = "SESSION_RENEWED"
    SESSION_REVOKED = "SESSION_REVOKED"
    SIGNED_IN = "SIGNED_IN"
    SIGNED_OUT = "SIGNED_OUT"
    SIGN_IN_REFUSED = "SIGN_IN_REFUSED"
    STATEMENT_ISSUED = "STATEMENT_ISSUED"
    TEMPORARY_PASSWORD_ISSUED = "TEMPORARY_PASSWORD_ISSUED"  # noqa: S105 - an act's name
    TERMS_ACCEPTED = "TERMS_ACCEPTED"
    TOKEN_ISSUED = "TOKEN_ISSUED"  # noqa: S105 - an act's name
    TOKEN_REVOKED = "TOKEN_REVOKED"  # noqa: S105 - an act's name


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever sends a request, signed in or not.

    Attributes:
        address: the IP address of the connection, None where there is none (the command line).
        user_agent: as the browser sends it.
    """

    address: str | None = None
    user_agent: str = ""


NOBODY = Visitor()
"""The command line and the application's own jobs."""
