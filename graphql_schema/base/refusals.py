"""Refusals: what a mutation answers instead of a result, as one family of types.

In: an error of the services. Out: a member of the mutation's union: code, message in the reader's language
and, if they apply, the field at fault and the time to wait. The one rule: what can be corrected by entering
something else, or by waiting, is a refusal, NOT_FOUND included. What depends on who asks (UNAUTHENTICATED,
FORBIDDEN, a session that is not READY) and what is our fault are errors of the answer.
"""

import inspect
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from functools import wraps
from math import ceil
from typing import Any, get_args

import strawberry
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from core.access.passwords import Criterion
from core.access.refusals import CodeInvalid as WrongCode
from core.access.refusals import PasswordTooWeak as WeakPassword
from core.errors import AccountLocked as Locked
from core.errors import AlertEnded as Over
from core.errors import ResidenceNotReady as NotReady
from core.errors import SignInRefused as WrongSignIn
from core.errors import SubmeterError
from core.language import Text
from core.operators import WORDS, Path
from core.registration.refusals import RefusalCode as RegistrationCode
from core.registration.refusals import RegistrationRefused
from graphql_schema.base.context import Info
from graphql_schema.base.refusal_codes import RefusalCode
from graphql_schema.base.texts import text_field

strawberry.enum(Path, name="IdentificationPath", description="A way to find a residence or dwelling.")


@strawberry.interface(
    description="Why a mutation was refused; nothing was changed. What was entered is never repeated. Every "
    "mutation answers a union of its result and its refusals."
)
class Refusal:
    words: strawberry.Private[Text]
    code: RefusalCode = strawberry.field(description="The reason, for programs.")
    detail: str = strawberry.field(
        description="The reason in English, for developers; it may say more than `message`."
    )
    field: str | None = strawberry.field(
        default=None, description="The input field at fault; null if it is not one field."
    )
    retry_after: int | None = strawberry.field(
        default=None, description="Seconds until the request can be repeated; null if waiting does not help."
    )

    message = text_field(
        lambda refusal: refusal.words, "The reason for people, by default in the reader's language."
    )


@strawberry.type(description="A refusal without details of its own.")
class RequestRefused(Refusal):
    pass


@strawberry.type(description="Too many attempts, or a code was requested again too soon.")
class RateLimited(Refusal):
    retry_after: int = strawberry.field(description="Seconds until the request can be repeated.")


@strawberry.type(
    description="Too many wrong passwords from unknown devices. Signing in from a known device, or resetting "
    "the password by e-mail, is still possible."
)
class AccountLocked(Refusal):
    until: datetime = strawberry.field(description="When passwords are accepted again.")


@strawberry.type(description="The e-mail address or the password is wrong; which of them is not revealed.")
class SignInRefused(Refusal):
    pass


@strawberry.type(description="A criterion of the password policy, and whether the password meets it.")
class PasswordCriterion:
    name: str = strawberry.field(description="The criterion's name, for programs.")
    passed: bool = strawberry.field(description="Whether the password meets it.")
    criterion: strawberry.Private[Criterion]

    @classmethod
    def of(cls, criterion: Criterion) -> "PasswordCriterion":
        return cls(name=criterion.name, passed=criterion.passed, criterion=criterion)

    label = text_field(
        lambda shown: shown.criterion.label,
        "The criterion in the operator's wording, by default in the reader's language.",
    )


@strawberry.type(description="The new password does not meet the operator's password policy.")
class PasswordTooWeak(Refusal):
    criteria: list[PasswordCriterion] = strawberry.field(description="All criteria, met or not.")


@strawberry.type(description="The code is wrong.")
class CodeInvalid(Refusal):
    attempts_left: int | None = strawberry.field(
        description="The attempts left for this code; null for a code of an authenticator app."
    )


@strawberry.type(
    description="Residents would find no data in the residence. With `withoutData: true` it is published all "
    "the same."
)
class ResidenceNotReady(Refusal):
    dwellings: int = strawberry.field(description="How many dwellings the residence has.")
    meters: int = strawberry.field(description="How many meters it has.")
    meters_read: int = strawberry.field(description="How many of them have a reading that counts.")


@strawberry.type(description="The serial number does not identify the dwelling.")
class SerialRefused(Refusal):
    fallback: Path | None = strawberry.field(
        description="Another way to find the dwelling; null if there is none."
    )


@strawberry.type(description="The alert has ended, and no action can be taken on it.")
class AlertEnded(Refusal):
    pass


def answered(description: str) -> Callable[[Callable[..., Awaitable[Any]]], StrawberryField]:
    """Make a method the resolver of a mutation, whose result is a union of types.

    What the services refuse becomes data. The field may be null, so that an error of one mutation leaves
    the answers of the others, a token among them, in an operation that has several.
    """

    def field_of(resolver: Callable[..., Awaitable[Any]]) -> StrawberryField:
        signature = inspect.signature(resolver)
        union = get_args(signature.return_annotation)[0]
        kinds = frozenset(kind for kind in get_args(union) if issubclass(kind, Refusal))
        if RequestRefused not in kinds:
            raise TypeError(f"The result of {resolver.__qualname__} lacks {RequestRefused.__name__}.")

        @wraps(resolver)
        async def with_refusals(self: object, info: Info, **arguments: Any) -> Any:
            try:
                return await resolver(self, info, **arguments)
            except SubmeterError as error:
                refusal = refusal_of(error, kinds, now=info.context.now)
                if refusal is None:
                    raise
                info.context.refused = True
                return refusal

        nullable = signature.replace(return_annotation=signature.return_annotation | None)
        with_refusals.__signature__ = nullable  # type: ignore[attr-defined]
        return strawberry.field(with_refusals, description=description)

    return field_of


def refusal_of(error: SubmeterError, kinds: Collection[type[Refusal]], *, now: datetime) -> Refusal | None:
    """The refusal that this error is, of these types; None if it is an error of the answer."""
    code = error.refusal.code if isinstance(error, RegistrationRefused) else error.code
    if code not in RefusalCode.__members__:
        return None
    kind, own = _kind_of(error)
    retry_after = getattr(error, "retry_after_s", None)
    if isinstance(error, Locked):
        retry_after = max(0, ceil((error.until - now).total_seconds()))
    elif isinstance(error, RegistrationRefused):
        retry_after = error.refusal.retry_after_s
    if kind is RequestRefused and retry_after is not None:
        kind = RateLimited
    if kind not in kinds:
        kind, own = RequestRefused, {}
    return kind(
        words=error.message_text if isinstance(error, RegistrationRefused) else WORDS[f"error.{code}"],
        code=RefusalCode[code],
        detail=error.message,
        field=to_camel_case(error.field) if error.field else None,
        retry_after=retry_after,
        **own,
    )


def _kind_of(error: SubmeterError) -> tuple[type[Refusal], dict[str, Any]]:
    """The type of a refusal, and what it has beside the fields of all."""
    match error:
        case RegistrationRefused():
            return _kind_of_registrations(error)
        case Locked():
            return AccountLocked, {"until": error.until}
        case WeakPassword():
            return PasswordTooWeak, {"criteria": _criteria(error.criteria)}
        case WrongCode():
            return CodeInvalid, {"attempts_left": error.attempts_left}
        case WrongSignIn():
            return SignInRefused, {}
        case Over():
            return AlertEnded, {}
        case NotReady():
            own = {"dwellings": error.dwellings, "meters": error.meters, "meters_read": error.meters_read}
            return ResidenceNotReady, own
    return RequestRefused, {}


def _kind_of_registrations(error: RegistrationRefused) -> tuple[type[Refusal], dict[str, Any]]:
    refusal = error.refusal
    match refusal.code:
        case RegistrationCode.SERIAL_FORMAT_UNSUPPORTED | RegistrationCode.SERIAL_AMBIGUOUS:
            return SerialRefused, {"fallback": refusal.fallback}
        case RegistrationCode.PASSWORD_TOO_WEAK:
            return PasswordTooWeak, {"criteria": _criteria(refusal.criteria)}
        case RegistrationCode.CODE_INVALID:
            return CodeInvalid, {"attempts_left": refusal.attempts_left}
    return RequestRefused, {}


def _criteria(criteria: Collection[Criterion]) -> list[PasswordCriterion]:
    return [PasswordCriterion.of(criterion) for criterion in criteria]
