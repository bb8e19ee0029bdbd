"""The whole way from bytes to a frame, on one page.

In: a telegram; then a key. Out: an `Envelope`; then a `Frame`. Two steps, since the key is looked up by the
address that an encrypted telegram shows. The one rule: a frame is whole or not at all; a telegram of which
one layer fails its check has no values.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from core.mbus.address import Address
from core.mbus.compact import NONE_KNOWN, CompactFormat, read_compact
from core.mbus.envelope import Envelope
from core.mbus.errors import DecodeStage, TelegramError, TelegramFault
from core.mbus.frame import Frame, frame_of
from core.mbus.link import HEADER_LENGTH, LinkFrame, possible_ends, read_link
from core.mbus.mode_2 import MODE_2, least_significant_first
from core.mbus.records import read_records
from core.mbus.security import CHECK_BYTES, open_extended_link, open_transport
from core.mbus.transport import COMPACT, FULL, Headers, read_headers
from core.mbus.vocabulary import SecurityKind

_WIRED_CI: Final = 3  # L, C and the primary address stand before it


def read_envelope(raw: bytes, *, crc_kept: bool | None = None) -> Envelope:
    """Reads all of a telegram that is readable without a key.

    Where the L field and the number of bytes differ by no more than a gateway may have caused, the envelope
    is that of the first telegram that they may be, with `received`: its content has to prove its end.

    Args:
        raw: the telegram as `core.mbus.lines` or a gateway gives it.
        crc_kept: whether link checksums are still there; None when the gateway does not say.

    Raises:
        TelegramError: stages LINK and TRANSPORT.

    """
    try:
        link = read_link(raw, crc_kept=crc_kept)
    except TelegramError:
        readings = () if crc_kept else other_readings(raw)
        if not readings:
            raise
        return readings[0]
    if link.wired:
        return _wired_envelope(link)
    unstripped = raw if link.by_fit else None
    return _radio_envelope(link.telegram, unstripped=unstripped, link_checked=link.checked)


def other_readings(raw: bytes) -> tuple[Envelope, ...]:
    """The envelopes of the telegrams that bytes may be whose end their L field does not tell; each with
    `received`.
    """
    found: list[Envelope] = []
    for telegram in possible_ends(raw):
        with suppress(TelegramError):
            found.append(_radio_envelope(telegram, received=raw))
    return tuple(found)


def _radio_envelope(
    telegram: bytes,
    *,
    unstripped: bytes | None = None,
    link_checked: bool = False,
    received: bytes | None = None,
) -> Envelope:
    address = Address.from_wire(telegram[2:HEADER_LENGTH])
    headers = read_headers(telegram, HEADER_LENGTH)
    return _envelope(
        telegram, address, headers, unstripped=unstripped, link_checked=link_checked, received=received
    )


def _envelope(
    telegram: bytes,
    address: Address,
    headers: Headers,
    *,
    wired: bool = False,
    unstripped: bytes | None = None,
    link_checked: bool = False,
    received: bytes | None = None,
) -> Envelope:
    meter = address
    if headers.transport is not None and headers.transport.address is not None:
        meter = headers.transport.address
    elif headers.extended_link is not None and headers.extended_link.address is not None:
        meter = headers.extended_link.address
    return Envelope(
        raw=telegram,
        control=telegram[1],
        link_address=address,
        meter_address=meter,
        ci=headers.ci,
        security=headers.security,
        extended_link=headers.extended_link,
        authentication=headers.authentication,
        transport=headers.transport,
        wired=wired,
        unstripped=unstripped,
        link_checked=link_checked,
        received=received,
    )


def _wired_envelope(link: LinkFrame) -> Envelope:
    telegram = link.telegram
    if telegram[_WIRED_CI : _WIRED_CI + 1] == bytes((MODE_2,)):
        telegram = least_significant_first(telegram, _WIRED_CI)
    headers = read_headers(telegram, _WIRED_CI)
    if headers.transport is None or headers.transport.address is None:
        raise TelegramError(
            TelegramFault.UNSUPPORTED_CI,
            DecodeStage.TRANSPORT,
            "A wired frame names its meter in a long header only, and this one has none.",
            offset=_WIRED_CI,
        )
    return _envelope(telegram, headers.transport.address, headers, wired=True, link_checked=link.checked)


def open_frame(
    envelope: Envelope,
    key: bytes | None,
    *,
    formats: Mapping[int, CompactFormat] = NONE_KNOWN,
    default_key: bool = False,
) -> Frame:
    """Opens an envelope and reads its records.

    Args:
        envelope: from `read_envelope`.
        key: 16 bytes, or None when the meter has none.
        formats: the compact formats known: signature -> record headers.
        default_key: the key is a vendor's well-known one; plain content is then no sign of forgery.

    Raises:
        TelegramError: stages TRANSPORT, SECURITY and APPLICATION. KEY_CONFIGURED_BUT_PLAIN when a key was
        given and
            nothing in the telegram needed it.

    """
    telegram, key_used = envelope.raw, False
    extended = envelope.extended_link
    within = False  # whether the transport header is part of what the extended link protects
    if extended is not None and extended.session_number is not None:
        within = True
        telegram, key_used = open_extended_link(telegram, extended, key)
        inner = read_headers(telegram, extended.payload + 2)
        meter = inner.transport.address if inner.transport is not None else None
        envelope = replace(
            envelope,
            ci=inner.ci,
            security=inner.security,
            authentication=inner.authentication,
            transport=inner.transport,
            meter_address=meter or envelope.meter_address,
        )
    header = envelope.transport
    if header is None or (header.ci not in FULL and header.ci not in COMPACT):
        raise TelegramError(
            TelegramFault.UNSUPPORTED_CI, DecodeStage.TRANSPORT, f"CI {envelope.ci:02X} is not read here."
        )
    if envelope.security in {SecurityKind.PROPRIETARY, SecurityKind.UNSUPPORTED}:
        raise TelegramError(
            TelegramFault.UNSUPPORTED_SECURITY_MODE,
            DecodeStage.SECURITY,
            f"Security mode {header.security_mode} is not read here.",
            offset=header.offset,
        )
    telegram, opened = open_transport(envelope, telegram, key)
    if key is not None and not default_key and not opened and not key_used:
        raise TelegramError(
            TelegramFault.KEY_CONFIGURED_BUT_PLAIN,
            DecodeStage.SECURITY,
            "The meter has a key, yet this telegram came unencrypted.",
            offset=header.offset,
        )
    if header.ci in COMPACT:
        # Modes 5 and 7 put their two check bytes before the signature.
        check = 0 if envelope.security is SecurityKind.NONE else len(CHECK_BYTES)
        content = read_compact(telegram, header.payload + check, formats)
    else:
        content = read_records(telegram, header.payload)
    return frame_of(
        envelope,
        telegram,
        content,
        start=header.offset if within else header.payload,
        opened_from=header.offset,
        default_key=default_key and (opened or key_used),
        in_clear=envelope.security is not SecurityKind.NONE and not opened,
    )
