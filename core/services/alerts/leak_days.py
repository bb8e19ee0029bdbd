"""Keeps the minimum flows of a leak's whole days, so that a long leak is not read again at each telegram.

In: the meters with runs of a leak, and since when; the days that a batch touched. Out: their day flows, of
which only the days that are new are computed from readings. The one rule: a flow follows from the readings
of its day alone; so what is kept of days before the touched ones remains right, and the rest is made anew.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction

from tortoise.backends.base.client import TransactionalDBClient

from core.consumption import day_of, day_start
from core.leaks.episodes.daily_flows import DayFlow, day_flows
from core.models import LeakDayFlows
from core.services.places.hourly_volumes import hours_of
from core.services.places.meter_directory import MeterEntry
from core.services.shared.columns import select_models
from core.services.shared.time_series import day_number, day_of_number

_ONE_DAY = timedelta(days=1)


async def flows_since(
    connection: TransactionalDBClient,
    since_s: Mapping[MeterEntry, float],
    touched: Mapping[MeterEntry, date],
    last_s: Mapping[MeterEntry, int],
) -> dict[int, list[DayFlow]]:
    """The days with a minimum flow of each meter, from the day of a moment on to its last whole day.

    Args:
        connection: of the batch.
        since_s: the meters, and the first moment of their runs, epoch seconds.
        touched: the first day of each meter that readings changed.
        last_s: the moment of each meter's last reading.
    """
    rows = await select_models(connection, LeakDayFlows, _STORED, ((meter.id,) for meter in since_s))
    stored = {row.meter_id: row for row in rows}
    kept: dict[MeterEntry, dict[int, int]] = {}
    begun = {meter: day_of(int(at_s), meter.zone) for meter, at_s in since_s.items()}
    asked = dict(begun)
    for meter, first in begun.items():
        row = stored.get(meter.id)
        if row is None or row.first_day > day_number(first):
            kept[meter] = {}
            continue
        asked[meter] = max(first, min(day_of_number(row.until_day) + _ONE_DAY, touched[meter]))
        known = range(day_number(first), day_number(asked[meter]))
        kept[meter] = {int(day): flow for day, flow in row.flows_lph.items() if int(day) in known}
    whole = {  # of a day that has not ended there is no flow yet, and nothing to read
        meter: (day_start(day, meter.zone), last_s[meter])
        for meter, day in asked.items()
        if day_start(day + _ONE_DAY, meter.zone) <= last_s[meter]
    }
    hours = await hours_of(connection, whole) if whole else {}
    found: dict[int, list[DayFlow]] = {}
    for meter, first in asked.items():
        fresh = day_flows(hours.get(meter.id, []), zone=meter.zone, complete_until_s=last_s[meter])
        days = kept[meter] | {
            day_number(one.day): int(one.q_min_lph) for one in fresh if one.q_min_lph is not None
        }
        found[meter.id] = [
            DayFlow(day_of_number(day), Fraction(flow), _HOURS) for day, flow in sorted(days.items())
        ]
        until = max((one.day for one in fresh), default=first - _ONE_DAY)
        await _keep(connection, meter, stored.get(meter.id), begun[meter], until, days)
    return found


_STORED = "SELECT f.* FROM k JOIN leak_day_flows f ON f.meter_id = k.a"
_HOURS = 24
"""How many hours were valid is of no concern any more."""


async def _keep(
    connection: TransactionalDBClient,
    meter: MeterEntry,
    row: LeakDayFlows | None,
    first: date,
    until: date,
    days: Mapping[int, int],
) -> None:
    values = {
        "first_day": day_number(first),
        "until_day": day_number(until),
        "flows_lph": {str(day): flow for day, flow in sorted(days.items())},
    }
    if row is None:
        await LeakDayFlows.create(meter_id=meter.id, using_db=connection, **values)
    elif any(getattr(row, name) != value for name, value in values.items()):
        await row.update_from_dict(values).save(using_db=connection)
