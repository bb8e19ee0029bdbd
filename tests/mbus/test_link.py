"""core.mbus.link: checksums of frame formats A and B, lengths, wired frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mbus.errors import DecodeStage, TelegramError, TelegramFault
from core.mbus.link import LinkFrame, crc16, read_link, seem_bare

STANDARD_B = bytes.fromhex("1444AE0C7856341201078C2027780B134365877AC5")


def format_a(telegram: bytes) -> bytes:
    """Puts the block checksums of frame format A on a telegram."""
    blocks = [telegram[:10]] + [telegram[at : at + 16] for at in range(10, len(telegram), 16)]
    return b"".join(block + crc16(block).to_bytes(2, "big") for block in blocks)


def format_b(telegram: bytes) -> bytes:
    """Puts the block checksums of frame format B on a telegram, and counts them in L."""
    blocks = [telegram[:126], telegram[126:]] if len(telegram) > 126 else [telegram]
    blocks[0] = bytes((len(telegram) - 1 + 2 * len(blocks),)) + blocks[0][1:]
    return b"".join(block + crc16(block).to_bytes(2, "big") for block in blocks)


telegrams = st.binary(min_size=11, max_size=220).map(lambda body: bytes((len(body) - 1,)) + body[1:])


@given(st.integers(11, 220).filter(lambda length: length != 0x69), st.data())
def test_telegrams_without_checksums_are_found_among_others_of_their_length(length, data):
    """As `read_link` finds each: by the checksum of format B, or that of the last block of format A."""
    bodies = data.draw(st.lists(st.binary(min_size=length - 1, max_size=length - 1), min_size=1, max_size=3))
    raws = [bytes((length - 1,)) + body for body in bodies]
    for start in (0, 10 + max(length - 13, 0) // 16 * 16):
        raws += [raw[:-2] + crc16(raw[start:-2]).to_bytes(2, "big") for raw in raws[: len(bodies)]]
    assert seem_bare(raws) == [read_link(raw) == LinkFrame(raw) for raw in raws]


def test_the_checksum_is_the_one_of_the_standard():
    """CRC-16/EN-13757 of 123456789 is C2B7, and the worked example of the standard fits."""
    assert crc16(b"123456789") == 0xC2B7
    assert read_link(STANDARD_B, crc_kept=True).telegram == b"\x12" + STANDARD_B[1:-2]


@given(telegrams)
def test_checksums_of_both_formats_come_off_again(telegram):
    """A telegram with its checksums on, in either format, is the telegram again."""
    if telegram[0] != 0x68:
        assert read_link(format_a(telegram), crc_kept=True).telegram == telegram
        assert read_link(format_b(telegram), crc_kept=True).telegram == telegram


@given(telegrams.filter(lambda telegram: telegram[0] != 0x68), st.data())
def test_a_flipped_bit_under_format_a_is_found(telegram, data):
    """One flipped bit after the length byte is a checksum error, or a length that no longer fits."""
    framed = bytearray(format_a(telegram))
    at = data.draw(st.integers(1, len(framed) - 1))
    framed[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(TelegramError) as caught:
        read_link(bytes(framed), crc_kept=True)
    assert (caught.value.code, caught.value.stage) == (TelegramFault.CRC_MISMATCH, DecodeStage.LINK)


def test_a_damaged_format_b_frame_is_refused_when_its_checksum_was_kept():
    """The gateway says that the checksum is there: then it has to fit."""
    damaged = STANDARD_B[:16] + b"\x00" + STANDARD_B[17:]
    with pytest.raises(TelegramError) as caught:
        read_link(damaged, crc_kept=True)
    assert caught.value.code is TelegramFault.CRC_MISMATCH


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", TelegramFault.NOT_A_TELEGRAM),
        ("00" * 40, TelegramFault.NOT_A_TELEGRAM),
        ("FF442D2C998734761B168D20", TelegramFault.TRUNCATED),
        ("1944304CB4857A200C04A2010300132F989A", TelegramFault.TRUNCATED),
        ("0A442D2C998734761B16", TelegramFault.TRUNCATED),
        ("0A442D2C998734761B1678FFFF", TelegramFault.CRC_MISMATCH),
    ],
)
def test_lengths_that_do_not_fit_are_refused(raw, code):
    """The L field is held against what arrived."""
    with pytest.raises(TelegramError) as caught:
        read_link(bytes.fromhex(raw))
    assert caught.value.code is code


def test_a_wired_frame_is_checked_by_its_sum():
    """A long frame comes out without start, stop and checksum; a wrong sum is refused."""
    body = bytes.fromhex("0801720403020100000000000000000000")
    frame = bytes((0x68, len(body), len(body), 0x68)) + body
    good = frame + bytes((sum(body) & 0xFF, 0x16))
    link = read_link(good)
    assert link.wired
    assert link.telegram == bytes((len(body),)) + body
    with pytest.raises(TelegramError) as caught:
        read_link(frame + bytes((sum(body) + 1 & 0xFF, 0x16)))
    assert caught.value.code is TelegramFault.CRC_MISMATCH


def test_the_last_block_s_checksum_alone_comes_off_when_it_fits():
    """A receiver that took all checksums but the last: it is checked, taken off, and known to be a guess."""
    telegram = bytes((40,)) + bytes(range(1, 41))
    left = bytes((42,)) + telegram[1:] + crc16(telegram[26:]).to_bytes(2, "big")
    link = read_link(left)
    assert (link.telegram, link.by_fit) == (telegram, True)
    assert read_link(left, crc_kept=False).telegram == left


@pytest.mark.parametrize("announced", range(20, 43))
def test_an_l_field_two_short_is_mended_by_the_last_checksum(announced):
    """Such receivers exist: L counts neither that checksum nor two bytes more. Any other L is an error."""
    telegram = bytes((40,)) + bytes(range(1, 41))
    left = bytes((announced,)) + telegram[1:] + crc16(telegram[26:]).to_bytes(2, "big")
    if announced in {38, 42}:
        assert read_link(left) == LinkFrame(telegram, by_fit=True)
        return
    with pytest.raises(TelegramError) as caught:
        read_link(left)
    assert caught.value.code is TelegramFault.CRC_MISMATCH


def test_an_l_field_two_short_without_that_checksum_is_an_error():
    """Two short, and the last bytes are no checksum: nothing says where the telegram ends."""
    telegram = bytes((40,)) + bytes(range(1, 41))
    wrong = (crc16(telegram[26:]) ^ 1).to_bytes(2, "big")
    with pytest.raises(TelegramError):
        read_link(bytes((38,)) + telegram[1:] + wrong)
