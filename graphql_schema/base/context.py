"""The context of a request: the application, the time, the viewer, and the operation's loaders.

One context per request, and one operation per request. The one rule: `now` is read once, so that all
fields of an answer have the same time.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import strawberry
from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response

from core.access import Viewer, Visitor
from core.bootstrap import Application
from core.errors import InvalidInput, Unauthenticated
from core.language import Language
from core.services.auth.sessions import AccountView, kept_account, my_account, viewer_of_token
from core.services.telegrams.intake_queue import IntakeQueue
from graphql_schema.base.credentials import DEVICE_COOKIE, NOBODY, Credentials
from graphql_schema.base.languages import preferred
from graphql_schema.base.loaders import Loaders

T = TypeVar("T")


class AnswerHeaders(Response):
    """Headers and cookies of an answer whose body is not known yet."""

    def __init__(self) -> None:
        self.raw_headers = []


@dataclass(slots=True)
class Context:
    """The context of one operation.

    Attributes:
        request: the HTTP request.
        response: where headers and cookies of the answer go.
        application: settings and drivers.
        now: the time of the request, aware UTC.
        credentials: the token that was sent.
        loaders: the loaders of this operation and viewer.
        refused: whether a mutation of the operation was refused.
        shows_homes: whether the operation shows the viewer's homes, which are then read with the viewer.
        shows_screens: whether it shows dashboards and the number of alerts, which are then read together.
    """

    request: Request
    response: Response
    application: Application
    now: datetime
    credentials: Credentials
    loaders: Loaders = field(init=False)
    refused: bool = field(init=False, default=False)
    shows_homes: bool = field(init=False, default=False)
    shows_screens: bool = field(init=False, default=False)
    _viewer: asyncio.Future[Viewer] | None = field(init=False, default=None)
    _account: asyncio.Future[AccountView] | None = field(init=False, default=None)
    _readers_language: Language | None = field(init=False, default=None)
    _sign_in_tried: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.loaders = self._new_loaders()

    async def viewer(self) -> Viewer:
        """Who is asking; looked up once, at the first field that needs it.

        Raises:
            Unauthenticated: no token, or one that is unknown, expired or revoked.
        """
        if self._viewer is None:
            self._viewer = asyncio.get_running_loop().create_future()
            await _settle(self._viewer, self._find_viewer())
        return await self._viewer

    @property
    def known_viewer(self) -> Viewer | None:
        """The viewer, if it was looked up; None if that is still to be done, or has failed."""
        return _known(self._viewer)

    async def account(self) -> AccountView:
        """The viewer's account; looked up once.

        Raises:
            Unauthenticated: no viewer, or one without an account.
        """
        if self._account is None:
            self._account = asyncio.get_running_loop().create_future()
            await _settle(self._account, self._find_account())
        return await self._account

    @property
    def known_account(self) -> AccountView | None:
        """The viewer's account, if it was read with the viewer; None if it is still to be looked up."""
        viewer = self.known_viewer
        return None if viewer is None else kept_account(self.application, viewer)

    async def language(self, asked_for: Language | None) -> Language:
        """The language asked for; by default that of the viewer's account, or else of `Accept-Language`."""
        if asked_for is not None:
            return asked_for
        if self.readers_language is None:
            try:
                self._speak(language_of(await self.account()))
            except Unauthenticated:
                self._speak(preferred(self.request.headers.get("accept-language", "")))
        assert self._readers_language is not None
        return self._readers_language

    @property
    def readers_language(self) -> Language | None:
        """The same without one that is asked for; None while it is not known."""
        if self._readers_language is None:
            account = self.known_account
            if account is not None:
                self._speak(language_of(account))
            elif self.credentials.token is None:
                self._speak(preferred(self.request.headers.get("accept-language", "")))
        return self._readers_language

    def _speak(self, language: Language) -> None:
        self._readers_language = self.request.state.language = language

    def try_sign_in(self) -> None:
        """Allow one password, serial or code per operation, so that aliases cannot try thirty.

        Raises:
            InvalidInput: the operation has tried one before.
        """
        if self._sign_in_tried:
            raise InvalidInput("An operation signs in or answers a registration once.")
        self._sign_in_tried = True

    def sign_in(self, viewer: Viewer, token: str) -> None:
        """Run the rest of the operation as this viewer; discard what was loaded for another."""
        self._become(Credentials(token, by_cookie=False))
        self._viewer = asyncio.get_running_loop().create_future()
        self._viewer.set_result(viewer)

    def forget_viewer(self) -> None:
        """Look the viewer up again in the rest of the operation, since its permissions have changed."""
        self._become(self.credentials)

    @property
    def visitor(self) -> Visitor:
        """The client, by its connection (behind a proxy, see docs/accounts.md)."""
        client = self.request.client
        return Visitor(
            address=client.host[:45] if client else None,
            user_agent=self.request.headers.get("user-agent", ""),
        )

    @property
    def intake(self) -> IntakeQueue:
        """The queue of this process, in which a gateway's delivery waits for its commit."""
        queue: IntakeQueue = self.request.app.state.intake
        return queue

    @property
    def device_token(self) -> str | None:
        return self.request.cookies.get(DEVICE_COOKIE)

    def sign_out(self) -> None:
        """Run the rest of the operation without a viewer."""
        self._become(NOBODY)

    def _become(self, credentials: Credentials) -> None:
        self.credentials, self._viewer, self._account = credentials, None, None
        self._readers_language = None
        self.loaders = self._new_loaders()

    def _new_loaders(self) -> Loaders:
        return Loaders(self.viewer, lambda: self.visitor, self.application.registry.leak_thresholds, self.now)

    @property
    def _only_reads(self) -> bool:
        """Whether the operation is known to be a query."""
        return getattr(self.request.state, "operation", None) is OperationType.QUERY

    async def _find_viewer(self) -> Viewer:
        if self.credentials.token is None:
            raise Unauthenticated("Sign in first, or send a token: Authorization: Bearer ...")
        return await viewer_of_token(
            self.application,
            self.credentials.token,
            keeps=self._only_reads,
            homes=self.shows_homes,
            now=self.now,
        )

    async def _find_account(self) -> AccountView:
        return await my_account(self.application, await self.viewer())


Info: TypeAlias = strawberry.Info[Context, None]


async def _settle(looked_up: "asyncio.Future[T]", looking: Coroutine[Any, Any, T]) -> None:
    """Look up what others may wait for already; in this task, since a new one costs as much as a field."""
    try:
        looked_up.set_result(await looking)
    except Exception as failure:  # noqa: BLE001 - raised at whoever asks
        looked_up.set_exception(failure)
    except BaseException:
        looked_up.cancel()
        raise


def _known(looked_up: "asyncio.Future[T] | None") -> T | None:
    """What was looked up; None if that is still to be done, or has failed."""
    if looked_up is None or not looked_up.done() or looked_up.cancelled():
        return None
    return None if looked_up.exception() is not None else looked_up.result()


def language_of(account: AccountView) -> Language:
    """An account's language; French, the portal's default, if it is not a supported one."""
    return Language(account.language) if account.language in set(Language) else Language.FR
