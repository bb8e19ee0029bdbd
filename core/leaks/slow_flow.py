"""A flow below level 1 that never stops, such as a toilet's: whether readings show it, day by day.

In: the readings of one meter, cleaned. Out: for each civil day whether its flow paused, and what flows at
least. The one rule is that of the classifier's bounds: over any window a constant flow cannot exceed (litres
+ one step of the register) / hours, whoever draws water; so one window under the least flow proves a pause,
and no assumption about nights is needed. A day that was not watched proves neither.

What can be shown depends on the register. Some pause of four hours is certain in ten days of any dwelling
without a leak, so a step of the register in that time is the least flow: 1 L/h at 1 L (where an hour is
enough), 2.5 L/h at 10 L, and more than level 1 at 100 L, which therefore shows nothing here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from math import inf
from zoneinfo import ZoneInfo

from core.consumption import day_of, day_start
from core.consumption.readings import Series
from core.consumption.register import IndexReading

HOUR_S = 3600

LEAST_LPH = Fraction(1)
"""A smaller flow is not hinted at: it is near the flow at which meters start to turn."""

CERTAIN_PAUSE_H = 4
"""In ten days every dwelling has a pause of this length: the median of the longest one of a day is 5.4 to 7.9
hours (docs/leaks.md)."""

HINT_DAYS = 10
"""Whole watched days without a pause before a hint."""

LOOK_BACK_DAYS = 14
"""The days among which those ten may lie: a few may be unwatched."""

LONGEST_STEP_S = 3 * HOUR_S
"""The time between readings farther apart is not watched."""

LONGEST_WINDOW_S = 24 * HOUR_S
WATCHED_S = 20 * HOUR_S
"""Of a civil day."""

_SPACING_S = HOUR_S - 600
"""Readings closer than this to the one before are skipped."""

_PULSE_SHARE = 0.85
"""The share of a step that the estimate adds to the litres of its window."""

_ESTIMATED_S = CERTAIN_PAUSE_H * HOUR_S
"""Shorter windows estimate no flow: a step of the register would be a large error."""


class DayFinding(StrEnum):
    """What a day shows."""

    FLOWING = "FLOWING"
    PAUSED = "PAUSED"
    UNWATCHED = "UNWATCHED"


@dataclass(frozen=True, slots=True)
class SlowDay:
    """A civil day; `flow_lph` is the least estimate of the windows that end in it, None without any."""

    day: date
    finding: DayFinding
    flow_lph: float | None


@dataclass(frozen=True, slots=True)
class SlowFlow:
    """A flow that has not paused since `started_on`, and its estimate over those days."""

    started_on: date
    flow_lph: float


def least_measurable_lph(step_litres: int) -> Fraction:
    """The least flow that readings of such a register can show to never pause."""
    return max(LEAST_LPH, Fraction(step_litres, CERTAIN_PAUSE_H))


def is_measurable(step_litres: int, level_1_lph: Fraction) -> bool:
    """Whether a register can show a flow below level 1 at all."""
    return least_measurable_lph(step_litres) < level_1_lph


def slow_days(
    series_list: Sequence[Series], *, step_litres: int, zone: ZoneInfo, first: date, last: date
) -> list[SlowDay]:
    """Each civil day from `first` to `last`.

    Args:
        series_list: of one water meter, in litres.
        step_litres: of its register.
        zone: whose civil days.
        first: the first day.
        last: a day that has ended.
    """
    least = least_measurable_lph(step_litres)
    flows: dict[date, float] = {}
    watched: dict[date, int] = {}
    paused: set[date] = set()
    for series in series_list:
        spaced = _spaced(series)
        for here in range(1, len(spaced)):
            _watch(spaced[here - 1], spaced[here], zone, watched)
            bound, estimate = _least_window(spaced, here, step_litres)
            day = day_of(spaced[here].at_s - 1, zone)
            if estimate < inf:
                flows[day] = min(estimate, flows.get(day, inf))
            if bound < least:
                paused.add(day)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [SlowDay(day, _finding(day, paused, watched), flows.get(day)) for day in days]


def slow_flow(days: Sequence[SlowDay], *, level_1_lph: Fraction) -> SlowFlow | None:
    """The flow that has not paused in ten watched days up to the last one; None if there is none.

    One that reaches level 1 is the classifier's.
    """
    run: list[SlowDay] = []
    for day in reversed(days):
        if day.finding is DayFinding.PAUSED:
            break
        if day.finding is DayFinding.FLOWING:
            run.append(day)
    if len(run) < HINT_DAYS or days[-1].finding is not DayFinding.FLOWING:
        return None
    flow = min((day.flow_lph for day in run if day.flow_lph is not None), default=inf)
    return SlowFlow(run[-1].day, flow) if flow < level_1_lph else None


def _finding(day: date, paused: set[date], watched: dict[date, int]) -> DayFinding:
    if day in paused:
        return DayFinding.PAUSED
    return DayFinding.FLOWING if watched.get(day, 0) >= WATCHED_S else DayFinding.UNWATCHED


def _least_window(series: Series, here: int, step: int) -> tuple[float, float]:
    """The least bound and the least estimate of the windows that end at a reading; infinite without any."""
    bound = estimate = inf
    end = series[here]
    for at in range(here - 1, -1, -1):
        seconds = end.at_s - series[at].at_s
        if seconds > LONGEST_WINDOW_S or series[at + 1].at_s - series[at].at_s > LONGEST_STEP_S:
            break
        litres = end.index - series[at].index
        bound = min(bound, (litres + step) * HOUR_S / seconds)
        if seconds >= _ESTIMATED_S:
            estimate = min(estimate, (litres + _PULSE_SHARE * step) * HOUR_S / seconds)
    return bound, estimate


def _watch(before: IndexReading, after: IndexReading, zone: ZoneInfo, watched: dict[date, int]) -> None:
    """Add the time between two readings to the days that it belongs to."""
    if after.at_s - before.at_s > LONGEST_STEP_S:
        return
    first, last = day_of(before.at_s, zone), day_of(after.at_s - 1, zone)
    midnight_s = day_start(last, zone) if last > first else before.at_s
    for day, seconds in ((first, midnight_s - before.at_s), (last, after.at_s - midnight_s)):
        watched[day] = watched.get(day, 0) + seconds


def _spaced(series: Series) -> Series:
    """About one reading an hour: the windows between more of them would be no longer."""
    kept: list[IndexReading] = []
    for reading in series:
        if not kept or reading.at_s - kept[-1].at_s >= _SPACING_S:
            kept.append(reading)
    return tuple(kept)
