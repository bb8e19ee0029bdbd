"""drivers.ista.qundis: the walk-by record whose content is encrypted (mode 35 in its byte 4)."""

import json
import random
from datetime import date, datetime
from decimal import Decimal

import pytest
from Crypto.Cipher import AES

from core.metering import (
    Opened,
    TelegramError,
    TelegramFault,
    explain,
    identify,
    load_registry,
    open_telegram,
)
from core.metering.batch import BatchDecoder
from submeter.decode_lines import answers
from tests.support.telegrams import encryption

REGISTRY = load_registry()
KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
OTHER = bytes(16)
LINK = bytes.fromhex("9344" + "11223344" + "1807")
CLOCK = bytes.fromhex("046D 0A0FDE2B")
PLAIN = bytes.fromhex("F00007 C1 13 FFFF 45230100 DF2C 00100100 FE24 00200100") + b"\x00\x80" * 12 + b"\x2f"
MOMENT = datetime(2022, 11, 30, 15, 10)


def telegram(content, mode, *, access=0x5A, behind=CLOCK):
    """A walk-by telegram whose record has this content behind its first five bytes."""
    record = bytes.fromhex("0DFF5F35 0082") + bytes((access, 0, mode)) + content
    return encryption.plain(LINK, record + behind, encryption.Header(encryption.NONE))


def encrypted(content, key=KEY, *, access=0x5A):
    return AES.new(key, AES.MODE_CBC, iv=LINK + bytes((access,)) * 8).encrypt(content)


ENCRYPTED = telegram(encrypted(PLAIN), 0x35)


def measured(raw, key):
    return open_telegram(identify(raw, REGISTRY), key).measurement


def fault_of(raw, key):
    with pytest.raises(TelegramError) as caught:
        measured(raw, key)
    return caught.value.code


def test_a_encrypted_record_is_opened_with_the_meters_key():
    """12.345 m3 now, 12 on 30 April 2023, 11 on 31 December 2022, as the same record says it plain."""
    opened, plain = measured(ENCRYPTED, KEY), measured(telegram(PLAIN, 0x00), None)
    assert opened == plain
    assert opened.values["total_volume_m3"] == Decimal("12.345")
    assert opened.values["target_date"] == date(2023, 4, 30)
    assert opened.values["last_year_volume_m3"] == Decimal(11)
    assert opened.values["meter_datetime"] == MOMENT


def test_the_access_number_of_the_record_is_part_of_the_initial_vector():
    """Another access number opens with its own vector, and not with this one's."""
    assert measured(telegram(encrypted(PLAIN, access=7), 0x35, access=7), KEY).index.value == 12345
    assert fault_of(telegram(encrypted(PLAIN, access=7), 0x35, access=8), KEY) is TelegramFault.KEY_WRONG


def test_without_its_key_it_says_that_the_key_is_missing():
    """KEY_MISSING, as with any encryption; with another key KEY_WRONG; with eight bytes KEY_UNUSABLE."""
    assert fault_of(ENCRYPTED, None) is TelegramFault.KEY_MISSING
    assert fault_of(ENCRYPTED, OTHER) is TelegramFault.KEY_WRONG
    assert fault_of(ENCRYPTED, bytes(8)) is TelegramFault.KEY_UNUSABLE


@pytest.mark.parametrize("key", [None, OTHER])
def test_the_clock_behind_it_is_all_that_is_reported_without_its_key(key):
    """`submeter decode` shows the clock and the error, in both of its forms, and no other value."""
    report = explain(ENCRYPTED.hex(), REGISTRY, key).as_dict()
    asked = json.dumps({"telegram": ENCRYPTED.hex(), "key": None if key is None else key.hex()})
    (answer,) = (json.loads(line) for line in answers([asked], REGISTRY))
    assert report["measurement"]["values"] == {"meter_datetime": MOMENT.isoformat()}
    assert answer["measurements"] == {"meter_datetime": "2022-11-30 15:10:00"}
    assert (
        report["error"]["code"] == answer["error"]["code"] == ("KEY_MISSING" if key is None else "KEY_WRONG")
    )


def test_a_batch_answers_the_same():
    """Encrypted and plain records of meters alike, with the right key, another and none, in one batch."""
    cases = [
        (ENCRYPTED, KEY), (telegram(PLAIN, 0), None), (ENCRYPTED, None), (telegram(PLAIN, 0), None),
        (ENCRYPTED, OTHER), (telegram(PLAIN, 0), KEY), (telegram(PLAIN, 7), None),
        (telegram(PLAIN, 0x35), None),
    ]  # fmt: skip
    decoder = BatchDecoder(REGISTRY)
    for _ in range(2):
        senders = decoder.identify([(raw, None) for raw, _ in cases])
        for found, (raw, key) in zip(decoder.open(senders, [key for _, key in cases]), cases, strict=True):
            if isinstance(found, Opened):
                assert found == open_telegram(identify(raw, REGISTRY), key)
            else:
                assert found.code is fault_of(raw, key)


def test_a_plain_record_of_a_meter_with_a_key_is_suspicious():
    """Announced as plain, or announced as encrypted and plain: KEY_CONFIGURED_BUT_PLAIN with a key."""
    for mode in (0x00, 0x35):
        assert fault_of(telegram(PLAIN, mode), KEY) is TelegramFault.KEY_CONFIGURED_BUT_PLAIN


def test_a_record_that_a_gateway_opened_is_read_without_a_key():
    """Mode 35 is left in place, and the 48 bytes are all that a record must be."""
    opened = open_telegram(identify(telegram(PLAIN, 0x35), REGISTRY), None)
    assert opened.frame.in_clear
    assert opened.measurement.index.value == 12345


@pytest.mark.parametrize("mode", [0x01, 0x05, 0x34, 0x36, 0x80, 0xFF])
def test_any_other_mode_is_not_interpreted(mode):
    """The clock behind the record is all, with plain content and with encrypted content."""
    for content in (PLAIN, encrypted(PLAIN)):
        assert measured(telegram(content, mode), None).values == {"meter_datetime": MOMENT}


@pytest.mark.parametrize(
    "change",
    [
        {3: "C2"}, {4: "93"}, {4: "6E"}, {5: "E1FF"}, {7: "4A230100"}, {11: "FF3D"}, {13: "0010010A"},
        {17: "1F1F"}, {19: "F0200100"}, {13: "00100199"}, {19: "00200199"},
    ],
)  # fmt: skip
def test_each_part_of_a_record_must_be_one_that_a_meter_sends(change):
    """Kind, VIF, days, digits, and no earlier total above the present one: else no total, and no opening."""
    content = bytearray(PLAIN)
    for at, text in change.items():
        content[at : at + len(text) // 2] = bytes.fromhex(text)
    assert measured(telegram(bytes(content), 0), None).values == {"meter_datetime": MOMENT}
    assert fault_of(telegram(encrypted(bytes(content)), 0x35), KEY) is TelegramFault.KEY_WRONG


def test_an_allocator_begins_anew_each_year():
    """The year's value may be above the present one."""
    content = bytearray(PLAIN)
    content[3:5] = bytes.fromhex("B06E")
    content[7:11] = bytes.fromhex("27000000")
    assert measured(telegram(encrypted(bytes(content)), 0x35), KEY).values["hca_units"] == 27


def test_random_contents_are_never_a_record():
    """20,000 of 48 random bytes in the place of the content, with a key and without, plain and encrypted."""
    dice = random.Random("contents of walk-by records")
    for number in range(20_000):
        raw = telegram(dice.randbytes(48), 0x35 if number % 2 else 0x00)
        try:
            values = measured(raw, KEY if number % 4 == 3 else None).values
        except TelegramError:
            continue
        assert values == {"meter_datetime": MOMENT}, raw.hex()
