"""The viewer: who is signed in, with the account, the dwellings, and what opens the account."""

from datetime import datetime

import strawberry

from core.access import Permission, Role
from core.access import Viewer as Party
from core.access.sessions import SessionState, TokenScope
from core.services.accounts.access_tokens import AccessTokenView, my_tokens
from core.services.accounts.account import NotificationTopic, notification_choices
from core.services.auth.sessions import AccountView, SessionView, my_sessions
from core.services.places.dwellings import my_dwellings, owned_dwellings
from graphql_schema.base.context import Info, language_of
from graphql_schema.base.enums import Language
from graphql_schema.base.fields import resolved
from graphql_schema.base.relay import global_id
from graphql_schema.base.views import shown
from graphql_schema.dwellings.dwellings import Dwelling
from graphql_schema.dwellings.occupancies import OwnedDwelling

strawberry.enum(
    SessionState,
    description="What stands between a session and the data, in the order in which it is asked for. Until "
    "READY, everything else is refused with the state as its code.",
)
strawberry.enum(Role, description="What an account stands for.")
strawberry.enum(NotificationTopic, description="What residents choose to be told of.")
strawberry.enum(TokenScope, description="What a personal access token may read.")


@strawberry.type(description="A sign-in.")
class Session:
    id: strawberry.ID
    user_agent: str = strawberry.field(description="What the browser or app calls itself.")
    address: str | None = strawberry.field(description="The IP address that it was begun from.")
    created_at: datetime
    last_seen_at: datetime = strawberry.field(description="Right to five minutes.")
    expires_at: datetime
    current: bool = strawberry.field(description="Whether it is the one that asks.")

    @classmethod
    def of(cls, view: SessionView) -> "Session":
        return shown(cls, view, id=global_id("Session", view.id))


@strawberry.type(description="A program's key to a part of the viewer's data.")
class AccessToken:
    id: strawberry.ID
    name: str
    scopes: list[TokenScope]
    created_at: datetime
    expires_at: datetime | None = strawberry.field(description="Null: it opens until it is revoked.")
    last_used_at: datetime | None = strawberry.field(description="Right to five minutes.")

    @classmethod
    def of(cls, view: AccessTokenView) -> "AccessToken":
        return shown(cls, view, id=global_id("AccessToken", view.id), scopes=list(view.scopes))


@strawberry.type(description="By which channels the viewer is told of one kind of event (R-104, R-105).")
class NotificationChoice:
    topic: NotificationTopic
    by_email: bool
    by_sms: bool


@strawberry.type(description="Who is asking. Personal data are the session's: no access token reads them.")
class Viewer:
    id: strawberry.ID
    state: SessionState
    account: strawberry.Private[AccountView]

    @classmethod
    def of(cls, account: AccountView, party: Party) -> "Viewer":
        return cls(id=global_id("Viewer", account.id), state=party.state, account=account)

    @resolved("The address that signs in.")
    async def email(self, info: Info) -> str:
        return (await self._own(info)).email

    @resolved("`Mme`, `M.`; blank where it is not known.")
    async def civility(self, info: Info) -> str:
        return (await self._own(info)).civility

    @resolved("The first name (R-099).")
    async def first_name(self, info: Info) -> str:
        return (await self._own(info)).first_name

    @resolved("The last name (R-098).")
    async def last_name(self, info: Info) -> str:
        return (await self._own(info)).last_name

    @resolved("E.164: `+33639980012`.")
    async def phone(self, info: Info) -> str | None:
        return (await self._own(info)).phone_e164

    @resolved("Whether a code that was sent to the number was given back; SMS go nowhere else.")
    async def phone_confirmed(self, info: Info) -> bool:
        return (await self._own(info)).phone_confirmed

    @resolved("The language of messages and labels.")
    async def language(self, info: Info) -> Language:
        return language_of(await self._own(info))

    @resolved("What the account stands for.")
    async def role(self, info: Info) -> Role:
        return (await self._own(info)).role

    @resolved("Whether signing in asks for a code of an authenticator app.")
    async def second_factor(self, info: Info) -> bool:
        return (await self._own(info)).second_factor

    @resolved("The version of the terms of use in force, which `acceptTerms` names.")
    async def terms_version(self, info: Info) -> str | None:
        return (await self._own(info)).terms_version

    @resolved("The present ones first.")
    async def dwellings(self, info: Info) -> list[Dwelling]:
        return [Dwelling.of(view) for view in await my_dwellings(await info.context.viewer())]

    @resolved("What the viewer owns and does not live in (C-01); none of its data.")
    async def owned_dwellings(self, info: Info) -> list[OwnedDwelling]:
        viewer, now = await info.context.viewer(), info.context.now
        return [OwnedDwelling.of(view) for view in await owned_dwellings(viewer, now=now)]

    @resolved("What the viewer is told of, topic by topic.")
    async def notifications(self, info: Info) -> list[NotificationChoice]:
        return [
            shown(NotificationChoice, choice)
            for choice in await notification_choices(await info.context.viewer())
        ]

    @resolved("Whether the operator's newsletter is sent, which nobody gets who did not wish for it.")
    async def newsletter(self, info: Info) -> bool:
        return (await self._own(info)).newsletter

    @resolved("The open sessions, the last seen first.")
    async def sessions(self, info: Info) -> list[Session]:
        views = await my_sessions(await info.context.viewer(), now=info.context.now)
        return [Session.of(view) for view in views]

    @resolved("The personal access tokens that were not revoked, the newest first.")
    async def access_tokens(self, info: Info) -> list[AccessToken]:
        return [AccessToken.of(view) for view in await my_tokens(await info.context.viewer())]

    async def _own(self, info: Info) -> AccountView:
        """The account, for whoever may read it."""
        (await info.context.viewer()).require(Permission.ACCOUNT_READ)
        return self.account


@strawberry.type
class ViewerQuery:
    @resolved("Who is asking. Without a valid token: UNAUTHENTICATED.")
    async def viewer(self, info: Info) -> Viewer:
        return Viewer.of(await info.context.account(), await info.context.viewer())
