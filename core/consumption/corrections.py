"""Corrections: days whose amount was shown, and is another one now.

In: the days of a meter as they were stored and as they are. Out: what changed. The one rule: what readings
add at the end of a series is no correction. The day in progress grows, and a day of which nothing was known,
and that lies after all that was, has its first amount; every other change is one, and is explained.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.consumption.volumes import DayVolume


class CorrectionReason(StrEnum):
    """Why a day's amount changed after it could be seen."""

    LATE_READING = "LATE_READING"
    """A reading was received after a later one."""
    DOUBTFUL_READING = "DOUBTFUL_READING"
    """Readings that were received since contradict one that counted."""
    WITHDRAWN_READING = "WITHDRAWN_READING"
    """The operator withdrew a reading."""
    ACCEPTED_READING = "ACCEPTED_READING"
    """The operator accepted a reading that had not counted."""
    METER_REPLACED = "METER_REPLACED"
    """The days on which the meter was installed or removed were corrected."""
    CLOCK_ERROR = "CLOCK_ERROR"
    """Readings were dated by a clock that was ahead."""
    RECOMPUTED = "RECOMPUTED"
    """The operator had the volumes computed anew."""


@dataclass(frozen=True, slots=True)
class DayCorrection:
    """A day with its amount before and after; None where nothing was, or is, known of it."""

    day: date
    before: int | None
    after: int | None


def corrections_of(
    stored: Iterable[DayVolume], now: Iterable[DayVolume], *, last_known: date | None
) -> list[DayCorrection]:
    """What changed between two states of the same days of a meter.

    Args:
        stored: the days as they were.
        now: the days as they are.
        last_known: the last of all days of the meter that had an amount; None if none had.
    """
    before = {day.day: day.amount for day in stored}
    after = {day.day: day.amount for day in now}
    return [
        DayCorrection(day, before.get(day), after.get(day))
        for day in sorted(before.keys() | after.keys())
        if before.get(day) != after.get(day)
        and (day in before or (last_known is not None and day < last_known))
    ]
