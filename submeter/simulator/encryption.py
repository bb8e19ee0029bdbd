"""From records to an encrypted radio telegram: link header, transport header, encryption.

In: the meter's eight address bytes (M + A as on air), its key and the application data. Out: the telegram
from the L field on, without link CRCs, as gateways deliver it. The one rule: a counter that a security mode
needs (access number, message counter, session number) is an argument, and the caller increments it from
telegram to telegram. Follows EN 13757-4 (link, extended link layer), EN 13757-7
(modes 5 and 7, authentication layer) and RFC 4493 (CMAC).
"""

from functools import lru_cache

from Crypto.Cipher import AES

from submeter.simulator.records import FILLER, crc16

BLOCK = 16
SND_NR = 0x44
CI_SHORT_HEADER = 0x7A
CI_FULL = 0x78
CI_COMPACT = 0x79
_ELL_CONTROL = 0x20  # synchronous
_ELL_CTR_BIT = 1 << 29
_ZERO = bytes(BLOCK)


def telegram(wire_address: bytes, body: bytes) -> bytes:
    """The link layer around `body` (which starts at the CI field): L, C = SND-NR, M, A."""
    return bytes((9 + len(body), SND_NR)) + wire_address + body


def padded(records: bytes) -> bytes:
    """Records for AES-CBC: 2F 2F in front verifies the key, 2F behind pads to whole blocks."""
    return bytes((FILLER, FILLER)) + records + bytes((FILLER,)) * (-(len(records) + 2) % BLOCK)


def mode5(wire_address: bytes, key: bytes, records: bytes, *, access: int) -> bytes:
    """A telegram with short header in security mode 5: AES-128-CBC, IV = M + A + eight access numbers.

    The configuration word is 25 N0 (mode 5, synchronous, N blocks). Worked example: own vector o038.
    """
    plain = padded(records)
    cipher = AES.new(key, AES.MODE_CBC, wire_address + bytes((access,)) * 8)
    header = bytes((CI_SHORT_HEADER, access, 0, len(plain) // BLOCK << 4, 0x25))
    return telegram(wire_address, header + cipher.encrypt(plain))


def mode7(wire_address: bytes, key: bytes, records: bytes, *, access: int, counter: int) -> bytes:
    """A telegram in security mode 7: short ELL, AFL with message counter and 8-byte MAC, short header.

    Both keys are derived from the meter's key, `counter` and the identification on air; the MAC covers the
    encrypted bytes. Worked example: own vector o033.
    """
    plain = padded(records)
    counted = counter.to_bytes(4, "little")
    encryption, authentication = mode7_keys(key, wire_address[2:6], counted)
    encrypted = AES.new(encryption, AES.MODE_CBC, _ZERO).encrypt(plain)
    transport = bytes((CI_SHORT_HEADER, access, 0, len(plain) // BLOCK << 4, 0x07, 0x10)) + encrypted
    mac = Cmac(authentication).digest(b"\x25" + counted + transport)[:8]
    ell = bytes((0x8C, _ELL_CONTROL, access))
    afl = bytes((0x90, 0x0F, 0x00, 0x2C, 0x25)) + counted + mac
    return telegram(wire_address, ell + afl + transport)


def mode7_keys(key: bytes, identification: bytes, counted: bytes) -> tuple[bytes, bytes]:
    """Kenc and Kmac of one message: CMAC(key, 00 or 01 | counter | identification | 07 seven times)."""
    master = _master(key)
    tail = counted + identification + b"\x07" * 7
    return master.digest(b"\x00" + tail), master.digest(b"\x01" + tail)


def ell_ctr(wire_address: bytes, key: bytes, apl: bytes, *, access: int, session: int) -> bytes:
    """A telegram under the extended link layer's AES-CTR; `apl` starts at its own CI (78 or 79).

    `session` counts upwards in bits 4-28 of the session number. The payload CRC in front of `apl` is
    encrypted with it and is the only check of the key. Worked example: own vector o012.
    """
    number = (_ELL_CTR_BIT | session << 4).to_bytes(4, "little")
    start = wire_address + bytes((_ELL_CONTROL,)) + number + bytes(3)
    cipher = AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=start)
    encrypted = cipher.encrypt(crc16(apl).to_bytes(2, "little") + apl)
    return telegram(wire_address, bytes((0x8D, _ELL_CONTROL, access)) + number + encrypted)


class Cmac:
    """AES-CMAC (RFC 4493) under one key, its subkeys derived once.

    Mode 7 needs three CMACs per telegram; creating the library's object costs more than all three here.
    """

    __slots__ = ("_block", "_key", "_last_full", "_last_short")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._block = AES.new(key, AES.MODE_ECB)
        zero_encrypted = self._block.encrypt(_ZERO)
        self._last_full = _doubled(int.from_bytes(zero_encrypted, "big"))
        self._last_short = _doubled(self._last_full)

    def digest(self, message: bytes) -> bytes:
        """The sixteen bytes of the CMAC of `message`."""
        whole = bool(message) and len(message) % BLOCK == 0
        if not whole:
            message += b"\x80" + bytes(-(len(message) + 1) % BLOCK)
        mask = self._last_full if whole else self._last_short
        last = (int.from_bytes(message[-BLOCK:], "big") ^ mask).to_bytes(BLOCK, "big")
        if len(message) == BLOCK:
            return self._block.encrypt(last)
        chain = AES.new(self._key, AES.MODE_CBC, _ZERO)
        return chain.encrypt(message[:-BLOCK] + last)[-BLOCK:]


def _doubled(value: int) -> int:
    """Multiplication by x in GF(2^128), as RFC 4493 derives its subkeys."""
    return (value << 1 & (1 << 128) - 1) ^ (0x87 if value >> 127 else 0)


@lru_cache(maxsize=256)
def _master(key: bytes) -> Cmac:
    """The CMAC under a meter's own key: the same for all its telegrams."""
    return Cmac(key)
