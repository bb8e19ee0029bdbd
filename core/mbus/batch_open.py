"""Opens the contents of many telegrams of one shape at once.

In: telegrams of one shape, and the key of each. Out: the opened content of each; None where the ordinary way
has to say what it is. The one rule: no content leaves before the check that the ordinary way would make, and
whatever does not pass it is left to that way, which alone raises errors. Clauses as in
`core.mbus.security`.
"""

from collections.abc import Sequence
from hmac import compare_digest
from typing import Final

from core.mbus.batch_ciphers import Ciphers, code_once, decrypt_once
from core.mbus.batch_shape import Shape
from core.mbus.frame import Envelope, SecurityKind
from core.mbus.link import crc16
from core.mbus.security import CHECK_BYTES, HOP_BITS, KDF_BY_COUNTER, meter_wire
from core.mbus.transport import CMAC_KINDS, long_to_wire

_KEY_LENGTH: Final = 16
_BLOCK: Final = 16
_NUMBERED: Final = [number.to_bytes(1, "big") for number in range(16)]
_SEVEN: Final = b"\x07" * 7
_ZERO: Final = bytes(_BLOCK)


def open_contents(
    shape: Shape, envelopes: Sequence[Envelope], keys: Sequence[bytes | None], ciphers: Ciphers
) -> list[bytes | None]:
    """The contents, from the offset on at which the layouts of the shape begin."""
    match shape.security:
        case SecurityKind.NONE:
            return _plain(envelopes, keys)
        case SecurityKind.ELL_CTR:
            return _counter_mode(shape, envelopes, keys, ciphers)
        case SecurityKind.MODE_5 | SecurityKind.MODE_7:
            return _blocks(shape, envelopes, keys, ciphers)
        case _:
            return [None] * len(envelopes)


def _plain(envelopes: Sequence[Envelope], keys: Sequence[bytes | None]) -> list[bytes | None]:
    header = envelopes[0].transport
    if header is None:
        return [None] * len(envelopes)
    return [
        envelope.raw[header.payload :] if key is None else None
        for envelope, key in zip(envelopes, keys, strict=True)
    ]


def _counter_mode(
    shape: Shape, envelopes: Sequence[Envelope], keys: Sequence[bytes | None], ciphers: Ciphers
) -> list[bytes | None]:
    start, stop = shape.sealed
    size = stop - start
    contents: list[bytes | None] = [None] * len(envelopes)
    if size < 3:
        return contents
    numbered = _NUMBERED[: -(-size // _BLOCK)]
    chosen: list[int] = []
    streams: list[bytes] = []
    for place, (envelope, key) in enumerate(zip(envelopes, keys, strict=True)):
        raw = envelope.raw
        if key is None or len(key) != _KEY_LENGTH or not raw[16] >> 5:
            continue
        counter = raw[2:10] + (raw[11] & ~HOP_BITS).to_bytes(1, "big") + raw[13:17] + b"\0\0"
        streams.append(ciphers.encrypt(key, b"".join([counter + number for number in numbered]))[:size])
        chosen.append(place)
    plain = _both(b"".join([envelopes[place].raw[start:] for place in chosen]), b"".join(streams))
    for number, place in enumerate(chosen):
        at = number * size
        content = plain[at + 2 : at + size]
        if crc16(content) == plain[at] | plain[at + 1] << 8:
            contents[place] = content
    return contents


def _blocks(
    shape: Shape, envelopes: Sequence[Envelope], keys: Sequence[bytes | None], ciphers: Ciphers
) -> list[bytes | None]:
    """Modes 5 and 7: cipher block chaining, undone for all telegrams with one exclusive-or."""
    start, stop = shape.sealed
    size = stop - start
    contents: list[bytes | None] = [None] * len(envelopes)
    if not size or stop > len(envelopes[0].raw):
        return contents
    chosen: list[int] = []
    used: list[bytes] = []
    spans: list[bytes] = []
    chained: list[bytes] = []
    derived = shape.security is SecurityKind.MODE_7
    header = envelopes[0].transport
    assert header is not None
    # Shapes have no extended link with an address of its own: without a long header the meter is the sender.
    own, at = header.address is None, header.offset + 1
    for place, (envelope, key) in enumerate(zip(envelopes, keys, strict=True)):
        raw = envelope.raw
        if key is None or len(key) != _KEY_LENGTH:
            continue
        if derived:
            once = _derived_key(envelope, key, ciphers)
            if once is None:
                continue
            used.append(once)
            chained.append(_ZERO)
        else:
            used.append(key)
            chained.append(
                raw[2:10] + raw[at : at + 1] * 8
                if own
                else long_to_wire(raw[at : at + 8]) + raw[at + 8 : at + 9] * 8
            )
        spans.append(raw[start:stop])
        chained.append(raw[start : stop - _BLOCK])
        chosen.append(place)
    if derived:
        opened = [decrypt_once(once, blocks) for once, blocks in zip(used, spans, strict=True)]
    else:
        opened = ciphers.decrypt_each(used, spans)
    plain = _both(b"".join(opened), b"".join(chained))
    for number, place in enumerate(chosen):
        at = number * size
        if plain[at : at + 2] == CHECK_BYTES:
            contents[place] = plain[at : at + size] + envelopes[place].raw[stop:]
    return contents


def _derived_key(envelope: Envelope, key: bytes, ciphers: Ciphers) -> bytes | None:
    """The encryption key of mode 7; None when the message code does not fit, or the form is another."""
    layer, header = envelope.authentication, envelope.transport
    if layer is None or layer.message_counter is None or layer.message_control is None or header is None:
        return None
    if not layer.mac or layer.message_control & 0x0F not in CMAC_KINDS:
        return None
    if (header.configuration_extension or 0) & 0x30 != KDF_BY_COUNTER:
        return None
    seed = layer.message_counter + meter_wire(envelope, envelope.raw, header)[2:6] + _SEVEN
    keys = ciphers.codes_of_blocks(key, b"\x00" + seed, b"\x01" + seed)
    message = layer.message_control.to_bytes(1, "big") + layer.message_counter + envelope.raw[header.offset :]
    code = code_once(keys[_BLOCK:], message)
    return keys[:_BLOCK] if compare_digest(code[: len(layer.mac)], layer.mac) else None


def _both(first: bytes, second: bytes) -> bytes:
    """The exclusive-or of two rows of bytes of one length."""
    mixed = int.from_bytes(first, "little") ^ int.from_bytes(second, "little")
    return mixed.to_bytes(len(first), "little")
