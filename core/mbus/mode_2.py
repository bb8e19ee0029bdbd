"""Mode 2 of wired M-Bus: CI 76, the most significant byte first, brought into the order of all else.

In: a wired telegram with a long header of CI 76. Out: the same telegram as CI 72, each number, text and date
turned round in its place. The one rule: the length of no field changes, so that offsets are those of the
telegram as sent. EN 13757-3 clause 5 and annex on mode 2 (bit 2 of the CI field, there called M).

DIF, VIF and their extensions are single bytes and stand in one order in both modes; what follows a DIF 0F or
1F is the maker's own and remains as it is.
"""

from typing import Final

from core.mbus.errors import DecodeStage, TelegramError, TelegramFault
from core.mbus.reader import Reader
from core.mbus.records import read_records

MODE_2: Final = 0x76
_MODE_1: Final = 0x72
_HEADER_FIELDS: Final = (4, 2, 1, 1, 1, 1, 2)
"""Identification, manufacturer, version, device type, access number, status, signature."""
_MODE_BITS: Final = 0x1F


def least_significant_first(telegram: bytes, ci: int) -> bytes:
    """The telegram in mode 1.

    Args:
        telegram: the bytes between 68 and the checksum, their length first.
        ci: the offset of the CI field.

    Raises:
        TelegramError: TRUNCATED or BAD_RECORD; UNSUPPORTED_SECURITY_MODE when the content is encrypted, whose
            byte order no standard gives.

    """
    reader = Reader(telegram, ci + 1, DecodeStage.TRANSPORT)
    out = bytearray(telegram[:ci])
    out.append(_MODE_1)
    for length in _HEADER_FIELDS:
        out += reader.take(length)[::-1]
    if out[-1] & _MODE_BITS:
        raise TelegramError(
            TelegramFault.UNSUPPORTED_SECURITY_MODE,
            DecodeStage.TRANSPORT,
            "An encrypted telegram with the most significant byte first (CI 76) is not read here.",
            offset=ci,
        )
    start = reader.position
    out += telegram[start:]
    for span in read_records(telegram, start).spans:
        out[span.start : span.stop] = telegram[span.start : span.stop][::-1]
    return bytes(out)
