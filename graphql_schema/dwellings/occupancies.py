"""Occupancies: a resident moves out, an owner sells, and the dwelling is free for the next (C-12, CN-10)."""

from datetime import date

import strawberry

from core.services.occupancy.occupancies import leave_dwelling
from core.services.places.dwellings import DwellingView
from graphql_schema.base.context import Info
from graphql_schema.base.fields import resolved
from graphql_schema.base.relay import global_id, number_of
from graphql_schema.base.views import shown
from graphql_schema.dwellings.dwellings import Residence


@strawberry.type(
    description="A home that the viewer owns and somebody else lives in: where it is, and nothing measured."
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
        return shown(cls, view, id=global_id("Dwelling", view.id), residence=Residence.of(view.residence))


@strawberry.type(description="The stay ends; its own period stays visible for the operator's time.")
class DwellingLeft:
    last_day: date


@strawberry.type
class OccupancyMutation:
    @resolved(
        "Move out: `lastDay` is the last day in the dwelling, at most 92 days ahead. While the stay goes on, "
        "another day may be told. An owner who lives elsewhere gives the dwelling up so."
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
