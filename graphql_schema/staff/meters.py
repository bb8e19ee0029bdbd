"""The meters of the operator in a list: silent, unread, without a key (for the operator's staff).

In: filters. Out: a page of the noun `Meter`. The one rule: in the order LAST_READ a cursor holds when its
meter was last read, so that a reading that arrives meanwhile moves that meter and not the page.
"""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from core.services.places.meter_lists import MeterInList, MeterOrder, MetersAsked, list_meters
from graphql_schema.base.context import Info
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import PAGE, Edge, checked_first, cursor, page_info, parse_cursor
from graphql_schema.base.relay import number_of
from graphql_schema.dwellings.dwellings import Meter, MeterConnection
from graphql_schema.meters.readings import checked_moment

_CURSOR = "meter-in-list"
_LARGEST = 2**63 - 1

strawberry.enum(
    MeterOrder,
    description="The order of meters. PLACE: by residence and dwelling. LAST_READ: by the last reading, the "
    "oldest first; those never read come before all others.",
)


@strawberry.input(
    description="Which meters; a field that is left out does not narrow. `silentSince`, `unread: true` and "
    "`withoutKey: true` are of meters in service alone, unless `inService` says otherwise."
)
class MeterFilterInput:
    silent_since: datetime | None = strawberry.field(
        default=None,
        description="Of which nothing was read since this moment, and which were installed before it. Those "
        "never read are among them; `unread: false` leaves them out.",
    )
    unread: bool | None = strawberry.field(default=None, description="Whether they were never read.")
    without_key: bool | None = strawberry.field(default=None, description="Whether they have no key.")
    in_service: bool | None = strawberry.field(
        default=None, description="Whether they are installed, and not removed."
    )
    residence: strawberry.ID | None = strawberry.field(default=None, description="The id of a residence.")
    search: str | None = strawberry.field(
        default=None,
        description="Part of a serial number, a radio address, a location or the number of a dwelling, "
        "whatever its case.",
    )


@strawberry.type
class StaffMeterQuery:
    @resolved("The meters of the operator, for its staff.")
    async def meters(
        self,
        info: Info,
        filter: MeterFilterInput | None = None,  # noqa: A002 - the argument's name in the schema
        order_by: MeterOrder = MeterOrder.PLACE,
        first: int = PAGE,
        after: str | None = None,
    ) -> MeterConnection:
        chosen, kind = filter or MeterFilterInput(), f"{_CURSOR}-{order_by.value}"
        seen = parse_cursor(after, kind, _numbers)
        asked = MetersAsked(
            first=checked_first(first),
            after=None if seen is None else seen[1],
            after_read_s=None if seen is None else seen[0],
            order=order_by,
            residence_id=None
            if chosen.residence is None
            else number_of(chosen.residence, "Residence", field="residence"),
            silent_since=checked_moment(chosen.silent_since, "silentSince"),
            unread=chosen.unread,
            without_key=chosen.without_key,
            in_service=chosen.in_service,
            search=chosen.search,
        )
        page = await list_meters(await info.context.viewer(), asked, now=info.context.now)
        edges = [Edge(cursor=_cursor(kind, one), node=Meter.of(one.view)) for one in page.items]
        return MeterConnection(
            edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0
        )


def _cursor(kind: str, listed: MeterInList) -> str:
    return cursor(kind, listed.read_s, listed.view.id)


def _numbers(parts: Sequence[str]) -> tuple[int, int]:
    read_s, number = map(int, parts)
    if not (-1 <= read_s <= _LARGEST and 0 < number <= _LARGEST):
        raise ValueError("no meter has these numbers")
    return read_s, number
