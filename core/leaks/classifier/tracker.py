"""Opens, tracks and closes the episodes of a block of meters, one reading at a time.

In: the state of a block after a reading was taken. Out: the transitions of each meter. The one rule: an alert
opens on proof (bounds, or belief where meters are read rarely), is dated back to the leak's start, rises at
once, falls after a day, and closes on a hard bound: a window that carried less than half the flow.
Requirements R-092 to R-096, conflicts C-24 and C-26.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.leaks.classifier import bounds, profile, rare
from core.leaks.classifier.register import HOUR_S, IndexStep
from core.leaks.classifier.resolution import Resolution
from core.leaks.classifier.state import EPISODE, Array, ClassifierState
from core.leaks.levels import Thresholds, levels_of

BY_BOUNDS, BY_PROFILE = 1, 2
_NO_EPISODE = 0
_NEAR_HOURS = 72.0
_BUSY_FACTOR = 1.75
_LONGEST_ASKED_H = 96.0
"""A dwelling that lately went long without a pause, awake at night or watering a garden, is watched longer by
this factor before an alert opens, up to the time that the stored readings cover.
"""

_ENOUGH_RANKS = 8
_FLOORS_BEYOND_DOUBT = 3
"""A coarse register shows the leak alone for three times the intervals an alert asks for, or for 72 hours."""

_DRY_H = 5.0
"""A register that did not move for so long had no leak, not even a small one."""

_GONE_LPH = 2.0
_UNSURE_LASTS_S = 7 * 24 * HOUR_S
"""A leak among rare readings that was not believed in for so long has ended: demand alone explains them."""


class Rule(StrEnum):
    """The rule that found a leak."""

    BOUNDS = "BOUNDS"
    PROFILE = "PROFILE"


class Change(StrEnum):
    """What happened to a meter's episode."""

    OPENED = "OPENED"
    LEVEL_UP = "LEVEL_UP"
    LEVEL_DOWN = "LEVEL_DOWN"
    CLOSED = "CLOSED"
    REPLACED = "REPLACED"


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of one meter's episode.

    Attributes:
        meter: the meter's number in its block.
        change: what happened.
        at_s: the reading that showed it.
        from_s: since when it holds: the leak's start, its end, or when the flow changed to this.
        level: the level reached, at an end the last one.
        flow_lph: the estimated flow, L/h.
        bound_lph: the least upper bound of the hours looked at; infinite where there is none.
        observed_h: hours looked at without a break.
        intervals: how many of them carried the leak alone, or from how many the demand was learned.
        rule: the rule that found it.
        lost_l: at an end the litres of the whole leak, else 0.
        certainty: how sure this is, 0 to 1: what bounds show is certain, else it is the filter's belief.
    """

    meter: int
    change: Change
    at_s: float
    from_s: float
    level: int
    flow_lph: float
    bound_lph: float
    observed_h: float
    intervals: int
    rule: Rule
    lost_l: float = 0.0
    certainty: float = 1.0


@dataclass(frozen=True, slots=True)
class Tracker:
    """The rule with its figures."""

    resolution: Resolution
    thresholds: Thresholds

    def judge(
        self, state: ClassifierState, step: IndexStep, meters: Array, sparse: Array
    ) -> list[Transition]:
        """Judge every column of the block, whose meters have these numbers."""
        changes: list[Transition] = []
        was_open = state["open"] != _NO_EPISODE
        if step.replaced.any():
            self._replaced(state, np.flatnonzero(was_open & step.replaced), meters, changes)
            state["until"][step.replaced] = state["at"][step.replaced]
        rarely = rare.reads_rarely(state)
        free = ~was_open & ~step.first & ~step.replaced
        self._open_by_bounds(state, (free & ~rarely).nonzero()[0], meters, changes)
        self._open_by_profile(state, (free & rarely & sparse).nonzero()[0], meters, changes)
        self._follow(state, (was_open & ~step.replaced).nonzero()[0], meters, changes)
        return changes

    def _replaced(
        self, state: ClassifierState, columns: Array, meters: Array, changes: list[Transition]
    ) -> None:
        for column in columns:
            last = state["time"][1, column]
            lost = (
                state["lost"][column]
                + state["mean"][column] * max(0.0, last - state["rate_run"][column]) / HOUR_S
            )
            changes.append(_change(state, column, meters, Change.REPLACED, last, lost_l=lost))
        state["open"][columns] = _NO_EPISODE

    def _open_by_bounds(
        self, state: ClassifierState, columns: Array, meters: Array, changes: list[Transition]
    ) -> None:
        lowest = float(self.thresholds.level_1_lph)
        columns = columns[state["bound"][_ENOUGH_RANKS, columns] >= lowest]
        if not len(columns):
            return
        part = state.part(columns)
        rank, seen = bounds.horizon(part, self._asked_hours(part))
        bound, rate = bounds.at(part["bound"], rank), bounds.at(part["flow"], rank)
        sure = seen & (bound >= lowest) & (rate >= lowest) & (rate < np.inf)
        sure &= bounds.at(part["time"], rank) >= part["until"]
        step = self.resolution.step_litres
        near = sure & (rate < lowest + self.resolution.near_lph)
        doubtful = sure & ~near & (rate < lowest + self.resolution.doubtful_lph)
        if doubtful.any():
            shown = bounds.hours_on(part, rank, np.where(doubtful, rate, 0.0), step)
            near |= doubtful & (shown < _FLOORS_BEYOND_DOUBT * self.thresholds.floor_intervals)
        if near.any():
            longer, long_seen = bounds.horizon(part, _NEAR_HOURS)
            settled = long_seen & (bounds.at(part["time"], longer) >= part["until"])
            settled &= bounds.at(part["flow"], longer) >= lowest
            sure &= ~near | settled
        if not sure.any():
            return
        on_floor = bounds.intervals_on(part, rank, np.where(sure, rate, 0.0), step)
        sure &= on_floor >= self.thresholds.floor_intervals
        chosen = np.flatnonzero(sure)
        if not len(chosen):
            return
        part, rank, rate = part.take(chosen), rank[chosen], rate[chosen]
        since = bounds.onset(part, rank, rate, step, self.thresholds.end_share)
        observed = (part["seen"][0] - bounds.at(part["seen"], rank)) / HOUR_S
        columns = columns[chosen]
        self._begin(state, columns, since, rate, BY_BOUNDS)
        for at, column in enumerate(columns):
            changes.append(
                _change(
                    state,
                    column,
                    meters,
                    Change.OPENED,
                    since[at],
                    bound=bound[chosen][at],
                    observed_h=observed[at],
                    intervals=int(on_floor[chosen][at]),
                )
            )

    def _asked_hours(self, part: ClassifierState) -> Array:
        """The hours without a pause that an opening requires of each dwelling."""
        usual = self.resolution.observed_h
        asked = np.clip(_BUSY_FACTOR * bounds.busy_h(part), usual, max(usual, _LONGEST_ASKED_H))
        if (asked == usual).all():
            return asked
        rank, _ = bounds.horizon(part, usual)
        rate = bounds.at(part["flow"], rank)
        clear = bounds.shows_alone(part, rank, rate, self.resolution.step_litres) >= usual / 2
        return np.where(clear, usual, asked)

    def _open_by_profile(
        self, state: ClassifierState, columns: Array, meters: Array, changes: list[Transition]
    ) -> None:
        if not len(columns):
            return
        found = rare.found(state, columns, self.resolution, self.thresholds)
        columns = found.columns
        self._begin(
            state, columns, np.maximum(found.since_s, state["until"][columns]), found.rate, BY_PROFILE
        )
        for at, column in enumerate(columns):
            since_s = state["since"][column]
            hours = (state["at"][column] - since_s) / HOUR_S
            changes.append(
                _change(
                    state,
                    column,
                    meters,
                    Change.OPENED,
                    since_s,
                    observed_h=hours,
                    intervals=int(state["intervals"][column]),
                    certainty=found.certainty[at],
                )
            )

    def _begin(self, state: ClassifierState, columns: Array, since: Array, rate: Array, rule: int) -> None:
        now = state["at"][columns]
        for name, values in (
            ("open", rule),
            ("since", since),
            ("detected", now),
            ("level", np.maximum(levels_of(rate, self.thresholds), 1)),
            ("rate", rate),
            ("mean", rate),
            ("rate_run", since),
            ("rate_ref", rate),
            ("rate_ref_at", now),
            ("least", np.inf),
            ("lost", 0.0),
            ("lower", np.inf),
            ("sure_at", now),
        ):
            state[name][columns] = values

    def _follow(
        self, state: ClassifierState, columns: Array, meters: Array, changes: list[Transition]
    ) -> None:
        if not len(columns):
            return
        part = state.part(columns, EPISODE)
        now, by_profile = part["at"], part["open"] == BY_PROFILE
        lowest = float(self.thresholds.level_1_lph)
        ended = bounds.end(part, self.resolution.step_litres, self.thresholds.end_share, lowest)
        proven, believed = np.isfinite(ended), np.ones(len(columns))
        if by_profile.any():
            believed = profile.believed_from(part, _GONE_LPH)
            part["sure_at"][:] = np.where(
                believed >= rare.asked_belief(part, self.resolution, self.thresholds), now, part["sure_at"]
            )
            gone = by_profile & (believed < 1 - self.thresholds.end_share)
            ended = np.where(gone, np.minimum(ended, part["time"][1]), ended)
            unsure = by_profile & (now - part["sure_at"] >= _UNSURE_LASTS_S)
            ended = np.where(unsure, np.minimum(ended, part["sure_at"]), ended)
        closing = np.isfinite(ended)
        ended = np.where(closing, np.maximum(ended, part["since"]), ended)
        self._update_rate(part, by_profile)
        rose, fell = self._update_level(part)
        for at in closing.nonzero()[0]:
            column = columns[at]
            mean, before = state["mean"][column], state["rate_ref"][column]
            if state["rate"][column] * self.resolution.agreement < before:
                mean = before  # it fell because the leak had ended already
            lost = state["lost"][column]
            lost += mean * max(0.0, ended[at] - state["rate_run"][column]) / HOUR_S
            sure = 1.0 if proven[at] else 1 - believed[at]
            changes.append(
                _change(state, column, meters, Change.CLOSED, ended[at], lost_l=lost, certainty=sure)
            )
            state["until"][column] = ended[at]
            state["open"][column] = _NO_EPISODE
        going_on = (~closing).nonzero()[0]
        places = columns[going_on]
        for name in EPISODE:
            state[name][places] = part[name][going_on]
        for at in (~closing & (rose | fell)).nonzero()[0]:
            change = Change.LEVEL_UP if rose[at] else Change.LEVEL_DOWN
            from_s = min(now[at], part["rate_run"][at] if rose[at] else now[at])
            changes.append(_change(state, columns[at], meters, change, from_s))

    def _update_rate(self, part: ClassifierState, by_profile: Array) -> None:
        """The present flow; the time before it changed is counted at the previous flow."""
        now = part["at"]
        rate, changed_at, part["least"][:], since = bounds.rate_now(part, self.resolution)
        mean = bounds.mean_on(part, since, rate, self.resolution.step_litres)
        if by_profile.any():
            rate = np.where(by_profile, profile.rate_now(part, part["since"]), rate)
            mean = np.where(by_profile, rate, mean)
            changed_at = np.where(by_profile, now, changed_at)
        ratio = rate / part["rate"]
        agreement = self.resolution.agreement
        changed = by_profile | (ratio > agreement) | (ratio < 1 / agreement)
        run = np.maximum(part["rate_run"], changed_at)
        booked = np.where(by_profile, rate, part["mean"]) * (run - part["rate_run"]) / HOUR_S
        part["lost"][:] = np.where(changed, part["lost"] + booked, part["lost"])
        part["rate_run"][:] = np.where(changed, run, part["rate_run"])
        part["rate"][:], part["mean"][:] = rate, mean
        taken = (rate >= part["rate_ref"]) | (
            now - part["rate_ref_at"] > self.thresholds.fall_after_h * HOUR_S
        )
        smallest = self.resolution.step_litres / (self.thresholds.end_share * _DRY_H)
        part["rate_ref"][:] = np.where(taken, np.maximum(rate, smallest), part["rate_ref"])
        part["rate_ref_at"][:] = np.where(taken, now, part["rate_ref_at"])

    def _update_level(self, part: ClassifierState) -> tuple[Array, Array]:
        now, before = part["at"], part["level"].copy()
        level = np.maximum(levels_of(part["rate"], self.thresholds), 1)
        since = np.where(level < before, np.minimum(part["lower"], now), np.inf)
        falls = now - since >= self.thresholds.fall_after_h * HOUR_S
        after = np.where((level >= before) | falls, level, before)
        part["lower"][:] = np.where(falls, np.inf, since)
        part["level"][:] = after
        return after > before, after < before


def _change(
    state: ClassifierState,
    column: int,
    meters: Array,
    change: Change,
    from_s: float,
    *,
    bound: float = np.inf,
    observed_h: float = 0.0,
    intervals: int = 0,
    lost_l: float = 0.0,
    certainty: float = 1.0,
) -> Transition:
    return Transition(
        meter=int(meters[column]),
        change=change,
        at_s=float(state["at"][column]),
        from_s=float(from_s),
        level=int(state["level"][column]),
        flow_lph=float(state["rate"][column]),
        bound_lph=float(bound),
        observed_h=float(observed_h),
        intervals=intervals,
        rule=Rule.BOUNDS if state["open"][column] == BY_BOUNDS else Rule.PROFILE,
        lost_l=float(lost_l),
        certainty=float(certainty),
    )
