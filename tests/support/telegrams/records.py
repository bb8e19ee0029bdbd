"""Data records as bytes, for every coding of EN 13757-3: the simulator's, and all that it does not send.

In: coordinates (function, storage, tariff, subunit), a VIF with its extensions, and a value. Out: header and
data. The one rule: nothing here is taken from the decoder, so a record written and read again tests both.
"""

import struct
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from submeter.simulator.records import (
    BCD_BYTES,
    INTEGER_BYTES,
    EncodedRecord,
    compact,
    crc16,
    full,
    type_g,
)

__all__ = ["BCD_BYTES", "INTEGER_BYTES", "EncodedRecord", "Place", "compact", "crc16", "full", "type_g"]

INSTANTANEOUS, MAXIMUM, MINIMUM, ERROR_STATE = range(4)
REAL, VARIABLE = 0x5, 0xD


class Place(NamedTuple):
    """The coordinates of a record: storage < 2**41, tariff < 2**20, subunit < 2**10."""

    function: int = INSTANTANEOUS
    storage: int = 0
    tariff: int = 0
    subunit: int = 0


NOW = Place()


def header(coding: int, vif: str, place: Place = NOW) -> bytes:
    """DIF, as few DIFEs as hold the coordinates, and the VIF with its extensions as hexadecimal text."""
    first = coding | place.function << 4 | (place.storage & 1) << 6
    storage, tariff, subunit = place.storage >> 1, place.tariff, place.subunit
    extensions = bytearray()
    while storage or tariff or subunit:
        extensions.append(storage & 0x0F | (tariff & 0x03) << 4 | (subunit & 0x01) << 6)
        storage, tariff, subunit = storage >> 4, tariff >> 2, subunit >> 1
    dib = bytearray((first, *extensions))
    for index in range(len(dib) - 1):
        dib[index] |= 0x80
    return bytes(dib) + bytes.fromhex(vif)


def integer(coding: int, vif: str, value: int, place: Place = NOW) -> EncodedRecord:
    """Type B: a signed integer of the width that the coding has."""
    return EncodedRecord(
        header(coding, vif, place), value.to_bytes(INTEGER_BYTES[coding], "little", signed=True)
    )


def bits(coding: int, vif: str, value: int, place: Place = NOW) -> EncodedRecord:
    """Type D: bits, without a sign."""
    return EncodedRecord(header(coding, vif, place), value.to_bytes(INTEGER_BYTES[coding], "little"))


def bcd(coding: int, vif: str, value: int, place: Place = NOW) -> EncodedRecord:
    """Type A: decimal digits; a minus is an F in the place of the top digit."""
    return EncodedRecord(header(coding, vif, place), digits(value, BCD_BYTES[coding]))


def digits(value: int, width: int) -> bytes:
    """Decimal digits in so many bytes, the lowest first; OverflowError when they do not fit."""
    room = 2 * width - (value < 0)
    text = f"{abs(value):0{room}d}"
    if len(text) > room:
        raise OverflowError(value)
    return bytes.fromhex(("f" if value < 0 else "") + text)[::-1]


def real(vif: str, value: float, place: Place = NOW) -> EncodedRecord:
    """Type H: IEEE 754 single precision."""
    return EncodedRecord(header(REAL, vif, place), struct.pack("<f", value))


def text(vif: str, value: str, place: Place = NOW) -> EncodedRecord:
    """LVAR 00..BF: text of ISO 8859-1, the last character first."""
    content = value.encode("latin-1")[::-1]
    return EncodedRecord(header(VARIABLE, vif, place), bytes((len(content),)) + content)


def variable_bcd(vif: str, value: int, width: int, place: Place = NOW) -> EncodedRecord:
    """LVAR C0..C9 and D0..D9: digits in `width` bytes, the sign in the LVAR."""
    lvar = (0xD0 if value < 0 else 0xC0) + width
    return EncodedRecord(header(VARIABLE, vif, place), bytes((lvar,)) + digits(abs(value), width))


def variable_integer(vif: str, value: int, width: int, place: Place = NOW) -> EncodedRecord:
    """LVAR E0..EF and F0..F6: a binary number of 0..15, 16, 20 .. 32, 48 or 64 bytes."""
    lvar = {16: 0xF0, 20: 0xF1, 24: 0xF2, 28: 0xF3, 32: 0xF4, 48: 0xF5, 64: 0xF6}.get(width, 0xE0 + width)
    return EncodedRecord(
        header(VARIABLE, vif, place), bytes((lvar,)) + value.to_bytes(width, "little", signed=True)
    )


def day(value: date | None, place: Place = NOW) -> EncodedRecord:
    """Type G under VIF 6C; None is FFFF."""
    return EncodedRecord(header(2, "6C", place), b"\xff\xff" if value is None else type_g(value))


def moment_f(value: datetime, place: Place = NOW, *, invalid: bool = False) -> EncodedRecord:
    """Type F under VIF 6D: minutes, hours, day."""
    clock = bytes((value.minute | invalid << 7, value.hour))
    return EncodedRecord(header(4, "6D", place), clock + type_g(value))


def moment_i(value: datetime, place: Place = NOW) -> EncodedRecord:
    """Type I under VIF 6D: seconds, minutes, hours, day, and a byte for week and summer time."""
    clock = bytes((value.second, value.minute, value.hour))
    return EncodedRecord(header(6, "6D", place), clock + type_g(value) + bytes(1))


def profile(
    vif: str, slots: Iterable[int | None], *, coding: int, mode: int, unit: int, spacing: int, place: Place
) -> EncodedRecord:
    """A compact profile (annex F): control byte, spacing, slots; a slot of None is sent as illegal.

    Args:
        vif: with the VIFE 13, 1E or 1F at its end.
        slots: in the order sent.
        coding: of a slot.
        mode: 0 values, 1 increments, 2 decrements, 3 signed differences.
        unit: 0 seconds, 1 minutes, 2 hours, 3 days or months.
        spacing: how many of the unit, or 254.
        place: the place of the base value.
    """
    content = bytes((mode << 6 | unit << 4 | coding, spacing)) + b"".join(
        _slot(slot, coding, signed=mode in {0, 3}) for slot in slots
    )
    return EncodedRecord(header(VARIABLE, vif, place), bytes((len(content),)) + content)


def _slot(value: int | None, coding: int, *, signed: bool) -> bytes:
    if coding in BCD_BYTES:
        return b"\xff" * BCD_BYTES[coding] if value is None else digits(value, BCD_BYTES[coding])
    width = INTEGER_BYTES[coding]
    if value is None:
        return bytes(width - 1) + b"\x80" if signed else b"\xff" * width
    return value.to_bytes(width, "little", signed=signed)
