"""The second factor: set-up, verification and removal (TOTP, RFC 6238)."""

from typing import Annotated, TypeAlias

import strawberry

from core.services.accounts.second_factor import (
    begin_enrolment,
    confirm_enrolment,
    remove_second_factor,
    verify_second_factor,
)
from graphql_schema.accounts.sessions import SignedIn, entered
from graphql_schema.base.context import Info
from graphql_schema.base.refusals import CodeInvalid, RateLimited, RequestRefused, answered


@strawberry.type(
    description="The secret for an authenticator app. It has no effect until `confirmSecondFactor`."
)
class SecondFactorStarted:
    secret: str = strawberry.field(description="Base 32, for manual entry. It is returned only here.")
    uri: str = strawberry.field(description="The same secret for a QR code: `otpauth://totp/...`.")


@strawberry.type(description="The second factor is active: signing in requires a code.")
class SecondFactorEnrolled:
    recovery_codes: list[str] = strawberry.field(
        description="Each can be used once in place of a code. They are returned only here."
    )
    signed_in: SignedIn


@strawberry.type(description="The second factor was removed: signing in requires the password alone.")
class SecondFactorRemoved:
    removed: bool


StartSecondFactorResult: TypeAlias = Annotated[
    SecondFactorStarted | RequestRefused | RateLimited, strawberry.union("StartSecondFactorResult")
]
ConfirmSecondFactorResult: TypeAlias = Annotated[
    SecondFactorEnrolled | CodeInvalid | RequestRefused | RateLimited,
    strawberry.union("ConfirmSecondFactorResult"),
]
VerifySecondFactorResult: TypeAlias = Annotated[
    SignedIn | CodeInvalid | RequestRefused | RateLimited, strawberry.union("VerifySecondFactorResult")
]
RemoveSecondFactorResult: TypeAlias = Annotated[
    SecondFactorRemoved | RequestRefused | RateLimited, strawberry.union("RemoveSecondFactorResult")
]


@strawberry.type
class SecondFactorMutation:
    @answered("Begin the set-up of an authenticator app; requires the current password.")
    async def start_second_factor(self, info: Info, password: str) -> StartSecondFactorResult:
        context = info.context
        enrolment = await begin_enrolment(
            context.application, await context.viewer(), password, now=context.now
        )
        return SecondFactorStarted(secret=enrolment.secret, uri=enrolment.uri)

    @answered(
        "Complete the set-up with a code of the app. The current session gets a new token; every other "
        "session is ended."
    )
    async def confirm_second_factor(self, info: Info, code: str) -> ConfirmSecondFactorResult:
        context = info.context
        viewer = await context.viewer()
        enrolled = await confirm_enrolment(
            context.application, viewer, code, visitor=context.visitor, now=context.now
        )
        signed_in = await entered(context, enrolled.session)
        return SecondFactorEnrolled(recovery_codes=list(enrolled.recovery_codes), signed_in=signed_in)

    @answered(
        "Complete a sign-in in state MUST_VERIFY_SECOND_FACTOR with a code of the app or a recovery code."
    )
    async def verify_second_factor(self, info: Info, code: str) -> VerifySecondFactorResult:
        context = info.context
        viewer = await context.viewer()
        opened = await verify_second_factor(
            context.application, viewer, code, visitor=context.visitor, now=context.now
        )
        return await entered(context, opened)

    @answered(
        "Remove the second factor; requires the current password. CONFLICT for managers, who must keep it."
    )
    async def remove_second_factor(self, info: Info, password: str) -> RemoveSecondFactorResult:
        context = info.context
        viewer = await context.viewer()
        await remove_second_factor(
            context.application, viewer, password, visitor=context.visitor, now=context.now
        )
        return SecondFactorRemoved(removed=True)
