"""The address of a meter: maker letters, identification, version, medium <-> the eight bytes on the wire.

In: the M field (2 bytes) and the A field (6 bytes) of the link layer, EN 13757-4 clause 12, or the same eight
bytes in another order from a long transport header, EN 13757-7. Out: a frozen, hashable `Address`. The one
rule: the identification is *text* of eight hexadecimal digits, since several makers put letters where the
standard asks for BCD.
"""

import re
from functools import lru_cache

from msgspec import Struct

from core.mbus.errors import DecodeStage, TelegramError, TelegramFault

WIRE_LENGTH = 8
_MAKER_BIT = 0x7FFF  # bit 15 marks a "soft" address with some makers (ITW, APT); the letters do not change
_TEXT = re.compile(r"([A-Z@\[\\\]^_]{3})-([0-9A-F]{8})-([0-9A-F]{2})-([0-9A-F]{2})", re.ASCII)

_BYTES = tuple([f"{byte:02X}" for byte in range(256)])  # formatting two for each telegram takes longer


class Address(Struct, frozen=True, gc=False):
    """Who sent it.

    Args:
        manufacturer: the three letters of the FLAG association, `"KAM"`.
        identification: eight upper-case hexadecimal digits, `"76348799"`.
        version: generation of the device, 0..255.
        medium: device type of EN 13757-7 table 13, 0..255 (07 water, 04 heat ...).

    `str(address)` is the canonical text `KAM-76348799-1B-16`; it is what the database stores.

    """

    manufacturer: str
    identification: str
    version: int
    medium: int

    def __str__(self) -> str:
        return f"{self.manufacturer}-{self.identification}-{_BYTES[self.version]}-{_BYTES[self.medium]}"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Reads the canonical text; `TelegramError` NOT_A_TELEGRAM when it is none."""
        match = _TEXT.fullmatch(text.strip().upper())
        if match is None:
            raise TelegramError(
                TelegramFault.NOT_A_TELEGRAM,
                DecodeStage.LINE,
                "A meter address is written maker-identification-version-medium: KAM-76348799-1B-16.",
            )
        maker, identification, version, medium = match.groups()
        return cls(maker, identification, int(version, 16), int(medium, 16))

    @classmethod
    def from_wire(cls, wire: bytes) -> "Address":
        """Reads M (2) + identification (4, least significant byte first) + version + medium."""
        if len(wire) != WIRE_LENGTH:
            raise TelegramError(
                TelegramFault.TRUNCATED, DecodeStage.LINK, "An address has eight bytes.", offset=len(wire)
            )
        return _from_wire(bytes(wire))

    def to_wire(self) -> bytes:
        """The eight bytes as the link layer sends them; the inverse of `from_wire` save for a soft-address
        bit.
        """
        return (
            maker_code(self.manufacturer).to_bytes(2, "little")
            + bytes.fromhex(self.identification)[::-1]
            + bytes((self.version, self.medium))
        )


@lru_cache(maxsize=4096)
def _from_wire(wire: bytes) -> Address:
    return Address(
        maker_letters(int.from_bytes(wire[:2], "little")), wire[5:1:-1].hex().upper(), wire[6], wire[7]
    )


def maker_letters(code: int) -> str:
    """The three letters of a 16-bit manufacturer code, 5 bits each (EN 62056-21 FLAG identifier)."""
    code &= _MAKER_BIT
    return "".join(chr(64 + ((code >> shift) & 0x1F)) for shift in (10, 5, 0))


def maker_code(letters: str) -> int:
    """The 15-bit code of three letters; the inverse of `maker_letters`."""
    first, second, third = (ord(letter) - 64 for letter in letters)
    return first << 10 | second << 5 | third
