"""The alerts of a viewer's dwelling: the active ones, and the history page by page (R-080…R-091).

The one rule: a figure never contains another occupant's water. A leak that reaches beyond the viewer's
occupancy period is shown within it, without loss and mean flow; one that lies outside is not shown. Nor is
the alert of a limit that somebody else set.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from core.access import Permission, Viewer
from core.access.narrowing import Basis
from core.alerting.over_consumption import LimitPeriod
from core.alerting.workflow import AlertStatus
from core.consumption import day_of
from core.consumption.fluids import Fluid
from core.errors import NotFound, SubmeterError
from core.leak_thresholds import ThresholdsOf, product_thresholds
from core.leaks.cost import Cost, cost_of
from core.models import AlertKind
from core.services.alerts.draw_questions import RecurringDrawView, recurring_draws_of
from core.services.alerts.snoozes import status_of
from core.services.alerts.workflow import AlertActionView, AlertWorkflowView, actions_of, workflow_of
from core.services.shared.alert_rows import (
    AlertRow,
    AlertsAsked,
    AlertsFound,
    AlertStatusRow,
    EpisodeRow,
    alerts_of,
    true_start,
)
from core.services.shared.columns import decimal_or_none, document
from core.services.shared.guests import BASIS_OF
from core.services.shared.paging import Page
from core.services.shared.scope import Home, OccupancyPeriod, homes_by_dwelling
from core.services.shared.transaction import current_database


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert as a viewer sees it; of a manager's the figures of consumption are None (CN-01).

    `level` is the level now, for an ended leak its highest; None for what is no leak. `loss_litres` and
    `mean_flow_lph` are None where unknown (C-25). `cost` is the loss at the residence's price of water, and
    what an active leak would come to in a year; each figure is None where it cannot be known.
    `duration_days` runs to today while the alert is active. `stale`: active, and no data for days. `amount`
    and `threshold` belong to over-consumption; `own_limit` is the period of the viewer's own limit that was
    passed. `recurring_draw` is what a burst is one of. `workflow` is what resident and manager have done.
    """

    id: int
    basis: Basis
    dwelling_id: int
    kind: AlertKind
    fluid: Fluid
    level: int | None
    level_max: int | None
    over_range: bool | None
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
    stored_evidence: object
    recurring_draw: RecurringDrawView | None
    workflow: AlertWorkflowView

    @property
    def evidence(self) -> dict[str, Any] | None:
        """What showed the leak, at its opening and at its last change; None if that is another
        occupant's.
        """
        known: dict[str, Any] | None = document(self.stored_evidence)
        return known

    @property
    def snoozed(self) -> bool:
        """Whether somebody has dismissed it as no leak, and the snooze holds today."""
        return self.workflow.status is AlertStatus.NOT_A_LEAK


@dataclass(frozen=True, slots=True)
class ActiveAlerts:
    """The question for a dwelling's active alerts."""

    dwelling_id: int


@dataclass(frozen=True, slots=True)
class ActiveAlertCount(ActiveAlerts):
    """The question for their number alone, without those dismissed as no leak: the total of an empty page."""


@dataclass(frozen=True, slots=True)
class PastAlerts:
    """The question for a page of a dwelling's history; `after` is the last alert of the page before."""

    dwelling_id: int
    first: int
    after: tuple[date, int] | None = None


@dataclass(frozen=True, slots=True)
class OneAlert:
    """The question for one alert of a dwelling."""

    dwelling_id: int
    alert_id: int


Question: TypeAlias = ActiveAlerts | PastAlerts | OneAlert


async def active_alerts(
    viewer: Viewer, dwelling_id: int, *, thresholds_of: ThresholdsOf = product_thresholds, now: datetime
) -> list[AlertView]:
    """The dwelling's active alerts: the worst first, then the oldest (R-080, R-083); snoozed ones last.

    The operator's thresholds define how many days without data make an alert stale.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
    """
    asked = [ActiveAlerts(dwelling_id)]
    (page,) = await alerts_asked(viewer, asked, thresholds_of=thresholds_of, now=now)
    if isinstance(page, SubmeterError):
        raise page
    return page.items


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
    (page,) = await alerts_asked(viewer, [PastAlerts(dwelling_id, first, after)], now=now)
    if isinstance(page, SubmeterError):
        raise page
    return page


async def alerts_asked(
    viewer: Viewer,
    asked: Sequence[Question],
    *,
    thresholds_of: ThresholdsOf = product_thresholds,
    now: datetime,
) -> list[Page[AlertView] | SubmeterError]:
    """Active and past alerts of any number of dwellings, by one statement; each refusal stands for
    itself.
    """
    viewer.require(Permission.ALERTS_READ)
    mine = await homes_by_dwelling(viewer)
    looks = {
        number: Look.of(home, thresholds_of, now, reader=viewer.account_id, basis=BASIS_OF[viewer.role])
        for number, home in mine.items()
    }
    questions = {
        place: await question_of(looks[one.dwelling_id], viewer.account_id, one)
        for place, one in enumerate(asked)
        if one.dwelling_id in looks
    }
    found = await found_of(question for question in questions.values() if question is not None)
    shown = {questions.get(place) for place, one in enumerate(asked) if not isinstance(one, ActiveAlertCount)}
    views = await views_of(
        {question: found[question] for question in found if question in shown},
        lambda row: looks[row.dwelling_id],
    )
    pages: list[Page[AlertView] | SubmeterError] = []
    for place, one in enumerate(asked):
        if place not in questions:
            pages.append(NotFound("No such dwelling.", field="id"))
            continue
        question = questions[place]
        if question is None:
            pages.append(Page([], has_next=False, total=0))
        elif isinstance(one, ActiveAlertCount):
            pages.append(looks[one.dwelling_id].count(found[question].rows))
        else:
            pages.append(page_of(one, views[question], found[question].total))
    return pages


async def found_of(questions: Iterable[AlertsAsked]) -> dict[AlertsAsked, AlertsFound]:
    """The rows of each question, by one statement; of the same question once."""
    read = list(dict.fromkeys(questions))
    return dict(zip(read, await alerts_of(current_database(), read), strict=True)) if read else {}


async def views_of(
    found: Mapping[AlertsAsked, AlertsFound], look_of: Callable[[AlertRow], "Look"]
) -> dict[AlertsAsked, list[AlertView]]:
    """The alerts that were found, each as its viewer sees it."""
    rows = [row for one in found.values() for row in one.rows]
    done = await actions_of([row.id for row in rows if row.last_action is not None])
    recurring = await recurring_draws_of(rows)
    return {
        question: [look_of(row).view(row, done.get(row.id, ()), recurring.get(row.id)) for row in answer.rows]
        for question, answer in found.items()
    }


def page_of(asked: Question, views: list[AlertView], total: int) -> Page[AlertView]:
    """The page that was asked for; of active alerts all, the worst first and snoozed ones last."""
    if isinstance(asked, ActiveAlerts):
        views.sort(key=lambda view: (view.snoozed, -_urgency(view), view.started_on, view.id))
        return Page(views, has_next=False, total=len(views))
    first = asked.first if isinstance(asked, PastAlerts) else 1
    return Page(views[:first], has_next=len(views) > first, total=total)


async def question_of(look: "Look", account_id: int | None, asked: Question) -> AlertsAsked | None:
    """The rows to read: those of the occupancy period. None for active alerts of one that is over."""
    period, today = look.period, look.today
    whole = AlertsAsked(period.dwelling_id, account_id, period.first_day, period.last_day)
    if isinstance(asked, OneAlert):
        return replace(whole, only_id=asked.alert_id, most=1)
    if isinstance(asked, ActiveAlerts):
        return replace(whole, running_on=today) if period.holds(today) else None
    past = replace(
        whole, ended_by=None if period.over_on(today) else today, after=asked.after, most=asked.first + 1
    )
    if past.after is None:
        return past
    started_on, alert_id = past.after
    known = await true_start(current_database(), past)  # which the page before may not have shown
    return replace(past, after=(known or started_on, alert_id))


@dataclass(frozen=True, slots=True)
class Look:
    """How a viewer sees the alerts of a dwelling; actions before `since`, or of another resident than
    `reader`, are another occupant's.
    """

    basis: Basis
    period: OccupancyPeriod
    today: date
    zone: ZoneInfo
    since: datetime
    received_since: date
    price: Decimal | None
    reader: int | None = None

    @classmethod
    def of(
        cls,
        home: Home,
        thresholds_of: ThresholdsOf,
        now: datetime,
        *,
        basis: Basis = Basis.OCCUPANT,
        reader: int | None = None,
    ) -> "Look":
        zone = ZoneInfo(home.place["time_zone"])
        today = now.astimezone(zone).date()
        stale_after = timedelta(days=thresholds_of(home.place["operator_code"]).stale_after_days)
        return cls(
            basis=basis,
            period=home.period,
            today=today,
            zone=zone,
            since=datetime.combine(home.period.first_day, time(), tzinfo=zone),
            received_since=today - stale_after,
            price=decimal_or_none(home.place["water_price_eur_per_m3"]),
            reader=reader,
        )

    def view(
        self, row: AlertRow, done: Sequence[AlertActionView], recurring: RecurringDrawView | None
    ) -> AlertView:
        workflow = workflow_of(
            row, done, level=row.level_now, today=self.today, since=self.since, reader=self.reader
        )
        return _view(row, self, recurring, workflow)

    def count(self, rows: Iterable[AlertRow | AlertStatusRow]) -> Page[AlertView]:
        """How many there are, without those dismissed as no leak: an empty page with their total."""
        dismissed = AlertStatus.NOT_A_LEAK
        total = sum(status_of(row, level=row.level_now, today=self.today) is not dismissed for row in rows)
        return Page([], has_next=False, total=total)

    def is_silent(self, episode: EpisodeRow) -> bool:
        """Whether the meter of a leak has sent no data for days."""
        return episode.last_s is None or day_of(episode.last_s, self.zone) < self.received_since


def _urgency(view: AlertView) -> int:
    """A burst ranks before the highest level of a leak."""
    return _ABOVE_EVERY_LEVEL if view.kind is AlertKind.BURST else view.level or 0


_ABOVE_EVERY_LEVEL = 4


_ONE_DAY = timedelta(days=1)


def _view(
    row: AlertRow, look: Look, recurring: RecurringDrawView | None, workflow: AlertWorkflowView
) -> AlertView:
    period, today = look.period, look.today
    episode, ended_on = row.episode, row.ended_on
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
        basis=look.basis,
        dwelling_id=row.dwelling_id,
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
        cost=cost_of(loss_litres, mean_flow_lph if active else None, eur_per_m3=look.price),
        q_min_at_opening_lph=episode.q_min_at_opening_lph if episode and own else None,
        stale=active and episode is not None and look.is_silent(episode),
        amount=row.amount,
        threshold=row.threshold,
        own_limit=row.own_limit,
        meter_id=row.meter_id if episode is None else episode.meter_id,
        printed_serial=row.printed_serial,
        stored_evidence=episode.evidence if episode and own else None,
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
