"""Index readings in; volumes per hour, day and month out, and the figures of a dashboard.

Amounts are integers in the smallest unit of the register (litres, watt-hours, allocator units), instants are
UTC epoch seconds, days are civil days of the dwelling's time zone.
"""

from core.consumption.dashboard import DayTotal, Indicators, MonthVolume, indicators, monthly
from core.consumption.periods import Month, day_of, day_start
from core.consumption.readings import Series, clean
from core.consumption.register import IndexReading, Register, highest_per_hour
from core.consumption.volumes import (
    DayVolume,
    HourVolume,
    Quality,
    daily_volumes,
    hourly_volumes,
    worst,
)

__all__ = [
    "DayTotal",
    "DayVolume",
    "HourVolume",
    "IndexReading",
    "Indicators",
    "Month",
    "MonthVolume",
    "Quality",
    "Register",
    "Series",
    "clean",
    "daily_volumes",
    "day_of",
    "day_start",
    "highest_per_hour",
    "hourly_volumes",
    "indicators",
    "monthly",
    "worst",
]
