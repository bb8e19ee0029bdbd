"""Rows of the four tables of statistics, as types."""

from typing import Any

import strawberry
from strawberry.relay import PageInfo

from core.consumption import Month
from core.consumption.fluids import Fluid as FluidOfMeter
from core.services.analysis.figures import FIGURES, Grouping, StatisticTable
from core.services.analysis.statistics import AnalysedResidence as AnalysedResidenceView
from core.services.analysis.statistics import StatisticRow
from graphql_schema.base.enums import DisplayUnit, Fluid
from graphql_schema.base.paging import Edge
from graphql_schema.base.relay import global_id

strawberry.enum(
    Grouping,
    name="StatisticGrouping",
    description="What the classes of a row are of. SURFACE: the floor area of the dwelling. BEGUN, ENDED: "
    "the level of leaks that began, or that were stopped, in the month. MAKER, AGE, BATTERY, RECEPTION: of "
    "the meter. FLUID: none; all meters of the fluid.",
)


@strawberry.type(description="A residence as statistics name it, without its dwellings.")
class AnalysedResidence:
    residence_id: strawberry.ID = strawberry.field(description="The id to choose its rows by.")
    code: str
    name: str
    city: str

    @classmethod
    def of(cls, view: AnalysedResidenceView) -> "AnalysedResidence":
        return cls(
            residence_id=global_id("Residence", view.id), code=view.code, name=view.name, city=view.city
        )


@strawberry.interface(description="A row of a table of statistics, about five dwellings or more.")
class Statistic:
    month: Month
    residence: AnalysedResidence | None = strawberry.field(
        description="Null: all dwellings of the operator that may be published."
    )
    classes: list[str] = strawberry.field(
        description="The classes that the row is about, neighbours that were joined to reach five dwellings; "
        "`ALL` for all together."
    )
    dwellings: int = strawberry.field(description="How many dwellings, rounded to a multiple of five.")


@strawberry.type(
    description="How much dwellings used in a month: those that were read on every day of it. A quantile is "
    "the mean of the five or six dwellings around it, and null where fewer than five lie on one of its sides."
)
class ConsumptionStatistic(Statistic):
    fluid: Fluid
    unit: DisplayUnit
    mean: float = strawberry.field(description="The mean, three digits.")
    p10: float | None = strawberry.field(description="A tenth used less; null if that would show few.")
    p25: float | None = strawberry.field(description="A quarter used less; null if that would show few.")
    median: float | None = strawberry.field(description="Half used less; null if that would show few.")
    p75: float | None = strawberry.field(description="A quarter used more; null if that would show few.")
    p90: float | None = strawberry.field(description="A tenth used more; null if that would show few.")

    @classmethod
    def of(cls, row: StatisticRow) -> "ConsumptionStatistic":
        fluid = _fluid_of(row)
        return cls(
            **_shared(row),
            **_figures(row, StatisticTable.CONSUMPTION),
            fluid=fluid,
            unit=DisplayUnit.of(fluid),
        )


@strawberry.type(
    description="Leaks of cold and hot water, by the highest level that they reached. `grouping` BEGUN: that "
    "began in the month, whose loss is not known yet; ENDED: that were stopped in it."
)
class LeakStatistic(Statistic):
    grouping: Grouping
    leaks: int = strawberry.field(description="How many leaks, rounded to a multiple of five.")
    loss_m3: float | None = strawberry.field(description="What they lost in all; null for BEGUN.")
    mean_days: float | None = strawberry.field(
        description="From the first day of a leak to the first without it; null for BEGUN."
    )
    median_days: float | None = strawberry.field(
        description="Half of the leaks ran shorter; null for BEGUN, or if that would show few."
    )

    @classmethod
    def of(cls, row: StatisticRow) -> "LeakStatistic":
        figures = _figures(row, StatisticTable.LEAKS)
        return cls(**_shared(row), **{**figures, "leaks": int(figures["leaks"])}, grouping=row.grouping)


@strawberry.type(
    description="The meters in service when the month was published, by maker, age, reported battery and "
    "last reception. Only of months that were the newest then."
)
class MeterStatistic(Statistic):
    fluid: Fluid
    grouping: Grouping
    meters: int = strawberry.field(description="How many meters, rounded to a multiple of five.")

    @classmethod
    def of(cls, row: StatisticRow) -> "MeterStatistic":
        meters = int(_figures(row, StatisticTable.METERS)["meters"])
        return cls(**_shared(row), fluid=_fluid_of(row), grouping=row.grouping, meters=meters)


@strawberry.type(
    description="How many of the days on which meters were in service were read, in per cent: measured, "
    "estimated between two readings, read in part, not read."
)
class CompletenessStatistic(Statistic):
    fluid: Fluid
    meter_days: int = strawberry.field(description="Days times meters, rounded to a multiple of five.")
    measured_percent: float
    estimated_percent: float
    partial_percent: float
    missing_percent: float

    @classmethod
    def of(cls, row: StatisticRow) -> "CompletenessStatistic":
        figures = _figures(row, StatisticTable.COMPLETENESS)
        days = int(figures["meter_days"])
        return cls(**_shared(row), **{**figures, "meter_days": days}, fluid=_fluid_of(row))


@strawberry.type(description="A page of statistics on consumption, the oldest month first.")
class ConsumptionStatisticConnection:
    edges: list[Edge[ConsumptionStatistic]]
    page_info: PageInfo


@strawberry.type(description="A page of statistics on leaks, the oldest month first.")
class LeakStatisticConnection:
    edges: list[Edge[LeakStatistic]]
    page_info: PageInfo


@strawberry.type(description="A page of statistics on meters, the oldest month first.")
class MeterStatisticConnection:
    edges: list[Edge[MeterStatistic]]
    page_info: PageInfo


@strawberry.type(description="A page of statistics on the completeness of readings, the oldest month first.")
class CompletenessStatisticConnection:
    edges: list[Edge[CompletenessStatistic]]
    page_info: PageInfo


def _shared(row: StatisticRow) -> dict[str, Any]:
    return {
        "month": row.month,
        "residence": None if row.residence is None else AnalysedResidence.of(row.residence),
        "classes": list(row.classes),
        "dwellings": row.dwellings,
    }


def _figures(row: StatisticRow, topic: StatisticTable) -> dict[str, Any]:
    return dict(zip(FIGURES[topic], row.figures, strict=True))


def _fluid_of(row: StatisticRow) -> FluidOfMeter:
    assert row.fluid is not None  # of leaks alone it is null
    return row.fluid
