"""The numbers and names of `submeter decode --jsonl`: of many at once, what each has by itself."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.metering import HistoryEntry, HistorySource, Measurement, Quantity, identify, load_registry
from submeter.decode_answers import (
    LineFault,
    answers_of,
    plain_number,
    plain_numbers,
    plain_values,
    written,
)

SENDER = identify(bytes.fromhex("1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD"), load_registry())

NUMBERS = st.one_of(
    st.decimals(),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**20), max_value=10**20),
    st.integers().map(Decimal),
    st.integers(-(2**60), 2**60).map(lambda number: Decimal(number) * Decimal("0.001")),
    st.sampled_from(
        [
            Decimal(text)
            for text in (
                "-0",
                "0.000",
                "55.00",
                "1E+3",
                "1E+400",
                "1E-400",
                "9007199254740991",
                "9007199254740992",
                "9007199254740993.0",
                "18446744073709551616",
                "123456789012.00000000001",
                "0.1234567890123456789012345678901234567890",
            )
        ]
    ),
).filter(lambda number: not number.is_snan())


def test_an_integer_has_no_fraction_and_a_fraction_no_trailing_zeros():
    """Whatever the digits sent: JSON's shortest text; beyond 2^53 a double, as JSON's readers take it."""
    sent = [Decimal(text) for text in ("55.00", "12.340", "1E+3", "9007199254740993", "0.0005")]
    assert json.dumps(plain_numbers(sent)) == "[55, 12.34, 1000, 9007199254740992.0, 0.0005]"


@given(st.lists(NUMBERS))
def test_many_numbers_are_what_each_is_by_itself(numbers):
    """In value and kind, not a number and infinity among them: the nearest double to the last bit."""
    assert list(map(repr, plain_numbers(numbers))) == [repr(plain_number(number)) for number in numbers]


@given(st.lists(st.integers(0, 2**40)))
def test_a_number_of_litres_is_the_double_nearest_to_its_cubic_metres(litres):
    """As the exact division of integers rounds it."""
    assert plain_numbers([Decimal(one) * Decimal("0.001") for one in litres]) == [
        one / 1000 for one in litres
    ]


VALUES = st.dictionaries(
    st.sampled_from("abcde"),
    st.one_of(NUMBERS, st.integers(), st.dates(), st.datetimes(), st.text(max_size=3)),
)


@given(st.lists(st.one_of(VALUES, st.just({"a": Decimal("1.50"), "b": date(2026, 10, 31)}))))
def test_many_values_are_what_each_is_by_itself(many):
    """Whatever names they have, in the order sent, and whatever kinds of value one name has."""
    alone = [plain_values([values])[0] for values in many]
    assert list(map(repr, plain_values(many))) == list(map(repr, alone))
    for values, plain in zip(many, alone, strict=True):
        assert list(plain) == list(values)
        for name, value in values.items():
            wanted = plain_number(value) if isinstance(value, Decimal) else value
            wanted = value.isoformat(" ") if isinstance(value, datetime) else wanted
            assert repr(plain[name]) == repr(wanted)


def test_a_moment_is_written_with_a_blank():
    """Day, blank, time."""
    (plain,) = plain_values([{"meter_datetime": datetime(2026, 11, 22, 6, 1, 12, tzinfo=UTC)}])
    assert plain == {"meter_datetime": "2026-11-22 06:01:12+00:00"}


def measured(*days):
    """A measurement with so many past values."""
    entry = [HistoryEntry(day, Quantity.VOLUME, Decimal("1.500"), HistorySource.SNAPSHOT) for day in days]
    return Measurement({"total_volume_m3": Decimal("2.000")}, history=tuple(entry))


def test_each_answer_has_its_own_past_values():
    """However many each of them has; a telegram of which nothing was read says nothing of durations."""
    first, second = date(2026, 10, 31), date(2025, 12, 31)
    fault = LineFault("KEY_WRONG")
    for many in (
        [measured(first), measured(second)],
        [measured(), measured()],
        [measured(first, second), measured(), None, measured(second)],
    ):
        errors = [fault if one is None else None for one in many]
        count = len(many)
        lines = written(answers_of(range(count), [SENDER] * count, many, [None] * count, errors)).splitlines()
        for place, (one, line) in enumerate(zip(many, map(json.loads, lines), strict=True)):
            assert (line["id"], line["serial"]) == (place, "21131C34")
            assert line["measurements"] == ({} if one is None else {"total_volume_m3": 2})
            days = [] if one is None else [entry.day.isoformat() for entry in one.history]
            assert [entry["day"] for entry in line["history"]] == days
            assert ("durations" in line) == (one is not None)
            assert (line["error"] is None) == (one is not None)
