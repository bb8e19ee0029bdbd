"""Records, dates and checksums of the simulator, against figures from the fact sheet."""

from datetime import date, datetime

import pytest

from submeter.simulator.records import EncodedRecord, bcd, compact, crc16, day, full, integer, moment, type_g

MULTICAL_21 = (
    integer("02FF20", 0),
    integer("0413", 47_889),
    integer("4413", 47_778),
    integer("615B", 12),
    integer("6167", 19),
)


@pytest.mark.parametrize(
    ("record", "on_air"),
    [
        (integer("0413", 47_889), "041311BB0000"),
        (integer("02FF20", 113), "02FF207100"),
        (integer("0259", -250), "025906FF"),
        (bcd("0C13", 94_748), "0C1348470900"),
        (bcd("0E79", 93_878_711_322), "0E79221371783809"),
        (day("426C", date(2025, 12, 31)), "426C3F3C"),
        (day("82016C", date(2026, 6, 30)), "82016C5E36"),
        (day("426C", None), "426C0000"),
        (moment("066D", datetime(2026, 3, 6, 22, 39, 54)), "066D362716463300"),
    ],
)
def test_a_record_is_written_as_the_worked_examples_show(record: EncodedRecord, on_air: str):
    """Each coding gives exactly the bytes that meters send."""
    assert full([record]).hex().upper() == on_air


def test_a_type_g_date_spreads_its_year_over_both_bytes():
    """30 April 2025 is 3E 34, as the PRIOS example has it."""
    assert type_g(date(2025, 4, 30)) == bytes.fromhex("3E34")


@pytest.mark.parametrize(("write", "header"), [(integer, "0413"), (bcd, "0C13")])
def test_a_number_too_wide_for_its_record_is_refused(write, header):
    """A register that does not fit is an error, not a smaller number."""
    with pytest.raises(OverflowError):
        write(header, 10**11)


def test_the_checksum_is_that_of_the_standards_worked_frame():
    """The frame of EN 13757-4 (876.543 m3, format B) ends in 7AC5."""
    assert crc16(bytes.fromhex("1444AE0C7856341201078C2027780B13436587")) == 0x7AC5


@pytest.mark.parametrize(
    ("headers", "signature"),
    [
        ("02FF20 0413 4413 615B 6167", "A8ED"),
        ("0406 04FF07 04FF08 0414 043B 0259 025D 04FF22 026C 4406 4414 426C", "B34D"),
        ("0306 4306 0314 426C 022D 01FF21", "F1E7"),
    ],
)
def test_a_format_signature_is_the_checksum_of_the_headers(headers: str, signature: str):
    """The published signatures of compact formats come out of their record headers."""
    assert crc16(bytes.fromhex(headers)) == int(signature, 16)
    records = [EncodedRecord(bytes.fromhex(header), b"") for header in headers.split()]
    assert compact(records)[:2] == bytes.fromhex(signature)[::-1]


def test_a_compact_frame_keeps_the_data_and_both_checksums():
    """The compact form of the MULTICAL 21 example is EDA8 01FD and the bare data."""
    assert compact(MULTICAL_21).hex().upper() == "EDA801FD000011BB0000A2BA00000C13"
