"""Random content behind the headers of our drivers' telegrams: no value, however often it is tried.

Some thousand contents a driver; `RANDOM_CONTENTS=60000 pytest tests/drivers/test_random_contents.py` for as
many as are asked of a driver that is handed over.
"""

import os
import random
from contextlib import suppress

import pytest

from core.metering import TelegramError, identify, load_registry, open_telegram
from core.metering.conformance import installed_plugins, random_contents, subjects_of
from drivers.ocea import prios
from tests.support.makers.vendors import OUR_DRIVERS

COUNT = int(os.environ.get("RANDOM_CONTENTS", "4000"))
REGISTRY = load_registry()
SUBJECTS = {subject.driver.name: subject for subject in subjects_of(installed_plugins())[0]}
PRIOS = bytes.fromhex("1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD")


@pytest.mark.parametrize("driver", OUR_DRIVERS)
def test_random_contents_give_no_value(driver):
    """Behind each header of each telegram, with its key and without: 0 values."""
    subject = SUBJECTS[driver]
    failures, looked_at = random_contents.look_for_chance(
        subject.driver, subject.vectors, subject.registry, COUNT
    )
    assert failures == []
    assert looked_at.startswith(f"{COUNT} random contents")


@pytest.mark.parametrize("key", [None, bytes(range(8))])
def test_random_prios_contents_of_the_short_form(key):
    """A check byte and a total below 2,097 m3 are all there is: one content in 2^18 has them by chance, and
    never is a total beyond that published.
    """
    dice = random.Random("short form")
    passed = []
    for _ in range(COUNT):
        telegram = bytes((0x13,)) + PRIOS[1:15] + dice.randbytes(5)
        with suppress(TelegramError):
            passed.append(open_telegram(identify(telegram, REGISTRY), key).measurement.index.value)
    assert len(passed) <= 1 + (COUNT >> 17)
    assert all(total < 2**21 for total in passed)


def encrypted(content, *, length=0x19):
    """A PRIOS telegram under a well-known key."""
    head = bytes((length,)) + PRIOS[1:15]
    stream = prios.decrypt(head + bytes(len(content)), bytes.fromhex("39BC8A10E66D83F8"))
    return head + bytes(left ^ right for left, right in zip(content, stream, strict=True))


def content(total, month_end, day="3E34"):
    return b"\x4b" + total.to_bytes(4, "little") + month_end.to_bytes(4, "little") + bytes.fromhex(day)


@pytest.mark.parametrize(
    ("total", "month_end", "day"),
    [
        (0, 0, "0000"), (7, 0, "3E34"), (123_456, 120_001, "3E34"), (123_456, 123_456, "FFFF"),
        (120, 140, "3E34"), (8_000_000, 7_900_000, "3E34"), (90_000_000, 89_000_000, "3E34"),
    ],
)  # fmt: skip
def test_what_meters_send_is_read(total, month_end, day):
    """From a new meter's 0 litres to 90,000 m3, with a month's end or before the first one."""
    values = open_telegram(
        identify(encrypted(content(total, month_end, day)), REGISTRY), None
    ).measurement.values
    assert values["total_volume_m3"] * 1000 == total


@pytest.mark.parametrize(
    ("total", "month_end", "day"),
    [
        (4_200_000_000, 2_100_000_000, "3E34"), (2_123_456_000, 4_200_000_000, "3E34"),
        (2_000_123_456, 120_001_000, "3E34"), (60_000_000, 40_000_000, "FFDE"),
    ],
)  # fmt: skip
def test_totals_that_fit_nothing_are_refused(total, month_end, day):
    """Two totals that are large and far from each other, or large and without a day: another key."""
    with pytest.raises(TelegramError) as caught:
        open_telegram(identify(encrypted(content(total, month_end, day)), REGISTRY), None)
    assert caught.value.code == "KEY_WRONG"
