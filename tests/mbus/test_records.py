"""core.mbus.records and units: headers, scales, modifiers, the grammar of the stream."""

from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mbus import units
from core.mbus.errors import DecodeStage, TelegramError, TelegramFault
from core.mbus.records import meaning_of, read_records
from core.mbus.vocabulary import Function, Measurand
from tests.support.frames import frame_around, records_in


def one(text: str):
    """The one record of a stream."""
    (record,) = records_in(bytes.fromhex(text))
    return record


@pytest.mark.parametrize(
    ("stream", "measurand", "value", "unit"),
    [
        ("041311BB0000", Measurand.VOLUME, Decimal("47.889"), "m3"),
        ("0414D2040000", Measurand.VOLUME, Decimal("12.34"), "m3"),
        ("04150A000000", Measurand.VOLUME, Decimal("1.0"), "m3"),
        ("0C0547230100", Measurand.ENERGY, Decimal("1234.7"), "kWh"),
        ("0406D2040000", Measurand.ENERGY, Decimal(1234), "kWh"),
        ("040F02000000", Measurand.ENERGY, Decimal(20), "MJ"),
        ("04FB0102000000", Measurand.ENERGY, Decimal(2), "MWh"),
        ("04FB0802000000", Measurand.ENERGY, Decimal("0.2"), "GJ"),
        ("0A5A5901", Measurand.FLOW_TEMPERATURE, Decimal("15.9"), "C"),
        ("0B3B0200F0", Measurand.VOLUME_FLOW, Decimal("-0.002"), "m3/h"),
        ("426C3F3C", Measurand.DATE, date(2025, 12, 31), ""),
        ("036E102700", Measurand.ALLOCATOR_UNITS, 10000, ""),
        ("02FD742F0D", Measurand.REMAINING_BATTERY, 3375, "d"),
        ("02FD170400", Measurand.ERROR_FLAGS, 4, ""),
        ("02FD480A01", Measurand.VOLTAGE, Decimal("26.6"), "V"),
        ("0AFB1A0205", Measurand.RELATIVE_HUMIDITY, Decimal("50.2"), "%"),
        ("017C034D504F05", Measurand.PLAIN_TEXT, 5, "OPM"),
    ],
)
def test_a_vif_scales_its_value(stream, measurand, value, unit):
    """Value, unit and power of ten come from the tables of EN 13757-3."""
    record = one(stream)
    assert (record.measurand, record.value, record.unit) == (measurand, value, unit)


@pytest.mark.parametrize(
    ("stream", "function", "storage", "tariff", "subunit"),
    [
        ("041300000000", Function.INSTANTANEOUS, 0, 0, 0),
        ("441300000000", Function.INSTANTANEOUS, 1, 0, 0),
        ("52130000", Function.MAXIMUM, 1, 0, 0),
        ("615B00", Function.MINIMUM, 1, 0, 0),
        ("74060100FFFF", Function.ERROR_STATE, 1, 0, 0),
        ("8C0113" + "00" * 4, Function.INSTANTANEOUS, 2, 0, 0),
        ("CC0813" + "00" * 4, Function.INSTANTANEOUS, 17, 0, 0),
        ("8C1006" + "00" * 4, Function.INSTANTANEOUS, 0, 1, 0),
        ("84804014" + "00" * 4, Function.INSTANTANEOUS, 0, 0, 2),
        ("84800106" + "00" * 4, Function.INSTANTANEOUS, 32, 0, 0),
    ],
)
def test_dif_and_difes_place_a_record(stream, function, storage, tariff, subunit):
    """Function, storage number, tariff and subunit are put together from the extension bytes."""
    record = one(stream)
    assert (record.function, record.storage, record.tariff, record.subunit) == (
        function,
        storage,
        tariff,
        subunit,
    )


def test_a_correcting_vife_is_applied_and_a_qualifying_one_is_kept():
    """Multiply codes scale the value; backward flow, base conditions and maker codes belong to the record."""
    assert one("04937264000000").value == Decimal("0.000010")
    assert one("0493720A000000").modifiers == ()
    assert one("04937D01000000").value == Decimal(1)
    assert one("04937BE8030000").value == Decimal("1.001")
    assert one("0C933C00000000").modifiers == (units.BACKWARD,)
    assert one("04EEFF0700000000").modifiers == (0x7F, 0x07)
    assert one("02FF200400").modifiers == (0x20,)


def test_an_unknown_code_has_no_value():
    """A reserved VIF is shown with its bytes and never published as a number."""
    record = one("04FD7D01000000")
    assert (record.measurand, record.value, record.data) == (Measurand.UNKNOWN, None, b"\x01\x00\x00\x00")


def test_filler_and_manufacturer_data():
    """2F is skipped anywhere; after 0F the rest is the maker's and is kept with its offset."""
    stream = bytes.fromhex("2F2F01FD0801" + "2F" + "0FAABBCC")
    content = read_records(stream, 0)
    frame = frame_around(content, stream)
    assert [record.offset for record in frame.records] == [2]
    assert (frame.manufacturer_data, content.manufacturer_data_offset) == (b"\xaa\xbb\xcc", 8)


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        ("0413", TelegramFault.TRUNCATED),
        ("041311", TelegramFault.TRUNCATED),
        ("04", TelegramFault.TRUNCATED),
        ("8C", TelegramFault.TRUNCATED),
        ("3F", TelegramFault.BAD_RECORD),
        ("7F", TelegramFault.BAD_RECORD),
        ("0D13CA", TelegramFault.BAD_RECORD),
        ("84" + "80" * 12 + "0013", TelegramFault.BAD_RECORD),
        ("041311BB000000", TelegramFault.TRUNCATED),
    ],
)
def test_a_stream_that_breaks_the_grammar_yields_nothing(stream, code):
    """One wrong length makes a guess of all that follows: the whole stream is refused, with an offset."""
    with pytest.raises(TelegramError) as caught:
        read_records(bytes.fromhex(stream), 0)
    assert (caught.value.code, caught.value.stage) == (code, DecodeStage.APPLICATION)
    assert caught.value.offset is not None


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(stream):
    """Whatever the bytes, records are read with their true offsets, or refused with a TelegramError."""
    with suppress(TelegramError):
        for record in records_in(stream):
            assert stream[record.offset :].startswith(record.header)


def test_a_header_is_understood_once():
    """The meaning of a header is remembered: the same value answers the same header."""
    assert meaning_of(bytes.fromhex("0413")) is meaning_of(bytes.fromhex("0413"))
