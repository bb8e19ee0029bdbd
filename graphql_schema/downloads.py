"""`GET /downloads?link=…`: a file by the short-lived link that a mutation answered, beside its Base64.

In: a link, and the token of the request if it has one. Out: the file, to be saved and not to be kept by
caches. The one rule: the link says what the file is, `core.services.auth.download_links` who may have it;
here nothing is decided.
"""

from datetime import datetime
from typing import Final
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from core.database_errors import may_pass
from core.errors import LinkExpired, RateLimited, SubmeterError, Unavailable
from core.services.managers.file_links import file_of_link
from core.services.telegrams.intake_queue import WAIT_FOR_DATABASE
from graphql_schema.base.credentials import Credentials

PATH: Final = "/downloads"
_STATUS: Final[dict[type[SubmeterError], int]] = {LinkExpired: 410, RateLimited: 429, Unavailable: 503}


async def download(request: Request) -> Response:
    """The file, or a refusal in JSON."""
    now: datetime = request.app.state.clock()
    link = request.query_params.get("link", "")
    try:
        file = await file_of_link(request.app.state.application, link, Credentials.of(request).token, now=now)
    except SubmeterError as refusal:
        return _refused(refusal)
    except Exception as failure:
        if may_pass(failure):
            return _refused(Unavailable(retry_after=WAIT_FOR_DATABASE))
        raise
    disposition = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
    return Response(file.content, media_type=file.media_type, headers={"Content-Disposition": disposition})


def _refused(refusal: SubmeterError) -> Response:
    status = _STATUS.get(type(refusal), 403)
    headers = {}
    if isinstance(refusal, RateLimited | Unavailable):
        headers["Retry-After"] = str(refusal.retry_after_s)
    body = orjson.dumps({"code": refusal.code, "message": refusal.message, **refusal.details})
    return Response(body, status, headers, media_type="application/json")
