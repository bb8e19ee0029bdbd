"""Whoever asks for indexes alone gets those of the drivers, from telegrams of which nothing else is read."""

from dataclasses import replace
from decimal import Decimal

import pytest

from core.mbus.batch.ciphers import Ciphers
from core.metering import Index, Opened, Quantity, StatusFlag, TelegramError, load_registry
from core.metering.batch import BatchDecoder, OpenedIndex
from core.metering.index_source import IndexSource, WholeIndex
from core.metering.registry import Registry
from tests.support.batches import LINK, one_by_one
from tests.support.telegrams import encryption

KEY = bytes(range(16))
COUNT = 30
FIRST = {0, 1}
"""The one from which a decoder learns the layout, and the sample of the batch."""


def requests(total, *, header="0413", link=LINK, status=0):
    """Telegrams of as many meters: a total by its number, and the day and total of a month's end."""
    for number in range(COUNT):
        own = link[:2] + number.to_bytes(4, "little") + link[6:]
        records = bytes.fromhex(header) + total(number) + bytes.fromhex("426C5F3A4413FF000000")
        kind = encryption.Header(encryption.SHORT, access=number, status=status if number % 3 else 0)
        yield encryption.mode5(own, KEY, records, kind), False, KEY


def indexes(cases, registry):
    """What a fresh decoder answers for them, in one batch."""
    decoder = BatchDecoder(registry, ciphers=Ciphers(64))
    senders = decoder.identify([(telegram, crc_kept) for telegram, crc_kept, _ in cases])
    return decoder.open_indexes(senders, [key for _, _, key in cases])


def whole(answers):
    """Which telegrams were read as a whole."""
    return {number for number, one in enumerate(answers) if isinstance(one, Opened)}


def index_and_flags(answer):
    """Of either kind of answer."""
    if isinstance(answer, OpenedIndex):
        return Index(answer.kind.quantity, answer.value), answer.flags
    return answer.measurement.index, answer.measurement.flags


@pytest.mark.parametrize(
    ("header", "width", "litres"),
    [("0413", 4, 1), ("0213", 2, 1), ("0713", 8, 1), ("0414", 4, 10), ("0412", 4, Decimal("0.1"))],
)
def test_of_like_telegrams_only_the_first_are_read_whole(registry, header, width, litres) -> None:
    """Binary totals of every width and scale: floored litres, and the flags of each one's status byte."""
    cases = list(requests(lambda number: (number * 977).to_bytes(width, "little"), header=header, status=4))
    answers = indexes(cases, registry)
    assert whole(answers) == FIRST
    for number, one in enumerate(answers):
        flags = frozenset({StatusFlag.BATTERY_LOW}) if number % 3 else frozenset()
        assert index_and_flags(one) == (Index(Quantity.VOLUME, int(number * 977 * litres)), flags)


def test_decimal_totals_are_read_digit_by_digit(registry) -> None:
    """BCD: the least byte first; digits beyond 9 and a minus are left to the driver."""

    def total(number):
        if number == 7:
            return b"\xff\xff\xff\xff"
        if number == 8:
            return bytes.fromhex("050000F0")
        return bytes.fromhex(f"{number * 1009:08d}")[::-1]

    cases = list(requests(total, header="0C13"))
    answers = indexes(cases, registry)
    assert whole(answers) == {*FIRST, 7, 8}
    for case, one in zip(cases, answers, strict=True):
        wanted = one_by_one(case, registry)
        assert index_and_flags(one) == (wanted.measurement.index, wanted.measurement.flags)


def test_what_is_no_number_that_a_meter_shows_is_read_by_its_driver(registry) -> None:
    """The lowest number, all ones and a total beyond all registers: the answer is the driver's."""
    odd = {3: b"\0" * 7 + b"\x80", 4: b"\xff" * 8, 5: b"\xff" * 7 + b"\x7f"}
    cases = list(requests(lambda number: odd.get(number, number.to_bytes(8, "little")), header="0713"))
    answers = indexes(cases, registry)
    assert whole(answers) == {*FIRST, *odd}
    for case, one in zip(cases, answers, strict=True):
        wanted = one_by_one(case, registry)
        assert index_and_flags(one) == (wanted.measurement.index, wanted.measurement.flags)


@pytest.mark.parametrize("fault", ["another record", "another factor", "an exception"])
def test_a_driver_that_names_a_wrong_record_is_read_whole(fault) -> None:
    """The first telegram shows that its index is not there: the others are read as if nothing was named."""

    def source(frame):
        if fault == "an exception":
            raise ZeroDivisionError
        number, times = (2, 1) if fault == "another record" else (0, 7)
        return IndexSource(WholeIndex(frame.layout.places[number], Quantity.VOLUME, times=times))

    loaded = load_registry()
    registry = Registry(
        tuple(replace(one, driver=replace(one.driver, index_source=source)) for one in loaded.drivers)
    )
    cases = list(requests(lambda number: (number + 1).to_bytes(4, "little")))
    answers = indexes(cases, registry)
    assert whole(answers) == set(range(COUNT))
    assert [one.measurement.index.value for one in answers] == [*range(1, COUNT + 1)]


def test_a_telegram_with_a_wrong_key_is_no_index(registry) -> None:
    """Its neighbours are read all the same."""
    cases = list(requests(lambda number: number.to_bytes(4, "little")))
    cases[5] = (*cases[5][:2], b"another key of16")
    answers = indexes(cases, registry)
    assert isinstance(answers[5], TelegramError)
    assert whole(answers) == FIRST
