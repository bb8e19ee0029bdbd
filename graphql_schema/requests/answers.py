"""What is done to an answer on its way out: its tag, what may keep it, and compression.

In: a request and its answer. Out: the same, or 304 for what the client has already. The one rule: what is
personal is kept by nobody but the program that asked: answers by a session's cookie are not stored at all
(computers are shared), those by a token or of a stranger may be kept if they are asked for again each time.

Only answers of queries are compressed. What must remain secret (tokens, codes, second factors) is answered
by mutations alone; so no length of a compressed answer can tell a secret to whoever chooses a part of the
request (BREACH), and other sites cannot make a browser ask with the cookie in any case (SameSite=Strict).
"""

import asyncio
import gzip
import hashlib
from typing import Final

from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response

from graphql_schema.base.credentials import Credentials

SMALLEST_COMPRESSED: Final = 1_024
LARGEST_AT_ONCE: Final = 65_536
"""Bytes that are compressed on the event loop, in a millisecond; more is done in a thread."""

VARY: Final = "Accept, Accept-Encoding, Accept-Language, Authorization, Cookie"
_LEVEL: Final = 5


async def finished(request: Request, response: Response) -> Response:
    """The answer as it is sent."""
    if getattr(request.state, "operation", None) is not OperationType.QUERY:
        return response
    language = getattr(request.state, "language", None)
    if language is not None:
        response.headers["Content-Language"] = language
    if request.method == "GET" and request.state.is_whole:
        _tag(request, response)
        if response.headers.get("etag") in _tags_of(request):
            return _not_modified(response)
    return await _compressed(request, response)


def _tag(request: Request, response: Response) -> None:
    headers = response.headers
    headers["Vary"] = VARY
    if Credentials.of(request).by_cookie:
        return  # no-store, as every answer that says nothing else
    headers["Cache-Control"] = "private, no-cache"
    headers["ETag"] = f'W/"{hashlib.blake2b(bytes(response.body), digest_size=16).hexdigest()}"'


def _tags_of(request: Request) -> frozenset[str]:
    """The tags that the client has, each in the weak form (RFC 9110 §13.1.2)."""
    tags = (tag.strip() for tag in request.headers.get("if-none-match", "").split(","))
    return frozenset(tag if tag.startswith("W/") else f"W/{tag}" for tag in tags if tag)


def _not_modified(response: Response) -> Response:
    kept = {
        name: value
        for name, value in response.headers.items()
        if name not in {"content-length", "content-type", "content-encoding"}
    }
    return Response(status_code=304, headers=kept)


async def _compressed(request: Request, response: Response) -> Response:
    body = bytes(response.body)
    if len(body) < SMALLEST_COMPRESSED or not _takes_gzip(request.headers.get("accept-encoding", "")):
        return response
    if len(body) <= LARGEST_AT_ONCE:
        response.body = _packed(body)
    else:
        response.body = await asyncio.to_thread(_packed, body)
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.body))
    response.headers.setdefault("Vary", "Accept-Encoding")
    return response


def _packed(body: bytes) -> bytes:
    return gzip.compress(body, _LEVEL, mtime=0)


def _takes_gzip(accepted: str) -> bool:
    for entry in accepted.lower().split(","):
        coding, _, parameters = entry.partition(";")
        if coding.strip() in {"gzip", "x-gzip", "*"}:
            return parameters.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
