"""Calendar arithmetic: a month as a value, and the edges of a civil day as instants.

Days and zones in, months and UTC epoch seconds out. The one rule: a civil day runs from its midnight to the
next midnight of the zone, so a day may last 23 or 25 hours; nothing here ever adds 86,400 seconds.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Self
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """One calendar month; months compare in the order of time.

    Raises:
        ValueError: if `month` is not 1 to 12.
    """

    year: int
    month: int

    def __post_init__(self) -> None:
        if not 1 <= self.month <= 12:
            raise ValueError(f"a month is 1 to 12, not {self.month}")

    @classmethod
    def of(cls, day: date) -> Self:
        """The month that `day` lies in."""
        return cls(day.year, day.month)

    @property
    def number(self) -> int:
        """Months since the year 0: neighbours differ by one."""
        return self.year * 12 + self.month - 1

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        return date(self.year, self.month, self.length_days)

    @property
    def length_days(self) -> int:
        """28 to 31."""
        return _length_days(self.year, self.month)

    def plus(self, months: int) -> "Month":
        """The month that many months later; earlier when negative."""
        years, zero_based = divmod(self.number + months, 12)
        return Month(years, zero_based + 1)

    def next(self) -> "Month":
        return self.plus(1)

    def previous(self) -> "Month":
        return self.plus(-1)

    def __str__(self) -> str:
        """ISO 8601: `2022-03`."""
        return f"{self.year:04d}-{self.month:02d}"


@lru_cache(maxsize=1_024)
def _length_days(year: int, month: int) -> int:
    return monthrange(year, month)[1]


@lru_cache(maxsize=8_192)
def day_start(day: date, zone: ZoneInfo) -> int:
    """The instant at which `day` begins in `zone`, in UTC epoch seconds.

    Where a change of clock skips midnight, the day begins at the change; where midnight comes twice, at the
    first of the two.
    """
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def day_of(at_s: int, zone: ZoneInfo) -> date:
    """The civil day of `zone` in which the instant `at_s` (UTC epoch seconds) lies."""
    return datetime.fromtimestamp(at_s, zone).date()


def civil_day(moment: datetime, time_zone: str) -> date:
    """The civil day that a moment lies in, in a zone by its IANA name."""
    return moment.astimezone(ZoneInfo(time_zone)).date()
