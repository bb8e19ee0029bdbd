"""The product's leak rule, day by day: a plain reference that makes the episodes which tests need.

In: the minimum flows of one water meter's days, in any order. Out: its episodes, oldest first, with level,
loss and mean flow. The one rule: the answer is a function of the days alone. Opening, closing, reopening,
loss and mean are those of requirements R-091 to R-096 and conflicts C-23 to C-27.

An alert opens on complete days at level 1 or more, stays open below level 1, and closes on complete days in a
row with a quiet hour. "In a row" is by the calendar: a day without data breaks every such row, so missing
data neither opens nor closes anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from core.leaks.episodes.daily_flows import HOURS_IN_LEAK_DAY, DayFlow
from core.leaks.episodes.episode import (
    CloseReason,
    Episode,
    Figures,
    Segment,
    SegmentReason,
    figures_of,
)
from core.leaks.levels import DEFAULT_THRESHOLDS, Thresholds

_ONE_DAY = timedelta(days=1)

ZERO_DAYS_TO_CLOSE = 2
"""Complete days in a row with a quiet hour that prove a repair."""


def level_of(q_min_lph: Fraction, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> int:
    """The leak level of a minimum flow in L/h, compared exactly; 0 below the first border."""
    borders = (thresholds.level_1_lph, thresholds.level_2_lph, thresholds.level_3_lph)
    return sum(q_min_lph >= border for border in borders)


def is_over_range(q_min_lph: Fraction, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> bool:
    """Whether a minimum flow lies above the last interval the product describes."""
    return q_min_lph > thresholds.over_range_above_lph


def flow_of_daily_leak(day: date, litres: int) -> DayFlow:
    """The flow of a day of which only its leak volume is known: a meter's own count of continuous flow."""
    return DayFlow(day, Fraction(litres, HOURS_IN_LEAK_DAY), hours=0)


def episodes(
    days: Iterable[DayFlow],
    *,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    days_to_open: int = 1,
    today: date,
    replaced_on: date | None = None,
) -> list[Episode]:
    """The leak episodes of one meter, oldest first; at most the last is active.

    Args:
        days: of one meter; of two flows for one day the later in the sequence holds (a correction). The day
            in progress may be handed in with the flow known so far, and then counts.
        thresholds: the operator's, or the product's.
        days_to_open: complete days in a row at level 1 or more.
        today: days after it are not looked at; staleness is measured from it.
        replaced_on: the day the meter was taken out; that day and later ones are another meter's, and an
            open episode closes on it.
    """
    until = today if replaced_on is None else min(today, replaced_on - _ONE_DAY)
    known = {flow.day: flow.q_min_lph for flow in days if flow.day <= until}
    flows = {day: q_min for day, q_min in sorted(known.items()) if q_min is not None}
    collect = _Collector(thresholds, days_to_open)
    for day, q_min in flows.items():
        collect.take(day, q_min)
    if replaced_on is not None and replaced_on <= today:
        collect.close(replaced_on, CloseReason.METER_REPLACED)
    last_data = next(reversed(flows), None)
    stale = last_data is not None and (today - last_data).days > thresholds.stale_after_days
    return [_finished(draft, flows, today=today, stale=stale) for draft in collect.drafts]


def window_figures(
    days: Iterable[DayFlow], *, started_on: date, ended_on: date | None, today: date
) -> Figures:
    """Loss and mean flow of a window: from `started_on` to `ended_on` exclusive, or `today` inclusive."""
    flows = {flow.day: flow.q_min_lph for flow in days}
    return figures_of(
        [
            q_min
            for day, q_min in flows.items()
            if q_min is not None and started_on <= day < (ended_on or today + _ONE_DAY)
        ]
    )


@dataclass(slots=True)
class _Draft:
    """An episode in the making."""

    segments: list[Segment]
    q_min_at_opening_lph: Fraction
    level_now: int
    run_level: int  # the highest since the episode opened, or opened again
    over_range: bool
    close_reason: CloseReason | None = None

    def end_segment(self, day: date) -> None:
        self.segments[-1] = replace(self.segments[-1], ended_on=day)


class _Collector:
    """Takes the days with data in the order of time; keeps episodes, and the row that opens or closes."""

    def __init__(self, thresholds: Thresholds, days_to_open: int) -> None:
        self.thresholds = thresholds
        self.days_to_open = days_to_open
        self.drafts: list[_Draft] = []
        self._row: list[Fraction] = []  # of leaking days while nothing is open, of quiet days while it is
        self._last: date | None = None

    @property
    def _open(self) -> _Draft | None:
        return self.drafts[-1] if self.drafts and self.drafts[-1].close_reason is None else None

    def take(self, day: date, q_min: Fraction) -> None:
        if self._last is not None and day - self._last != _ONE_DAY:
            self._row.clear()
        self._last = day
        draft = self._open
        in_row = q_min == 0 if draft else level_of(q_min, self.thresholds) > 0
        if in_row:
            self._row.append(q_min)
        else:
            self._row.clear()
        if draft is None:
            if len(self._row) == self.days_to_open:
                self._begin(day - (len(self._row) - 1) * _ONE_DAY, min(self._row))
        elif len(self._row) == ZERO_DAYS_TO_CLOSE:
            self.close(day - (len(self._row) - 1) * _ONE_DAY, CloseReason.NO_FLOW)
        else:
            self._go_on(draft, day, q_min)

    def close(self, day: date, reason: CloseReason) -> None:
        """Ends the open episode, if there is one; `day` no longer belongs to it."""
        if (draft := self._open) is not None:
            draft.end_segment(day)
            draft.close_reason = reason
        self._row.clear()

    def _begin(self, day: date, q_min: Fraction) -> None:
        """Opens an episode, or the last one again when it closed a few days ago."""
        level = level_of(q_min, self.thresholds)
        over_range = any(is_over_range(q, self.thresholds) for q in self._row)
        self._row.clear()
        last = self.drafts[-1] if self.drafts else None
        closed_on = last.segments[-1].ended_on if last else None
        if last and closed_on and (day - closed_on).days <= self.thresholds.reopen_within_days:
            last.segments.append(Segment(day, None, level, SegmentReason.REOPENED))
            last.close_reason = None
            last.level_now = last.run_level = level
            last.over_range = last.over_range or over_range
        else:
            opening = Segment(day, None, level, SegmentReason.OPENED)
            self.drafts.append(_Draft([opening], q_min, level, level, over_range))

    def _go_on(self, draft: _Draft, day: date, q_min: Fraction) -> None:
        level = level_of(q_min, self.thresholds)
        draft.level_now = max(level, 1)
        draft.over_range = draft.over_range or is_over_range(q_min, self.thresholds)
        if level > draft.run_level:
            draft.run_level = level
            draft.end_segment(day)
            draft.segments.append(Segment(day, None, level, SegmentReason.LEVEL_UP))


def _finished(draft: _Draft, flows: dict[date, Fraction], *, today: date, stale: bool) -> Episode:
    segments = tuple(draft.segments)
    counted: list[Fraction] = []
    for segment in segments:
        day, end = segment.started_on, segment.ended_on or today + _ONE_DAY
        while day < end:
            if day in flows:
                counted.append(flows[day])
            day += _ONE_DAY
    figures = figures_of(counted)
    return Episode(
        started_on=segments[0].started_on,
        ended_on=segments[-1].ended_on,
        level_at_opening=segments[0].level,
        level_now=draft.level_now,
        level_max=max(segment.level for segment in segments),
        over_range=draft.over_range,
        q_min_at_opening_lph=draft.q_min_at_opening_lph,
        loss_litres=figures.loss_litres,
        counted_days=figures.counted_days,
        mean_flow_lph=figures.mean_flow_lph,
        stale=stale and draft.close_reason is None,
        segments=segments,
        close_reason=draft.close_reason,
    )
