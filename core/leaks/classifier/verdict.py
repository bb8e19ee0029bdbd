"""What is known of each meter now: a leak, none, or why neither can be decided.

In: the classifier's memory of a block. Out: a verdict for each meter with its bounds. The one rule: no proof
of a leak is no proof that there is none; what the register cannot resolve, or nobody watched, has a finding
of its own.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.leaks.classifier import bounds, profile
from core.leaks.classifier.rare import reads_rarely
from core.leaks.classifier.register import HOUR_S
from core.leaks.classifier.resolution import Resolution, lowest_measurable_lph
from core.leaks.classifier.state import ClassifierState
from core.leaks.levels import DEFAULT_THRESHOLDS, Thresholds


class Finding(StrEnum):
    """The kinds of verdict."""

    LEAK = "LEAK"
    NO_LEAK = "NO_LEAK"
    """Proven by a bound under level 1, or not believed."""
    UNDECIDED = "UNDECIDED"
    """Neither proven nor disproven: watched too briefly, or busy without a pause."""
    NOT_MEASURABLE = "NOT_MEASURABLE"
    """The register's steps are too coarse to see a leak of level 1; from `lowest_lph` on it is seen."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one meter.

    Attributes:
        finding: the verdict.
        level: 1 to 3 for a leak, else 0.
        flow_lph: the estimated leak; None where there is none.
        bound_lph: no leak above this ran all through the hours looked at; None where nothing bounds it.
        observed_h: the hours looked at without a break, up to those an alert asks for.
        lowest_lph: the least leak that this register can show.
    """

    finding: Finding
    level: int
    flow_lph: float | None
    bound_lph: float | None
    observed_h: float
    lowest_lph: float


def verdicts_of(
    state: ClassifierState, resolution: Resolution, *, thresholds: Thresholds = DEFAULT_THRESHOLDS
) -> list[Verdict]:
    """The verdict on every meter of a block, in its order."""
    level_1 = float(thresholds.level_1_lph)
    lowest = lowest_measurable_lph(resolution.step_litres, level_1)
    rank, seen = bounds.horizon(state, resolution.observed_h)
    bound = np.where(seen, bounds.at(state["bound"], rank), np.inf)
    oldest = np.where(state["seen"] >= 0, state["seen"], np.inf).min(axis=0)
    watched = np.where(np.isfinite(oldest), state["seen"][0] - oldest, 0.0) / HOUR_S
    rarely = reads_rarely(state)
    believed = profile.believed_from(state, lowest)
    found = []
    for meter in range(state.meters):
        leaking = bool(state["open"][meter])
        if leaking:
            finding = Finding.LEAK
        elif lowest > level_1:
            finding = Finding.NOT_MEASURABLE
        elif bound[meter] < level_1 or (rarely[meter] and believed[meter] < 0.5):
            finding = Finding.NO_LEAK
        else:
            finding = Finding.UNDECIDED
        found.append(
            Verdict(
                finding,
                int(state["level"][meter]) if leaking else 0,
                float(state["rate"][meter]) if leaking else None,
                float(bound[meter]) if np.isfinite(bound[meter]) else None,
                min(float(watched[meter]), float(resolution.observed_h)),
                lowest,
            )
        )
    return found
