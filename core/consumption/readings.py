"""Cleans the readings of one meter: raw indexes in any order become series that never fall.

In: the readings of ONE meter as they arrived, out of order, doubled, wrapped. Out: a list of series in the
order of time. The one rule: within a series indexes may be subtracted from one another, across two series
never; so a step of the index that `Register.moved` cannot explain begins a new series, whether it falls or
rises. A replaced meter is another meter, cleaned apart (requirement C-33).
"""

from collections.abc import Iterable
from typing import TypeAlias

from core.consumption.register import IndexReading, Register

Series: TypeAlias = tuple[IndexReading, ...]
"""Strictly rising in time, never falling in index; unwrapped: past a rollover it exceeds the register."""


def clean(readings: Iterable[IndexReading], register: Register) -> list[Series]:
    """Sorts, merges, unwraps and cuts the readings of one meter.

    Neither the order of arrival nor repetition changes the result. Of two indexes at one instant the running
    maximum holds. A backflow within the register's limit below that maximum keeps the maximum; a rollover is
    unwrapped. Any other drop, and a rise faster than the meter can run, ends the series, and the reading
    begins the next one: the register was set anew.

    Args:
        readings: of one meter, in the smallest unit.
        register: what the meter can do.
    """
    finished: list[Series] = []
    current: list[IndexReading] = []
    capacity = register.capacity
    top = last_s = 0  # the running maximum, unwrapped, and when it was read
    for at_s, index in sorted({(reading.at_s, reading.index) for reading in readings}):
        if current:
            shown = top if capacity is None else top % capacity
            moved = register.moved_within(shown, index, at_s - last_s)
            if moved is not None:
                if moved > 0:
                    top += moved
                if last_s == at_s:
                    current.pop()
                current.append(IndexReading(at_s, top))
                last_s = at_s
                continue
            finished.append(tuple(current))
        top, last_s = index, at_s
        current = [IndexReading(at_s, index)]
    if current:
        finished.append(tuple(current))
    return finished
