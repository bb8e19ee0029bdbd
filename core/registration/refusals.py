"""Why an answer is not accepted: the registration's part of the error catalogue, as values.

In: a code and what a program needs beside it. Out: `RegistrationRefused`, which a door turns into a typed
answer. The one rule: a refusal changes nothing; the registration remains at its step.
"""

from dataclasses import dataclass
from enum import StrEnum

from core.access.passwords import Criterion
from core.errors import SubmeterError
from core.language import Text
from core.operators import WORDS, OperatorProfile, Path
from core.registration.look_alikes import readings


class RefusalCode(StrEnum):
    """The error codes of the sign-up, in the order of the journey."""

    RESIDENCE_NOT_FOUND = "RESIDENCE_NOT_FOUND"
    OPTION_NOT_SUBSCRIBED = "OPTION_NOT_SUBSCRIBED"
    NOT_PUBLISHED = "NOT_PUBLISHED"
    DEVICE_NOT_FOUND = "DEVICE_NOT_FOUND"
    SERIAL_FORMAT_UNSUPPORTED = "SERIAL_FORMAT_UNSUPPORTED"
    SERIAL_AMBIGUOUS = "SERIAL_AMBIGUOUS"
    DEVICE_NOT_REMOTE = "DEVICE_NOT_REMOTE"
    DWELLING_REF_NOT_FOUND = "DWELLING_REF_NOT_FOUND"
    ATTESTATION_REQUIRED = "ATTESTATION_REQUIRED"
    NON_OCCUPANT_NOT_ALLOWED = "NON_OCCUPANT_NOT_ALLOWED"
    DWELLING_ALREADY_REGISTERED = "DWELLING_ALREADY_REGISTERED"
    MOVE_IN_IN_FUTURE = "MOVE_IN_IN_FUTURE"
    PRIVACY_ACK_REQUIRED = "PRIVACY_ACK_REQUIRED"
    PASSWORD_TOO_WEAK = "PASSWORD_TOO_WEAK"  # noqa: S105 - a code
    PASSWORD_MISMATCH = "PASSWORD_MISMATCH"  # noqa: S105 - a code
    PHONE_INVALID = "PHONE_INVALID"
    PHONE_REQUIRED_FOR_SMS = "PHONE_REQUIRED_FOR_SMS"
    EMAIL_INVALID = "EMAIL_INVALID"
    VALUE_REQUIRED = "VALUE_REQUIRED"
    VALUE_INVALID = "VALUE_INVALID"
    FORM_NOT_OFFERED = "FORM_NOT_OFFERED"
    CODE_INVALID = "CODE_INVALID"
    CODE_EXPIRED = "CODE_EXPIRED"
    CODE_RESEND_TOO_SOON = "CODE_RESEND_TOO_SOON"
    REGISTRATION_EXPIRED = "REGISTRATION_EXPIRED"
    RATE_LIMITED = "RATE_LIMITED"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal.

    Attributes:
        code: which.
        field: the field at fault, as the form names it.
        fallback: another way, where the operator has one (C-05, C-06).
        criteria: of a password that is too weak, all of them.
        attempts_left: of a six-digit code.
        retry_after_s: seconds until the next try.
        hint: what may have been meant, after the sentence of the code; never more than what was typed tells.
    """

    code: RefusalCode
    field: str | None = None
    fallback: Path | None = None
    criteria: tuple[Criterion, ...] = ()
    attempts_left: int | None = None
    retry_after_s: int | None = None
    hint: Text | None = None


class RegistrationRefused(SubmeterError):
    """An answer of a registration is not accepted; `refusal` is the reason, and `profile`, if known, provides
    the text.
    """

    code = "REGISTRATION_REFUSED"

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"The registration does not go on: {refusal.code}.", field=refusal.field)
        self.refusal = refusal
        self.profile: OperatorProfile | None = None

    @property
    def message_text(self) -> Text:
        """The refusal for a person."""
        key = f"error.{self.refusal.code}"
        text, hint = self.profile.text(key) if self.profile is not None else WORDS[key], self.refusal.hint
        return text if hint is None else Text(f"{text.fr} {hint.fr}", f"{text.en} {hint.en}")


def refused(
    code: RefusalCode, field: str | None = None, *, fallback: Path | None = None, hint: Text | None = None
) -> RegistrationRefused:
    """The exception for a refusal that carries nothing but its code, field, fallback and hint."""
    return RegistrationRefused(Refusal(code, field, fallback, hint=hint))


def code_hint(profile: OperatorProfile, typed: str) -> Text:
    """What a site or building code looks like, and which one may have been meant: `AAOOO` for `AA000`."""
    meant = [read for read in readings(typed) if profile.residence_code.matches(read)]
    if len(meant) == 1:
        text = profile.text("hint.meant")
        return Text(text.fr.format(meant=meant[0]), text.en.format(meant=meant[0]))
    path = next((path for path in profile.residence_paths if path in _CODES), Path.SITE_CODE)
    text, form = profile.text("hint.code"), profile.text(f"form.{path}")
    example = profile.residence_code.example
    return Text(text.fr.format(form=form.fr, example=example), text.en.format(form=form.en, example=example))


_CODES = (Path.SITE_CODE, Path.BUILDING_CODE)
