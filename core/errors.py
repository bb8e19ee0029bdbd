"""Every error the application raises to a door: a stable code, a plain sentence, the field if there is one.

A door (GraphQL, command line) translates once: the code is for a program, the sentence for a person.
A broken telegram is not one of these: it is a result that intake counts and stores (`core.mbus.errors`).
The codes follow the error catalogue of the requirements where that names one.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import ClassVar


class SubmeterError(Exception):
    """Base of all errors that a door may show; `code` is stable, `field` names the argument at fault."""

    code: ClassVar[str] = "ERROR"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    @property
    def details(self) -> Mapping[str, object]:
        """What a program needs beside code and field, by the names that a door uses."""
        return {}


class FixedSentence(SubmeterError):
    """Base of the errors whose sentence and argument are always the same."""

    sentence: ClassVar[str]
    at: ClassVar[str | None] = None

    def __init__(self) -> None:
        super().__init__(self.sentence, field=self.at)


class Unauthenticated(SubmeterError):
    """Nobody is signed in, or the token is unknown, expired or revoked."""

    code = "UNAUTHENTICATED"


class SignInRefused(SubmeterError):
    """E-mail and password do not belong together; which of the two is wrong is not disclosed (C-13)."""

    code = "SIGN_IN_REFUSED"


class Forbidden(SubmeterError):
    """The viewer is known and lacks the permission."""

    code = "FORBIDDEN"


class NotFound(SubmeterError):
    """No such thing, or not the viewer's: both get the same answer."""

    code = "NOT_FOUND"


class ForbiddenPeriod(SubmeterError):
    """The days asked for lie before the viewer's move-in or after the move-out (EED-09)."""

    code = "FORBIDDEN_PERIOD"


class ConsentRequired(SubmeterError):
    """A manager asks for daily data that the occupant has not consented to (CN-01)."""

    code = "CONSENT_REQUIRED"


class NoOccupant(SubmeterError):
    """A manager asks for daily data of a dwelling whose occupant is not known: nobody could consent."""

    code = "NO_OCCUPANT"


class InvalidInput(SubmeterError):
    """An argument cannot be used as it is; `field` names it."""

    code = "INVALID_INPUT"


class Conflict(SubmeterError):
    """The request contradicts what is stored, e.g. a radio address that another meter has."""

    code = "CONFLICT"


class ResidenceNotReady(SubmeterError):
    """A residence is to be published in which residents would find nothing, and nobody has confirmed that."""

    code = "RESIDENCE_NOT_READY"

    def __init__(self, lack: str, *, dwellings: int, meters: int, meters_read: int) -> None:
        super().__init__(f"The residence is not published: {lack}.", field="withoutData")
        self.dwellings = dwellings
        self.meters = meters
        self.meters_read = meters_read

    @property
    def details(self) -> Mapping[str, object]:
        return {"dwellings": self.dwellings, "meters": self.meters, "metersRead": self.meters_read}


class AlertEnded(SubmeterError):
    """An action on an alert that has ended."""

    code = "ALERT_ENDED"


class SecretUnusable(SubmeterError):
    """A stored secret cannot be decrypted: SUBMETER_SECRET_KEY is not the one it was encrypted with."""

    code = "SECRET_UNUSABLE"


class RateLimited(SubmeterError):
    """Too many tries; `retry_after` is the time to wait."""

    code = "RATE_LIMITED"

    def __init__(self, *, retry_after: timedelta) -> None:
        self.retry_after_s = ceil(retry_after.total_seconds())
        super().__init__(f"Too many tries: try again in {self.retry_after_s} seconds.")

    @property
    def details(self) -> Mapping[str, object]:
        return {"retryAfter": self.retry_after_s}


class Busy(SubmeterError):
    """Too much is waiting to be taken in: nothing of this is kept; `retry_after` is the time to wait."""

    code = "BUSY"

    def __init__(self, *, retry_after: timedelta) -> None:
        self.retry_after_s = ceil(retry_after.total_seconds())
        super().__init__(f"Too much is waiting: submit again in {self.retry_after_s} seconds.")

    @property
    def details(self) -> Mapping[str, object]:
        return {"retryAfter": self.retry_after_s}


class Unavailable(SubmeterError):
    """The database is away for the moment; `retry_after` is the time to wait."""

    code = "UNAVAILABLE"

    def __init__(self, *, retry_after: timedelta) -> None:
        self.retry_after_s = ceil(retry_after.total_seconds())
        super().__init__(f"The database cannot be reached: try again in {self.retry_after_s} seconds.")

    @property
    def details(self) -> Mapping[str, object]:
        return {"retryAfter": self.retry_after_s}


class AccountLocked(SubmeterError):
    """Too many wrong passwords: none is accepted from an unknown device until then (PW-01)."""

    code = "ACCOUNT_LOCKED"

    def __init__(self, *, until: datetime) -> None:
        super().__init__("Too many wrong passwords: wait, or ask for a new password by e-mail.")
        self.until = until

    @property
    def details(self) -> Mapping[str, object]:
        return {"until": self.until.isoformat()}


class SignatureUnavailable(FixedSentence):
    """The operator has no certificate to sign with, or none that is valid now."""

    code = "SIGNATURE_UNAVAILABLE"
    sentence = "The operator has no valid certificate to sign with."


class LinkInvalid(FixedSentence):
    """A link to a file that is none, or another account's, or of a session that has ended."""

    code = "LINK_INVALID"
    sentence = "The link is not valid: ask for the file again."


class LinkExpired(FixedSentence):
    """A link to a file that was made too long ago."""

    code = "LINK_EXPIRED"
    sentence = "The link has expired: ask for the file again."


class MustVerifySecondFactor(FixedSentence):
    """The password was right; the code of the authenticator is still required."""

    code = "MUST_VERIFY_SECOND_FACTOR"
    sentence = "Give the code of your authenticator first."


class MustChangePassword(FixedSentence):
    """The password is a temporary one: a personal one is chosen before anything else (R-061, C-38)."""

    code = "MUST_CHANGE_PASSWORD"
    sentence = "Choose a personal password first."


class MustEnrolSecondFactor(FixedSentence):
    """A manager's account must have a second factor before any access."""

    code = "MUST_ENROL_SECOND_FACTOR"
    sentence = "Set up a second factor first: the account of a manager or of staff needs one."


class MustAcceptTerms(FixedSentence):
    """The terms of use in force have not been accepted (R-062, C-38)."""

    code = "MUST_ACCEPT_TERMS"
    sentence = "Read and accept the terms of use first."
