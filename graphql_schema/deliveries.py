"""`POST /telegrams`: a gateway delivers lines, one telegram a line, and is answered when they are committed.

In: NDJSON or plain lines of any known format, packed or not, with a gateway's API key. Out: a summary in JSON
that names the lines which could not be used. The one rule: 200 means committed; after any other answer, or
none, the gateway sends the same again, which changes nothing. A line that cannot be used is no reason to
refuse a delivery (it becomes a dead letter): otherwise a gateway would send the same for ever.

Nothing here works on a delivery in the event loop longer than it takes to receive a piece: lines are cut in a
thread, and taken in by the queue's.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from core.access import Permission, Viewer
from core.database_errors import may_pass
from core.errors import (
    Busy,
    Forbidden,
    InvalidInput,
    SubmeterError,
    Unauthenticated,
    Unavailable,
)
from core.services.auth.sessions import viewer_of_token
from core.services.telegrams.intake_queue import WAIT_FOR_DATABASE, IntakeQueue, Receipt
from graphql_schema.base.credentials import Credentials
from graphql_schema.gateways import checked_source
from submeter.line_files import LineReader
from submeter.unpacking import Fault, FileFault, packing_of

PATH: Final = "/telegrams"
LARGEST_BODY: Final = 8 << 20
"""Bytes as they are sent, packed or not."""

LARGEST_CONTENT: Final = 32 << 20
"""Characters once they are unpacked."""

MOST_LINES: Final = 20_000
MOST_NAMED: Final = 1_000
"""Lines that could not be used are named up to here, and counted beyond."""

MOST_RECEIVED: Final = 64 << 20
"""Bytes of all bodies that are being received, so that slow senders cannot fill the memory."""

_WAIT_FOR_ROOM: Final = timedelta(seconds=5)
_UNPACKED_AT_ONCE: Final = 2
_PIECE: Final = 256 << 10
_MEDIA_TYPES: Final = frozenset(
    {
        *("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"),
        *("application/json", "application/octet-stream", "application/gzip", "application/zstd"),
        *("text/plain", "text/csv", ""),
    }
)
_ENCODINGS: Final = {"": None, "identity": None, "gzip": "gzip", "x-gzip": "gzip", "zstd": "zstd"}
_STATUS: Final[dict[type[SubmeterError], int]] = {
    Unauthenticated: 401,
    Busy: 429,
    Unavailable: 503,
    InvalidInput: 400,
}
_STATUS_OF_FAULT: Final = {
    FileFault.FILE_EXPANDS_TOO_MUCH: 413,
    FileFault.FILE_FORMAT_NOT_READ: 415,
    FileFault.FILE_DAMAGED: 400,
    FileFault.FILE_TRUNCATED: 400,
}


@dataclass(eq=False)
class _Refused(Exception):
    """The request cannot be used: a status, a code for programs and a sentence for people."""

    status: int
    code: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)


class DeliveryDoor:
    """The endpoint; one a process, since it counts what all its requests hold in memory."""

    def __init__(self) -> None:
        self._received = 0
        self._unpacking = asyncio.Semaphore(_UNPACKED_AT_ONCE)

    async def endpoint(self, request: Request) -> Response:
        """Answers one request."""
        try:
            receipt = await self._deliver(request)
        except _Refused as refused:
            return _answer(
                refused.status, {"code": refused.code, "message": refused.message}, refused.headers
            )
        except SubmeterError as failure:
            return _refusal_of(failure)
        except ClientDisconnect:
            return _answer(400, {"code": "INCOMPLETE", "message": "The body ended too early."})
        return _answer(200, _summary_of(receipt))

    async def _deliver(self, request: Request) -> Receipt:
        queue: IntakeQueue = request.app.state.intake
        now: datetime = request.app.state.clock()
        viewer = await _viewer_of(request, now)
        # What can be refused is refused before the body is read, and so before it is sent (100 Continue).
        queue.check_room(viewer)
        source = checked_source(request.query_params.get("source") or f"gateway {viewer.gateway_id}")
        _check_media_type(request)
        packing = _packing_declared(request)
        body = await self._body(request)
        async with self._unpacking:
            lines = await asyncio.to_thread(_lines_of, body, packing)
        return await queue.submit(viewer, lines, source=source, received_at=now, names_unusable=True)

    async def _body(self, request: Request) -> bytes:
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > LARGEST_BODY:
            raise _too_large()
        body, counted = bytearray(), 0
        try:
            async for chunk in request.stream():
                if len(body) + len(chunk) > LARGEST_BODY:
                    raise _too_large()
                if self._received + len(chunk) > MOST_RECEIVED:
                    raise Busy(retry_after=_WAIT_FOR_ROOM)
                counted += len(chunk)
                self._received += len(chunk)
                body += chunk
        finally:
            self._received -= counted
        return bytes(body)


async def _viewer_of(request: Request, now: datetime) -> Viewer:
    """Who delivers: by an API key, and never by a browser's cookie, which other sites can make it send."""
    credentials = Credentials.of(request)
    if credentials.token is None or credentials.by_cookie:
        raise Unauthenticated("Send the gateway's API key: Authorization: Bearer ...")
    try:
        viewer = await viewer_of_token(request.app.state.application, credentials.token, now=now)
    except SubmeterError:
        raise
    except Exception as failure:
        if may_pass(failure):
            raise Unavailable(retry_after=WAIT_FOR_DATABASE) from failure
        raise
    viewer.require(Permission.TELEGRAMS_SUBMIT)
    return viewer


def _check_media_type(request: Request) -> None:
    media_type, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    charset = parameters.strip().replace('"', "")
    if media_type.strip() not in _MEDIA_TYPES or charset not in {"", "charset=utf-8", "charset=us-ascii"}:
        message = "Send lines as application/x-ndjson or text/plain, in UTF-8."
        raise _Refused(415, "UNSUPPORTED_MEDIA_TYPE", message, {"Accept": "application/x-ndjson, text/plain"})


def _packing_declared(request: Request) -> str | None:
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        message = "The content encodings gzip and zstd are read."
        raise _Refused(415, "UNSUPPORTED_CONTENT_ENCODING", message, {"Accept-Encoding": "gzip, zstd"})
    return _ENCODINGS[encoding]


def _lines_of(body: bytes, packing: str | None) -> list[str]:
    """The lines of a body, blank ones included: a line's place is that in the body."""
    if packing is not None and packing_of(body[:4]) != packing:
        raise _Refused(400, "NOT_AS_ENCODED", f"The body is no {packing}, as its Content-Encoding says.")
    reader = LineReader()
    lines: list[str] = []
    characters = 0
    for line in _read(body, reader):
        characters += len(line) + 1
        lines.append(line)
        if len(lines) > MOST_LINES:
            raise _Refused(413, "TOO_MANY_LINES", f"A delivery has at most {MOST_LINES} lines.")
        if characters > LARGEST_CONTENT:
            message = f"A delivery has at most {LARGEST_CONTENT} characters once it is unpacked."
            raise _Refused(413, "TOO_LARGE", message)
    if reader.fault is not None:
        raise _fault(reader.fault)
    return lines


def _read(body: bytes, reader: LineReader) -> Iterator[str]:
    for at in range(0, len(body), _PIECE):
        yield from reader.feed(body[at : at + _PIECE])
        if reader.fault is not None:
            return
    yield from reader.finish()


def _fault(fault: Fault) -> _Refused:
    return _Refused(
        _STATUS_OF_FAULT[fault.code], fault.code, f"The body cannot be unpacked: {fault.message}."
    )


def _too_large() -> _Refused:
    return _Refused(413, "TOO_LARGE", f"The body is larger than {LARGEST_BODY} bytes.")


def _refusal_of(failure: SubmeterError) -> Response:
    status = next((number for kind, number in _STATUS.items() if isinstance(failure, kind)), 403)
    if status == 403 and not isinstance(failure, Forbidden):
        message = f"{failure.message} Deliver with a gateway's API key."
    else:
        message = failure.message
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(failure, Busy | Unavailable):
        headers["Retry-After"] = str(failure.retry_after_s)
    return _answer(status, {"code": failure.code, "message": message, **failure.details}, headers)


def _summary_of(receipt: Receipt) -> dict[str, Any]:
    summary = receipt.summary
    return {
        "lines": summary.lines,
        "stored": summary.stored,
        "doubtful": summary.doubtful,
        "duplicates": summary.duplicates,
        "unusable": summary.unusable.total(),
        "reasons": dict(sorted(summary.unusable.items())),
        "unusableLines": [
            {
                "index": one.place,
                "line": one.place + 1,
                "reason": one.reason,
                "message": one.message,
                "id": one.dead_letter_id,
            }
            for one in receipt.unusable[:MOST_NAMED]
        ],
        "alerts": summary.alerts,
        "messages": summary.messages,
    }


def _answer(status: int, content: object, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")
