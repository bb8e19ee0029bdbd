"""core.mbus.decode, transport and security: envelopes, keys, and every way in which opening fails."""

import pytest

from core.mbus.address import Address
from core.mbus.decode import open_frame, read_envelope
from core.mbus.errors import DecodeStage, TelegramError, TelegramFault
from core.mbus.vocabulary import Measurand, SecurityKind

# Our own telegrams, one a kind of encryption.
CTR = (
    "2A442D2C043799691B168D2087809EE828519A899DAD7C577857BD746EAE6326423CA7F5C760FBF406E270",
    "F5011AE1F4F10C62B7E5052DE5831F09",
)
MODE_5 = (
    (
        "3E4497265299344800077AE20030253775583748E85DE76B854FB265B6DCB3CFEA8687FDC2328F6AC352C98F1DA5247333092"
        "505396A52A3C75EC4BEEA59D5"
    ),
    "F6B4A7E161B97F720BA1E29EFCDCF9E5",
)
LONG = (
    (
        "36449726071261853307725299344897263307A6002025AAFC4C5B4FE0A9431E2079E758624A40BF10B1F26DCF41D2570A1802E5"
        "B3A39D"
    ),
    "F6B4A7E161B97F720BA1E29EFCDCF9E5",
)
MODE_7 = (
    (
        "434474269283047631078C20E1900F002C2515C9060008C3438FF22A177F7AE10020071027199EBA7BA821026F21585687B2A9"
        "9C5F4D1C4B42E6464CB242304238760C2F"
    ),
    "06FC78E4235BE6A2CFEE9E25151999BA",
)
PLAIN = (
    "2E4497265299344803077A11000000041383F20100066D362716463300441366EF0100426C3F3C0E79221371783809",
    None,
)
ENCRYPTED = {
    SecurityKind.ELL_CTR: CTR,
    SecurityKind.MODE_5: MODE_5,
    SecurityKind.MODE_7: MODE_7,
}
OTHER_KEY = bytes.fromhex("0123456789ABCDEF0123456789ABCDEF")


def refusal(telegram: bytes, key: bytes | None) -> TelegramError:
    """The error with which a telegram is refused."""
    with pytest.raises(TelegramError) as caught:
        open_frame(read_envelope(telegram), key)
    return caught.value


@pytest.mark.parametrize(("kind", "vector"), ENCRYPTED.items())
def test_an_encrypted_telegram_shows_who_sent_it_and_opens_with_its_key(kind, vector):
    """The envelope is readable without the key; the key opens the records."""
    envelope = read_envelope(bytes.fromhex(vector[0]))
    assert envelope.security is kind
    frame = open_frame(envelope, bytes.fromhex(vector[1]))
    assert frame.record(Measurand.VOLUME).value > 0
    assert not frame.opened_with_default_key


@pytest.mark.parametrize("vector", ENCRYPTED.values())
def test_no_key_and_another_key_are_different_faults(vector):
    """KEY_MISSING asks for a key; KEY_WRONG or MAC_MISMATCH says that this one is not it."""
    telegram = bytes.fromhex(vector[0])
    assert refusal(telegram, None).code is TelegramFault.KEY_MISSING
    wrong = refusal(telegram, OTHER_KEY)
    assert wrong.code in {TelegramFault.KEY_WRONG, TelegramFault.MAC_MISMATCH}
    assert wrong.stage is DecodeStage.SECURITY
    assert refusal(telegram, b"short").code is TelegramFault.KEY_UNUSABLE


def test_every_bit_of_an_authenticated_message_counts():
    """Mode 7: one flipped bit anywhere behind the link header is refused, in message counter and code too."""
    telegram, key = bytearray.fromhex(MODE_7[0]), bytes.fromhex(MODE_7[1])
    for at in (20, 22, 26, 30, 40, 50, len(telegram) - 1):
        telegram[at] ^= 0x10
        with pytest.raises(TelegramError):
            open_frame(read_envelope(bytes(telegram)), key)
        telegram[at] ^= 0x10


def test_every_bit_under_the_extended_link_counts():
    """Counter mode is malleable: the payload checksum finds each flipped bit."""
    telegram, key = bytearray.fromhex(CTR[0]), bytes.fromhex(CTR[1])
    for at in range(17, len(telegram)):
        telegram[at] ^= 0x01
        assert refusal(bytes(telegram), key).code is TelegramFault.KEY_WRONG
        telegram[at] ^= 0x01


def test_a_damaged_first_block_is_refused_in_mode_5():
    """Mode 5 has two check bytes in the first block, and they are looked at."""
    telegram = bytearray.fromhex(MODE_5[0])
    telegram[16] ^= 0x01
    assert refusal(bytes(telegram), bytes.fromhex(MODE_5[1])).code is TelegramFault.KEY_WRONG


def test_a_plain_telegram_of_a_meter_with_a_key_is_suspicious():
    """Downgrade protection: what came unencrypted is refused if the meter has a key, read if it has none."""
    telegram = bytes.fromhex(PLAIN[0])
    assert refusal(telegram, OTHER_KEY).code is TelegramFault.KEY_CONFIGURED_BUT_PLAIN
    assert open_frame(read_envelope(telegram), None).records


def test_a_long_header_names_the_meter_and_the_link_its_radio():
    """The long header's address is the meter, and with it the initial vector is made."""
    envelope = read_envelope(bytes.fromhex(LONG[0]))
    assert envelope.link_address == Address("ITW", "85611207", 0x33, 0x07)
    assert envelope.meter_address == Address("ITW", "48349952", 0x33, 0x07)
    assert open_frame(envelope, bytes.fromhex(LONG[1])).records


def test_offsets_point_into_the_telegram():
    """Each record says where its DIF stands in the telegram."""
    telegram = bytes.fromhex(PLAIN[0])
    for record in open_frame(read_envelope(telegram), None).records:
        assert telegram[record.offset :].startswith(record.header + record.data)


@pytest.mark.parametrize(
    ("tail", "kind", "code"),
    [
        ("A2" + "00" * 15, SecurityKind.PROPRIETARY, TelegramFault.UNSUPPORTED_CI),
        ("50", SecurityKind.UNSUPPORTED, TelegramFault.UNSUPPORTED_CI),
        ("8A110000 00", SecurityKind.NONE, TelegramFault.UNSUPPORTED_CI),
        ("7A110000 02", SecurityKind.UNSUPPORTED, TelegramFault.UNSUPPORTED_SECURITY_MODE),
        ("7A110000 0D 10", SecurityKind.UNSUPPORTED, TelegramFault.UNSUPPORTED_SECURITY_MODE),
        ("7A110000 10", SecurityKind.PROPRIETARY, TelegramFault.UNSUPPORTED_SECURITY_MODE),
        ("7A11001007 10" + "00" * 16, SecurityKind.MODE_7, TelegramFault.UNSUPPORTED_SECURITY_MODE),
    ],
)
def test_what_is_not_implemented_keeps_its_sender(tail, kind, code):
    """A CI or a mode that nobody reads is refused when opened; the address is known all the same."""
    body = bytes.fromhex("442D2C998734761B16" + tail)
    envelope = read_envelope(bytes((len(body),)) + body)
    assert str(envelope.meter_address) == "KAM-76348799-1B-16"
    assert envelope.security is kind
    assert refusal(envelope.raw, OTHER_KEY).code is code


@pytest.mark.parametrize(
    ("tail", "code"),
    [
        ("90 0F 0060", TelegramFault.UNSUPPORTED_SECURITY_MODE),
        ("90 05 002C 25 01020304 0102030405060708 78", TelegramFault.NOT_A_TELEGRAM),
        ("90 0F 002C 25", TelegramFault.TRUNCATED),
        ("8C20", TelegramFault.TRUNCATED),
        ("7A11", TelegramFault.TRUNCATED),
    ],
)
def test_headers_that_break_off_are_refused(tail, code):
    """Fragments, lengths that do not fit and missing bytes are distinguished."""
    body = bytes.fromhex("442D2C998734761B16" + tail)
    with pytest.raises(TelegramError) as caught:
        read_envelope(bytes((len(body),)) + body)
    assert caught.value.code is code


def test_no_value_and_no_error_shows_a_key_or_plaintext():
    """repr and str of all that decoding answers hold neither the key nor the opened content."""
    telegram, key = bytes.fromhex(CTR[0]), bytes.fromhex(CTR[1])
    envelope = read_envelope(telegram)
    frame = open_frame(envelope, key)
    error = refusal(telegram, OTHER_KEY)
    shown = repr(envelope) + repr(frame) + str(error) + repr(error)
    for secret in (key, OTHER_KEY, frame.plaintext):
        assert secret.hex() not in shown.lower()
        assert repr(secret)[2:-1] not in shown


def test_a_wired_frame_is_read_like_a_radio_telegram():
    """The long frame of wired M-Bus names its meter in the long header; one without it names none."""
    body = bytes.fromhex("0801" + "72" + "78563412" + "2D2C" + "1B16" + "11000000" + "041311BB0000")
    frame = bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))
    envelope = read_envelope(frame)
    assert envelope.wired
    assert str(envelope.meter_address) == "KAM-12345678-1B-16"
    assert str(open_frame(envelope, None).record(Measurand.VOLUME).value) == "47.889"
    body = bytes.fromhex("0801" + "78" + "041311BB0000")
    with pytest.raises(TelegramError) as caught:
        read_envelope(bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16)))
    assert caught.value.code is TelegramFault.UNSUPPORTED_CI


def test_an_extended_link_with_an_address_names_the_meter():
    """Form III (8E) carries the meter's address; the link address is then the relaying radio."""
    body = bytes.fromhex("442D2C998734761B16" + "8E2011" + "97265299344800 07" + "78" + "041311BB0000")
    envelope = read_envelope(bytes((len(body),)) + body)
    assert str(envelope.link_address) == "KAM-76348799-1B-16"
    assert str(envelope.meter_address) == "ITW-48349952-00-07"
    assert open_frame(envelope, None).records


@pytest.mark.parametrize(
    ("at", "value", "code"),
    [
        (35, 0x20, TelegramFault.UNSUPPORTED_SECURITY_MODE),  # CFGX: another key derivation
        (33, 0xF0, TelegramFault.TRUNCATED),  # CFG: more encrypted blocks than arrived
    ],
)
def test_kinds_of_mode_7_that_are_not_read_are_named(at, value, code):
    """Another derivation, missing blocks: a code of their own, never a wrong key."""
    telegram = bytearray.fromhex(MODE_7[0])
    telegram[at] = value
    with pytest.raises(TelegramError) as caught:
        open_frame(read_envelope(bytes(telegram)), bytes.fromhex(MODE_7[1]))
    assert caught.value.code is code
