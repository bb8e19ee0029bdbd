"""Telegrams whose L field does not fit their bytes: read where the content proves its end, else refused."""

import pytest

from core.metering import Opened, TelegramError, TelegramFault, identify, load_registry, open_telegram
from core.metering.batch import BatchDecoder
from tests.support.telegrams import encryption

REGISTRY = load_registry()
KEY = bytes(range(16))
LINK = bytes.fromhex("2423" + "11223344" + "7607")
RECORDS = bytes.fromhex("0C1345230100 4C1300100100 426CDF2C 046D0A0FDE2B 02FD170000")
LONG = RECORDS + bytes.fromhex("0C13 45230100") * 20
ENCRYPTED = {
    "mode 5": encryption.mode5(LINK, KEY, RECORDS),
    "mode 5, two blocks of format B": encryption.mode5(LINK, KEY, LONG),
    "mode 7": encryption.mode7(LINK, KEY, RECORDS),
    "counter mode": encryption.counter_mode(LINK, KEY, b"\x78" + RECORDS),
}
PLAIN = encryption.plain(LINK, RECORDS)
PRIOS = bytes.fromhex("1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD")


def unmended(whole, checksums):
    """The telegram without its checksums, the L field as when it counted them."""
    return bytes((whole[0] + checksums,)) + whole[1:]


def checksums_of_a(whole):
    return len(encryption.format_a(whole)) - len(whole)


def checksums_of_b(whole):
    return 2 if len(whole) <= 126 else 4


def outcome(raw, key, crc_kept=None):
    """The total in litres, or the code of the error; the same from a batch."""
    identified = identify(raw, REGISTRY, crc_kept=crc_kept)
    decoder = BatchDecoder(REGISTRY)
    (batch,) = decoder.open(decoder.identify([(raw, crc_kept)]), [key])
    try:
        single = open_telegram(identified, key).measurement.index.value
    except TelegramError as error:
        single = error.code
    assert single == (batch.measurement.index.value if isinstance(batch, Opened) else batch.code)
    return single


@pytest.mark.parametrize("crc_kept", [None, False])
@pytest.mark.parametrize("mode", ENCRYPTED)
def test_a_length_that_still_counts_checksums_is_mended(mode, crc_kept):
    """Format B (2 or 4 bytes) and format A (2 a block): 12.345 m3, and the meter can be registered."""
    whole = ENCRYPTED[mode]
    for checksums in {checksums_of_a(whole), checksums_of_b(whole)}:
        raw = unmended(whole, checksums)
        assert str(identify(raw, REGISTRY, crc_kept=crc_kept).address) == "HYD-44332211-76-07"
        assert outcome(raw, KEY, crc_kept) == 12345


@pytest.mark.parametrize("mode", ENCRYPTED)
@pytest.mark.parametrize("behind", [b"\x8a", b"\x12\x34", b"\x12\x34\x8a"])
def test_bytes_behind_the_proven_end_are_left_out(mode, behind):
    """A signal strength, a last checksum, or both, whether L counts them or not."""
    whole = ENCRYPTED[mode]
    assert outcome(whole + behind, KEY) == 12345
    assert outcome(bytes((whole[0] + len(behind),)) + whole[1:] + behind, KEY) == 12345


@pytest.mark.parametrize("mode", ENCRYPTED)
def test_the_deepest_stage_reached_is_reported(mode):
    """Whatever the length, without its key the key is missing, and with another the key is wrong."""
    whole = ENCRYPTED[mode]
    for raw in (unmended(whole, 2), unmended(whole, 4), whole + b"\x8a"):
        assert outcome(raw, None) is TelegramFault.KEY_MISSING
        assert outcome(raw, bytes(16)) in {TelegramFault.KEY_WRONG, TelegramFault.MAC_MISMATCH}


def test_a_mended_length_does_not_hide_that_the_key_is_missing():
    """L lacks the last checksum and two bytes more: the checksum shows the end, and the key is missing."""
    for whole in (ENCRYPTED["mode 5"], ENCRYPTED["mode 7"]):
        last = 10 + (len(whole) - 11) // 16 * 16
        short = bytes((whole[0] - 2,)) + whole[1:] + encryption.crc16(whole[last:]).to_bytes(2, "big")
        assert outcome(short, None) is TelegramFault.KEY_MISSING
        assert outcome(short, KEY) == 12345


@pytest.mark.parametrize("whole", [PLAIN, PRIOS], ids=["plain", "PRIOS"])
def test_where_nothing_proves_the_end_the_telegram_is_refused(whole):
    """The meter may be known by it; a plain content and PRIOS, whose check is one byte, are not read."""
    for checksums in (2, 4):
        raw = unmended(whole, checksums)
        assert identify(raw, REGISTRY).address == identify(whole, REGISTRY).address
        assert outcome(raw, None) is TelegramFault.TRUNCATED
    assert outcome(whole + b"\x8a", None) is TelegramFault.CRC_MISMATCH


@pytest.mark.parametrize("mode", ENCRYPTED)
def test_a_telegram_that_lost_bytes_is_refused(mode):
    """Cut by any number of bytes: no value, whatever L says and whether the key is there."""
    whole = ENCRYPTED[mode]
    for length in range(11, len(whole)):
        for raw in (whole[:length], bytes((length - 1,)) + whole[1:length]):
            with pytest.raises(TelegramError):
                open_telegram(identify(raw, REGISTRY), KEY)


def test_a_gateway_that_keeps_checksums_is_held_to_them():
    """With `crc_kept` a telegram without fitting checksums is refused before its sender is read."""
    for raw in (unmended(ENCRYPTED["mode 5"], 2), ENCRYPTED["mode 5"] + b"\x8a"):
        with pytest.raises(TelegramError):
            identify(raw, REGISTRY, crc_kept=True)
