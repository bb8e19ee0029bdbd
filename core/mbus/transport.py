"""The headers between link and application: extended link layer, authentication layer, transport header.

In: a telegram free of link checksums and the offset of its first CI field. Out: those headers that can be
read without a key. The one rule: headers come in the order of the standard (link, [8C..8F], [81], [90],
transport CI) and each says by its `payload` where the next one begins. EN 13757-4 clause 13, EN 13757-7
clauses 5-7.
"""

from dataclasses import dataclass
from typing import Final

from core.mbus.address import Address
from core.mbus.envelope import Authentication, ExtendedLink, TransportHeader
from core.mbus.errors import DecodeStage, TelegramError, TelegramFault
from core.mbus.reader import Reader
from core.mbus.vocabulary import SecurityKind

AFL_CI: Final = 0x90
_NETWORK_CI: Final = 0x81
_ELL_WITH_SESSION: Final = frozenset({0x8D, 0x8F})
_ELL_WITH_ADDRESS: Final = frozenset({0x8E, 0x8F})
_ELL: Final = frozenset({0x8C, 0x8D, 0x8E, 0x8F})

LONG_HEADER: Final = frozenset({0x72, 0x73, 0x6B, 0x8B, 0x6F, 0x75})
SHORT_HEADER: Final = frozenset({0x7A, 0x7B, 0x6A, 0x8A, 0x6E, 0x74})
NO_HEADER: Final = frozenset({0x78, 0x79, 0x69})
FULL: Final = frozenset({0x72, 0x78, 0x7A})
COMPACT: Final = frozenset({0x73, 0x79, 0x7B})
PROPRIETARY: Final = range(0xA0, 0xB8)

_FCL_MORE, _FCL_MCL, _FCL_ML, _FCL_MCR, _FCL_MAC, _FCL_KI = 0x4000, 0x2000, 0x1000, 0x0800, 0x0400, 0x0200
MAC_LENGTHS: Final = {3: 2, 4: 4, 5: 8, 6: 12, 7: 16, 8: 12}
CMAC_KINDS: Final = frozenset({3, 4, 5, 6, 7})
_MODES: Final = {0: SecurityKind.NONE, 5: SecurityKind.MODE_5, 7: SecurityKind.MODE_7}
_FIRST_MANUFACTURER_MODE: Final = 16


@dataclass(frozen=True, slots=True)
class Headers:
    """What was read; `ci` is the first CI field that could not be followed further, or the transport CI."""

    ci: int
    security: SecurityKind
    extended_link: ExtendedLink | None
    authentication: Authentication | None
    transport: TransportHeader | None


def read_headers(telegram: bytes, offset: int) -> Headers:
    """Reads the headers from the first CI field on.

    Raises:
        TelegramError: the bytes end within a header, or the authentication layer announces more fragments.

    """
    reader = Reader(telegram, offset, DecodeStage.TRANSPORT)
    extended: ExtendedLink | None = None
    authentication: Authentication | None = None
    ci = reader.byte()
    if ci in _ELL:
        extended = _read_extended(reader, ci)
        if extended.session_number is not None:
            # The payload checksum is checked where the payload is opened, encrypted or not.
            return Headers(ci, SecurityKind.ELL_CTR, extended, None, None)
        ci = reader.byte()
    if ci == _NETWORK_CI:
        reader.byte()
        ci = reader.byte()
    if ci == AFL_CI:
        authentication = _read_authentication(reader)
        ci = reader.byte()
    if ci in PROPRIETARY:
        return Headers(ci, SecurityKind.PROPRIETARY, extended, authentication, None)
    if ci not in LONG_HEADER and ci not in SHORT_HEADER and ci not in NO_HEADER:
        return Headers(ci, SecurityKind.UNSUPPORTED, extended, authentication, None)
    transport = _read_transport(reader, ci)
    mode = transport.security_mode
    kind = SecurityKind.PROPRIETARY if mode >= _FIRST_MANUFACTURER_MODE else SecurityKind.UNSUPPORTED
    return Headers(ci, _MODES.get(mode, kind), extended, authentication, transport)


def _read_extended(reader: Reader, ci: int) -> ExtendedLink:
    control, access = reader.byte(), reader.byte()
    address = Address.from_wire(reader.take(8)) if ci in _ELL_WITH_ADDRESS else None
    session = reader.take(4) if ci in _ELL_WITH_SESSION else None
    return ExtendedLink(ci, control, access, session, address, reader.position)


def _read_authentication(reader: Reader) -> Authentication:
    start = reader.position
    length = reader.byte()
    end = reader.position + length
    control = reader.number(2)
    if control & _FCL_MORE:
        raise TelegramError(
            TelegramFault.UNSUPPORTED_SECURITY_MODE,
            DecodeStage.TRANSPORT,
            "The message comes in several fragments; only whole messages are read.",
            offset=start,
        )
    message_control = reader.byte() if control & _FCL_MCL else None
    if control & _FCL_KI:
        reader.take(2)
    counter = reader.take(4) if control & _FCL_MCR else None
    mac_length = MAC_LENGTHS.get((message_control or 0) & 0x0F, 0)
    mac = reader.take(mac_length) if control & _FCL_MAC else b""
    message_length = reader.take(2) if control & _FCL_ML else b""
    if reader.position != end:
        raise TelegramError(
            TelegramFault.NOT_A_TELEGRAM,
            DecodeStage.TRANSPORT,
            "The length of the authentication layer does not fit its fields.",
            offset=start,
        )
    return Authentication(message_control, counter, message_length, mac, reader.position)


def _read_transport(reader: Reader, ci: int) -> TransportHeader:
    offset = reader.position - 1
    if ci in NO_HEADER:
        return TransportHeader(ci, offset, None, None, None, 0, None, reader.position)
    address: Address | None = None
    if ci in LONG_HEADER:
        address = Address.from_wire(long_to_wire(reader.take(8)))
    access, status, configuration = reader.byte(), reader.byte(), reader.number(2)
    # Mode 7 and the modes from 8 on carry one more byte, the configuration field extension.
    extension = reader.byte() if 7 <= configuration >> 8 & 0x1F <= 15 else None
    return TransportHeader(ci, offset, address, access, status, configuration, extension, reader.position)


def long_to_wire(header: bytes) -> bytes:
    """The address of a long header (identification first) in the order of the link layer (manufacturer
    first).
    """
    return header[4:6] + header[:4] + header[6:8]
