"""Sessions: signing in and out (R-066, R-079). A wrong password is part of the answer."""

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from core.errors import SignInRefused as Refusal
from core.services.registration_proof import redeem_temporary_password
from core.services.sessions import email_key, sign_in, sign_out
from graphql_schema.context import Info
from graphql_schema.credentials import clear_session_cookie, set_session_cookie
from graphql_schema.fields import resolved
from graphql_schema.operators import visitor_of
from graphql_schema.viewer import Viewer

LONGEST_EMAIL = 254
"""Characters (RFC 5321 §4.5.3.1.3, less the brackets), as the table keeps them."""


@strawberry.input
class SignInInput:
    email: str
    password: str


@strawberry.type(description="A session has begun; its token also went into the cookie `submeter_session`.")
class SignedIn:
    token: str = strawberry.field(
        description="Send it as `Authorization: Bearer ...`. It is shown only here."
    )
    expires_at: datetime
    viewer: Viewer


@strawberry.type(description="E-mail and password do not belong together; which is wrong is not said.")
class SignInRefused:
    code: str
    message: str


SignInResult: TypeAlias = Annotated[SignedIn | SignInRefused, strawberry.union("SignInResult")]


@strawberry.type(description="No session is left under the token that was used.")
class SignedOut:
    session_ended: bool = strawberry.field(description="Whether there was one.")


@strawberry.type
class SessionMutation:
    @resolved("Open a session.")
    async def sign_in(self, info: Info, input: SignInInput) -> SignInResult:  # noqa: A002 - the argument's name in the schema
        context, settings = info.context, info.context.house.settings
        context.try_sign_in()
        try:
            _check(input.email)
            await redeem_temporary_password(
                context.house, input.email, input.password, visitor=visitor_of(context), now=context.now
            )
            session = await sign_in(
                input.email,
                input.password,
                lifetime=settings.session_lifetime,
                user_agent=context.request.headers.get("user-agent", ""),
                now=context.now,
            )
        except Refusal as refusal:
            return SignInRefused(code=refusal.code, message=refusal.message)
        context.sign_in(session.viewer, session.token)
        set_session_cookie(context.response, session.token, settings)
        viewer = Viewer.of(await context.account())
        return SignedIn(token=session.token, expires_at=session.expires_at, viewer=viewer)

    @resolved("Revoke the session whose token was used, and clear the cookie.")
    async def sign_out(self, info: Info) -> SignedOut:
        token = info.context.credentials.token
        ended = token is not None and await sign_out(token, now=info.context.now)
        info.context.sign_out()
        clear_session_cookie(info.context.response, info.context.house.settings)
        return SignedOut(session_ended=ended)


def _check(email: str) -> None:
    """Refuse at once an e-mail that no account can have, since the table would not even be asked for it.

    Raises:
        Refusal: too long once folded.
    """
    if len(email_key(email)) > LONGEST_EMAIL:
        raise Refusal("E-mail and password do not belong together.")
