"""Telegrams of a meter that does not exist: a small encoder, written from the standard.

In: a meter and a reading. Out: a radio telegram, L field first, without link checksums. The one rule: nothing
here is shared with the decoder, so that decoding these telegrams proves something. EN 13757-3 (records),
EN 13757-4 (link layer), EN 13757-7 (short header, security mode 5).
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from Crypto.Cipher import AES

_SND_NR: Final = 0x44
_SHORT_HEADER: Final = 0x7A
_MODE_5: Final = 0x05
_BLOCK: Final = 16
_FILLER: Final = b"\x2f"


@dataclass(frozen=True, slots=True)
class Meter:
    """Who sends: three letters, eight decimal digits, version, medium."""

    maker: str
    number: str
    version: int
    medium: int

    def __str__(self) -> str:
        return f"{self.maker}-{self.number}-{self.version:02X}-{self.medium:02X}"

    def wire(self) -> bytes:
        """M field (five bits a letter) and A field, least significant byte first."""
        code = 0
        for letter in self.maker:
            code = code * 32 + ord(letter) - ord("A") + 1
        return (
            code.to_bytes(2, "little") + bytes.fromhex(self.number)[::-1] + bytes((self.version, self.medium))
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What it sends: cubic metres now and at the month's end, and a word of alarm bits."""

    volume: Decimal
    target_volume: Decimal
    target_date: date
    alarms: int


def plain(meter: Meter, reading: Reading, *, access: int) -> bytes:
    """A telegram that anybody can read (security mode 0)."""
    return _telegram(meter, bytes((access, 0, 0, 0)) + _records(reading))


def encrypted(meter: Meter, reading: Reading, *, key: bytes, access: int) -> bytes:
    """A telegram in security mode 5: AES-128-CBC, the address and eight access numbers before it."""
    content = 2 * _FILLER + _records(reading)
    content += _FILLER * (-len(content) % _BLOCK)
    cipher = AES.new(key, AES.MODE_CBC, iv=meter.wire() + bytes((access,)) * 8)
    header = bytes((access, 0, len(content) // _BLOCK << 4, _MODE_5))
    return _telegram(meter, header + cipher.encrypt(content))


def _telegram(meter: Meter, body: bytes) -> bytes:
    content = bytes((_SND_NR,)) + meter.wire() + bytes((_SHORT_HEADER,)) + body
    return bytes((len(content),)) + content


def _records(reading: Reading) -> bytes:
    """Volume in litres as BCD, alarm bits, and under storage number 1 the month's end."""
    return (
        bytes.fromhex("0C13")
        + _litres(reading.volume)
        + bytes.fromhex("02FD17")
        + reading.alarms.to_bytes(2, "little")
        + bytes.fromhex("4C13")
        + _litres(reading.target_volume)
        + bytes.fromhex("426C")
        + _type_g(reading.target_date)
    )


def _litres(volume: Decimal) -> bytes:
    return bytes.fromhex(f"{int(volume * 1000):08d}")[::-1]


def _type_g(day: date) -> bytes:
    """Day, month and a year counted from 2000, whose bits are in two places (EN 13757-3 annex A)."""
    year = day.year - 2000
    return bytes((day.day | (year & 0b111) << 5, day.month | year >> 3 << 4))
