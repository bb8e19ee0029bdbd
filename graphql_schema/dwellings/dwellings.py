"""Dwellings: a resident's dwelling with its meters, consumption and alerts (R-066 to R-091)."""

from datetime import date
from decimal import Decimal
from typing import Annotated

import strawberry

from core.consumption import Month
from core.consumption.amounts import rounded
from core.services.alerts.consumption_limits import own_limits
from core.services.alerts.draw_questions import recurring_draws
from core.services.alerts.resident_alerts import ActiveAlerts, PastAlerts
from core.services.alerts.slow_leak_hints import slow_leak_hints
from core.services.consumption.consumption import DayPoint, SeriesAsked, monthly_series
from core.services.consumption.statements import index_statement
from core.services.occupancy.consents import my_consent
from core.services.places.dwellings import DwellingView, ResidenceView, my_dwelling
from graphql_schema.alerts.alerts import Alert, AlertConnection, alert_of_cursor
from graphql_schema.alerts.recurring_draws import RecurringDraw
from graphql_schema.alerts.slow_leaks import SlowLeakHint
from graphql_schema.base.addresses import ResidenceAddress
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Fluid, OccupancyKind
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import PAGE, checked_first
from graphql_schema.base.relay import Node, global_id, number_of
from graphql_schema.base.views import shown
from graphql_schema.consumption.consumption import (
    DailySeries,
    DayConsumption,
    FluidDashboard,
    MonthConsumption,
    checked_day,
)
from graphql_schema.consumption.limits import ConsumptionLimit
from graphql_schema.consumption.series import ConsumptionOfDwelling
from graphql_schema.consumption.statements import IndexStatement
from graphql_schema.dwellings.consents import Consent
from graphql_schema.meters.meters import Meter


@strawberry.type(description="A building, or several buildings under one site code.")
class Residence(ResidenceAddress):
    code: str
    time_zone: str = strawberry.field(
        description="The IANA name of the time zone; all days and months are in this zone."
    )
    operator_name: str
    water_price: Decimal | None = strawberry.field(
        description="EUR per cubic metre including waste water, four decimals; null if it is not known."
    )

    @classmethod
    def of(cls, view: ResidenceView) -> "Residence":
        price = view.water_price_eur_per_m3
        return shown(cls, view, water_price=None if price is None else rounded(price, 4))


@strawberry.type(
    description="A dwelling of the viewer. Data from before the move-in or after the move-out are not shown."
)
class Dwelling(ConsumptionOfDwelling, Node):
    building: str
    staircase: str
    floor: str
    number: str
    lot: str | None
    manager_reference: str | None
    surface_m2: Decimal | None = strawberry.field(
        name="surfaceM2", description="Floor area in square metres; null if it is not known."
    )
    occupancy: OccupancyKind
    visible_from: date = strawberry.field(description="The first day of data that the viewer can see.")
    visible_until: date | None = strawberry.field(
        description="The last day of data that the viewer can see; null while the occupancy lasts."
    )
    residence: Residence

    @classmethod
    def of(cls, view: DwellingView) -> "Dwelling":
        return shown(
            cls,
            view,
            id=global_id("Dwelling", view.id),
            database_id=view.id,
            surface_m2=None if view.surface_m2 is None else rounded(view.surface_m2, 2),
            residence=Residence.of(view.residence),
        )

    @resolved("The meters of the dwelling, replaced ones included; by fluid, newest first.")
    async def meters(self, info: Info) -> list[Meter]:
        views = await info.context.loaders.meters_by_dwelling.load(self.database_id)
        return [Meter.of(view) for view in views]

    @resolved("The consent to the manager's access to this occupancy's daily data.")
    async def consent(self, info: Info) -> Consent:
        context = info.context
        return Consent.of(await my_consent(context.application, await context.viewer(), self.database_id))

    @resolved(
        "The dashboard: a tab for each fluid that is metered in the dwelling, or only for the given one."
    )
    async def dashboard(self, info: Info, fluid: Fluid | None = None) -> list[FluidDashboard]:
        views = await info.context.loaders.dashboard_by_dwelling.load(self.database_id)
        return [FluidDashboard.of(view) for view in views if fluid in {None, view.fluid}]

    @resolved("The viewer's own consumption limits.")
    async def consumption_limits(self, info: Info) -> list[ConsumptionLimit]:
        found = await own_limits(await info.context.viewer(), self.database_id)
        return [ConsumptionLimit.of(limit) for limit in found]

    @resolved(
        "The consumption of each day from `from` to `to`, both included; by default the last 31 days. Days "
        "outside the viewer's occupancy are left out."
    )
    async def daily_consumption(
        self,
        info: Info,
        fluid: Fluid,
        from_: Annotated[date | None, strawberry.argument(name="from")] = None,
        to: date | None = None,
    ) -> list[DayConsumption]:
        points = await self._days(info, fluid, from_, to)
        return [DayConsumption.of(point, fluid) for point in points]

    @resolved("The same days as columns: `days`, `amounts` and `qualities`.")
    async def daily_series(
        self,
        info: Info,
        fluid: Fluid,
        from_: Annotated[date | None, strawberry.argument(name="from")] = None,
        to: date | None = None,
    ) -> DailySeries:
        return DailySeries.of(await self._days(info, fluid, from_, to), fluid)

    async def _days(self, info: Info, fluid: Fluid, first: date | None, last: date | None) -> list[DayPoint]:
        asked = SeriesAsked(self.database_id, fluid, checked_day(first, "from"), checked_day(last, "to"))
        return await info.context.loaders.daily_series.load(asked)

    @resolved(
        "The consumption of each month from `from` to `to`, both included; by default the last 13 months. "
        "Months outside the viewer's occupancy are left out."
    )
    async def monthly_consumption(
        self,
        info: Info,
        fluid: Fluid,
        from_: Annotated[Month | None, strawberry.argument(name="from")] = None,
        to: Month | None = None,
    ) -> list[MonthConsumption]:
        viewer, now = await info.context.viewer(), info.context.now
        points = await monthly_series(viewer, self.database_id, fluid, first=from_, last=to, now=now)
        return [MonthConsumption.of(point, fluid) for point in points]

    @resolved(
        "The index of each device at the end of a day («Obtenir un relevé»); by default today, or the last "
        "day of an ended occupancy."
    )
    async def index_statement(self, info: Info, day: date | None = None) -> IndexStatement:
        viewer, now = await info.context.viewer(), info.context.now
        chosen = checked_day(day, "day")
        return IndexStatement.of(await index_statement(viewer, self.database_id, day=chosen, now=now))

    @resolved("The number of active alerts, without those dismissed as no leak.")
    async def active_alert_count(self, info: Info) -> int:
        page = await info.context.loaders.alerts.load(ActiveAlerts(self.database_id))
        return sum(not view.snoozed for view in page.items)

    @resolved("The active alerts, most severe first; those dismissed as no leak come last.")
    async def active_alerts(self, info: Info) -> list[Alert]:
        page = await info.context.loaders.alerts.load(ActiveAlerts(self.database_id))
        return [Alert.of(view) for view in page.items]

    @resolved("The alert history, newest first.")
    async def past_alerts(self, info: Info, first: int = PAGE, after: str | None = None) -> AlertConnection:
        size, seen = checked_first(first), alert_of_cursor(after)
        page = await info.context.loaders.alerts.load(PastAlerts(self.database_id, size, seen))
        return AlertConnection.of(page, after=after)

    @resolved("The bursts that come back at about the same hour in the viewer's occupancy, the latest first.")
    async def recurring_draws(self, info: Info) -> list[RecurringDraw]:
        views = await recurring_draws(await info.context.viewer(), self.database_id)
        return [RecurringDraw.of(view) for view in views]

    @resolved("Flows below the levels of leak alerts that do not pause, if the viewer has asked for hints.")
    async def slow_leak_hints(self, info: Info) -> list[SlowLeakHint]:
        viewer, now = await info.context.viewer(), info.context.now
        return [SlowLeakHint.of(view) for view in await slow_leak_hints(viewer, self.database_id, now=now)]


@strawberry.type
class DwellingQuery:
    @resolved("A dwelling of the viewer. NOT_FOUND for any other dwelling, whether it exists or not.")
    async def dwelling(self, info: Info, id: strawberry.ID) -> Dwelling | None:  # noqa: A002 - the argument's name in the schema
        viewer = await info.context.viewer()
        return Dwelling.of(await my_dwelling(viewer, number_of(id, "Dwelling")))
