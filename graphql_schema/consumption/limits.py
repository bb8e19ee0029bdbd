"""A resident's own limits of consumption, by day and month (R-197, C-30)."""

from typing import Annotated, TypeAlias

import strawberry

from core.services.alerts.consumption_limits import OwnLimit, set_limit
from graphql_schema.base.amounts import Amount
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Fluid, LimitPeriod
from graphql_schema.base.refusals import RequestRefused, answered
from graphql_schema.base.relay import number_of
from graphql_schema.base.scalars import BigInt


@strawberry.type(
    description="A limit of consumption, or a month's goal, that the viewer has set. The viewer is notified "
    "when a day or month exceeds it, or comes near the goal; nobody else sees it."
)
class ConsumptionLimit:
    fluid: Fluid
    period: LimitPeriod
    amount: Amount

    @classmethod
    def of(cls, limit: OwnLimit) -> "ConsumptionLimit":
        return cls(fluid=limit.fluid, period=limit.period, amount=Amount.of(limit.fluid, limit.amount))


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
        limits = await set_limit(
            await info.context.viewer(),
            number_of(input.dwelling, "Dwelling", field="dwelling"),
            input.fluid,
            input.period,
            input.amount,
            now=info.context.now,
        )
        return ConsumptionLimits(limits=[ConsumptionLimit.of(limit) for limit in limits])
