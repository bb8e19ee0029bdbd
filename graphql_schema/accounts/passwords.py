"""Passwords: change while signed in, or reset by an e-mailed link (R-103, R-112 to R-117)."""

from typing import Annotated, TypeAlias

import strawberry

from core.services.accounts.password_change import NewPassword, ask_for_reset, change_password, reset_password
from graphql_schema.accounts.sessions import SignedIn, entered
from graphql_schema.base.context import Info
from graphql_schema.base.credentials import set_device_cookie
from graphql_schema.base.refusals import PasswordTooWeak, RateLimited, RequestRefused, answered


@strawberry.input
class NewPasswordInput:
    new_password: str
    confirmation: str = strawberry.field(description="The new password again.")

    def value(self) -> NewPassword:
        return NewPassword(self.new_password, self.confirmation)


@strawberry.type(
    description="If the e-mail address has an account, a link was sent to it. The answer is the same if not."
)
class PasswordResetRequested:
    email: str


@strawberry.type(description="The password was reset and every session was ended: sign in again.")
class PasswordReset:
    device_token: str = strawberry.field(
        description="The device token for that sign-in, for clients without cookies."
    )


ChangePasswordResult: TypeAlias = Annotated[
    SignedIn | RequestRefused | PasswordTooWeak | RateLimited, strawberry.union("ChangePasswordResult")
]
RequestPasswordResetResult: TypeAlias = Annotated[
    PasswordResetRequested | RequestRefused | RateLimited, strawberry.union("RequestPasswordResetResult")
]
ResetPasswordResult: TypeAlias = Annotated[
    PasswordReset | RequestRefused | PasswordTooWeak | RateLimited, strawberry.union("ResetPasswordResult")
]


@strawberry.type
class PasswordMutation:
    @answered("Change the password. The current session gets a new token; every other session is ended.")
    async def change_password(
        self,
        info: Info,
        password: str,
        input: NewPasswordInput,  # noqa: A002 - the argument's name in the schema
    ) -> ChangePasswordResult:
        context = info.context
        opened = await change_password(
            context.application,
            await context.viewer(),
            password,
            input.value(),
            visitor=context.visitor,
            now=context.now,
        )
        return await entered(context, opened)

    @answered("Request a password reset link by e-mail.")
    async def request_password_reset(self, info: Info, email: str) -> RequestPasswordResetResult:
        context = info.context
        await ask_for_reset(context.application, email, visitor=context.visitor, now=context.now)
        return PasswordResetRequested(email=email)

    @answered("Set a new password with the token of the link. The token is valid once, for one hour.")
    async def reset_password(
        self,
        info: Info,
        token: str,
        input: NewPasswordInput,  # noqa: A002 - the argument's name in the schema
    ) -> ResetPasswordResult:
        context = info.context
        device_token = await reset_password(
            context.application, token, input.value(), visitor=context.visitor, now=context.now
        )
        set_device_cookie(context.response, device_token, context.application.settings)
        return PasswordReset(device_token=device_token)
