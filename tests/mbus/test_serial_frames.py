"""core.mbus.serial_frames: what serial receivers wrap around a telegram."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mbus.errors import TelegramError, TelegramFault
from core.mbus.lines import GatewayLine, parse_line
from core.mbus.serial_frames import crc_x25

PRIOS = bytes.fromhex("1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD")


def slip(content: bytes, *, checksum: int | None = None) -> bytes:
    """RFC 1055 around the content and its checksum."""
    check = crc_x25(content) if checksum is None else checksum
    whole = content + check.to_bytes(2, "little")
    return b"\xc0" + whole.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


def refusal(raw: bytes) -> TelegramError:
    with pytest.raises(TelegramError) as caught:
        parse_line(raw.hex())
    return caught.value


def test_the_checksum_of_imst_is_known():
    """CRC-16/IBM-SDLC of the digits 1 to 9 is 906E."""
    assert crc_x25(b"123456789") == 0x906E


@pytest.mark.parametrize("payload", [PRIOS, bytes(4) + PRIOS, b"\xc0\xdb" + PRIOS, b""])
def test_an_iu891a_frame_is_recognised_and_refused(payload):
    """Its framing proves itself; where its telegram stands is not known, so nothing is read out of it."""
    error = refusal(slip(b"\x09\x20" + payload))
    assert error.code is TelegramFault.UNSUPPORTED_SHAPE
    assert "iU891A" in error.message
    assert "endpoint 09, message 20" in error.message


@pytest.mark.parametrize(
    "raw",
    [slip(b"\x09\x20" + PRIOS, checksum=1), b"\xc0\xc0", b"\xc0\xdb\x01\xc0", b"\xc0\x01\x02\x03\xdb\xc0"],
)
def test_a_damaged_iu891a_frame_is_reported_as_damaged(raw):
    """A SLIP frame whose checksum does not fit, or that breaks RFC 1055."""
    assert refusal(raw).code is TelegramFault.CRC_MISMATCH


def test_a_radio_telegram_may_begin_and_end_with_c0():
    """193 bytes whose L field is C0 are no SLIP frame unless the frame's checksum fits."""
    telegram = b"\xc0" + bytes(range(1, 192)) + b"\xc0"
    assert parse_line(telegram.hex()) == GatewayLine(telegram)


@given(st.binary(min_size=1, max_size=120))
def test_no_content_of_a_slip_frame_is_taken_for_a_telegram(content):
    """Whatever stands between two ends, nothing short of a radio telegram's length comes out."""
    assert refusal(b"\xc0" + content + b"\xc0").code in {
        TelegramFault.UNSUPPORTED_SHAPE,
        TelegramFault.CRC_MISMATCH,
    }
