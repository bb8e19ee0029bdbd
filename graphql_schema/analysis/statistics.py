"""The statistics of an analyst's operator: four connections of published rows (docs/analysts.md)."""

from collections.abc import Callable
from typing import Annotated, TypeVar

import strawberry
from strawberry.relay import PageInfo

from core.access import Permission
from core.consumption import Month
from core.services.analysis.figures import Grouping, StatisticTable
from core.services.analysis.statistics import Choice, StatisticRow, published_months, statistics
from graphql_schema.analysis.rows import (
    CompletenessStatistic,
    CompletenessStatisticConnection,
    ConsumptionStatistic,
    ConsumptionStatisticConnection,
    LeakStatistic,
    LeakStatisticConnection,
    MeterStatistic,
    MeterStatisticConnection,
)
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Fluid
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import PAGE, Edge, checked_first, cursor, page_info, parse_cursor
from graphql_schema.base.relay import number_of

RowT = TypeVar("RowT")


@strawberry.input(
    description="Which rows. They were published as they are: a filter chooses among them, and makes no new "
    "figure."
)
class StatisticFilterInput:
    from_: Month | None = strawberry.field(default=None, name="from", description="The first month.")
    to: Month | None = strawberry.field(default=None, description="The last month.")
    by_residence: bool = strawberry.field(
        default=False, description="Rows of single residences, instead of those of the whole operator."
    )
    residence: strawberry.ID | None = strawberry.field(
        default=None, description="Rows of this residence alone. NOT_FOUND for one of another operator."
    )
    fluid: Fluid | None = None
    grouping: Grouping | None = None

    def choice(self) -> Choice:
        number = None if self.residence is None else number_of(self.residence, "Residence", field="residence")
        return Choice(
            fluid=self.fluid,
            first_month=self.from_,
            last_month=self.to,
            grouping=self.grouping,
            by_residence=self.by_residence,
            residence_id=number,
        )


Wanted = Annotated[StatisticFilterInput | None, strawberry.argument(name="filter")]


@strawberry.type(
    description="Monthly statistics of the analyst's operator, published once a month has been over for ten "
    "days. They hold no personal data: every figure is about five dwellings or more."
)
class Analysis:
    @resolved("The months that are published, the newest first.")
    async def months(self, info: Info) -> list[Month]:
        return await published_months(await info.context.viewer())

    @resolved("How consumption is distributed among dwellings.")
    async def consumption(
        self, info: Info, wanted: Wanted = None, first: int = PAGE, after: str | None = None
    ) -> ConsumptionStatisticConnection:
        edges, about = await _page(
            info, StatisticTable.CONSUMPTION, wanted, first, after, ConsumptionStatistic.of
        )
        return ConsumptionStatisticConnection(edges=edges, page_info=about)

    @resolved("Leaks: how many, what they lost, how long they ran.")
    async def leaks(
        self, info: Info, wanted: Wanted = None, first: int = PAGE, after: str | None = None
    ) -> LeakStatisticConnection:
        edges, about = await _page(info, StatisticTable.LEAKS, wanted, first, after, LeakStatistic.of)
        return LeakStatisticConnection(edges=edges, page_info=about)

    @resolved("The meters in service: makers, ages, batteries, reception.")
    async def meters(
        self, info: Info, wanted: Wanted = None, first: int = PAGE, after: str | None = None
    ) -> MeterStatisticConnection:
        edges, about = await _page(info, StatisticTable.METERS, wanted, first, after, MeterStatistic.of)
        return MeterStatisticConnection(edges=edges, page_info=about)

    @resolved("How complete the readings are.")
    async def completeness(
        self, info: Info, wanted: Wanted = None, first: int = PAGE, after: str | None = None
    ) -> CompletenessStatisticConnection:
        edges, about = await _page(
            info, StatisticTable.COMPLETENESS, wanted, first, after, CompletenessStatistic.of
        )
        return CompletenessStatisticConnection(edges=edges, page_info=about)


@strawberry.type
class AnalysisQuery:
    @resolved("Statistics, for analysts; null with FORBIDDEN for every other role.")
    async def analysis(self, info: Info) -> Analysis | None:
        (await info.context.viewer()).require(Permission.ANALYSES_READ)
        return Analysis()


async def _page(
    info: Info,
    topic: StatisticTable,
    wanted: StatisticFilterInput | None,
    first: int,
    after: str | None,
    of: Callable[[StatisticRow], RowT],
) -> tuple[list[Edge[RowT]], PageInfo]:
    page = await statistics(
        await info.context.viewer(),
        topic,
        wanted.choice() if wanted is not None else Choice(),
        first=checked_first(first),
        after=parse_cursor(after, topic.value, lambda parts: int(parts[0])),
    )
    edges = [Edge(cursor=cursor(topic.value, row.id), node=of(row)) for row in page.items]
    return edges, page_info(edges, page, after)
