"""The alerts of a residence for its manager, page by page.

The one rule: a manager sees that a dwelling has an alert, since when, its level and its status, as the
resident does; loss and flow are the resident's consumption and are not shown here (CN-01), and so is the hour
of a recurring draw.
"""

from dataclasses import dataclass
from datetime import date, datetime

from tortoise.expressions import Q

from core.access import Permission, Viewer
from core.consumption.fluids import Fluid
from core.consumption.periods import civil_day
from core.models import Alert, AlertKind, Residence
from core.services.alerts.draw_questions import RecurringDrawView, recurring_draws_of
from core.services.alerts.workflow import AlertWorkflowView, workflows_of
from core.services.places.managed_residences import place_of, require_managed
from core.services.shared.paging import Page


@dataclass(frozen=True, slots=True)
class ManagedAlertView:
    """An alert as the manager sees it; `level` is the level now, for an ended leak its highest."""

    id: int
    kind: AlertKind
    fluid: Fluid
    place: str
    level: int | None
    started_on: date
    ended_on: date | None
    printed_serial: str | None
    recurring_draw: RecurringDrawView | None
    workflow: AlertWorkflowView


async def managed_alerts(
    viewer: Viewer,
    residence_id: int,
    *,
    active: bool,
    first: int,
    after: tuple[date, int] | None = None,
    now: datetime,
) -> Page[ManagedAlertView]:
    """A page of a residence's alerts, newest first, with the count of all.

    Args:
        viewer: a manager.
        residence_id: one of the manager's residences.
        active: the running ones, or else those that have ended.
        first: how many at most.
        after: start day and id of the last alert of the page before, exclusive.
        now: decides what is running.

    Raises:
        NotFound: no such residence, or not the viewer's.
    """
    viewer.require(Permission.ALERTS_READ)
    await require_managed(viewer, residence_id)
    residence = await Residence.get(id=residence_id)
    today = civil_day(now, residence.time_zone)
    goes_on = Q(ended_on=None) | Q(ended_on__gt=today)
    query = Alert.filter(dwelling__residence_id=residence_id, account_id=None)  # own limits are private
    query = query.filter(goes_on) if active else query.filter(ended_on__lte=today)
    total = await query.count()
    if after is not None:
        started_on, alert_id = after
        query = query.filter(Q(started_on__lt=started_on) | Q(started_on=started_on, id__lt=alert_id))
    rows = (
        await query.order_by("-started_on", "-id")
        .limit(first + 1)
        .select_related("episode__meter", "meter", "dwelling")
    )
    shown = rows[:first]
    levels = {row.id: _level(row, active=active) for row in shown}
    handled = await workflows_of(shown, levels=levels, today=today)
    recurring = await recurring_draws_of(shown)
    items = [
        ManagedAlertView(
            id=row.id,
            kind=row.kind,
            fluid=row.fluid,
            place=place_of(row.dwelling),
            level=levels[row.id],
            started_on=row.started_on,
            ended_on=row.ended_on,
            printed_serial=_serial(row),
            recurring_draw=recurring.get(row.id),
            workflow=handled[row.id],
        )
        for row in shown
    ]
    return Page(items=items, has_next=len(rows) > first, total=total)


def _serial(row: Alert) -> str | None:
    meter = row.meter if row.episode is None else row.episode.meter
    return None if meter is None else meter.printed_serial


def _level(row: Alert, *, active: bool) -> int | None:
    if row.episode is None:
        return None
    level: int = row.episode.level_now if active else row.episode.level_max
    return level
