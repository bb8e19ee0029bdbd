"""Opened.integrity: what proved a telegram whole, the same from a batch as from one telegram."""

import pytest

from core.metering import Integrity, Opened, identify, load_registry, open_telegram, parse_line
from core.metering.batch import BatchDecoder
from tests.support.telegrams import encryption

REGISTRY = load_registry()
KEY = bytes(range(16))
LINK = bytes.fromhex("2423" + "11223344" + "7607")
RECORDS = bytes.fromhex("0C1345230100 046D 0A0FDE2B")
PLAIN = encryption.plain(LINK, RECORDS)
MODE_5 = encryption.mode5(LINK, KEY, RECORDS)
MODE_7 = encryption.mode7(LINK, KEY, RECORDS)
COUNTER = encryption.counter_mode(LINK, KEY, b"\x78" + RECORDS)
IN_CLEAR = MODE_5[:15] + b"\x2f\x2f" + RECORDS + b"\x2f" * (16 - 2 - len(RECORDS) % 16)
PRIOS = bytes.fromhex("1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD")


def proofs(telegram, key, crc_kept):
    """What single decoding says, twice, and what a batch says that has learned the kind."""
    single = open_telegram(identify(telegram, REGISTRY, crc_kept=crc_kept), key)
    decoder = BatchDecoder(REGISTRY)
    for _ in range(2):
        batch = decoder.open(decoder.identify([(telegram, crc_kept)] * 3), [key] * 3)
        assert all(isinstance(one, Opened) and one == single for one in batch)
        yield from (one.integrity for one in batch)
    yield single.integrity


@pytest.mark.parametrize(
    ("telegram", "key", "crc_kept", "proof"),
    [
        (PLAIN, None, None, Integrity.NOTHING),
        (PLAIN, None, False, Integrity.NOTHING),
        (encryption.format_a(PLAIN), None, True, Integrity.LINK_CHECKSUM),
        (encryption.format_a(PLAIN), None, None, Integrity.LINK_CHECKSUM),
        (encryption.format_b(PLAIN), None, None, Integrity.LINK_CHECKSUM),
        (encryption.last_block_of_a(PLAIN + b"\x2f" * 20), None, None, Integrity.NOTHING),
        (MODE_5, KEY, None, Integrity.DECRYPTION_CHECK),
        (IN_CLEAR, None, None, Integrity.NOTHING),
        (encryption.format_a(MODE_5), KEY, True, Integrity.LINK_CHECKSUM),
        (MODE_7, KEY, None, Integrity.MAC),
        (encryption.format_a(MODE_7), KEY, True, Integrity.MAC),
        (COUNTER, KEY, None, Integrity.PAYLOAD_CHECKSUM),
        (encryption.counter_mode(LINK, None, b"\x78" + RECORDS), None, None, Integrity.PAYLOAD_CHECKSUM),
        (PRIOS, None, None, Integrity.NOTHING),
        (encryption.format_a(PRIOS), None, True, Integrity.LINK_CHECKSUM),
    ],
)
def test_what_proved_a_telegram_whole(telegram, key, crc_kept, proof):
    """The strongest check that was made: code, payload checksum, link checksums, 2F 2F; else nothing."""
    assert set(proofs(telegram, key, crc_kept)) == {proof}


@pytest.mark.parametrize(
    ("line", "checked"),
    [
        (f"T1;1;1;2026-07-14 08:15:42.000;97;148;00000000;0x{PLAIN.hex()}", True),
        (f'{{"data": "{PLAIN.hex()}", "mic": "CRC"}}', True),
        (f'{{"data": "{PLAIN.hex()}"}}', False),
        (PLAIN.hex(), False),
    ],
)
def test_a_gateway_that_checked_says_so(line, checked):
    """rtl_wmbus with CRC_OK and rtl_433 with mic CRC say that they checked; other lines say nothing."""
    assert parse_line(line).checked is checked


def test_the_strongest_of_some_proofs():
    """The order is code, payload checksum, link checksum, decryption check, nothing."""
    assert Integrity.strongest(Integrity.NOTHING, Integrity.LINK_CHECKSUM) is Integrity.LINK_CHECKSUM
    assert Integrity.strongest(Integrity.MAC, Integrity.LINK_CHECKSUM) is Integrity.MAC
    assert Integrity.strongest() is Integrity.NOTHING
