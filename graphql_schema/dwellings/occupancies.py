"""Occupancies: a resident moves out, or an owner gives up a dwelling (C-12, CN-10)."""

from datetime import date

import strawberry

from core.services.occupancy.occupancies import leave_dwelling
from core.services.places.dwellings import DwellingView
from graphql_schema.base.context import Info
from graphql_schema.base.fields import resolved
from graphql_schema.base.relay import global_id, number_of
from graphql_schema.base.views import shown
from graphql_schema.dwellings.dwellings import Residence


@strawberry.type(description="A dwelling that the viewer owns and does not live in; without metering data.")
class OwnedDwelling:
    id: strawberry.ID = strawberry.field(description="The id to send with `leaveDwelling` after a sale.")
    residence: Residence
    building: str
    staircase: str
    floor: str
    number: str
    lot: str | None

    @classmethod
    def of(cls, view: DwellingView) -> "OwnedDwelling":
        return shown(cls, view, id=global_id("Dwelling", view.id), residence=Residence.of(view.residence))


@strawberry.type(
    description="The end of the occupancy was recorded; the operator sets how long its data remain visible."
)
class DwellingLeft:
    last_day: date


@strawberry.type
class OccupancyMutation:
    @resolved(
        "Move out of a dwelling. `lastDay`: the last day in the dwelling, at most 92 days ahead; it can be "
        "changed while the occupancy lasts. A non-occupant owner gives up a dwelling in the same way."
    )
    async def leave_dwelling(self, info: Info, dwelling: strawberry.ID, last_day: date) -> DwellingLeft:
        context = info.context
        await leave_dwelling(
            context.application,
            await context.viewer(),
            number_of(dwelling, "Dwelling", field="dwelling"),
            last_day=last_day,
            visitor=context.visitor,
            now=context.now,
        )
        return DwellingLeft(last_day=last_day)
