"""Occupancies: a resident moves out, and the dwelling is free for the next (C-12, CN-10)."""

from datetime import date

import strawberry

from core.services.occupancies import leave_dwelling
from graphql_schema.context import Info
from graphql_schema.fields import resolved
from graphql_schema.relay import number_of


@strawberry.type(description="The stay ends; its own period stays visible for the operator's time.")
class DwellingLeft:
    last_day: date


@strawberry.type
class OccupancyMutation:
    @resolved("Move out: `lastDay` is the last day in the dwelling, at most 92 days ahead.")
    async def leave_dwelling(self, info: Info, dwelling: strawberry.ID, last_day: date) -> DwellingLeft:
        context = info.context
        await leave_dwelling(
            context.house.registry,
            await context.viewer(),
            number_of(dwelling, "Dwelling", field="dwelling"),
            last_day=last_day,
            visitor=context.visitor,
            now=context.now,
        )
        return DwellingLeft(last_day=last_day)
