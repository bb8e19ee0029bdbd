"""A residence at a glance, for its manager: homes, meters, completeness, leaks, outliers."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from core.consumption import Month
from core.consumption.amounts import rounded
from core.consumption.outliers import OutlierKind
from core.services.managers.overview import HomeView, MeterOfHome, OutlierView, Overview
from graphql_schema.base.amounts import Amount
from graphql_schema.base.context import Info
from graphql_schema.base.enums import AlertKind, Fluid
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import PAGE, checked_first
from graphql_schema.base.relay import global_id
from graphql_schema.base.views import shown

strawberry.enum(
    OutlierKind,
    name="OutlierKind",
    description="What stands out in a month. HIGH: far above the other dwellings. ZERO_WHILE_OCCUPIED: "
    "nothing, though somebody lives there. USED_WHILE_VACANT: consumption after whoever lived there left.",
)


@strawberry.type(
    description="The dwellings of a residence by number. The consents are those of the present occupants."
)
class HomeCounts:
    total: int
    occupied: int
    vacant: int = strawberry.field(description="Whoever lived there has left; nobody has moved in since.")
    unknown: int = strawberry.field(description="No occupancy was ever recorded.")
    with_account: int
    without_account: int = strawberry.field(description="Occupied by somebody who is reached on paper only.")
    consent_granted: int
    consent_refused: int
    consent_unanswered: int


@strawberry.type(description="A dwelling of an overview.")
class OverviewHome:
    id: strawberry.ID
    place: str
    lot: str | None

    @classmethod
    def of(cls, view: HomeView) -> "OverviewHome":
        return shown(cls, view, id=global_id("Dwelling", view.id))


@strawberry.type(description="A meter that needs a look.")
class OverviewMeter:
    id: strawberry.ID
    fluid: Fluid
    serial: str
    home: OverviewHome
    last_read_at: datetime | None = strawberry.field(description="Null if the meter was never read.")

    @classmethod
    def of(cls, view: MeterOfHome) -> "OverviewMeter":
        home, serial = OverviewHome.of(view.home), view.printed_serial
        return shown(cls, view, id=global_id("Meter", view.id), serial=serial, home=home)


@strawberry.type(description="How many of the days that a fluid's meters should have data of have some.")
class FluidCompleteness:
    fluid: Fluid
    expected_days: int = strawberry.field(description="Days of the last 30, summed over the meters.")
    days_with_data: int


@strawberry.type(description="Active leak alerts of a level.")
class LeakCount:
    level: int
    count: int


@strawberry.type(description="Active alerts of a kind.")
class AlertCount:
    kind: AlertKind
    count: int


@strawberry.type(
    description="A dwelling whose consumption of the last month stands out among at least five dwellings."
)
class ConsumptionOutlier:
    home: OverviewHome
    fluid: Fluid
    month: Month
    kind: OutlierKind
    amount: Amount
    median: Amount = strawberry.field(description="The median of the dwellings that were compared.")

    @classmethod
    def of(cls, view: OutlierView) -> "ConsumptionOutlier":
        return shown(
            cls,
            view,
            home=OverviewHome.of(view.home),
            amount=Amount.of(view.fluid, view.amount),
            median=Amount.of(view.fluid, int(rounded(view.median, 0))),
        )


@strawberry.type(description="A residence at a glance, for its manager.")
class ResidenceOverview:
    view: strawberry.Private[Overview]
    day: date = strawberry.field(description="Today, in the residence.")
    month: Month = strawberry.field(description="The month whose consumption is compared: the last one.")
    homes: HomeCounts
    meters_in_service: int
    unread_meter_count: int = strawberry.field(description="Meters in service that were never read.")
    silent_meter_count: int = strawberry.field(
        description="Meters in service whose data are missing, by their own usual interval."
    )
    completeness: list[FluidCompleteness]
    active_leaks: list[LeakCount]
    active_alerts: list[AlertCount]
    outlier_count: int

    @classmethod
    def of(cls, view: Overview) -> "ResidenceOverview":
        return shown(
            cls,
            view,
            view=view,
            homes=shown(HomeCounts, view.homes),
            unread_meter_count=len(view.unread),
            silent_meter_count=len(view.silent),
            completeness=[shown(FluidCompleteness, one) for one in view.completeness],
            active_leaks=[LeakCount(level=level, count=count) for level, count in sorted(view.leaks.items())],
            active_alerts=[AlertCount(kind=kind, count=count) for kind, count in sorted(view.alerts.items())],
            outlier_count=len(view.outliers),
        )

    @resolved("The meters that were never read, by dwelling; the first of them.")
    async def unread_meters(self, first: int = PAGE) -> list[OverviewMeter]:
        return [OverviewMeter.of(one) for one in _first(self.view.unread, first)]

    @resolved("The meters whose data are missing, by dwelling; the first of them.")
    async def silent_meters(self, first: int = PAGE) -> list[OverviewMeter]:
        return [OverviewMeter.of(one) for one in _first(self.view.silent, first)]

    @resolved("The dwellings whose occupant has no account, by place; the first of them.")
    async def homes_without_account(self, first: int = PAGE) -> list[OverviewHome]:
        return [OverviewHome.of(one) for one in _first(self.view.without_account, first)]

    @resolved("The dwellings whose consumption stands out, the largest of each fluid first.")
    async def outliers(self, first: int = PAGE) -> list[ConsumptionOutlier]:
        return [ConsumptionOutlier.of(one) for one in _first(self.view.outliers, first)]


def _first(items: Sequence[Any], first: int) -> Sequence[Any]:
    return items[: checked_first(first)]


async def _overview(root: Annotated[Any, strawberry.Parent], info: Info) -> ResidenceOverview:
    return ResidenceOverview.of(await info.context.loaders.overview_by_residence.load(root.database_id))


def overview_field() -> Any:
    """The field of a residence; its type has the number of the row as `database_id`."""
    return strawberry.field(resolver=_overview, description="The residence at a glance.")
