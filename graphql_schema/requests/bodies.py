"""How large a request may be: bounded while it is received, before its JSON is read.

In: the messages of an ASGI server. Out: the same, or a refusal. The one rule: what a stranger sends is small
enough to be read at once; only a gateway whose key is valid may send more, since lines come as a variable.
Even its body is looked at before it is read: JSON of many small values costs a thousand times what long texts
do, so commas and brackets are counted first (2,000 lines of JSON have some 100 commas each).
"""

from collections.abc import Awaitable, Callable
from typing import Final

from cross_web import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

GATEWAY_BODY: Final = 16 * 1024 * 1024
"""Bytes: 2,000 gateway lines of 4,096 characters, with room for JSON escapes."""

LONGEST_QUERY_STRING: Final = 16_384
MOST_PARAMETERS: Final = 20
LONGEST_HEADERS: Final = 32_768
MOST_COMMAS: Final = 400_000
MOST_BRACKETS: Final = 50_000


def check_head(scope: Scope) -> None:
    """Refuse an address or headers that are too long.

    Raises:
        HTTPException: 414 or 431.
    """
    query: bytes = scope["query_string"]
    if len(query) > LONGEST_QUERY_STRING or query.count(b"&") >= MOST_PARAMETERS:
        message = f"An address has at most {LONGEST_QUERY_STRING} bytes and {MOST_PARAMETERS} parameters."
        raise HTTPException(414, message)
    if sum(len(name) + len(value) for name, value in scope["headers"]) > LONGEST_HEADERS:
        raise HTTPException(431, f"The headers have at most {LONGEST_HEADERS} bytes.")


def bounded(
    request: Request, receive: Receive, most: int, is_gateway: Callable[[], Awaitable[bool]]
) -> Receive:
    """Pass messages on until the body is too large: for a gateway later than for all others.

    Args:
        request: its headers may say how much there is to come.
        receive: the server's.
        most: bytes, for all but gateways.
        is_gateway: asked once, if there are more.
    """
    declared = request.headers.get("content-length", "")
    announced = int(declared) if declared.isdecimal() and len(declared) < 16 else 0
    taken, limit = 0, most

    async def next_message() -> Message:
        nonlocal taken, limit
        if announced > limit:
            limit = await _larger(announced)
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            limit = await _larger(taken)
        return message

    async def _larger(size: int) -> int:
        if limit >= GATEWAY_BODY or size > GATEWAY_BODY or not await is_gateway():
            raise HTTPException(413, f"The body is larger than {limit} bytes.")
        return GATEWAY_BODY

    return next_message


def check_structure(body: bytes) -> None:
    """Refuse a large body of very many small values.

    Raises:
        HTTPException: 413.
    """
    brackets = body.count(b"{") + body.count(b"[")
    if brackets > MOST_BRACKETS or body.count(b",") > MOST_COMMAS:
        raise HTTPException(413, "The body has too many values.")
