"""Keyset pages: page size, cursors and page info (the GraphQL Cursor Connections specification).

In: `first` and `after` as a client sends them. Out: a checked size, and the parts of a cursor. The one
rule: a cursor names the last item of the page, not its position, so that items added meanwhile do not shift
the next page. A cursor is opaque: base64 of its kind and parts.
"""

import base64
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import strawberry
from strawberry.relay import PageInfo

from core.errors import InvalidInput
from core.services.shared.paging import Page

LARGEST_PAGE = 200
PAGE = 50
"""The default page size."""

_LONGEST_CURSOR = 200
_LARGEST_NUMBER = 2**63 - 1

ItemT = TypeVar("ItemT")
PartsT = TypeVar("PartsT")


@strawberry.type(description="An item of a page, and its cursor for `after`.")
class Edge(Generic[ItemT]):
    cursor: str
    node: ItemT


def checked_first(first: int) -> int:
    """The page size.

    Raises:
        InvalidInput: not 1 to 200.
    """
    if not 1 <= first <= LARGEST_PAGE:
        raise InvalidInput(f"A page has 1 to {LARGEST_PAGE} items.", field="first")
    return first


def cursor(kind: str, *parts: object) -> str:
    return base64.urlsafe_b64encode("|".join([kind, *map(str, parts)]).encode()).decode()


def parse_cursor(text: str | None, kind: str, read: Callable[[Sequence[str]], PartsT]) -> PartsT | None:
    """The parts of a cursor of this kind; None for no cursor.

    Args:
        text: the cursor.
        kind: the connection that the cursor must come from.
        read: converts the parts; a ValueError or OverflowError means a forged cursor.

    Raises:
        InvalidInput: the cursor is not one of this connection.
    """
    if text is None:
        return None
    try:
        content = base64.urlsafe_b64decode(text[:_LONGEST_CURSOR].encode()).decode()
        found, *parts = content.split("|")
        if found == kind:
            return read(parts)
    except (Base64Error, ValueError, OverflowError):
        pass
    raise InvalidInput("This cursor does not belong to this connection.", field="after")


def number_of_cursor(text: str | None, kind: str) -> int | None:
    """The number of the last item of the page before, where a cursor is nothing but that.

    Raises:
        InvalidInput: the cursor is not one of this connection.
    """
    return parse_cursor(text, kind, _number)


def _number(parts: Sequence[str]) -> int:
    (number,) = parts
    if not 0 < int(number) <= _LARGEST_NUMBER:
        raise ValueError("no row has this number")
    return int(number)


def page_info(edges: Sequence[Edge[ItemT]], page: Page[Any], after: str | None) -> PageInfo:
    """Where a page lies: `after` is the cursor that it was asked with."""
    return PageInfo(
        has_next_page=page.has_next,
        has_previous_page=after is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
