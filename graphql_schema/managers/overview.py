"""A residence at a glance, for its manager: dwellings, meters, completeness, leaks, outliers.

In: the overview of a residence. Out: its counts, and pages of the dwellings and meters that they count. The
one rule: what is listed are the nouns `Dwelling` and `Meter`, with what a manager may see of them.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

import strawberry
from strawberry.relay import PageInfo

from core.consumption import Month
from core.consumption.amounts import rounded
from core.consumption.outliers import OutlierKind
from core.errors import InvalidInput
from core.services.managers.overview import HomeView, MeterOfHome, OutlierView, Overview
from core.services.shared.paging import Page
from graphql_schema.base.amounts import Amount
from graphql_schema.base.context import Info
from graphql_schema.base.enums import AlertKind, Fluid
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import PAGE, Edge, checked_first, cursor, page_info, parse_cursor
from graphql_schema.base.views import shown
from graphql_schema.dwellings.dwellings import Dwelling, DwellingConnection, Meter

_METER, _DWELLING, _OUTLIER = "overview-meter", "overview-dwelling", "overview-outlier"
ItemT = TypeVar("ItemT")

strawberry.enum(
    OutlierKind,
    name="OutlierKind",
    description="What stands out in a month. HIGH: far above the other dwellings. ZERO_WHILE_OCCUPIED: "
    "nothing, though somebody lives there. USED_WHILE_VACANT: consumption after whoever lived there left.",
)


@strawberry.type(
    description="The dwellings of a residence by number. The consents are those of the present occupants."
)
class DwellingCounts:
    total: int = strawberry.field(description="All of them.")
    occupied: int = strawberry.field(description="Somebody is known to live there today.")
    vacant: int = strawberry.field(description="Whoever lived there has left; nobody has moved in since.")
    unknown: int = strawberry.field(description="No occupancy was ever recorded.")
    with_account: int = strawberry.field(description="Occupied by somebody with an account.")
    without_account: int = strawberry.field(description="Occupied by somebody who is reached on paper only.")
    consent_granted: int = strawberry.field(description="The occupant consents to daily data.")
    consent_refused: int = strawberry.field(description="The occupant refused, or withdrew the consent.")
    consent_unanswered: int = strawberry.field(description="Occupied, and not answered yet.")


@strawberry.type(description="How many of the days that a fluid's meters should have data of have some.")
class FluidCompleteness:
    fluid: Fluid
    expected_days: int = strawberry.field(description="Days of the last 30, summed over the meters.")
    days_with_data: int = strawberry.field(description="How many of them have data.")


@strawberry.type(description="Active leak alerts of a level.")
class LeakCount:
    level: int = strawberry.field(description="The level, 1 to 3.")
    count: int


@strawberry.type(description="Active alerts of a kind.")
class AlertCount:
    kind: AlertKind
    count: int


@strawberry.type(
    description="A dwelling whose consumption of the last month stands out among at least five dwellings."
)
class ConsumptionOutlier:
    view: strawberry.Private[OutlierView]
    fluid: Fluid
    month: Month
    kind: OutlierKind
    amount: Amount = strawberry.field(description="The consumption of the month.")
    median: Amount = strawberry.field(description="The median of the dwellings that were compared.")

    @classmethod
    def of(cls, view: OutlierView) -> "ConsumptionOutlier":
        return shown(
            cls,
            view,
            view=view,
            amount=Amount.of(view.fluid, view.amount),
            median=Amount.of(view.fluid, int(rounded(view.median, 0))),
        )

    @resolved("The dwelling that stands out.")
    async def dwelling(self, info: Info) -> Dwelling:
        return Dwelling.of(await info.context.loaders.dwellings.load(self.view.home.id))


@strawberry.type(description="A page of meters by dwelling. `totalCount`: the meters on all pages.")
class MeterConnection:
    edges: list[Edge[Meter]]
    page_info: PageInfo
    total_count: int


@strawberry.type(
    description="A page of outliers, the largest of each fluid first. `totalCount`: those on all pages."
)
class ConsumptionOutlierConnection:
    edges: list[Edge[ConsumptionOutlier]]
    page_info: PageInfo
    total_count: int


@strawberry.type(description="A residence at a glance, for its manager.")
class ResidenceOverview:
    view: strawberry.Private[Overview]
    day: date = strawberry.field(description="Today, in the residence.")
    month: Month = strawberry.field(description="The month whose consumption is compared: the last one.")
    dwellings: DwellingCounts = strawberry.field(description="The dwellings by number.")
    meters_in_service: int = strawberry.field(description="How many meters are in service.")
    completeness: list[FluidCompleteness] = strawberry.field(
        description="How complete the data of the last 30 days are, by fluid."
    )
    active_leaks: list[LeakCount] = strawberry.field(description="The active leak alerts by level.")
    active_alerts: list[AlertCount] = strawberry.field(description="The active alerts by kind.")

    @classmethod
    def of(cls, view: Overview) -> "ResidenceOverview":
        return shown(
            cls,
            view,
            view=view,
            dwellings=shown(DwellingCounts, view.homes),
            completeness=[shown(FluidCompleteness, one) for one in view.completeness],
            active_leaks=[LeakCount(level=level, count=count) for level, count in sorted(view.leaks.items())],
            active_alerts=[AlertCount(kind=kind, count=count) for kind, count in sorted(view.alerts.items())],
        )

    @resolved("The meters in service that were never read, by dwelling.")
    async def unread_meters(self, info: Info, first: int = PAGE, after: str | None = None) -> MeterConnection:
        return await _meters(info, self.view.unread, first, after)

    @resolved("The meters in service whose data are missing, by their own usual interval; by dwelling.")
    async def silent_meters(self, info: Info, first: int = PAGE, after: str | None = None) -> MeterConnection:
        return await _meters(info, self.view.silent, first, after)

    @resolved("The dwellings whose present occupant has no account, by place.")
    async def dwellings_without_account(
        self, info: Info, first: int = PAGE, after: str | None = None
    ) -> DwellingConnection:
        page = _page(self.view.without_account, _key_of_home, _DWELLING, first, after)
        views = await info.context.loaders.dwellings.load_many([home.id for home in page.items])
        edges = [Edge(cursor=cursor(_DWELLING, view.id), node=Dwelling.of(view)) for view in views]
        return DwellingConnection(
            edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0
        )

    @resolved("The dwellings whose consumption stands out, the largest of each fluid first.")
    async def outliers(self, first: int = PAGE, after: str | None = None) -> ConsumptionOutlierConnection:
        page = _page(self.view.outliers, _key_of_outlier, _OUTLIER, first, after)
        edges = [
            Edge(cursor=cursor(_OUTLIER, *_key_of_outlier(view)), node=ConsumptionOutlier.of(view))
            for view in page.items
        ]
        return ConsumptionOutlierConnection(
            edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0
        )


def _key_of_home(home: HomeView) -> tuple[str, ...]:
    return (str(home.id),)


def _key_of_meter(meter: MeterOfHome) -> tuple[str, ...]:
    return (str(meter.id),)


def _key_of_outlier(outlier: OutlierView) -> tuple[str, ...]:
    return (str(outlier.home.id), outlier.fluid.value)


def _page(
    items: Sequence[ItemT],
    key_of: Callable[[ItemT], tuple[str, ...]],
    kind: str,
    first: int,
    after: str | None,
) -> Page[ItemT]:
    """The items after the one that the cursor names.

    Raises:
        InvalidInput: a page of another size than allowed, or a cursor of something that is not listed.
    """
    size, seen, begin = checked_first(first), parse_cursor(after, kind, tuple), 0
    if seen is not None:
        keys = [key_of(item) for item in items]
        if seen not in keys:
            raise InvalidInput("What this cursor names is no longer listed: start again.", field="after")
        begin = keys.index(seen) + 1
    return Page(list(items[begin : begin + size]), has_next=len(items) > begin + size, total=len(items))


async def _meters(
    info: Info, listed: Sequence[MeterOfHome], first: int, after: str | None
) -> MeterConnection:
    page = _page(listed, _key_of_meter, _METER, first, after)
    homes = await info.context.loaders.meters_by_dwelling.load_many([one.home.id for one in page.items])
    known = {view.id: view for views in homes for view in views}
    edges = [
        Edge(cursor=cursor(_METER, one.id), node=Meter.of(known[one.id]))
        for one in page.items
        if one.id in known
    ]
    return MeterConnection(edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0)
