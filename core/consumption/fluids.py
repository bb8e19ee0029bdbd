"""The fluids that a dwelling is metered for, and the unit each is counted in (R-043, R-067…R-069).

Amounts are integers in the smallest unit everywhere below the doors: only a door converts litres to m³.
"""

from enum import StrEnum


class Unit(StrEnum):
    """The smallest unit of an index."""

    LITRE = "LITRE"
    WATT_HOUR = "WATT_HOUR"
    ALLOCATOR_UNIT = "ALLOCATOR_UNIT"


class Fluid(StrEnum):
    """What a meter counts; the dashboard has one tab for each that is present (R-069)."""

    COLD_WATER = "COLD_WATER"
    HOT_WATER = "HOT_WATER"
    HEAT = "HEAT"
    HEAT_ALLOCATOR = "HEAT_ALLOCATOR"

    @property
    def unit(self) -> Unit:
        return _UNITS[self]

    @property
    def is_water(self) -> bool:
        """Leak alerts exist for water alone."""
        return self.unit is Unit.LITRE


_UNITS = {
    Fluid.COLD_WATER: Unit.LITRE,
    Fluid.HOT_WATER: Unit.LITRE,
    Fluid.HEAT: Unit.WATT_HOUR,
    Fluid.HEAT_ALLOCATOR: Unit.ALLOCATOR_UNIT,
}
