"""Readings: the index of a meter at a point in time, page by page (R-009, C-21)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import strawberry
from strawberry.relay import PageInfo

from core.errors import InvalidInput
from core.services.places.meters import ReadingView
from core.services.shared.paging import Page
from graphql_schema.base.amounts import Amount
from graphql_schema.base.enums import Fluid, StatusFlag
from graphql_schema.base.paging import Edge, cursor, page_info, parse_cursor

_CURSOR = "reading"
_EARLIEST_YEAR = 1900
_EPOCH = datetime.fromtimestamp(0, UTC)


@strawberry.enum(description="The order of readings in time.")
class ReadingOrder(StrEnum):
    """The order of readings in time."""

    NEWEST_FIRST = "NEWEST_FIRST"
    OLDEST_FIRST = "OLDEST_FIRST"


@strawberry.type(description="The index of a meter at a point in time.")
class Reading:
    read_at: datetime = strawberry.field(description="The time of the reading.")
    received_at: datetime = strawberry.field(description="When the reading was received and stored.")
    index: Amount
    flags: list[StatusFlag] = strawberry.field(
        description="Conditions that the meter reported with the reading."
    )

    @classmethod
    def of(cls, view: ReadingView, fluid: Fluid) -> "Reading":
        return cls(
            read_at=view.read_at,
            received_at=view.received_at,
            index=Amount.of(fluid, view.index),
            flags=sorted(view.flags),
        )


@strawberry.type(description="A page of readings.")
class ReadingConnection:
    edges: list[Edge[Reading]]
    page_info: PageInfo

    @classmethod
    def of(cls, page: Page[ReadingView], fluid: Fluid, *, after: str | None) -> "ReadingConnection":
        edges = [
            Edge(cursor=cursor(_CURSOR, int(view.read_at.timestamp())), node=Reading.of(view, fluid))
            for view in page.items
        ]
        return cls(edges=edges, page_info=page_info(edges, page, after))


def moment_of_cursor(after: str | None) -> datetime | None:
    """The time of the last reading of the previous page.

    Raises:
        InvalidInput: the cursor is not one of readings.
    """
    return parse_cursor(after, _CURSOR, _moment)


def checked_moment(moment: datetime | None, field: str) -> datetime | None:
    """A time with its UTC offset; without one it would be read in the server's own time zone.

    Raises:
        InvalidInput: it has no offset, or is before 1900, where a zone conversion could be out of range.
    """
    if moment is not None and moment.utcoffset() is None:
        raise InvalidInput("A time needs a UTC offset: 2026-01-31T00:00:00+01:00.", field=field)
    if moment is not None and moment.year < _EARLIEST_YEAR:
        raise InvalidInput(f"There is no data from before {_EARLIEST_YEAR}.", field=field)
    return moment


def _moment(parts: Sequence[str]) -> datetime:
    (seconds,) = parts
    return _EPOCH + timedelta(seconds=int(seconds))
