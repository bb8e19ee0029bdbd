"""Refusals that are part of an answer: each a type of its own where a program needs more than its code.

In: an error of the services. Out: a member of a mutation's union. The one rule: what a person can mend by
typing something else, or waiting, is data; everything else stays an error of the answer.
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


@strawberry.interface(description="Why a request was refused; what was entered is never repeated.")
class AccessRefusal:
    code: str = strawberry.field(description="For programs: `CODE_EXPIRED`.")
    message: str = strawberry.field(description="For developers, in English.")

    @resolved("For residents.")
    async def text(self, language: Language = Language.FR) -> str:
        words = WORDS.get(f"error.{self.code}")
        return words.in_language(language) if words else self.message


@strawberry.type(description="A refusal without details beyond its code.")
class AccountRefused(AccessRefusal):
    field: str | None


@strawberry.type(description="Too many attempts, or a code requested again too soon.")
class RateLimited(AccessRefusal):
    retry_after: int = strawberry.field(description="Seconds.")


@strawberry.type(
    description="Too many wrong passwords from unknown devices. A known device, or a password "
    "reset by e-mail, still gets in."
)
class AccountLocked(AccessRefusal):
    until: datetime


@strawberry.type(description="A criterion of a password policy.")
class FailedCriterion:
    name: str
    criterion: strawberry.Private[Criterion]

    @resolved("In the operator's own words.")
    async def label(self, language: Language = Language.FR) -> str:
        return self.criterion.label.in_language(language)


@strawberry.type(description="The new password does not meet its operator's policy.")
class PasswordTooWeak(AccessRefusal):
    failed_criteria: list[FailedCriterion]


@strawberry.type(description="A wrong code.")
class CodeInvalid(AccessRefusal):
    attempts_left: int | None = strawberry.field(
        description="The attempts left for this code; null for the code of an authenticator app."
    )


def answered(description: str) -> Callable[[Callable[..., Awaitable[Any]]], StrawberryField]:
    """Make a method the resolver of a mutation whose union has refusals; those of its service become data."""

    def field_of(resolver: Callable[..., Awaitable[Any]]) -> StrawberryField:
        @wraps(resolver)
        async def telling(*args: Any, **kwargs: Any) -> Any:
            try:
                return await resolver(*args, **kwargs)
            except (Refused, Limited, Locked, SignInRefused) as refusal:
                return refusal_of(refusal)

        return strawberry.field(telling, description=description)

    return field_of


def refusal_of(error: SubmeterError) -> AccessRefusal:
    """The type that tells this error."""
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
