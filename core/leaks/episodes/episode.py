"""Leak episodes as values, and what the days of one lost.

In: the minimum flows of the days that count. Out: loss and mean flow. The one rule: loss and mean are those
of the product's leak rule (requirements R-091 and R-093, conflicts C-25 and C-27); which days belong to an
episode is said by `core.leaks.episodes.from_runs`.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from core.leaks.episodes.daily_flows import HOURS_IN_LEAK_DAY


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
