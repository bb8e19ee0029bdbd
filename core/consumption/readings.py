"""Cleans the readings of one meter: raw indexes in any order become series that never fall.

In: the readings of ONE meter as they arrived, out of order, doubled, wrapped. Out: a list of series in the
order of time. The one rule: within a series indexes may be subtracted from one another, across two series
never; so a drop of the index that cannot be explained begins a new series. A replaced meter is another meter,
cleaned apart. Explanations, in the order tried: a small backflow, a register that rolled over (requirement
C-33).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

BACKFLOW_LIMIT = 10
"""Smallest units a register may run back (air, a pressure wave, a jittering pulse) within one series."""

ROLLOVER_SHARE = 10
"""A drop is a rollover when the volume it stands for is at most one part in this many of the capacity."""


@dataclass(frozen=True, slots=True)
class IndexReading:
    """One index of one meter: `at_s` in UTC epoch seconds, `index` in the smallest unit of the register."""

    at_s: int
    index: int


Series: TypeAlias = tuple[IndexReading, ...]
"""Strictly rising in time, never falling in index; unwrapped: past a rollover it exceeds the register."""


def clean(
    readings: Iterable[IndexReading],
    *,
    register_capacity: int | None,
    allowed_backflow: int = BACKFLOW_LIMIT,
) -> list[Series]:
    """Sorts, merges, unwraps and cuts the readings of one meter.

    Neither the order of arrival nor repetition changes the result. Of two indexes at one instant the running
    maximum holds. A backflow of at most `allowed_backflow` below that maximum keeps the maximum. A drop whose
    difference modulo the capacity is at most a tenth of the capacity is a rollover and is unwrapped. Any
    other drop ends the series, and the reading begins the next one.

    Args:
        readings: of one meter, in the smallest unit.
        register_capacity: how many units the register counts before it shows 0 again (100,000 m3 on a
            five-digit water meter read in litres is 100,000,000); None when unknown: nothing is unwrapped.
        allowed_backflow: in the smallest unit.

    Raises:
        ValueError: for a capacity that is not positive, or a negative backflow.
    """
    if register_capacity is not None and register_capacity <= 0:
        raise ValueError("the capacity of a register is positive")
    if allowed_backflow < 0:
        raise ValueError("the allowed backflow is not negative")
    finished: list[Series] = []
    current: list[IndexReading] = []
    top = 0  # the running maximum, unwrapped
    for at_s, index in sorted({(reading.at_s, reading.index) for reading in readings}):
        if current:
            step = _step(top, index, register_capacity, allowed_backflow)
            if step is not None:
                top += step
                if current[-1].at_s == at_s:
                    current.pop()
                current.append(IndexReading(at_s, top))
                continue
            finished.append(tuple(current))
        top = index
        current = [IndexReading(at_s, index)]
    if current:
        finished.append(tuple(current))
    return finished


def _step(top: int, shown: int, capacity: int | None, backflow: int) -> int | None:
    """How far the unwrapped index moved when the register shows `shown`; None where the series breaks."""
    step = shown - (top if capacity is None else top % capacity)
    if capacity is not None:
        explained = capacity // ROLLOVER_SHARE
        if step < -backflow and step + capacity <= explained:
            step += capacity
        elif step > 0 and capacity - step <= max(explained, backflow):
            # A rise of nearly the whole register is a fall seen across the rollover: a late old telegram, or
            # backflow at zero. Taken as a rise it would count a full register of water.
            step -= capacity
    if step >= 0:
        return step
    return 0 if step >= -backflow else None
