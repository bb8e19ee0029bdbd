"""Heating in usual weather, beside a series.

In: the corrected values of a service. Out: columns as long as those of the series, and whose degree days they
were corrected by. The one rule: what is not corrected is null with its reason, and never the raw amount.
"""

from decimal import Decimal
from fractions import Fraction

import strawberry

from core.consumption.amounts import DisplayUnit, rounded
from core.services.consumption.climate import ClimateCorrected
from graphql_schema.base.enums import NotCorrected
from graphql_schema.base.fields import resolved

_DECIMALS = 2
"""Of degree days."""


@strawberry.type(
    description="The series in usual weather: each amount times the degree days that are usual in its "
    "period, by those that it had. Usual is the mean of the station's whole years, up to ten, one for all."
)
class ClimateCorrection:
    found: strawberry.Private[ClimateCorrected]
    station: str | None = strawberry.field(
        description="The weather station; null if there is none, or nothing to correct."
    )
    source: str | None = strawberry.field(description="Who measured the degree days; null without a station.")
    base_celsius: Decimal | None = strawberry.field(
        description="The temperature below which degree days are counted; null without a station."
    )
    reference_years: list[int] = strawberry.field(description="The years whose mean is usual.")

    @classmethod
    def of(cls, found: ClimateCorrected) -> "ClimateCorrection":
        station = found.station
        return cls(
            found=found,
            station=station.name if station else None,
            source=station.source if station else None,
            base_celsius=station.base_celsius if station else None,
            reference_years=list(station.reference_years) if station else [],
        )

    @resolved("Each amount in usual weather, in the unit of the series; null if not corrected.")
    def amounts(self) -> list[Decimal | None]:
        decimals = DisplayUnit.of(self.found.series.plan.fluid).decimals
        return [
            None if one.amount is None else rounded(one.amount / 10**decimals, decimals)
            for one in self.found.values
        ]

    @resolved("The degree days of each period; null if one of its days is missing.")
    def degree_days(self) -> list[Decimal | None]:
        return [_shown(one.degree_days) for one in self.found.values]

    @resolved("The usual degree days of each period; null without a whole year.")
    def usual_degree_days(self) -> list[Decimal | None]:
        return [_shown(one.reference) for one in self.found.values]

    @resolved("Why each value is not corrected; null if it is.")
    def reasons(self) -> list[NotCorrected | None]:
        return [one.reason for one in self.found.values]


def _shown(degree_days: Decimal | Fraction | None) -> Decimal | None:
    return None if degree_days is None else rounded(degree_days, _DECIMALS)
