"""Why a mutation was refused: the codes, each with what it means.

In: the codes of `core.errors`, and of the refusals of accounts and registrations. Out: an enum of the
schema. The one rule: an error whose code is not here is an error of the answer and not a refusal;
`tests/graphql/base/test_refusals.py` names those, so that a new error is decided to be one or the other.
"""

from enum import Enum

import strawberry


@strawberry.enum(description="Why a mutation was refused, for programs.")
class RefusalCode(Enum):
    """Why a mutation was refused."""

    INVALID_INPUT = strawberry.enum_value(
        "INVALID_INPUT", description="A value cannot be used as it is; `field` names it."
    )
    NOT_FOUND = strawberry.enum_value(
        "NOT_FOUND", description="No such object, or none that the viewer may see."
    )
    CONFLICT = strawberry.enum_value("CONFLICT", description="The request contradicts what is stored.")
    FORBIDDEN_PERIOD = strawberry.enum_value(
        "FORBIDDEN_PERIOD", description="The day is outside the viewer's occupancy."
    )
    ALERT_ENDED = strawberry.enum_value("ALERT_ENDED", description="The alert has ended.")
    RESIDENCE_NOT_READY = strawberry.enum_value(
        "RESIDENCE_NOT_READY",
        description="Residents would find nothing in the residence; it is published if that is confirmed.",
    )
    RATE_LIMITED = strawberry.enum_value(
        "RATE_LIMITED", description="Too many attempts; `retryAfter` says how long to wait."
    )
    BUSY = strawberry.enum_value(
        "BUSY",
        description="Too much is waiting to be stored; nothing of this was. Submit again after `retryAfter`.",
    )
    UNAVAILABLE = strawberry.enum_value(
        "UNAVAILABLE", description="The database is away for the moment. Submit again after `retryAfter`."
    )
    SIGNATURE_UNAVAILABLE = strawberry.enum_value(
        "SIGNATURE_UNAVAILABLE",
        description="The operator has no certificate to sign with, or none that is valid now.",
    )
    SIGN_IN_REFUSED = strawberry.enum_value(
        "SIGN_IN_REFUSED", description="The e-mail address or the password is wrong."
    )
    ACCOUNT_LOCKED = strawberry.enum_value(
        "ACCOUNT_LOCKED", description="Too many wrong passwords from unknown devices."
    )
    PASSWORD_TOO_WEAK = strawberry.enum_value(
        "PASSWORD_TOO_WEAK", description="The password does not meet the policy."
    )
    PASSWORD_MISMATCH = strawberry.enum_value("PASSWORD_MISMATCH", description="The two passwords differ.")
    PASSWORD_UNCHANGED = strawberry.enum_value(
        "PASSWORD_UNCHANGED", description="The new password is the present one."
    )
    PASSWORD_WRONG = strawberry.enum_value("PASSWORD_WRONG", description="The present password is wrong.")
    CODE_INVALID = strawberry.enum_value("CODE_INVALID", description="The code is wrong.")
    CODE_EXPIRED = strawberry.enum_value(
        "CODE_EXPIRED", description="The code or link is too old, was used, or was tried too often."
    )
    CODE_RESEND_TOO_SOON = strawberry.enum_value(
        "CODE_RESEND_TOO_SOON", description="The next code can be sent after `retryAfter`."
    )
    PHONE_INVALID = strawberry.enum_value(
        "PHONE_INVALID", description="No valid phone number, or not a mobile one."
    )
    PHONE_REQUIRED_FOR_SMS = strawberry.enum_value(
        "PHONE_REQUIRED_FOR_SMS", description="SMS require a confirmed mobile number."
    )
    EMAIL_INVALID = strawberry.enum_value("EMAIL_INVALID", description="No e-mail address.")
    LIMIT_OUT_OF_RANGE = strawberry.enum_value(
        "LIMIT_OUT_OF_RANGE", description="A consumption limit that is zero, negative or above the maximum."
    )
    CONSENT_NOT_THE_MANAGERS = strawberry.enum_value(
        "CONSENT_NOT_THE_MANAGERS", description="Only the occupant can change a refusal."
    )
    NO_OCCUPANT = strawberry.enum_value(
        "NO_OCCUPANT", description="Nobody is known to live there, who could answer."
    )
    RESIDENCE_NOT_FOUND = strawberry.enum_value(
        "RESIDENCE_NOT_FOUND", description="No residence has this code or address."
    )
    OPTION_NOT_SUBSCRIBED = strawberry.enum_value(
        "OPTION_NOT_SUBSCRIBED", description="The residence has no resident portal."
    )
    NOT_PUBLISHED = strawberry.enum_value(
        "NOT_PUBLISHED", description="The residence's portal is not open yet."
    )
    DEVICE_NOT_FOUND = strawberry.enum_value(
        "DEVICE_NOT_FOUND", description="No device has this serial number."
    )
    SERIAL_FORMAT_UNSUPPORTED = strawberry.enum_value(
        "SERIAL_FORMAT_UNSUPPORTED", description="The operator's form does not take such serial numbers."
    )
    SERIAL_AMBIGUOUS = strawberry.enum_value(
        "SERIAL_AMBIGUOUS", description="Devices of several dwellings have this serial number."
    )
    DEVICE_NOT_REMOTE = strawberry.enum_value(
        "DEVICE_NOT_REMOTE", description="The dwelling's devices are not read remotely."
    )
    DWELLING_REF_NOT_FOUND = strawberry.enum_value(
        "DWELLING_REF_NOT_FOUND", description="No dwelling has this lot number or reference."
    )
    ATTESTATION_REQUIRED = strawberry.enum_value(
        "ATTESTATION_REQUIRED", description="The box of the attestation was not ticked."
    )
    NON_OCCUPANT_NOT_ALLOWED = strawberry.enum_value(
        "NON_OCCUPANT_NOT_ALLOWED", description="The operator does not register owners who live elsewhere."
    )
    DWELLING_ALREADY_REGISTERED = strawberry.enum_value(
        "DWELLING_ALREADY_REGISTERED", description="The dwelling has an account; the claim can be contested."
    )
    MOVE_IN_IN_FUTURE = strawberry.enum_value("MOVE_IN_IN_FUTURE", description="The move-in is after today.")
    PRIVACY_ACK_REQUIRED = strawberry.enum_value(
        "PRIVACY_ACK_REQUIRED", description="The privacy notice was not acknowledged."
    )
    VALUE_REQUIRED = strawberry.enum_value(
        "VALUE_REQUIRED", description="A field that is required was left out."
    )
    VALUE_INVALID = strawberry.enum_value(
        "VALUE_INVALID", description="A field has a value that its form does not allow."
    )
    FORM_NOT_OFFERED = strawberry.enum_value(
        "FORM_NOT_OFFERED", description="The current step does not offer this form."
    )
    REGISTRATION_EXPIRED = strawberry.enum_value(
        "REGISTRATION_EXPIRED", description="No such registration, or not any more."
    )
