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
from graphql_schema.dwellings.dwellings import Dwelling
from graphql_schema.dwellings.occupancies import OwnedDwelling

strawberry.enum(
    SessionState,
    description="What must be done before data can be read, in this order. Until READY, "
    "everything else is refused with the state as its code.",
)
strawberry.enum(Role, description="The role of an account.")
strawberry.enum(NotificationTopic, description="What residents can choose to be notified of.")
strawberry.enum(TokenScope, description="What a personal access token may read.")


@strawberry.type(description="A session, begun by one sign-in.")
class Session:
    id: strawberry.ID
    user_agent: str = strawberry.field(description="The user agent of the browser or app.")
    address: str | None = strawberry.field(description="The IP address of the sign-in.")
    created_at: datetime
    last_seen_at: datetime = strawberry.field(description="Accurate to five minutes.")
    expires_at: datetime
    current: bool = strawberry.field(description="Whether it is the session of this request.")

    @classmethod
    def of(cls, view: SessionView) -> "Session":
        return cls(
            id=global_id("Session", view.id),
            user_agent=view.user_agent,
            address=view.address,
            created_at=view.created_at,
            last_seen_at=view.last_seen_at,
            expires_at=view.expires_at,
            current=view.current,
        )


@strawberry.type(description="A personal access token: a program reads part of the viewer's data with it.")
class AccessToken:
    id: strawberry.ID
    name: str
    scopes: list[TokenScope]
    created_at: datetime
    expires_at: datetime | None = strawberry.field(description="Null: valid until it is revoked.")
    last_used_at: datetime | None = strawberry.field(description="Accurate to five minutes.")

    @classmethod
    def of(cls, view: AccessTokenView) -> "AccessToken":
        return cls(
            id=global_id("AccessToken", view.id),
            name=view.name,
            scopes=list(view.scopes),
            created_at=view.created_at,
            expires_at=view.expires_at,
            last_used_at=view.last_used_at,
        )


@strawberry.type(description="The channels by which the viewer is notified of one topic.")
class NotificationChoice:
    topic: NotificationTopic
    by_email: bool
    by_sms: bool


@strawberry.type(
    description="The signed-in account. Its personal data can be read in a "
    "session alone, not with an access token."
)
class Viewer:
    id: strawberry.ID
    state: SessionState
    account: strawberry.Private[AccountView]

    @classmethod
    def of(cls, account: AccountView, party: Party) -> "Viewer":
        return cls(id=global_id("Viewer", account.id), state=party.state, account=account)

    @resolved("The e-mail address used to sign in.")
    async def email(self, info: Info) -> str:
        return (await self._own(info)).email

    @resolved("`Mme`, `M.`; blank where it is not known.")
    async def civility(self, info: Info) -> str:
        return (await self._own(info)).civility

    @resolved("The first name.")
    async def first_name(self, info: Info) -> str:
        return (await self._own(info)).first_name

    @resolved("The last name.")
    async def last_name(self, info: Info) -> str:
        return (await self._own(info)).last_name

    @resolved("E.164: `+33639980012`.")
    async def phone(self, info: Info) -> str | None:
        return (await self._own(info)).phone_e164

    @resolved("Whether the number was confirmed by a code; SMS go to confirmed numbers alone.")
    async def phone_confirmed(self, info: Info) -> bool:
        return (await self._own(info)).phone_confirmed

    @resolved("The language of messages and labels.")
    async def language(self, info: Info) -> Language:
        return language_of(await self._own(info))

    @resolved("The role of the account.")
    async def role(self, info: Info) -> Role:
        return (await self._own(info)).role

    @resolved("Whether signing in requires a code of an authenticator app.")
    async def second_factor(self, info: Info) -> bool:
        return (await self._own(info)).second_factor

    @resolved("The version of the terms of use in force, which `acceptTerms` names.")
    async def terms_version(self, info: Info) -> str | None:
        return (await self._own(info)).terms_version

    @resolved("The present ones first.")
    async def dwellings(self, info: Info) -> list[Dwelling]:
        return [Dwelling.of(view) for view in await my_dwellings(await info.context.viewer())]

    @resolved("The dwellings that the viewer owns and does not live in, without their data.")
    async def owned_dwellings(self, info: Info) -> list[OwnedDwelling]:
        viewer, now = await info.context.viewer(), info.context.now
        return [OwnedDwelling.of(view) for view in await owned_dwellings(viewer, now=now)]

    @resolved("The notification channels, topic by topic.")
    async def notifications(self, info: Info) -> list[NotificationChoice]:
        return [
            NotificationChoice(topic=choice.topic, by_email=choice.by_email, by_sms=choice.by_sms)
            for choice in await notification_choices(await info.context.viewer())
        ]

    @resolved("Whether the viewer has subscribed to the operator's newsletter.")
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
    @resolved("The signed-in account. Without a valid token: UNAUTHENTICATED.")
    async def viewer(self, info: Info) -> Viewer:
        return Viewer.of(await info.context.account(), await info.context.viewer())
