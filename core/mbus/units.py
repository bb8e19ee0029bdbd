"""What a VIF means: the tables of EN 13757-3 as data.

In: a VIF byte and the table it belongs to (primary, first extension FB, second extension FD). Out: what is
measured, the unit and the power of ten. The one rule: a code that is reserved, or not in these tables, is
`UNKNOWN`, and what it carries is not published. Clauses 6.4.3 (table 10), 6.4.4 (tables 12 and 14), 6.4.5
(combinable codes, table 15).
"""

from dataclasses import dataclass
from typing import Final

from core.mbus.vocabulary import Measurand

EXTENSION_BIT: Final = 0x80
FIRST_EXTENSION: Final = 0x7B
SECOND_EXTENSION: Final = 0x7D
PLAIN_TEXT: Final = 0x7C
MANUFACTURER: Final = 0x7F


@dataclass(frozen=True, slots=True)
class ValueUnit:
    """One row: the measurand, the unit of the scaled value and the power of ten that scales it."""

    measurand: Measurand
    unit: str = ""
    exponent: int = 0


UNKNOWN: Final = ValueUnit(Measurand.UNKNOWN)

# (first code, how many codes, measurand, unit, power of ten of the first code); the power grows by one a
# code.
_Scaled = tuple[int, int, Measurand, str, int]
_PRIMARY_SCALED: Final[tuple[_Scaled, ...]] = (
    (0x00, 8, Measurand.ENERGY, "kWh", -6),
    (0x08, 8, Measurand.ENERGY, "MJ", -6),
    (0x10, 8, Measurand.VOLUME, "m3", -6),
    (0x18, 8, Measurand.MASS, "kg", -3),
    (0x28, 8, Measurand.POWER, "kW", -6),
    (0x30, 8, Measurand.POWER, "MJ/h", -6),
    (0x38, 8, Measurand.VOLUME_FLOW, "m3/h", -6),
    (0x40, 8, Measurand.VOLUME_FLOW, "m3/min", -7),
    (0x48, 8, Measurand.VOLUME_FLOW, "m3/s", -9),
    (0x50, 8, Measurand.MASS_FLOW, "kg/h", -3),
    (0x58, 4, Measurand.FLOW_TEMPERATURE, "C", -3),
    (0x5C, 4, Measurand.RETURN_TEMPERATURE, "C", -3),
    (0x60, 4, Measurand.TEMPERATURE_DIFFERENCE, "K", -3),
    (0x64, 4, Measurand.EXTERNAL_TEMPERATURE, "C", -3),
    (0x68, 4, Measurand.PRESSURE, "bar", -3),
)
_FIRST_SCALED: Final[tuple[_Scaled, ...]] = (
    (0x00, 2, Measurand.ENERGY, "MWh", -1),
    (0x02, 2, Measurand.REACTIVE_ENERGY, "kvarh", 0),
    (0x04, 2, Measurand.APPARENT_ENERGY, "kVAh", 0),
    (0x08, 2, Measurand.ENERGY, "GJ", -1),
    (0x0C, 4, Measurand.ENERGY, "Mcal", -1),
    (0x10, 2, Measurand.VOLUME, "m3", 2),
    (0x14, 4, Measurand.REACTIVE_POWER, "kvar", -3),
    (0x18, 2, Measurand.MASS, "t", 2),
    (0x1A, 2, Measurand.RELATIVE_HUMIDITY, "%", -1),
    (0x28, 2, Measurand.POWER, "MW", -1),
    (0x2A, 1, Measurand.PHASE, "deg", -1),
    (0x2B, 1, Measurand.PHASE, "deg", -1),
    (0x2C, 4, Measurand.FREQUENCY, "Hz", -3),
    (0x30, 2, Measurand.POWER, "GJ/h", -1),
    (0x34, 4, Measurand.APPARENT_POWER, "kVA", -3),
    (0x74, 4, Measurand.TEMPERATURE_LIMIT, "C", -3),
    (0x78, 8, Measurand.MAXIMUM_POWER_COUNT, "W", -3),
)
_SECOND_SCALED: Final[tuple[_Scaled, ...]] = (
    (0x00, 4, Measurand.CREDIT, "", -3),
    (0x04, 4, Measurand.DEBIT, "", -3),
    (0x40, 16, Measurand.VOLTAGE, "V", -9),
    (0x50, 16, Measurand.CURRENT, "A", -12),
)

_SHORT_TIMES: Final = ("s", "min", "h", "d")
_LONG_TIMES: Final = ("h", "d", "month", "year")
_Times = tuple[int, Measurand, tuple[str, ...]]
# (first code, measurand, unit of each code).
_PRIMARY_TIMES: Final[tuple[_Times, ...]] = (
    (0x20, Measurand.ON_TIME, _SHORT_TIMES),
    (0x24, Measurand.OPERATING_TIME, _SHORT_TIMES),
    (0x70, Measurand.AVERAGING_DURATION, _SHORT_TIMES),
    (0x74, Measurand.ACTUALITY_DURATION, _SHORT_TIMES),
)
_SECOND_TIMES: Final[tuple[_Times, ...]] = (
    (0x24, Measurand.STORAGE_INTERVAL, _SHORT_TIMES),
    (0x28, Measurand.STORAGE_INTERVAL, ("month", "year")),
    (0x2C, Measurand.DURATION_SINCE_READOUT, _SHORT_TIMES),
    (0x31, Measurand.TARIFF_DURATION, ("min", "h", "d")),
    (0x34, Measurand.TARIFF_PERIOD, _SHORT_TIMES),
    (0x38, Measurand.TARIFF_PERIOD, ("month", "year")),
    (0x3C, Measurand.TRANSMISSION_PERIOD, _SHORT_TIMES),
    (0x68, Measurand.DURATION_SINCE_CUMULATION, _LONG_TIMES),
    (0x6C, Measurand.BATTERY_OPERATING_TIME, _LONG_TIMES),
)
_PRIMARY_SINGLE: Final = {
    0x6C: ValueUnit(Measurand.DATE),
    0x6D: ValueUnit(Measurand.DATE_TIME),
    0x6E: ValueUnit(Measurand.ALLOCATOR_UNITS),
    0x78: ValueUnit(Measurand.FABRICATION_NUMBER),
    0x79: ValueUnit(Measurand.ENHANCED_IDENTIFICATION),
    0x7A: ValueUnit(Measurand.BUS_ADDRESS),
    0x7F: ValueUnit(Measurand.MANUFACTURER_SPECIFIC),
}
_SECOND_SINGLE: Final = {
    0x08: ValueUnit(Measurand.ACCESS_NUMBER),
    0x09: ValueUnit(Measurand.MEDIUM),
    0x0A: ValueUnit(Measurand.MANUFACTURER),
    0x0B: ValueUnit(Measurand.PARAMETER_SET),
    0x0C: ValueUnit(Measurand.MODEL_VERSION),
    0x0D: ValueUnit(Measurand.HARDWARE_VERSION),
    0x0E: ValueUnit(Measurand.FIRMWARE_VERSION),
    0x0F: ValueUnit(Measurand.SOFTWARE_VERSION),
    0x10: ValueUnit(Measurand.CUSTOMER_LOCATION),
    0x11: ValueUnit(Measurand.CUSTOMER),
    0x17: ValueUnit(Measurand.ERROR_FLAGS),
    0x18: ValueUnit(Measurand.ERROR_MASK),
    0x1A: ValueUnit(Measurand.DIGITAL_OUTPUT),
    0x1B: ValueUnit(Measurand.DIGITAL_INPUT),
    0x1C: ValueUnit(Measurand.BAUD_RATE, "Bd"),
    0x20: ValueUnit(Measurand.STORAGE_NUMBER),
    0x21: ValueUnit(Measurand.STORAGE_NUMBER),
    0x22: ValueUnit(Measurand.STORAGE_NUMBER),
    0x30: ValueUnit(Measurand.TARIFF_START),
    0x3A: ValueUnit(Measurand.DIMENSIONLESS),
    0x60: ValueUnit(Measurand.RESET_COUNTER),
    0x61: ValueUnit(Measurand.CUMULATION_COUNTER),
    0x67: ValueUnit(Measurand.SUPPLIER_INFORMATION),
    0x70: ValueUnit(Measurand.BATTERY_CHANGE),
    0x71: ValueUnit(Measurand.RADIO_LEVEL, "dBm"),
    0x74: ValueUnit(Measurand.REMAINING_BATTERY, "d"),
    0x75: ValueUnit(Measurand.STOP_COUNTER),
}


def _expand(rows: tuple[_Scaled, ...]) -> dict[int, ValueUnit]:
    return {
        first + step: ValueUnit(measurand, unit, exponent + step)
        for first, count, measurand, unit, exponent in rows
        for step in range(count)
    }


def _times(rows: tuple[_Times, ...]) -> dict[int, ValueUnit]:
    return {
        first + step: ValueUnit(measurand, unit)
        for first, measurand, names in rows
        for step, unit in enumerate(names)
    }


PRIMARY: Final = _expand(_PRIMARY_SCALED) | _times(_PRIMARY_TIMES) | _PRIMARY_SINGLE
FIRST: Final = _expand(_FIRST_SCALED)
SECOND: Final = _expand(_SECOND_SCALED) | _times(_SECOND_TIMES) | _SECOND_SINGLE


@dataclass(frozen=True, slots=True)
class Correction:
    """A combinable code that corrects the value itself: multiply by a power of ten, or add a constant."""

    exponent: int = 0
    addend_exponent: int | None = None


# Combinable (orthogonal) codes of table 15 that change the number; all others qualify it and stay with the
# record.
CORRECTIONS: Final = (
    {0x70 + step: Correction(exponent=step - 6) for step in range(8)}
    | {0x78 + step: Correction(addend_exponent=step - 3) for step in range(4)}
    | {0x7D: Correction(exponent=3)}
)
FURTHER_EXTENSION: Final = 0x7C

# Combinable codes after which the data are no longer what the VIF names, but a moment, a duration or a count
# about it.
RESTATED: Final = (
    dict.fromkeys(
        (0x39, 0x42, 0x43, 0x46, 0x47, 0x4A, 0x4B, 0x4E, 0x4F, 0x6A, 0x6B, 0x6E, 0x6F),
        ValueUnit(Measurand.DATE_TIME),
    )
    | dict.fromkeys((0x41, 0x49), ValueUnit(Measurand.COUNT))
    | {
        first + step: ValueUnit(Measurand.DURATION, unit)
        for first in (0x50, 0x54, 0x58, 0x5C, 0x60, 0x64)
        for step, unit in enumerate(_SHORT_TIMES)
    }
)

# Names for combinable codes that drivers ask for.
FORWARD: Final = 0x3B
BACKWARD: Final = 0x3C
BASE_CONDITIONS: Final = 0x3E
INVERSE_PROFILE: Final = 0x13
COMPACT_PROFILES: Final = frozenset({INVERSE_PROFILE, 0x1E, 0x1F})
