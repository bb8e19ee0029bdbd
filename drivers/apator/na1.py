"""The telegrams of the Apator NA-1: CI A0 or A1, a counter, a byte, and 16 encrypted bytes.

In: an envelope and the meter's key, or none. Out: a frame with two ordinary records, total and clock. The one
rule: nothing but its plausibility proves the content, so all of it is weighed; what is no content that a
meter sends, by so many bits of evidence, is refused as KEY_WRONG.

    CI · counter · 1 byte · AES-128-CBC( 2F · total · clock · hours · months · 3 bytes of states )

    IV       the sender's address as on air (M field, A field), and eight times the counter
    key      the meter's own; sixteen zeros where it has none
    total    28 bits: the low digit of the first byte, then three bytes above it; its high digit is 0
    clock    32 bits: seconds since 2000-01-01, the meter's own time
    hours    8 bits, and bits 2 to 7 of the next byte above them: the age of an earlier total
    months   bits 0 and 1 of that byte, then two bytes above them: what was counted since

That was inferred from seven telegrams of one meter over five days. They prove it: under the key of zeros each
begins with 2F, the seconds from one to the next are those of the clock, and the earlier total, the present
one less what was counted since, is the same in all.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from math import log2
from typing import Final

from Crypto.Cipher import AES
from msgspec.structs import replace

from submeter.vendor import Address, Frame, Measurand
from submeter.vendor.proprietary import (
    MAYBE_PLAIN,
    SURE_TO_BE_PLAIN,
    DecodeStage,
    Envelope,
    Layout,
    Proprietary,
    TelegramError,
    TelegramFault,
    fixed_place,
    number_bits,
)

CI: Final = range(0xA0, 0xA2)
VERSION: Final = 0x14

_HEADER_LENGTH: Final = 10
_COUNTER: Final = 11
_ENCRYPTED_FROM: Final = 13
_BLOCK: Final = 16
_ZEROS: Final = bytes(16)
_CHECK_BYTE: Final = 0x2F
_LITRE: Final = Decimal("0.001")
_EPOCH: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - the meter's own time has no zone
_FIRST, _LAST = datetime(2005, 1, 1), datetime(2050, 1, 1)  # noqa: DTZ001 - as above

_place: Final = partial(fixed_place, content_at=_ENCRYPTED_FROM)
_LAYOUT: Final = Layout(
    (_place(1, 5, Measurand.VOLUME, unit="m3"), _place(5, 9, Measurand.DATE_TIME)),
    start=_ENCRYPTED_FROM,
    opened_from=_HEADER_LENGTH,
)

# Bits of evidence. A content has 24 when a state or two are set, 32 when none is; of random ones at most one
# in 2^22 passes.
_OPENED: Final = 22.0
_CHECKED: Final = 8.0 + 4.0  # 2F, and the high digit of the total
_OF_A_CLOCK: Final = 32 - log2((_LAST - _FIRST).total_seconds())
_UNSET, _SET = 8 + log2(0.5), log2(0.5) + log2(256 / 255)


def read_address(envelope: Envelope) -> Address:
    """The meter's address: that of the sender."""
    return envelope.link_address


def open_envelope(envelope: Envelope, key: bytes | None) -> Frame | None:
    """Opens a telegram; None when the content is not one that a meter sends.

    Raises:
        TelegramError: UNSUPPORTED_PAYLOAD for other versions and lengths, MAYBE_PLAIN.

    """
    sent = envelope.raw[_ENCRYPTED_FROM:]
    if envelope.link_address.version != VERSION or len(sent) != _BLOCK:
        message = (
            "Of these frames of Apator only those of the NA-1 are read, and only with 16 bytes of content."
        )
        raise TelegramError(TelegramFault.UNSUPPORTED_PAYLOAD, DecodeStage.DRIVER, message)
    vector = envelope.raw[2:_HEADER_LENGTH] + envelope.raw[_COUNTER : _COUNTER + 1] * 8
    opened = AES.new(_ZEROS if key is None else key, AES.MODE_CBC, iv=vector).decrypt(sent)
    frame = _read(envelope, opened, _OPENED, default_key=key is None)
    if frame is not None:
        return frame
    in_clear = _read(envelope, sent, SURE_TO_BE_PLAIN, default_key=False)
    if in_clear is not None:
        return replace(in_clear, in_clear=True)
    if key is None and _read(envelope, sent, MAYBE_PLAIN, default_key=False) is not None:
        raise TelegramError(
            TelegramFault.MAYBE_PLAIN,
            DecodeStage.SECURITY,
            "The content may have come in the clear, but nothing proves it.",
            offset=_ENCRYPTED_FROM,
        )
    return None


def _read(envelope: Envelope, plain: bytes, asked: float, *, default_key: bool) -> Frame | None:
    """The frame of a content that has the evidence asked of it."""
    if plain[0] != _CHECK_BYTE or plain[1] >> 4:
        return None
    litres = int.from_bytes(plain[2:5], "little") << 4 | plain[1]
    clock = _EPOCH + timedelta(seconds=int.from_bytes(plain[5:9], "little"))
    hours = plain[9] | plain[10] >> 2 << 8
    since = int.from_bytes(plain[11:13], "little") << 2 | plain[10] & 3
    if not _FIRST <= clock < _LAST or since > litres or all(plain[13:]):
        return None
    bits = _CHECKED + number_bits(litres, 28) + _OF_A_CLOCK + number_bits(since, 18) + number_bits(hours, 14)
    bits += sum(_SET if state else _UNSET for state in plain[13:])
    if bits < asked:
        return None
    return Frame(envelope, _LAYOUT, (litres * _LITRE, clock), plain, default_key)


PROPRIETARY: Final = Proprietary(
    claims=frozenset(("APA", ci) for ci in CI),
    address=read_address,
    open=open_envelope,
    encrypted_from=_ENCRYPTED_FROM,
    shortest=_BLOCK,
    key_length=16,
)
