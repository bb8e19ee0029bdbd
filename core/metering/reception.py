"""Leaves out what a meter dates after its telegram was received: its calendar is ahead.

In: a measurement, and when its telegram was received. Out: the measurement without snapshots of days to come.
The one rule: a counter's value of a day cannot be known before that day, so neither such a day nor the value
beside it is published. A day more is allowed, since a meter's days have no zone. What the meter's clock shows
(`meter_datetime`) remains: it is how one sees that the calendar is ahead.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from msgspec.structs import replace

from core.metering.measurement import MeasuredValue, Measurement

_ZONES = timedelta(days=1)
_SNAPSHOTS = ("target_", "last_year_")


def as_received(measurement: Measurement, received_at: datetime | None) -> Measurement:
    """The measurement as it can be true; unchanged where the time of reception is unknown."""
    if received_at is None:
        return measurement
    latest = date.max if received_at.date() == date.max else received_at.date() + _ZONES
    values = measurement.values
    ahead = [prefix for prefix in _SNAPSHOTS if _is_after(values, f"{prefix}date", latest)]
    history = tuple(entry for entry in measurement.history if entry.day <= latest)
    if not ahead and len(history) == len(measurement.history):
        return measurement
    kept = {name: value for name, value in values.items() if not name.startswith(tuple(ahead))}
    return replace(measurement, values=kept if ahead else values, history=history)


def _is_after(values: Mapping[str, MeasuredValue], name: str, latest: date) -> bool:
    day = values.get(name)
    if isinstance(day, datetime):
        return day.date() > latest
    return isinstance(day, date) and day > latest
