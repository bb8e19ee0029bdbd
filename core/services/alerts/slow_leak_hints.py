"""Hints about slow leaks, for accounts that asked for them: chosen, found and listed.

In: the meters of a batch whose whole days changed. Out: a hint for each account and flow, and its e-mail.
The one rule: a hint is no alert: it is off by default, is sent once for each flow, never by SMS, and ends
with the first day that shows a pause. Only days of the account's own occupancy count, and only meters of
accounts that asked are looked at, once a day: a batch of others costs no statement more than the one that
finds this out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Permission, Viewer, Visitor
from core.access.purposes import AccountPurpose
from core.consumption import IndexReading, clean, day_of, day_start
from core.consumption.fluids import Fluid
from core.consumption.periods import civil_day
from core.leak_thresholds import ThresholdsOf
from core.leaks.slow_flow import LOOK_BACK_DAYS, DayFinding, SlowDay, is_measurable, slow_days, slow_flow
from core.models import Account, LeakEpisode, SlowLeakHint
from core.services.auth.account_consents import record_account_consent
from core.services.messaging.outbox import Notification, Topic
from core.services.places.dwellings import my_dwelling
from core.services.places.meter_directory import MeterEntry
from core.services.places.occupant_periods import occupant_periods
from core.services.shared import time_series
from core.services.shared.audit import record_own
from core.services.shared.scope import OccupancyPeriod, occupancy_period_at
from core.services.shared.time_series import Window
from core.services.shared.transaction import transactional

_ONE_DAY = timedelta(days=1)
_TWO_PLACES = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class SlowLeakView:
    """A running hint: since when the flow has not paused, and how much flows about."""

    id: int
    fluid: Fluid
    printed_serial: str
    started_on: date
    flow_lph: Decimal


@transactional
async def choose_slow_leak_hints(
    connection: TransactionalDBClient, viewer: Viewer, *, wished: bool, visitor: Visitor, now: datetime
) -> None:
    """Switch the account's hints about slow leaks on or off."""
    viewer.require(Permission.ACCOUNT_WRITE)
    mine = Account.filter(id=viewer.account_id).exclude(slow_leak_by_email=wished)
    if await mine.using_db(connection).update(slow_leak_by_email=wished):
        assert viewer.account_id is not None
        purpose = AccountPurpose.SLOW_LEAK_EMAIL
        await record_account_consent(connection, viewer.account_id, purpose, granted=wished, now=now)
        await record_own(
            Act.NOTIFICATIONS_CHANGED, viewer, visitor, now, connection, topic="SLOW_LEAK", by_email=wished
        )


async def slow_leak_hints_wished(viewer: Viewer) -> bool:
    """Whether the viewer asked for hints about slow leaks."""
    viewer.require(Permission.ACCOUNT_READ)
    return await Account.exists(id=viewer.account_id, slow_leak_by_email=True)


async def slow_leak_hints(viewer: Viewer, dwelling_id: int, *, now: datetime) -> list[SlowLeakView]:
    """The viewer's running hints at a dwelling; none once the viewer no longer asks for them.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
    """
    viewer.require(Permission.ALERTS_READ)
    period = await occupancy_period_at(viewer, dwelling_id)
    today = civil_day(now, (await my_dwelling(viewer, dwelling_id)).residence.time_zone)
    if not period.holds(today):
        return []
    rows = SlowLeakHint.filter(
        account_id=viewer.account_id,
        account__slow_leak_by_email=True,
        meter__dwelling_id=dwelling_id,
        meter__removed_at=None,
        ended_on=None,
    )
    return [
        SlowLeakView(row.id, row.meter.fluid, row.meter.printed_serial, row.started_on, row.flow_lph)
        for row in await rows.select_related("meter").order_by("started_on", "id")
    ]


@dataclass(frozen=True, slots=True)
class _Asked:
    """An account that asked for hints, and a meter of its dwelling."""

    account_id: int
    period: OccupancyPeriod
    meter: MeterEntry


async def update_slow_leak_hints(
    connection: TransactionalDBClient,
    touched: Mapping[MeterEntry, tuple[date, date]],
    *,
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> list[Notification]:
    """Look at the whole days that were touched; returns the hints to send. The dwellings must be locked."""
    meters = [
        meter
        for meter, (first_day, _) in touched.items()
        if meter.fluid.is_water
        and first_day < meter.day(now)
        and is_measurable(meter.register_step, thresholds_of(meter.operator_code).level_1_lph)
    ]
    asked = await _asked(connection, meters, now) if meters else []
    if not asked:
        return []
    meter_ids = sorted({one.meter.id for one in asked})
    last = await time_series.newest_readings(connection, meter_ids)
    rows = await SlowLeakHint.filter(meter_id__in=meter_ids, ended_on=None).using_db(connection)
    running = {(row.account_id, row.meter_id): row for row in rows}
    leaking = LeakEpisode.filter(meter_id__in=meter_ids, ended_on=None).using_db(connection)
    alerted = {row.meter_id for row in await leaking.only("id", "meter_id")}
    notifications: list[Notification] = []
    for one in asked:
        meter, row = one.meter, running.get((one.account_id, one.meter.id))
        if meter.id not in last:
            continue
        last_day = day_of(last[meter.id].read_at_s, meter.zone) - _ONE_DAY
        days = await _days(connection, one, last_day, since=None if row is None else row.judged_on + _ONE_DAY)
        if row is not None:
            await _continue(connection, row, days, alerted=meter.id in alerted)
            continue
        thresholds = thresholds_of(meter.operator_code)
        found = slow_flow(days, level_1_lph=thresholds.level_1_lph) if days else None
        is_stale = last_day < meter.day(now) - timedelta(days=thresholds.stale_after_days)
        if found is None or is_stale or meter.id in alerted:
            continue
        hint = await SlowLeakHint.create(
            account_id=one.account_id,
            meter_id=meter.id,
            started_on=found.started_on,
            judged_on=last_day,
            flow_lph=Decimal(found.flow_lph).quantize(_TWO_PLACES),
            hinted_at=now,
            using_db=connection,
        )
        notifications.append(_notification(hint, meter, now))
    return notifications


async def _asked(
    connection: TransactionalDBClient, meters: Sequence[MeterEntry], now: datetime
) -> list[_Asked]:
    """The present occupants of the meters' dwellings who asked for hints."""
    dwelling_ids = {meter.dwelling_id for meter in meters}
    wishes = await time_series.select(connection, _WISHES, ((number,) for number in dwelling_ids))
    wished = {row["id"] for row in wishes}
    periods = await occupant_periods(connection, dwelling_ids) if wished else []
    return [
        _Asked(row.account_id, period, meter)
        for row, period in periods
        for meter in meters
        if row.id in wished
        and row.account_id is not None
        and meter.dwelling_id == row.dwelling_id
        and period.holds(meter.day(now))
    ]


_WISHES: Final = (
    "SELECT o.id FROM k JOIN occupancy o ON o.dwelling_id = k.a JOIN account a ON a.id = o.account_id"
    " WHERE a.slow_leak_by_email IS TRUE AND a.disabled_at IS NULL"
)


async def _days(
    connection: TransactionalDBClient, one: _Asked, last: date, *, since: date | None
) -> list[SlowDay]:
    """The days to look at, of the account's own occupancy: two weeks, or more if they were not looked
    at.
    """
    meter, first = one.meter, last - timedelta(days=LOOK_BACK_DAYS - 1)
    first = max(one.period.first_day, first if since is None else min(first, since))
    if first > last:
        return []
    window = Window(meter.id, day_start(first, meter.zone), day_start(last + _ONE_DAY, meter.zone))
    readings = [
        IndexReading(row.read_at_s, row.index_value)
        for row in await time_series.rows_around(connection, [window])
        if window.first <= row.read_at_s
    ]
    return slow_days(
        clean(readings, meter.register),
        step_litres=meter.register_step,
        zone=meter.zone,
        first=first,
        last=last,
    )


async def _continue(
    connection: TransactionalDBClient, row: SlowLeakHint, days: Sequence[SlowDay], *, alerted: bool
) -> None:
    """End a running hint with the first day that shows a pause, or when the flow is a leak alert now."""
    pauses = [day.day for day in days if day.finding is DayFinding.PAUSED and day.day >= row.started_on]
    if days:
        row.judged_on = max(row.judged_on, days[-1].day)
    if pauses or alerted:
        row.ended_on = pauses[0] if pauses else row.judged_on
    await row.save(using_db=connection, update_fields=["judged_on", "ended_on"])


def _notification(hint: SlowLeakHint, meter: MeterEntry, now: datetime) -> Notification:
    return Notification(
        dwelling_id=meter.dwelling_id,
        topic=Topic.SLOW_LEAK,
        template="slow_leak",
        key=f"slow-leak:{hint.id}",
        started_on=hint.started_on,
        happened_on=meter.day(now),
        alert_id=None,
        account_id=hint.account_id,
        by_sms=False,
        values={
            "fluid": meter.fluid.value,
            "meter": meter.printed_serial,
            "flow_lph": str(hint.flow_lph),
        },
    )
