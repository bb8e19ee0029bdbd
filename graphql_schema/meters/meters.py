"""Meters of a dwelling, each with its last reading and all its readings page by page (R-067, R-086).

`MeterFields` is all of a meter but the dwelling that it is in, which is a noun above it
(`graphql_schema.dwellings.dwellings`).
"""

from datetime import date, datetime
from typing import Annotated, Self

import strawberry

from core.access import Role
from core.access.narrowing import Audience
from core.services.consumption.manager_consumption import managed_readings
from core.services.places.meters import MeterView, ReadingsAsked, readings_of_meter
from core.texts.alerts import meter_label
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Fluid, Language
from graphql_schema.base.narrowing import Narrowed, metadata_of, narrowed, noted
from graphql_schema.base.paging import PAGE, checked_first
from graphql_schema.base.relay import Node, global_id
from graphql_schema.base.texts import worded
from graphql_schema.base.views import shown
from graphql_schema.consumption.series import ConsumptionOfMeter
from graphql_schema.meters.readings import (
    Reading,
    ReadingConnection,
    ReadingOrder,
    checked_moment,
    moment_of_cursor,
)


@strawberry.type
class MeterFields(ConsumptionOfMeter, Node, Narrowed):
    view: strawberry.Private[MeterView]
    fluid: Fluid
    vendor: str = strawberry.field(description="The name of the driver that decodes the meter's telegrams.")
    serial: str = strawberry.field(description="The serial number as printed on the meter.")
    radio_address: str = strawberry.field(description="The address of its telegrams: MMM-IIIIIIII-VV-TT.")
    location: str
    installed_on: date
    removed_on: date | None = strawberry.field(description="Null while the meter is installed.")
    last_read_at: datetime | None = strawberry.field(
        description="The time of the last reading; null if there is none yet."
    )
    last_reading: Reading | None = strawberry.field(
        description=noted(
            "The last reading; null if there is none yet. An index, asked for every day, tells the days.",
            Audience.HOLDER,
        ),
        metadata=metadata_of(Audience.HOLDER),
    )

    @classmethod
    def of(cls, view: MeterView) -> Self:
        return shown(
            cls,
            view,
            id=global_id("Meter", view.id),
            seen_as=view.basis,
            dwelling_id=view.dwelling_id,
            view=view,
            number=view.id,
            serial=view.printed_serial,
            last_reading=Reading.of(view.last_reading, view.fluid) if view.last_reading else None,
        )

    @worded("The meter's label, `Eau froide n°H8CA029620`; by default in the account's language.")
    def label(self, language: Language) -> str:
        return meter_label(self.fluid, self.serial, language)

    @narrowed(
        "The readings within the occupancy from `from` to `to`, both included. A manager's look is recorded.",
        Audience.CONSENTED,
    )
    async def readings(
        self,
        info: Info,
        first: int = PAGE,
        after: str | None = None,
        order: ReadingOrder = ReadingOrder.NEWEST_FIRST,
        from_: Annotated[datetime | None, strawberry.argument(name="from")] = None,
        to: datetime | None = None,
    ) -> ReadingConnection | None:
        asked = ReadingsAsked(
            first=checked_first(first),
            after=moment_of_cursor(after),
            newest_first=order is ReadingOrder.NEWEST_FIRST,
            read_from=checked_moment(from_, "from"),
            read_to=checked_moment(to, "to"),
        )
        context = info.context
        viewer = await context.viewer()
        if viewer.role is Role.MANAGER:
            page = await managed_readings(
                viewer, self.number, asked, visitor=context.visitor, now=context.now
            )
        else:
            page = await readings_of_meter(
                viewer,
                self.number,
                first=asked.first,
                after=asked.after,
                newest_first=asked.newest_first,
                read_from=asked.read_from,
                read_to=asked.read_to,
            )
        return ReadingConnection.of(page, self.fluid, after=after)
