"""What proves a content: codes and checksums, and how much its records speak for themselves.

In: an opened frame. Out: what proved it, and bits of evidence that it is no row of random bytes, to be held
against what is asked where no check of the content proves it; a link checksum proves that it was sent so, and
not that it is plain. The one rule: the bits are those of a likelihood ratio, of a model of what meters send
to bytes of which each is equally likely. The model is a probability (its weights add up to one at most), so
of random contents at most one in 2^n has n bits of evidence or more, whatever the weights are (Markov's
inequality).

The weights are rounded from how often the codes of EN 13757-3 are met in telegrams of all makers: a total
of volume or energy, a day, an error word are likely, a reserved VIF is not. What the model does not know
costs a few bits, so a meter that sends one odd record among ordinary ones is read.
"""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from math import inf, log2
from typing import Final

from core.mbus import units
from core.mbus.frame import Frame, Layout, Place
from core.mbus.records import Meaning
from core.mbus.values import BCD_CODINGS, IDENTIFIERS, MOMENTS, Coding, bcd, digits_of, moment
from core.mbus.vocabulary import Integrity, Measurand, SecurityKind

_BYTE: Final = 8.0
_CIPHER_BLOCK: Final = 16
_FILLER_BITS: Final = _BYTE + log2(0.12)
_RECORD_BITS: Final = log2(0.86)
_MANUFACTURER_BITS: Final = _BYTE + log2(0.02)

# The weights of the low four bits of a DIF, of its function and of its further bits.
_CODINGS: Final = (
    0.01, 0.08, 0.16, 0.03, 0.22, 0.01, 0.04, 0.03, 0.005, 0.04, 0.05, 0.07, 0.17, 0.05, 0.03, 0.0,
)  # fmt: skip
_FUNCTIONS: Final = (0.82, 0.08, 0.05, 0.05)
_STORAGE: Final = (0.65, 0.35)
_EXTENDED: Final = (0.75, 0.25)
# A DIFE: whether another follows, and that subunit and tariff are mostly 0.
_DIFE_ZERO: Final = 0.5
_DIFE_OTHER: Final = 0.5 / 7
_STORAGES: Final = 16
_LAST: Final = (0.9, 0.1)

# The VIFs by (first, how many, weight of all).
_VIFS: Final = (
    (0x00, 8, 0.10), (0x08, 8, 0.05), (0x10, 3, 0.01), (0x13, 1, 0.12), (0x14, 4, 0.05), (0x18, 8, 0.005),
    (0x20, 8, 0.04), (0x28, 8, 0.05), (0x30, 8, 0.01), (0x38, 8, 0.06), (0x40, 24, 0.01), (0x58, 16, 0.08),
    (0x68, 4, 0.01), (0x6C, 1, 0.12), (0x6D, 1, 0.07), (0x6E, 1, 0.03), (0x6F, 1, 0.0001), (0x70, 8, 0.005),
    (0x78, 1, 0.02), (0x79, 1, 0.02), (0x7A, 1, 0.003), (0x7B, 1, 0.01), (0x7C, 1, 0.001), (0x7D, 1, 0.09),
    (0x7E, 1, 0.0005), (0x7F, 1, 0.03),
)  # fmt: skip
_WEIGHT_OF_VIF: Final = {
    first + step: weight / count for first, count, weight in _VIFS for step in range(count)
}
_QUALIFIED: Final = (0.87, 0.13)
_ALWAYS_QUALIFIED: Final = frozenset({units.FIRST_EXTENSION, units.SECOND_EXTENSION, units.MANUFACTURER})
_EXTENSION: Final = (0.01, 0.99)  # FB and FD have no meaning without an extension
_HALF: Final = 0.5
_WEIGHT_OF_ERROR_FLAGS: Final = 0.35
_ERROR_FLAGS: Final = 0x17
_KNOWN_CODES: Final = 0.5
_ANY_CODE: Final = 0.15

# The kinds of content of a field: any bytes, what its coding allows, small, none.
_ANY, _ALLOWED, _SMALL, _NONE = 0.05, 0.45, 0.4, 0.1
_NEGATIVE: Final = 0.03  # of what a BCD coding allows
_MINUS: Final = 0xF
_ADDRESS_LENGTH: Final = 8
_FIRST_YEAR, _LAST_YEAR = 2000, 2049
_DAYS: Final = 18_263.0  # of these years
_ENOUGH: Final = 20.0
_BITS_A_BYTE: Final = 2.0
_LONG_ENOUGH: Final = 12
"""What is asked of a content without any check. Contents of one or two records cannot have as much: there it
is asked only of those that count something, and as much as a total has: one random content in 100,000 of
their length has it.
"""
_COUNTED: Final = frozenset({Measurand.ENERGY, Measurand.VOLUME, Measurand.ALLOCATOR_UNITS})
SURE_TO_BE_PLAIN: Final = 24.0
MAYBE_PLAIN: Final = 10.0
"""The evidence that shows that a content announced as encrypted came in the clear, and the evidence that is
worth a mention: one ciphertext in a thousand has it.
"""
_BEHIND_CHECK_BYTES: Final = 6.0
"""What is asked behind 2F 2F, which are 16 bits of evidence already."""


def integrity_of(frame: Frame) -> Integrity:
    """What proved that the telegram of a frame arrived whole."""
    envelope = frame.envelope
    extended, security = envelope.extended_link, envelope.security
    if security is _MODE_7 and not frame.in_clear:
        return Integrity.MAC
    if extended is not None and extended.session_number is not None:
        return _PAYLOAD_CHECKSUM
    if frame.layout.compact_signature is not None:
        return _PAYLOAD_CHECKSUM
    if envelope.link_checked:
        return Integrity.LINK_CHECKSUM
    if security is _MODE_5 and not frame.in_clear:
        return _DECRYPTION_CHECK
    return _NO_PROOF


# To look up a member of an enum costs a quarter of a microsecond.
_MODE_5, _MODE_7 = SecurityKind.MODE_5, SecurityKind.MODE_7
_PAYLOAD_CHECKSUM, _DECRYPTION_CHECK = Integrity.PAYLOAD_CHECKSUM, Integrity.DECRYPTION_CHECK
_NO_PROOF = Integrity.NOTHING


def end_is_proved(frame: Frame) -> bool:
    """True when the content itself shows that nothing of it is missing and nothing follows it: a code or a
    checksum reaches to the end, or the encrypted blocks do, whose number is sent.
    """
    if integrity_of(frame) in {Integrity.MAC, Integrity.PAYLOAD_CHECKSUM}:
        return True
    envelope, header = frame.envelope, frame.envelope.transport
    if header is None or envelope.security not in {SecurityKind.MODE_5, SecurityKind.MODE_7}:
        return False
    return len(envelope.raw) == header.payload + header.encrypted_blocks * _CIPHER_BLOCK


@lru_cache(maxsize=4096)
def header_bits(header: bytes) -> float:
    """The evidence of a record header (DIF to last VIFE)."""
    dif = header[0]
    weight = _CODINGS[dif & 0x0F] * _FUNCTIONS[dif >> 4 & 3] * _STORAGE[dif >> 6 & 1] * _EXTENDED[dif >> 7]
    at = 1
    while header[at - 1] & units.EXTENSION_BIT:
        dife = header[at]
        weight *= (_DIFE_OTHER if dife & 0x70 else _DIFE_ZERO) / _STORAGES * _LAST[dife >> 7]
        at += 1
    if not weight:
        return -inf
    return _RECORD_BITS + log2(weight) + _vif_bits(header[at:]) + _BYTE * len(header)


def _vif_bits(vib: bytes) -> float:
    """The logarithm of the weight of a VIF and its VIFEs."""
    code, extended = vib[0] & 0x7F, vib[0] >> 7
    weight = _WEIGHT_OF_VIF[code]
    if code == units.PLAIN_TEXT:
        return log2(weight) - _BYTE * (len(vib) - 1)
    rest = vib[1:]
    if code not in _ALWAYS_QUALIFIED:
        weight *= _QUALIFIED[extended]
    elif code != units.MANUFACTURER and extended:
        table = units.FIRST if code == units.FIRST_EXTENSION else units.SECOND
        weight *= _EXTENSION[1] * _extension_weight(rest[0], table)
        rest = rest[1:]
    else:
        weight *= _EXTENSION[0] if code != units.MANUFACTURER else _HALF
    return log2(weight) + sum(log2(_LAST[vife >> 7] / 128) for vife in rest)


def _extension_weight(byte: int, table: dict[int, units.ValueUnit]) -> float:
    code = byte & 0x7F
    weight = _ANY_CODE / 128
    if code in table:
        weight += _KNOWN_CODES / len(table)
    if table is units.SECOND and code == _ERROR_FLAGS:
        weight += _WEIGHT_OF_ERROR_FLAGS
    return weight * _LAST[byte >> 7]


def data_bits(meaning: Meaning, data: bytes) -> float:
    """The evidence of the data of a record: digits that are digits, days that are days, small numbers."""
    size = len(data)
    coding = meaning.coding
    if coding == Coding.VARIABLE or not size:
        return 0.0
    found = [log2(_ANY)]
    if data in {b"\xff" * size, bytes(size), b"\xff" * (size - 1) + b"\x7f", bytes(size - 1) + b"\x80"}:
        found.append(_BYTE * size + log2(_NONE / 4))  # all ones, zero, the largest and the lowest number
    if meaning.measurand in MOMENTS:
        found.append(_moment_bits(data, meaning.measurand))
    elif coding in BCD_CODINGS:
        number = digits_of(data) if meaning.measurand in IDENTIFIERS else bcd(data)
        if number is not None:
            weight = _NEGATIVE if data[-1] >> 4 == _MINUS else _ALLOWED - _NEGATIVE
            found.append(_BYTE * size - log2(100) * size + log2(weight))
            found.append(_small_bits(data, 100))
    elif meaning.measurand is Measurand.ENHANCED_IDENTIFICATION and size == _ADDRESS_LENGTH:
        if (
            digits_of(data[:4]) is not None
        ):  # the address of a long header: eight digits, maker, version, medium
            found.append(_BYTE * 4 - log2(100) * 4 + log2(_ALLOWED))
    elif coding != Coding.REAL32:
        found.append(_small_bits(data, 256))
    return max(found)


def _small_bits(data: bytes, base: int) -> float:
    """Of a number: each count of leading zero bytes is equally likely."""
    size = len(data)
    used = len(data.rstrip(b"\0"))
    return _BYTE * size - log2(base) * used + log2(_SMALL / (size + 1))


def _moment_bits(data: bytes, measurand: Measurand) -> float:
    when = moment(data, measurand)
    if when is None or not _FIRST_YEAR <= when.year <= _LAST_YEAR:
        return -inf
    # Beside the day only the clock: minutes, hours and the bits that have no fixed content.
    clock = _CLOCK_BITS[len(data)]
    return _BYTE * len(data) - clock - log2(_DAYS) + log2(1 - _ANY - _NONE)


# What the clock of a moment of so many bytes leaves open: all but minutes and seconds beyond 59, hours beyond
# 23.
_CLOCK_BITS: Final = {
    2: 0.0,
    4: 15 + log2(60 / 64 * 24 / 32),
    6: 32 + log2(60 / 64 * 60 / 64 * 24 / 32),
}


def least_bits(layout: Layout, length: int) -> float:
    """What contents of a layout have at least, by their headers and fillers alone.

    Args:
        layout: of the contents.
        length: of a content.

    """
    within = layout.manufacturer_data_offset
    end = length if within is None else within - 1 - layout.start
    records = sum(_length_of(place) for place in layout.places)
    bits = sum(header_bits(place.header) + _least_of(place) for place in layout.places)
    first = min((place.offset for place in layout.places), default=layout.start) - layout.start
    fillers = end - records - max(first, 0)
    return bits + fillers * _FILLER_BITS + (0.0 if within is None else _MANUFACTURER_BITS)


def _length_of(place: Place) -> int:
    return len(place.header) + place.stop - place.start + (place.lvar is not None)


def _least_of(place: Place) -> float:
    return 0.0 if place.meaning.coding == Coding.VARIABLE or place.stop == place.start else log2(_ANY)


def bits_of(frame: Frame) -> float:
    """The evidence of the records of a frame."""
    content, places = frame.content, frame.layout.places
    data = sum(
        data_bits(place.meaning, content[place.start : place.stop]) - _least_of(place) for place in places
    )
    return least_bits(frame.layout, len(content)) + data


def asked_of(frame: Frame) -> float:
    """The evidence that is asked of a frame: none where a code or a checksum of the content proves it."""
    integrity = integrity_of(frame)
    if integrity in {Integrity.MAC, Integrity.PAYLOAD_CHECKSUM} or not frame.layout.places:
        return -inf
    if frame.envelope.security is not SecurityKind.NONE:
        return _BEHIND_CHECK_BYTES
    size = len(frame.content)
    if size >= _LONG_ENOUGH:
        return _ENOUGH
    counts = any(place.meaning.measurand in _COUNTED for place in frame.layout.places)
    return min(_ENOUGH, _BITS_A_BYTE * size) if counts else -inf


def speaks_for_itself(frame: Frame, asked: float | None = None) -> bool:
    """True when the records of a frame have the evidence that is asked of it, or none is."""
    wanted = asked_of(frame) if asked is None else asked
    return wanted == -inf or _reaches(frame, wanted)


def _reaches(frame: Frame, wanted: float) -> bool:
    """Whether `bits_of` a frame are as many: no record takes any away, so often a few of them show it."""
    layout, content = frame.layout, frame.content
    question = (_reaches, len(content))
    plan: tuple[float, list[tuple[Place, float]]] | None = layout.plans.get(question)
    if plan is None:
        # Days first: they are quick to have much.
        places = sorted(layout.places, key=lambda place: place.meaning.measurand not in MOMENTS)
        least = least_bits(layout, len(content))
        plan = layout.keep(question, (least, [(place, _least_of(place)) for place in places]))
    bits, places_and_least = plan
    for place, least in places_and_least:
        bits += data_bits(place.meaning, content[place.start : place.stop]) - least
        if bits >= wanted + _ROUNDING:
            return True
    return bits_of(frame) >= wanted


_ROUNDING: Final = 1e-6
"""More than the order in which the bits are added can change."""


def always_speaks(frame: Frame) -> bool:
    """True when every content of this layout does, whatever its data."""
    wanted = asked_of(frame)
    return wanted == -inf or least_bits(frame.layout, len(frame.content)) >= wanted


def number_bits(number: int, size: int) -> float:
    """The evidence of a counter of so many bits: each power of two is equally likely."""
    return size - log2(size + 1) - max(number.bit_length() - 1, 0)


def day_bits(day: date | None, sent: bytes) -> float:
    """The evidence of a day of type G; `day` is what `date_g` reads."""
    if day is not None and _FIRST_YEAR <= day.year <= _LAST_YEAR:
        return _OF_A_DAY
    return 2 * _BYTE + log2(_NONE / 2) if sent in _NO_DAY else log2(_ANY)


_OF_A_DAY: Final = 2 * _BYTE - log2(_DAYS) + log2(1 - _ANY - _NONE)


_NO_DAY: Final[Sequence[bytes]] = (b"\xff\xff", b"\0\0")
