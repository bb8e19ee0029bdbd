"""Residences, dwellings, meters and alerts, each one type for everybody who sees it (R-066 to R-091).

In: views of the services, by whatever right the viewer sees them. Out: nouns that lead to one another: a
residence to its dwellings, a dwelling to its meters and alerts, and each back. The one rule: whom a field
is for is declared with it (`base.narrowing`); one that is not for this viewer is null, and listed in
`withheld`.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import strawberry
from strawberry.relay import PageInfo

from core.access.narrowing import Audience
from core.consumption import Month
from core.services.alerts.consumption_limits import own_limits
from core.services.alerts.draw_questions import recurring_draws
from core.services.alerts.manager_alerts import ResidenceAlerts
from core.services.alerts.resident_alerts import ActiveAlerts, AlertView, PastAlerts
from core.services.alerts.slow_leak_hints import slow_leak_hints
from core.services.consumption.consumption import SeriesAsked
from core.services.consumption.day_series import DaySeries
from core.services.consumption.manager_consumption import MonthsAsked
from core.services.consumption.statements import index_statement
from core.services.documents.seen import DocumentsAsked
from core.services.managers.overview import MeterOfHome
from core.services.privacy.access_log import access_log
from core.services.shared.paging import Page
from core.services.shared.place_rows import PlacesAsked
from graphql_schema.alerts.alerts import AlertFields, alert_cursor, alert_of_cursor
from graphql_schema.alerts.recurring_draws import RecurringDraw
from graphql_schema.alerts.slow_leaks import SlowLeakHint
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Fluid
from graphql_schema.base.fields import resolved
from graphql_schema.base.narrowing import narrowed
from graphql_schema.base.paging import PAGE, Edge, checked_first, cursor, number_of_cursor, page_info
from graphql_schema.certificates.papers import IssuedPaper
from graphql_schema.consumption.consumption import (
    DailySeries,
    DayConsumption,
    FluidDashboard,
    MonthConsumption,
    checked_day,
)
from graphql_schema.consumption.corrections import CorrectionsOfDwelling
from graphql_schema.consumption.limits import ConsumptionLimit
from graphql_schema.consumption.series import ConsumptionOfDwelling
from graphql_schema.consumption.statements import IndexStatement
from graphql_schema.documents.documents import CURSOR as DOCUMENT_CURSOR
from graphql_schema.documents.documents import DocumentConnection
from graphql_schema.documents.notes import MonthlyNotes
from graphql_schema.dwellings.dwelling_fields import DwellingFields
from graphql_schema.dwellings.overview import (
    OutlierFields,
    OverviewFields,
    key_of_home,
    key_of_meter,
    key_of_outlier,
    page_of,
)
from graphql_schema.dwellings.residences import ResidenceFields
from graphql_schema.meters.meters import MeterFields
from graphql_schema.privacy.logs import LOOK, AccessLogEntryConnection

_CURSOR, _METER, _DWELLING, _OUTLIER = "dwelling", "meter", "dwelling-by-place", "outlier"


@strawberry.type(description="A remotely read meter. A replacement is a separate meter.")
class Meter(MeterFields):
    @resolved("The dwelling that the meter is in.")
    async def dwelling(self, info: Info) -> "Dwelling":
        return Dwelling.of(await info.context.loaders.dwellings.load(self.view.dwelling_id))


@strawberry.type(description="An alert about a dwelling. A figure that is not known is null, never 0.")
class Alert(AlertFields):
    @resolved("The dwelling that the alert is about.")
    async def dwelling(self, info: Info) -> "Dwelling":
        return Dwelling.of(await info.context.loaders.dwellings.load(self.view.dwelling_id))

    @resolved("The meter; null if the alert is not about a single meter.")
    async def meter(self, info: Info) -> Meter | None:
        if self.view.meter_id is None:
            return None
        views = await info.context.loaders.meters_by_dwelling.load(self.view.dwelling_id)
        return next((Meter.of(view) for view in views if view.id == self.view.meter_id), None)


@strawberry.type(description="A page of alerts, newest first. `totalCount`: the alerts on all pages.")
class AlertConnection:
    edges: list[Edge[Alert]]
    page_info: PageInfo
    total_count: int

    @classmethod
    def of(cls, page: Page[AlertView], *, after: str | None) -> "AlertConnection":
        edges = [Edge(cursor=alert_cursor(view), node=Alert.of(view)) for view in page.items]
        return cls(edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0)


@strawberry.type(
    description="A dwelling. An occupant sees the data of the own occupancy, an owner who lives elsewhere "
    "none, a manager months, alerts and meters, and days where the occupant has consented, the operator's "
    "staff the meters."
)
class Dwelling(DwellingFields, ConsumptionOfDwelling, CorrectionsOfDwelling):
    @resolved("The residence that the dwelling is part of.")
    def residence(self) -> "Residence":
        return Residence.of(self.view.residence)

    @narrowed(
        "The meters of the dwelling, replaced ones included; by fluid, newest first.",
        Audience.BUILDING,
    )
    async def meters(self, info: Info) -> list[Meter] | None:
        views = await info.context.loaders.meters_by_dwelling.load(self.database_id)
        return [Meter.of(view) for view in views]

    @narrowed(
        "The dashboard: a tab for each fluid that is metered in the dwelling, or only for the given one. A "
        "manager's look is recorded.",
        Audience.CONSENTED,
    )
    async def dashboard(self, info: Info, fluid: Fluid | None = None) -> list[FluidDashboard] | None:
        views = await info.context.loaders.home_figures.tabs(self.database_id)
        return [FluidDashboard.of(view) for view in views if fluid in {None, view.fluid}]

    @narrowed("The viewer's own consumption limits.", Audience.HOLDER)
    async def consumption_limits(self, info: Info) -> list[ConsumptionLimit] | None:
        found = await own_limits(await info.context.viewer(), self.database_id)
        return [ConsumptionLimit.of(limit, self.database_id) for limit in found]

    @narrowed(
        "The consumption of each day from `from` to `to`, both included; by default the last 31 days. Days "
        "outside the occupancy are left out. A manager's look is recorded.",
        Audience.CONSENTED,
    )
    async def daily_consumption(
        self,
        info: Info,
        fluid: Fluid,
        from_: Annotated[date | None, strawberry.argument(name="from")] = None,
        to: date | None = None,
    ) -> Sequence[DayConsumption] | None:
        return DayConsumption.series(await self._days(info, fluid, from_, to), fluid)

    @narrowed(
        "The same days as columns: `days`, `amounts` and `qualities`. A manager's look is recorded.",
        Audience.CONSENTED,
    )
    async def daily_series(
        self,
        info: Info,
        fluid: Fluid,
        from_: Annotated[date | None, strawberry.argument(name="from")] = None,
        to: date | None = None,
    ) -> DailySeries | None:
        return DailySeries.of(await self._days(info, fluid, from_, to), fluid)

    async def _days(self, info: Info, fluid: Fluid, first: date | None, last: date | None) -> DaySeries:
        asked = SeriesAsked(self.database_id, fluid, checked_day(first, "from"), checked_day(last, "to"))
        return await info.context.loaders.daily_series.load(asked)

    @narrowed(
        "The consumption of each month from `from` to `to`, both included; by default the last 13 months. "
        "Months outside a resident's occupancy are left out; the month in progress is without figures for a "
        "viewer who may not see days.",
        Audience.MANAGERS,
    )
    async def monthly_consumption(
        self,
        info: Info,
        fluid: Fluid,
        from_: Annotated[Month | None, strawberry.argument(name="from")] = None,
        to: Month | None = None,
    ) -> list[MonthConsumption] | None:
        asked = MonthsAsked(self.database_id, fluid, from_, to)
        points = await info.context.loaders.monthly_series.load(asked)
        return [MonthConsumption.of(point, fluid) for point in points]

    @narrowed(
        "The papers with a code that the viewer was issued here, and certificates of moves; the newest 50.",
        Audience.BUILDING,
    )
    async def issued_papers(self, info: Info) -> list[IssuedPaper] | None:
        views = await info.context.loaders.papers_by_dwelling.load(self.database_id)
        return [IssuedPaper.of(view, info.context.application) for view in views]

    @narrowed(
        "The index of each device at the end of a day («Obtenir un relevé»); by default today, or the last "
        "day of an ended occupancy.",
        Audience.HOLDER,
    )
    async def index_statement(self, info: Info, day: date | None = None) -> IndexStatement | None:
        viewer, now = await info.context.viewer(), info.context.now
        chosen = checked_day(day, "day")
        return IndexStatement.of(await index_statement(viewer, self.database_id, day=chosen, now=now))

    @narrowed(
        "The number of active alerts, without those dismissed as no leak.",
        Audience.MANAGERS,
    )
    async def active_alert_count(self, info: Info) -> int | None:
        loaders, beside_tabs = info.context.loaders, info.context.shows_screens
        return await loaders.active_alert_count(self.database_id, beside_tabs=beside_tabs)

    @narrowed(
        "The active alerts, most severe first; those dismissed as no leak come last.",
        Audience.MANAGERS,
    )
    async def active_alerts(self, info: Info) -> list[Alert] | None:
        page = await info.context.loaders.alerts.load(ActiveAlerts(self.database_id))
        return [Alert.of(view) for view in page.items]

    @narrowed("The alert history, newest first.", Audience.MANAGERS)
    async def past_alerts(
        self, info: Info, first: int = PAGE, after: str | None = None
    ) -> AlertConnection | None:
        size, seen = checked_first(first), alert_of_cursor(after)
        page = await info.context.loaders.alerts.load(PastAlerts(self.database_id, size, seen))
        return AlertConnection.of(page, after=after)

    @narrowed(
        "The documents of the dwelling and its residence, newest first. A resident sees those of the own "
        "occupancy, an owner elsewhere those meant for owners, staff no notes on consumption.",
        Audience.PAPERS,
    )
    async def documents(
        self, info: Info, first: int = PAGE, after: str | None = None
    ) -> DocumentConnection | None:
        seen = number_of_cursor(after, DOCUMENT_CURSOR)
        asked = DocumentsAsked(checked_first(first), seen, dwelling_id=self.database_id)
        return DocumentConnection.of(await info.context.loaders.documents.load(asked), after=after)

    @narrowed(
        "The bursts that come back at about the same hour in the viewer's occupancy, the latest first.",
        Audience.HOLDER,
    )
    async def recurring_draws(self, info: Info) -> list[RecurringDraw] | None:
        views = await recurring_draws(await info.context.viewer(), self.database_id)
        return [RecurringDraw.of(view, self.seen_as, self.database_id) for view in views]

    @narrowed(
        "Flows below the levels of leak alerts that do not pause, if the viewer has asked for hints.",
        Audience.HOLDER,
    )
    async def slow_leak_hints(self, info: Info) -> list[SlowLeakHint] | None:
        viewer, now = await info.context.viewer(), info.context.now
        return [SlowLeakHint.of(view) for view in await slow_leak_hints(viewer, self.database_id, now=now)]

    @narrowed(
        "Who looked at the consumption of the viewer's own occupancy, the newest first, for as long as the "
        "operator keeps its log.",
        Audience.HOLDER,
    )
    async def access_log(
        self, info: Info, first: int = PAGE, after: str | None = None
    ) -> AccessLogEntryConnection | None:
        size, seen = checked_first(first), number_of_cursor(after, LOOK)
        viewer = await info.context.viewer()
        page = await access_log(viewer, self.database_id, first=size, after=seen)
        return AccessLogEntryConnection.of(page, after=after)


@strawberry.type(description="A page of dwellings by place. `totalCount`: the dwellings on all pages.")
class DwellingConnection:
    edges: list[Edge[Dwelling]]
    page_info: PageInfo
    total_count: int


@strawberry.type(description="A dwelling whose last month stands out among at least five dwellings.")
class ConsumptionOutlier(OutlierFields):
    @resolved("The dwelling that stands out.")
    async def dwelling(self, info: Info) -> Dwelling:
        return Dwelling.of(await info.context.loaders.dwellings.load(self.view.home.id))


@strawberry.type(description="A page of meters by dwelling. `totalCount`: the meters on all pages.")
class MeterConnection:
    edges: list[Edge[Meter]]
    page_info: PageInfo
    total_count: int


@strawberry.type(description="A page of outliers, the largest of each fluid first, and how many there are.")
class ConsumptionOutlierConnection:
    edges: list[Edge[ConsumptionOutlier]]
    page_info: PageInfo
    total_count: int


@strawberry.type(description="A residence at a glance, for its manager.")
class ResidenceOverview(OverviewFields):
    @resolved("The meters in service that were never read, by dwelling.")
    async def unread_meters(self, info: Info, first: int = PAGE, after: str | None = None) -> MeterConnection:
        return await _meters_listed(info, self.view.unread, first, after)

    @resolved("The meters in service whose data are missing, by their own usual interval; by dwelling.")
    async def silent_meters(self, info: Info, first: int = PAGE, after: str | None = None) -> MeterConnection:
        return await _meters_listed(info, self.view.silent, first, after)

    @resolved("The dwellings whose present occupant has no account, by place.")
    async def dwellings_without_account(
        self, info: Info, first: int = PAGE, after: str | None = None
    ) -> DwellingConnection:
        page = page_of(self.view.without_account, key_of_home, _DWELLING, first, after)
        views = await info.context.loaders.dwellings.load_many([home.id for home in page.items])
        edges = [Edge(cursor=cursor(_DWELLING, view.id), node=Dwelling.of(view)) for view in views]
        return DwellingConnection(
            edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0
        )

    @resolved("The dwellings whose consumption stands out, the largest of each fluid first.")
    async def outliers(self, first: int = PAGE, after: str | None = None) -> ConsumptionOutlierConnection:
        page = page_of(self.view.outliers, key_of_outlier, _OUTLIER, first, after)
        edges = [
            Edge(cursor=cursor(_OUTLIER, *key_of_outlier(view)), node=ConsumptionOutlier.of(view))
            for view in page.items
        ]
        return ConsumptionOutlierConnection(
            edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0
        )


@strawberry.type(
    description="A building, or several buildings under one site code, as residents, managers and the "
    "operator's staff see it."
)
class Residence(ResidenceFields):
    @resolved("The dwellings of the residence that the viewer sees, by place.")
    async def dwellings(self, info: Info, first: int = PAGE, after: str | None = None) -> DwellingConnection:
        asked = PlacesAsked(self.number, checked_first(first), number_of_cursor(after, _CURSOR))
        page = await info.context.loaders.dwellings_by_residence.load(asked)
        edges = [Edge(cursor=cursor(_CURSOR, view.id), node=Dwelling.of(view)) for view in page.items]
        return DwellingConnection(
            edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0
        )

    @narrowed(
        "The active alerts of the residence's dwellings, newest first.",
        Audience.MANAGER_ONLY,
    )
    async def active_alerts(
        self, info: Info, first: int = PAGE, after: str | None = None
    ) -> AlertConnection | None:
        return await self._alerts(info, first, after, active=True)

    @narrowed(
        "The ended alerts of the residence's dwellings, newest first.",
        Audience.MANAGER_ONLY,
    )
    async def past_alerts(
        self, info: Info, first: int = PAGE, after: str | None = None
    ) -> AlertConnection | None:
        return await self._alerts(info, first, after, active=False)

    @narrowed(
        "The documents deposited for the residents of the whole residence, newest first.",
        Audience.PAPERS,
    )
    async def resident_documents(
        self, info: Info, first: int = PAGE, after: str | None = None
    ) -> DocumentConnection | None:
        seen = number_of_cursor(after, DOCUMENT_CURSOR)
        asked = DocumentsAsked(checked_first(first), seen, residence_id=self.number)
        return DocumentConnection.of(await info.context.loaders.documents.load(asked), after=after)

    @narrowed(
        "The monthly notes on consumption: what became of each, and which are missing; by default of the "
        "last month that is over.",
        Audience.MANAGER_ONLY,
    )
    async def notes(self, info: Info, month: Month | None = None) -> MonthlyNotes | None:
        return await MonthlyNotes.read(info, self.number, month)

    @narrowed("The residence at a glance.", Audience.MANAGER_ONLY)
    async def overview(self, info: Info) -> ResidenceOverview | None:
        return ResidenceOverview.of(await info.context.loaders.overview_by_residence.load(self.number))

    async def _alerts(self, info: Info, first: int, after: str | None, *, active: bool) -> AlertConnection:
        asked = ResidenceAlerts(self.number, active, checked_first(first), alert_of_cursor(after))
        return AlertConnection.of(await info.context.loaders.alerts.load(asked), after=after)


async def _meters_listed(
    info: Info, listed: Sequence[MeterOfHome], first: int, after: str | None
) -> MeterConnection:
    page = page_of(listed, key_of_meter, _METER, first, after)
    homes = await info.context.loaders.meters_by_dwelling.load_many([one.home.id for one in page.items])
    known = {view.id: view for views in homes for view in views}
    edges = [
        Edge(cursor=cursor(_METER, one.id), node=Meter.of(known[one.id]))
        for one in page.items
        if one.id in known
    ]
    return MeterConnection(edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0)
