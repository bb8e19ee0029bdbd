"""Meters of a dwelling, each with its last reading and all of them page by page (R-067, R-086)."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from core.errors import NotFound
from core.services.places.dwellings import my_dwellings
from core.services.places.meters import MeterView, readings_of_meter
from core.texts.alerts import meter_label
from graphql_schema.base.context import Context, Info
from graphql_schema.base.enums import Fluid, Language
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import PAGE, checked_first
from graphql_schema.base.relay import Node, global_id
from graphql_schema.meters.readings import (
    Reading,
    ReadingConnection,
    ReadingOrder,
    checked_moment,
    moment_of_cursor,
)


@strawberry.type(description="A remotely read meter. Its replacement is another meter.")
class Meter(Node):
    number: strawberry.Private[int]
    fluid: Fluid
    vendor: str = strawberry.field(description="The driver that reads it.")
    serial: str = strawberry.field(description="As printed on the meter.")
    location: str
    installed_on: date
    removed_on: date | None
    last_reading: Reading | None

    @classmethod
    def of(cls, view: MeterView) -> "Meter":
        return cls(
            id=global_id("Meter", view.id),
            number=view.id,
            fluid=view.fluid,
            vendor=view.vendor,
            serial=view.printed_serial,
            location=view.location,
            installed_on=view.installed_on,
            removed_on=view.removed_on,
            last_reading=Reading.of(view.last_reading, view.fluid) if view.last_reading else None,
        )

    @resolved("`Eau froide n°H8CA029620`, by default in the language of the account.")
    async def label(self, info: Info, language: Language | None = None) -> str:
        return meter_label(self.fluid, self.serial, await info.context.language(language))

    @resolved("The readings of the viewer's occupancy; `from` and `to` are both included.")
    async def readings(
        self,
        info: Info,
        first: int = PAGE,
        after: str | None = None,
        order: ReadingOrder = ReadingOrder.NEWEST_FIRST,
        from_: Annotated[datetime | None, strawberry.argument(name="from")] = None,
        to: datetime | None = None,
    ) -> ReadingConnection:
        page = await readings_of_meter(
            await info.context.viewer(),
            self.number,
            first=checked_first(first),
            after=moment_of_cursor(after),
            newest_first=order is ReadingOrder.NEWEST_FIRST,
            read_from=checked_moment(from_, "from"),
            read_to=checked_moment(to, "to"),
        )
        return ReadingConnection.of(page, self.fluid, after=after)


async def meter_of(context: Context, number: int) -> Meter:
    """One meter of the viewer.

    Raises:
        NotFound: no such meter, or not the viewer's.
    """
    dwelling_ids = [view.id for view in await my_dwellings(await context.viewer())]
    for views in await context.loaders.meters_by_dwelling.load_many(dwelling_ids):
        for view in views:
            if view.id == number:
                return Meter.of(view)
    raise NotFound("No such meter.", field="id")
