"""Refusals that are part of an answer: a type of its own if a client needs more than the code.

In: an error of the services. Out: a member of a mutation's union. The one rule: what a person can correct by
entering something else, or by waiting, is data; everything else remains an error of the answer.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import wraps
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from core.access.passwords import Criterion
from core.access.refusals import CodeInvalid as WrongCode
from core.access.refusals import CodeResendTooSoon, Refused
from core.access.refusals import PasswordTooWeak as WeakPassword
from core.errors import AccountLocked as Locked
from core.errors import RateLimited as Limited
from core.errors import SignInRefused, SubmeterError
from core.operators import WORDS
from graphql_schema.base.enums import Language
from graphql_schema.base.fields import resolved


@strawberry.interface(
    description="Why a request was refused. What was entered is never repeated in the answer."
)
class AccessRefusal:
    code: str = strawberry.field(description="The error code, for programs: `CODE_EXPIRED`.")
    message: str = strawberry.field(description="The error message in English, for developers.")

    @resolved("The error message for residents.")
    async def text(self, language: Language = Language.FR) -> str:
        words = WORDS.get(f"error.{self.code}")
        return words.in_language(language) if words else self.message


@strawberry.type(description="A refusal without details beyond its code.")
class AccountRefused(AccessRefusal):
    field: str | None = strawberry.field(description="The input field at fault; null if it is not one field.")


@strawberry.type(description="Too many attempts, or a code was requested again too soon.")
class RateLimited(AccessRefusal):
    retry_after: int = strawberry.field(description="Seconds until the request can be repeated.")


@strawberry.type(
    description="Too many wrong passwords from unknown devices. Signing in from a known device, or resetting "
    "the password by e-mail, is still possible."
)
class AccountLocked(AccessRefusal):
    until: datetime


@strawberry.type(description="A criterion of the password policy that the password does not meet.")
class FailedCriterion:
    name: str
    criterion: strawberry.Private[Criterion]

    @resolved("The criterion in the operator's wording.")
    async def label(self, language: Language = Language.FR) -> str:
        return self.criterion.label.in_language(language)


@strawberry.type(description="The new password does not meet the operator's password policy.")
class PasswordTooWeak(AccessRefusal):
    failed_criteria: list[FailedCriterion]


@strawberry.type(description="The code is wrong.")
class CodeInvalid(AccessRefusal):
    attempts_left: int | None = strawberry.field(
        description="The attempts left for this code; null for a code of an authenticator app."
    )


def answered(description: str) -> Callable[[Callable[..., Awaitable[Any]]], StrawberryField]:
    """Make a method the resolver of a mutation whose union has refusals: the service's become data."""

    def field_of(resolver: Callable[..., Awaitable[Any]]) -> StrawberryField:
        @wraps(resolver)
        async def with_refusals(*args: Any, **kwargs: Any) -> Any:
            try:
                return await resolver(*args, **kwargs)
            except (Refused, Limited, Locked, SignInRefused) as refusal:
                return refusal_of(refusal)

        return strawberry.field(with_refusals, description=description)

    return field_of


def refusal_of(error: SubmeterError) -> AccessRefusal:
    """The GraphQL type of this error."""
    common = {"code": error.code, "message": error.message}
    match error:
        case Limited() | CodeResendTooSoon():
            return RateLimited(**common, retry_after=error.retry_after_s)
        case Locked():
            return AccountLocked(**common, until=error.until)
        case WeakPassword():
            failed = [FailedCriterion(name=one.name, criterion=one) for one in error.failed_criteria]
            return PasswordTooWeak(**common, failed_criteria=failed)
        case WrongCode():
            return CodeInvalid(**common, attempts_left=error.attempts_left)
    return AccountRefused(**common, field=error.field)
