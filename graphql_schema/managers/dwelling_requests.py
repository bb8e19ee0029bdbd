"""Requests for a dwelling that a manager decides: found by what can be guessed, or contested (C-12, C-40)."""

from datetime import date, datetime

import strawberry

from core.services.occupancy.dwelling_requests import DwellingRequestView, decide, list_dwelling_requests
from graphql_schema.base.context import Info
from graphql_schema.base.enums import OccupancyKind
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import PAGE, checked_first
from graphql_schema.base.relay import global_id, number_of


@strawberry.type(
    description="A request for access to a dwelling; the applicant sees nothing of it until it is decided."
)
class DwellingRequest:
    id: strawberry.ID
    contested: bool = strawberry.field(
        description="Somebody else has the dwelling's account at present; approval ends that occupancy."
    )
    residence_code: str
    dwelling: str
    name: str
    occupancy: OccupancyKind
    move_in: date
    opened_at: datetime

    @classmethod
    def of(cls, view: DwellingRequestView) -> "DwellingRequest":
        return cls(
            id=global_id("DwellingRequest", view.id),
            contested=view.contested,
            residence_code=view.residence_code,
            dwelling=view.dwelling,
            name=view.name,
            occupancy=view.occupancy,
            move_in=view.move_in,
            opened_at=view.opened_at,
        )


@strawberry.input
class DecideDwellingRequestInput:
    id: strawberry.ID
    approved: bool = strawberry.field(
        description="Approval ends the present occupant's occupancy on the day before the new one begins."
    )
    contested: bool | None = strawberry.field(
        default=None,
        description="The value of `contested` that the decision is based on; by default its "
        "value when the request was made. Approving as not contested while "
        "somebody else has the dwelling: CONFLICT.",
    )


@strawberry.type(description="The request is decided, and the applicant is notified.")
class DwellingRequestDecided:
    id: strawberry.ID
    approved: bool


@strawberry.type
class DwellingRequestQuery:
    @resolved("The open dwelling requests of the manager's residences, the oldest first.")
    async def dwelling_requests(self, info: Info, first: int = PAGE) -> list[DwellingRequest]:
        viewer, size = await info.context.viewer(), checked_first(first)
        found = await list_dwelling_requests(viewer, limit=size, now=info.context.now)
        return [DwellingRequest.of(view) for view in found]


@strawberry.type
class DwellingRequestMutation:
    @resolved(
        "Approve or reject a request for a dwelling. Already decided: CONFLICT; so too, with "
        "the field `contested`, where the dwelling has somebody else's account by now and the "
        "decision did not take that into account."
    )
    async def decide_dwelling_request(
        self,
        info: Info,
        input: DecideDwellingRequestInput,  # noqa: A002 - the argument's name in the schema
    ) -> DwellingRequestDecided:
        context = info.context
        await decide(
            context.application,
            await context.viewer(),
            number_of(input.id, "DwellingRequest"),
            approved=input.approved,
            contested=input.contested,
            visitor=context.visitor,
            now=context.now,
        )
        return DwellingRequestDecided(id=input.id, approved=input.approved)
