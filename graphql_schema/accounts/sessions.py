"""Sessions: signing in and out, renewing and revoking (R-066, R-079)."""

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from core.access.emails import email_key
from core.access.sessions import SessionState
from core.errors import SignInRefused as Refusal
from core.registration.machine import LONGEST_EMAIL
from core.services.accounts.sign_in import sign_in
from core.services.auth.sessions import (
    OpenedSession,
    renew_session,
    revoke_other_sessions,
    revoke_session,
    sign_out,
)
from graphql_schema.accounts.viewer import Viewer
from graphql_schema.base.context import Context, Info
from graphql_schema.base.credentials import clear_session_cookie, set_device_cookie, set_session_cookie
from graphql_schema.base.refusals import AccountLocked, RateLimited, RequestRefused, SignInRefused, answered
from graphql_schema.base.relay import number_of


@strawberry.input
class SignInInput:
    email: str
    password: str
    device_token: str | None = strawberry.field(
        default=None,
        description="The device token of an earlier sign-in, for clients without cookies. A known device is "
        "not locked out by wrong passwords from other devices.",
    )


@strawberry.type(description="A session was opened; its token is also set as the cookie `submeter_session`.")
class SignedIn:
    token: str = strawberry.field(
        description="Send it as `Authorization: Bearer ...`. It is returned only here."
    )
    expires_at: datetime
    state: SessionState
    device_token: str | None = strawberry.field(
        description="For the next sign-in from this device; also set as the cookie `submeter_device`. Null "
        "if the device already has one."
    )
    viewer: Viewer | None = strawberry.field(
        description="The account; null, with the state as error code, if a field of it is selected that "
        "`state` does not allow yet. The token is answered in any case."
    )


SignInResult: TypeAlias = Annotated[
    SignedIn | SignInRefused | AccountLocked | RequestRefused | RateLimited, strawberry.union("SignInResult")
]


@strawberry.type(description="The session of the request's token was ended.")
class SignedOut:
    session_ended: bool = strawberry.field(description="False if the request had no open session.")


@strawberry.type(description="Sessions were ended; `count` is their number.")
class SessionsEnded:
    count: int


SignOutResult: TypeAlias = Annotated[SignedOut | RequestRefused, strawberry.union("SignOutResult")]
RenewSessionResult: TypeAlias = Annotated[SignedIn | RequestRefused, strawberry.union("RenewSessionResult")]
EndSessionsResult: TypeAlias = Annotated[
    SessionsEnded | RequestRefused, strawberry.union("EndSessionsResult")
]


@strawberry.type
class SessionMutation:
    @answered("Open a session. Its `state` is what must be done before data can be read.")
    async def sign_in(self, info: Info, input: SignInInput) -> SignInResult:  # noqa: A002 - the argument's name in the schema
        context = info.context
        context.try_sign_in()
        _check(input.email)
        signed_in = await sign_in(
            context.application,
            input.email,
            input.password,
            visitor=context.visitor,
            device_token=input.device_token or context.device_token,
            now=context.now,
        )
        set_device_cookie(context.response, signed_in.device_token, context.application.settings)
        return await entered(context, signed_in.session, device_token=signed_in.device_token)

    @answered("End the session of the request's token, and clear the cookie.")
    async def sign_out(self, info: Info) -> SignOutResult:
        context = info.context
        token = context.credentials.token
        ended = token is not None and await sign_out(token, visitor=context.visitor, now=context.now)
        context.sign_out()
        clear_session_cookie(context.response, context.application.settings)
        return SignedOut(session_ended=ended)

    @answered("Get a new token and lifetime for the current session; the old token becomes invalid.")
    async def renew_session(self, info: Info) -> RenewSessionResult:
        context = info.context
        viewer = await context.viewer()
        opened = await renew_session(context.application, viewer, visitor=context.visitor, now=context.now)
        return await entered(context, opened)

    @answered("End one of the viewer's sessions.")
    async def revoke_session(self, info: Info, id: strawberry.ID) -> EndSessionsResult:  # noqa: A002 - the argument's name in the schema
        context = info.context
        number, viewer = number_of(id, "Session"), await context.viewer()
        await revoke_session(viewer, number, visitor=context.visitor, now=context.now)
        return SessionsEnded(count=1)

    @answered("End every session of the viewer except the current one, and forget all known devices.")
    async def revoke_other_sessions(self, info: Info) -> EndSessionsResult:
        context = info.context
        viewer = await context.viewer()
        return SessionsEnded(
            count=await revoke_other_sessions(viewer, visitor=context.visitor, now=context.now)
        )


async def entered(context: Context, opened: OpenedSession, *, device_token: str | None = None) -> SignedIn:
    """Run the rest of the operation in the session, and return its token."""
    context.sign_in(opened.viewer, opened.token)
    set_session_cookie(context.response, opened.token, context.application.settings)
    return SignedIn(
        token=opened.token,
        expires_at=opened.expires_at,
        state=opened.viewer.state,
        device_token=device_token,
        viewer=Viewer.of(await context.account(), opened.viewer),
    )


def _check(email: str) -> None:
    """Refuse an e-mail address that is too long for any account, before the database is queried.

    Raises:
        Refusal: too long once normalised.
    """
    if len(email_key(email)) > LONGEST_EMAIL:
        raise Refusal("E-mail and password do not belong together.")
