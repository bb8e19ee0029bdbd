"""Alerts of a dwelling: the active ones, and the history page by page (R-080 to R-096)."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import strawberry
from strawberry.relay import PageInfo

from core.alerting.conditions import Condition
from core.consumption import Month
from core.consumption.amounts import rounded
from core.leaks.cost import Cost
from core.services.alerts.resident_alerts import AlertView
from core.services.shared.paging import Page
from core.texts.alerts import (
    condition_title,
    ended_condition_title,
    ended_leak_title,
    meter_label,
    over_consumption_title,
    own_limit_title,
)
from core.texts.leaks import alert_title, level_equivalent, loss_m3, period_text
from graphql_schema.alerts.actions import AlertWorkflow
from graphql_schema.base.amounts import Amount
from graphql_schema.base.context import Info
from graphql_schema.base.enums import AlertKind, Fluid, Language, LimitPeriod
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import Edge, cursor, page_info, parse_cursor
from graphql_schema.base.relay import global_id

_CURSOR = "alert"
_LARGEST_NUMBER = 2**63 - 1


@strawberry.type(
    description="What a leak would come to in a year of 365 days, if it went on at its mean flow so far."
)
class LeakProjection:
    m3: Decimal = strawberry.field(description="Cubic metres, rounded to whole ones.")
    cost: Decimal | None = strawberry.field(
        description="EUR, two decimals; null where the price of water is not known."
    )

    @classmethod
    def known(cls, cost: Cost) -> "LeakProjection | None":
        """None where the mean flow is not known, and when the leak is over."""
        return None if cost.m3_per_year is None else cls(m3=cost.m3_per_year, cost=cost.eur_per_year)


@strawberry.type(description="A warning about a dwelling. Unknown figures are null, never 0.")
class Alert:
    id: strawberry.ID
    kind: AlertKind
    fluid: Fluid
    view: strawberry.Private[AlertView]
    level: int | None = strawberry.field(
        description="1 to 3, by the minimum flow: the present level, or the highest of an ended leak."
    )
    level_max: int | None
    over_range: bool = strawberry.field(
        description="Level 3 with a flow above 20 L/h, where that level ends."
    )
    started_on: date = strawberry.field(description="Never before the viewer's move-in.")
    ended_on: date | None = strawberry.field(
        description="The first day without the leak; null while it is active."
    )
    duration_days: int
    loss_litres: Decimal | None = strawberry.field(description="Total loss in litres, two decimals.")
    loss_m3: Decimal | None = strawberry.field(
        name="lossM3", description="Total loss in cubic metres, two decimals."
    )
    loss_cost: Decimal | None = strawberry.field(
        description="The loss in EUR, two decimals, at the residence's price; null where either is not known."
    )
    projection: LeakProjection | None = strawberry.field(
        description="What the leak would amount to in a year; null once it has ended."
    )
    mean_flow_lph: Decimal | None = strawberry.field(
        description="Mean flow in litres per hour, two decimals: how much water is lost."
    )
    minimum_flow_at_opening_lph: Decimal | None = strawberry.field(
        description="Minimum flow in litres per hour when the alert opened, two decimals; it "
        "explains the level."
    )
    stale: bool = strawberry.field(description="Active, but the meter has sent no data for days.")
    meter_serial: str | None
    amount: Amount | None = strawberry.field(
        description="Over-consumption: the consumption of the month or day."
    )
    threshold: Amount | None = strawberry.field(
        description="Over-consumption: the threshold that was exceeded."
    )
    own_limit: LimitPeriod | None = strawberry.field(
        description="Over-consumption: which of the viewer's own limits was exceeded; null for "
        "the general rule."
    )
    workflow: AlertWorkflow

    @classmethod
    def of(cls, view: AlertView) -> "Alert":
        return cls(
            id=global_id("Alert", view.id),
            kind=AlertKind(view.kind.value),
            fluid=view.fluid,
            view=view,
            level=view.level,
            level_max=view.level_max,
            over_range=view.over_range,
            started_on=view.started_on,
            ended_on=view.ended_on,
            duration_days=view.duration_days,
            loss_litres=None if view.loss_litres is None else rounded(view.loss_litres, 2),
            loss_m3=loss_m3(view.loss_litres),
            loss_cost=view.cost.eur,
            projection=LeakProjection.known(view.cost),
            mean_flow_lph=_flow(view.mean_flow_lph),
            minimum_flow_at_opening_lph=_flow(view.q_min_at_opening_lph),
            stale=view.stale,
            meter_serial=view.printed_serial,
            amount=Amount.known(view.fluid, view.amount),
            threshold=Amount.known(view.fluid, view.threshold),
            own_limit=view.own_limit,
            workflow=AlertWorkflow.of(view.workflow),
        )

    @resolved("`Alerte fuite niveau 1 depuis le 11/03/2022 (6 mois)`.")
    async def title(self, info: Info, language: Language | None = None) -> str:
        return title_of(self.view, await info.context.language(language))

    @resolved("`Du 03/01/2022 au 09/01/2022`; null while a leak is active.")
    async def period(self, info: Info, language: Language | None = None) -> str | None:
        spoken = await info.context.language(language)
        return period_text(self.started_on, self.ended_on, spoken) if self.ended_on else None

    @resolved("What a flow of this level looks like at a tap: `goutte à goutte`.")
    async def equivalent(self, info: Info, language: Language | None = None) -> str | None:
        spoken = await info.context.language(language)
        return level_equivalent(self.level, spoken) if self.level else None

    @resolved("`Eau froide n°H8CA029620`; null where the alert is not about a single meter.")
    async def meter_label(self, info: Info, language: Language | None = None) -> str | None:
        spoken = await info.context.language(language)
        return meter_label(self.fluid, self.meter_serial, spoken) if self.meter_serial else None


@strawberry.type(description="A page of the alert history, newest first; `totalCount` counts all of it.")
class AlertConnection:
    edges: list[Edge[Alert]]
    page_info: PageInfo
    total_count: int

    @classmethod
    def of(cls, page: Page[AlertView], *, after: str | None) -> "AlertConnection":
        edges = [
            Edge(cursor=alert_cursor(view.started_on, view.id), node=Alert.of(view)) for view in page.items
        ]
        return cls(
            edges=edges,
            page_info=page_info(edges, has_next=page.has_next, after=after),
            total_count=page.total or 0,
        )


def alert_cursor(started_on: date, number: int) -> str:
    """The cursor of an alert in a list that the newest begins."""
    return cursor(_CURSOR, started_on.isoformat(), number)


def alert_of_cursor(after: str | None) -> tuple[date, int] | None:
    """Start day and number of the last alert that was seen.

    Raises:
        InvalidInput: the cursor is not one of alerts.
    """
    return parse_cursor(after, _CURSOR, _seen)


def title_of(view: AlertView, language: Language) -> str:
    """The alert in one line; an active one tells how long it has lasted."""
    if view.own_limit is not None:
        return own_limit_title(view.fluid, view.own_limit, view.started_on, language)
    if view.kind.value == AlertKind.OVER_CONSUMPTION:
        return over_consumption_title(view.fluid, Month.of(view.started_on), language)
    today = view.started_on + timedelta(days=view.duration_days)
    if view.level is None:
        condition = Condition(view.kind.value)
        if view.ended_on is not None:
            return ended_condition_title(condition, view.started_on, view.ended_on, language)
        return condition_title(condition, view.started_on, today=today, language=language)
    if view.ended_on is not None:
        return ended_leak_title(view.level, view.started_on, view.ended_on, language)
    return alert_title(view.level, view.started_on, today=today, language=language)


def _flow(flow_lph: Decimal | None) -> Decimal | None:
    return None if flow_lph is None else rounded(flow_lph, 2)


def _seen(parts: Sequence[str]) -> tuple[date, int]:
    started_on, number = parts
    if not 0 < int(number) <= _LARGEST_NUMBER:
        raise ValueError("no alert has this number")
    return date.fromisoformat(started_on), int(number)
