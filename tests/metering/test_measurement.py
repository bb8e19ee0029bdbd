"""core.metering.measurement: stable names, flags as a mask, the billed index."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.metering import Index, Measurement, Quantity, StatusFlag, bits_to_flags, flags_to_bits

# Stored in the database: a line may be added, never changed.
STORED_BITS = {
    "LEAK": 0, "BURST": 1, "DRY": 2, "REVERSE": 3, "TAMPER": 4, "BATTERY_LOW": 5, "TEMPORARY_ERROR": 6,
    "PERMANENT_ERROR": 7,
    "NO_FLOW": 8, "BLOCKED": 9, "OVERFLOW": 10, "UNDERFLOW": 11, "SUBMERGED": 12, "AIR": 13,
    "SENSOR_ERROR": 14, "LOW_TEMPERATURE": 15, "POWER_FAILURE": 16, "EXTERNAL_ALARM": 17,
    "COMMUNICATION_ERROR": 18, "ALARM": 19, "APPLICATION_ERROR": 20,
}  # fmt: skip


def test_flag_bits_are_stable():
    """A stored mask means tomorrow what it means today."""
    assert {flag.value: flag.bit for flag in StatusFlag} == STORED_BITS


@given(st.frozensets(st.sampled_from(StatusFlag)))
def test_flags_survive_storage(flags):
    """Flags to a mask and back."""
    assert bits_to_flags(flags_to_bits(flags)) == flags


def test_a_bit_of_a_later_release_is_left_out():
    """An old program reads a newer mask without failing."""
    assert bits_to_flags(1 << 40 | 1) == {StatusFlag.LEAK}


@pytest.mark.parametrize(
    ("values", "index"),
    [
        ({"total_volume_m3": Decimal("123.456")}, Index(Quantity.VOLUME, 123456)),
        ({"total_volume_m3": Decimal("0.0079")}, Index(Quantity.VOLUME, 7)),
        ({"total_volume_m3": Decimal("-0.0079")}, Index(Quantity.VOLUME, -8)),
        (
            {"total_energy_kwh": Decimal("1234.7"), "total_volume_m3": Decimal(1)},
            Index(Quantity.ENERGY, 1234700),
        ),
        ({"hca_units": 127}, Index(Quantity.ALLOCATOR, 127)),
        ({"target_volume_m3": Decimal(1)}, None),
        ({}, None),
    ],
)
def test_the_index_is_a_whole_number_of_the_smallest_unit(values, index):
    """Litres, watt-hours or units, floored; a heat meter's index is its energy; no total, no index."""
    assert Measurement(values).index == index
