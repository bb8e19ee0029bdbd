"""Raises an alert for a meter that used to be received and is not any more, and ends those of removed
meters.

In: the hourly check of meters without a reading in the last day. Out: alert rows. The one rule: a meter's
data are missing by the measure of its own usual interval; a repeated check raises nothing twice, and the
next reading ends the alert (`core.services.alerts.meter_conditions`).
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import TransactionalDBClient

from core.alerting.conditions import DAY_S, is_missing_data
from core.consumption import day_of
from core.consumption.fluids import Fluid
from core.models import Alert, AlertKind, Meter
from core.services.alerts.meter_conditions import CONDITION_KINDS, condition_key
from core.services.places.meter_directory import lock_dwellings
from core.services.places.meter_states import note_condition
from core.services.shared import time_series
from core.services.shared.reception_habits import ReceptionHabit, meters_without_data
from core.services.shared.transaction import current_database, transactional

HABIT_S = 31 * DAY_S
"""A meter's usual interval is taken from the last 31 days in which it was received."""


MISSING_DATA_PAGE = 1000
"""Meters without data that are checked in one transaction."""


async def raise_missing_data(*, now: datetime) -> int:
    """Raise an alert for every meter without data, and end those of removed meters.

    Returns how many alerts were raised. A repeated call raises none twice. A meter that was never received
    is not checked: it awaits its first telegram.
    """
    await _end_of_removed(now=now)
    now_s, after_id, raised = int(now.timestamp()), 0, 0
    while True:
        page = await meters_without_data(
            current_database(),
            now_s=now_s,
            since_s=now_s - DAY_S,
            look_back_s=HABIT_S,
            after_id=after_id,
            limit=MISSING_DATA_PAGE,
        )
        if not page:
            return raised
        after_id = page[-1].meter_id
        missing = [one for one in page if is_missing_data(one.last_s, now_s, usual_interval_s=_usual_s(one))]
        if missing:
            raised += await _raise_missing(missing, now=now)


def _usual_s(habit: ReceptionHabit) -> int:
    """The mean time between two readings; a day for a meter that was received once."""
    return max((habit.last_s - habit.first_s) // (habit.readings - 1), 1) if habit.readings > 1 else DAY_S


@transactional
async def _raise_missing(
    connection: TransactionalDBClient, missing: Sequence[ReceptionHabit], *, now: datetime
) -> int:
    await lock_dwellings(connection, [one.dwelling_id for one in missing])
    last = await time_series.last_readings(connection, [one.meter_id for one in missing])
    missed = [one for one in missing if last[one.meter_id].read_at_s == one.last_s]  # not received meanwhile
    keys = {condition_key(AlertKind.NO_DATA, one.meter_id, one.last_s): one for one in missed}
    known = Alert.filter(alert_key__in=list(keys)).using_db(connection)
    raised = {row.alert_key for row in await known.only("id", "alert_key")}
    places = await _places(connection, [one.meter_id for one in missed])
    rows = [
        Alert(
            alert_key=key,
            kind=AlertKind.NO_DATA,
            dwelling_id=one.dwelling_id,
            fluid=places[one.meter_id][0],
            meter_id=one.meter_id,
            started_on=day_of(one.last_s, places[one.meter_id][1]),
            raised_at=now,
        )
        for key, one in keys.items()
        if key not in raised
    ]
    await Alert.bulk_create(rows, using_db=connection)
    if rows:
        await note_condition(connection, [one.meter_id for one in missed])
    return len(rows)


async def _places(
    connection: TransactionalDBClient, meter_ids: Sequence[int]
) -> dict[int, tuple[Fluid, ZoneInfo]]:
    query = Meter.filter(id__in=list(meter_ids)).using_db(connection)
    meters = await query.select_related("dwelling__residence")
    return {meter.id: (meter.fluid, ZoneInfo(meter.dwelling.residence.time_zone)) for meter in meters}


@transactional
async def _end_of_removed(connection: TransactionalDBClient, *, now: datetime) -> None:
    """End the alerts of removed meters."""
    query = Alert.filter(kind__in=CONDITION_KINDS, ended_on=None, meter__removed_at__lte=now).using_db(
        connection
    )
    await lock_dwellings(connection, [alert.dwelling_id for alert in await query.only("id", "dwelling_id")])
    for alert in await query.select_related("meter", "dwelling__residence"):  # read again under the lock
        assert alert.meter is not None
        zone = ZoneInfo(alert.dwelling.residence.time_zone)
        assert alert.meter.removed_at is not None
        alert.ended_on = max(alert.meter.removed_at.astimezone(zone).date(), alert.started_on)
        await alert.save(using_db=connection, update_fields=["ended_on"])
