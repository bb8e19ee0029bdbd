"""Providers whom a resident lets read consumption: granted, listed, ended; and what a token may read
(EED-07).
"""

from datetime import date, datetime
from typing import Annotated, TypeAlias

import strawberry

from core.access import Permission
from core.consumption.resolutions import Resolution
from core.services.privacy.grants import GrantAsked, GrantView, issue_grant, revoke_grant
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Fluid
from graphql_schema.base.fields import resolved
from graphql_schema.base.refusals import RequestRefused, answered
from graphql_schema.base.relay import Node, global_id, number_of
from graphql_schema.base.views import shown


@strawberry.type(description="A provider whom the viewer lets read the consumption of a dwelling.")
class ThirdPartyGrant(Node):
    dwelling_number: strawberry.Private[int]
    provider: str = strawberry.field(description="The provider's name, as the viewer entered it.")
    contact: str = strawberry.field(description="How to reach the provider.")
    fluids: list[Fluid] = strawberry.field(description="The fluids that may be read.")
    resolution: Resolution = strawberry.field(
        description="The finest that may be read: MONTHLY (months and years), DAILY (days and weeks as "
        "well) or HOURLY."
    )
    first_day: date = strawberry.field(description="The first day of the data that may be read.")
    last_day: date = strawberry.field(
        description="The last day of the data, and the last one on which the token is valid."
    )
    created_at: datetime
    last_used_at: datetime | None = strawberry.field(
        description="The last use, accurate to five minutes; null if it was never used."
    )
    revoked_at: datetime | None = strawberry.field(
        description="When the viewer ended it; null if it was not ended."
    )

    @classmethod
    def of(cls, view: GrantView) -> "ThirdPartyGrant":
        return shown(
            cls,
            view,
            id=global_id("ThirdPartyGrant", view.id),
            dwelling_number=view.dwelling_id,
            fluids=list(view.fluids),
        )

    @resolved("The id of the dwelling, with which the provider asks for `dwelling`.")
    def dwelling(self) -> strawberry.ID:
        return global_id("Dwelling", self.dwelling_number)


@strawberry.input
class GrantThirdPartyAccessInput:
    dwelling: strawberry.ID
    provider: str = strawberry.field(description="The provider's name, 1 to 80 characters.")
    contact: str = strawberry.field(
        description="How to reach it: an e-mail address, a phone number, a website."
    )
    fluids: list[Fluid]
    resolution: Resolution = strawberry.field(description="MONTHLY, DAILY or HOURLY.")
    until: date = strawberry.field(description="The last day, at most a year ahead.")
    from_: date | None = strawberry.field(
        name="from",
        default=None,
        description="The first day of the data; by default the first of the occupancy.",
    )


@strawberry.type(description="The provider can read from now on.")
class ThirdPartyAccessGranted:
    token: str = strawberry.field(
        description="For the provider, who sends it as `Authorization: Bearer smt_...`. It is returned only "
        "here."
    )
    grant: ThirdPartyGrant


@strawberry.type(description="The provider's token is unknown from now on.")
class ThirdPartyAccessRevoked:
    grant: ThirdPartyGrant


@strawberry.type(description="What the token of the request may read: for a provider's program.")
class ThirdPartyAccess:
    dwelling: strawberry.ID = strawberry.field(description="The id of the dwelling.")
    fluids: list[Fluid] = strawberry.field(description="The fluids that may be read.")
    finest: Resolution = strawberry.field(description="The finest resolution that may be read.")
    first_day: date = strawberry.field(description="The first day of the data that may be read.")
    last_day: date = strawberry.field(description="The last day on which the token is valid.")


GrantThirdPartyAccessResult: TypeAlias = Annotated[
    ThirdPartyAccessGranted | RequestRefused, strawberry.union("GrantThirdPartyAccessResult")
]
RevokeThirdPartyAccessResult: TypeAlias = Annotated[
    ThirdPartyAccessRevoked | RequestRefused, strawberry.union("RevokeThirdPartyAccessResult")
]


@strawberry.type
class GrantQuery:
    @resolved("What the token of the request may read; null for another token. UNAUTHENTICATED without one.")
    async def third_party_access(self, info: Info) -> ThirdPartyAccess | None:
        viewer = await info.context.viewer()
        grant = viewer.grant
        if grant is None:
            return None
        daily = viewer.may(Permission.CONSUMPTION_READ_DAILY)
        hourly = viewer.may(Permission.READINGS_READ)
        return ThirdPartyAccess(
            dwelling=global_id("Dwelling", grant.dwelling_id),
            fluids=[fluid for fluid in Fluid if fluid.value in grant.fluids],
            finest=Resolution.HOURLY if hourly else Resolution.DAILY if daily else Resolution.MONTHLY,
            first_day=grant.first_day,
            last_day=grant.last_day,
        )


@strawberry.type
class GrantMutation:
    @answered(
        "Let a provider read the consumption of a dwelling. The token reads `consumption` of the dwelling "
        "and nothing else; each look is in `accessLog`. It ends on its last day, with the occupancy, or "
        "when it is revoked."
    )
    async def grant_third_party_access(
        self,
        info: Info,
        input: GrantThirdPartyAccessInput,  # noqa: A002 - the argument's name in the schema
    ) -> GrantThirdPartyAccessResult:
        context = info.context
        issued = await issue_grant(
            context.application,
            await context.viewer(),
            number_of(input.dwelling, "Dwelling", field="dwelling"),
            GrantAsked(
                input.provider, input.contact, input.fluids, input.resolution, input.until, input.from_
            ),
            visitor=context.visitor,
            now=context.now,
        )
        return ThirdPartyAccessGranted(token=issued.token, grant=ThirdPartyGrant.of(issued.view))

    @answered("End a provider's access, with immediate effect.")
    async def revoke_third_party_access(self, info: Info, id: strawberry.ID) -> RevokeThirdPartyAccessResult:  # noqa: A002 - the argument's name in the schema
        context = info.context
        view = await revoke_grant(
            await context.viewer(),
            number_of(id, "ThirdPartyGrant"),
            visitor=context.visitor,
            now=context.now,
        )
        return ThirdPartyAccessRevoked(grant=ThirdPartyGrant.of(view))
