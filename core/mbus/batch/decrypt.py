"""Decrypts the contents of many telegrams of one shape at once.

In: telegrams of one shape, and the key of each. Out: the opened content of each; None where
`core.mbus.decode` has to open it. The one rule: no content leaves before the check that `core.mbus.security`
would make, and whatever does not pass it is left to that module, which alone raises errors. Clauses as there.
"""

from collections.abc import Sequence
from hmac import compare_digest
from itertools import compress
from types import MappingProxyType
from typing import Final

from core.mbus.batch.ciphers import Ciphers, code_once
from core.mbus.batch.shape import Shape
from core.mbus.envelope import Envelope, TransportHeader
from core.mbus.link import crc16
from core.mbus.security import CHECK_BYTES, HOP_BITS, KDF_BY_COUNTER, meter_wire
from core.mbus.transport import CMAC_KINDS, long_to_wire
from core.mbus.vocabulary import SecurityKind

_KEY_LENGTH: Final = 16
_BLOCK: Final = 16
# What joins the counter blocks of a telegram: each ends with its number.
_NUMBERS: Final = [b"", *(number.to_bytes(1, "big") for number in range(16))]
_WITHOUT_HOPS: Final = [(control & ~HOP_BITS).to_bytes(1, "big") for control in range(256)]
_SEVEN: Final = b"\x07" * 7
_ZERO: Final = bytes(_BLOCK)
_CHECKSUM: Final = 2
_WITH_BLOCKS: Final = frozenset({SecurityKind.MODE_5, SecurityKind.MODE_7})


def open_contents(
    shape: Shape, envelopes: Sequence[Envelope], keys: Sequence[bytes | None], ciphers: Ciphers
) -> list[bytes | None]:
    """The contents, from the offset on at which the layouts of the shape begin."""
    if shape.security is SecurityKind.NONE:
        return _plain(envelopes, keys)
    usable = [key for key in keys if key is not None and len(key) == _KEY_LENGTH]
    if len(usable) == len(keys):
        return _decrypted(shape, envelopes, usable, ciphers)
    fit = [key is not None and len(key) == _KEY_LENGTH for key in keys]
    opened = iter(_decrypted(shape, list(compress(envelopes, fit)), usable, ciphers) if usable else ())
    return [
        next(opened) if has_key else _in_clear(shape, envelope.raw) if key is None else None
        for has_key, key, envelope in zip(fit, keys, envelopes, strict=True)
    ]


def _decrypted(
    shape: Shape, envelopes: Sequence[Envelope], keys: Sequence[bytes], ciphers: Ciphers
) -> list[bytes | None]:
    opener = _OPENERS.get(shape.security)
    start, stop = shape.encrypted
    if opener is None or start == stop or stop > len(envelopes[0].raw):
        return [None] * len(envelopes)
    return opener(shape, envelopes, keys, ciphers)


def _in_clear(shape: Shape, raw: bytes) -> bytes | None:
    """A content that needs no key: an extended link's by its checksum; behind a header of mode 5 or 7 by the
    check bytes, or since no blocks are announced.
    """
    start, stop = shape.encrypted
    if shape.security is SecurityKind.ELL_CTR:
        fits = len(raw) - start > _CHECKSUM and crc16(raw[start + 2 :]) == raw[start] | raw[start + 1] << 8
        return raw[start + 2 :] if fits else None
    if shape.security in _WITH_BLOCKS and (start == stop or raw[start : start + 2] == CHECK_BYTES):
        return raw[start:]
    return None


def open_content(shape: Shape, envelope: Envelope, key: bytes | None, ciphers: Ciphers) -> bytes | None:
    """The content of one telegram by itself: quick for mode 5, in which nearly all are encrypted."""
    header, raw, (start, stop) = envelope.transport, envelope.raw, shape.encrypted
    if shape.security is not SecurityKind.MODE_5 or header is None or key is None or len(key) != _KEY_LENGTH:
        return open_contents(shape, (envelope,), (key,), ciphers)[0]
    if start == stop or stop > len(raw):
        return None
    chained = _initial_vector(raw, header) + raw[start : stop - _BLOCK]
    plain = _both(ciphers.decrypt(key, raw[start:stop]), chained)
    return plain + raw[stop:] if plain.startswith(CHECK_BYTES) else None


def _plain(envelopes: Sequence[Envelope], keys: Sequence[bytes | None]) -> list[bytes | None]:
    header = envelopes[0].transport
    if header is None:
        return [None] * len(envelopes)
    return [
        envelope.raw[header.payload :] if key is None else None
        for envelope, key in zip(envelopes, keys, strict=True)
    ]


def _counter_mode(
    shape: Shape, envelopes: Sequence[Envelope], keys: Sequence[bytes], ciphers: Ciphers
) -> list[bytes | None]:
    start, stop = shape.encrypted
    size = stop - start
    if size < 3:
        return [None] * len(envelopes)
    raws = [envelope.raw for envelope in envelopes]
    numbers = _NUMBERS[: 1 - -size // _BLOCK]
    counters = [raw[2:10] + _WITHOUT_HOPS[raw[11]] + raw[13:17] + b"\0\0" for raw in raws]
    streams = ciphers.encrypt_each(keys, [counter.join(numbers) for counter in counters])
    plain = _both(b"".join([raw[start:] for raw in raws]), b"".join([stream[:size] for stream in streams]))
    return [
        plain[at + 2 : at + size]
        if raw[16] >> 5 and crc16(plain[at + 2 : at + size]) == plain[at] | plain[at + 1] << 8
        else None
        for raw, at in zip(raws, range(0, len(plain), size), strict=True)
    ]


def _mode_5(
    shape: Shape, envelopes: Sequence[Envelope], keys: Sequence[bytes], ciphers: Ciphers
) -> list[bytes | None]:
    start, stop = shape.encrypted
    raws = [envelope.raw for envelope in envelopes]
    header = envelopes[0].transport
    assert header is not None
    at, last = header.offset + 1, stop - _BLOCK
    if header.address is None:  # as `_initial_vector` says, without a call for each
        chained = [raw[2:10] + raw[at : at + 1] * 8 + raw[start:last] for raw in raws]
    else:
        chained = [_initial_vector(raw, header) + raw[start:last] for raw in raws]
    opened = ciphers.decrypt_each(keys, [raw[start:stop] for raw in raws])
    return _unchained(opened, chained, raws, shape)


def _initial_vector(raw: bytes, header: TransportHeader) -> bytes:
    """The meter's address and the access number.

    Shapes have no extended link with an address of its own: without a long header the meter is the sender.
    """
    at = header.offset + 1
    if header.address is None:
        return raw[2:10] + raw[at : at + 1] * 8
    return long_to_wire(raw[at : at + 8]) + raw[at + 8 : at + 9] * 8


def _mode_7(
    shape: Shape, envelopes: Sequence[Envelope], keys: Sequence[bytes], ciphers: Ciphers
) -> list[bytes | None]:
    start, stop = shape.encrypted
    found = [_derived_key(envelope, key, ciphers) for envelope, key in zip(envelopes, keys, strict=True)]
    derived = [key for key in found if key is not None]
    raws = [envelope.raw for envelope, key in zip(envelopes, found, strict=True) if key is not None]
    chained = [_ZERO + raw[start : stop - _BLOCK] for raw in raws]
    opened = [ciphers.decrypt_once(key, raw[start:stop]) for key, raw in zip(derived, raws, strict=True)]
    contents = iter(_unchained(opened, chained, raws, shape))
    return [None if key is None else next(contents) for key in found]


def _unchained(
    opened: Sequence[bytes], chained: Sequence[bytes], raws: Sequence[bytes], shape: Shape
) -> list[bytes | None]:
    """Undoes cipher block chaining for all telegrams with one exclusive-or; None where the check fails."""
    start, stop = shape.encrypted
    size = stop - start
    plain = _both(b"".join(opened), b"".join(chained))
    contents = [plain[at : at + size] for at in range(0, len(plain), size)]
    if raws and stop < len(raws[0]):
        contents = [content + raw[stop:] for content, raw in zip(contents, raws, strict=True)]
    if plain[::size] == plain[1::size] == CHECK_BYTES[:1] * len(raws):  # all of them, as nearly always
        return list(contents)
    return [content if content.startswith(CHECK_BYTES) else None for content in contents]


_OPENERS: Final = MappingProxyType(
    {
        SecurityKind.ELL_CTR: _counter_mode,
        SecurityKind.MODE_5: _mode_5,
        SecurityKind.MODE_7: _mode_7,
    }
)


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
