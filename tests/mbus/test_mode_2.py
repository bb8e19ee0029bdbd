"""core.mbus.mode_2: wired telegrams with the most significant byte first."""

import pytest

from core.mbus.decode import open_frame, read_envelope
from core.mbus.errors import TelegramError, TelegramFault
from core.mbus.link import read_link
from core.mbus.vocabulary import Measurand

FIELDS = (
    # header, data as mode 1 sends them: the least significant byte first
    ("0413", "11BB0000"),
    ("0C05", "56341200"),
    ("8C0113", "00100000"),
    ("046D", "2C2DDC24"),
    ("426C", "3F3C"),
    ("0DFD11", "544F4349"),
    ("053E", "0000C03F"),
    ("02FF20", "7100"),
)
HEADER = ("78563412", "2D2C", "1B", "16", "11", "00", "0000")


def wired(ci, header, fields, *, tail="", drop=0):
    """A long frame; `drop` leaves out the stop byte, and the checksum before it."""
    body = bytes.fromhex("0801" + ci + "".join(header))
    for head, data in fields:
        body += bytes.fromhex(head)
        if int(head[:2], 16) & 0x0F == 0x0D:
            body += bytes((len(data) // 2,))
        body += bytes.fromhex(data)
    body += bytes.fromhex(tail)
    frame = bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))
    return frame[: len(frame) - drop]


def turned(text):
    return bytes.fromhex(text)[::-1].hex()


MODE_1 = wired("72", HEADER, FIELDS)
MODE_2 = wired("76", map(turned, HEADER), [(head, turned(data)) for head, data in FIELDS])


def read(raw):
    return open_frame(read_envelope(raw), None)


def test_the_most_significant_byte_first_gives_the_same_values():
    """Totals, decimal digits, dates, text and floats of CI 76 are those of CI 72, at the same offsets."""
    one, two = read(MODE_1), read(MODE_2)
    assert str(two.envelope.meter_address) == "KAM-12345678-1B-16"
    assert two.records == one.records
    assert str(two.record(Measurand.VOLUME).value) == "47.889"


def test_without_turning_the_value_would_be_another():
    """The same bytes under CI 72 are a false total: the order is the CI field's, and not guessed."""
    false = read(wired("72", HEADER, [(head, turned(data)) for head, data in FIELDS]))
    assert str(false.record(Measurand.VOLUME).value) != "47.889"


def test_a_makers_own_data_remain_as_they_are():
    """What follows a DIF 0F has no byte order of the standard."""
    frame = read(wired("76", map(turned, HEADER), [("0413", "0000BB11")], tail="0F010203"))
    assert frame.manufacturer_data == bytes.fromhex("010203")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (
            wired("76", map(turned, (*HEADER[:-1], "0005")), [("0413", "0000BB11")]),
            "UNSUPPORTED_SECURITY_MODE",
        ),
        (wired("76", map(turned, HEADER), [("0413", "0000")]), "TRUNCATED"),
        (wired("76", ("78563412",), ()), "TRUNCATED"),
    ],
)
def test_what_cannot_be_turned_is_refused(raw, code):
    """An encrypted content, a record that is cut, a header that is cut: refused with the true reason."""
    with pytest.raises(TelegramError) as caught:
        read_envelope(raw)
    assert caught.value.code == code


@pytest.mark.parametrize("ci", ["72", "76"])
@pytest.mark.parametrize("drop", [0, 1, 2])
def test_a_wired_frame_may_lack_its_stop_and_its_checksum(ci, drop):
    """Whole, without the stop byte, without both: the same values; only a checksum that is there proves."""
    header = HEADER if ci == "72" else [turned(text) for text in HEADER]
    raw = wired(ci, header, [("0413", "11BB0000" if ci == "72" else "0000BB11")], drop=drop)
    link = read_link(raw)
    assert (link.wired, link.checked) == (True, drop < 2)
    assert str(read(raw).record(Measurand.VOLUME).value) == "47.889"


@pytest.mark.parametrize("drop", [0, 1])
def test_a_checksum_that_is_there_is_checked(drop):
    """A frame that kept its checksum and lost its stop byte is refused when the sum is another."""
    damaged = bytearray(wired("72", HEADER, [("0413", "11BB0000")], drop=drop))
    damaged[-1 - (1 - drop)] ^= 1
    with pytest.raises(TelegramError) as caught:
        read_link(bytes(damaged))
    assert caught.value.code is TelegramFault.CRC_MISMATCH


@pytest.mark.parametrize("lost", [3, 5, 20])
def test_a_wired_frame_that_lost_more_is_refused(lost):
    """A frame that ends within its content is no telegram."""
    with pytest.raises(TelegramError):
        read_envelope(MODE_1[:-lost])


def test_a_whole_wired_frame_of_105_bytes_is_no_radio_telegram():
    """Its length is what a radio telegram's L field of 68 announces; the checksum decides."""
    fields = [("0413", "11BB0000"), ("0DFD11", "20" * (105 - 6 - 15 - 6 - 4))]
    raw = wired("72", HEADER, fields)
    assert len(raw) == 105
    assert read_link(raw).wired
