"""Builds telegrams of Apator's water meters, from values of our own.

In: registers, or total and clock. Out: a telegram without link checksums. The one rule: nothing is imported
from the driver under test, so that both have to follow the same description of the bytes.
"""

from datetime import datetime

from Crypto.Cipher import AES

from submeter.simulator.encryption import telegram
from submeter.simulator.records import crc16

MAKER = bytes.fromhex("0106")
HEAD = bytes.fromhex("2A51C3A8000000")
ZEROS = bytes(16)


def total(litres):
    """The register of the total."""
    return b"\x10" + litres.to_bytes(4, "little")


def months(*litres):
    """The register of earlier totals, the latest first."""
    return bytes((0x70 + len(litres) - 1, 1)) + b"".join(one.to_bytes(4, "little") for one in litres)


def content(*registers, fill=0):
    """0F, head, registers, filler up to whole blocks behind 2F 2F, and the checksum."""
    body = b"\x0f" + HEAD + b"".join(registers) + b"\xff" * fill
    body += b"\xff" * (-(len(body) + 4) % 16)
    return body + crc16(body).to_bytes(2, "big")


def radio_16_2(body, *, serial="71000258", key=None, access=0x31, behind=b""):
    """A telegram of the 16-2; without a key in the clear, though announced as encrypted."""
    address = MAKER + bytes.fromhex(serial)[::-1] + b"\x05\x07"
    plain = b"\x2f\x2f" + body
    if key is not None:
        plain = AES.new(key, AES.MODE_CBC, iv=address + bytes((access,)) * 8).encrypt(plain)
    return telegram(address, bytes((0x7A, access, 0, len(plain) // 16 << 4, 0x85)) + plain + behind)


def block_na1(litres, clock, *, since=14_402, hours=301, states=b"\0\0\x80"):
    """The sixteen bytes of the NA-1 before encryption."""
    seconds = int((clock - datetime(2000, 1, 1)).total_seconds())
    earlier = bytes((hours & 0xFF, hours >> 8 << 2 | since & 3)) + (since >> 2).to_bytes(2, "little")
    number = bytes((litres & 0x0F,)) + (litres >> 4).to_bytes(3, "little")
    return b"\x2f" + number + seconds.to_bytes(4, "little") + earlier + states


def radio_na1(block, *, serial="71000413", version=0x14, key=ZEROS, ci=0xA0, counter=0x2C):
    """A telegram of the NA-1; without a key in the clear."""
    address = MAKER + bytes.fromhex(serial)[::-1] + bytes((version, 7))
    if key is not None:
        block = AES.new(key, AES.MODE_CBC, iv=address + bytes((counter,)) * 8).encrypt(block)
    return telegram(address, bytes((ci, counter, 1)) + block)
