"""Whole telegrams in every security mode and header: the simulator's ciphers, and all that it does not send.

In: the eight address bytes, a key, the application data and the mode's counters. Out: a telegram without link
checksums, or with those of format A or B. The one rule: nothing here is taken from the decoder.
EN 13757-4 clauses 12 and 13, EN 13757-7.
"""

from typing import NamedTuple

from Crypto.Cipher import AES

from submeter.simulator.encryption import BLOCK, Cmac, mode7_keys, padded, telegram
from submeter.simulator.records import crc16

LONG, SHORT, NONE = "long", "short", "none"
_FULL_CI = {LONG: 0x72, SHORT: 0x7A, NONE: 0x78}
_COMPACT_CI = {LONG: 0x73, SHORT: 0x7B, NONE: 0x79}
_MAC_KIND = {2: 3, 4: 4, 8: 5, 12: 6, 16: 7}
_WHOLE = 0


class Header(NamedTuple):
    """The transport header that a telegram shall have.

    `meter` is the long header's address as the link layer writes one; None: a short header or none.
    """

    kind: str = SHORT
    access: int = 0
    status: int = 0
    meter: bytes | None = None
    compact: bool = False

    def encode(self, configuration: int, extension: bytes = b"") -> bytes:
        """CI, [address], access number, status, configuration, [extension]."""
        ci = bytes(((_COMPACT_CI if self.compact else _FULL_CI)[self.kind],))
        if self.kind == NONE:
            return ci
        address = b""
        if self.kind == LONG:
            assert self.meter is not None
            address = self.meter[2:6] + self.meter[:2] + self.meter[6:]
        return (
            ci + address + bytes((self.access, self.status)) + configuration.to_bytes(2, "little") + extension
        )

    def address(self, link: bytes) -> bytes:
        """Whose keys and initial vectors count."""
        return link if self.meter is None or self.kind != LONG else self.meter


SHORT_HEADER = Header()


def plain(link: bytes, apl: bytes, header: Header = SHORT_HEADER) -> bytes:
    """Mode 0."""
    return telegram(link, header.encode(0) + apl)


def mode5(
    link: bytes, key: bytes, apl: bytes, header: Header = SHORT_HEADER, *, behind: bytes = b""
) -> bytes:
    """Mode 5: AES-CBC, the initial vector from address and access number; `behind` is not encrypted."""
    content = padded(apl)
    cipher = AES.new(key, AES.MODE_CBC, header.address(link) + bytes((header.access,)) * 8)
    head = header.encode(0x0500 | len(content) // BLOCK << 4)
    return telegram(link, head + cipher.encrypt(content) + behind)


def mode7(
    link: bytes,
    key: bytes,
    apl: bytes,
    header: Header = SHORT_HEADER,
    *,
    counter: int = 1,
    mac_bytes: int = 8,
    message_length: bool = False,
    key_information: bool = False,
) -> bytes:
    """Mode 7: AFL with message counter and CMAC of so many bytes, AES-CBC under the derived key."""
    content = padded(apl)
    counted = counter.to_bytes(4, "little")
    encryption, authentication = mode7_keys(key, header.address(link)[2:6], counted)
    encrypted = AES.new(encryption, AES.MODE_CBC, bytes(BLOCK)).encrypt(content)
    transport = header.encode(0x0700 | len(content) // BLOCK << 4, b"\x10") + encrypted
    control = bytes((0x20 | _MAC_KIND[mac_bytes],))
    length = len(transport).to_bytes(2, "little") if message_length else b""
    mac = Cmac(authentication).digest(control + counted + length + transport)[:mac_bytes]
    fields = 0x2000 | 0x0800 | 0x0400 | message_length << 12 | key_information << 9 | _WHOLE
    layer = (
        fields.to_bytes(2, "little")
        + control
        + (b"\x01\x00" if key_information else b"")
        + counted
        + mac
        + length
    )
    return telegram(link, bytes((0x90, len(layer))) + layer + transport)


def extended(
    link: bytes, inner: bytes, *, access: int = 0, control: int = 0x20, sender: bytes | None = None
) -> bytes:
    """The extended link of form I (CI 8C), or III (8E) with another sender, before what follows the link."""
    head = bytes((0x8C if sender is None else 0x8E, control, access)) + (sender or b"")
    return telegram(link, head + inner)


def body(whole: bytes) -> bytes:
    """What follows the link header of a telegram."""
    return whole[10:]


def counter_mode(
    link: bytes,
    key: bytes | None,
    apl: bytes,
    *,
    session: int = 1,
    access: int = 0,
    control: int = 0x20,
    sender: bytes | None = None,
) -> bytes:
    """The extended link of form II (CI 8D) or IV (8F): `apl` from its CI on, encrypted if there is a key."""
    number = ((1 << 29 if key is not None else 0) | session << 4).to_bytes(4, "little")
    content = crc16(apl).to_bytes(2, "little") + apl
    if key is not None:
        start = link + bytes((control & ~0x12,)) + number + bytes(3)
        content = AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=start).encrypt(content)
    head = bytes((0x8D if sender is None else 0x8F, control, access)) + (sender or b"")
    return telegram(link, head + number + content)


def format_a(whole: bytes) -> bytes:
    """With the block checksums of frame format A."""
    blocks = [whole[:10]] + [whole[at : at + 16] for at in range(10, len(whole), 16)]
    return b"".join(block + crc16(block).to_bytes(2, "big") for block in blocks)


def format_b(whole: bytes) -> bytes:
    """With the block checksums of frame format B, which L counts."""
    blocks = [whole[:126], whole[126:]] if len(whole) > 126 else [whole]
    blocks[0] = bytes((len(whole) - 1 + 2 * len(blocks),)) + blocks[0][1:]
    return b"".join(block + crc16(block).to_bytes(2, "big") for block in blocks)


def last_block_of_a(whole: bytes) -> bytes:
    """With the last block's checksum of format A alone, counted in L, as some receivers leave it."""
    end = 10 + (len(whole) - 11) // 16 * 16
    return bytes((len(whole) + 1,)) + whole[1:] + crc16(whole[end:]).to_bytes(2, "big")
