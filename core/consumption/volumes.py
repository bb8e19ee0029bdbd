"""Turns clean series into volumes: per UTC hour for the leak rule, per civil day for people.

In: the series of one meter from `readings.clean`. Out: hours and days in the order of time, amounts as
integers in the smallest unit. The one rule: an amount is the difference of two indexes of one series, the
index at an edge being interpolated once and used on both sides of it; so the days of a series add up to its
last index minus its first, and nothing is lost or counted twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from core.consumption.periods import day_of, day_start
from core.consumption.readings import Series
from core.consumption.register import IndexReading

HOUR_S = 3600

MAX_HOURLY_GAP_S = 2 * HOUR_S
"""Readings farther apart do not resolve the single hours between them: a quiet hour would be invisible."""

MAX_DAILY_GAP_S = 36 * HOUR_S
"""A meter read once a day, half a day late, still counts as measured; past that, the split is an estimate."""

_ONE_DAY = timedelta(days=1)


class Quality(StrEnum):
    """How far an amount can be trusted, best first. Volumes are stored as MEASURED, ESTIMATED or PARTIAL."""

    MEASURED = "MEASURED"
    CORRECTED = "CORRECTED"
    """Measured, and another amount was shown before (`core.consumption.corrections`)."""
    ESTIMATED = "ESTIMATED"
    """Part of a gap whose total is a fact and whose split into days is not."""
    PARTIAL = "PARTIAL"
    """The readings do not reach both ends: the true amount is this or more."""
    MISSING = "MISSING"
    """No reading says anything of it: there is no amount, which is not 0."""


_RANK = {quality: rank for rank, quality in enumerate(Quality)}


class HourVolume(NamedTuple):
    """The amount of the UTC hour that begins at `start_s` (epoch seconds, a multiple of 3600)."""

    start_s: int
    amount: int


@dataclass(frozen=True, slots=True)
class DayVolume:
    """The amount of one civil day, in the smallest unit of the register."""

    day: date
    amount: int
    quality: Quality


def worst(qualities: Iterable[Quality]) -> Quality:
    """The quality of a sum: that of its least trustworthy part; MEASURED of nothing."""
    return max(qualities, key=_RANK.__getitem__, default=Quality.MEASURED)


def hourly_volumes(series_list: Iterable[Series]) -> list[HourVolume]:
    """The UTC hours that one series covers from edge to edge with readings at most two hours apart."""
    return [hour for series in series_list for hour in _hours_of(series)]


def daily_volumes(series_list: Iterable[Series], *, zone: ZoneInfo) -> list[DayVolume]:
    """The civil days of `zone` that the series touch, each once, in the order of time.

    A day's amount is the index at its end (or the last reading) minus the index at its start (or the first
    reading). A day that two series touch adds both and is PARTIAL. A series of one reading measures nothing
    and gives no day: no data is not 0.
    """
    by_day: dict[date, DayVolume] = {}
    for series in series_list:
        for volume in _days_of(series, zone):
            known = by_day.get(volume.day)
            if known is not None:
                quality = worst((known.quality, volume.quality))
                volume = DayVolume(volume.day, known.amount + volume.amount, quality)  # noqa: PLW2901 the sum takes the part's place
            by_day[volume.day] = volume
    return [by_day[day] for day in sorted(by_day)]


def between(before: IndexReading, after: IndexReading, at_s: int) -> int:
    """The index at a moment between two readings, rounded down."""
    return before.index + (after.index - before.index) * (at_s - before.at_s) // (after.at_s - before.at_s)


def _hours_of(series: Series) -> Iterator[HourVolume]:
    edge: HourVolume | None = None  # the last full hour reached without a gap, and the index there
    for before, after in pairwise(series):
        if after.at_s - before.at_s > MAX_HOURLY_GAP_S:
            edge = None
            continue
        if edge is None and before.at_s % HOUR_S == 0:
            edge = HourVolume(before.at_s, before.index)
        for at_s in range(before.at_s - before.at_s % HOUR_S + HOUR_S, after.at_s + 1, HOUR_S):
            index = between(before, after, at_s)
            if edge is not None:
                yield HourVolume(edge.start_s, index - edge.amount)
            edge = HourVolume(at_s, index)


def _days_of(series: Sequence[IndexReading], zone: ZoneInfo) -> Iterator[DayVolume]:
    """One pass over readings and days together: `here` is the reading that the day's first gap starts at."""
    if len(series) < 2:
        return
    first, last = series[0], series[-1]
    here, index = 0, first.index
    day = day_of(first.at_s, zone)
    start_s = day_start(day, zone)
    while start_s < last.at_s:
        end_s = day_start(day + _ONE_DAY, zone)
        long_gap = False
        while here < len(series) - 1 and series[here].at_s < end_s:
            long_gap = long_gap or series[here + 1].at_s - series[here].at_s > MAX_DAILY_GAP_S
            if series[here + 1].at_s > end_s:
                break
            here += 1
        covered = first.at_s <= start_s and end_s <= last.at_s
        end_index = last.index if end_s >= last.at_s else between(series[here], series[here + 1], end_s)
        inside = Quality.ESTIMATED if long_gap else Quality.MEASURED
        yield DayVolume(day, end_index - index, inside if covered else Quality.PARTIAL)
        day, start_s, index = day + _ONE_DAY, end_s, end_index
