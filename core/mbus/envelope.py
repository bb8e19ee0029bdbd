"""What a telegram shows without a key: addresses, headers, how its content is encrypted.

In: nothing; `core.mbus.decode` makes these values. Out: an `Envelope` and the headers in it, of EN 13757-4
(extended link layer) and EN 13757-7 (authentication layer, transport header). The one rule: offsets count
bytes of `Envelope.raw`, the telegram free of link checksums, so that each value can be pointed at. Keys are
in none of these values.

They are made by the hundred thousand: as structs of `msgspec`, whose constructors run in C and take a fifth
of the time of a frozen dataclass. None can hold itself, so the search for cycles may pass them by.
"""

from msgspec import Struct

from core.mbus.address import Address
from core.mbus.vocabulary import SecurityKind


class ExtendedLink(Struct, frozen=True, gc=False):
    """The extended link layer (CI 8C..8F, EN 13757-4 clause 13).

    `session_number` is None for the forms without one; `payload` is the offset of the first byte after the
    header, which for forms II and IV is the (possibly encrypted) payload checksum.
    """

    ci: int
    communication_control: int
    access_number: int
    session_number: bytes | None
    address: Address | None
    payload: int

    @property
    def encrypted(self) -> bool:
        """True when the encryption field of the session number announces AES-128-CTR."""
        return self.session_number is not None and self.session_number[3] >> 5 != 0


class Authentication(Struct, frozen=True, gc=False):
    """The authentication and fragmentation layer (CI 90, EN 13757-7 clause 6)."""

    message_control: int | None
    message_counter: bytes | None
    message_length: bytes
    mac: bytes
    payload: int


class TransportHeader(Struct, frozen=True, gc=False):
    """The transport header (EN 13757-7 clause 7.3).

    `payload` is the offset of the first byte after the header; `configuration_extension` is the CFGX byte of
    mode 7.
    """

    ci: int
    offset: int
    address: Address | None
    access_number: int | None
    status: int | None
    configuration: int
    configuration_extension: int | None
    payload: int

    @property
    def security_mode(self) -> int:
        """Bits 8-12 of the configuration field."""
        return self.configuration >> 8 & 0x1F

    @property
    def encrypted_blocks(self) -> int:
        """How many blocks of 16 bytes after the header are encrypted (modes 5 and 7)."""
        return self.configuration >> 4 & 0x0F


class Envelope(Struct, frozen=True, gc=False):
    """A telegram as it can be read without a key.

    Args:
        raw: the telegram free of link checksums, the L field first.
        control: the C field.
        link_address: the sender of the radio frame; for wired M-Bus the address of the long header.
        meter_address: whose values are inside: the long header's address, else the link address.
        ci: the CI field of the transport layer; of the extended link when that layer encrypts what follows.
        security: how it is encrypted.
        extended_link, authentication, transport: the headers that are present and readable.
        wired: True for a long frame of wired M-Bus (EN 13757-2).
        unstripped: the telegram with its last bytes, when these were taken for a checksum only because they
            fit as one: if the content does not open, they may have been content. None otherwise.
        received: the bytes as received, when their number does not fit the L field: the content has to prove
            that the telegram ends where `raw` does. None when it fits.
        link_checked: True when all of its link checksums were received and fit.

    """

    raw: bytes
    control: int
    link_address: Address
    meter_address: Address
    ci: int
    security: SecurityKind
    extended_link: ExtendedLink | None = None
    authentication: Authentication | None = None
    transport: TransportHeader | None = None
    wired: bool = False
    unstripped: bytes | None = None
    link_checked: bool = False
    received: bytes | None = None

    @property
    def length_mended(self) -> bool:
        """Whether the L field counted too few bytes, and the last checksum showed where the end is."""
        return self.unstripped is not None and self.unstripped[0] + 1 != len(self.unstripped)

    @property
    def message_counter(self) -> int | None:
        """The counter that the meter raises from one encrypted message to the next; None when it sends none.

        The message counter of the authentication layer (mode 7), or the time field of the extended link's
        session number (bits 4-28). It is proved only once the telegram has been opened; a caller that keeps
        the last one of a meter can refuse an older one as a replay.
        """
        if self.authentication is not None and self.authentication.message_counter is not None:
            return int.from_bytes(self.authentication.message_counter, "little")
        if self.extended_link is not None and self.extended_link.session_number is not None:
            return int.from_bytes(self.extended_link.session_number, "little") >> 4 & 0x1FFFFFF
        return None

    @property
    def status(self) -> int | None:
        """The status byte of the transport header (EN 13757-7 table 28); None when there is none."""
        return None if self.transport is None else self.transport.status
