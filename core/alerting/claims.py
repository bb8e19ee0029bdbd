"""The month in which a plumber's attestation is due after a leak (WAR-03).

In: the day of the notice. Out: the last day. The one rule: a month is the calendar's, and where the next one
has no such day, its last day counts (regulation (EEC, Euratom) 1182/71, article 3.2 c).
"""

from calendar import monthrange
from datetime import date


def attestation_due(notice: date) -> date:
    """The same day of the next month: 31 January gives 28 or 29 February."""
    year, month = (notice.year + 1, 1) if notice.month == 12 else (notice.year, notice.month + 1)
    return date(year, month, min(notice.day, monthrange(year, month)[1]))
