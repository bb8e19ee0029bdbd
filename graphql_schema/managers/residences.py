"""A manager's residences, with their dwellings, documents and alerts (R-042)."""

from datetime import date, datetime
from typing import Annotated

import strawberry
from strawberry.relay import PageInfo

from core.documents.sheets import notice_title
from core.services.alerts.manager_alerts import ManagedAlertView, managed_alerts
from core.services.consumption.manager_consumption import (
    ManagedDwellingView,
    managed_daily_series,
    managed_dwelling,
    managed_dwellings,
)
from core.services.places.managed_residences import ManagedResidenceView, managed_residences
from core.services.portfolio.publication import DocumentKind, DocumentView, residence_documents
from core.services.shared.paging import Page
from graphql_schema.alerts.actions import AlertWorkflow
from graphql_schema.alerts.alerts import alert_cursor, alert_of_cursor
from graphql_schema.alerts.recurring_draws import ManagedRecurringDraw
from graphql_schema.base.addresses import ResidenceAddress
from graphql_schema.base.context import Info
from graphql_schema.base.enums import AlertKind, Fluid, Language
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import PAGE, Edge, checked_first, page_info
from graphql_schema.base.relay import global_id, number_of
from graphql_schema.base.views import shown
from graphql_schema.consumption.consumption import DayConsumption, checked_day
from graphql_schema.managers.overview import ResidenceOverview, overview_field


@strawberry.type(
    description="An alert as managers see it: without loss and flow, which are the resident's personal data."
)
class ManagedAlert:
    id: strawberry.ID
    kind: AlertKind
    fluid: Fluid
    place: str = strawberry.field(
        description="The dwelling: building, staircase, floor and number, `A · 1 · 2 · 12`."
    )
    level: int | None = strawberry.field(
        description="The level of a leak, 1 to 3: the current level, or the highest level if it has ended; "
        "null if the alert is not a leak."
    )
    started_on: date
    ended_on: date | None
    meter_serial: str | None
    recurring_draw: ManagedRecurringDraw | None = strawberry.field(
        description="For BURST: the recurring draw that it is one of; null if it has not come back."
    )
    workflow: AlertWorkflow

    @classmethod
    def of(cls, view: ManagedAlertView) -> "ManagedAlert":
        return shown(
            cls,
            view,
            id=global_id("Alert", view.id),
            meter_serial=view.printed_serial,
            recurring_draw=ManagedRecurringDraw.known(view.recurring_draw),
            workflow=AlertWorkflow.of(view.workflow),
        )


@strawberry.type(
    description="A page of a residence's alerts, newest first. `totalCount`: the alerts on all pages."
)
class ManagedAlertConnection:
    edges: list[Edge[ManagedAlert]]
    page_info: PageInfo
    total_count: int

    @classmethod
    def of(cls, page: Page[ManagedAlertView], *, after: str | None) -> "ManagedAlertConnection":
        edges = [Edge(cursor=alert_cursor(view), node=ManagedAlert.of(view)) for view in page.items]
        return cls(edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0)


strawberry.enum(
    DocumentKind,
    name="DocumentKind",
    description="PORTAL_READY: residents can register. PORTAL_CLOSED: they no longer can.",
)


@strawberry.type(description="A document of a residence; all its managers can see it.")
class ResidenceDocument:
    id: strawberry.ID
    portal: strawberry.Private[str]
    kind: DocumentKind
    created_at: datetime

    @classmethod
    def of(cls, view: DocumentView) -> "ResidenceDocument":
        return shown(cls, view, id=global_id("ResidenceDocument", view.id))

    @resolved("The title: `Votre portail Mes suivis de consommation est prêt`.")
    async def title(self, info: Info, language: Language | None = None) -> str:
        spoken = await info.context.language(language)
        return notice_title(self.portal, spoken, is_open=self.kind is DocumentKind.PORTAL_READY)


@strawberry.type(description="A dwelling of a managed residence.")
class ManagedDwelling:
    id: strawberry.ID
    database_id: strawberry.Private[int]
    place: str
    lot: str | None

    @classmethod
    def of(cls, view: ManagedDwellingView) -> "ManagedDwelling":
        return cls(
            id=global_id("ManagedDwelling", view.id),
            database_id=view.id,
            place=view.place,
            lot=view.lot,
        )

    @resolved(
        "The daily consumption of the present occupant, by default of the last 31 days. Each access is "
        "recorded. Null with CONSENT_REQUIRED, for this dwelling only, if the occupant has not consented."
    )
    async def daily_consumption(
        self,
        info: Info,
        fluid: Fluid,
        from_: Annotated[date | None, strawberry.argument(name="from")] = None,
        to: date | None = None,
    ) -> list[DayConsumption] | None:
        context = info.context
        points = await managed_daily_series(
            await context.viewer(),
            self.database_id,
            fluid,
            first=checked_day(from_, "from"),
            last=checked_day(to, "to"),
            visitor=context.visitor,
            now=context.now,
        )
        return [DayConsumption.of(point, fluid) for point in points]


@strawberry.type(description="A residence that the manager is responsible for.")
class ManagedResidence(ResidenceAddress):
    id: strawberry.ID
    database_id: strawberry.Private[int]
    code: str = strawberry.field(description="The site code that residents register with: `AA000`.")
    overview: ResidenceOverview = overview_field()

    @classmethod
    def of(cls, view: ManagedResidenceView) -> "ManagedResidence":
        return shown(cls, view, id=global_id("ManagedResidence", view.id), database_id=view.id)

    @resolved("The active alerts of the residence's dwellings, newest first.")
    async def active_alerts(
        self, info: Info, first: int = PAGE, after: str | None = None
    ) -> ManagedAlertConnection:
        return await self._alerts(info, first, after, active=True)

    @resolved("The ended alerts of the residence's dwellings, newest first.")
    async def past_alerts(
        self, info: Info, first: int = PAGE, after: str | None = None
    ) -> ManagedAlertConnection:
        return await self._alerts(info, first, after, active=False)

    @resolved("The documents of the residence («Mes documents»), newest first.")
    async def documents(self, info: Info) -> list[ResidenceDocument]:
        viewer, application = await info.context.viewer(), info.context.application
        found = await residence_documents(application, viewer, self.database_id)
        return [ResidenceDocument.of(view) for view in found]

    @resolved("The dwellings of the residence.")
    async def dwellings(self, info: Info) -> list[ManagedDwelling]:
        viewer = await info.context.viewer()
        found = await managed_dwellings(viewer, self.database_id)
        return [ManagedDwelling.of(view) for view in found]

    async def _alerts(
        self, info: Info, first: int, after: str | None, *, active: bool
    ) -> ManagedAlertConnection:
        page = await managed_alerts(
            await info.context.viewer(),
            self.database_id,
            active=active,
            first=checked_first(first),
            after=alert_of_cursor(after),
            now=info.context.now,
        )
        return ManagedAlertConnection.of(page, after=after)


@strawberry.type
class ManagedQuery:
    @resolved("The residences of the signed-in manager; empty for other accounts.")
    async def managed_residences(self, info: Info) -> list[ManagedResidence]:
        viewer = await info.context.viewer()
        return [ManagedResidence.of(view) for view in await managed_residences(viewer)]

    @resolved(
        "A dwelling of the manager's residences. NOT_FOUND for any other dwelling, whether it exists or not."
    )
    async def managed_dwelling(self, info: Info, id: strawberry.ID) -> ManagedDwelling | None:  # noqa: A002 - the argument's name in the schema
        viewer = await info.context.viewer()
        return ManagedDwelling.of(await managed_dwelling(viewer, number_of(id, "ManagedDwelling")))
