"""core.mbus.compact: telegrams without record headers, and the formats that bring them back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mbus.compact import compact_formats, read_compact, signature
from core.mbus.errors import TelegramError, TelegramFault
from core.mbus.link import crc16
from core.mbus.records import read_records
from tests.support.frames import frame_around, records_in

MULTICAL_21 = "02FF20 0413 4413 615B 6167"
FULL = bytes.fromhex("02FF200000" + "041311BB0000" + "4413A2BA0000" + "615B0C" + "616713")


def compact_of(full: bytes) -> bytes:
    """The compact form of a full record stream: signature, checksum, data."""
    records = records_in(full)
    number = signature([record.header for record in records])
    data = b"".join(record.data for record in records)
    return number.to_bytes(2, "little") + crc16(full).to_bytes(2, "little") + data


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        (MULTICAL_21, 0xA8ED),
        ("02FF20 0413 4413 426C 523B 615B 6167 5167 8101E7FF0F 06FF1B", 0x36D4),
        ("0306 4306 0314 426C 022D 01FF21", 0xF1E7),
        ("0406 04FF07 04FF08 0414 043B 0259 025D 04FF22 026C 4406 4414 426C", 0xB34D),
    ],
)
def test_the_signature_is_worked_out_from_the_headers(headers, wanted):
    """The format signature that meters send is the CRC of the headers."""
    formats = compact_formats(headers)
    assert list(formats) == [wanted]
    assert signature(formats[wanted]) == wanted


@given(st.binary(min_size=12, max_size=12))
def test_a_compact_frame_holds_what_the_full_one_holds(data):
    """Headers taken out and put back: the records are the same, whatever the values."""
    full = b"\x02\xff\x20" + data[:2] + b"\x04\x13" + data[2:6] + b"\x44\x13" + data[6:10]
    full += b"\x61\x5b" + data[10:11] + b"\x61\x67" + data[11:12]
    compact = compact_of(full)
    read = frame_around(read_compact(compact, 0, compact_formats(MULTICAL_21)), compact)
    assert [(record.header, record.data, record.value) for record in read.records] == [
        (record.header, record.data, record.value) for record in records_in(full)
    ]


def test_a_full_telegram_teaches_its_format():
    """What a full telegram of an unlisted meter shows opens its compact frames from then on."""
    headers = tuple(span.header for span in read_records(FULL, 0).spans)
    number = signature(headers)
    assert read_compact(compact_of(FULL), 0, {number: headers}).compact_signature == number == 0xA8ED


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\xff\xff" + compact_of(FULL)[2:], TelegramFault.UNKNOWN_COMPACT_FORMAT),
        (compact_of(FULL)[:-1] + b"\x14", TelegramFault.CRC_MISMATCH),
        (compact_of(FULL)[:-1], TelegramFault.TRUNCATED),
        (compact_of(FULL) + b"\x04", TelegramFault.TRUNCATED),
    ],
)
def test_what_does_not_fit_is_refused(frame, code):
    """An unknown signature, a wrong full-frame checksum, missing or surplus data: no values."""
    with pytest.raises(TelegramError) as caught:
        read_compact(frame, 0, compact_formats(MULTICAL_21))
    assert caught.value.code is code
