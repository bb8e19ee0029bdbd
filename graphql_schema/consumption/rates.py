"""What a series costs, and how much carbon dioxide it stands for.

In: figures by the operator's tariffs and factors. Out: columns as long as those of the series, the total, and
the rates that they were computed by. The one rule: a value without a rate is null with its reason, never 0.
"""

from datetime import date
from decimal import Decimal

import strawberry

from core.consumption.prices import CENTS, GRAMS, Factor, FixedCharge, NoFigure, Price
from core.services.consumption.rates import Rated
from graphql_schema.base.fields import resolved
from graphql_schema.base.views import shown

strawberry.enum(FixedCharge, description="What the fixed part of a tariff is paid for.")
strawberry.enum(
    NoFigure,
    name="NoFigureReason",
    description="Why a value has no figure. NO_DATA: there is no data. NO_RATE: the operator has entered no "
    "tariff, or no factor, for one of its days. NOT_FOR_RESOLUTION: hours have none.",
)


@strawberry.type(description="A tariff, as the operator entered it; in euros.")
class Tariff:
    valid_from: date = strawberry.field(description="The first day on which it is in force.")
    of_residence: bool = strawberry.field(
        description="Whether it is that of the residence; otherwise of all residences of the operator."
    )
    eur_per_unit: Decimal = strawberry.field(description="The price of a unit of the series.")
    fixed_eur: Decimal | None = strawberry.field(description="The fixed part; null if there is none.")
    fixed_per: FixedCharge | None = strawberry.field(
        description="What the fixed part is paid for; null if there is none."
    )
    vat_included: bool | None = strawberry.field(
        description="Whether value added tax is included; null if the operator did not state it."
    )

    @classmethod
    def of(cls, price: Price) -> "Tariff":
        return shown(cls, price)


@strawberry.type(
    description="What a series costs. Each day is priced by the tariff in force on it, the fixed part by as "
    "many days as are over or in progress. Values are rounded half up to cents; the total is that of the "
    "exact values."
)
class ConsumptionCost:
    found: strawberry.Private[Rated[Price]]
    currency: str = strawberry.field(description="The currency, by ISO 4217: `EUR`.")
    total: Decimal | None = strawberry.field(
        description="The cost of all values that have data; null if a tariff is missing, or all data."
    )
    reason: NoFigure | None = strawberry.field(description="Why there is no total; null if there is one.")
    vat_included: bool | None = strawberry.field(
        description="Whether value added tax is included; null if it was not stated, or not always the same."
    )

    @classmethod
    def of(cls, found: Rated[Price]) -> "ConsumptionCost":
        stated = {price.vat_included for price in found.rates}
        return cls(
            found=found,
            currency="EUR",
            total=found.total.shown(CENTS),
            reason=found.total.reason,
            vat_included=stated.pop() if len(stated) == 1 else None,
        )

    @resolved("The cost of each value; null if there is none.")
    def amounts(self) -> list[Decimal | None]:
        return [figure.shown(CENTS) for figure in self.found.values]

    @resolved("Why each value has no cost; null if it has one.")
    def reasons(self) -> list[NoFigure | None]:
        return [figure.reason for figure in self.found.values]

    @resolved("The tariffs in force on the days of the series, the earliest first.")
    def tariffs(self) -> list[Tariff]:
        return [Tariff.of(price) for price in self.found.rates]


@strawberry.type(description="How much carbon dioxide a unit stands for, as the operator entered it.")
class EmissionFactor:
    valid_from: date = strawberry.field(description="The first day on which it is in force.")
    of_residence: bool = strawberry.field(
        description="Whether it is that of the residence; otherwise of all residences of the operator."
    )
    grams_per_unit: Decimal = strawberry.field(description="Grams of carbon dioxide a unit of the series.")
    source: str = strawberry.field(description="Whose figure it is.")

    @classmethod
    def of(cls, factor: Factor) -> "EmissionFactor":
        return shown(cls, factor)


@strawberry.type(description="How much carbon dioxide a series stands for, in kilograms.")
class ConsumptionEmissions:
    found: strawberry.Private[Rated[Factor]]
    total: Decimal | None = strawberry.field(
        description="The kilograms of all values that have data; null if a factor is missing, or all data."
    )
    reason: NoFigure | None = strawberry.field(description="Why there is no total; null if there is one.")

    @classmethod
    def of(cls, found: Rated[Factor]) -> "ConsumptionEmissions":
        return cls(found=found, total=found.total.shown(GRAMS), reason=found.total.reason)

    @resolved("The kilograms of each value; null if there is no figure.")
    def kilograms(self) -> list[Decimal | None]:
        return [figure.shown(GRAMS) for figure in self.found.values]

    @resolved("Why each value has no figure; null if it has one.")
    def reasons(self) -> list[NoFigure | None]:
        return [figure.reason for figure in self.found.values]

    @resolved("The factors in force on the days of the series, the earliest first.")
    def factors(self) -> list[EmissionFactor]:
        return [EmissionFactor.of(factor) for factor in self.found.rates]
