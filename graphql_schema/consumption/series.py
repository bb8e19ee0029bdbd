"""Consumption by hour, day, week, month, year or billing period, of a dwelling's fluid or of one meter.

In: a resolution and how many values. Out: one series, as points and as columns. The one rule: a series that
reaches beyond what the viewer may see is answered as far as it may be seen, and says so (`clippedFrom`).
"""

from datetime import date, datetime
from decimal import Decimal

import strawberry

from core.access.narrowing import Audience
from core.consumption.amounts import DisplayUnit, shown_amounts
from core.consumption.comparison import ComparedWith
from core.consumption.resolutions import Resolution
from core.services.consumption.by_resolution import Consumption, ConsumptionAsked, Value
from graphql_schema.base.amounts import Amount
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Fluid, Quality
from graphql_schema.base.fields import resolved
from graphql_schema.base.narrowing import narrowed
from graphql_schema.consumption.building_average import BuildingAverage
from graphql_schema.consumption.climate import ClimateCorrection
from graphql_schema.consumption.comparison import ConsumptionComparison
from graphql_schema.consumption.consumption import checked_day
from graphql_schema.consumption.rates import ConsumptionCost, ConsumptionEmissions

USUAL_VALUES = 13
"""A year of months and the one in progress."""

_VALUES = (
    " `last`: how many values, of which the latest may be in progress; at most 744 hours, 1,098 days, "
    "157 weeks, 37 months, 4 years or 4 billing periods, and more is answered as that many. `until`: a day "
    "of the last value, by default today, or the last day of an ended occupancy. What lies outside the "
    "viewer's occupancy is left out, see `clippedFrom`."
)

strawberry.enum(
    Resolution,
    description="How long one value of a series lasts: an hour that is over; a civil day of the residence's "
    "time zone; a week from Monday to Sunday; a calendar month; a calendar year; a billing period, which is "
    "the calendar year unless the operator stated another day (`billingStartsOn`).",
)


@strawberry.type(
    description="The consumption from one moment to another. The amount is null if there is no data."
)
class ConsumptionPoint:
    starts_at: datetime = strawberry.field(
        description="The beginning, in the residence's time zone: `2026-11-01T00:00:00+01:00`."
    )
    ends_at: datetime = strawberry.field(description="The end, which is the beginning of the next.")
    amount: Amount | None = strawberry.field(description="The consumption; null if there is no data.")
    quality: Quality = strawberry.field(
        description="The quality of the amount. PARTIAL if the time is not over, or not all of it is known "
        "or the viewer's; MISSING if there is no data."
    )

    @classmethod
    def of(cls, value: Value, fluid: Fluid) -> "ConsumptionPoint":
        return cls(
            starts_at=value.starts_at,
            ends_at=value.ends_at,
            amount=Amount.known(fluid, value.amount),
            quality=value.quality,
        )


@strawberry.type(
    description="Consumption in the order of time: as `points`, or as columns of equal length (`starts`, "
    "`amounts`, `qualities`), which are smaller and quicker for charts and tables."
)
class ConsumptionSeries:
    found: strawberry.Private[Consumption]
    fluid: Fluid = strawberry.field(description="What was consumed.")
    resolution: Resolution = strawberry.field(description="How long one value lasts.")
    unit: DisplayUnit = strawberry.field(description="The unit of all amounts.")
    clipped_from: date | None = strawberry.field(
        description="The first day that the viewer can see (`visibleFrom`), if the series was to begin "
        "before; null if nothing was left out."
    )
    clipped_until: date | None = strawberry.field(
        description="The last day that the viewer can see (`visibleUntil`), if the series was to end "
        "after; null if nothing was left out."
    )
    billing_starts_on: str | None = strawberry.field(
        description="The day of the year on which the residence's billing periods begin, MM-DD; null if the "
        "operator stated none, so that they are calendar years."
    )

    @classmethod
    def of(cls, found: Consumption) -> "ConsumptionSeries":
        plan = found.plan
        return cls(
            found=found,
            fluid=plan.fluid,
            resolution=plan.resolution,
            unit=DisplayUnit.of(plan.fluid),
            clipped_from=plan.clipped_from,
            clipped_until=plan.clipped_until,
            billing_starts_on=None
            if plan.home.place["billing_starts"] is None
            else f"{plan.billing.month:02d}-{plan.billing.day:02d}",
        )

    @resolved("The values as objects.")
    def points(self) -> list[ConsumptionPoint]:
        return [ConsumptionPoint.of(value, self.fluid) for value in self.found.values]

    @resolved("When each value begins, in the residence's time zone.")
    def starts(self) -> list[datetime]:
        return [value.starts_at for value in self.found.values]

    @resolved("Each amount, exact, in `unit`; null if there is no data.")
    def amounts(self) -> list[Decimal | None]:
        return shown_amounts(self.fluid, [value.amount for value in self.found.values])

    @resolved("The quality of each amount; MISSING if there is no data.")
    def qualities(self) -> list[Quality]:
        return [value.quality for value in self.found.values]

    @resolved("The series compared with another period of the same occupancy.")
    async def comparison(
        self, info: Info, compared_with: ComparedWith = ComparedWith.SAME_PERIOD_LAST_YEAR
    ) -> ConsumptionComparison:
        found = await info.context.loaders.comparisons.load((self.found.plan.asked, compared_with))
        return ConsumptionComparison.of(found)

    @resolved("What the homes of the building used on average, for the surface of the viewer's home.")
    async def building_average(self, info: Info) -> BuildingAverage:
        return BuildingAverage.of(await info.context.loaders.building_averages.load(self.found.plan.asked))

    @resolved("The series in usual weather, by the degree days of the residence's weather station.")
    async def climate_corrected(self, info: Info) -> ClimateCorrection:
        return ClimateCorrection.of(await info.context.loaders.climate.load(self.found.plan.asked))

    @resolved("What the series costs, by the tariffs that the operator has entered.")
    async def cost(self, info: Info) -> ConsumptionCost:
        return ConsumptionCost.of(await info.context.loaders.costs.load(self.found.plan.asked))

    @resolved("How much carbon dioxide the series stands for, by the factors that the operator has entered.")
    async def emissions(self, info: Info) -> ConsumptionEmissions:
        return ConsumptionEmissions.of(await info.context.loaders.emissions.load(self.found.plan.asked))


@strawberry.type
class ConsumptionOfDwelling:
    """The field of a dwelling."""

    database_id: strawberry.Private[int]

    @narrowed(
        "The consumption of a fluid by hour, day, week, month, year or billing period." + _VALUES,
        Audience.GRANTED,
    )
    async def consumption(
        self,
        info: Info,
        fluid: Fluid,
        resolution: Resolution = Resolution.MONTHLY,
        last: int = USUAL_VALUES,
        until: date | None = None,
    ) -> ConsumptionSeries | None:
        asked = ConsumptionAsked(
            resolution, last, checked_day(until, "until"), fluid=fluid, dwelling_id=self.database_id
        )
        return ConsumptionSeries.of(await info.context.loaders.consumption.load(asked))


@strawberry.type
class ConsumptionOfMeter:
    """The field of a meter."""

    number: strawberry.Private[int]

    @narrowed(
        "The meter's consumption by hour, day, week, month, year or billing period." + _VALUES,
        Audience.OCCUPANT,
    )
    async def consumption(
        self,
        info: Info,
        resolution: Resolution = Resolution.MONTHLY,
        last: int = USUAL_VALUES,
        until: date | None = None,
    ) -> ConsumptionSeries | None:
        asked = ConsumptionAsked(resolution, last, checked_day(until, "until"), meter_id=self.number)
        return ConsumptionSeries.of(await info.context.loaders.consumption.load(asked))
