"""Sums the meters of one fluid, day by day: what a dashboard tab counts (R-071).

In: the daily volumes of each meter with the days it was in service. Out: one total per day that has data.
The one rule: a total that lacks a meter which was in service that day is marked PARTIAL, never presented as
the whole.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from core.consumption.dashboard import DayTotal
from core.consumption.volumes import DayVolume, Quality, worst


@dataclass(frozen=True, slots=True)
class MeterDays:
    """The daily volumes of one meter; in service from `installed_on` to `removed_on`, both included."""

    installed_on: date
    removed_on: date | None
    days: Sequence[DayVolume]

    def in_service(self, day: date) -> bool:
        return self.installed_on <= day and (self.removed_on is None or day <= self.removed_on)


def total_by_day(meters: Iterable[MeterDays]) -> list[DayTotal]:
    """The sum of the meters for each day on which at least one has data, in the order of time."""
    meters = list(meters)
    by_day: dict[date, list[DayVolume]] = {}
    for meter in meters:
        for volume in meter.days:
            by_day.setdefault(volume.day, []).append(volume)
    return [_total(day, by_day[day], meters) for day in sorted(by_day)]


def _total(day: date, volumes: Sequence[DayVolume], meters: Sequence[MeterDays]) -> DayTotal:
    expected = sum(meter.in_service(day) for meter in meters)
    quality = worst(volume.quality for volume in volumes)
    if len(volumes) < expected:
        quality = Quality.PARTIAL
    return DayTotal(day, sum(volume.amount for volume in volumes), quality)
