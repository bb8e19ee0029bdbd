"""`submeter serve`: the GraphQL API, served by uvicorn.

In: settings, a port, a number of processes. Out: a server until it is stopped, and exit status 0.
The one rule: a stop lets requests that have begun come to their end, within SUBMETER_STOP_SECONDS.
"""

import asyncio
import logging
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import uvicorn
from prometheus_client import start_http_server
from starlette.applications import Starlette

from core import bootstrap
from core.settings import IN_MEMORY, PREFIX, Settings, from_environment
from core.telemetry import metrics
from graphql_schema.monitoring import listen
from submeter.application import refuse_half_rotated
from submeter.output import AtMost, Port, fail


def serve(
    *,
    host: str | None = None,
    port: Port | None = None,
    workers: AtMost = 1,
    without: tuple[Literal["jobs"], ...] = (),
) -> None:
    """Serve the GraphQL API, and run the periodic jobs: once among all servers and workers.

    Args:
        host: address to listen on (default: SUBMETER_HOST, else 127.0.0.1).
        port: port to listen on (default: SUBMETER_PORT, else 8000).
        workers: number of processes; more than one requires PostgreSQL and SUBMETER_LIMITS_URL.
        without: leave the periodic jobs to other processes.
    """
    settings = from_environment()
    if workers > 1 and settings.limits_url == IN_MEMORY:
        fail(
            "Several workers need a shared store for rate limits: set SUBMETER_LIMITS_URL.",
            code="SETTINGS",
        )
    refuse_half_rotated(settings)
    os.environ[f"{PREFIX}HOST"] = host or settings.host  # read by the app, with the next two
    os.environ[f"{PREFIX}PORT"] = str(port or settings.port)
    os.environ[f"{PREFIX}WITHOUT"] = " ".join(sorted(settings.without.union(without)))
    bootstrap.begin_telemetry(settings)
    asyncio.run(bootstrap.migrate(settings))
    if settings.metrics_host_and_port is not None:
        listen(settings).close()  # reported now, in one line
    if workers == 1:
        _run(_Server(uvicorn.Config(**_options(settings, host, port))))
        return
    with _metrics_of_all(settings):
        uvicorn.run(**_options(settings, host, port), workers=workers)


def serve_here(
    settings: Settings, *, app: Callable[[], Starlette], when_ready: Callable[[str], None]
) -> None:
    """Serve an app in this process; `when_ready` is called with the URL once it listens."""
    config = uvicorn.Config(**{**_options(settings, None, None), "app": app}, log_level="warning")
    logging.getLogger("submeter.access").setLevel(logging.WARNING)
    _run(_ReadyServer(config, when_ready))


def _run(server: uvicorn.Server) -> None:
    server.run()
    if not server.started:
        raise SystemExit(1)


class _Server(uvicorn.Server):
    """Ends with exit status 0 at a signal, where uvicorn's own would be ended by it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _ReadyServer(_Server):
    def __init__(self, config: uvicorn.Config, when_ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._when_ready(f"http://{self.config.host}:{self.config.port}")


@contextmanager
def _metrics_of_all(settings: Settings) -> Iterator[None]:
    """Serve the metrics of the processes within, added up; they count in files of a folder for this."""
    if settings.metrics_host_and_port is None:
        yield
        return
    host, port = settings.metrics_host_and_port
    with tempfile.TemporaryDirectory(prefix="submeter-metrics-") as folder:
        os.environ[metrics.FOLDER_VARIABLE] = folder
        server, thread = start_http_server(port, host, metrics.registry_of_children(Path(folder)))
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _options(settings: Settings, host: str | None, port: int | None) -> dict[str, Any]:
    return {
        "app": "graphql_schema.asgi:create_app_from_environment",
        "factory": True,
        "host": host or settings.host,
        "port": port or settings.port,
        "loop": "auto",
        "http": "auto",
        "server_header": False,
        "log_config": None,  # as the application logs
        "access_log": False,  # one line a request by graphql_schema.request_log, without the query string
        "timeout_graceful_shutdown": settings.stop_seconds,
    }
