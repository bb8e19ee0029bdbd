"""What a register can do between two readings: rise, roll over, run back a little, and no more.

In: two readings of one meter. Out: how far its register moved, or None where no working meter explains them.
The one rule: the cleaning of series, the judgement of doubtful readings and the conditions of meters all ask
here, so that they never disagree about which readings belong together.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from msgspec import Struct

from core.consumption.fluids import Fluid, Unit

BACKFLOW_LIMIT: Final = 10
"""Smallest units a register may run back (air, a pressure wave, a jittering pulse) within one series."""

ROLLOVER_SHARE: Final = 10
"""A drop is a rollover when the volume it stands for is at most one part in this many of the capacity."""

USUAL_OVERLOAD_LPH: Final = 5000
"""Q4 of the largest meter of a dwelling: Q3 = 4 m3/h, Q4 = 1.25 Q3 (ISO 4064-1:2014 clause 4.1.2)."""

OVERLOAD_SHARE: Final = Decimal("1.25")
"""Q4 of a water meter as a multiple of its Q3 (ISO 4064-1:2014 clause 4.1.2)."""

HEAT_OVERLOAD_SHARE: Final = 2
"""qs of a heat meter as a multiple of its qp: the ratio makers declare (EN 1434-1 leaves it at 1 or more)."""

HEAT_WH_PER_M3_AND_K: Final = 1163
"""The heat coefficient of water: 4.187 MJ a cubic metre and kelvin (EN 1434-1 annex A)."""

HIGHEST_HEAT_DIFFERENCE_K: Final = 70
"""Between flow and return of a dwelling; networks are designed for at most 110 and 40 degrees."""

USUAL_HEAT_FLOW_M3_PER_H: Final = Decimal("2.5")
"""qp of the largest heat meter of a dwelling (the sizes of EN 1434: 0.6, 1.5, 2.5 m3/h)."""

HIGHEST_ALLOCATOR_UNITS_PER_H: Final = 20
"""A unit is about a kilowatt-hour by the usual base sensitivity (EN 834 clause 5); the largest radiator of a
dwelling gives off less than 20 kW.
"""

ORDINARY_SHARE: Final = 16
"""Up to one part in this many of the highest rate is ordinary: 312 L/h for water, where a burst begins."""

CLOCK_TOLERANCE_S: Final = 60
"""By which the moments of two readings may be wrong against each other: gateways' clocks differ."""


class IndexReading(Struct, frozen=True, gc=False):
    """One index of one meter: `at_s` in UTC epoch seconds, `index` in the smallest unit of the register."""

    at_s: int
    index: int


@dataclass(frozen=True, slots=True)
class Register:
    """The register of a meter, in the smallest unit of its fluid.

    Attributes:
        capacity: how many units it counts before it shows 0 again (100,000 m3 on a five-digit water meter
            read in litres is 100,000,000); None when unknown: nothing is a rollover.
        highest_per_hour: the fastest that it can rise; None: nothing is known, and no rise is too fast.
        step: the smallest progress that it shows.
        allowed_backflow: by how much it may run back.
    """

    capacity: int | None = None
    highest_per_hour: int | None = None
    step: int = 1
    allowed_backflow: int = BACKFLOW_LIMIT

    def __post_init__(self) -> None:
        if self.capacity is not None and self.capacity <= 0:
            raise ValueError("the capacity of a register is positive")
        if self.allowed_backflow < 0:
            raise ValueError("the allowed backflow is not negative")

    def moved(self, before: IndexReading, after: IndexReading) -> int | None:
        """How far it moved; below 0 for a backflow, None where nothing explains it. `after` is the later."""
        return self.moved_within(before.index, after.index, after.at_s - before.at_s)

    def moved_within(self, before: int, after: int, seconds: int) -> int | None:
        """The same of two indexes that are so far apart."""
        units = self.moved_units(before, after)
        return None if units is None or units > self.possible(seconds) else units

    def moved_units(self, before: int, after: int) -> int | None:
        """How far it moved between two indexes, whatever the time between them."""
        units = after - before
        if self.capacity is not None:
            explained = self.capacity // ROLLOVER_SHARE
            if units < -self.allowed_backflow and units + self.capacity <= explained:
                units += self.capacity
            elif units > 0 and self.capacity - units <= max(explained, self.allowed_backflow):
                # A rise of nearly the whole register is a fall seen across the rollover: a late old telegram,
                # or backflow at zero. Taken as a rise it would count a full register.
                units -= self.capacity
        return units if units >= -self.allowed_backflow else None

    def possible(self, seconds: int) -> float:
        """The most units that it can rise within a time; without a limit, infinite."""
        if self.highest_per_hour is None:
            return float("inf")
        return self.step + self.highest_per_hour * (seconds + CLOCK_TOLERANCE_S) / 3600

    def is_ordinary(self, before: IndexReading, after: IndexReading, share: int = ORDINARY_SHARE) -> bool:
        """Whether it rose, or stood still, at no more than one part in `share` of its highest rate."""
        units = self.moved(before, after)
        return units is not None and units >= 0 and self.is_slow(units, after.at_s - before.at_s, share)

    def is_slow(self, units: int, seconds: int, share: int) -> bool:
        """Whether a rise by so many units within a time is at no more than one part in `share` of its highest
        rate.
        """
        if self.highest_per_hour is None:
            return True
        return units <= self.step + self.highest_per_hour * (seconds + CLOCK_TOLERANCE_S) / (3600 * share)


def highest_per_hour(fluid: Fluid, nominal_flow_m3_per_h: Decimal | None = None) -> int:
    """The fastest that a meter of a fluid can count, in its smallest unit an hour.

    Args:
        fluid: what it counts.
        nominal_flow_m3_per_h: its size: Q3 of a water meter (ISO 4064-1), qp of a heat meter (EN 1434-1);
            None where it is unknown, and for allocators.

    Raises:
        ValueError: the size is not positive.
    """
    if nominal_flow_m3_per_h is not None and nominal_flow_m3_per_h <= 0:
        raise ValueError("the nominal flow of a meter is positive")
    if fluid.unit is Unit.LITRE:
        if nominal_flow_m3_per_h is None:
            return USUAL_OVERLOAD_LPH
        return int(nominal_flow_m3_per_h * OVERLOAD_SHARE * 1000)
    if fluid.unit is Unit.WATT_HOUR:
        flow = nominal_flow_m3_per_h or USUAL_HEAT_FLOW_M3_PER_H
        return int(flow * HEAT_OVERLOAD_SHARE * HEAT_WH_PER_M3_AND_K * HIGHEST_HEAT_DIFFERENCE_K)
    return HIGHEST_ALLOCATOR_UNITS_PER_H
