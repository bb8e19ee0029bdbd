"""Joins the transitions of a meter into runs: a leak from its start to its end, with what it lost.

In: transitions in the order of time, and the classifier state for the runs that are open. Out: runs, oldest
first. The one rule: a run that ends because the meter was replaced, and begins again at the first reading of
the new one, is one leak of the pipe, however long nothing was received in between; nothing was subtracted
across the two registers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.leaks.classifier.register import HOUR_S
from core.leaks.classifier.resolution import LONGEST_WINDOW_H
from core.leaks.classifier.state import ClassifierState
from core.leaks.classifier.tracker import Change, Transition
from core.leaks.levels import DEFAULT_THRESHOLDS, Thresholds

_SAME_MOMENT_S = 2 * HOUR_S


@dataclass(frozen=True, slots=True)
class LeakRun:
    """One leak of one meter, from its start until it ended or until now.

    Attributes:
        meter: the meter's number in its block.
        since_s: when the leak began, before it was detected.
        until_s: when it ended; None while it runs.
        detected_s: the reading that showed it.
        level_at_opening: the level that was reported first.
        level: the last one.
        level_max: the highest.
        over_range: the flow exceeded the product's last interval by more than the register's uncertainty.
        lost_litres: since its start.
        mean_flow_lph: over its whole time.
        changes: its transitions, each with its evidence.
    """

    meter: int
    since_s: float
    until_s: float | None
    detected_s: float
    level_at_opening: int
    level: int
    level_max: int
    over_range: bool
    lost_litres: float
    mean_flow_lph: float
    changes: tuple[Transition, ...]

    @property
    def replaced(self) -> bool:
        """Whether it ended with the meter, and not with the leak."""
        return self.changes[-1].change is Change.REPLACED


def runs(
    transitions: Iterable[Transition],
    state: ClassifierState,
    *,
    step_litres: int,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> list[list[LeakRun]]:
    """The runs of every meter of a block, in the block's order; those of each oldest first."""
    above = float(thresholds.over_range_above_lph) + step_litres / LONGEST_WINDOW_H
    found: list[list[LeakRun]] = [[] for _ in range(state.meters)]
    going: dict[int, list[Transition]] = {}
    for transition in sorted(transitions, key=_moment):
        changes = going.setdefault(transition.meter, [])
        changes.append(transition)
        if transition.change in {Change.CLOSED, Change.REPLACED}:
            _add(found[transition.meter], _run(changes, transition.from_s, transition.lost_l, above))
            del going[transition.meter]
    for meter, changes in going.items():
        running_s = max(0.0, float(state["at"][meter] - state["rate_run"][meter]))
        lost = float(state["lost"][meter]) + float(state["mean"][meter]) * running_s / HOUR_S
        run = _run(changes, float(state["at"][meter]), lost, above)
        over = run.over_range or state["rate"][meter] > above
        _add(found[meter], replace(run, until_s=None, over_range=bool(over)))
    return found


def _moment(transition: Transition) -> tuple[float, int]:
    return transition.at_s, transition.meter


def _run(changes: Sequence[Transition], until_s: float, lost: float, above_lph: float) -> LeakRun:
    opening = changes[0]
    hours = max((until_s - opening.from_s) / HOUR_S, 1.0)
    return LeakRun(
        meter=opening.meter,
        since_s=opening.from_s,
        until_s=until_s,
        detected_s=opening.at_s,
        level_at_opening=opening.level,
        level=changes[-1].level,
        level_max=max(change.level for change in changes),
        over_range=any(change.flow_lph > above_lph for change in changes),
        lost_litres=lost,
        mean_flow_lph=lost / hours,
        changes=tuple(changes),
    )


def _add(found: list[LeakRun], run: LeakRun) -> None:
    if found and found[-1].replaced and found[-1].until_s is not None:
        last, first_of_new_s = found[-1], found[-1].changes[-1].at_s
        if run.since_s - first_of_new_s <= _SAME_MOMENT_S:
            lost = last.lost_litres + run.lost_litres
            end_s = run.until_s or run.changes[-1].at_s
            found[-1] = replace(
                last,
                until_s=run.until_s,
                level=run.level,
                level_max=max(last.level_max, run.level_max),
                over_range=last.over_range or run.over_range,
                lost_litres=lost,
                mean_flow_lph=lost * HOUR_S / max(end_s - last.since_s, HOUR_S),
                changes=(*last.changes, *run.changes),
            )
            return
    found.append(run)
