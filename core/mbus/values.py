"""How the bytes of a data field become a value.

In: the coding of the DIF, the bytes, what is measured. Out: int, Decimal, date, datetime, str or bytes; None
when the meter says "no value" (all ones, the most negative number, an empty date) or sends what the coding
forbids. The one rule: a doubt is None, never a number. EN 13757-3 clause 6.3.3 and annex A (types A to M).
"""

import struct
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import IntEnum
from typing import Final

from core.mbus.vocabulary import Measurand, RecordValue


class Coding(IntEnum):
    """The low four bits of a DIF."""

    NONE = 0x0
    INT8 = 0x1
    INT16 = 0x2
    INT24 = 0x3
    INT32 = 0x4
    REAL32 = 0x5
    INT48 = 0x6
    INT64 = 0x7
    SELECTION = 0x8
    BCD2 = 0x9
    BCD4 = 0xA
    BCD6 = 0xB
    BCD8 = 0xC
    VARIABLE = 0xD
    BCD12 = 0xE
    SPECIAL = 0xF


LENGTHS: Final = (0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, 0, 6, 0)
BCD_CODINGS: Final = frozenset({Coding.BCD2, Coding.BCD4, Coding.BCD6, Coding.BCD8, Coding.BCD12})

# Bits or codes, not counts: read without a sign, and all ones is a content like any other (type D).
UNSIGNED: Final = frozenset(
    {
        Measurand.ERROR_FLAGS,
        Measurand.DIGITAL_INPUT,
        Measurand.DIGITAL_OUTPUT,
        Measurand.MANUFACTURER_SPECIFIC,
        Measurand.ACCESS_NUMBER,
        Measurand.MEDIUM,
        Measurand.MODEL_VERSION,
        Measurand.HARDWARE_VERSION,
        Measurand.FIRMWARE_VERSION,
        Measurand.SOFTWARE_VERSION,
        Measurand.PARAMETER_SET,
        Measurand.ERROR_MASK,
        Measurand.SUPPLIER_INFORMATION,
    }
)
# Moments; which type it is follows from the length.
MOMENTS: Final = frozenset(
    {Measurand.DATE, Measurand.DATE_TIME, Measurand.BATTERY_CHANGE, Measurand.TARIFF_START}
)
# Numbers that name something: leading zeros belong to them.
IDENTIFIERS: Final = frozenset(
    {
        Measurand.FABRICATION_NUMBER,
        Measurand.ENHANCED_IDENTIFICATION,
        Measurand.CUSTOMER,
        Measurand.CUSTOMER_LOCATION,
        Measurand.MANUFACTURER,
    }
)
# Counters and what has elapsed: a number, and in truth never below zero, though the codings carry a sign.
COUNTS: Final = frozenset(
    {
        Measurand.ENERGY,
        Measurand.APPARENT_ENERGY,
        Measurand.VOLUME,
        Measurand.MASS,
        Measurand.ALLOCATOR_UNITS,
        Measurand.ON_TIME,
        Measurand.OPERATING_TIME,
        Measurand.AVERAGING_DURATION,
        Measurand.ACTUALITY_DURATION,
        Measurand.REMAINING_BATTERY,
        Measurand.BATTERY_OPERATING_TIME,
        Measurand.DURATION_SINCE_READOUT,
        Measurand.DURATION_SINCE_CUMULATION,
        Measurand.TARIFF_DURATION,
        Measurand.TARIFF_PERIOD,
        Measurand.STORAGE_INTERVAL,
        Measurand.TRANSMISSION_PERIOD,
        Measurand.RESET_COUNTER,
        Measurand.CUMULATION_COUNTER,
        Measurand.STOP_COUNTER,
        Measurand.DURATION,
        Measurand.COUNT,
    }
)
_LONG: Final = 4  # bytes from which all ones and the most negative number are not taken for an identifier
_VARIABLE_BINARY: Final = 0xE0


def decode_value(coding: int, data: bytes, measurand: Measurand, lvar: int | None = None) -> RecordValue:
    """The unscaled value of a data field.

    Args:
        coding: low four bits of the DIF.
        data: the bytes, without the LVAR byte.
        measurand: from the VIF; it decides between numbers, dates, bits and identifiers.
        lvar: the LVAR byte when the coding is VARIABLE.

    """
    if measurand in MOMENTS:
        binary = coding != Coding.VARIABLE or (lvar or 0) >= _VARIABLE_BINARY
        return moment(data, measurand) if binary else None
    if coding == Coding.VARIABLE:
        return _variable(lvar or 0, data, measurand)
    if coding == Coding.REAL32:
        return _real(data)
    if coding in BCD_CODINGS:
        return digits_of(data) if measurand in IDENTIFIERS else bcd(data)
    if not data:
        return None
    if measurand in UNSIGNED:
        return int.from_bytes(data, "little")
    if measurand in IDENTIFIERS:
        return _identifier(coding, data, measurand)
    return signed(data)


def _identifier(coding: int, data: bytes, measurand: Measurand) -> str | None:
    if measurand is Measurand.ENHANCED_IDENTIFICATION and coding == Coding.INT64:
        # The whole address of a long header: eight digits, maker, version, medium.
        return digits_of(data[:4])
    return _binary_identifier(data)


def _binary_identifier(data: bytes) -> str | None:
    number, bits = int.from_bytes(data, "little"), 8 * len(data)
    if len(data) >= _LONG and number in {(1 << bits) - 1, 1 << bits - 1}:
        return None
    return str(number)


def signed(data: bytes) -> int | None:
    """Type B: two's complement; the most negative number means "no value"."""
    number = int.from_bytes(data, "little", signed=True)
    return None if number == -1 << (8 * len(data) - 1) else number


def bcd(data: bytes) -> int | None:
    """Type A: decimal digits; F in the top digit is a minus; any other digit beyond 9 means "no value"."""
    digits = data[::-1].hex()
    if digits.isdecimal():
        return int(digits)
    if digits[:1] == "f" and digits[1:].isdecimal():
        return -int(digits[1:])
    return None


def digits_of(data: bytes) -> str | None:
    """Type A as text; None when a digit is beyond 9."""
    digits = data[::-1].hex()
    return digits if digits.isdecimal() else None


def _real(data: bytes) -> Decimal | None:
    """Type H: IEEE 754 single precision, seven significant digits."""
    try:
        number = Decimal(f"{struct.unpack('<f', data)[0]:.7g}")
    except (InvalidOperation, struct.error):
        return None
    return number if number.is_finite() else None


def _variable(lvar: int, data: bytes, measurand: Measurand) -> RecordValue:
    if lvar < 0xC0:
        text = data[::-1].decode("latin-1")
        return text if text.isprintable() else data
    if 0xC0 <= lvar <= 0xC9:
        return digits_of(data) if measurand in IDENTIFIERS else bcd(data)
    if 0xD0 <= lvar <= 0xD9:
        number = bcd(data)
        return None if number is None else -number
    if measurand in UNSIGNED:
        return int.from_bytes(data, "little")
    if measurand in IDENTIFIERS:
        return _binary_identifier(data)
    return signed(data) if data else None


def variable_length(lvar: int) -> int | None:
    """How many bytes follow an LVAR byte; None for the reserved codes (EN 13757-3 clause 6.3.5)."""
    if lvar < 0xC0:
        return lvar
    if lvar <= 0xC9 or 0xD0 <= lvar <= 0xD9 or 0xE0 <= lvar <= 0xEF:
        return lvar & 0x0F
    if 0xF0 <= lvar <= 0xF4:
        return 4 * (lvar - 0xEC)
    return {0xF5: 48, 0xF6: 64}.get(lvar)


def moment(data: bytes, measurand: Measurand) -> date | datetime | None:
    """Types F, G and I, by length; a date has two bytes."""
    if len(data) == 2:
        return date_g(data)
    if measurand is Measurand.DATE:
        return None
    if len(data) == 4:
        return _datetime_f(data)
    if len(data) == 6:
        return datetime_i(data)
    return None


def date_g(data: bytes) -> date | None:
    """Type G: day, month, year of 2000..2099; day 31 is a day, day or month 0 ("every") is no date."""
    low, high = data
    return _date(low, high)


def _date(low: int, high: int) -> date | None:
    year = low >> 5 | high >> 4 << 3
    if year > 99:
        return None
    try:
        return date(2000 + year, high & 0x0F, low & 0x1F)
    except ValueError:
        return None


def _datetime_f(data: bytes) -> datetime | None:
    """Type F: minute (bit 7: invalid), hour, then type G.

    The century in bits 5-6 of the hour is not read: meters in service send 0, 1 and 2 alike for 2000..2099.
    """
    if data[0] & 0x80:
        return None
    return _at(data[2], data[3], data[1] & 0x1F, data[0] & 0x3F, 0)


def datetime_i(data: bytes) -> datetime | None:
    """Type I: second, minute (bit 7: invalid), hour, then type G, then week; no other flags are read."""
    return datetimes_i((data,))[0]


def datetimes_i(column: Iterable[bytes]) -> list[datetime | None]:
    """Many of type I."""
    found: list[datetime | None] = []
    for second, minute, hour, low, high, _ in column:
        year = low >> 5 | high >> 4 << 3
        try:
            moment = datetime(2000 + year, high & 0x0F, low & 0x1F, hour & 0x1F, minute & 0x3F, second & 0x3F)  # noqa: DTZ001 - a meter's clock has no zone
        except ValueError:
            found.append(None)
        else:
            found.append(None if year > 99 or minute & 0x80 else moment)
    return found


def _at(low: int, high: int, hour: int, minute: int, second: int) -> datetime | None:
    year = low >> 5 | high >> 4 << 3
    if year > 99:
        return None
    try:
        return datetime(2000 + year, high & 0x0F, low & 0x1F, hour, minute, second)  # noqa: DTZ001 - a meter's clock has no zone
    except ValueError:
        return None
