"""Meters of a dwelling, each with its last reading and all its readings page by page (R-067, R-086)."""

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
from graphql_schema.base.views import shown
from graphql_schema.consumption.series import ConsumptionOfMeter
from graphql_schema.meters.readings import (
    Reading,
    ReadingConnection,
    ReadingOrder,
    checked_moment,
    moment_of_cursor,
)


@strawberry.type(description="A remotely read meter. A replacement is a separate meter.")
class Meter(ConsumptionOfMeter, Node):
    fluid: Fluid
    vendor: str = strawberry.field(description="The name of the driver that decodes the meter's telegrams.")
    serial: str = strawberry.field(description="The serial number as printed on the meter.")
    location: str
    installed_on: date
    removed_on: date | None = strawberry.field(description="Null while the meter is installed.")
    last_reading: Reading | None = strawberry.field(description="Null if there is no reading yet.")

    @classmethod
    def of(cls, view: MeterView) -> "Meter":
        return shown(
            cls,
            view,
            id=global_id("Meter", view.id),
            number=view.id,
            serial=view.printed_serial,
            last_reading=Reading.of(view.last_reading, view.fluid) if view.last_reading else None,
        )

    @resolved("The meter's label, `Eau froide n°H8CA029620`; by default in the account's language.")
    async def label(self, info: Info, language: Language | None = None) -> str:
        return meter_label(self.fluid, self.serial, await info.context.language(language))

    @resolved("The readings within the viewer's occupancy from `from` to `to`, both included.")
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
