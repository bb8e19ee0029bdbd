"""Profiles of water and heat use: whole litres or watt-hours in each hour of a civil day.

In: a habit and a day. Out: one integer for each UTC hour of that day. The one rule: a day depends on the
habit's seed and its date only, so any window of days can be computed by itself, in any order.
From 01:00 to 05:00 local time no water is drawn: a dwelling without a leak has hours of zero flow every day.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

HOUR_S = 3600

# Share of a day's water by local hour: nothing in the night, peaks at breakfast and in the evening.
_WORKDAY = (
    0.6,
    0,
    0,
    0,
    0,
    1.2,
    5.5,
    11,
    9,
    4.5,
    3,
    2.8,
    4.2,
    3.6,
    2.2,
    2,
    2.6,
    4.4,
    7.5,
    10,
    9,
    6.5,
    4,
    1.8,
)
_WEEKEND = (1.2, 0, 0, 0, 0, 0.4, 1.2, 3, 6.5, 9.5, 10, 8.5, 7.5, 5, 3.8, 3.4, 3.6, 4.5, 6.5, 8, 7, 5, 3.5, 2)
_MEAN_LITRES = 100.0  # about a person's day, cold and hot; a weekend day has a tenth more
_HEATING_LIMIT_C = 16.0
_NIGHT_SETBACK = 0.7


class Habit(Protocol):
    """What a register needs to know of the consumption behind a meter."""

    @property
    def mean_per_day(self) -> int:
        """A usual day's amount; it draws the straight line from installation to the first known day."""

    def hours(self, day: date, local_hours: Sequence[int]) -> list[int]:
        """The amount in each hour of `day`, whose hours on the clock are `local_hours` (23, 24 or 25)."""


@dataclass(frozen=True, slots=True)
class WaterHabit:
    """Litres of one water meter: `share` is the part of each person's hundred litres that it counts."""

    seed: str
    persons: int
    share: float
    home: str  # the dwelling: its cold and hot water stop in the same holidays

    @property
    def mean_per_day(self) -> int:
        """A usual day's litres."""
        return round(self.persons * _MEAN_LITRES * self.share)

    def hours(self, day: date, local_hours: Sequence[int]) -> list[int]:
        """Litres in each hour of `day`; none in the holidays, and none from 01:00 to 05:00."""
        if on_holiday(self.home, day):
            return [0] * len(local_hours)
        chance = random.Random(f"{self.seed}/{day.toordinal()}")
        weekend = day.weekday() >= 5
        shape = _WEEKEND if weekend else _WORKDAY
        litres = self.mean_per_day * (1.1 if weekend else 1.0) * chance.uniform(0.75, 1.25) / 100.0
        return [
            int(litres * shape[hour] * chance.uniform(0.3, 1.7) + chance.random()) if shape[hour] else 0
            for hour in local_hours
        ]


@dataclass(frozen=True, slots=True)
class HeatHabit:
    """Watt-hours of one heat meter: `watts_per_kelvin` is the dwelling's loss to the outside."""

    seed: str
    watts_per_kelvin: int

    @property
    def mean_per_day(self) -> int:
        """A usual day's watt-hours over a year: some 2,000 degree days."""
        return self.watts_per_kelvin * 24 * 2000 // 365

    def hours(self, day: date, local_hours: Sequence[int]) -> list[int]:
        """Watt-hours in each hour of `day`: by the weather in the heating season, none in summer."""
        cold = _HEATING_LIMIT_C - outside_c(day)
        if cold <= 0 or 5 <= day.month <= 9:
            return [0] * len(local_hours)
        chance = random.Random(f"{self.seed}/{day.toordinal()}")
        watts = self.watts_per_kelvin * cold
        return [
            int(watts * (1.08 if 6 <= hour <= 22 else _NIGHT_SETBACK) * chance.uniform(0.9, 1.1))
            for hour in local_hours
        ]


@lru_cache(maxsize=4096)
def outside_c(day: date) -> float:
    """The day's mean outside temperature: 4 C in late January, 20 C in late July, plus the weather."""
    season = 12.0 - 8.0 * math.cos(2 * math.pi * (day.timetuple().tm_yday - 25) / 365.25)
    return season + random.Random(f"weather/{day.toordinal()}").uniform(-3.0, 3.0)


@lru_cache(maxsize=1024)
def _holidays(home: str, year: int) -> tuple[date, date]:
    chance = random.Random(f"{home}/holidays/{year}")
    first = date(year, 7, 8) + timedelta(days=chance.randrange(36))
    return first, first + timedelta(days=chance.randint(7, 14))


def on_holiday(home: str, day: date) -> bool:
    """Whether the people of `home` are away: one or two weeks each July or August."""
    if day.month not in {7, 8}:
        return False
    first, end = _holidays(home, day.year)
    return first <= day < end


@lru_cache(maxsize=4096)
def day_start_s(day: date, zone: ZoneInfo) -> int:
    """The epoch second of local midnight."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


@lru_cache(maxsize=4096)
def clock_hours(day: date, zone: ZoneInfo) -> tuple[int, ...]:
    """The local hours of a civil day in the order they pass: 24, or 23 and 25 when the clock is changed."""
    start, end = day_start_s(day, zone), day_start_s(day + timedelta(days=1), zone)
    return tuple(datetime.fromtimestamp(second, zone).hour for second in range(start, end, HOUR_S))


def cold_water(home: str, persons: int) -> WaterHabit:
    """Seventy of each person's hundred litres come cold."""
    return WaterHabit(seed=f"{home}/cold", persons=persons, share=0.70, home=home)


def hot_water(home: str, persons: int) -> WaterHabit:
    """Thirty of each person's hundred litres come hot."""
    return WaterHabit(seed=f"{home}/hot", persons=persons, share=0.30, home=home)


def heating(home: str, surface_m2: int) -> HeatHabit:
    """A dwelling loses some 1.6 W for each square metre and kelvin."""
    return HeatHabit(seed=f"{home}/heat", watts_per_kelvin=surface_m2 * 8 // 5)
