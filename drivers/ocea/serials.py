"""The number printed on a Sappel (Diehl) water meter, and its radio address.

In: `H08CA029620` or the radio address. Out: the other. The one rule: pure arithmetic on the six address
bytes; the printed number is letter, year, two letters, six digits, and year and number together are one
number of eight digits. A year printed with one digit lost its leading zero: `H8CA029620` is `H08CA029620`,
and not `H18CA029620` (R-086).

    a0 a1 a2 a3.0-1   number yynnnnnn      a3.5-7 a4.0-1   diameter letter
    a4.2-6            type letter          a4.7 a5.0-3     owner letter
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from typing import Final

from submeter.vendor import Address

PATTERN: Final = r"[A-Z]\d{1,2}[A-Z]{2}\d{6}|\d{8}"
_PARTS: Final = re.compile(r"([A-Z])(\d{1,2})([A-Z])([A-Z])(\d{6})", re.ASCII)
_NUMBER_BITS: Final = 26
_NUMBER_MASK: Final = (1 << _NUMBER_BITS) - 1
_DIAMETER_BIT: Final = 29
_A_YEAR: Final = 1_000_000
_EIGHT_DIGITS: Final = 100_000_000  # number and year behind a 1: a third of the time of a format
_IDENTIFICATION: Final = Struct(">I")
_LETTERS: Final = range(1, 27)
MAKER: Final = "SAP"


def canonical(text: str) -> str:
    """Pads the year; the eight digits of other Diehl meters are unchanged."""
    match = _PARTS.fullmatch(text)
    if match is None:
        return text
    owner, year, kind, diameter, number = match.groups()
    return f"{owner}{int(year):02d}{kind}{diameter}{number}"


def to_address(serial: str) -> Address | None:
    """The radio address of a printed serial; None if the six bytes cannot hold it, or if it is of another
    maker.
    """
    match = _PARTS.fullmatch(serial)
    if match is None:
        return None
    owner, kind, diameter = (ord(match[group]) - 64 for group in (1, 3, 4))
    number = int(f"{int(match[2]):02d}{match[5]}")
    if number >> _NUMBER_BITS:
        return None
    wire = number | diameter << 29 | kind << 34 | owner << 39
    return Address.from_wire(_MAKER_WIRE + wire.to_bytes(6, "little"))


def from_address(address: Address) -> str | None:
    """The printed serial of a radio address; None if it is of another maker or has no letters."""
    if address.manufacturer != MAKER:
        return address.identification if address.identification.isdecimal() else None
    return with_letters(address)


def with_letters(address: Address) -> str | None:
    """The printed serial of a Sappel meter; None if its address has no letters, or is of another maker."""
    (found,) = with_years((address,))
    return None if found is None else found[0]


def with_years(addresses: Sequence[Address]) -> list[tuple[str, int] | None]:
    """The same of each, and the year of manufacture; of addresses of one maker, version and medium."""
    first = addresses[0]
    if first.manufacturer != MAKER:
        return [None] * len(addresses)
    sent = bytes.fromhex("".join([address.identification for address in addresses]))
    high = first.version << 3 | first.medium << 11
    found: list[tuple[str, int] | None] = []
    for (low,) in _IDENTIFICATION.iter_unpack(sent):
        number = low & _NUMBER_MASK
        letters = _letters(low >> _DIAMETER_BIT | high, number // _A_YEAR)
        if letters is None:
            found.append(None)
        else:
            before, of_year = letters
            found.append((before + str(_EIGHT_DIGITS + number)[3:], of_year))
    return found


@lru_cache(maxsize=4096)
def _letters(wire: int, year: int) -> tuple[str, int] | None:
    """What a serial begins with, from the bits of the address above its number, and the whole year."""
    diameter, kind, owner = wire & 0x1F, wire >> 5 & 0x1F, wire >> 10 & 0x1F
    if not (diameter in _LETTERS and kind in _LETTERS and owner in _LETTERS):
        return None
    before = f"{chr(64 + owner)}{year:02d}{chr(64 + kind)}{chr(64 + diameter)}"
    return before, year_of(before)


def year_of(serial: str) -> int:
    """The year of manufacture of a canonical serial: 71..99 are 1971..1999."""
    year = int(serial[1:3])
    return 1900 + year if year > 70 else 2000 + year


_MAKER_WIRE: Final = Address(MAKER, "00000000", 0, 0).to_wire()[:2]
