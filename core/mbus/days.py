"""Which days a meter can mean.

In: a day or moment that a record gives. Out: whether it can be meant. The one rule: what a telegram says has
been, has been by the meter's own clock. Clocks that were never set start with 2000-01-01, and radio of this
standard is younger than 2000 (EN 13757-4:2005). A two-digit year is of 2000 to 2080 (EN 13757-3 annex A, type
F); the later ones are of the last century.
"""

from datetime import date, datetime
from typing import Final

NEVER_SET: Final = date(2000, 1, 1)
UNSET_YEAR: Final = NEVER_SET.year
_LAST_YEAR: Final = 2080


def day_of(moment: date) -> date:
    """The day of a day or of a moment."""
    return moment.date() if isinstance(moment, datetime) else moment


def clock_day(moment: object) -> date | None:
    """The day that a meter's clock shows; None when it shows none, or was never set."""
    if not isinstance(moment, date) or not UNSET_YEAR < moment.year <= _LAST_YEAR:
        return None
    return day_of(moment)


def has_been(moment: date, today: date | None) -> bool:
    """True unless this is after the day that the meter's clock shows, or beyond all days."""
    return moment.year <= _LAST_YEAR and (today is None or day_of(moment) <= today)
