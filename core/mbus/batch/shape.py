"""The shape of an envelope: what telegrams of one kind have in common outside their content.

In: a telegram, and the envelope that `core.mbus.decode` read from it. Out: a `Shape`, which makes the
envelopes of all telegrams that are alike in the bytes on which that reading depended: length, control, maker,
version, medium, CI fields, the fields of the authentication layer, the configuration. The one rule: a shape
is kept only if it makes the very envelope it was learned from; what has no shape is read one at a time.
EN 13757-4 clauses 12 and 13, EN 13757-7 clauses 5 to 7.
"""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Final

from msgspec.structs import replace

from core.mbus.address import Address
from core.mbus.batch.layout import LayoutReader
from core.mbus.envelope import Authentication, Envelope, ExtendedLink, TransportHeader
from core.mbus.link import HEADER_LENGTH
from core.mbus.transport import AFL_CI, LONG_HEADER, NO_HEADER, PROPRIETARY
from core.mbus.vocabulary import SecurityKind

_BLOCK: Final = 16
_WIRED_START: Final = 0x68
_ELL_SHORT: Final = 3  # CI, communication control, access number
_AFL_FIXED: Final = 5  # CI, length, fragmentation control (2), message control; then the counter
_COUNTER: Final = 4
_MOST_READERS: Final = 16
_IDENTIFICATION: Final = 4  # bytes


def key_of(telegram: bytes) -> bytes:
    """The bytes by which shapes are looked up: L, C, M, version, medium, CI.

    Where a maker's own CI follows the link header, version and medium may be part of the serial.
    """
    return telegram[:4] + telegram[10 if telegram[10] in PROPRIETARY else 8 : 11]


def by_key(telegrams: Sequence[bytes]) -> dict[bytes, list[int]]:
    """The numbers of telegrams by their key; they all begin with the same L, C and M."""
    first, rows = telegrams[0], _Rows(telegrams)
    if all(rows.are_alike_at(place) for place in ((10,) if first[10] in PROPRIETARY else (10, 9, 8))):
        return {key_of(first): list(range(len(telegrams)))}
    found: dict[bytes, list[int]] = {}
    for number, telegram in enumerate(telegrams):
        found.setdefault(key_of(telegram), []).append(number)
    return found


class Shape:
    """How the envelopes of one kind of telegram are made.

    Attributes:
        fixed: (from, to, bytes): what a telegram must have beside its key to be of this shape.
        encrypted: first and last offset of what is encrypted.
        security: how it is encrypted.
        proprietary: True where a driver opens it.
        readers: for the layouts of such contents, as far as seen.
        clear_readers: for those that came in the clear though they are announced as encrypted.

    """

    __slots__ = ("_sample", "clear_readers", "encrypted", "fixed", "proprietary", "readers", "security")

    def __init__(self, envelope: Envelope) -> None:
        telegram = envelope.raw
        self._sample = envelope
        self.readers: list[LayoutReader] = []
        self.clear_readers: list[LayoutReader] = []
        spans: list[tuple[int, int]] = []
        authentication, transport = envelope.authentication, envelope.transport
        if authentication is not None:
            start = authentication.payload - len(authentication.mac) - _COUNTER - _AFL_FIXED
            spans.append((start, start + _AFL_FIXED))
        if transport is not None:
            long = transport.address is not None
            offset, payload = transport.offset, transport.payload
            if offset != HEADER_LENGTH:  # there it is part of the key
                spans.append((offset, offset + 1))
            if long:
                spans.append((offset + 5, offset + 9))
            if transport.ci not in NO_HEADER:
                spans.append((offset + (11 if long else 3), payload))
        self.fixed = tuple((start, stop, telegram[start:stop]) for start, stop in spans)
        self.encrypted = _encrypted(envelope)
        self.security = envelope.security
        self.proprietary = envelope.security is SecurityKind.PROPRIETARY

    def readers_for(self, key: bytes | None) -> list[LayoutReader]:
        """For the contents that a key opened, or that are open without one."""
        encrypted = self.security in {SecurityKind.MODE_5, SecurityKind.MODE_7}
        return self.clear_readers if key is None and encrypted else self.readers

    def is_full(self, key: bytes | None) -> bool:
        """True when no more readers are kept for such contents."""
        return len(self.readers_for(key)) >= _MOST_READERS

    def fits(self, telegram: bytes) -> bool:
        """True when a telegram with this shape's key is of this shape."""
        for start, stop, fixed in self.fixed:  # noqa: SIM110 - a loop costs half of what all() does here
            if telegram[start:stop] != fixed:
                return False
        return True

    def fitting(self, telegrams: Sequence[bytes]) -> list[bool]:
        """Which telegrams with this shape's key are of this shape."""
        fit = [True] * len(telegrams)
        for start, stop, fixed in self.fixed:
            fit = [yet and raw[start:stop] == fixed for yet, raw in zip(fit, telegrams, strict=True)]
        return fit

    def envelope(self, telegram: bytes) -> Envelope:
        """The envelope of a telegram of this shape."""
        sample = self._sample
        link = meter = _address(sample.link_address, telegram, 4, *telegram[8:10])
        extended, authentication, header = sample.extended_link, sample.authentication, sample.transport
        if extended is not None:
            session = None if extended.session_number is None else telegram[13:17]
            extended = ExtendedLink(extended.ci, telegram[11], telegram[12], session, None, extended.payload)
        if authentication is not None:
            code = authentication.payload - len(authentication.mac)
            authentication = replace(
                authentication,
                message_counter=telegram[code - _COUNTER : code],
                mac=telegram[code : authentication.payload],
            )
        if header is not None and header.ci not in NO_HEADER:
            at, inner = header.offset + 1, header.address
            if inner is not None:
                inner = meter = _address(inner, telegram, at, inner.version, inner.medium)
                at += 8
            header = TransportHeader(
                header.ci,
                header.offset,
                inner,
                telegram[at],
                telegram[at + 1],
                header.configuration,
                header.configuration_extension,
                header.payload,
            )
        return Envelope(
            telegram,
            sample.control,
            link,
            meter,
            sample.ci,
            sample.security,
            extended,
            authentication,
            header,
        )

    def envelopes(self, telegrams: Sequence[bytes]) -> list[Envelope]:
        """The envelopes of telegrams of this shape: as `envelope` makes them, of many at once."""
        sample, rows = self._sample, _Rows(telegrams)
        links = list(
            map(
                Address,
                repeat(sample.link_address.manufacturer),
                rows.identifications(4),
                rows.bytes_at(8),
                rows.bytes_at(9),
            )
        )
        extended: Iterable[ExtendedLink | None] = repeat(None)
        authentications: Iterable[Authentication | None] = repeat(None)
        transports: Iterable[TransportHeader | None] = repeat(None)
        meters = links
        if sample.extended_link is not None:
            extended = _extended_links(sample.extended_link, rows)
        if sample.authentication is not None:
            authentications = _authentications(sample.authentication, rows)
        header = sample.transport
        if header is not None and header.address is not None:
            meters = _inner_addresses(header, header.address, rows)
            transports = _transports(header, meters, rows)
        elif header is not None:
            transports = _transports(header, repeat(None), rows)
        return list(
            map(
                Envelope,
                telegrams,
                repeat(sample.control),
                links,
                meters,
                repeat(sample.ci),
                repeat(sample.security),
                extended,
                authentications,
                transports,
            )
        )


def _address(sample: Address, telegram: bytes, at: int, version: int, medium: int) -> Address:
    """An address of the sample's maker; its identification begins at an offset, the least byte first."""
    return Address(sample.manufacturer, telegram[at + 3 : at - 1 : -1].hex().upper(), version, medium)


class _Rows:
    """Telegrams of one length, as the rows of a table whose columns are wanted."""

    __slots__ = ("_joined", "_length", "_telegrams")

    def __init__(self, telegrams: Sequence[bytes]) -> None:
        self._telegrams = telegrams
        self._joined = b"".join(telegrams)
        self._length = len(telegrams[0])

    def bytes_at(self, offset: int) -> bytes:
        """The byte of each telegram at an offset; those of bytes are numbers when they are gone through."""
        return self._joined[offset :: self._length]

    def are_alike_at(self, offset: int) -> bool:
        """True when all telegrams have the same byte at an offset."""
        return len(set(self.bytes_at(offset))) == 1

    def spans(self, start: int, stop: int) -> list[bytes]:
        """The bytes of each telegram between two offsets."""
        return [telegram[start:stop] for telegram in self._telegrams]

    def identifications(self, offset: int) -> list[str]:
        """The identification of each telegram that begins at an offset, least significant byte first."""
        turned = bytearray(_IDENTIFICATION * len(self._telegrams))
        for place in range(_IDENTIFICATION):
            turned[place::_IDENTIFICATION] = self.bytes_at(offset + _IDENTIFICATION - 1 - place)
        return turned.hex(" ", _IDENTIFICATION).upper().split(" ")


def _extended_links(sample: ExtendedLink, rows: _Rows) -> Iterable[ExtendedLink]:
    return map(
        ExtendedLink,
        repeat(sample.ci),
        rows.bytes_at(11),
        rows.bytes_at(12),
        repeat(None) if sample.session_number is None else rows.spans(13, 17),
        repeat(None),
        repeat(sample.payload),
    )


def _authentications(sample: Authentication, rows: _Rows) -> Iterable[Authentication]:
    code = sample.payload - len(sample.mac)
    return map(
        Authentication,
        repeat(sample.message_control),
        rows.spans(code - _COUNTER, code),
        repeat(b""),
        rows.spans(code, sample.payload),
        repeat(sample.payload),
    )


def _inner_addresses(header: TransportHeader, sample: Address, rows: _Rows) -> list[Address]:
    return list(
        map(
            Address,
            repeat(sample.manufacturer),
            rows.identifications(header.offset + 1),
            repeat(sample.version),
            repeat(sample.medium),
        )
    )


def _transports(
    sample: TransportHeader, addresses: Iterable[Address | None], rows: _Rows
) -> Iterable[TransportHeader]:
    if sample.ci in NO_HEADER:
        return repeat(sample)
    access = sample.offset + (1 if sample.address is None else 9)
    return map(
        TransportHeader,
        repeat(sample.ci),
        repeat(sample.offset),
        addresses,
        rows.bytes_at(access),
        rows.bytes_at(access + 1),
        repeat(sample.configuration),
        repeat(sample.configuration_extension),
        repeat(sample.payload),
    )


def learn_shape(envelope: Envelope) -> Shape | None:
    """The shape of the telegram that this envelope was read from; None when it has none that is known here.

    Known are a plain link header followed by: a maker's own CI; an extended link of form I or II; an
    authentication layer with counter and code; a transport header of any form.
    """
    telegram = envelope.raw
    odd_start = telegram[0] == telegram[3] == _WIRED_START
    if envelope.wired or envelope.unstripped is not None or odd_start or len(telegram) != telegram[0] + 1:
        return None
    if envelope.security is SecurityKind.UNSUPPORTED or not _in_usual_order(envelope):
        return None
    shape = Shape(envelope)
    alike = shape.fits(telegram) and shape.fitting([telegram]) == [True]
    same = alike and shape.envelope(telegram) == envelope and shape.envelopes([telegram]) == [envelope]
    return shape if same else None


def _in_usual_order(envelope: Envelope) -> bool:
    """True when the headers stand where a shape looks for them, with nothing between."""
    position, telegram = HEADER_LENGTH, envelope.raw
    extended, authentication = envelope.extended_link, envelope.authentication
    if extended is not None:
        if extended.address is not None:
            return False
        if envelope.security is SecurityKind.ELL_CTR:
            return True
        position += _ELL_SHORT
    if authentication is not None:
        length = _AFL_FIXED + _COUNTER + len(authentication.mac)
        if telegram[position] != AFL_CI or authentication.payload != position + length:
            return False
        if authentication.message_control is None or authentication.message_length:
            return False
        position = authentication.payload
    if envelope.transport is None:
        return position == HEADER_LENGTH and telegram[position] in PROPRIETARY
    header = envelope.transport
    return header.offset == position and (header.address is not None) == (header.ci in LONG_HEADER)


def _encrypted(envelope: Envelope) -> tuple[int, int]:
    end = len(envelope.raw)
    if envelope.security is SecurityKind.ELL_CTR and envelope.extended_link is not None:
        return envelope.extended_link.payload, end
    header = envelope.transport
    if header is None or envelope.security not in {SecurityKind.MODE_5, SecurityKind.MODE_7}:
        return end, end
    return header.payload, header.payload + header.encrypted_blocks * _BLOCK
