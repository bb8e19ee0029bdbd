"""The viewer: the signed-in account, its dwellings, sessions and access tokens."""

from datetime import datetime
from typing import Any, cast

import strawberry

from core.access import Permission, Role
from core.access import Viewer as Party
from core.access.sessions import SessionState, TokenScope
from core.services.accounts.access_tokens import AccessTokenView, my_tokens
from core.services.accounts.account import NotificationTopic, notification_choices
from core.services.alerts.slow_leak_hints import slow_leak_hints_wished
from core.services.auth.sessions import AccountView, SessionView, my_sessions
from core.services.occupancy.dwelling_request_views import my_dwelling_requests
from core.services.places.dwellings import my_dwellings, owned_dwellings
from core.services.privacy.consent_log import consent_history, consents_by_purpose
from core.services.privacy.exports import my_exports
from core.services.privacy.grants import my_grants
from core.services.privacy.household import my_household
from graphql_schema.base.context import Info, language_of
from graphql_schema.base.enums import Civility, Language
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import PAGE, checked_first, number_of_cursor
from graphql_schema.base.relay import Node, global_id
from graphql_schema.base.views import shown
from graphql_schema.dwellings.dwellings import Dwelling
from graphql_schema.managers.dwelling_requests import DwellingRequest
from graphql_schema.privacy.grants import ThirdPartyGrant
from graphql_schema.privacy.household import HouseholdMember
from graphql_schema.privacy.logs import ENTRY, ConsentLogEntryConnection, PurposeConsent
from graphql_schema.privacy.own_data import DataExport
from graphql_schema.registration.operators import Operator, TermsOfUse

strawberry.enum(
    SessionState,
    description="What must be done before data can be read, in this order. Until READY, every other "
    "operation is refused with the state as its error code.",
)
strawberry.enum(Role, description="The role of an account; it decides what the account may do.")
strawberry.enum(NotificationTopic, description="A topic that residents can choose notifications for.")
strawberry.enum(
    TokenScope,
    description="What a personal access token may read. READ_MONTHLY: dwellings and monthly consumption. "
    "READ_DAILY: also daily consumption, meters and readings. ALERTS: dwellings and alerts. "
    "DOCUMENTS: dwellings and their documents. ANALYSES: the statistics that analysts read.",
)


@strawberry.type(description="An open session; each sign-in opens one.")
class Session(Node):
    user_agent: str = strawberry.field(description="The user agent of the browser or app.")
    address: str | None = strawberry.field(
        description="The IP address of the sign-in; null if it is not known."
    )
    created_at: datetime
    last_seen_at: datetime = strawberry.field(description="The last request, accurate to five minutes.")
    expires_at: datetime
    current: bool = strawberry.field(description="Whether this is the session of the request.")

    @classmethod
    def of(cls, view: SessionView) -> "Session":
        return shown(cls, view, id=global_id("Session", view.id))


@strawberry.type(description="A personal access token, with which a program reads part of the viewer's data.")
class AccessToken(Node):
    name: str
    scopes: list[TokenScope]
    created_at: datetime
    expires_at: datetime | None = strawberry.field(description="Null if it is valid until it is revoked.")
    last_used_at: datetime | None = strawberry.field(
        description="The last use, accurate to five minutes; null if it was never used."
    )

    @classmethod
    def of(cls, view: AccessTokenView) -> "AccessToken":
        return shown(cls, view, id=global_id("AccessToken", view.id), scopes=list(view.scopes))


@strawberry.type(description="The channels by which the viewer is notified of a topic.")
class NotificationChoice:
    topic: NotificationTopic
    by_email: bool
    by_sms: bool
    sms_paused: bool = strawberry.field(
        description="Whether SMS are on and wait until the number is confirmed: it was changed, or never was."
    )


@strawberry.type(
    description="The signed-in account. Its personal data can be read in a session only, not with an "
    "access token."
)
class Viewer(Node):
    state: SessionState
    account: strawberry.Private[AccountView]
    party: strawberry.Private[Party]

    @classmethod
    def of(cls, account: AccountView, party: Party) -> "Viewer":
        return cls(id=global_id("Viewer", account.id), state=party.state, account=account, party=party)

    @resolved("The e-mail address used to sign in.")
    def email(self) -> str:
        return self._own.email

    @resolved("The form of address; null if it is not known.")
    def civility(self) -> Civility | None:
        return Civility.of_text(self._own.civility)

    @resolved("The first name.")
    def first_name(self) -> str:
        return self._own.first_name

    @resolved("The last name.")
    def last_name(self) -> str:
        return self._own.last_name

    @resolved("The phone number in E.164 format, `+33639980012`; null if there is none.")
    def phone(self) -> str | None:
        return self._own.phone_e164

    @resolved("Whether the phone number was confirmed by a code. SMS are sent to confirmed numbers only.")
    def phone_confirmed(self) -> bool:
        return self._own.phone_confirmed

    @resolved("The language of messages and labels.")
    def language(self) -> Language:
        return language_of(self._own)

    @resolved("The role of the account.")
    def role(self) -> Role:
        return self._own.role

    @resolved("Whether signing in requires a code of an authenticator app.")
    def second_factor(self) -> bool:
        return self._own.second_factor

    @resolved(
        "The version of the terms of use in force, to be sent with `acceptTerms`; null if there are none."
    )
    def terms_version(self) -> str | None:
        return self._own.terms_version

    @resolved("The terms of use in force; null if there are none. They can be read before they are accepted.")
    def terms(self, info: Info) -> TermsOfUse | None:
        return TermsOfUse.of(info.context.application.registry.profile(self._own.operator_code))

    @resolved("The viewer's dwellings, current occupancies first, then those that have ended.")
    async def dwellings(self, info: Info) -> list[Dwelling]:
        return [Dwelling.of(view) for view in await my_dwellings(await info.context.viewer())]

    @resolved("The dwellings that the viewer owns and does not live in: their places.")
    async def owned_dwellings(self, info: Info) -> list[Dwelling]:
        viewer, now = await info.context.viewer(), info.context.now
        return [Dwelling.of(view) for view in await owned_dwellings(viewer, now=now)]

    @resolved("The requests for a dwelling that a manager has not decided yet, oldest first.")
    async def dwelling_requests(self, info: Info) -> list[DwellingRequest]:
        views = await my_dwelling_requests(await info.context.viewer())
        return [DwellingRequest.of(view) for view in views]

    @resolved(
        "The metering company of the account, with its contact, its help and its privacy notice; null if "
        "its profile is not installed any more."
    )
    def operator(self, info: Info) -> Operator | None:
        application = info.context.application
        profile = application.registry.profile(self.account.operator_code)
        return None if profile is None else Operator.of(application, profile)

    @resolved("The notification channels of each topic.")
    async def notifications(self, info: Info) -> list[NotificationChoice]:
        return [
            shown(NotificationChoice, choice)
            for choice in await notification_choices(await info.context.viewer())
        ]

    @resolved("Whether the viewer has subscribed to the operator's newsletter.")
    def newsletter(self) -> bool:
        return self._own.newsletter

    @resolved("Whether the viewer has asked for hints about slow leaks; off by default.")
    async def slow_leak_hints(self, info: Info) -> bool:
        return await slow_leak_hints_wished(await info.context.viewer())

    @resolved("The open sessions, most recently used first.")
    async def sessions(self, info: Info) -> list[Session]:
        views = await my_sessions(await info.context.viewer(), now=info.context.now)
        return [Session.of(view) for view in views]

    @resolved("The personal access tokens that were not revoked, newest first; expired ones are included.")
    async def access_tokens(self, info: Info) -> list[AccessToken]:
        return [AccessToken.of(view) for view in await my_tokens(await info.context.viewer())]

    @resolved("The archives of the viewer's own data, the newest first; expired ones are gone.")
    async def data_exports(self, info: Info) -> list[DataExport]:
        views = await my_exports(await info.context.viewer(), now=info.context.now)
        return [DataExport.of(view) for view in views]

    @resolved("The providers whom the viewer lets or let read, the newest first.")
    async def third_party_grants(self, info: Info) -> list[ThirdPartyGrant]:
        return [ThirdPartyGrant.of(view) for view in await my_grants(await info.context.viewer())]

    @resolved("Whom the viewer lets see a dwelling, and the open invitations, oldest first.")
    async def household(self, info: Info) -> list[HouseholdMember]:
        views = await my_household(await info.context.viewer(), now=info.context.now)
        return [HouseholdMember.of(view) for view in views]

    @resolved("The present answer for each purpose that is agreed to on its own.")
    async def consents(self, info: Info) -> list[PurposeConsent]:
        views = await consents_by_purpose(info.context.application, await info.context.viewer())
        return [PurposeConsent.of(view) for view in views]

    @resolved("Every answer to a question of consent, the newest first.")
    async def consent_history(
        self, info: Info, first: int = PAGE, after: str | None = None
    ) -> ConsentLogEntryConnection:
        size, place = checked_first(first), number_of_cursor(after, ENTRY)
        context = info.context
        page = await consent_history(context.application, await context.viewer(), first=size, after=place)
        return ConsentLogEntryConnection.of(page, after=after, place=place)

    @property
    def _own(self) -> AccountView:
        """The account, if the viewer may read it."""
        self.party.require(Permission.ACCOUNT_READ)
        return self.account


@strawberry.type
class ViewerQuery:
    @resolved("The signed-in account. UNAUTHENTICATED without a valid token.")
    def viewer(self, info: Info) -> Viewer:
        account, viewer = info.context.known_account, info.context.known_viewer
        if account is None or viewer is None:
            looked_up: Any = _looked_up(info)
            return cast("Viewer", looked_up)  # strawberry awaits it
        return Viewer.of(account, viewer)


async def _looked_up(info: Info) -> Viewer:
    return Viewer.of(await info.context.account(), await info.context.viewer())
