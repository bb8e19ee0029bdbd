"""Keeps the draws of each meter and asks once about those that recur, instead of an alarm a night.

In: the sightings of a batch. Out: the draws to be notified, as runs of a burst, and the questions. The one
rule: draws follow from the stored readings, and what recurs follows from the draws, the occupancies and the
answers; so late, doubled and disordered readings give the same tables as orderly ones. An answer counts for
the draws after it, and for one occupancy.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

from tortoise.backends.base.client import TransactionalDBClient

from core.alerting.conditions import BURST_IN_READINGS_S, DAY_S, Condition, ConditionRun, Sighting
from core.alerting.recurring_draws import Draw, DrawAnswer, draws, kinds
from core.consumption import day_of
from core.models import Alert, AlertKind, BurstDraw, RecurringDraw, RecurringDrawAnswer
from core.services.messaging.outbox import NOTIFICATION_MAX_AGE, Notification, Topic
from core.services.places.meter_directory import MeterEntry
from core.services.places.occupant_periods import occupant_periods
from core.services.shared.alert_rows import AlertRow
from core.services.shared.columns import select_models
from core.services.shared.time_series import Window

AFTER_S = DAY_S + BURST_IN_READINGS_S
"""How far after a late reading others are compared with it."""

_ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class Recurring:
    """What a batch's draws mean for the alerts of their meters.

    Attributes: drawn_s: of each meter the sightings that its draws account for, notified or not. raising:
    the draws of each meter that raise an alert, as runs: one for all that begin on a civil day.
    notifications: the questions. withdrawn: the ids of alerts that are gone, since their draws recur.
    """

    drawn_s: dict[int, frozenset[int]] = field(default_factory=dict)
    raising: dict[int, list[ConditionRun]] = field(default_factory=dict)
    notifications: list[Notification] = field(default_factory=list)
    withdrawn: set[int] = field(default_factory=set)


async def draws_near(
    connection: TransactionalDBClient, spans: Mapping[MeterEntry, tuple[int, int]]
) -> dict[int, list[BurstDraw]]:
    """The stored draws of each water meter that readings of these spans may change."""
    water = {meter.id: span for meter, span in spans.items() if meter.fluid.is_water}
    asked = [(meter_id, first_s, last_s + AFTER_S) for meter_id, (first_s, last_s) in water.items()]
    found: dict[int, list[BurstDraw]] = {}
    for row in await select_models(connection, BurstDraw, _NEAR, asked):
        found.setdefault(row.meter_id, []).append(row)
    return found


_NEAR: Final = (
    "SELECT b.* FROM k JOIN burst_draw b ON b.meter_id = k.a AND b.shown_from_s <= k.c"
    " AND (b.ended_s IS NULL OR b.ended_s >= k.b) ORDER BY b.shown_from_s"
)


def windows_of(
    spans: Mapping[MeterEntry, tuple[int, int]], near: Mapping[int, Sequence[BurstDraw]]
) -> list[Window]:
    """The readings that the conditions of these spans are judged by; of water, whole draws."""
    windows = []
    for meter, (first_s, last_s) in spans.items():
        rows = near.get(meter.id, ())
        start_s = min([first_s, *(row.shown_from_s for row in rows)]) - BURST_IN_READINGS_S
        end_s = last_s + (AFTER_S if meter.fluid.is_water else 1)
        windows.append(
            Window(meter.id, start_s, max([end_s, *(row.ended_s or row.shown_until_s for row in rows)]))
        )
    return windows


async def update_draws(
    connection: TransactionalDBClient,
    spans: Mapping[MeterEntry, tuple[int, int]],
    sightings: Mapping[int, Sequence[Sighting]],
    near: Mapping[int, Sequence[BurstDraw]],
    *,
    snoozed: Collection[int],
    now: datetime,
) -> Recurring:
    """Bring the draws of the meters received up to date. The dwellings must be locked.

    Args:
        connection: of the batch.
        spans: the first and the last reading of each meter.
        sightings: of each meter, within `windows_of`.
        near: what `draws_near` found.
        snoozed: the meters whose bursts somebody dismissed; their draws raise snoozed alerts, no question.
        now: the present moment.
    """
    outcome = Recurring()
    rows: dict[int, list[BurstDraw]] = {}
    touched: dict[int, set[int]] = {}
    changed: list[MeterEntry] = []
    for meter, (first_s, last_s) in spans.items():
        if not meter.fluid.is_water:
            continue
        stored = {row.shown_from_s: row for row in near.get(meter.id, ())}
        found = draws(
            sightings[meter.id],
            register=meter.register,
            from_s=min([first_s, *stored]),
        )
        found = [draw for draw in found if draw.shown_from_s <= last_s + AFTER_S]
        rows[meter.id] = list(stored.values())
        touched[meter.id] = {*stored, *(draw.shown_from_s for draw in found)}
        if await _replace(connection, meter, stored, found):
            changed.append(meter)
    if changed:
        kept = await _Kinds.of(connection, changed)
        for meter in changed:
            rows[meter.id] = kept.draws.get(meter.id, [])
            touched[meter.id] |= await kept.settle(connection, meter, outcome.withdrawn)
            if meter.id not in snoozed:
                outcome.notifications += await kept.questions(connection, meter, now=now)
    for meter in spans:
        own = [row for row in rows.get(meter.id, ()) if not row.reported]
        if own:
            outcome.drawn_s[meter.id] = frozenset(
                one.at_s
                for one in sightings[meter.id]
                if any(row.shown_from_s <= one.at_s <= row.shown_until_s for row in own)
            )
            raising = [row for row in own if not row.expected or meter.id in snoozed]
            outcome.raising[meter.id] = _runs(meter, raising, touched[meter.id])
    return outcome


def _runs(meter: MeterEntry, raising: Sequence[BurstDraw], touched: Collection[int]) -> list[ConditionRun]:
    """The runs of the days on which a touched draw begins."""
    by_day: dict[date, list[BurstDraw]] = {}
    for row in raising:
        by_day.setdefault(day_of(row.shown_from_s, meter.zone), []).append(row)
    return [
        ConditionRun(Condition.BURST, of_day[0].shown_from_s, of_day[-1].shown_until_s, of_day[-1].ended_s)
        for of_day in by_day.values()
        if any(row.shown_from_s in touched for row in of_day)
    ]


_COLUMNS = ("shown_from_s", "shown_until_s", "ended_s", "started_s", "litres", "flow_lph", "reported")


async def _replace(
    connection: TransactionalDBClient,
    meter: MeterEntry,
    stored: Mapping[int, BurstDraw],
    found: Sequence[Draw],
) -> bool:
    """Store the draws found instead of those stored; whether anything changed."""
    changed = False
    for draw in found:
        row = stored.get(draw.shown_from_s) or BurstDraw(meter_id=meter.id)
        if row.pk is not None and _draw_of(row) == draw:
            continue
        for name in _COLUMNS:
            setattr(row, name, getattr(draw, name))
        await row.save(using_db=connection)
        changed = True
    gone = [
        row.id
        for shown_from_s, row in stored.items()
        if shown_from_s not in {one.shown_from_s for one in found}
    ]
    if gone:
        await BurstDraw.filter(id__in=gone).using_db(connection).delete()
    return changed or bool(gone)


def _draw_of(row: BurstDraw) -> Draw:
    return Draw(**{name: getattr(row, name) for name in _COLUMNS})


_DRAWS: Final = "SELECT b.* FROM k JOIN burst_draw b ON b.meter_id = k.a ORDER BY b.shown_from_s"
_RECURRING: Final = "SELECT r.* FROM k JOIN recurring_draw r ON r.meter_id = k.a ORDER BY r.id"
_ANSWERED: Final = (
    "SELECT a.* FROM k JOIN recurring_draw r ON r.meter_id = k.a"
    " JOIN recurring_draw_answer a ON a.recurring_id = r.id ORDER BY a.id"
)


@dataclass(slots=True)
class _Kinds:
    """The draws, recurring draws, answers and occupancies of some meters."""

    draws: dict[int, list[BurstDraw]]
    recurring: dict[int, list[RecurringDraw]]
    answers: dict[int, list[RecurringDrawAnswer]]
    starts: dict[int, list[date]]

    @classmethod
    async def of(cls, connection: TransactionalDBClient, meters: Sequence[MeterEntry]) -> "_Kinds":
        ids = [(meter.id,) for meter in meters]
        draw_rows = await select_models(connection, BurstDraw, _DRAWS, ids)
        recurring = await select_models(connection, RecurringDraw, _RECURRING, ids)
        answered = await select_models(connection, RecurringDrawAnswer, _ANSWERED, ids) if recurring else ()
        kept = cls({}, {}, {}, await _starts(connection, {meter.dwelling_id for meter in meters}))
        for row in draw_rows:
            kept.draws.setdefault(row.meter_id, []).append(row)
        for one in recurring:
            kept.recurring.setdefault(one.meter_id, []).append(one)
        for answer in answered:
            kept.answers.setdefault(answer.recurring_id, []).append(answer)
        return kept

    async def settle(self, connection: TransactionalDBClient, meter: MeterEntry, gone: set[int]) -> set[int]:
        """Sort a meter's draws by kind and store it; returns those to be notified that were not before.

        The alerts withdrawn are noted in `gone`.
        """
        rows = self.draws.get(meter.id, [])
        unclaimed = {one.id: one for one in self.recurring.get(meter.id, [])}
        before = {row.id: (row.expected, row.recurring_id) for row in rows}
        for row in rows:
            row.expected = False
        for since, part in groupby(rows, key=lambda row: self._since(meter, row)):
            await self._settle_occupancy(connection, meter, since, list(part), unclaimed)
        if unclaimed:
            await RecurringDraw.filter(id__in=list(unclaimed)).using_db(connection).delete()
        for row in rows:
            if row.recurring_id in unclaimed:
                row.recurring_id = None
            if before[row.id] != (row.expected, row.recurring_id):
                await row.save(using_db=connection, update_fields=["expected", "recurring_id"])
        withdrawn = await _withdraw_alerts(connection, meter, [row for row in rows if row.expected], gone)
        return {
            row.shown_from_s
            for row in rows
            if not row.expected and (before[row.id][0] or day_of(row.shown_from_s, meter.zone) in withdrawn)
        }

    async def _settle_occupancy(
        self,
        connection: TransactionalDBClient,
        meter: MeterEntry,
        since: date | None,
        rows: list[BurstDraw],
        unclaimed: dict[int, RecurringDraw],
    ) -> None:
        known = {
            number for number, row in enumerate(rows) if self._answer(row.recurring_id) is DrawAnswer.MINE
        }
        voted = [row.recurring_id for row in rows]
        for row in rows:
            row.recurring_id = None
        for group in kinds([_draw_of(row) for row in rows], zone=meter.zone, known=known):
            members = [rows[number] for number in group]
            recurring = next(
                (
                    unclaimed.pop(number)
                    for number in sorted({voted[one] or 0 for one in group})
                    if number in unclaimed and unclaimed[number].since == since
                ),
                None,
            )
            if sum(row.ended_s is not None for row in members) >= 2:
                recurring = await _store(connection, recurring, meter, since, members)
                self.recurring.setdefault(meter.id, [])
                if recurring not in self.recurring[meter.id]:
                    self.recurring[meter.id].append(recurring)
            elif recurring is not None:
                unclaimed[recurring.id] = recurring
                recurring = None
            for row in members:
                row.recurring_id = None if recurring is None else recurring.id
            for row in members[1:]:
                answer = self._answer(row.recurring_id, before_s=row.shown_from_s)
                row.expected = answer is not DrawAnswer.NOT_MINE

    async def questions(
        self, connection: TransactionalDBClient, meter: MeterEntry, *, now: datetime
    ) -> list[Notification]:
        """The questions that nobody was asked yet; about draws of the present occupancy, and of late."""
        today = meter.day(now)
        asked = []
        for one in self.recurring.get(meter.id, []):
            is_of_today = one.since == _start_of(self.starts.get(meter.dwelling_id, ()), today)
            is_new = one.asked_at is None and one.id not in self.answers
            if not (is_of_today and is_new and one.last_on >= (now - NOTIFICATION_MAX_AGE).date()):
                continue
            if not any(row.recurring_id == one.id for row in self.draws.get(meter.id, ())):
                continue
            one.asked_at = now
            await one.save(using_db=connection, update_fields=["asked_at"])
            asked.append(_question(meter, one))
        return asked

    def _answer(self, number: int | None, *, before_s: int | None = None) -> DrawAnswer | None:
        """The last answer about a recurring draw, or the last one before a moment."""
        given = self.answers.get(number, ()) if number is not None else ()
        counted = [one for one in given if before_s is None or one.answered_at.timestamp() <= before_s]
        return counted[-1].answer if counted else None

    def _since(self, meter: MeterEntry, row: BurstDraw) -> date | None:
        return _start_of(self.starts.get(meter.dwelling_id, ()), day_of(row.started_s, meter.zone))


async def _store(
    connection: TransactionalDBClient,
    row: RecurringDraw | None,
    meter: MeterEntry,
    since: date | None,
    members: Sequence[BurstDraw],
) -> RecurringDraw:
    members_as_draws = [_draw_of(member) for member in members]
    row = row or RecurringDraw(meter_id=meter.id, since=since)
    row.first_on = day_of(members[0].started_s, meter.zone)
    row.last_on = day_of(members[-1].started_s, meter.zone)
    row.draws, row.litres = len(members), max(one.litres for one in members[:2])
    row.minute_of_day = members_as_draws[0].minute_of_day(meter.zone)
    await row.save(using_db=connection)
    return row


async def _withdraw_alerts(
    connection: TransactionalDBClient, meter: MeterEntry, expected: Sequence[BurstDraw], gone: set[int]
) -> set[date]:
    """Delete the alerts of draws that turned out to recur, but those acted on; returns their days."""
    if not expected:
        return set()
    raised = Alert.filter(meter_id=meter.id, kind=AlertKind.BURST, last_action=None).using_db(connection)
    doomed = [
        alert
        for alert in await raised
        if any(row.started_s <= first_s_of(alert) <= row.shown_until_s for row in expected)
    ]
    if doomed:
        gone.update(alert.id for alert in doomed)
        await Alert.filter(id__in=[alert.id for alert in doomed]).using_db(connection).delete()
    return {alert.started_on for alert in doomed}


def first_s_of(alert: Alert | AlertRow) -> int:
    """The first reading of the run that raised a condition's alert, which its key names."""
    return int(alert.alert_key.rpartition(":")[2])


def _question(meter: MeterEntry, one: RecurringDraw) -> Notification:
    return Notification(
        dwelling_id=meter.dwelling_id,
        topic=Topic.LEAK,
        template="recurring_draw",
        key=f"recurring-draw:{one.id}",
        started_on=one.first_on,
        happened_on=one.last_on,
        alert_id=None,
        by_sms=False,
        to_managers=True,
        values={"fluid": meter.fluid.value, "meter": meter.printed_serial},
        figures={"minute_of_day": one.minute_of_day, "litres": one.litres},
    )


async def _starts(connection: TransactionalDBClient, dwelling_ids: Iterable[int]) -> dict[int, list[date]]:
    """The days on which the occupant of each dwelling changed: first days, and days after last ones."""
    found: dict[int, set[date]] = {}
    periods = [
        (row.account_id, period)
        for row, period in await occupant_periods(connection, dwelling_ids)
        if period.last_day is None or period.first_day <= period.last_day
    ]
    for account_id, period in periods:
        same = [
            other
            for whose, other in periods
            if other is not period
            and account_id is not None
            and (whose, other.dwelling_id) == (account_id, period.dwelling_id)
        ]
        days = found.setdefault(period.dwelling_id, set())
        if not any(other.holds(period.first_day - _ONE_DAY) for other in same):
            days.add(period.first_day)
        end = None if period.last_day is None else period.last_day + _ONE_DAY
        if end is not None and not any(other.holds(end) for other in same):
            days.add(end)
    return {dwelling_id: sorted(days) for dwelling_id, days in found.items()}


async def occupancy_start(connection: TransactionalDBClient, dwelling_id: int, day: date) -> date | None:
    """Since when the occupant of a dwelling on a day had been there, or nobody; None before any
    occupant.
    """
    return _start_of((await _starts(connection, [dwelling_id])).get(dwelling_id, ()), day)


def _start_of(starts: Sequence[date], day: date) -> date | None:
    return max((start for start in starts if start <= day), default=None)
