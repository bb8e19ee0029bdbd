"""The floor of five: what may be shown of several dwellings without telling of one.

In: what each dwelling contributes to a figure. Out: whether the figure may be shown. The one rule: a figure
is of five dwellings at least, none of which has more than half of an amount, since it would be about that
one. Statistics for analysts and the averages that residents see ask here alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FLOOR: Final = 5
"""Dwellings that a published figure is about, at least."""

COUNTS_TO: Final = 5
"""Counts are rounded to multiples of this."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one dwelling adds to one class.

    `values` are what figures are made of; `weights` are the amounts of which no dwelling may have more than
    half, since a sum would be about that one.
    """

    dwelling_id: int
    weights: tuple[int, ...]
    values: tuple[int, ...]


def may_stand_alone(contributions: Sequence[Contribution]) -> bool:
    """Whether these are of five dwellings or more, none of which has more than half of a weight."""
    dwellings = {one.dwelling_id for one in contributions}
    if len(dwellings) < FLOOR:
        return False
    for place in range(len(contributions[0].weights)):
        of_dwelling = dict.fromkeys(dwellings, 0)
        for one in contributions:
            of_dwelling[one.dwelling_id] += one.weights[place]
        if 2 * max(of_dwelling.values()) > sum(of_dwelling.values()):
            return False
    return True


def rounded_count(number: int) -> int:
    """A count as it is published: the nearest multiple of five, and five at least."""
    return max(COUNTS_TO, COUNTS_TO * ((number + COUNTS_TO // 2) // COUNTS_TO))
