"""The feature the leak rule uses: the minimum hourly flow of each complete civil day.

In: hourly volumes of one water meter, in litres. Out: one `DayFlow` per civil day that is wholly past. The
one rule: a day with fewer than 20 valid hours has no minimum (None), since an unobserved hour may have been
the quiet one; None is neither a leak nor the end of one. Requirements R-092, R-093.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from core.consumption.periods import day_of, day_start
from core.consumption.volumes import HOUR_S, HourVolume

MIN_VALID_HOURS = 20
"""Of the 23, 24 or 25 hours of a civil day."""

HOURS_IN_LEAK_DAY = 24
"""A day's loss is 24 x its minimum flow by definition, also on the days that last 23 or 25 hours."""

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayFlow:
    """The minimum flow of one civil day in L/h, None without enough data, and how many hours were valid."""

    day: date
    q_min_lph: Fraction | None
    hours: int


def day_flows(hours: Sequence[HourVolume], *, zone: ZoneInfo, complete_until_s: int) -> list[DayFlow]:
    """Every civil day from the first hour's to the last complete one, those without data included.

    Args:
        hours: of one meter, in litres, each hour once, in the order of time.
        zone: whose civil days are judged; an hour that a midnight cuts belongs to neither day.
        complete_until_s: the instant of the meter's last reading; a day that ends after it is not judged yet.
    """
    flows: list[DayFlow] = []
    if not hours:
        return flows
    here = 0
    day = day_of(hours[0].start_s, zone)
    start_s, end_s = day_start(day, zone), day_start(day + _ONE_DAY, zone)
    while end_s <= complete_until_s:
        amounts: list[int] = []
        while here < len(hours) and hours[here].start_s < end_s:
            if start_s <= hours[here].start_s and hours[here].start_s + HOUR_S <= end_s:
                amounts.append(hours[here].amount)
            here += 1
        q_min = Fraction(min(amounts)) if len(amounts) >= MIN_VALID_HOURS else None
        flows.append(DayFlow(day, q_min, len(amounts)))
        day += _ONE_DAY
        start_s, end_s = end_s, day_start(day + _ONE_DAY, zone)
    return flows
