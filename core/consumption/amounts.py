"""Amounts as people read them: the unit in which a fluid is shown, and rounding half up.

In: integers in the smallest unit of a register (litres, watt-hours, allocator units), or exact fractions.
Out: `Decimal`. The one rule: no figure passes through a float, and only what is shown is rounded.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from core.consumption.fluids import Fluid, Unit

LITRES_PER_M3 = 1000
_EXACT = Context(prec=1_000, rounding=ROUND_HALF_UP)


def rounded(value: Fraction | Decimal | int, places: int) -> Decimal:
    """The value with so many decimals, half up: 13.275 is 13.28 with two."""
    if not isinstance(value, Fraction):
        found = _EXACT.quantize(Decimal(value), Decimal(1).scaleb(-places))
        return found or abs(found)  # there is no -0
    scaled = abs(value) * 10**places
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(units if value >= 0 else -units).scaleb(-places)


class DisplayUnit(StrEnum):
    """The unit in which amounts are shown; water by the cubic metre (R-085), heat by the kilowatt-hour."""

    CUBIC_METRE = "CUBIC_METRE"
    KILOWATT_HOUR = "KILOWATT_HOUR"
    ALLOCATOR_UNIT = "ALLOCATOR_UNIT"

    @property
    def decimals(self) -> int:
        """How many digits of the smallest unit come after the decimal point."""
        return 0 if self is DisplayUnit.ALLOCATOR_UNIT else 3

    @classmethod
    def of(cls, fluid: Fluid) -> "DisplayUnit":
        return _SHOWN_IN[fluid.unit]


_SHOWN_IN = {
    Unit.LITRE: DisplayUnit.CUBIC_METRE,
    Unit.WATT_HOUR: DisplayUnit.KILOWATT_HOUR,
    Unit.ALLOCATOR_UNIT: DisplayUnit.ALLOCATOR_UNIT,
}


@lru_cache(maxsize=16_384)
def in_shown_unit(fluid: Fluid, smallest: int) -> Decimal:
    """The amount in the unit in which the fluid is shown, exact: 13280 litres are 13.280 m3."""
    return Decimal(smallest).scaleb(_EXPONENT[fluid])


_EXPONENT = {fluid: -DisplayUnit.of(fluid).decimals for fluid in Fluid}


def shown_amounts(fluid: Fluid, smallest: Iterable[int | None]) -> list[Decimal | None]:
    """Amounts of a series in the unit in which the fluid is shown; None where there is no data."""
    return [None if one is None else in_shown_unit(fluid, one) for one in smallest]
