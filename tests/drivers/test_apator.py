"""drivers.apator: registers that a checksum proves, and blocks that only their sense proves."""

import random
from datetime import datetime
from decimal import Decimal

import pytest

from core.metering import TelegramError, identify, load_registry, open_telegram
from submeter.simulator.records import crc16
from tests.support.makers import apator

REGISTRY = load_registry()
KEY = bytes.fromhex("6C1F7A02D95B4E83A0C6112F3E4D5B69")
MOMENT = datetime(2026, 5, 17, 8, 41, 9)


def opened(telegram, key=None):
    return open_telegram(identify(telegram, REGISTRY), key)


def values(telegram, key=None):
    return dict(opened(telegram, key).measurement.values)


def refused(telegram, key=None):
    with pytest.raises(TelegramError) as caught:
        opened(telegram, key)
    return caught.value.code


STATES = bytes.fromhex("430006 8011223344556677889900 81AABBCCDDEEFF00112233")
BEFORE = bytes.fromhex("410B0C 42A1A2A3A4 43D5D6 A0E1E2E3E4 F011121314 40212223242526")


@pytest.mark.parametrize(
    "registers",
    [
        (apator.total(81_437),),
        (apator.months(81_000, 79_563), b"\xa0\x51\x10\x52\x53", apator.total(81_437)),
        (STATES, apator.total(81_437), apator.months(*range(80_000, 54_000, -2_000))),
        (BEFORE, apator.total(81_437), apator.months(80_000, 80_000, 0, 0), b"\xa0\x10\xff\xff\xff"),
    ],
    ids=["alone", "behind others", "many months", "other lengths"],
)
@pytest.mark.parametrize("key", [KEY, None])
def test_the_total_of_the_16_2_is_read_wherever_it_stands(registers, key):
    """81.437 m3, before and behind other registers, encrypted and already opened; an index of 81,437 l."""
    telegram = apator.radio_16_2(apator.content(*registers), key=key)
    measurement = opened(telegram, key).measurement
    assert measurement.values == {"total_volume_m3": Decimal("81.437")}
    assert measurement.index.value == 81_437


@pytest.mark.parametrize(
    "registers",
    [
        (b"\x44\x01\x02", apator.total(5)),  # a code that is not known
        (apator.months(4), apator.total(5)),  # 70 neither
        (b"\x42\x10\x05\x00\x00",),  # a 10 within another register is no total
        (apator.total(5), b"\x42\0\0\0\0" * 2, b"\x40\x01\x02\x03\x04"),  # the last register is cut
        (apator.total(5), apator.total(5)),
        (apator.total(0xFFFFFFFF),),
        (apator.total(5_000), apator.months(6_000, 5_500)),  # months above the total
        (apator.total(5_000), apator.months(4_000, 4_500)),  # the latest is not the first
        (),
    ],
)
def test_another_layout_of_the_16_2_is_refused(registers):
    """A content whose checksum fits, and which is not known registers to the last byte, gives no value."""
    body = apator.content(*registers)
    assert refused(apator.radio_16_2(body, key=KEY), KEY) == "UNSUPPORTED_PAYLOAD"


def test_a_damaged_content_of_the_16_2_is_refused():
    """Any bit of an opened content turned: the checksum does not fit, and nothing is read."""
    body = apator.content(STATES, apator.total(81_437), apator.months(80_000, 79_000))
    for bit in range(8, len(body) * 8):
        damaged = bytearray(body)
        damaged[bit >> 3] ^= 1 << (bit & 7)
        assert refused(apator.radio_16_2(bytes(damaged))) in {"UNPROVED_CONTENT", "KEY_MISSING"}


def test_records_before_the_data_of_the_maker_are_another_layout():
    """The 16-2 sends nothing but data of the maker: with a record before them it is some other telegram."""
    body = bytes.fromhex("0C1378563412") + apator.content(apator.total(5))
    body += b"\xff" * (-(len(body) + 2) % 16)
    assert refused(apator.radio_16_2(body, key=KEY), KEY) in {"UNSUPPORTED_PAYLOAD", "UNPROVED_CONTENT"}


def test_a_checksum_that_a_gateway_left_behind_the_blocks_is_no_content():
    """Two bytes behind the last encrypted block, counted by the L field: the total is read all the same."""
    body = apator.content(apator.total(64_250))
    telegram = apator.radio_16_2(body, key=KEY, behind=b"\x5a\xc3")
    assert values(telegram, KEY) == {"total_volume_m3": Decimal("64.250")}


@pytest.mark.parametrize("ci", [0xA0, 0xA1])
@pytest.mark.parametrize(
    ("litres", "since", "hours", "states"),
    [(530_733, 14_402, 301, b"\0\0\x80"), (12, 12, 9, bytes(3)), (16_777_000, 40_000, 743, b"\0\x04\0")],
)
def test_the_na1_is_opened_with_the_key_of_zeros(ci, litres, since, hours, states):
    """Total and clock to the second, the total's low digit in a byte of its own."""
    block = apator.block_na1(litres, MOMENT, since=since, hours=hours, states=states)
    assert values(apator.radio_na1(block, ci=ci)) == {
        "total_volume_m3": Decimal(litres) / 1000,
        "meter_datetime": MOMENT,
    }
    assert opened(apator.radio_na1(block, ci=ci)).measurement.index.value == litres


def test_the_na1_with_a_key_of_its_own():
    """The meter's own key opens it; the key of zeros and another key do not, and 15 bytes are no key."""
    telegram = apator.radio_na1(apator.block_na1(530_733, MOMENT), key=KEY)
    assert values(telegram, KEY)["total_volume_m3"] == Decimal("530.733")
    assert (refused(telegram), refused(telegram, KEY[::-1])) == ("KEY_WRONG", "KEY_WRONG")
    assert refused(telegram, KEY[:15]) == "KEY_UNUSABLE"


def test_the_na1_that_a_gateway_opened():
    """In the clear it is recognised; of a meter with a key of its own it may be forged, and is refused."""
    telegram = apator.radio_na1(apator.block_na1(530_733, MOMENT), key=None)
    assert values(telegram)["total_volume_m3"] == Decimal("530.733")
    assert refused(telegram, KEY) == "KEY_CONFIGURED_BUT_PLAIN"


@pytest.mark.parametrize(
    "block",
    [
        b"\x2e" + apator.block_na1(530_733, MOMENT)[1:],
        b"\x2f\x15" + apator.block_na1(530_733, MOMENT)[2:],
        apator.block_na1(5_000, MOMENT, since=5_001),  # more was counted since than ever
        apator.block_na1(530_733, datetime(2051, 1, 1)),
        apator.block_na1(250_000_000, MOMENT, since=200_000, hours=16_000, states=b"\x12\x34\x56"),
    ],
)
def test_what_no_na1_sends_is_refused(block):
    """Another check byte, a total below what was counted lately, a clock of 2051, three states: no value."""
    assert refused(apator.radio_na1(block)) == "KEY_WRONG"


@pytest.mark.parametrize("litres", [4, 530_733])
@pytest.mark.parametrize("states", [bytes(3), b"\0\0\x80"])
def test_a_damaged_counter_of_the_na1_moves_no_clock(litres, states):
    """Each bit of the counter, which is part of the vector, turned: the telegram is refused."""
    telegram = apator.radio_na1(apator.block_na1(litres, MOMENT, since=2, states=states))
    for bit in range(8):
        damaged = telegram[:11] + bytes((telegram[11] ^ 1 << bit,)) + telegram[12:]
        assert refused(damaged) == "KEY_WRONG"


def test_other_frames_of_the_maker_are_refused():
    """CI A0 of another version, or with another length, is no NA-1: UNSUPPORTED_PAYLOAD."""
    block = apator.block_na1(530_733, MOMENT)
    assert refused(apator.radio_na1(block, version=0x15)) == "UNSUPPORTED_PAYLOAD"
    assert refused(apator.radio_na1(block + bytes(16))) == "UNSUPPORTED_PAYLOAD"


def test_random_registers_with_a_checksum_that_fits_give_no_value():
    """The grammar of the registers by itself: of 20,000 random contents made to fit none is read."""
    dice = random.Random("registers")
    for _ in range(20_000):
        body = b"\x0f" + dice.randbytes(43)
        telegram = apator.radio_16_2(body + crc16(body).to_bytes(2, "big"))
        assert refused(telegram) in {"UNSUPPORTED_PAYLOAD", "KEY_MISSING", "UNPROVED_CONTENT"}
