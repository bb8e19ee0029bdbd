"""Refusals to an account's owner instead of a result: the error catalogue's part on access.

In: what a program needs beside the code. Out: errors, each with its code. The one rule: these are answers
to a form, not faults, so GraphQL returns them as data; none of them holds what was typed.
"""

from collections.abc import Mapping
from datetime import timedelta
from math import ceil

from core.access.passwords import Criterion
from core.errors import FixedSentence, SubmeterError


class Refused(SubmeterError):
    """Base of the refusals that are part of an answer."""

    code = "REFUSED"


class PasswordTooWeak(Refused):
    """The password does not meet its operator's policy (R-112 to R-115, R-207 to R-210)."""

    code = "PASSWORD_TOO_WEAK"

    def __init__(self, criteria: tuple[Criterion, ...]) -> None:
        super().__init__("The password does not meet every criterion.", field="newPassword")
        self.criteria = criteria


class PasswordMismatch(FixedSentence, Refused):
    """The password and its repetition differ (R-116)."""

    code = "PASSWORD_MISMATCH"
    sentence = "The two passwords differ."
    at = "confirmation"


class PasswordUnchanged(FixedSentence, Refused):
    """The new password is the present one; a temporary one cannot be kept (PW-05)."""

    code = "PASSWORD_UNCHANGED"
    sentence = "The new password must differ from the present one."
    at = "newPassword"


class PasswordWrong(FixedSentence, Refused):
    """The present password, asked for again, is not the one given."""

    code = "PASSWORD_WRONG"
    sentence = "The present password is another one."
    at = "password"


class CodeInvalid(Refused):
    """A wrong code, with the number of tries left."""

    code = "CODE_INVALID"

    def __init__(self, attempts_left: int | None = None) -> None:
        super().__init__("The code is wrong.", field="code")
        self.attempts_left = attempts_left

    @property
    def details(self) -> Mapping[str, object]:
        return {"attemptsLeft": self.attempts_left}


class CodeExpired(FixedSentence, Refused):
    """A code or link that is not valid: too old, used, tried too often, or never sent."""

    code = "CODE_EXPIRED"
    sentence = "The code has expired: ask for a new one."
    at = "code"


class CodeResendTooSoon(Refused):
    """The next code is sent a minute after the last."""

    code = "CODE_RESEND_TOO_SOON"

    def __init__(self, retry_after: timedelta) -> None:
        self.retry_after_s = ceil(retry_after.total_seconds())
        super().__init__(f"Wait {self.retry_after_s} seconds for the next code.")

    @property
    def details(self) -> Mapping[str, object]:
        return {"retryAfter": self.retry_after_s}


class PhoneInvalid(Refused):
    """No valid number of its country (R-204, C-34)."""

    code = "PHONE_INVALID"

    def __init__(self, message: str = "This is no valid phone number.") -> None:
        super().__init__(message, field="phone")


class PhoneRequiredForSms(FixedSentence, Refused):
    """SMS alerts need a confirmed mobile (R-101, C-19)."""

    code = "PHONE_REQUIRED_FOR_SMS"
    sentence = "Alerts by SMS need a confirmed mobile number."
    at = "phone"


class EmailInvalid(FixedSentence, Refused):
    """No e-mail address."""

    code = "EMAIL_INVALID"
    sentence = "This is no e-mail address."
    at = "email"


class LimitOutOfRange(Refused):
    """A limit of consumption that is zero, negative or above the maximum."""

    code = "LIMIT_OUT_OF_RANGE"

    def __init__(self, highest: int) -> None:
        super().__init__(f"A limit is 1 to {highest} of the smallest unit.", field="amount")


class ConsentNotTheManagers(Refused):
    """A manager may record a consent given on paper, and never turn a refusal into one (C-17)."""

    code = "CONSENT_NOT_THE_MANAGERS"
