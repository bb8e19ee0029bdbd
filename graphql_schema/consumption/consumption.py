"""Consumption: the tabs of the dashboard, and series by day and by month (R-066 to R-076)."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import strawberry

from core.consumption import Month
from core.consumption.amounts import DisplayUnit, shown_amounts
from core.errors import InvalidInput
from core.services.consumption.consumption import FluidDashboard as FluidDashboardView
from core.services.consumption.consumption import MonthPoint
from core.services.consumption.day_series import DaySeries
from core.texts.alerts import fluid_label
from graphql_schema.base.amounts import Amount
from graphql_schema.base.columns import ByColumns
from graphql_schema.base.enums import Fluid, Language, Quality
from graphql_schema.base.texts import worded
from graphql_schema.base.views import shown

_EARLIEST = date(1900, 1, 1)


@strawberry.type(description="One tab of the dashboard. A figure without data is null, never 0.")
class FluidDashboard:
    fluid: Fluid
    unit: DisplayUnit = strawberry.field(description="The unit of all amounts of the tab.")
    month_to_date: Amount | None = strawberry.field(description="Consumption of the current month so far.")
    month_to_date_days: int = strawberry.field(description="Days with data in the current month.")
    last_reading_at: datetime | None = strawberry.field(
        description="The time of the last reading; null if there is none."
    )
    last_received_at: datetime | None = strawberry.field(
        description="When the last reading was received and stored."
    )
    previous_month: Amount | None = strawberry.field(description="Consumption of the previous month.")
    previous_month_days: int = strawberry.field(description="Days with data in the previous month.")
    year_to_date: Amount | None = strawberry.field(description="Consumption since 1 January.")
    mean_of_last_12_months: Amount | None = strawberry.field(
        name="meanOfLast12Months",
        description="Mean consumption of the complete months among the last twelve, without the current "
        "month.",
    )
    months_counted: int = strawberry.field(description="The number of complete months in the mean.")
    estimated_days: int = strawberry.field(description="Days in these figures whose amount is estimated.")

    @classmethod
    def of(cls, view: FluidDashboardView) -> "FluidDashboard":
        figures, fluid, reading = view.indicators, view.fluid, view.last_reading
        return cls(
            fluid=fluid,
            unit=DisplayUnit.of(fluid),
            month_to_date=Amount.known(fluid, figures.month_to_date),
            month_to_date_days=figures.month_to_date_days,
            last_reading_at=reading.read_at if reading else None,
            last_received_at=reading.received_at if reading else None,
            previous_month=Amount.known(fluid, figures.previous_month),
            previous_month_days=figures.previous_month_days,
            year_to_date=Amount.known(fluid, figures.year_to_date),
            mean_of_last_12_months=Amount.known(fluid, figures.mean_of_last_12_months),
            months_counted=figures.months_counted,
            estimated_days=figures.estimated_days,
        )

    @worded("The tab's label, by default in the account's language.")
    def label(self, language: Language) -> str:
        return fluid_label(self.fluid, language)


@strawberry.type(
    description="The consumption of a day, in the residence's time zone. Amount and quality are null if "
    "there is no data."
)
class DayConsumption:
    day: date
    amount: Amount | None
    quality: Quality | None

    @classmethod
    def series(cls, series: DaySeries, fluid: Fluid) -> "ByColumns[DayConsumption]":
        amounts = [None if amount is None else Amount.of(fluid, amount) for amount in series.amounts]
        return ByColumns(cls, {"day": series.days, "amount": amounts, "quality": series.qualities})


@strawberry.type(
    description="The consumption of consecutive days as columns of equal length, in the residence's time "
    "zone: the same values as `dailyConsumption`, for charts and tables, in a third of the bytes."
)
class DailySeries:
    fluid: Fluid
    unit: DisplayUnit = strawberry.field(description="The unit of all `amounts`.")
    days: Sequence[date] = strawberry.field(description="Every civil day of the series, in order.")
    amounts: Sequence[Decimal | None] = strawberry.field(
        description="The amount of each day, exact, in `unit`; null if there is no data."
    )
    qualities: Sequence[Quality | None] = strawberry.field(
        description="The quality of each amount; null if there is no data."
    )

    @classmethod
    def of(cls, series: DaySeries, fluid: Fluid) -> "DailySeries":
        return cls(
            fluid=fluid,
            unit=DisplayUnit.of(fluid),
            days=series.days,
            amounts=shown_amounts(fluid, series.amounts),
            qualities=series.qualities,
        )


@strawberry.type(
    description="The consumption of a calendar month. Amount and quality are null if there is no data."
)
class MonthConsumption:
    month: Month
    amount: Amount | None
    quality: Quality | None
    days_with_data: int
    complete: bool = strawberry.field(
        description="Whether every day of the month has data and is part of the viewer's occupancy."
    )

    @classmethod
    def of(cls, point: MonthPoint, fluid: Fluid) -> "MonthConsumption":
        return shown(cls, point, amount=Amount.known(fluid, point.amount))


def checked_day(day: date | None, field: str) -> date | None:
    """A day from 1900 on; arithmetic around the year 1 would leave the range of `date`.

    Raises:
        InvalidInput: before 1900.
    """
    if day is not None and day < _EARLIEST:
        raise InvalidInput(f"No day before {_EARLIEST.isoformat()} is known.", field=field)
    return day
