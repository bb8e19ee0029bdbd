"""Fluids and the units they are counted in."""

import pytest

from core.consumption.fluids import Fluid, Unit


@pytest.mark.parametrize(
    ("fluid", "unit", "is_water"),
    [
        (Fluid.COLD_WATER, Unit.LITRE, True),
        (Fluid.HOT_WATER, Unit.LITRE, True),
        (Fluid.HEAT, Unit.WATT_HOUR, False),
        (Fluid.HEAT_ALLOCATOR, Unit.ALLOCATOR_UNIT, False),
    ],
)
def test_each_fluid_has_its_smallest_unit(fluid, unit, is_water) -> None:
    """Litres of water, watt-hours of heat; leak alerts exist for water alone."""
    assert (fluid.unit, fluid.is_water) == (unit, is_water)


def test_every_fluid_and_every_unit_is_used() -> None:
    """No unit without a fluid that is counted in it."""
    assert {fluid.unit for fluid in Fluid} == set(Unit)
