"""Telegrams that are announced as encrypted and that a gateway hands on in the clear, mode by mode."""

import pytest

from core.metering import (
    Integrity,
    Opened,
    TelegramError,
    TelegramFault,
    identify,
    load_registry,
    open_telegram,
)
from core.metering.batch import BatchDecoder
from drivers.ocea.prios import decrypt
from tests.support.telegrams import encryption

REGISTRY = load_registry()
KEY = bytes(range(16))
LINK = bytes.fromhex("2423" + "11223344" + "7607")
RECORDS = bytes.fromhex("0C1345230100 4C1300100100 426CDF2C 046D0A0FDE2B 02FD170000")
PRIOS = bytes.fromhex("1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD")
PRIOS_KEY = bytes.fromhex("39BC8A10E66D83F8")


def opened_in_place(encrypted, content):
    """The telegram with its content opened and its headers left as they are."""
    return encrypted[: len(encrypted) - len(content)] + content


def padded(records):
    return b"\x2f\x2f" + records + b"\x2f" * (-(len(records) + 2) % 16)


def real_data(records):
    """A Hydrometer telegram in "real data" form, its content in the clear."""
    plain = bytes.fromhex(records)
    check = sum(plain) & 0xEF | 0x10
    head = bytes.fromhex("442423" + "2004" + "25609268" + "7A" + "110000") + bytes((check,))
    return bytes((len(head) + len(plain),)) + head + plain


def outcome(raw, key):
    """The total, or the code of the error; the same from a batch."""
    decoder = BatchDecoder(REGISTRY)
    batch = decoder.open(decoder.identify([(raw, None)] * 2), [key] * 2)
    try:
        opened = open_telegram(identify(raw, REGISTRY), key)
        single = opened.measurement.index.value
        assert opened.frame.in_clear or opened.integrity is Integrity.PAYLOAD_CHECKSUM
    except TelegramError as error:
        single = error.code
    codes = [one.measurement.index.value if isinstance(one, Opened) else one.code for one in batch]
    assert codes == [single, single]
    return single


COUNTER = encryption.counter_mode(LINK, KEY, b"\x78" + RECORDS)
IN_CLEAR = {
    "mode 5": (opened_in_place(encryption.mode5(LINK, KEY, RECORDS), padded(RECORDS)), KEY, 12345),
    "mode 7": (opened_in_place(encryption.mode7(LINK, KEY, RECORDS), padded(RECORDS)), KEY, 12345),
    "mode 5 without its check bytes": (
        opened_in_place(encryption.mode5(LINK, KEY, RECORDS), (padded(RECORDS) + b"\x2f\x2f")[2:]),
        KEY,
        12345,
    ),
    "counter mode": (
        opened_in_place(COUNTER, encryption.counter_mode(LINK, None, b"\x78" + RECORDS)[17:]), KEY, 12345,
    ),
    "PRIOS": (PRIOS[:15] + decrypt(PRIOS, PRIOS_KEY), bytes(range(8)), 123456),
    "real data": (real_data("0C0651260000 0C1347031500 02FD170000"), bytes(range(8)), 2651000),
}  # fmt: skip


@pytest.mark.parametrize("mode", IN_CLEAR)
def test_content_in_the_clear_is_read_where_it_proves_itself(mode):
    """Without a key the total is read; with one the telegram is suspicious, as any plain one is."""
    raw, key, total = IN_CLEAR[mode]
    assert outcome(raw, None) == total
    assert outcome(raw, key) is TelegramFault.KEY_CONFIGURED_BUT_PLAIN


@pytest.mark.parametrize(
    "raw",
    [
        PRIOS[:15] + bytes.fromhex("4B40E20100"),
        PRIOS[:15] + bytes.fromhex("4B40E20100 00E9A435 3E34"),
        encryption.telegram(LINK, bytes.fromhex("7A00001005 0C1345230100 0D7808") + bytes(range(0x41, 0x49))),
    ],
    ids=["PRIOS, short form", "PRIOS, a month's end far above", "mode 5, one record"],
)
def test_content_that_may_be_in_the_clear_is_reported_as_such(raw):
    """What looks plain, and is not proved by its form, is MAYBE_PLAIN and gives no value."""
    whole = bytes((len(raw) - 1,)) + raw[1:]
    assert outcome(whole, None) is TelegramFault.MAYBE_PLAIN


def test_ciphertext_is_not_taken_for_plain():
    """Encrypted content remains encrypted: the key is missing, or wrong."""
    assert outcome(encryption.mode5(LINK, KEY, RECORDS), None) is TelegramFault.KEY_MISSING
    assert outcome(encryption.mode7(LINK, KEY, RECORDS), None) is TelegramFault.KEY_MISSING
    assert outcome(COUNTER, None) is TelegramFault.KEY_MISSING
    assert outcome(PRIOS, bytes(range(8))) is TelegramFault.KEY_WRONG
