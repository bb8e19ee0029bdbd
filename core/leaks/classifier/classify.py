"""The shared classifier of leaks: index readings of many meters in, what happened to each out.

In: readings of a block of meters, each meter's in the order of time; batch and stream alike. Out: transitions
(`core.leaks.classifier.tracker`), and the state to continue from. The one rule: there is one algorithm, one
reading per meter at a time; a file of a year and the update at ingestion differ only in how many meters and
readings they pass.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from core.leaks.classifier import bounds, profile, register
from core.leaks.classifier.resolution import resolution_of
from core.leaks.classifier.runs import LeakRun, runs
from core.leaks.classifier.state import Array, ClassifierState
from core.leaks.classifier.tracker import Tracker, Transition
from core.leaks.levels import DEFAULT_THRESHOLDS, Thresholds

BLOCK_METERS = 2048
"""Meters processed together: their state fits the processor's cache."""


class Readings(NamedTuple):
    """The readings of one meter as received: epoch seconds, litres shown, number of the physical meter."""

    at_s: Array
    litres: Array
    serial: Array

    @classmethod
    def of(
        cls, at_s: Sequence[int], litres: Sequence[int], serial: Sequence[int] | None = None
    ) -> "Readings":
        times = np.asarray(at_s, dtype=np.int64)
        numbers = np.zeros(len(times), np.int64) if serial is None else np.asarray(serial, np.int64)
        return cls(times, np.asarray(litres, dtype=np.int64), numbers)

    def ordered(self) -> "Readings":
        """In the order of time, each once; so neither the order of arrival nor repetition matters."""
        if (self.at_s[1:] > self.at_s[:-1]).all():
            return self  # as nearly always
        order = np.lexsort((self.litres, self.serial, self.at_s))
        at_s, litres, serial = self.at_s[order], self.litres[order], self.serial[order]
        new = np.ones(len(order), dtype=bool)
        new[1:] = (np.diff(at_s) != 0) | (np.diff(litres) != 0) | (np.diff(serial) != 0)
        return Readings(at_s[new], litres[new], serial[new])


class Classifier:
    """Processes readings of a block of meters with registers of one step."""

    def __init__(
        self,
        meters: int,
        *,
        step_litres: int,
        capacity_litres: Sequence[int | None] | int | None = None,
        possible_lph: Sequence[float] | None = None,
        thresholds: Thresholds = DEFAULT_THRESHOLDS,
        state: ClassifierState | None = None,
    ) -> None:
        """Start with an empty state, or with that of an earlier run.

        The transitions name the meters by their place in the block.

        Raises:
            ValueError: for a register that counts neither 1, 10 nor 100 litres.
        """
        self.resolution = resolution_of(step_litres)
        self.thresholds = thresholds
        self.state = ClassifierState.fresh(meters) if state is None else state
        self._numbers = np.arange(meters)
        self._tracker = Tracker(self.resolution, thresholds)
        capacities = (
            [capacity_litres] * meters if not isinstance(capacity_litres, Sequence) else capacity_litres
        )
        self._capacity = np.array([one or register.UNKNOWN_CAPACITY for one in capacities], dtype=float)
        possible = np.full(meters, np.inf) if possible_lph is None else np.array(possible_lph, dtype=float)
        self._possible = possible

    def take(self, meters: Array, at_s: Array, litres: Array, serial: Array) -> list[Transition]:
        """Take one reading of each of these meters, later than the last one that was taken of it."""
        times = at_s.astype(float)
        new = times - self.state["at"][meters] >= self.resolution.spacing_s
        if not new.any():
            return []
        meters, times = meters[new], times[new]
        in_place = bool((meters == np.arange(len(meters))).all())
        state = self.state.first(len(meters)) if in_place else self.state.take(meters)
        step = register.advance(
            state,
            times,
            litres[new].astype(float),
            serial[new],
            capacity=self._capacity[meters],
            possible_lph=self._possible[meters],
            step_litres=self.resolution.step_litres,
        )
        bounds.update(state, self.resolution, float(self.thresholds.level_1_lph))
        sparse = profile.update(state, step, self.resolution.step_litres)
        changes = self._tracker.judge(state, step, self._numbers[meters], sparse)
        if not in_place:
            self.state.put(meters, state)
        return changes

    def update(self, readings: Sequence[Readings]) -> list[Transition]:
        """Take the readings of every meter, each meter's in the order of time."""
        changes: list[Transition] = []
        lengths = np.array([len(one.at_s) for one in readings], dtype=int)
        if not lengths.any():
            return changes
        order = np.argsort(-lengths, kind="stable")  # so those with readings left are the first columns
        longest = [readings[int(meter)] for meter in order]
        kept = self.state, self._numbers, self._capacity, self._possible
        self.state, self._numbers, self._capacity, self._possible = (
            self.state.take(order),
            self._numbers[order],
            self._capacity[order],
            self._possible[order],
        )
        for position in range(int(lengths.max(initial=0))):
            rows = longest[: int((lengths > position).sum())]
            changes += self.take(
                np.arange(len(rows)),
                np.array([row.at_s[position] for row in rows]),
                np.array([row.litres[position] for row in rows]),
                np.array([row.serial[position] for row in rows]),
            )
        kept[0].put(order, self.state)
        self.state, self._numbers, self._capacity, self._possible = kept
        return changes


def classify(
    series: Sequence[Readings],
    *,
    step_litres: int,
    capacity_litres: Sequence[int | None] | int | None = None,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    done: Callable[[Classifier], None] | None = None,
) -> list[list[LeakRun]]:
    """The leaks of many meters from their whole series, in any order: for each its runs, oldest first.

    Args:
        series: one for each meter.
        step_litres: what the registers count at a time: 1, 10 or 100.
        capacity_litres: where a register shows 0 again; one for all, or one for each meter.
        thresholds: the operator's, or the product's.
        done: called with the classifier of each block once it has taken the block's readings.

    Raises:
        ValueError: for a register that counts neither 1, 10 nor 100 litres.
    """
    found: list[list[LeakRun]] = []
    for start in range(0, len(series), BLOCK_METERS):
        block = [one.ordered() for one in series[start : start + BLOCK_METERS]]
        each = (
            capacity_litres[start : start + BLOCK_METERS]
            if isinstance(capacity_litres, Sequence)
            else capacity_litres
        )
        classifier = Classifier(
            len(block), step_litres=step_litres, capacity_litres=each, thresholds=thresholds
        )
        changes = classifier.update(block)
        found += [
            [replace(run, meter=start + run.meter) for run in of_meter]
            for of_meter in runs(changes, classifier.state, step_litres=step_litres, thresholds=thresholds)
        ]
        if done is not None:
            done(classifier)
    return found
