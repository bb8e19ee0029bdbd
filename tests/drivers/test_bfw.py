"""drivers.bfw: a layout of the maker's own, proved by its months; such a content in a batch."""

import random
from datetime import date

import pytest

from core.metering import TelegramError, identify, load_registry, open_telegram
from core.metering.batch import BatchDecoder
from tests.support.batches import assert_same
from tests.support.makers import other_makers as makers

REGISTRY = load_registry()
SENDER = makers.address("BFW", "71000447", 0x02, 0x08)
TODAY = date(2026, 4, 20)
# Installed in November 2024, two years' ends; the months end with March 2026.
MONTHS = (0, 7, 61, 180, 244, 301, 333, 340, 340, 340, 340, 349, 390, 455, 512, 88, 150, 190)
CONTENT = makers.bfw(201, MONTHS, TODAY, year_end=512)


def opened(content, key=None):
    return open_telegram(identify(makers.in_the_clear(SENDER, content, status=0xC0), REGISTRY), key)


def refused(content, key=None):
    with pytest.raises(TelegramError) as caught:
        opened(content, key)
    return caught.value.code


def test_units_of_now_and_of_the_last_years_end():
    """201 units since December, 512 at its end, and all months since the first that counted."""
    measurement = opened(CONTENT).measurement
    assert measurement.values == {
        "hca_units": 201,
        "meter_datetime": TODAY,
        "target_hca_units": 512,
        "target_date": date(2025, 12, 31),
    }
    assert measurement.index.value == 201
    history = {entry.day: entry.value for entry in measurement.history}
    assert history == {
        **{date(2024, month, day): units for month, day, units in ((11, 30, 7), (12, 31, 61))},
        **{
            date(2025, month, day): units
            for month, (day, units) in enumerate(
                zip((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), MONTHS[3:15], strict=True), start=1
            )
        },
        date(2026, 1, 31): 88, date(2026, 2, 28): 150, date(2026, 3, 31): 190,
    }  # fmt: skip
    assert (measurement.flags, measurement.generic) == (frozenset(), False)


@pytest.mark.parametrize(
    ("now", "months", "year_end", "day"),
    [
        (3, (0,) * 18, 0, None),  # new: no year has ended
        (0, (0,) * 16 + (5, 9), 9, date(2026, 3, 31)),
        (0, tuple(range(380, 398)), 397, date(2026, 3, 31)),
        (40, (300, 310, 5, *range(10, 21), 22, 30, 3, 39), 30, date(2026, 1, 31)),  # two years have ended
    ],
)
def test_the_end_of_the_year_is_where_the_units_fall(now, months, year_end, day):
    """The units at the last year's end are those of the month after which they began anew."""
    values = opened(makers.bfw(now, months, TODAY, year_end=year_end)).measurement.values
    ended = {} if day is None else {"target_hca_units": year_end, "target_date": day}
    assert values == {"hca_units": now, "meter_datetime": TODAY} | ended


@pytest.mark.parametrize(
    "content",
    [
        makers.bfw(201, MONTHS, TODAY, year_end=511),
        makers.bfw(201, MONTHS, TODAY, year_end=0),
        makers.bfw(180, MONTHS, TODAY, year_end=512),  # now is below the month that ended
        makers.bfw(201, (*MONTHS[:5], 200, *MONTHS[6:]), TODAY, year_end=512),
        makers.bfw(0x1201, MONTHS, TODAY, year_end=512),
        makers.bfw(201, MONTHS, TODAY, year_end=512, mark=0x1E),
        CONTENT[:-1] + b"\x2a",  # a day of digits only
        CONTENT[:-3] + bytes.fromhex("310426"),  # no 31 April
        CONTENT[:-1],
        CONTENT + b"\0",
    ],
)
def test_a_content_that_does_not_prove_itself_is_refused(content):
    """Months that fall within a year, another year's end, no day, another length: nothing is read."""
    assert refused(content) in {"BAD_RECORD", "TRUNCATED", "UNPROVED_CONTENT"}


def test_records_are_read_as_records():
    """One of these allocators that sends the standard's records is read by the standard."""
    content = b"\x2f\x2f" + bytes.fromhex("0B6E310200 426CFF2C 4B6E550300 02FD170000")
    values = opened(content).measurement.values
    assert values == {"hca_units": 231, "target_hca_units": 355, "target_date": date(2023, 12, 31)}


def test_a_meter_with_a_key_sends_nothing_in_the_clear():
    """With a key the same telegram may be forged."""
    assert refused(CONTENT, bytes(16)) == "KEY_CONFIGURED_BUT_PLAIN"


def test_random_contents_of_the_length_give_no_value():
    """Whatever stands between 2F 2F, the mark and a day: of 10,000 contents none is months."""
    dice = random.Random("months")
    for _ in range(10_000):
        content = CONTENT[:4] + dice.randbytes(33) + CONTENT[-3:]
        assert refused(content)


def test_a_batch_reads_each_by_itself():
    """Own contents and records of one kind, mixed in a batch: each is what it is singly."""
    records = b"\x2f\x2f" + bytes.fromhex("0B6E310200 426CFF2C 4B6E550300 02FD170000") + b"\x2f" * 19
    assert len(records) == len(CONTENT)
    other = makers.bfw(202, MONTHS, TODAY, year_end=512)
    contents = [CONTENT, records, other, records, CONTENT[:-1] + b"\x2a", other, records] * 2
    cases = [(makers.in_the_clear(SENDER, content, status=0xC0), None, None) for content in contents]
    answers = assert_same(cases, REGISTRY, BatchDecoder(REGISTRY))
    assert [place for place, answer in enumerate(answers) if isinstance(answer, TelegramError)] == [4, 11]


def test_a_layout_of_the_makers_own_is_no_format_to_be_learned():
    """Nothing of it tells how a compact frame of the meter is laid out; records do."""
    assert opened(CONTENT).learned_format is None
    assert opened(b"\x2f\x2f" + bytes.fromhex("0B6E310200 426CFF2C 4B6E550300 02FD170000")).learned_format
