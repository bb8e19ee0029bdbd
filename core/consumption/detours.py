"""Finds what a register came to and left only by running back: damaged lines that no checksum proves.

In: the observations of ONE meter that may count. Out: those that do not after all. The one rule: where a
register ran back and one of the two readings can be left out so that it never did, one damaged line is
likelier than water that ran back: by a litre too, which would lie in the wrong hour. Where either can be left
out, nobody can tell which is false, and neither counts; but by as little as a series forgives, water may have
run back, and both do.
"""

from collections.abc import Sequence

from core.consumption.observations import Evidence, Observation, falls, rises
from core.consumption.register import Register


def without_detours(
    observations: Sequence[Observation], register: Register, *, from_first: bool
) -> list[Observation]:
    """The observations without detours; those with a checksum of their own are never one.

    Args:
        observations: in the order of time, each moment once.
        register: what the meter can do.
        from_first: whether they begin with the meter's first one; otherwise the outermost is not asked.
    """
    kept = list(observations)
    place = 0
    while place + 1 < len(kept):
        one, after = kept[place], kept[place + 1]
        before = kept[place - 1] if place else None
        third = kept[place + 2] if place + 2 < len(kept) else None
        if falls(one, after, register) and (before is not None or from_first):
            if before is None:
                peak = _is_false_start(one, after, third, register)
            else:
                peak = _is_weak(one) and rises(before, after, register)
            dip = _is_weak(after) and third is not None and rises(one, third, register)
            forgiven = register.moved_units(one.index, after.index) is not None
            if (peak or dip) and not (forgiven and (third is None or (peak and dip))):
                kept[place : place + 2] = [*([] if peak else [one]), *([] if dip else [after])]
                place = max(0, place - 1)
                continue
        place += 1
    return kept


def _is_weak(one: Observation) -> bool:
    return one.evidence < Evidence.LINK_CHECKSUM


def _is_false_start(
    one: Observation, after: Observation, third: Observation | None, register: Register
) -> bool:
    """Whether the first of all lies above the next two, and further above the next than a series forgives."""
    if third is None or register.moved_units(one.index, after.index) is not None:
        return False
    return _is_weak(one) and rises(after, third, register) and not rises(one, third, register)
