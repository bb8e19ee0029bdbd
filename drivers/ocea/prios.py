"""PRIOS and "real data": the encrypted frames that Diehl (Sappel, Hydrometer) had before OMS.

In: an envelope with CI A0..A7, or CI 7A with a manufacturer's security mode, and an eight-byte key or none.
Out: a frame with ordinary records. The one rule: the check is weak (one byte of PRIOS, a sum of seven bits of
"real data"), so the content must also be one that a meter sends, by so many bits of evidence; what is not is
refused as KEY_WRONG and discarded. A meter's own key replaces the two well-known ones.

A PRIOS content in the long form has a total, the total of the last month's end and its day: that the totals
are small or near each other, and that there is such a day, passes one random content in two million, of both
keys together. The short form has a total alone: one of 2,097 m3 and more might be chance, and is refused; of
random contents one in 262,144 is below it and has the check byte.

The register is linear, so sixteen bytes of its stream are the exclusive-or of four table entries.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial, reduce
from operator import xor
from struct import Struct
from typing import Final, cast

from msgspec.structs import replace

from submeter.vendor import Address, Frame, Measurand
from submeter.vendor.proprietary import (
    MAYBE_PLAIN,
    SURE_TO_BE_PLAIN,
    DecodeStage,
    Envelope,
    Layout,
    Proprietary,
    Quantity,
    TelegramError,
    TelegramFault,
    WholeIndex,
    bits_of,
    date_g,
    day_bits,
    fixed_place,
    number_bits,
    read_frame,
)

MAKERS: Final = ("SAP", "DME", "HYD", "EWT")
_AS_SENT: Final = "SAP"
PRIOS_CI: Final = range(0xA0, 0xA8)
REAL_DATA_CI: Final = 0x7A

_WELL_KNOWN: Final = (bytes.fromhex("39BC8A10E66D83F8"), bytes.fromhex("51728910E66D83F8"))
_HEADER_LENGTH: Final = 10
_ENCRYPTED_FROM: Final = 15
_CHECK_BYTE: Final = 0x4B
_REAL_DATA_SUM: Final = 0xEF
_LITRE: Final = Decimal("0.001")
_MASK: Final = 0xFFFFFFFF


def _eight_steps(register: int) -> int:
    for _ in range(8):
        bit = (register >> 1 ^ register >> 2 ^ register >> 11 ^ register >> 31) & 1
        register = (register << 1 | bit) & _MASK
    return register


_BLOCK: Final = 16


def _stream(register: int) -> int:
    """The next sixteen bytes of key stream, the first lowest."""
    stream = bytearray()
    for _ in range(_BLOCK):
        register = _eight_steps(register)
        stream.append(register & 0xFF)
    return int.from_bytes(stream, "little")


def _tables() -> Iterator[tuple[int, ...]]:
    """For each byte of the register, the lowest first: what each of its values adds to the stream."""
    for shift in (0, 8, 16, 24):
        table = [0]
        for bit in range(8):
            added = _stream(1 << shift + bit)
            table += [entry ^ added for entry in table]
        yield tuple(table)


_TABLES: Final = tuple(_tables())


def _by_place(table: Sequence[int]) -> list[bytes]:
    """A table for each byte of the stream."""
    entries = b"".join([entry.to_bytes(_BLOCK, "little") for entry in table])
    return [entries[place::_BLOCK] for place in range(_LONG_LENGTH)]


def decrypt(telegram: bytes, key: bytes) -> bytes:
    """The plain bytes from offset 15 on.

    Args:
        telegram: as on air, without link checksums, the address not yet rotated: it seeds the register.
        key: eight bytes.

    """
    sent = int.from_bytes(telegram[2:14], "big")
    own = int.from_bytes(key, "big")
    register = (own ^ own >> 32 ^ sent ^ sent >> 32 ^ sent >> 64) & _MASK
    lowest, low, high, highest = _TABLES
    encrypted = telegram[_ENCRYPTED_FROM:]
    stream = whole = 0
    size = len(encrypted)
    while True:
        block = (
            lowest[register & 0xFF]
            ^ low[register >> 8 & 0xFF]
            ^ high[register >> 16 & 0xFF]
            ^ highest[register >> 24]
        )
        stream |= block << 8 * whole
        whole += _BLOCK
        if whole >= size:
            break
        # The register contains the last four bytes of the stream.
        register = int.from_bytes((block >> 8 * (_BLOCK - 4)).to_bytes(4, "little"), "big")
    plain = int.from_bytes(encrypted, "little") ^ stream & (1 << 8 * size) - 1
    return plain.to_bytes(size, "little")


def read_address(envelope: Envelope) -> Address:
    """The meter's address. All but Sappel send version and medium before the identification."""
    sent = envelope.link_address
    if sent.manufacturer == _AS_SENT:
        return sent
    wire, number = envelope.raw, sent.identification
    # On air version, medium and identification stand in this order; the link layer takes them for the
    # identification, version and medium of other makers.
    return Address(sent.manufacturer, wire[9:5:-1].hex().upper(), int(number[6:], 16), int(number[4:6], 16))


def open_envelope(envelope: Envelope, key: bytes | None) -> Frame | None:
    """Opens an encrypted Diehl frame; None when the check of the content fails.

    Raises:
        TelegramError: MAYBE_PLAIN.

    """
    read = _read_real_data if envelope.ci == REAL_DATA_CI else _read_prios
    envelope = _with_address(envelope)
    for candidate in _WELL_KNOWN if key is None else (key,):
        opened = read(envelope, decrypt(envelope.raw, candidate), default_key=key is None)
        if opened is not None:
            frame, bits = opened
            if bits >= _OPENED or (bits >= _OPENED_SHORT and frame.layout is _SHORT):
                return frame
    sent = envelope.raw[_ENCRYPTED_FROM:]
    if envelope.ci == REAL_DATA_CI:
        in_clear = _read_real_data(envelope, sent, default_key=False)
    else:
        in_clear = _read_prios(envelope, sent, default_key=False, exact=True)
    if in_clear is None:
        return None
    if in_clear[1] >= SURE_TO_BE_PLAIN:
        return replace(in_clear[0], in_clear=True)
    if key is None and in_clear[1] >= MAYBE_PLAIN:
        raise TelegramError(
            TelegramFault.MAYBE_PLAIN,
            DecodeStage.SECURITY,
            "The content may have come in the clear, but nothing proves it.",
            offset=_ENCRYPTED_FROM,
        )
    return None


def open_many(envelopes: Sequence[Envelope], keys: Sequence[bytes | None]) -> list[Frame | None]:
    """The frames of PRIOS telegrams as nearly all meters send them; None where `open_envelope` answers."""
    frames: list[Frame | None] = [None] * len(envelopes)
    usual = [
        place
        for place, envelope in enumerate(envelopes)
        if len(envelope.raw) == _USUAL_LENGTH and envelope.ci in PRIOS_CI
    ]
    own = [place for place in usual if keys[place] is not None]
    _open_usual(own, envelopes, [key for place in own if (key := keys[place])], frames, default_key=False)
    left = [place for place in usual if keys[place] is None]
    for key in _WELL_KNOWN:
        left = _open_usual(left, envelopes, [key] * len(left), frames, default_key=True)
    return frames


def _open_usual(
    places: Sequence[int],
    envelopes: Sequence[Envelope],
    keys: Sequence[bytes],
    frames: list[Frame | None],
    *,
    default_key: bool,
) -> list[int]:
    """Opens telegrams of the long form; the places of those whose check byte does not fit."""
    contents = decrypt_many([envelopes[place].raw for place in places], keys)
    others: list[int] = []
    at = 0
    for place, (check, litres, before, written) in zip(places, _CONTENT.iter_unpack(contents), strict=True):
        content = contents[at : at + _LONG_LENGTH]
        at += _LONG_LENGTH
        if check != _CHECK_BYTE:
            others.append(place)
            continue
        day = _remembered_day(written)
        if litres | before < _USUAL and day and day < _USUAL_DAY:
            values = (litres * _LITRE, before * _LITRE, day)
            envelope = envelopes[place]
            if envelope.link_address.manufacturer != _AS_SENT:
                envelope = _with_address(envelope)
            frames[place] = Frame(envelope, _LONG, values, content, default_key)
    return others


def decrypt_many(telegrams: Sequence[bytes], keys: Sequence[bytes]) -> bytes:
    """As `decrypt` for each of some telegrams of the long form, one content after the other.

    Byte by byte of the content for all telegrams at once, in a quarter of the time: one column of bytes is
    looked up in a table, or added to another, by one call.
    """
    count = len(telegrams)
    sent, own = b"".join(telegrams), b"".join(keys)
    registers = [
        _sum(
            [own[at::_KEY_LENGTH], own[at + 4 :: _KEY_LENGTH]]
            + [sent[at + seed :: _USUAL_LENGTH] for seed in _SEEDS]
        ).to_bytes(count, "little")
        for at in (3, 2, 1, 0)
    ]
    plain = bytearray(_LONG_LENGTH * count)
    for at, tables in enumerate(_LONG_TABLES):
        stream = [column.translate(table) for column, table in zip(registers, tables, strict=True)]
        mixed = _sum([*stream, sent[_ENCRYPTED_FROM + at :: _USUAL_LENGTH]])
        plain[at::_LONG_LENGTH] = mixed.to_bytes(count, "little")
    return bytes(plain)


def _sum(columns: Iterable[bytes]) -> int:
    """The exclusive-or of some columns, as a number."""
    return reduce(xor, [int.from_bytes(column, "little") for column in columns])


def _with_address(envelope: Envelope) -> Envelope:
    """The envelope with the address as its maker writes it."""
    address = read_address(envelope)
    return envelope if address == envelope.meter_address else replace(envelope, meter_address=address)


_SEEDS: Final = (2, 6, 10)
"""Where the words of a telegram begin that seed the register."""
_KEY_LENGTH: Final = 8
_CONTENT: Final = Struct("<BII2s")
_LONG_LENGTH: Final = _CONTENT.size
_LONG_TABLES: Final = tuple(zip(*[_by_place(table) for table in _TABLES], strict=True))
"""For each byte of a content: what each byte of the register, the lowest first, adds to the stream."""
_USUAL_LENGTH: Final = _ENCRYPTED_FROM + _LONG_LENGTH

# Bits of evidence, the check counted in. More is asked of a content in the clear: any meter whose key is not
# known sends what might be one.
_OPENED: Final = 16.0
_OPENED_SHORT: Final = 14.0


PROPRIETARY: Final = Proprietary(
    claims=frozenset((maker, ci) for maker in MAKERS for ci in (*PRIOS_CI, REAL_DATA_CI)),
    address=read_address,
    open=open_envelope,
    encrypted_from=_ENCRYPTED_FROM,
    shortest=5,
    key_length=_KEY_LENGTH,
    open_many=open_many,
)


# Behind the check byte: litres; in the long form also litres and day of the last month's end.
_place: Final = partial(fixed_place, content_at=_ENCRYPTED_FROM)
_TOTAL: Final = _place(1, 5, Measurand.VOLUME, unit="m3")
_MONTH_END: Final = _place(5, 9, Measurand.VOLUME, unit="m3", storage=1)
_DAY: Final = _place(9, 11, Measurand.DATE, storage=1)


def total(frame: Frame) -> WholeIndex:
    """Where the index of a PRIOS frame stands, in litres."""
    return WholeIndex(frame.layout.places[0], Quantity.VOLUME)


_SHORT: Final = Layout((_TOTAL,), start=_ENCRYPTED_FROM, opened_from=_HEADER_LENGTH)
_LONG: Final = Layout((_TOTAL, _MONTH_END, _DAY), start=_ENCRYPTED_FROM, opened_from=_HEADER_LENGTH)


def whole(frames: Sequence[Frame]) -> list[tuple[Decimal, Decimal, date]] | None:
    """Total, total of the last month's end and its day, of PRIOS frames of one layout; None where one lacks
    one of them.
    """
    if frames[0].layout is not _LONG:
        return None
    rows = [frame.values for frame in frames]
    if not all([values[2] for values in rows]):  # noqa: C419 - half the time
        return None
    return cast("list[tuple[Decimal, Decimal, date]]", rows)


_remembered_day: Final = lru_cache(maxsize=4096)(date_g)
"""Month ends come again and again."""
_CHECK_BITS: Final = 8.0
_LATER: Final = 0.1  # bits that it costs that most totals are not below that of the last month's end
_EARLIER: Final = 4.0
_EITHER: Final = (
    1.0  # a month's end near the total, or one that is small itself: damage may have hit the total
)
_COUNTER_BITS: Final = 32


def _read_prios(
    envelope: Envelope, plain: bytes, *, default_key: bool, exact: bool = False
) -> tuple[Frame, float] | None:
    """The frame and its evidence, which may be more unless it shall be exact; None when the check byte does
    not fit.
    """
    if plain[0] != _CHECK_BYTE:
        return None
    litres = int.from_bytes(plain[1:5], "little")
    total = litres * _LITRE
    if len(plain) < _LONG_LENGTH:
        frame = Frame(envelope, _SHORT, (total,), plain, default_key)
        return frame, _CHECK_BITS + number_bits(litres, _COUNTER_BITS)
    before = int.from_bytes(plain[5:9], "little")
    day = _remembered_day(plain[9:11])
    frame = Frame(envelope, _LONG, (total, before * _LITRE, day), plain, default_key)
    if litres | before < _USUAL and day and day < _USUAL_DAY and not exact:
        return frame, _OPENED
    near = number_bits(abs(litres - before), _COUNTER_BITS) - (_EARLIER if litres < before else _LATER)
    alone = number_bits(before, _COUNTER_BITS)
    bits = _CHECK_BITS + number_bits(litres, _COUNTER_BITS) + max(near, alone) - _EITHER
    return frame, bits + day_bits(day, plain[9:11])


# Two totals below 16,777 m3 and a day of this half century: 16.5 bits. Nearly all meters send it, and it need
# not be worked out for each.
_USUAL: Final = 1 << 24
_USUAL_DAY: Final = date(2050, 1, 1)


def _read_real_data(envelope: Envelope, plain: bytes, *, default_key: bool) -> tuple[Frame, float] | None:
    """The frame and its evidence; None when the sum does not fit, or the content breaks the grammar."""
    # The high byte of the configuration field: bit 4 marks the form, the others are the sum of the content.
    sent = envelope.raw[_ENCRYPTED_FROM - 1]
    if (sum(plain) ^ sent) & _REAL_DATA_SUM:
        return None
    telegram = envelope.raw[:_ENCRYPTED_FROM] + plain
    try:
        frame = read_frame(
            envelope, telegram, _ENCRYPTED_FROM, opened_from=_HEADER_LENGTH, default_key=default_key
        )
    except TelegramError:
        return None
    return frame, _SUM_BITS + bits_of(frame)


_SUM_BITS: Final = 7.0
