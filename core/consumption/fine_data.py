"""Which readings of a meter tell more than its days: what goes when fine data are purged (CN-06).

In: the readings of a meter in the order of time, and its zone. Out: the moments of those to delete. The one
rule: of each civil day the first, the last and the highest reading remain. A day's volume is the difference
of the indexes at its two edges, each between the last reading before and the first after it, and a meter
that ran back is taken from its highest; so the days computed from what remains are the same.
"""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from core.consumption.periods import day_of, day_start
from core.consumption.register import IndexReading


def fine_readings(readings: Iterable[IndexReading], zone: ZoneInfo) -> list[int]:
    """The moments of the readings that are neither first, last nor highest of their day."""
    gone: list[int] = []
    day: list[IndexReading] = []
    ends_s = 0
    for reading in readings:
        if reading.at_s >= ends_s:
            gone += _between(day)
            day = []
            ends_s = _end_of_day(reading.at_s, zone)
        day.append(reading)
    return gone + _between(day)


def _end_of_day(at_s: int, zone: ZoneInfo) -> int:
    tomorrow = day_of(at_s, zone).toordinal() + 1
    return day_start(day_of(at_s, zone).fromordinal(tomorrow), zone)


def _between(day: list[IndexReading]) -> list[int]:
    if len(day) <= 2:
        return []
    highest = max(day, key=lambda reading: reading.index)
    return [one.at_s for one in day[1:-1] if one is not highest]
