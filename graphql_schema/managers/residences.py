"""The residences and the dwelling that a viewer asks for, by whatever right it sees them (R-042)."""

from enum import StrEnum

import strawberry
from strawberry.relay import PageInfo

from core.services.places.dwellings import dwelling_seen, residence_seen, residences_seen
from core.services.shared.place_rows import ResidencesAsked
from graphql_schema.base.context import Info
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import PAGE, Edge, checked_first, cursor, number_of_cursor, page_info
from graphql_schema.base.relay import number_of
from graphql_schema.dwellings.dwellings import Dwelling, Residence

_CURSOR = "residence"


@strawberry.enum(description="The order of residences.")
class ResidenceOrder(StrEnum):
    """The order of residences."""

    CODE = "CODE"
    NAME = "NAME"
    CITY = "CITY"


@strawberry.input(description="Which residences; a field that is left out does not narrow.")
class ResidenceFilterInput:
    code: str | None = strawberry.field(default=None, description="The site code: `AA000`.")
    city: str | None = strawberry.field(default=None, description="The city, whatever its case.")
    search: str | None = strawberry.field(
        default=None, description="Part of code, name, street, postcode or city, whatever its case."
    )
    published: bool | None = strawberry.field(
        default=None, description="Whether the residence's data are published."
    )


@strawberry.type(description="A page of residences. `totalCount`: the residences on all pages.")
class ResidenceConnection:
    edges: list[Edge[Residence]]
    page_info: PageInfo
    total_count: int


@strawberry.type
class ResidenceQuery:
    @resolved(
        "The residences that the viewer sees: a manager's, the operator's for its staff, and for a resident "
        "those of the own dwellings."
    )
    async def residences(
        self,
        info: Info,
        filter: ResidenceFilterInput | None = None,  # noqa: A002 - the argument's name in the schema
        order_by: ResidenceOrder = ResidenceOrder.CODE,
        first: int = PAGE,
        after: str | None = None,
    ) -> ResidenceConnection:
        chosen = filter or ResidenceFilterInput()
        asked = ResidencesAsked(
            first=checked_first(first),
            after=number_of_cursor(after, _CURSOR),
            code=chosen.code,
            city=chosen.city,
            search=chosen.search,
            published=chosen.published,
            order=order_by.value.lower(),
        )
        page = await residences_seen(await info.context.viewer(), asked, now=info.context.now)
        edges = [Edge(cursor=cursor(_CURSOR, view.id), node=Residence.of(view)) for view in page.items]
        return ResidenceConnection(
            edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0
        )

    @resolved("A residence. NOT_FOUND for one that the viewer does not see, whether it exists or not.")
    async def residence(self, info: Info, id: strawberry.ID) -> Residence | None:  # noqa: A002 - the argument's name in the schema
        viewer = await info.context.viewer()
        number = number_of(id, "Residence")
        return Residence.of(await residence_seen(viewer, number, now=info.context.now))

    @resolved("A dwelling. NOT_FOUND for one that the viewer does not see, whether it exists or not.")
    async def dwelling(self, info: Info, id: strawberry.ID) -> Dwelling | None:  # noqa: A002 - the argument's name in the schema
        viewer = await info.context.viewer()
        number = number_of(id, "Dwelling")
        return Dwelling.of(await dwelling_seen(viewer, number, now=info.context.now))
