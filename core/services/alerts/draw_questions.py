"""The recurring draws of a dwelling as people see them, and their answers to "is this yours?".

In: the viewer, and an answer. Out: the recurring draws of the viewer's occupancy. The one rule: an answer
is added and never changed, and counts for the occupancy that the draws belong to; the next occupant is
asked anew. A manager may answer too, and sees neither hour nor litres, which are the occupant's.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Permission, Role, Viewer, Visitor
from core.alerting.recurring_draws import DrawAnswer
from core.alerting.workflow import Party
from core.consumption.fluids import Fluid
from core.errors import NotFound
from core.models import Alert, AlertKind, BurstDraw, RecurringDraw, RecurringDrawAnswer
from core.services.alerts.recurring_draws import first_s_of, occupancy_start
from core.services.places.managed_residences import manages
from core.services.places.meter_directory import lock_dwellings
from core.services.shared.alert_rows import AlertRow
from core.services.shared.audit import Subject, record
from core.services.shared.scope import occupancy_period_at
from core.services.shared.transaction import transactional


@dataclass(frozen=True, slots=True)
class RecurringDrawView:
    """Draws that come back at about the same hour; `answer` is None until somebody has answered.

    `litres` are those of the larger of the first two, `minute_of_day` when the first began by the
    residence's clock; both are the occupant's, and None for a manager.
    """

    id: int
    fluid: Fluid
    printed_serial: str
    minute_of_day: int | None
    litres: int | None
    draws: int
    first_on: date
    last_on: date
    answer: DrawAnswer | None
    answered_by: Party | None
    answered_at: datetime | None

    def without_figures(self) -> "RecurringDrawView":
        """What a manager sees of it."""
        return replace(self, minute_of_day=None, litres=None)


async def recurring_draws(viewer: Viewer, dwelling_id: int) -> list[RecurringDrawView]:
    """The recurring draws of the viewer's occupancy, the latest first.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
    """
    viewer.require(Permission.ALERTS_READ)
    period = await occupancy_period_at(viewer, dwelling_id)
    query = RecurringDraw.filter(meter__dwelling_id=dwelling_id).select_related("meter")
    rows = await query.order_by("-last_on", "-id")
    return await _views([row for row in rows if period.holds(row.first_on)])


async def recurring_draw(viewer: Viewer, number: int) -> tuple[RecurringDrawView, int]:
    """One recurring draw, and the dwelling it is of; of a manager's without hour and litres.

    Raises:
        NotFound: there is no such draw, or it is not of the viewer's occupancy.
    """
    viewer.require(Permission.ALERTS_READ)
    row = await RecurringDraw.get_or_none(id=number).select_related("meter__dwelling")
    if row is not None and viewer.role is Role.MANAGER:
        if await manages(viewer, row.meter.dwelling.residence_id):
            (view,) = await _views([row])
            return view.without_figures(), row.meter.dwelling_id
    elif row is not None and viewer.role is Role.RESIDENT:  # the household answers for nobody
        with suppress(NotFound):
            for view in await recurring_draws(viewer, row.meter.dwelling_id):
                if view.id == number:
                    return view, row.meter.dwelling_id
    raise NotFound("No such recurring draw.", field="id")


async def recurring_draws_of(alerts: Sequence[Alert | AlertRow]) -> dict[int, RecurringDrawView]:
    """The recurring draw that each alert of a burst belongs to, by the alert's id."""
    raised = {
        alert.id: (alert.meter_id, first_s_of(alert)) for alert in alerts if alert.kind is AlertKind.BURST
    }
    if not raised:
        return {}
    moments = [at_s for _, at_s in raised.values()]
    draws = await BurstDraw.filter(
        meter_id__in=list({meter_id for meter_id, _ in raised.values()}),
        started_s__lte=max(moments),
        shown_until_s__gte=min(moments),
    ).exclude(recurring_id=None)
    found = {
        alert_id: draw.recurring_id
        for alert_id, (meter_id, at_s) in raised.items()
        for draw in draws
        if draw.meter_id == meter_id and draw.started_s <= at_s <= draw.shown_until_s
    }
    rows = RecurringDraw.filter(id__in=list(set(found.values()))).select_related("meter")
    views = {view.id: view for view in await _views(await rows if found else [])}
    return {alert_id: views[number] for alert_id, number in found.items() if number in views}


@transactional
async def answer_recurring_draw(
    connection: TransactionalDBClient,
    viewer: Viewer,
    number: int,
    answer: DrawAnswer,
    *,
    visitor: Visitor,
    now: datetime,
) -> RecurringDrawView:
    """Answer whose draw it is, or change the answer; it counts for the draws after it.

    Raises:
        NotFound: there is no such draw, or it is not of the viewer's present occupancy.
    """
    viewer.require(Permission.ALERTS_HANDLE)
    row = await RecurringDraw.get_or_none(id=number, using_db=connection).select_related(
        "meter__dwelling__residence"
    )
    if row is None or not await _may_answer(connection, viewer, row, now):
        raise NotFound("No such recurring draw.", field="id")
    await lock_dwellings(connection, [row.meter.dwelling_id])
    last = await RecurringDrawAnswer.filter(recurring_id=row.id).using_db(connection).order_by("-id").first()
    if last is None or last.answer is not answer:
        await RecurringDrawAnswer.create(
            recurring_id=row.id,
            answer=answer,
            party=Party.MANAGER if viewer.role is Role.MANAGER else Party.RESIDENT,
            account_id=viewer.account_id,
            answered_at=now,
            using_db=connection,
        )
        await record(
            Act.RECURRING_DRAW_ANSWERED,
            Subject("recurring_draw", row.id),
            viewer,
            visitor,
            now,
            connection,
            answer=answer.value,
            meter=row.meter_id,
        )
    (view,) = await _views([row])
    return view


async def _may_answer(
    connection: TransactionalDBClient, viewer: Viewer, row: RecurringDraw, now: datetime
) -> bool:
    dwelling = row.meter.dwelling
    today = now.astimezone(ZoneInfo(dwelling.residence.time_zone)).date()
    if viewer.role is Role.MANAGER:
        current = row.since == await occupancy_start(connection, dwelling.id, today)
        return current and await manages(viewer, dwelling.residence_id)
    try:
        period = await occupancy_period_at(viewer, dwelling.id)
    except NotFound:
        return False
    return period.holds(today) and period.holds(row.first_on)


async def _views(rows: Sequence[RecurringDraw]) -> list[RecurringDrawView]:
    """Of rows with their meters, each with its last answer."""
    if not rows:
        return []
    given = RecurringDrawAnswer.filter(recurring_id__in=[row.id for row in rows]).order_by("id")
    last = {one.recurring_id: one for one in await given}
    return [
        RecurringDrawView(
            id=row.id,
            fluid=row.meter.fluid,
            printed_serial=row.meter.printed_serial,
            minute_of_day=row.minute_of_day,
            litres=row.litres,
            draws=row.draws,
            first_on=row.first_on,
            last_on=row.last_on,
            answer=last[row.id].answer if row.id in last else None,
            answered_by=last[row.id].party if row.id in last else None,
            answered_at=last[row.id].answered_at if row.id in last else None,
        )
        for row in rows
    ]
