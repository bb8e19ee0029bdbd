"""Data records as meters encode them: a record is its header (DIF, VIF) and its data.

In: numbers and dates in the unit of the header. Out: bytes, in full or compact form. The one rule: this
encoder shares no code with the decoder and was written from the standard, so that decoding its telegrams
tests the decoder. Follows EN 13757-3 (codings, dates, compact frames in Kamstrup's form).
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

FILLER = 0x2F
INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 6: 6, 7: 8}  # by the coding in a DIF (EN 13757-3, table 4)
BCD_BYTES = {0x9: 1, 0xA: 2, 0xB: 3, 0xC: 4, 0xE: 6}
NEVER = bytes(2)  # a date of type G that says: not yet


class EncodedRecord(NamedTuple):
    """A record: `header` is DIF, DIFE, VIF and VIFE as sent; `data` the value as sent."""

    header: bytes
    data: bytes


def integer(header: str, value: int) -> EncodedRecord:
    """A signed little-endian integer; its width follows from the DIF in `header` (EN 13757-3, table 4).

    `integer("0413", 47889)` is `0413 11BB0000`, 47.889 m3. OverflowError when the number does not fit.
    """
    head = bytes.fromhex(header)
    width = INTEGER_BYTES[head[0] & 0x0F]
    return EncodedRecord(head, value.to_bytes(width, "little", signed=True))


def bcd(header: str, value: int) -> EncodedRecord:
    """A positive BCD number; `bcd("0C13", 94748)` is `0C13 48470900`, 94.748 m3.

    OverflowError when the number has more digits than the DIF allows.
    """
    head = bytes.fromhex(header)
    width = BCD_BYTES[head[0] & 0x0F]
    digits = f"{value:0{2 * width}d}"
    if len(digits) > 2 * width:
        raise OverflowError(f"{value} has more than {2 * width} digits")
    return EncodedRecord(head, bytes.fromhex(digits)[::-1])


def day(header: str, value: date | None) -> EncodedRecord:
    """A date of type G; 2025-12-31 under `426C` is `426C 3F3C`. None is sent as 0000: not yet."""
    return EncodedRecord(bytes.fromhex(header), NEVER if value is None else type_g(value))


def moment(header: str, value: datetime) -> EncodedRecord:
    """The meter's own clock as type I (48 bit); 2026-03-06 22:39:54 is `066D 362716463300`."""
    clock = bytes((value.second, value.minute, value.hour))
    return EncodedRecord(bytes.fromhex(header), clock + type_g(value) + bytes(1))


def type_g(value: date) -> bytes:
    """The two bytes of a type G date (EN 13757-3 annex A); the year is counted from 2000."""
    year = value.year - 2000
    return bytes((value.day | (year & 0b111) << 5, value.month | (year >> 3) << 4))


def full(records: Iterable[EncodedRecord]) -> bytes:
    """The records with their headers, as a full frame carries them."""
    return b"".join(header + data for header, data in records)


def compact(records: Iterable[EncodedRecord]) -> bytes:
    """The records without their headers: signature, CRC of the full form, data (what follows CI 79).

    The signature is the CRC of all headers, the second CRC that of the full form, both low byte first.
    """
    known = tuple(records)
    signature = crc16(b"".join(record.header for record in known))
    checks = signature.to_bytes(2, "little") + crc16(full(known)).to_bytes(2, "little")
    return checks + b"".join(record.data for record in known)


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        register = byte << 8
        for _ in range(8):
            register = (register << 1) ^ (0x13D65 if register & 0x8000 else 0)
        table.append(register)
    return tuple(table)


_CRC = _crc_table()


def crc16(data: bytes) -> int:
    """CRC-16/EN-13757: polynomial 3D65, start 0000, not reflected, final XOR FFFF (EN 13757-4)."""
    register = 0
    for byte in data:
        register = (register << 8 & 0xFFFF) ^ _CRC[register >> 8 ^ byte]
    return register ^ 0xFFFF
