"""Folds the minimum flows of a meter's days into leak episodes.

In: the days of one water meter, in any order. Out: its episodes, oldest first, with level, loss and mean
flow. The one rule: the answer is a function of the days alone, so it is recomputed whole whenever a day
arrives or is corrected, and what changed is found by comparing (`core.leaks.episodes.events`). Opening,
closing, reopening, loss and mean are those of the product's leak rule: requirements R-091 to R-096, conflicts
C-23 to C-27.

An alert opens on complete days at level 1 or more, stays open below level 1, and closes on complete days in a
row with a quiet hour. "In a row" is by the calendar: a day without data breaks every such row, so missing
data neither opens nor closes anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from core.leaks.episodes.daily_flows import HOURS_IN_LEAK_DAY, DayFlow
from core.leaks.levels import DEFAULT_THRESHOLDS, NO_LEVEL, Thresholds, is_over_range, level_of

_ONE_DAY = timedelta(days=1)


class SegmentReason(StrEnum):
    """Why a segment of an episode began."""

    OPENED = "OPENED"
    LEVEL_UP = "LEVEL_UP"
    REOPENED = "REOPENED"


class CloseReason(StrEnum):
    """Why an episode ended."""

    NO_FLOW = "NO_FLOW"
    METER_REPLACED = "METER_REPLACED"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of an episode; `ended_on` is exclusive and None while it runs, `level` is its first day's."""

    started_on: date
    ended_on: date | None
    level: int
    reason: SegmentReason


@dataclass(frozen=True, slots=True)
class Figures:
    """What a window of days lost. A day without data counts in none of the three.

    `loss_litres` is 24 h x the minimum flow, summed; an int when whole, None when no day counted (unknown is
    not 0, C-25). `mean_flow_lph` is the loss over 24 h x `counted_days`.
    """

    loss_litres: int | Decimal | None
    counted_days: int
    mean_flow_lph: Fraction | None


@dataclass(frozen=True, slots=True)
class Episode:
    """One leak of one meter. Its identity is the meter and `started_on` (C-23).

    Levels follow the minimum flow (R-092), the mean is what a screen shows (R-093); the mean may lie below
    level 1, since the alert stays open there and those days count (C-27). While the flow is below level 1
    `level_now` stays 1. `over_range` says that some day exceeded the last interval. `ended_on` is the first
    day that no longer belongs to the leak; None while it is active. `stale`: active, and blind for days.
    """

    started_on: date
    ended_on: date | None
    level_at_opening: int
    level_now: int
    level_max: int
    over_range: bool
    q_min_at_opening_lph: Fraction
    loss_litres: int | Decimal | None
    counted_days: int
    mean_flow_lph: Fraction | None
    stale: bool
    segments: tuple[Segment, ...]
    close_reason: CloseReason | None

    @property
    def active(self) -> bool:
        return self.ended_on is None


def episodes(
    days: Iterable[DayFlow],
    *,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    today: date,
    replaced_on: date | None = None,
) -> list[Episode]:
    """The leak episodes of one meter, oldest first; at most the last is active.

    Args:
        days: of one meter; of two flows for one day the later in the sequence holds (a correction). The day
            in progress may be handed in with the flow known so far, and then counts.
        thresholds: the operator's, or the product's.
        today: days after it are not looked at; staleness is measured from it.
        replaced_on: the day the meter was taken out; that day and later ones are another meter's, and an
            open episode closes on it.
    """
    until = today if replaced_on is None else min(today, replaced_on - _ONE_DAY)
    known = {flow.day: flow.q_min_lph for flow in days if flow.day <= until}
    flows = {day: q_min for day, q_min in sorted(known.items()) if q_min is not None}
    collect = _Collector(thresholds)
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

    def __init__(self, thresholds: Thresholds) -> None:
        self.thresholds = thresholds
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
        in_row = q_min == 0 if draft else level_of(q_min, self.thresholds) > NO_LEVEL
        if in_row:
            self._row.append(q_min)
        else:
            self._row.clear()
        if draft is None:
            if len(self._row) == self.thresholds.days_to_open:
                self._begin(day - (len(self._row) - 1) * _ONE_DAY, min(self._row))
        elif len(self._row) == self.thresholds.zero_days_to_close:
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


def figures_of(q_mins: list[Fraction]) -> Figures:
    """Loss and mean flow of days with these minimum flows, L/h."""
    if not q_mins:
        return Figures(None, 0, None)
    total = sum(q_mins, Fraction(0))
    loss = total * HOURS_IN_LEAK_DAY
    whole = loss.denominator == 1
    return Figures(
        loss_litres=loss.numerator if whole else Decimal(loss.numerator) / loss.denominator,
        counted_days=len(q_mins),
        mean_flow_lph=total / len(q_mins),
    )
