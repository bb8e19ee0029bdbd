"""Builds telegrams of makers that send little or nothing but data of their own, from values of our own.

In: values. Out: a telegram without link checksums. The one rule: nothing is imported from the drivers under
test, so that both have to follow the same description of the bytes.
"""

from datetime import datetime

from submeter.simulator.encryption import mode5, telegram
from submeter.simulator.records import type_g


def address(maker, serial, version, medium):
    """M and A field as on air; the maker as its three letters."""
    number = sum((ord(letter) - 64) << shift for letter, shift in zip(maker, (10, 5, 0), strict=True))
    return number.to_bytes(2, "little") + bytes.fromhex(serial)[::-1] + bytes((version, medium))


def in_the_clear(sender, content, *, status=0):
    """A short header of mode 0, and the content."""
    return telegram(sender, bytes((0x7A, 0x5B, status, 0, 0)) + content)


def encrypted(sender, key, content):
    """In mode 5."""
    return mode5(sender, key, content, access=0x5B)


def clock(moment):
    """The record of a clock of type F."""
    return b"\x04\x6d" + bytes((moment.minute, moment.hour)) + type_g(moment)


def bmeters(litres, moment, backward, *, contents=0x05, months=(), behind=b"\0"):
    """Records of total and clock, and the maker's data; the months January first, in tens of litres."""
    data = bytes((contents, 0x2A)) + backward.to_bytes(4, "little")
    if months:
        data += b"".join(month.to_bytes(3, "little") for month in months) + behind
    total = b"\x0c\x13" + bytes.fromhex(f"{litres:08d}")[::-1]
    return total + clock(moment) + b"\x0f" + data


def euris(now, months):
    """Units of now in six digits, and those of the months, the latest first, under storage 1 to 17."""
    out = b"\x0b\x6e" + bytes.fromhex(f"{now:06d}")[::-1]
    for storage, units in enumerate(months, start=1):
        head = bytes((0x42,)) if storage == 1 else bytes((0x82 | (storage & 1) << 6, storage >> 1))
        out += head + b"\x6e" + units.to_bytes(2, "little")
    return out + bytes.fromhex("02FD170000")


def topas(total, year_end, month_end, *, days):
    """Litres of now, of 31 December 2025 and of 30 April 2026, and the battery's days."""

    def digits(litres):
        return bytes.fromhex(f"{litres:08d}")[::-1]

    return b"".join(
        (
            b"\x0c\x13" + digits(total), b"\x4c\x13" + digits(year_end),
            b"\x42\x6c" + type_g(datetime(2025, 12, 31)), b"\x02\xfd\x74" + days.to_bytes(2, "little"),
            b"\xc4\x01\x6d" + clock(datetime(2026, 4, 30, 23, 59))[2:], b"\xcc\x01\x13" + digits(month_end),
        )
    )  # fmt: skip


def bfw(now, months, today, *, year_end, mark=0x1F):
    """The content of a 240radio: units of now and of eighteen months, the oldest first."""
    packed = b""
    for one, two in zip(months[::2], months[1::2], strict=True):
        packed += bytes((one & 0xFF, one >> 8 << 4 | two >> 8, two & 0xFF))
    units = year_end.to_bytes(2, "big") + now.to_bytes(2, "big")
    day = bytes.fromhex(f"{today:%d%m%y}")
    return b"\x2f\x2f" + bytes((0x77, mark)) + units + b"\x12\x34" + packed + day
