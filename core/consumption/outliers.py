"""Which dwellings of a residence consumed far from the others in a month.

In: the month's amount of each dwelling that has every day of it, and whether somebody lived there. Out: those
that stand out, the farthest first. The one rule: a dwelling is compared with its neighbours, so there is no
comparison among fewer than five (CN-11), and the limit is Tukey's outer fence (the third quartile and three
times the distance between the quartiles, J. Tukey, Exploratory Data Analysis, 1977), so that some large
households raise it instead of all being named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

FEWEST_DWELLINGS = 5
FENCE = 3
LEAST_RATIO = 2
"""Nobody is named who consumed less than twice the median, however alike the others are."""


class OutlierKind(StrEnum):
    """What stands out."""

    HIGH = "HIGH"
    ZERO_WHILE_OCCUPIED = "ZERO_WHILE_OCCUPIED"
    USED_WHILE_VACANT = "USED_WHILE_VACANT"


@dataclass(frozen=True, slots=True)
class DwellingMonth:
    """What a dwelling consumed in a month; `occupied`: somebody is known to have lived there all month,
    `vacant`: nobody on any day of it.
    """

    dwelling_id: int
    amount: int
    occupied: bool
    vacant: bool


@dataclass(frozen=True, slots=True)
class Outlier:
    """A dwelling that stands out, with the median of all."""

    dwelling_id: int
    kind: OutlierKind
    amount: int
    median: Fraction


def outliers(months: Sequence[DwellingMonth], *, least_of_vacant: int) -> list[Outlier]:
    """The dwellings that stand out, the largest amount first; none where too few can be compared.

    Args:
        months: of one fluid and month.
        least_of_vacant: up to this amount a vacant dwelling is left alone: somebody cleaned, or had a look.
    """
    if len(months) < FEWEST_DWELLINGS:
        return []
    amounts = sorted(one.amount for one in months)
    lower, median, upper = (quantile(amounts, Fraction(part, 4)) for part in (1, 2, 3))
    limit = max(upper + FENCE * (upper - lower), LEAST_RATIO * median)
    found = [
        Outlier(one.dwelling_id, kind, one.amount, median)
        for one in months
        for kind in (_kind(one, limit, median, least_of_vacant),)
        if kind is not None
    ]
    return sorted(found, key=lambda one: (-one.amount, one.dwelling_id))


def quantile(ordered: Sequence[int], part: Fraction) -> Fraction:
    """The value below which that part lies, in proportion between neighbours (Hyndman and Fan, type 7)."""
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _kind(one: DwellingMonth, limit: Fraction, median: Fraction, least_of_vacant: int) -> OutlierKind | None:
    if one.vacant and one.amount > least_of_vacant:
        return OutlierKind.USED_WHILE_VACANT
    if one.amount > limit:
        return OutlierKind.HIGH
    if one.occupied and one.amount == 0 and median > 0:
        return OutlierKind.ZERO_WHILE_OCCUPIED
    return None
