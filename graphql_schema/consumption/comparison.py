"""A series compared with the period before, or with the same period last year.

In: the comparison of a service. Out: columns as long as those of the series, and the total. The one rule: an
amount that cannot be compared is null with its reason, never 0, and nothing of another occupancy is in it.
"""

from datetime import datetime
from decimal import Decimal

import strawberry

from core.consumption.amounts import DisplayUnit, in_shown_unit, rounded
from core.consumption.comparison import Compared, ComparedWith, NotCompared, Trend
from core.services.consumption.by_resolution import start_of
from core.services.consumption.climate import ComparedInOwnWeather as ComparedInOwnWeatherView
from core.services.consumption.comparisons import Comparison
from graphql_schema.base.amounts import Amount
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Fluid, NotCorrected
from graphql_schema.base.fields import resolved

strawberry.enum(
    ComparedWith,
    description="The other period of a comparison. PREVIOUS_PERIOD: the values just before, as many as the "
    "series was asked for. SAME_PERIOD_LAST_YEAR: each value a year before; of a week, the one of the same "
    "number.",
)
strawberry.enum(Trend, name="ConsumptionTrend", description="Which way an amount has gone.")
strawberry.enum(
    NotCompared,
    name="ComparisonReason",
    description="Why an amount is not compared. OTHER_OCCUPANCY: the other period lies before the viewer's "
    "occupancy. NO_DATA: of one of the periods nothing is known. NO_SUCH_PERIOD: the other year has no such "
    "day or week. NOT_FOR_RESOLUTION: hours are not compared.",
)


@strawberry.type(
    description="An amount compared with another. Periods that are wholly known are compared as wholes; "
    "otherwise the days that are known in both, so that a month in progress is compared with as many days."
)
class ComparedConsumption:
    days: int = strawberry.field(description="How many days of the own period are compared.")
    whole: bool = strawberry.field(description="Whether both periods are compared as wholes.")
    own: Amount | None = strawberry.field(
        description="The own amount, over the days compared; null if not compared."
    )
    other: Amount | None = strawberry.field(
        description="The other amount, over their counterparts; null if not compared."
    )
    difference: Decimal | None = strawberry.field(
        description="The own amount less the other, in the unit of the series; null if not compared."
    )
    percent: Decimal | None = strawberry.field(
        description="The difference in percent of the other amount, with one decimal; null if not compared, "
        "or if the other amount is 0."
    )
    trend: Trend | None = strawberry.field(
        description="Whether the own amount is lower or higher; null if not compared."
    )
    reason: NotCompared | None = strawberry.field(description="Why there is no amount; null if there is one.")

    @classmethod
    def of(cls, found: Compared, fluid: Fluid) -> "ComparedConsumption":
        return cls(
            days=found.days,
            whole=found.whole,
            own=Amount.known(fluid, found.own),
            other=Amount.known(fluid, found.other),
            difference=_shown(fluid, found.difference),
            percent=found.percent,
            trend=found.trend,
            reason=found.reason,
        )


@strawberry.type(
    description="What the values of a series are compared with, in the weather of the series: each other "
    "amount times the degree days of the own period, by those of the other."
)
class ComparedInOwnWeather:
    found: strawberry.Private[ComparedInOwnWeatherView]
    fluid: strawberry.Private[Fluid]

    @resolved("Each other amount, in the unit of the series; null if not corrected.")
    def amounts(self) -> list[Decimal | None]:
        decimals = DisplayUnit.of(self.fluid).decimals
        return [
            None if one.amount is None else rounded(one.amount / 10**decimals, decimals)
            for one in self.found.values
        ]

    @resolved(
        "By how much each own amount lies above it (below: negative), with one decimal; null if not known."
    )
    def percents(self) -> list[Decimal | None]:
        pairs = zip(self.found.comparison.values, self.found.values, strict=True)
        return [
            None
            if compared.own is None or not one.amount
            else rounded(100 * (compared.own - one.amount) / one.amount, 1)
            for compared, one in pairs
        ]

    @resolved("Why each is not corrected; null if it is.")
    def reasons(self) -> list[NotCorrected | None]:
        return [one.reason for one in self.found.values]


@strawberry.type(
    description="A series compared with another period, as columns of the length of the series, and in total."
)
class ConsumptionComparison:
    found: strawberry.Private[Comparison]
    fluid: strawberry.Private[Fluid]
    compared_with: ComparedWith = strawberry.field(description="The other period.")
    total: ComparedConsumption = strawberry.field(
        description="All values that could be compared, together: `days` says over how many days."
    )

    @classmethod
    def of(cls, found: Comparison) -> "ConsumptionComparison":
        fluid = found.series.plan.fluid
        return cls(
            found=found,
            fluid=fluid,
            compared_with=found.compared_with,
            total=ComparedConsumption.of(found.total, fluid),
        )

    @resolved("When each other period begins, in the residence's time zone; null if there is none.")
    def starts(self) -> list[datetime | None]:
        plan = self.found.series.plan
        periods = [one.other_period for one in self.found.values]
        return [None if period is None else start_of(period.first, plan) for period in periods]

    @resolved("Each other amount, exact, in the unit of the series; null if not compared.")
    def amounts(self) -> list[Decimal | None]:
        return [_shown(self.fluid, one.other) for one in self.found.values]

    @resolved("Each own amount over the days compared; null if not compared.")
    def own_amounts(self) -> list[Decimal | None]:
        return [_shown(self.fluid, one.own) for one in self.found.values]

    @resolved("Each own amount less the other; null if not compared.")
    def differences(self) -> list[Decimal | None]:
        return [_shown(self.fluid, one.difference) for one in self.found.values]

    @resolved("Each difference in percent of the other amount; null if not compared, or if that is 0.")
    def percents(self) -> list[Decimal | None]:
        return [one.percent for one in self.found.values]

    @resolved("Whether each own amount is lower or higher; null if not compared.")
    def trends(self) -> list[Trend | None]:
        return [one.trend for one in self.found.values]

    @resolved("Over how many days each is compared.")
    def days(self) -> list[int]:
        return [one.days for one in self.found.values]

    @resolved("Why each is not compared; null if it is.")
    def reasons(self) -> list[NotCompared | None]:
        return [one.reason for one in self.found.values]

    @resolved(
        "Heating of the other periods as it would have been in the weather of the series, by degree days, "
        "where both periods are wholly known."
    )
    async def in_own_weather(self, info: Info) -> ComparedInOwnWeather:
        asked = self.found.series.plan.asked, self.compared_with
        found = await info.context.loaders.climate_comparisons.load(asked)
        return ComparedInOwnWeather(found=found, fluid=self.fluid)


def _shown(fluid: Fluid, smallest: int | None) -> Decimal | None:
    return None if smallest is None else in_shown_unit(fluid, smallest)
