"""Occupancies: a resident moves out, an owner sells, and the dwelling is free for the next (C-12, CN-10)."""

from datetime import date

import strawberry

from core.services.occupancy.occupancies import leave_dwelling
from core.services.places.dwellings import DwellingView
from graphql_schema.base.context import Info
from graphql_schema.base.fields import resolved
from graphql_schema.base.relay import global_id, number_of
from graphql_schema.dwellings.dwellings import Residence


@strawberry.type(
    description="A dwelling that the viewer owns and does not live in: its place, without any metering data."
)
class OwnedDwelling:
    id: strawberry.ID = strawberry.field(description="For `leaveDwelling`, when it is sold.")
    residence: Residence
    building: str
    staircase: str
    floor: str
    number: str
    lot: str | None

    @classmethod
    def of(cls, view: DwellingView) -> "OwnedDwelling":
        return cls(
            id=global_id("Dwelling", view.id),
            residence=Residence.of(view.residence),
            building=view.building,
            staircase=view.staircase,
            floor=view.floor,
            number=view.number,
            lot=view.lot,
        )


@strawberry.type(
    description="The occupancy ends; its data stay visible for the time that the operator grants."
)
class DwellingLeft:
    last_day: date


@strawberry.type
class OccupancyMutation:
    @resolved(
        "Move out: `lastDay` is the last day in the dwelling, at most 92 days ahead. While the "
        "occupancy lasts, another day can be given. A non-occupant owner gives up the dwelling "
        "in the same way."
    )
    async def leave_dwelling(self, info: Info, dwelling: strawberry.ID, last_day: date) -> DwellingLeft:
        context = info.context
        await leave_dwelling(
            context.application.registry,
            await context.viewer(),
            number_of(dwelling, "Dwelling", field="dwelling"),
            last_day=last_day,
            visitor=context.visitor,
            now=context.now,
        )
        return DwellingLeft(last_day=last_day)
