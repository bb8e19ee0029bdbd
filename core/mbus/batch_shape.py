"""The shape of an envelope: what telegrams of one kind have in common outside their content.

In: a telegram, and the envelope that the ordinary way read from it. Out: a `Shape`, which makes the envelopes
of all telegrams that are alike in the bytes on which that way depended: length, control, maker, version,
medium, CI fields, the fields of the authentication layer, the configuration. The one rule: a shape is kept
only if it makes the very envelope it was learned from; what has no shape is read the ordinary way.
EN 13757-4 clauses 12 and 13, EN 13757-7 clauses 5 to 7.
"""

from typing import Final, TypeGuard

from core.mbus.address import Address
from core.mbus.batch_layout import LearnedLayout
from core.mbus.frame import (
    HEADERS_LATER,
    Authentication,
    Envelope,
    ExtendedLink,
    SecurityKind,
    TransportHeader,
)
from core.mbus.link import HEADER_LENGTH
from core.mbus.making import maker
from core.mbus.transport import AFL_CI, LONG_HEADER, NO_HEADER, PROPRIETARY

_BLOCK: Final = 16
_WIRED_START: Final = 0x68
_ELL_SHORT: Final = 3  # CI, communication control, access number
_AFL_FIXED: Final = 5  # CI, length, fragmentation control (2), message control; then the counter
_COUNTER: Final = 4
_MOST_LAYOUTS: Final = 16

make_envelope: Final = maker(Envelope)
_make_short: Final = maker(Envelope, later=HEADERS_LATER)
_make_address: Final = maker(Address)
_make_transport: Final = maker(TransportHeader)
_make_extended: Final = maker(ExtendedLink)
_make_authentication: Final = maker(Authentication)


_Short = tuple[str, int, int, SecurityKind]
"""Of a short header behind the link header: maker, control, CI, how it is sealed.

Most telegrams are of such a shape; their transport header is made when it is asked for.
"""


def key_of(telegram: bytes) -> bytes:
    """The bytes by which shapes are looked up: L, C, M, version, medium, CI.

    Where a maker's own CI follows the link header, version and medium may be part of the serial.
    """
    return telegram[:4] + telegram[10 if telegram[10] in PROPRIETARY else 8 : 11]


class Shape:
    """How the envelopes of one kind of telegram are made.

    Attributes:
        fixed: (from, to, bytes): what a telegram must have beside its key to be of this shape.
        sealed: first and last offset of what is sealed; the layouts count from the first.
        security: how it is sealed.
        proprietary: True where a driver opens it.
        layouts: how the contents of such telegrams are laid out, as far as seen.
        status_at: the offset of the status byte in a short header that follows the link header.

    """

    __slots__ = (
        "_authentication",
        "_envelope",
        "_extended",
        "_short",
        "_transport",
        "fixed",
        "layouts",
        "proprietary",
        "sealed",
        "security",
        "status_at",
    )

    def __init__(self, envelope: Envelope) -> None:
        telegram = envelope.raw
        self._envelope = envelope
        self._extended = envelope.extended_link
        self._authentication = envelope.authentication
        self._transport = envelope.transport
        self.layouts: list[LearnedLayout] = []
        spans: list[tuple[int, int]] = []
        if self._authentication is not None:
            start = self._authentication.payload - len(self._authentication.mac) - _COUNTER - _AFL_FIXED
            spans.append((start, start + _AFL_FIXED))
        if self._transport is not None:
            long = self._transport.address is not None
            offset, payload = self._transport.offset, self._transport.payload
            if offset != HEADER_LENGTH:  # there it is part of the key
                spans.append((offset, offset + 1))
            if long:
                spans.append((offset + 5, offset + 9))
            if self._transport.ci not in NO_HEADER:
                spans.append((offset + (11 if long else 3), payload))
        self.fixed = tuple((start, stop, telegram[start:stop]) for start, stop in spans)
        self.sealed = _sealed(envelope)
        self.security = envelope.security
        self.proprietary = envelope.security is SecurityKind.PROPRIETARY
        self._short: _Short | None = None
        self.status_at: int | None = None
        header = self._transport
        if _is_short(header):
            self._short = (
                envelope.link_address.manufacturer,
                envelope.control,
                header.ci,
                envelope.security,
            )
            self.status_at = header.offset + 2

    @property
    def full(self) -> bool:
        """True when no more layouts are kept for this shape."""
        return len(self.layouts) >= _MOST_LAYOUTS

    def fits(self, telegram: bytes) -> bool:
        """True when a telegram with this shape's key is of this shape."""
        for start, stop, fixed in self.fixed:  # noqa: SIM110 - a loop costs half of what all() does here
            if telegram[start:stop] != fixed:
                return False
        return True

    def envelope(self, telegram: bytes) -> Envelope:
        """The envelope of a telegram of this shape."""
        if self._short is None:
            return self._any_envelope(telegram)
        maker_letters, control, ci, security = self._short
        address = _make_address(maker_letters, telegram[7:3:-1].hex().upper(), telegram[8], telegram[9])
        return _make_short(telegram, control, address, address, ci, security, None, None, False, None, self)

    def transport(self, telegram: bytes) -> TransportHeader:
        """The transport header of a telegram of this shape, when it is short and follows the link header."""
        header = self._transport
        assert header is not None
        return _make_transport(
            header.ci,
            header.offset,
            None,
            telegram[header.offset + 1],
            telegram[header.offset + 2],
            header.configuration,
            header.configuration_extension,
            header.payload,
        )

    def _any_envelope(self, telegram: bytes) -> Envelope:
        sample = self._envelope
        link = meter = _make_address(
            sample.link_address.manufacturer, telegram[7:3:-1].hex().upper(), telegram[8], telegram[9]
        )
        extended = self._extended
        if extended is not None:
            session = telegram[13:17] if extended.session_number is not None else None
            extended = _make_extended(
                extended.ci, telegram[11], telegram[12], session, None, extended.payload
            )
        authentication = self._authentication
        if authentication is not None:
            code = authentication.payload - len(authentication.mac)
            counter = telegram[code - _COUNTER : code]
            authentication = _make_authentication(
                authentication.message_control,
                counter,
                b"",
                telegram[code : authentication.payload],
                authentication.payload,
            )
        transport = self._transport
        if transport is not None and transport.ci not in NO_HEADER:
            at, address = transport.offset + 1, transport.address
            if address is not None:
                meter = _make_address(
                    address.manufacturer,
                    telegram[at : at + 4][::-1].hex().upper(),
                    address.version,
                    address.medium,
                )
                address, at = meter, at + 8
            transport = _make_transport(
                transport.ci,
                transport.offset,
                address,
                telegram[at],
                telegram[at + 1],
                transport.configuration,
                transport.configuration_extension,
                transport.payload,
            )
        return make_envelope(
            telegram,
            sample.control,
            link,
            meter,
            sample.ci,
            sample.security,
            extended,
            authentication,
            transport,
            False,
            None,
            self,
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
    same = shape.fits(telegram) and shape.envelope(telegram) == envelope
    return shape if same else None


def _is_short(header: TransportHeader | None) -> TypeGuard[TransportHeader]:
    """True for a short header that follows the link header at once."""
    return (
        header is not None
        and header.offset == HEADER_LENGTH
        and header.address is None
        and header.access_number is not None
    )


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


def _sealed(envelope: Envelope) -> tuple[int, int]:
    end = len(envelope.raw)
    if envelope.security is SecurityKind.ELL_CTR and envelope.extended_link is not None:
        return envelope.extended_link.payload, end
    header = envelope.transport
    if header is None or envelope.security not in {SecurityKind.MODE_5, SecurityKind.MODE_7}:
        return end, end
    return header.payload, header.payload + header.encrypted_blocks * _BLOCK
