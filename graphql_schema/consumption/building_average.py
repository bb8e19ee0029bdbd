"""The average of a building beside a series.

In: the averages of a service. Out: columns as long as those of the series. The one rule: a figure is about
five homes or more and has three digits; where there is none, its reason stands beside it.
"""

from decimal import Decimal
from fractions import Fraction

import strawberry

from core.consumption import Quality
from core.consumption.amounts import DisplayUnit, rounded
from core.consumption.fluids import Fluid
from core.services.consumption.building_averages import Average, AverageScope, BuildingAverages, NoAverage
from core.services.shared.columns import decimal_or_none
from graphql_schema.base.fields import resolved

_DIGITS = 3

strawberry.enum(
    AverageScope,
    description="Whose average it is. RESIDENCE: of all buildings together, since one of them has too few "
    "homes for an average of its own.",
)
strawberry.enum(
    NoAverage,
    name="NoAverageReason",
    description="Why a value has no average. TOO_FEW_DWELLINGS: fewer than five homes were wholly known when "
    "the month was published, or one of them had more than half. NO_SURFACE: the surface of the viewer's "
    "home is not known. IN_PROGRESS: the time is not over, or not for three days. NOT_FOR_RESOLUTION: only "
    "months, years, and billing periods that begin with a month have one. NOT_COMPARABLE: allocator units "
    "depend on the radiator, and a single meter is no home.",
)


@strawberry.type(
    description="What the homes of the building used on average: the sum of their amounts by the sum of "
    "their surfaces, times the surface of the viewer's home. Homes that are not wholly known are left out. A "
    "year is the sum of its months."
)
class BuildingAverage:
    found: strawberry.Private[BuildingAverages]
    surface_m2: Decimal | None = strawberry.field(
        name="surfaceM2", description="The surface of the viewer's home; null if it is not known."
    )

    @classmethod
    def of(cls, found: BuildingAverages) -> "BuildingAverage":
        return cls(found=found, surface_m2=decimal_or_none(found.series.plan.home.place["surface_m2"]))

    @resolved("The average beside each value, with three digits, in the unit of the series; null if none.")
    def amounts(self) -> list[Decimal | None]:
        fluid = self.found.series.plan.fluid
        return [None if one.amount is None else _shown(fluid, one.amount) for one in self.found.values]

    @resolved(
        "By how much each value of the series lies above (below: negative) the average, in whole percent; "
        "null if there is no average, or the value is not wholly known."
    )
    def percents(self) -> list[int | None]:
        pairs = zip(self.found.values, self.found.series.values, strict=True)
        return [
            None if value.quality in {Quality.PARTIAL, Quality.MISSING} else _percent(one, value.amount)
            for one, value in pairs
        ]

    @resolved("Whose average each is; null if there is none.")
    def scopes(self) -> list[AverageScope | None]:
        return [one.scope for one in self.found.values]

    @resolved("Of how many homes each is, to the nearest multiple of five; null if there is none.")
    def homes(self) -> list[int | None]:
        return [one.homes for one in self.found.values]

    @resolved("Why there is no average beside a value; null if there is one.")
    def reasons(self) -> list[NoAverage | None]:
        return [one.reason for one in self.found.values]


def _percent(average: Average, own: int | None) -> int | None:
    if own is None or not average.amount:
        return None
    return int(rounded(100 * (own - average.amount) / average.amount, 0))


def _shown(fluid: Fluid, smallest: Fraction) -> Decimal:
    """An amount in the unit in which it is shown, with three digits."""
    exact = smallest / 10 ** DisplayUnit.of(fluid).decimals
    whole = len(str(int(exact))) if exact >= 1 else 0
    decimals = DisplayUnit.of(fluid).decimals
    if whole > _DIGITS:
        tens: int = 10 ** (whole - _DIGITS)
        return rounded(exact / tens, 0) * tens
    return rounded(exact, min(decimals, _DIGITS - whole))
