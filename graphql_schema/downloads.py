"""`GET /downloads?link=…`: a file by the short-lived link that a mutation answered, beside its Base64; and
`GET /downloads/meter-guide?operator=…`: the guide to meters, which is public.

In: a link, and the token of the request if it has one. Out: the file, to be saved and not to be kept by
caches. The one rule: the link says what the file is, `core.services.auth.download_links` who may have it;
here nothing is decided.
"""

from datetime import datetime
from typing import Final
from urllib.parse import quote

import orjson
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from core.database_errors import may_pass
from core.errors import LinkExpired, NotFound, RateLimited, SubmeterError, Unavailable
from core.services.certificates.papers import file_of_any_link
from core.services.privacy.exports import StreamedFile
from core.services.registration.meter_guide import meter_guide
from core.services.telegrams.intake_queue import WAIT_FOR_DATABASE
from graphql_schema.base.credentials import Credentials

PATH: Final = "/downloads"
GUIDE_PATH: Final = "/downloads/meter-guide"
_STATUS: Final[dict[type[SubmeterError], int]] = {LinkExpired: 410, RateLimited: 429, Unavailable: 503}


async def download(request: Request) -> Response:
    """The file, or a refusal in JSON."""
    now: datetime = request.app.state.clock()
    link = request.query_params.get("link", "")
    try:
        file = await file_of_any_link(
            request.app.state.application, link, Credentials.of(request).token, now=now
        )
    except SubmeterError as refusal:
        return _refused(refusal)
    except Exception as failure:
        if may_pass(failure):
            return _refused(Unavailable(retry_after=WAIT_FOR_DATABASE))
        raise
    disposition = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
    if isinstance(file, StreamedFile):
        headers = {"Content-Disposition": disposition, "Content-Length": str(file.size_bytes)}
        return StreamingResponse(file.parts, media_type=file.media_type, headers=headers)
    return Response(file.content, media_type=file.media_type, headers={"Content-Disposition": disposition})


async def guide(request: Request) -> Response:
    """The guide to meters of an operator; 404 where there is none."""
    operator = request.query_params.get("operator", "")
    try:
        content = await to_thread.run_sync(meter_guide, request.app.state.application, operator)
    except NotFound as refusal:
        return _refused(refusal, 404)
    headers = {
        "Content-Disposition": 'attachment; filename="guide-compteurs.pdf"',
        "Cache-Control": "public, max-age=86400",
    }
    return Response(content, media_type="application/pdf", headers=headers)


def _refused(refusal: SubmeterError, status: int | None = None) -> Response:
    status = status or _STATUS.get(type(refusal), 403)
    headers = {}
    if isinstance(refusal, RateLimited | Unavailable):
        headers["Retry-After"] = str(refusal.retry_after_s)
    body = orjson.dumps({"code": refusal.code, "message": refusal.message, **refusal.details})
    return Response(body, status, headers, media_type="application/json")
