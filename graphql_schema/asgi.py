"""The app that an ASGI server runs: the API, the gateways' door, files, health, and the security headers.

In: settings, or for tests an application that is already open. Out: a Starlette app. The one rule: the
application is opened in the app's lifespan, once per process, and shared by all requests. The periodic jobs
run beside them, once among all processes of an installation, unless SUBMETER_WITHOUT names them.

    uvicorn --factory graphql_schema.asgi:create_app_from_environment
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send

from core.bootstrap import Application, begin_telemetry, open_application
from core.services.operation.jobs import jobs_work
from core.services.operation.supervisor import supervise
from core.services.telegrams.intake_queue import IntakeQueue
from core.settings import JOBS, Settings, from_environment
from graphql_schema import deliveries, document_files, downloads, exports, verification
from graphql_schema.graphiql import page
from graphql_schema.http import GraphQLOverHttp
from graphql_schema.monitoring import HEALTH_ROUTES, monitored
from graphql_schema.request_log import RequestLog
from graphql_schema.requests.documents import DocumentCache
from graphql_schema.requests.executor import Turns
from graphql_schema.requests.trusted import Documents
from graphql_schema.schema import schema

Clock: TypeAlias = Callable[[], datetime]

DOCUMENTS = DocumentCache()
"""Of the process: what a text means depends on the schema alone."""

COLLECTED_EVERY = 10_000, 20, 20
"""Objects between two looks for unused cycles, and how many of them until older objects are looked at. By
default 700: an answer with a year of days was interrupted by several, a tenth of its time."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Personal data is not cached, and no other site can frame the page or gets its address as referrer."""


_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


def utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(settings: Settings, *, pages: Sequence[Route] = ()) -> Starlette:
    """The app of a server; it opens the application at start-up and closes it at shutdown.

    `pages` are routes that it has besides: the demo's.
    """
    stop = asyncio.Event()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_application(settings, shared=True) as application:
            _give(app, application)
            # What was made by now lasts as long as the process: a full collection need not walk through it,
            # during which no thread answers anybody.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*COLLECTED_EVERY)
            async with monitored(application, clock=utc_now, stop=stop):
                works = [] if JOBS in settings.without else [jobs_work(utc_now)]
                working = asyncio.create_task(supervise(application, works, stop))
                try:
                    yield
                finally:
                    stop.set()
                    await asyncio.wait([working])

    return _app(settings, utc_now, lifespan, stopping=stop.is_set, pages=pages)


def create_app_from_environment() -> Starlette:
    """The app of a server whose settings are in the environment (`SUBMETER_*`)."""
    settings = from_environment()
    begin_telemetry(settings)
    return create_app(settings)


def build_app(application: Application, *, clock: Clock = utc_now) -> Starlette:
    """The app around an application that the caller opened and closes."""
    app = _app(application.settings, clock)
    _give(app, application)
    return app


def _give(app: Starlette, application: Application) -> None:
    """What the requests share."""
    app.state.application = application
    app.state.intake = IntakeQueue(application)


class SecurityHeaders:
    """Adds `HEADERS` to every HTTP answer that does not say otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                given = {name for name, _ in headers}
                headers.extend((name, value) for name, value in _RAW_HEADERS if name not in given)
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def home(_request: Request) -> Response:
    """Redirects the bare host name to GraphiQL."""
    return RedirectResponse("/graphql")


def _for_other_sites(origins: Collection[str], *methods: str) -> list[Middleware]:
    """What lets pages of other sites call the API: of those that are named, with a session's cookie."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=methods or ["GET", "POST"],
            allow_headers=["Authorization", "If-None-Match", "X-Request-ID"],
            allow_credentials=True,
            expose_headers=["ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"],
        )
    ]


def _app(
    settings: Settings,
    clock: Clock,
    lifespan: Lifespan[Starlette] | None = None,
    *,
    stopping: Callable[[], bool] = lambda: False,
    pages: Sequence[Route] = (),
) -> Starlette:
    graphql = GraphQLOverHttp(schema.core)
    door = deliveries.DeliveryDoor()
    routes = [
        Route("/", home),
        Route("/graphql", graphql, middleware=_for_other_sites(settings.graphql.origins)),
        Route(deliveries.PATH, door.endpoint, methods=["POST"]),
        Route(downloads.GUIDE_PATH, downloads.guide),
        Route(
            exports.PATH,
            exports.export,
            methods=["POST"],
            middleware=_for_other_sites(settings.graphql.origins),
        ),
        Route(
            document_files.UPLOAD_PATH,
            document_files.UploadDoor().endpoint,
            methods=["PUT", "OPTIONS"],
            middleware=_for_other_sites(settings.graphql.origins, "PUT"),
        ),
        Route(
            document_files.DOWNLOAD_PATH,
            document_files.download,
            middleware=_for_other_sites(settings.graphql.origins),
        ),
        Route(downloads.PATH, downloads.download, middleware=_for_other_sites(settings.graphql.origins)),
        Route(verification.PATH, verification.ask),
        Route(verification.CODE_PATH, verification.verify, methods=["GET", "POST"]),
        Route(page.PATH, page.asset),
        *HEALTH_ROUTES,
        *pages,
    ]
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(RequestLog, paths=[route.path for route in routes]),
            Middleware(SecurityHeaders),
        ],
        lifespan=lifespan,
    )
    app.state.clock = clock
    app.state.documents = Documents(schema.core, settings.graphql.documents, DOCUMENTS)
    app.state.turns = Turns()
    app.state.stopping = stopping
    return app
