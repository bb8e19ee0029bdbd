"""The alerts of a viewer's dwelling: the active ones, and the history page by page (R-080…R-091).

The one rule: a figure never contains another occupant's water. A leak that reaches beyond the viewer's
occupancy period is shown within it, without loss and mean flow; one that lies outside is not shown. Nor is
the alert of a limit that somebody else set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from core.access import Permission, Viewer
from core.alerting.over_consumption import LimitPeriod
from core.alerting.workflow import AlertStatus
from core.consumption import day_of
from core.consumption.fluids import Fluid
from core.consumption.periods import civil_day
from core.leak_thresholds import ThresholdsOf, product_thresholds
from core.leaks.cost import Cost, cost_of
from core.models import Alert, AlertKind
from core.services.alerts.draw_questions import RecurringDrawView, recurring_draws_of
from core.services.alerts.workflow import AlertWorkflowView, workflows_of
from core.services.places.dwellings import ResidenceView, residence_of
from core.services.shared import time_series
from core.services.shared.paging import Page
from core.services.shared.scope import OccupancyPeriod, home_at
from core.services.shared.transaction import current_database


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert as the occupant sees it.

    `level` is the level now, for an ended leak its highest; None for what is no leak. `loss_litres` and
    `mean_flow_lph` are None where unknown (C-25). `cost` is the loss at the residence's price of water, and
    what an active leak would come to in a year; each figure is None where it cannot be known.
    `duration_days` runs to today while the alert is active. `stale`: active, and no data for days. `amount`
    and `threshold` belong to over-consumption; `own_limit` is the period of the viewer's own limit that was
    passed. `recurring_draw` is what a burst is one of. `workflow` is what resident and manager have done.
    """

    id: int
    kind: AlertKind
    fluid: Fluid
    level: int | None
    level_max: int | None
    over_range: bool
    started_on: date
    ended_on: date | None
    duration_days: int
    loss_litres: Decimal | None
    mean_flow_lph: Decimal | None
    cost: Cost
    q_min_at_opening_lph: Decimal | None
    stale: bool
    amount: int | None
    threshold: int | None
    own_limit: LimitPeriod | None
    meter_id: int | None
    printed_serial: str | None
    recurring_draw: RecurringDrawView | None
    workflow: AlertWorkflowView

    @property
    def snoozed(self) -> bool:
        """Whether somebody has dismissed it as no leak, and the snooze holds today."""
        return self.workflow.status is AlertStatus.NOT_A_LEAK


async def active_alerts(
    viewer: Viewer, dwelling_id: int, *, thresholds_of: ThresholdsOf = product_thresholds, now: datetime
) -> list[AlertView]:
    """The dwelling's active alerts: the worst first, then the oldest (R-080, R-083); snoozed ones last.

    The operator's thresholds define how many days without data make an alert stale.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
    """
    viewer.require(Permission.ALERTS_READ)
    period, today, residence = await _period_today(viewer, dwelling_id, now)
    if not period.holds(today):
        return []
    active = _of(period, viewer).filter(Q(ended_on=None) | Q(ended_on__gt=today))
    stale_after = timedelta(days=thresholds_of(residence.operator_code).stale_after_days)
    views = await _views(await active, period, today, residence, received_since=today - stale_after)
    return sorted(views, key=lambda view: (view.snoozed, -_urgency(view), view.started_on, view.id))


def _urgency(view: AlertView) -> int:
    """A burst ranks before the highest level of a leak."""
    return _ABOVE_EVERY_LEVEL if view.kind is AlertKind.BURST else view.level or 0


_ABOVE_EVERY_LEVEL = 4


async def past_alerts(
    viewer: Viewer, dwelling_id: int, *, first: int, after: tuple[date, int] | None = None, now: datetime
) -> Page[AlertView]:
    """A page of the dwelling's alert history, newest first, with the count of all (R-088…R-091).

    Args:
        viewer: the occupant.
        dwelling_id: one of the viewer's dwellings.
        first: how many at most.
        after: start day and id of the last alert of the page before, exclusive.
        now: decides what is past.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
    """
    viewer.require(Permission.ALERTS_READ)
    period, today, residence = await _period_today(viewer, dwelling_id, now)
    mine = _of(period, viewer)
    past = mine if period.over_on(today) else mine.filter(ended_on__lte=today)
    total = await past.count()
    if after is not None:
        started_on, alert_id = after
        if last := await past.get_or_none(id=alert_id):
            started_on = last.started_on  # its true start, which the page before may not have shown
        past = past.filter(Q(started_on__lt=started_on) | Q(started_on=started_on, id__lt=alert_id))
    rows = await past.order_by("-started_on", "-id").limit(first + 1)
    items = await _views(rows[:first], period, today, residence, received_since=today)
    return Page(items=items, has_next=len(rows) > first, total=total)


def _of(period: OccupancyPeriod, viewer: Viewer) -> QuerySet[Alert]:
    """The leaks and conditions that overlap the occupancy period, and the alerts of its days and months."""
    query = Alert.filter(dwelling_id=period.dwelling_id).filter(
        Q(ended_on=None) | Q(ended_on__gt=period.first_day) | Q(started_on__gte=period.first_day),
        ~Q(kind=AlertKind.OVER_CONSUMPTION) | Q(started_on__gte=period.first_day),
        Q(account_id=None) | Q(account_id=viewer.account_id),
    )
    if period.last_day is not None:
        query = query.filter(started_on__lte=period.last_day)
    return query.select_related("episode__meter", "meter")


async def _views(
    rows: list[Alert], period: OccupancyPeriod, today: date, residence: ResidenceView, *, received_since: date
) -> list[AlertView]:
    zone, price = ZoneInfo(residence.time_zone), residence.water_price_eur_per_m3
    meter_ids = [row.episode.meter_id for row in rows if row.episode is not None]
    last = await time_series.last_readings(current_database(), meter_ids)
    snoozed = {
        meter_id
        for meter_id in meter_ids
        if meter_id not in last or day_of(last[meter_id].read_at_s, zone) < received_since
    }
    levels = {row.id: row.episode.level_now if row.episode is not None else None for row in rows}
    since = datetime.combine(period.first_day, time(), tzinfo=zone)
    handled = await workflows_of(rows, levels=levels, today=today, since=since)
    recurring = await recurring_draws_of(rows)
    return [_view(row, period, today, snoozed, price, recurring.get(row.id), handled[row.id]) for row in rows]


_ONE_DAY = timedelta(days=1)


def _view(
    row: Alert,
    period: OccupancyPeriod,
    today: date,
    snoozed: set[int],
    price: Decimal | None,
    recurring: RecurringDrawView | None,
    workflow: AlertWorkflowView,
) -> AlertView:
    episode, ended_on = row.episode, row.ended_on
    meter = row.meter if episode is None else episode.meter
    if period.last_day is not None and (ended_on is None or ended_on > period.last_day + _ONE_DAY):
        ended_on = period.last_day + _ONE_DAY
    own = period.holds(row.started_on) and (ended_on == row.ended_on or not period.over_on(today))
    active = ended_on is None or ended_on > today
    level_max = None if episode is None else _highest(episode.segments, period)
    level = level_max if episode is None or not active else episode.level_now
    started_on = max(row.started_on, period.first_day)
    loss_litres = episode.loss_litres if episode and own else None
    mean_flow_lph = episode.mean_flow_lph if episode and own else None
    return AlertView(
        id=row.id,
        kind=row.kind,
        fluid=row.fluid,
        level=level,
        level_max=level_max,
        over_range=episode.over_range if episode and own else False,
        started_on=started_on,
        ended_on=None if active and row.kind is not AlertKind.OVER_CONSUMPTION else ended_on,
        duration_days=(min(today, ended_on or today) - started_on).days,
        loss_litres=loss_litres,
        mean_flow_lph=mean_flow_lph,
        cost=cost_of(loss_litres, mean_flow_lph if active else None, eur_per_m3=price),
        q_min_at_opening_lph=episode.q_min_at_opening_lph if episode and own else None,
        stale=active and episode is not None and episode.meter_id in snoozed,
        amount=row.amount,
        threshold=row.threshold,
        own_limit=row.own_limit,
        meter_id=meter.id if meter else None,
        printed_serial=meter.printed_serial if meter else None,
        recurring_draw=recurring if recurring and period.holds(recurring.first_on) else None,
        workflow=workflow,
    )


def _highest(segments: Sequence[Mapping[str, Any]], period: OccupancyPeriod) -> int | None:
    """The highest level that an episode had within the occupancy period."""
    levels = [
        segment["level"]
        for segment in segments
        if (segment["ended_on"] is None or date.fromisoformat(segment["ended_on"]) > period.first_day)
        and (period.last_day is None or date.fromisoformat(segment["started_on"]) <= period.last_day)
    ]
    return max(levels, default=None)


async def _period_today(
    viewer: Viewer, dwelling_id: int, now: datetime
) -> tuple[OccupancyPeriod, date, ResidenceView]:
    home = await home_at(viewer, dwelling_id)
    residence = residence_of(home)
    return home.period, civil_day(now, residence.time_zone), residence
