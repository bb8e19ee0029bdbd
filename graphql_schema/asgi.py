"""The app that an ASGI server runs: `/graphql`, `/telegrams`, `/health`, and the security headers of all.

In: settings, or for tests an application that is already open. Out: a Starlette app. The one rule: the
application is opened in the app's lifespan, once per process, and shared by all requests.

    uvicorn --factory graphql_schema.asgi:create_app_from_environment
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send

from core.bootstrap import Application, open_application
from core.services.alerts.missing_data import raise_missing_data
from core.services.privacy.retention import purge
from core.services.shared.health import database_answers
from core.services.telegrams.intake_queue import IntakeQueue
from core.settings import Settings, from_environment
from graphql_schema import deliveries
from graphql_schema.http import GraphQLOverHttp
from graphql_schema.schema import schema

Clock: TypeAlias = Callable[[], datetime]

PERIODIC_JOBS_EVERY = timedelta(hours=1)

_log = logging.getLogger(__name__)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Personal data is not cached, and no other site can frame the page or gets its address as referrer."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(settings: Settings) -> Starlette:
    """The app of a server; it opens the application at start-up and closes it at shutdown."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_application(settings, shared=True) as application:
            _give(app, application)
            periodic_jobs = asyncio.create_task(run_periodic_jobs(settings, utc_now))
            try:
                yield
            finally:
                periodic_jobs.cancel()
                await asyncio.wait([periodic_jobs])

    return _app(utc_now, lifespan)


async def run_periodic_jobs(settings: Settings, clock: Clock) -> None:
    """Jobs that no request triggers, now and every hour: missing-data alerts, and retention."""
    while True:
        for job in (raise_missing_data, partial(purge, settings)):
            try:
                await job(now=clock())
            except Exception:  # noqa: BLE001 - a failed job must not stop the server
                _log.exception("A periodic job failed; it is retried in an hour.")
        await asyncio.sleep(PERIODIC_JOBS_EVERY.total_seconds())


def create_app_from_environment() -> Starlette:
    """The app of a server whose settings are in the environment (`SUBMETER_*`)."""
    return create_app(from_environment())


def build_app(application: Application, *, clock: Clock = utc_now) -> Starlette:
    """The app around an application that the caller opened and closes."""
    app = _app(clock)
    _give(app, application)
    return app


def _give(app: Starlette, application: Application) -> None:
    """What the requests share."""
    app.state.application = application
    app.state.intake = IntakeQueue(application)


class SecurityHeaders:
    """Adds `HEADERS` to every HTTP answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def home(_request: Request) -> Response:
    """Redirects the bare host name to GraphiQL."""
    return RedirectResponse("/graphql")


async def health(_request: Request) -> Response:
    """200 if the database responds, 503 if it does not."""
    if await database_answers():
        return JSONResponse({"status": "ok"})
    return JSONResponse({"status": "database unreachable"}, status_code=503)


def _app(clock: Clock, lifespan: Lifespan[Starlette] | None = None) -> Starlette:
    graphql = GraphQLOverHttp(schema, graphql_ide="graphiql", subscription_protocols=())
    app = Starlette(
        routes=[
            Route("/", home),
            Route("/graphql", graphql),
            Route(deliveries.PATH, deliveries.DeliveryDoor().endpoint, methods=["POST"]),
            Route("/health", health),
        ],
        middleware=[Middleware(SecurityHeaders)],
        lifespan=lifespan,
    )
    app.state.clock = clock
    return app
