"""What machines ask of a process: whether it lives, whether it is ready, and its metrics.

In: an open application. Out: routes, and a server of its own for the metrics. The one rule: `/metrics` is
never on the port of the API: it is served at SUBMETER_METRICS_ADDRESS, which only the operator's machines
reach, and the health routes with it; a worker has no other port.

    /health         200 while the database answers (as ever)
    /health/live    200 while the process answers: nothing else is asked
    /health/ready   200 while the database answers, its tables are current and the process is not stopping
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import TypeAlias

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.bootstrap import Application
from core.services.operation.samples import take_samples
from core.services.operation.supervisor import pause
from core.services.shared.health import database_answers, is_ready
from core.settings import Settings, SettingsError
from core.telemetry import metrics

SAMPLE_EVERY_S = 15.0

Clock: TypeAlias = Callable[[], datetime]


async def health(_request: Request) -> Response:
    """200 if the database responds, 503 if it does not."""
    if await database_answers():
        return JSONResponse({"status": "ok"})
    return JSONResponse({"status": "database unreachable"}, status_code=503)


async def live(_request: Request) -> Response:
    """200 as long as the process answers."""
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> Response:
    """200 if requests or telegrams can be given to this process, 503 with the reason if not."""
    state = request.app.state
    fault = "stopping" if state.stopping() else await is_ready(state.application)
    return JSONResponse({"status": fault or "ok"}, status_code=503 if fault else 200)


async def _metrics(request: Request) -> Response:
    await take_samples(now=request.app.state.clock())
    return Response(metrics.text_of(), media_type=metrics.CONTENT_TYPE)


HEALTH_ROUTES = [Route("/health", health), Route("/health/live", live), Route("/health/ready", ready)]


def monitoring_app(application: Application, *, clock: Clock, stopping: Callable[[], bool]) -> Starlette:
    """The app of the metrics' port."""
    app = Starlette(routes=[*HEALTH_ROUTES, Route("/metrics", _metrics)])
    app.state.application = application
    app.state.clock = clock
    app.state.stopping = stopping
    return app


@asynccontextmanager
async def monitored(
    application: Application, *, clock: Clock, stop: asyncio.Event
) -> AsyncIterator[tuple[str, int] | None]:
    """Serve the metrics within the block, if the settings say where; gives the address that is listened on.

    A process that is one of several behind a port samples its gauges instead: its parent serves them all.
    """
    address = application.settings.metrics_host_and_port
    if address is None:
        yield None
        return
    if metrics.is_one_of_several():
        sampling = asyncio.create_task(_sample(clock, stop))
        try:
            yield None
        finally:
            sampling.cancel()
            await asyncio.wait([sampling])
        return
    listening = listen(application.settings)
    app = monitoring_app(application, clock=clock, stopping=stop.is_set)
    server = _InnerServer(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield listening.getsockname()[:2]
    finally:
        server.should_exit = True
        await asyncio.wait([serving])


def listen(settings: Settings) -> socket.socket:
    """A socket at the metrics' address.

    Raises:
        SettingsError: it cannot be listened on.
    """
    address = settings.metrics_host_and_port
    assert address is not None
    try:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        return socket.create_server(address, family=family)
    except OSError as failure:
        raise SettingsError(
            f"is {settings.metrics_address}, which cannot be listened on: {failure.strerror or failure}",
            field="SUBMETER_METRICS_ADDRESS",
        ) from failure


async def _sample(clock: Clock, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await take_samples(now=clock())
        await pause(stop, SAMPLE_EVERY_S)


class _InnerServer(uvicorn.Server):
    """A server beside another, or within a worker: signals are theirs."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
