"""A resident's own limits of consumption, by day and month (R-197, C-30)."""

from typing import Annotated, TypeAlias

import strawberry

from core.access import Permission
from core.consumption.resolutions import Resolution
from core.services.alerts.consumption_limits import OwnLimit, set_limit
from core.services.consumption.by_resolution import ConsumptionAsked
from graphql_schema.base.amounts import Amount
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Fluid, LimitPeriod
from graphql_schema.base.fields import resolved
from graphql_schema.base.refusals import RequestRefused, answered
from graphql_schema.base.relay import number_of
from graphql_schema.base.scalars import BigInt


@strawberry.type(
    description="A limit of consumption, or a month's goal, that the viewer has set. The viewer is notified "
    "when a day or month exceeds it, or comes near the goal; nobody else sees it."
)
class ConsumptionLimit:
    dwelling_id: strawberry.Private[int]
    limit: strawberry.Private[int]
    fluid: Fluid
    period: LimitPeriod
    amount: Amount

    @classmethod
    def of(cls, limit: OwnLimit, dwelling_id: int) -> "ConsumptionLimit":
        return cls(
            dwelling_id=dwelling_id,
            limit=limit.amount,
            fluid=limit.fluid,
            period=limit.period,
            amount=Amount.of(limit.fluid, limit.amount),
        )

    @resolved(
        "The consumption so far of the day or month in progress; null if there is no data, or the viewer may "
        "not see days."
    )
    async def used(self, info: Info) -> Amount | None:
        return Amount.known(self.fluid, await self._used(info))

    @resolved("The same in percent of the limit, rounded down; null if it is not known.")
    async def used_percent(self, info: Info) -> int | None:
        used = await self._used(info)
        return None if used is None else 100 * used // self.limit

    async def _used(self, info: Info) -> int | None:
        viewer = await info.context.viewer()
        if not viewer.may(Permission.CONSUMPTION_READ_DAILY):
            return None
        resolution = Resolution.DAILY if self.period is LimitPeriod.DAY else Resolution.MONTHLY
        asked = ConsumptionAsked(resolution, 1, fluid=self.fluid, dwelling_id=self.dwelling_id)
        found = await info.context.loaders.consumption.load(asked)
        spans = found.plan.spans
        return found.values[-1].amount if spans and found.plan.is_in_progress(spans[-1]) else None


@strawberry.input(description="A limit to set. It applies from the day on which it is set.")
class ConsumptionLimitInput:
    dwelling: strawberry.ID
    fluid: Fluid
    period: LimitPeriod
    amount: BigInt | None = strawberry.field(
        description="In the smallest unit: litres, watt-hours or allocator units. Null removes the limit."
    )


@strawberry.type(description="The change was saved; `limits` are all limits of the dwelling.")
class ConsumptionLimits:
    limits: list[ConsumptionLimit]


SetConsumptionLimitResult: TypeAlias = Annotated[
    ConsumptionLimits | RequestRefused, strawberry.union("SetConsumptionLimitResult")
]


@strawberry.type
class OwnLimitMutation:
    @answered(
        "Set or remove the viewer's own limit for the consumption of a day or month, or a goal for months."
    )
    async def set_consumption_limit(
        self,
        info: Info,
        input: ConsumptionLimitInput,  # noqa: A002 - the argument's name in the schema
    ) -> SetConsumptionLimitResult:
        dwelling_id = number_of(input.dwelling, "Dwelling", field="dwelling")
        limits = await set_limit(
            await info.context.viewer(),
            dwelling_id,
            input.fluid,
            input.period,
            input.amount,
            now=info.context.now,
        )
        return ConsumptionLimits(limits=[ConsumptionLimit.of(limit, dwelling_id) for limit in limits])
