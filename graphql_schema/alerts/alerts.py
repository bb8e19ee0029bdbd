"""Alerts: what one shows to resident and manager (R-080 to R-096).

`AlertFields` is all of an alert but the dwelling and the meter that it is about, which are nouns above it
(`graphql_schema.dwellings.dwellings`).
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Self

import strawberry

from core.access.narrowing import Audience
from core.alerting.conditions import Condition
from core.consumption import Month
from core.consumption.amounts import rounded
from core.leaks.cost import Cost
from core.services.alerts.resident_alerts import AlertView
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
from graphql_schema.alerts.evidence import AlertEvidence
from graphql_schema.alerts.recurring_draws import RecurringDraw
from graphql_schema.base.amounts import Amount
from graphql_schema.base.context import Info
from graphql_schema.base.enums import AlertKind, Fluid, Language, LimitPeriod
from graphql_schema.base.narrowing import Narrowed, metadata_of, narrowed, noted
from graphql_schema.base.paging import cursor, parse_cursor
from graphql_schema.base.relay import Node, global_id
from graphql_schema.base.texts import worded
from graphql_schema.base.views import shown

_CURSOR = "alert"
_LARGEST_NUMBER = 2**63 - 1


@strawberry.type(description="The projected loss of a leak over 365 days at its mean flow so far.")
class LeakProjection:
    m3: Decimal = strawberry.field(description="Cubic metres, rounded to a whole number.")
    cost: Decimal | None = strawberry.field(
        description="EUR, two decimals; null if the price of water is not known."
    )

    @classmethod
    def known(cls, cost: Cost) -> "LeakProjection | None":
        """None if the mean flow is not known or the leak has ended."""
        return None if cost.m3_per_year is None else cls(m3=cost.m3_per_year, cost=cost.eur_per_year)


@strawberry.type
class AlertFields(Node, Narrowed):
    kind: AlertKind
    fluid: Fluid
    view: strawberry.Private[AlertView]
    level: int | None = strawberry.field(
        description="The level of a leak, 1 to 3, by its minimum flow: the current level, or the highest "
        "level if it has ended. Null if the alert is not a leak."
    )
    level_max: int | None = strawberry.field(description="The highest level that the leak has had so far.")
    over_range: bool | None = strawberry.field(
        description=noted("Whether the flow is above 20 L/h, the upper end of level 3.", Audience.OCCUPANT),
        metadata=metadata_of(Audience.OCCUPANT),
    )
    started_on: date = strawberry.field(
        description="The first day of the alert; to a resident not before the move-in."
    )
    ended_on: date | None = strawberry.field(
        description="The first day without the condition; null while the alert is active."
    )
    duration_days: int = strawberry.field(description="Days from `startedOn` to `endedOn`, or to today.")
    loss_litres: Decimal | None = strawberry.field(
        description=noted("Total loss in litres, two decimals.", Audience.OCCUPANT),
        metadata=metadata_of(Audience.OCCUPANT),
    )
    loss_m3: Decimal | None = strawberry.field(
        name="lossM3",
        description=noted("Total loss in cubic metres, two decimals.", Audience.OCCUPANT),
        metadata=metadata_of(Audience.OCCUPANT),
    )
    loss_cost: Decimal | None = strawberry.field(
        description=noted(
            "The loss in EUR, two decimals, at the residence's water price; null if either is not known.",
            Audience.OCCUPANT,
        ),
        metadata=metadata_of(Audience.OCCUPANT),
    )
    projection: LeakProjection | None = strawberry.field(
        description=noted(
            "The projected loss over a year; null if the mean flow is not known or the leak has ended.",
            Audience.OCCUPANT,
        ),
        metadata=metadata_of(Audience.OCCUPANT),
    )
    mean_flow_lph: Decimal | None = strawberry.field(
        description=noted("Mean flow in litres per hour, two decimals.", Audience.OCCUPANT),
        metadata=metadata_of(Audience.OCCUPANT),
    )
    minimum_flow_at_opening_lph: Decimal | None = strawberry.field(
        description=noted(
            "Minimum flow in litres per hour when the alert opened, two decimals; the level is "
            "derived from it.",
            Audience.OCCUPANT,
        ),
        metadata=metadata_of(Audience.OCCUPANT),
    )
    stale: bool = strawberry.field(
        description="Whether the alert is active but its meter has sent no data for days."
    )
    meter_serial: str | None = strawberry.field(
        description="The serial number printed on the meter; null if the alert is not about a single meter."
    )
    amount: Amount | None = strawberry.field(
        description=noted("For OVER_CONSUMPTION: the consumption of the month or day.", Audience.OCCUPANT),
        metadata=metadata_of(Audience.OCCUPANT),
    )
    threshold: Amount | None = strawberry.field(
        description=noted("For OVER_CONSUMPTION: the threshold that was exceeded.", Audience.OCCUPANT),
        metadata=metadata_of(Audience.OCCUPANT),
    )
    own_limit: LimitPeriod | None = strawberry.field(
        description="For OVER_CONSUMPTION: which of the viewer's own limits was exceeded; null for the "
        "general rule."
    )
    recurring_draw: RecurringDraw | None = strawberry.field(
        description="For BURST: the recurring draw that it is one of; null if it has not come back."
    )
    workflow: AlertWorkflow

    @classmethod
    def of(cls, view: AlertView) -> Self:
        draw = view.recurring_draw
        return shown(
            cls,
            view,
            id=global_id("Alert", view.id),
            seen_as=view.basis,
            dwelling_id=view.dwelling_id,
            view=view,
            loss_litres=None if view.loss_litres is None else rounded(view.loss_litres, 2),
            loss_m3=loss_m3(view.loss_litres),
            loss_cost=view.cost.eur,
            projection=LeakProjection.known(view.cost),
            mean_flow_lph=_flow(view.mean_flow_lph),
            minimum_flow_at_opening_lph=_flow(view.q_min_at_opening_lph),
            meter_serial=view.printed_serial,
            amount=Amount.known(view.fluid, view.amount),
            threshold=Amount.known(view.fluid, view.threshold),
            recurring_draw=None if draw is None else RecurringDraw.of(draw, view.basis, view.dwelling_id),
            workflow=AlertWorkflow.of(view.workflow),
        )

    @narrowed("What showed a leak, and its present level; null if that is not known.", Audience.HOLDER)
    def evidence(self, info: Info) -> AlertEvidence | None:  # noqa: ARG002 - `narrowed` asks by it who looks
        return AlertEvidence.known(self.view.evidence)

    @worded("The alert in one line: `Alerte fuite niveau 1 depuis le 11/03/2022 (6 mois)`.")
    def title(self, language: Language) -> str:
        return title_of(self.view, language)

    @worded("The period of an ended alert: `Du 03/01/2022 au 09/01/2022`; null while it is active.")
    def period(self, language: Language) -> str | None:
        return period_text(self.started_on, self.ended_on, language) if self.ended_on else None

    @worded("A comparison for the level of a leak: `goutte à goutte`; null if the alert is not a leak.")
    def equivalent(self, language: Language) -> str | None:
        return level_equivalent(self.level, language) if self.level else None

    @worded("The meter: `Eau froide n°H8CA029620`; null if the alert is not about a single meter.")
    def meter_label(self, language: Language) -> str | None:
        return meter_label(self.fluid, self.meter_serial, language) if self.meter_serial else None


def alert_cursor(view: AlertView) -> str:
    """The cursor of an alert in a list that is sorted newest first."""
    return cursor(_CURSOR, view.started_on.isoformat(), view.id)


def alert_of_cursor(after: str | None) -> tuple[date, int] | None:
    """Start day and number of the last alert of the previous page.

    Raises:
        InvalidInput: the cursor is not one of alerts.
    """
    return parse_cursor(after, _CURSOR, _seen)


def title_of(view: AlertView, language: Language) -> str:
    """The alert in one line; for an active one, with its duration so far."""
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
