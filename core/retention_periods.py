"""How long consumption is kept: the one source of what is deleted and of what the privacy notice says.

In: the variables `SUBMETER_READING_MONTHS`, `DAILY_MONTHS`, `FINE_DATA_DAYS`, without their prefix. Out:
one frozen value, and the longest periods. The one rule: a setting only shortens. The longest periods are
those that the CNIL accepted for consumption data (closure of its case against EDF: finer than a day two
years, days three years, months three years and four more in an archive; CN-03). Whole months are deleted,
and nothing is older than its period at any moment: the present month counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

READING_YEARS: Final = 2
DAILY_YEARS: Final = 3
MONTHLY_YEARS: Final = 3
ARCHIVE_YEARS: Final = 4

MOST_READING_MONTHS: Final = 12 * READING_YEARS - 1
MOST_DAILY_MONTHS: Final = 12 * DAILY_YEARS - 1
"""Whole months beside the present one: on its last day the oldest day is two, or three, years old."""

MONTHLY_MONTHS: Final = 12 * MONTHLY_YEARS
ARCHIVE_MONTHS: Final = 12 * ARCHIVE_YEARS
"""A month's age is counted from its end."""

FEWEST_READING_MONTHS: Final = 13
"""What residents are shown of a series."""

FINE_DATA_DAYS: Final = 30
"""Long enough for a late telegram of the last day, and for a question about the index at the move."""


class RetentionSettingError(Exception):
    """A value that cannot be read; `name` is that of the variable, without the prefix."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


@dataclass(frozen=True, slots=True)
class RetentionPeriods:
    """The periods of an installation.

    Attributes: reading_months: how many whole months of readings, which show the hours, are kept beside the
    present one. daily_months: the same of daily volumes; not fewer than of readings, which they are made
    of. fine_data_days: how long after a move-out the readings within the days of the occupancy are kept
    (CN-06).
    """

    reading_months: int = MOST_READING_MONTHS
    daily_months: int = MOST_DAILY_MONTHS
    fine_data_days: int = FINE_DATA_DAYS

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "RetentionPeriods":
        """The periods that differ from the longest ones as these texts say.

        Raises:
            RetentionSettingError: a text cannot be read, or days would go before their readings.
        """
        readings = _number(given, "READING_MONTHS", MOST_READING_MONTHS, FEWEST_READING_MONTHS)
        days = _number(given, "DAILY_MONTHS", MOST_DAILY_MONTHS, FEWEST_READING_MONTHS)
        if days < readings:
            raise RetentionSettingError("DAILY_MONTHS", "must not be fewer than SUBMETER_READING_MONTHS")
        fine = _number(given, "FINE_DATA_DAYS", FINE_DATA_DAYS, 0)
        return cls(readings, days, fine)


def _number(given: Mapping[str, str], name: str, longest: int, at_least: int) -> int:
    text = (given.get(name) or "").strip()
    if not text:
        return longest
    if not (text.isascii() and text.isdecimal() and len(text) <= 6 and at_least <= int(text) <= longest):
        raise RetentionSettingError(name, f"must be a whole number from {at_least} to {longest}")
    return int(text)
