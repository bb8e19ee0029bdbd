"""`submeter serve`: the GraphQL API, served by uvicorn."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from core import bootstrap
from core.settings import IN_MEMORY, Settings, from_environment
from submeter.output import AtMost, Port, fail


def serve(*, host: str | None = None, port: Port | None = None, workers: AtMost = 1) -> None:
    """Serve the GraphQL API.

    Args:
        host: address to listen on (default: SUBMETER_HOST, else 127.0.0.1).
        port: port to listen on (default: SUBMETER_PORT, else 8000).
        workers: number of processes; more than one requires PostgreSQL and SUBMETER_LIMITS_URL.
    """
    settings = from_environment()
    if workers > 1 and settings.limits_url == IN_MEMORY:
        fail(
            "Several workers need a shared store for rate limits: set SUBMETER_LIMITS_URL.",
            code="SETTINGS",
        )
    asyncio.run(bootstrap.migrate(settings))
    uvicorn.run(**_options(settings, host, port), workers=workers)


def serve_here(settings: Settings, *, port: int | None, when_ready: Callable[[str], None]) -> None:
    """Serve in this process; `when_ready` is called with the URL once it listens."""
    config = uvicorn.Config(**_options(settings, None, port), log_level="warning")
    server = _ReadyServer(config, when_ready)
    server.run()
    if not server.started:
        raise SystemExit(1)


class _ReadyServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, when_ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._when_ready(f"http://{self.config.host}:{self.config.port}")


def _options(settings: Settings, host: str | None, port: int | None) -> dict[str, Any]:
    return {
        "app": "graphql_schema.asgi:create_app_from_environment",
        "factory": True,
        "host": host or settings.host,
        "port": port or settings.port,
        "loop": "auto",
        "http": "auto",
        "server_header": False,
    }
