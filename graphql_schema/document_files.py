"""`PUT /uploads?link=…` and `GET /downloads/documents?link=…`: the files of documents, outside GraphQL.

In: a link that a mutation or a field answered, the token of the request if it has one, and for a deposit the
file as the body, as it is: no form, and no Base64. Out: the document as JSON, or the file, to be saved and
not to be kept by caches. The one rule: the link says what the file is, the services who may have or send it;
here only the size of what is received is limited, while it arrives.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from core.access import Visitor
from core.database_errors import may_pass
from core.documents.media import disposition
from core.errors import (
    Busy,
    Conflict,
    InvalidInput,
    LinkExpired,
    NotFound,
    RateLimited,
    SubmeterError,
    Unavailable,
)
from core.services.documents.content import ContentLost
from core.services.documents.deposits import announced_of_link, receive_upload
from core.services.documents.files import document_of_link
from core.services.documents.seen import ResidentDocumentView
from core.services.telegrams.intake_queue import WAIT_FOR_DATABASE
from graphql_schema.base.credentials import Credentials
from graphql_schema.base.relay import global_id

UPLOAD_PATH: Final = "/uploads"
DOWNLOAD_PATH: Final = "/downloads/documents"
MOST_RECEIVED: Final = 128 << 20
"""Bytes of all bodies that are being received by a process, so that slow senders cannot fill the memory."""

_WAIT_FOR_ROOM: Final = timedelta(seconds=5)
_STATUS: Final[dict[type[SubmeterError], int]] = {
    LinkExpired: 410,
    NotFound: 404,
    Conflict: 409,
    InvalidInput: 422,
    RateLimited: 429,
    Busy: 429,
    Unavailable: 503,
    ContentLost: 500,
}
"""All others are 403: the link opens nothing."""


class _TooLarge(Exception):
    """The body is larger than a file may be."""


class UploadDoor:
    """The endpoint of deposits; one a process, since it counts what all its requests hold in memory."""

    def __init__(self) -> None:
        self._received = 0

    async def endpoint(self, request: Request) -> Response:
        """Answers one request."""
        application = request.app.state.application
        now: datetime = request.app.state.clock()
        most: int = application.settings.documents.most_bytes
        visitor = _visitor(request)
        if request.method != "PUT":  # a preflight of a site that is not named (Fetch, 4.8)
            return Response(status_code=405, headers={"Allow": "PUT"})
        try:
            link, token = request.query_params.get("link", ""), Credentials.of(request).token
            announced = await announced_of_link(application, link, token, now=now)
            content = await self._body(request, most)
            view = await receive_upload(application, announced, content, visitor=visitor, now=now)
        except _TooLarge:
            return _answer(413, {"code": "TOO_LARGE", "message": f"A file has at most {most} bytes."})
        except ClientDisconnect:
            return _answer(400, {"code": "INCOMPLETE", "message": "The body ended too early."})
        except SubmeterError as refusal:
            return _refused(refusal)
        except Exception as failure:
            if may_pass(failure):
                return _refused(Unavailable(retry_after=WAIT_FOR_DATABASE))
            raise
        return _answer(201, _shown(view))

    async def _body(self, request: Request, most: int) -> bytes:
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > most:
            raise _TooLarge
        body, counted = bytearray(), 0
        try:
            async for chunk in request.stream():
                if len(body) + len(chunk) > most:
                    raise _TooLarge
                if self._received + len(chunk) > MOST_RECEIVED:
                    raise Busy(retry_after=_WAIT_FOR_ROOM)
                counted += len(chunk)
                self._received += len(chunk)
                body += chunk
        finally:
            self._received -= counted
        return bytes(body)


async def download(request: Request) -> Response:
    """The file, or a refusal in JSON."""
    now: datetime = request.app.state.clock()
    link = request.query_params.get("link", "")
    try:
        token, visitor = Credentials.of(request).token, _visitor(request)
        application = request.app.state.application
        file = await document_of_link(application, link, token, visitor=visitor, now=now)
    except SubmeterError as refusal:
        return _refused(refusal)
    except Exception as failure:
        if may_pass(failure):
            return _refused(Unavailable(retry_after=WAIT_FOR_DATABASE))
        raise
    headers = {
        "Content-Disposition": disposition(file.name),
        # Should a browser show it all the same: nothing in it is run, and nothing is loaded.
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    }
    return Response(file.content, media_type=file.media_type, headers=headers)


def _visitor(request: Request) -> Visitor:
    client = request.client
    return Visitor(client.host[:45] if client else None, request.headers.get("user-agent", ""))


def _shown(view: ResidentDocumentView) -> dict[str, Any]:
    return {
        "id": global_id("Document", view.id),
        "title": view.title,
        "fileName": view.file_name,
        "mediaType": view.media_type,
        "size": view.size_bytes,
        "sha256": view.sha256,
    }


def _refused(refusal: SubmeterError) -> Response:
    headers = {}
    if isinstance(refusal, RateLimited | Busy | Unavailable):
        headers["Retry-After"] = str(refusal.retry_after_s)
    content = {"code": refusal.code, "message": refusal.message, **refusal.details}
    status = next((number for kind, number in _STATUS.items() if isinstance(refusal, kind)), 403)
    return _answer(status, content, headers)


def _answer(status: int, content: object, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")
