"""Compact frames: the data of a telegram without its record headers.

In: the content behind CI 73, 79 or 7B and the formats known: a signature and the headers it stands for. Out:
the same `Content` a full telegram gives. The one rule: the checksum over the rebuilt full telegram must fit,
since a wrong format would turn into plausible numbers. EN 13757-3 annex G; the signature is the CRC over all
headers of the full telegram.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from core.mbus.errors import DecodeStage, TelegramError, TelegramFault
from core.mbus.link import crc16
from core.mbus.reader import Reader
from core.mbus.records import Content, Span, read_data, read_records, split_headers
from core.mbus.vocabulary import RecordValue

CompactFormat = tuple[bytes, ...]
"""The headers (DIF to last VIFE) of the records, in order."""

NONE_KNOWN: Final[Mapping[int, CompactFormat]] = MappingProxyType({})
"""What a reader knows that was given no formats."""


def compact_formats(*texts: str) -> Mapping[int, CompactFormat]:
    """Formats from hexadecimal text, one string of headers each, blanks between as you like.

    The signature is worked out from the headers, so a slip of the pen is a format that no meter sends.
    `ValueError` for text that is no hexadecimal or ends within a header.
    """
    formats: dict[int, CompactFormat] = {}
    for text in texts:
        headers = _split(bytes.fromhex(text))
        formats[signature(headers)] = headers
    return MappingProxyType(formats)


def signature(headers: Iterable[bytes]) -> int:
    """The format signature of record headers."""
    return crc16(b"".join(headers))


def _split(headers: bytes) -> CompactFormat:
    try:
        return split_headers(headers)
    except TelegramError as error:
        raise ValueError(f"These are no record headers: {error.message}") from None


def read_compact(telegram: bytes, start: int, formats: Mapping[int, CompactFormat]) -> Content:
    """Reads a compact frame from its signature on.

    Raises:
        TelegramError: UNKNOWN_COMPACT_FORMAT, CRC_MISMATCH, TRUNCATED or BAD_RECORD, stage APPLICATION.

    """
    reader = Reader(telegram, start, DecodeStage.APPLICATION)
    wanted, checksum = reader.number(2), reader.number(2)
    headers = formats.get(wanted)
    if headers is None:
        raise TelegramError(
            TelegramFault.UNKNOWN_COMPACT_FORMAT,
            DecodeStage.APPLICATION,
            f"The compact format {wanted:04X} is not known yet: a full telegram must come first.",
            offset=start,
        )
    spans: list[Span] = []
    values: list[RecordValue] = []
    rebuilt = bytearray()
    for header in headers:
        offset = reader.position
        read_data(reader, header, offset, spans, values)
        rebuilt += header + telegram[offset : reader.position]
    if crc16(bytes(rebuilt)) != checksum:
        raise TelegramError(
            TelegramFault.CRC_MISMATCH,
            DecodeStage.APPLICATION,
            "The checksum over the rebuilt full telegram does not fit.",
            offset=start + 2,
        )
    # Nothing but filler, or complete records, may follow the listed data.
    rest = read_records(telegram, reader.position)
    return Content(
        (*spans, *rest.spans),
        (*values, *rest.values),
        rest.manufacturer_data_offset,
        compact_signature=wanted,
    )
