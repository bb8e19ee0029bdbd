"""Dwelling requests that a manager decides: identified by guessable data, or contested (C-12, C-40)."""

from datetime import date, datetime
from typing import Annotated, TypeAlias

import strawberry
from strawberry.relay import PageInfo

from core.services.occupancy.dwelling_request_views import (
    DwellingRequestView,
    count_dwelling_requests,
    list_dwelling_requests,
)
from core.services.occupancy.dwelling_requests import decide
from core.services.shared.paging import Page
from graphql_schema.base.context import Info
from graphql_schema.base.enums import OccupancyKind
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import PAGE, Edge, checked_first, cursor, number_of_cursor, page_info
from graphql_schema.base.refusals import RequestRefused, answered
from graphql_schema.base.relay import Node, global_id, number_of
from graphql_schema.base.views import shown

_CURSOR = "dwelling-request"


@strawberry.type(
    description="A request for access to a dwelling. The applicant sees no data of the dwelling until it is "
    "approved."
)
class DwellingRequest(Node):
    contested: bool = strawberry.field(
        description="Whether somebody else occupies the dwelling: for managers at present, and approval ends "
        "that occupancy; for the applicant when the request was made."
    )
    residence_code: str
    dwelling: str
    name: str
    occupancy: OccupancyKind
    move_in: date
    opened_at: datetime

    @classmethod
    def of(cls, view: DwellingRequestView) -> "DwellingRequest":
        return shown(cls, view, id=global_id("DwellingRequest", view.id))


@strawberry.type(description="A page of dwelling requests, oldest first.")
class DwellingRequestConnection:
    edges: list[Edge[DwellingRequest]]
    page_info: PageInfo

    @resolved("The open requests on all pages.")
    async def total_count(self, info: Info) -> int:
        return await count_dwelling_requests(await info.context.viewer())


@strawberry.input
class DecideDwellingRequestInput:
    id: strawberry.ID
    approved: bool = strawberry.field(
        description="True approves the request, and ends the present occupancy on the day before the new "
        "one begins; false rejects it."
    )
    contested: bool | None = strawberry.field(
        default=None,
        description="The value of `contested` that the decision is based on; by default its value when the "
        "request was made. CONFLICT if the request is approved as not contested while somebody else "
        "occupies the dwelling.",
    )


@strawberry.type(description="The request was decided, and the applicant is notified.")
class DwellingRequestDecided:
    id: strawberry.ID
    approved: bool


DecideDwellingRequestResult: TypeAlias = Annotated[
    DwellingRequestDecided | RequestRefused, strawberry.union("DecideDwellingRequestResult")
]


@strawberry.type
class DwellingRequestQuery:
    @resolved("The open dwelling requests of the manager's residences, oldest first.")
    async def dwelling_requests(
        self, info: Info, first: int = PAGE, after: str | None = None
    ) -> DwellingRequestConnection:
        viewer, size, now = await info.context.viewer(), checked_first(first), info.context.now
        after_id = number_of_cursor(after, _CURSOR) or 0
        views = await list_dwelling_requests(viewer, after_id=after_id, limit=size + 1, now=now)
        edges = [
            Edge(cursor=cursor(_CURSOR, view.id), node=DwellingRequest.of(view)) for view in views[:size]
        ]
        return DwellingRequestConnection(
            edges=edges, page_info=page_info(edges, Page(views[:size], has_next=len(views) > size), after)
        )


@strawberry.type
class DwellingRequestMutation:
    @answered(
        "Approve or reject a dwelling request. CONFLICT if it was already decided; CONFLICT with the field "
        "`contested` if somebody else occupies the dwelling by now and the decision did not account for it."
    )
    async def decide_dwelling_request(
        self,
        info: Info,
        input: DecideDwellingRequestInput,  # noqa: A002 - the argument's name in the schema
    ) -> DecideDwellingRequestResult:
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
