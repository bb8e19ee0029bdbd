"""How large a request may be: bounded while it is received, before its JSON is read.

In: the messages of an ASGI server. Out: the same, or a refusal. The one rule: what a stranger sends is
small enough to be read at once; only a gateway whose key is valid may send more, since lines come as a
variable. Even its body is looked at before it is read: JSON of many small values costs a thousand times
what long texts do, so commas and brackets outside strings are counted first.
"""

import asyncio
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
PIECE: Final = 1 << 20


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


async def check_structure(body: bytes) -> None:
    """Refuse a large body of very many small values.

    What a string holds is no value: a line may be nothing but brackets. Strings are left out only where
    there is much to count, a piece at a time, so that others have their turn in between.

    Raises:
        HTTPException: 413.
    """
    if _commas(body) <= MOST_COMMAS and _brackets(body) <= MOST_BRACKETS:
        return
    commas = brackets = 0
    left, is_inside = b"", False
    for at in range(0, len(body), PIECE):
        piece = left + body[at : at + PIECE]
        # A backslash at the end belongs to what follows.
        ends = len(piece) - len(piece.rstrip(b"\\"))
        left = b"\\" if ends % 2 else b""
        outside, is_inside = _outside_strings(piece[: len(piece) - len(left)], is_inside=is_inside)
        commas += _commas(outside)
        brackets += _brackets(outside)
        if commas > MOST_COMMAS or brackets > MOST_BRACKETS:
            raise HTTPException(413, "The body has too many values.")
        await asyncio.sleep(0)


def _outside_strings(piece: bytes, *, is_inside: bool) -> tuple[bytes, bool]:
    """What of a piece of JSON is in no string, and whether it ends within one."""
    parts = piece.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
    return b"".join(parts[int(is_inside) :: 2]), is_inside ^ (len(parts) % 2 == 0)


def _commas(text: bytes) -> int:
    return text.count(b",")


def _brackets(text: bytes) -> int:
    return text.count(b"{") + text.count(b"[")
