"""Occupancies: a resident moves out, or an owner gives up a dwelling (C-12, CN-10)."""

from datetime import date
from typing import Annotated, TypeAlias

import strawberry

from core.services.occupancy.occupancies import leave_dwelling
from graphql_schema.base.context import Info
from graphql_schema.base.refusals import RequestRefused, answered
from graphql_schema.base.relay import number_of


@strawberry.type(
    description="The end of the occupancy was recorded; the operator sets how long its data remain visible."
)
class DwellingLeft:
    last_day: date


LeaveDwellingResult: TypeAlias = Annotated[
    DwellingLeft | RequestRefused, strawberry.union("LeaveDwellingResult")
]


@strawberry.type
class OccupancyMutation:
    @answered(
        "Move out of a dwelling. `lastDay`: the last day in the dwelling, at most 92 days ahead; it can be "
        "changed while the occupancy lasts. A non-occupant owner gives up a dwelling in the same way."
    )
    async def leave_dwelling(
        self, info: Info, dwelling: strawberry.ID, last_day: date
    ) -> LeaveDwellingResult:
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
