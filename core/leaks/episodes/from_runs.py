"""Turns the runs of a meter into the episodes that residents see, day by day.

In: runs to the second, and what the meter counted on each day. Out: episodes in civil days, with the losses
that the product's screen shows. The one rule: the classifier decides when a leak begins, grows and ends; what
it lost is 24 h x the day's minimum flow (R-093, C-27), and where a day has no such minimum, what the
classifier estimated for it. A run that begins within seven days of the end of one before is the same episode,
in a new segment (C-24).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from core.consumption.periods import day_of, day_start
from core.leaks.classifier.register import HOUR_S
from core.leaks.classifier.runs import LeakRun
from core.leaks.classifier.tracker import Change, Transition
from core.leaks.episodes.daily_flows import HOURS_IN_LEAK_DAY, DayFlow
from core.leaks.episodes.episode import CloseReason, Episode, Segment, SegmentReason, figures_of
from core.leaks.levels import DEFAULT_THRESHOLDS, Thresholds

_ONE_DAY = timedelta(days=1)
_CENTILITRES = 100


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why an alert has its level: the rule, and the figures it used. Flows in L/h."""

    at_s: int
    rule: str
    level: int
    flow_lph: float
    bound_lph: float | None
    observed_h: float
    intervals: int


@dataclass(frozen=True, slots=True)
class Judged:
    """An episode, when it was first detected, and the evidence at its opening and at its last change."""

    episode: Episode
    detected_s: int
    opening: Evidence
    latest: Evidence


def judged_episodes(
    runs: Sequence[LeakRun],
    days: Iterable[DayFlow],
    *,
    zone: ZoneInfo,
    last_reading_s: int,
    today: date,
    replaced_on: date | None = None,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> list[Judged]:
    """The episodes of one meter, oldest first.

    Args:
        runs: of that meter, oldest first.
        days: the minimum flow of its complete days.
        zone: whose civil days count.
        last_reading_s: when the meter was last received.
        today: staleness is measured from it.
        replaced_on: the day the meter was removed; an open episode ends on it.
        thresholds: the operator's, or the product's.
    """
    known = {flow.day: flow.q_min_lph for flow in days if flow.q_min_lph is not None}
    stale = (today - day_of(last_reading_s, zone)).days > thresholds.stale_after_days
    groups: list[list[LeakRun]] = []
    for run in runs:
        ended_s = groups[-1][-1].until_s if groups else None
        again = ended_s is not None and run.since_s - ended_s <= thresholds.reopen_within_days * 24 * HOUR_S
        if again:
            groups[-1].append(run)
        else:
            groups.append([run])
    return [_judged(group, known, zone, last_reading_s, replaced_on, stale=stale) for group in groups]


def _judged(
    group: Sequence[LeakRun],
    known: Mapping[date, Fraction],
    zone: ZoneInfo,
    last_reading_s: int,
    replaced_on: date | None,
    *,
    stale: bool,
) -> Judged:
    segments: list[Segment] = []
    flows: dict[date, Fraction] = {}
    for run in group:
        reason = SegmentReason.REOPENED if segments else SegmentReason.OPENED
        segments += _segments(run, reason, zone, replaced_on)
        flows |= _flows(run, known, zone, last_reading_s, segments[-1].ended_on)
    first, last = group[0], group[-1]
    ended_on = segments[-1].ended_on
    figures = figures_of(list(flows.values()))
    changes = [change for run in group for change in run.changes]
    opening = changes[0]
    reported = [change for change in changes if change.change not in {Change.CLOSED, Change.REPLACED}]
    ended_with_meter = last.replaced or (last.until_s is None and ended_on is not None)
    reason_closed = CloseReason.METER_REPLACED if ended_with_meter else CloseReason.NO_FLOW
    complete = [flows[day] for day in sorted(flows) if day in known and flows[day] == known[day]]
    episode = Episode(
        started_on=segments[0].started_on,
        ended_on=ended_on,
        level_at_opening=first.level_at_opening,
        level_now=last.level,
        level_max=max(run.level_max for run in group),
        over_range=any(run.over_range for run in group),
        q_min_at_opening_lph=complete[0] if complete else _exact(opening.flow_lph),
        loss_litres=figures.loss_litres,
        counted_days=figures.counted_days,
        mean_flow_lph=figures.mean_flow_lph,
        stale=stale and ended_on is None,
        segments=tuple(segments),
        close_reason=None if ended_on is None else reason_closed,
    )
    return Judged(episode, int(opening.at_s), _evidence(opening), _evidence(reported[-1]))


def _segments(run: LeakRun, reason: SegmentReason, zone: ZoneInfo, replaced_on: date | None) -> list[Segment]:
    """The stretches of one run by level; each level is reached once."""
    starts = [(day_of(int(run.since_s), zone), run.level_at_opening, reason)]
    for change in run.changes:
        if change.change is Change.LEVEL_UP and change.level > max(level for _, level, _ in starts):
            day = max(day_of(int(change.from_s), zone), starts[-1][0])
            starts.append((day, change.level, SegmentReason.LEVEL_UP))
    ended_on = None if run.until_s is None else day_of(int(run.until_s), zone)
    if replaced_on is not None and (ended_on is None or ended_on > replaced_on):
        ended_on = replaced_on
    if ended_on is not None:
        ended_on = max(ended_on, starts[-1][0])
    ends = [*(day for day, _, _ in starts[1:]), ended_on]
    return [Segment(day, end, level, why) for (day, level, why), end in zip(starts, ends, strict=True)]


def _flows(
    run: LeakRun, known: Mapping[date, Fraction], zone: ZoneInfo, last_reading_s: int, ended_on: date | None
) -> dict[date, Fraction]:
    """The flow of each day that was wholly read: its minimum flow, or the classifier's estimate."""
    flows: dict[date, Fraction] = {}
    day = day_of(int(run.since_s), zone)
    while ended_on is None or day < ended_on:
        start_s, end_s = day_start(day, zone), day_start(day + _ONE_DAY, zone)
        if end_s > last_reading_s:
            break
        if start_s < run.since_s or (day not in known and _watched_rarely(run)):
            leaking_s = end_s - max(start_s, run.since_s)
            flow = run.mean_flow_lph * leaking_s / HOUR_S / HOURS_IN_LEAK_DAY
            flows[day] = max(_exact(flow), known.get(day, Fraction(0)))
        elif day in known:
            flows[day] = known[day]
        day += _ONE_DAY
    return flows


def _watched_rarely(run: LeakRun) -> bool:
    return run.changes[0].rule == "PROFILE"


def _exact(flow_lph: float) -> Fraction:
    """A flow to a hundredth of a litre an hour, so that what is stored is what was computed."""
    return Fraction(round(flow_lph * _CENTILITRES), _CENTILITRES)


def _evidence(change: Transition) -> Evidence:
    return Evidence(
        at_s=int(change.at_s),
        rule=change.rule.value,
        level=change.level,
        flow_lph=round(change.flow_lph, 3),
        bound_lph=round(change.bound_lph, 3) if change.bound_lph < float("inf") else None,
        observed_h=round(change.observed_h, 2),
        intervals=change.intervals,
    )
