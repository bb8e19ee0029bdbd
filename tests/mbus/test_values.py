"""core.mbus.values: data fields of EN 13757-3 and what they must not become."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from core.mbus.values import Coding, bcd, date_g, decode_value, signed, variable_length
from core.mbus.vocabulary import Measurand


@pytest.mark.parametrize(
    ("data", "number"),
    [("78563412", 12345678), ("0200F0", -2), ("FFFFFFFF", None), ("FEFEFEFE", None), ("1A", None), ("00", 0)],
)
def test_bcd(data, number):
    """Decimal digits; F on top is a minus; any other letter is no value."""
    assert bcd(bytes.fromhex(data)) == number


@pytest.mark.parametrize(
    ("data", "number"), [("FF", -1), ("7F", 127), ("80", None), ("00000080", None), ("FFFFFF7F", 0x7FFFFFFF)]
)
def test_signed(data, number):
    """Two's complement; the most negative number is no value."""
    assert signed(bytes.fromhex(data)) == number


@pytest.mark.parametrize(
    ("data", "day"),
    [
        ("3F3C", date(2025, 12, 31)),
        ("3E34", date(2025, 4, 30)),
        ("0000", None),
        ("FFFF", None),
        ("1F12", None),
        ("3F32", None),
    ],
)
def test_type_g(data, day):
    """Day 31 is a day; no day, no month, no such day: no date."""
    assert date_g(bytes.fromhex(data)) == day


@pytest.mark.parametrize(
    ("data", "moment"),
    [
        ("3B37DF2C", datetime(2022, 12, 31, 23, 59)),
        ("BB37DF2C", None),
        ("362716463300", datetime(2026, 3, 6, 22, 39, 54)),
        ("36A716463300", None),
        ("22484136", datetime(2026, 6, 1, 8, 34)),
        ("3F37DF2C", None),
        ("010203", None),
    ],
)
def test_types_f_and_i(data, moment):
    """Type F by four bytes, type I by six; the invalid bit and impossible times are no value."""
    assert decode_value(Coding.INT32, bytes.fromhex(data), Measurand.DATE_TIME) == moment


@pytest.mark.parametrize(
    ("lvar", "data", "measurand", "value"),
    [
        (0x03, "434241", Measurand.CUSTOMER, "ABC"),
        (0xC2, "3412", Measurand.VOLUME, 1234),
        (0xD2, "3412", Measurand.VOLUME, -1234),
        (0xC2, "3402", Measurand.FABRICATION_NUMBER, "0234"),
        (0xE2, "3412", Measurand.VOLUME, 0x1234),
        (0xE2, "FEFF", Measurand.VOLUME, -2),
        (0xE2, "0080", Measurand.VOLUME, None),
        (0xE2, "FEFF", Measurand.ERROR_FLAGS, 0xFFFE),
        (0xE2, "3412", Measurand.CUSTOMER, "4660"),
        (0xC0, "", Measurand.VOLUME, None),
        (0xE0, "", Measurand.VOLUME, None),
        (0x02, "0001", Measurand.PLAIN_TEXT, b"\x00\x01"),
        (0xE2, "3F3C", Measurand.DATE, date(2025, 12, 31)),
        (0x02, "3F3C", Measurand.DATE, None),
        (0xC2, "3F3C", Measurand.DATE_TIME, None),
        (0xE4, "FFFFFFFF", Measurand.CUSTOMER, None),
    ],
)
def test_variable_length(lvar, data, measurand, value):
    """The LVAR byte says whether text, digits with a sign, or bytes follow."""
    assert decode_value(Coding.VARIABLE, bytes.fromhex(data), measurand, lvar) == value


@pytest.mark.parametrize(
    ("lvar", "length"),
    [(0x00, 0), (0xBF, 191), (0xC9, 9), (0xCA, None), (0xEF, 15), (0xF0, 16), (0xF6, 64), (0xFF, None)],
)
def test_lvar_lengths(lvar, length):
    """Reserved LVAR codes have no length."""
    assert variable_length(lvar) == length


@pytest.mark.parametrize(
    ("data", "value"),
    [("0000C03F", Decimal("1.5")), ("CDCCCC3D", Decimal("0.1")), ("0000C07F", None), ("0000807F", None)],
)
def test_real_numbers(data, value):
    """Single precision has seven digits; infinity and not-a-number are no value."""
    assert decode_value(Coding.REAL32, bytes.fromhex(data), Measurand.VOLUME) == value


def test_bits_are_not_signed_and_identifiers_keep_zeros():
    """A status word of all ones is a content; a number that names something keeps its leading zeros."""
    assert decode_value(Coding.INT16, b"\xff\xff", Measurand.ERROR_FLAGS) == 0xFFFF
    assert decode_value(Coding.INT16, b"\x00\x80", Measurand.ERROR_FLAGS) == 0x8000
    assert decode_value(Coding.BCD8, bytes.fromhex("67452301"), Measurand.FABRICATION_NUMBER) == "01234567"
    assert decode_value(Coding.INT16, b"\x05\x00", Measurand.FABRICATION_NUMBER) == "5"
    assert decode_value(Coding.INT32, b"\xff" * 4, Measurand.FABRICATION_NUMBER) is None
    assert decode_value(Coding.INT32, b"\x00\x00\x00\x80", Measurand.ENHANCED_IDENTIFICATION) is None
    assert decode_value(Coding.NONE, b"", Measurand.VOLUME) is None
    assert decode_value(Coding.INT32, bytes(4), Measurand.DATE) is None
