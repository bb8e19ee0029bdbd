"""Personal access tokens: made, listed (`viewer.accessTokens`) and revoked by their owner."""

from typing import Annotated, TypeAlias

import strawberry

from core.access.sessions import TokenScope
from core.services.accounts.access_tokens import issue_token, revoke_token
from graphql_schema.accounts.viewer import AccessToken
from graphql_schema.base.context import Info
from graphql_schema.base.refusals import RequestRefused, answered
from graphql_schema.base.relay import number_of


@strawberry.type(description="The token was created.")
class AccessTokenIssued:
    token: str = strawberry.field(
        description="Send it as `Authorization: Bearer smp_...`. It is returned only here."
    )
    access_token: AccessToken


@strawberry.type(description="The token was revoked.")
class AccessTokenRevoked:
    id: strawberry.ID


CreateAccessTokenResult: TypeAlias = Annotated[
    AccessTokenIssued | RequestRefused, strawberry.union("CreateAccessTokenResult")
]
RevokeAccessTokenResult: TypeAlias = Annotated[
    AccessTokenRevoked | RequestRefused, strawberry.union("RevokeAccessTokenResult")
]


@strawberry.type
class AccessTokenMutation:
    @answered(
        "Create a token for a program such as Home Assistant. It can read what its scopes cover, cannot "
        "change anything, and needs no second factor. The owner is notified by e-mail. `days`: its lifetime "
        "in days, 1 to 730; by default it is valid until it is revoked."
    )
    async def create_access_token(
        self, info: Info, name: str, scopes: list[TokenScope], days: int | None = None
    ) -> CreateAccessTokenResult:
        context = info.context
        issued = await issue_token(
            context.application,
            await context.viewer(),
            name=name,
            scopes=scopes,
            days=days,
            visitor=context.visitor,
            now=context.now,
        )
        return AccessTokenIssued(token=issued.token, access_token=AccessToken.of(issued.view))

    @answered("Revoke one of the viewer's tokens, with immediate effect.")
    async def revoke_access_token(self, info: Info, id: strawberry.ID) -> RevokeAccessTokenResult:  # noqa: A002 - the argument's name in the schema
        context = info.context
        number, viewer = number_of(id, "AccessToken"), await context.viewer()
        await revoke_token(viewer, number, visitor=context.visitor, now=context.now)
        return AccessTokenRevoked(id=id)
