"""A request to cap the bill after a leak: what is an abnormal volume (WAR-01), and the month for the
plumber's attestation (WAR-03).

In: volumes of equal periods, or the day of the notice. Out: the mean and whether it is exceeded, or the last
day. The one rule: periods are matched by days and not by months, only whole ones count, and the limit itself
is not abnormal: the volume has to exceed twice the mean (CGCT L. 2224-12-4 III bis, R. 2224-20-1).
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

YEARS_COMPARED = 3
_FACTOR = 2


@dataclass(frozen=True, slots=True)
class VolumeComparison:
    """The litres of a period, and those of the same days in earlier years that are known whole."""

    litres: int
    earlier: Sequence[int]

    @property
    def mean(self) -> Fraction | None:
        """Of the earlier years; None where none is known."""
        return Fraction(sum(self.earlier), len(self.earlier)) if self.earlier else None

    @property
    def limit(self) -> Fraction | None:
        """What payment is capped at: twice the mean."""
        return None if self.mean is None else _FACTOR * self.mean

    @property
    def abnormal(self) -> bool | None:
        """Whether the volume exceeds the limit; None where there is none."""
        return None if self.limit is None else self.litres > self.limit


def years_before(first: date, last: date) -> list[tuple[date, date]]:
    """The equivalent periods of the three years before, each as long as this one, the latest first."""
    return [
        (begun, begun + (last - first))
        for begun in (_same_day(first, years) for years in range(1, YEARS_COMPARED + 1))
    ]


def _same_day(day: date, years: int) -> date:
    """The same day, years before; 29 February gives the 28th."""
    year = day.year - years
    return date(year, day.month, min(day.day, monthrange(year, day.month)[1]))


def attestation_due(notice: date) -> date:
    """The same day of the next month, or its last day where it has no such day: 31 January gives 28 February
    (regulation (EEC, Euratom) 1182/71, article 3.2 c).
    """
    year, month = (notice.year + 1, 1) if notice.month == 12 else (notice.year, notice.month + 1)
    return date(year, month, min(notice.day, monthrange(year, month)[1]))
