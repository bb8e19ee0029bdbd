"""Records to bytes to records: every coding, every coordinate, every kind of variable length."""

import struct
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mbus.compact import read_compact, signature
from core.mbus.profile import read_profiles
from core.mbus.vocabulary import Function
from tests.support.frames import frame_around, records_in
from tests.support.telegrams import records as encoder
from tests.support.telegrams.records import Place

FUNCTIONS = (Function.INSTANTANEOUS, Function.MAXIMUM, Function.MINIMUM, Function.ERROR_STATE)
places = st.builds(
    Place,
    function=st.integers(0, 3),
    storage=st.integers(0, 2**41 - 1),
    tariff=st.integers(0, 2**20 - 1),
    subunit=st.integers(0, 2**10 - 1),
)
small_places = st.builds(
    Place,
    function=st.integers(0, 3),
    storage=st.integers(0, 40),
    tariff=st.integers(0, 3),
    subunit=st.integers(0, 1),
)
days = st.dates(date(2000, 1, 1), date(2099, 12, 31))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31, 23, 59)).map(
    lambda moment: moment.replace(microsecond=0)
)
latin_text = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF).filter(str.isprintable), max_size=0xBF
)


def fits(coding):
    """The integers of a coding, its "no value" left out."""
    bits = 8 * encoder.INTEGER_BYTES[coding]
    return st.integers(1 - (1 << bits - 1), (1 << bits - 1) - 1)


def shown(coding):
    """The decimal numbers of a coding: one digit less when negative."""
    width = 2 * encoder.BCD_BYTES[coding]
    return st.integers(1 - 10 ** (width - 1), 10**width - 1)


@st.composite
def numbers(draw, where=places):
    """A record of a volume in litres, and the litres."""
    coding = draw(st.sampled_from(sorted({*encoder.INTEGER_BYTES, *encoder.BCD_BYTES, encoder.VARIABLE})))
    place = draw(where)
    if coding in encoder.INTEGER_BYTES:
        litres = draw(fits(coding))
        return encoder.integer(coding, "13", litres, place), place, litres
    if coding in encoder.BCD_BYTES:
        litres = draw(shown(coding))
        return encoder.bcd(coding, "13", litres, place), place, litres
    if draw(st.booleans()):
        width = draw(st.integers(1, 9))
        litres = draw(st.integers(1 - 10 ** (2 * width), 10 ** (2 * width) - 1))
        return encoder.variable_bcd("13", litres, width, place), place, litres
    width = draw(st.sampled_from([*range(1, 16), 16, 20, 24, 28, 32, 48, 64]))
    # Decimal keeps 28 digits: no counter has more.
    largest = (1 << 8 * min(width, 11) - 1) - 1
    litres = draw(st.integers(-largest, largest))
    return encoder.variable_integer("13", litres, width, place), place, litres


def read(*records):
    """What the decoder makes of records."""
    return records_in(encoder.full(records))


@given(st.lists(numbers(), max_size=6))
def test_numbers_come_back_at_their_place(asked):
    """Binary and decimal, fixed and variable, of any sign: value, function, storage, tariff and subunit."""
    records = read(*(record for record, _, _ in asked))
    assert [(record.header, record.value) for record in records] == [
        (sent.header, litres * Decimal("0.001")) for sent, _, litres in asked
    ]
    assert [(record.storage, record.tariff, record.subunit) for record in records] == [
        (place.storage, place.tariff, place.subunit) for _, place, _ in asked
    ]
    assert [record.function for record in records] == [FUNCTIONS[place.function] for _, place, _ in asked]


@given(st.data(), places)
def test_no_value_is_no_number(data, place):
    """The most negative integer, digits beyond nine, not-a-number: the record is there, its value not."""
    coding = data.draw(st.sampled_from(sorted(encoder.INTEGER_BYTES)))
    width = encoder.INTEGER_BYTES[coding]
    lowest = encoder.integer(coding, "13", -(1 << 8 * width - 1), place)
    coding = data.draw(st.sampled_from(sorted(encoder.BCD_BYTES)))
    width = encoder.BCD_BYTES[coding]
    bad = bytearray(encoder.digits(data.draw(st.integers(0, 10 ** (2 * width) - 1)), width))
    bad[data.draw(st.integers(0, width - 1))] |= 0x0A
    none = encoder.EncodedRecord(encoder.header(coding, "13", place), bytes(bad))
    infinite = encoder.real(
        "13", data.draw(st.sampled_from([float("nan"), float("inf"), float("-inf")])), place
    )
    assert [record.value for record in read(lowest, none, infinite)] == [None, None, None]


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), places)
def test_reals_come_back_with_seven_digits(value, place):
    """Type H carries seven significant digits, and as many come back."""
    (record,) = read(encoder.real("16", value, place))
    assert record.value == Decimal(f"{value:.7g}")
    assert struct.pack("<f", value) == record.data


@given(days, moments, moments, places)
def test_days_and_moments_come_back(day, to_the_minute, to_the_second, place):
    """Types G, F and I, the 31st of every month included; FFFF and the invalid bit are none."""
    minute = to_the_minute.replace(second=0)
    records = read(
        encoder.day(day, place),
        encoder.moment_f(minute, place),
        encoder.moment_i(to_the_second, place),
        encoder.day(None, place),
        encoder.moment_f(minute, place, invalid=True),
    )
    assert [record.value for record in records] == [day, minute, to_the_second, None, None]


@given(latin_text, st.integers(0, 2**32 - 1), places)
def test_text_and_bits_come_back(text, word, place):
    """Text is turned round on the wire; bits have no sign and no "no value"."""
    records = read(encoder.text("FD11", text, place), encoder.bits(4, "FD17", word, place))
    assert [record.value for record in records] == [text, word]


@given(st.lists(numbers(small_places), min_size=1, max_size=6))
def test_compact_frames_carry_the_same_records(asked):
    """Headers taken off and put back by the format that the full telegram taught: the same records."""
    sent = [record for record, _, _ in asked]
    full = read(*sent)
    headers = tuple(record.header for record in full)
    number, compact = signature(headers), encoder.compact(sent)
    frame = frame_around(read_compact(compact, 0, {number: headers}), compact)
    assert [(record.header, record.value) for record in frame.records] == [
        (record.header, record.value) for record in full
    ]
    assert frame.compact_signature == number


@pytest.mark.parametrize("factor", range(8))
def test_multipliers_are_applied(factor):
    """VIFE 70..77 multiply by 10^-6 .. 10; 7D by a thousand; 78..7B add a constant of the unit."""
    (record,) = read(encoder.integer(4, f"93{0x70 + factor:02X}", 5000))
    assert (record.value, record.modifiers) == (5 * Decimal(10) ** (factor - 6), ())
    (record,) = read(encoder.integer(4, "937D", 5000))
    assert record.value == 5000


def profile_of(slots, *, vife, mode, coding=3, unit=3, spacing=254, base=1000, day=date(2026, 3, 31)):
    """The slots that are read from a profile in litres under storage 8."""
    place = Place(storage=8)
    records = read(
        encoder.integer(4, "13", base, place),
        encoder.day(day, place),
        encoder.profile(
            f"93{vife}", slots, coding=coding, mode=mode, unit=unit, spacing=spacing, place=place
        ),
    )
    (profile,) = read_profiles(records)
    return [(slot.moment, int(slot.value * 1000)) for slot in profile.slots]


def test_an_inverse_profile_of_values_goes_back_by_months():
    """The latest slot first; the last day of a month remains one; an illegal slot is left out."""
    assert profile_of([900, 800, None, 700], vife="13", mode=0) == [
        (date(2026, 2, 28), 900),
        (date(2026, 1, 31), 800),
        (date(2025, 11, 30), 700),
    ]
    assert profile_of([900], vife="13", mode=0, coding=0xB, day=date(2026, 3, 1)) == [(date(2026, 2, 1), 900)]


@pytest.mark.parametrize(
    ("mode", "slots", "values"),
    [(1, [100, 50], [900, 850]), (2, [100, 50], [1100, 1150]), (3, [100, -50], [900, 950])],
)
def test_differences_are_those_of_the_later_to_the_earlier_value(mode, slots, values):
    """Increments fall away going back, decrements are added; signed differences go both ways."""
    assert [value for _, value in profile_of(slots, vife="13", mode=mode)] == values
    forward = [value for _, value in profile_of(slots, vife="1F", mode=mode)]
    assert forward == [2000 - value for value in values]


def test_behind_a_missing_difference_nothing_is_known():
    """A gap in a row of differences ends it."""
    assert profile_of([100, None, 100], vife="13", mode=1) == [(date(2026, 2, 28), 900)]


@pytest.mark.parametrize(
    ("mode", "coding", "data", "litres"),
    [
        (0, 4, "84030000 FFFFFFFF 00000080 FEFEFEFE 20030000", [900, 800]),
        (0, 0xB, "000900 FFFFFF 000080 0200F0 000800", [900, 800]),
        (0, 0xC, "00090000 00000080 00080000", [900, 800]),
        (1, 2, "6400 FFFF 6400", [900]),
        (1, 2, "6400 0080 6400", [900]),
        (3, 2, "6400 FFFF 6400", [900]),
        (1, 2, "6400 E803 0000", [900]),
        (3, 2, "9CFF", [1100]),
    ],
)
def test_a_profile_of_a_counter_has_no_marker_among_its_values(mode, coding, data, litres):
    """Going back from 1000 litres: all ones, 80 on top, FE and what falls below zero are no litres."""
    place = Place(storage=8)
    content = bytes((mode << 6 | 0x30 | coding, 254)) + bytes.fromhex(data)
    record = encoder.header(encoder.VARIABLE, "9313", place) + bytes((len(content),)) + content
    base = [encoder.integer(4, "13", 1000, place), encoder.day(date(2026, 3, 31), place)]
    (profile,) = read_profiles(records_in(encoder.full(base) + record))
    assert [int(slot.value * 1000) for slot in profile.slots] == litres


def test_a_profile_holds_no_month_that_is_to_come():
    """From the end of January, by a clock of April 2026: February and March; room for more is empty."""
    place = Place(storage=8)
    row = encoder.profile("931E", [10, 20, 0, 0], coding=4, mode=0, unit=3, spacing=254, place=place)

    def months(clock, base):
        records = read(encoder.moment_f(clock, Place()), encoder.day(base, place), row)
        return [slot.moment for profile in read_profiles(records) for slot in profile.slots]

    april = datetime(2026, 4, 2, 8, 30)
    assert months(april, date(2026, 1, 31)) == [date(2026, 2, 28), date(2026, 3, 31)]
    assert len(months(datetime(2000, 1, 1, 0, 30), date(2026, 1, 31))) == 4
    assert months(april, date(2000, 1, 1)) == []
    assert months(april, date(2026, 4, 30)) == []
    assert months(april, date(2099, 12, 31)) == []


@pytest.mark.parametrize("base", ["FFFFFFFF", "00000080"])
def test_differences_need_a_base_that_is_a_count(base):
    """A profile of increments whose base is a marker has no values."""
    place = Place(storage=8)
    coding = 4 if base == "FFFFFFFF" else 0xC
    first = encoder.EncodedRecord(encoder.header(coding, "13", place), bytes.fromhex(base))
    row = encoder.profile("9313", [100], coding=3, mode=1, unit=3, spacing=254, place=place)
    (profile,) = read_profiles(read(first, encoder.day(date(2026, 3, 31), place), row))
    assert profile.slots == ()


def test_text_is_no_number():
    """What announces litres, a temperature or units and sends text has no value; a name remains one."""
    records = read(*(encoder.text(vif, "123") for vif in ("13", "59", "6E", "FD11")))
    assert [record.value for record in records] == [None, None, None, "123"]


def test_other_spacings():
    """Days, quarters and half years are read; hours need a moment; half months are not read."""
    assert profile_of([1], vife="1F", mode=0, spacing=7)[0][0] == date(2026, 4, 7)
    assert profile_of([1], vife="13", mode=0, unit=2)[0][0] == date(2025, 12, 31)
    assert profile_of([1], vife="13", mode=0, unit=1)[0][0] == date(2025, 9, 30)
    assert profile_of([1], vife="13", mode=0, unit=2, spacing=1) == []
    assert profile_of([1], vife="13", mode=0, spacing=253) == []
    assert profile_of([1], vife="13", mode=0, unit=0) == []


@pytest.mark.parametrize(
    ("vife", "measurand", "unit", "value"),
    [("39", "DATE_TIME", "", date(2026, 4, 30)), ("41", "COUNT", "", 13406), ("56", "DURATION", "h", 13406)],
)
def test_a_vife_may_make_the_data_something_else(vife, measurand, unit, value):
    """Start day, number and duration of exceeded limits are no volume, whatever the VIF before them."""
    (record,) = records_in(bytes.fromhex(f"0293{vife}5E34"))
    assert (record.measurand, record.unit, record.value) == (measurand, unit, value)
