"""A long series through the classifier in parts, so that states in between can be kept.

In: the memories of some meters, their readings, and moments at which to cut them. Out: what one update with
all of the readings gives, and the memory after each part that settled something. The one rule: where a series
is cut changes nothing of what is found; a state that was settled at a cut is the state that intake settled
there when its batch ended with that reading.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from core.leaks.classifier.classify import Readings
from core.leaks.classifier.live import LiveStates
from core.leaks.classifier.stream import LATE_S, Followed, Memory, follow
from core.leaks.levels import DEFAULT_THRESHOLDS, Thresholds

_DAY_S = 24 * 3600


def cuts_of(settled: Iterable[int], *, first_s: int, last_s: int, stretch_s: int) -> list[int]:
    """Where to cut a series: so that it is settled at these moments again, and once in each other stretch.

    Args:
        settled: the moments up to which states were settled.
        first_s: the first reading.
        last_s: the last one.
        stretch_s: the length of a stretch; stretches are counted from the epoch.
    """
    wanted = sorted({at_s for at_s in settled if first_s <= at_s <= last_s - LATE_S})
    kept = {at_s // stretch_s for at_s in wanted}
    stretches = range(first_s // stretch_s + 1, last_s // stretch_s + 1)
    others = [number * stretch_s + _DAY_S for number in stretches if number not in kept]
    begun_s, begun = first_s + _DAY_S // 2, first_s // stretch_s
    if begun_s // stretch_s == begun < last_s // stretch_s and begun not in kept:
        others.append(begun_s)  # of the stretch in which the series begins, too
    return sorted(at_s + LATE_S for at_s in (*wanted, *others) if at_s + LATE_S < last_s)


def follow_in_parts(
    memories: Sequence[Memory],
    arrived: Sequence[Readings],
    cuts: Sequence[Sequence[int]],
    *,
    step_litres: int,
    capacity_litres: Sequence[int | None],
    possible_lph: Sequence[float],
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    live: LiveStates | None = None,
    keys: Sequence[Hashable] = (),
) -> tuple[list[Followed], list[list[Memory]]]:
    """Process new readings of some meters, each meter's in parts that end at its cuts (`stream.follow`).

    Returns what was found, and for each meter the memories that were settled, the last included.
    """
    parts = [_parts(one.ordered(), own) for one, own in zip(arrived, cuts, strict=True)]
    found: list[Followed | None] = [None] * len(memories)
    settled: list[list[Memory]] = [[] for _ in memories]
    current = list(memories)
    for number in range(max(map(len, parts), default=0)):
        meters = [meter for meter, own in enumerate(parts) if number < len(own)]
        followed = follow(
            [current[meter] for meter in meters],
            [parts[meter][number] for meter in meters],
            step_litres=step_litres,
            capacity_litres=[capacity_litres[meter] for meter in meters],
            possible_lph=[possible_lph[meter] for meter in meters],
            thresholds=thresholds,
            live=live,
            keys=[keys[meter] for meter in meters] if live is not None else (),
        )
        for meter, one in zip(meters, followed, strict=True):
            before = found[meter]
            found[meter] = one if before is None else _continued(before, one)
            if one.memory.settled_s != current[meter].settled_s:
                settled[meter].append(one.memory)
            current[meter] = one.memory
    return [one for one in found if one is not None], settled


def _parts(readings: Readings, cuts: Sequence[int]) -> list[Readings]:
    places = [0, *np.searchsorted(readings.at_s, cuts, side="right").tolist(), len(readings.at_s)]
    found = [Readings(*(part[first:last] for part in readings)) for first, last in pairwise(places)]
    return [one for one in found[:-1] if len(one.at_s)] + found[-1:]


def _continued(before: Followed, after: Followed) -> Followed:
    """What two updates found, one after the other: the later replaces what was detected after its start."""
    return replace(
        after,
        runs=[*(run for run in before.runs if run.detected_s <= after.from_s), *after.runs],
        from_s=min(before.from_s, after.from_s),
        too_late=before.too_late + after.too_late,
    )
