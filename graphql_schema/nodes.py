"""`node(id)`: objects by their global id, for clients that refetch them."""

import strawberry

from core.errors import InvalidInput
from core.services.places.dwellings import my_dwelling
from graphql_schema.base.context import Info
from graphql_schema.base.fields import resolved
from graphql_schema.base.relay import Node, parse_global_id
from graphql_schema.dwellings.dwellings import Dwelling
from graphql_schema.meters.meters import meter_of


@strawberry.type
class NodeQuery:
    @resolved("A dwelling or meter of the viewer, by its global id.")
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:  # noqa: A002 - the argument's name in the schema
        viewer = await info.context.viewer()
        match parse_global_id(id):
            case ("Dwelling", number):
                return Dwelling.of(await my_dwelling(viewer, number))
            case ("Meter", number):
                return await meter_of(info.context, number)
            case (name, _):
                raise InvalidInput(f"A {name} is not a node.", field="id")
