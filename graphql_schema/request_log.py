"""What an HTTP request leaves behind: an id, one log line, two metrics and a span; nothing that it contained.

In: an ASGI app. Out: the same answers, each with its `X-Request-ID`. The one rule: the path is one of the
app's own or `other`, the query string is nowhere, and neither is the visitor's address.
"""

import logging
import re
import secrets
import time
from collections.abc import Iterable
from functools import lru_cache

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.telemetry import logs, metrics, tracing

HEADER = "X-Request-ID"
_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FREQUENT = frozenset({"/health", "/health/live", "/health/ready", "/metrics"})
"""Asked for every few seconds by machines: logged at DEBUG."""

_requests = lru_cache(maxsize=1_024)(metrics.HTTP_REQUESTS.labels)
_seconds = lru_cache(maxsize=64)(metrics.HTTP_SECONDS.labels)


class RequestLog:
    """Logs, counts and traces each request.

    Args:
        app: the app within.
        paths: the paths that are named; all others are `other`.
    """

    def __init__(self, app: ASGIApp, paths: Iterable[str]) -> None:
        self._app = app
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(Headers(scope=scope).get(HEADER, ""))
        path = scope["path"] if scope["path"] in self._paths else "other"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        status = 500  # unless a response begins

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        begun = time.perf_counter()
        bound = structlog.contextvars.bind_contextvars(request_id=request_id)
        attributes: dict[str, tracing.Attribute] = {"http.request.method": method, "http.route": path}
        with tracing.span(f"{method} {path}", attributes) as span:
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                seconds = time.perf_counter() - begun
                span.note("http.response.status_code", status)
                _requests(method, path, str(status)).inc()
                _seconds(path).observe(seconds)
                logs.log_request(
                    logging.DEBUG if path in _FREQUENT else logging.INFO,
                    request_id,
                    method=method,
                    path=path,
                    status=status,
                    milliseconds=round(seconds * 1000, 1),
                )
                structlog.contextvars.reset_contextvars(**bound)


def request_id_of(given: str) -> str:
    """The id that a proxy gave, if it is a plain one without a telephone number or token; else a new one."""
    return given if _GIVEN.fullmatch(given) and logs.clean(given) == given else secrets.token_hex(8)
