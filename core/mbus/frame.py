"""The frozen values that decoding answers with: Envelope, Frame, Record.

An `Envelope` is what a sealed telegram shows: addresses, the headers of EN 13757-4 (extended link layer) and
EN 13757-7 (authentication layer, transport header), how it is sealed. A `Frame` is the envelope opened: the
records of EN 13757-3. The one rule: offsets count bytes of `Envelope.raw`, the telegram free of link
checksums, so that each value can be pointed at. Keys are in none of these values.

They are made by the hundred thousand: as structs of `msgspec`, whose constructors run in C and take a fifth
of the time of a frozen dataclass. None can hold itself, so the search for cycles may pass them by.
"""

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from core.mbus.address import Address

if TYPE_CHECKING:
    from core.mbus.batch_shape import Shape
    from core.mbus.layout import Layout

RecordValue = int | Decimal | date | datetime | str | bytes | None


class SecurityKind(StrEnum):
    """How the content is sealed."""

    __hash__ = str.__hash__  # that of an enum is the same number, found in Python

    NONE = "NONE"
    MODE_5 = "MODE_5"
    """AES-128-CBC, initial vector from address and access number (EN 13757-7 clause 7.6.4)."""
    MODE_7 = "MODE_7"
    """AES-128-CBC with keys derived from a message counter, authenticated by AFL (clause 7.6.6)."""
    ELL_CTR = "ELL_CTR"
    """AES-128-CTR in the extended link layer (EN 13757-4 clause 13)."""
    PROPRIETARY = "PROPRIETARY"
    """A manufacturer's own CI (A0..B7) or security mode (16..31): a driver has to open it."""
    UNSUPPORTED = "UNSUPPORTED"
    """A standard mode that is not implemented: 1-4, 8-15."""


class Function(StrEnum):
    """The function field of a DIF (EN 13757-3 table 7)."""

    __hash__ = str.__hash__  # that of an enum is the same number, found in Python

    INSTANTANEOUS = "INSTANTANEOUS"
    MAXIMUM = "MAXIMUM"
    MINIMUM = "MINIMUM"
    ERROR_STATE = "ERROR_STATE"


class Measurand(StrEnum):
    """What a record measures, as its VIF says (EN 13757-3 tables 10, 12, 14)."""

    __hash__ = str.__hash__  # that of an enum is the same number, found in Python

    ENERGY = "ENERGY"
    VOLUME = "VOLUME"
    MASS = "MASS"
    ON_TIME = "ON_TIME"
    OPERATING_TIME = "OPERATING_TIME"
    POWER = "POWER"
    VOLUME_FLOW = "VOLUME_FLOW"
    MASS_FLOW = "MASS_FLOW"
    FLOW_TEMPERATURE = "FLOW_TEMPERATURE"
    RETURN_TEMPERATURE = "RETURN_TEMPERATURE"
    TEMPERATURE_DIFFERENCE = "TEMPERATURE_DIFFERENCE"
    EXTERNAL_TEMPERATURE = "EXTERNAL_TEMPERATURE"
    PRESSURE = "PRESSURE"
    DATE = "DATE"
    DATE_TIME = "DATE_TIME"
    ALLOCATOR_UNITS = "ALLOCATOR_UNITS"
    AVERAGING_DURATION = "AVERAGING_DURATION"
    ACTUALITY_DURATION = "ACTUALITY_DURATION"
    FABRICATION_NUMBER = "FABRICATION_NUMBER"
    ENHANCED_IDENTIFICATION = "ENHANCED_IDENTIFICATION"
    BUS_ADDRESS = "BUS_ADDRESS"
    RELATIVE_HUMIDITY = "RELATIVE_HUMIDITY"
    ACCESS_NUMBER = "ACCESS_NUMBER"
    MEDIUM = "MEDIUM"
    MANUFACTURER = "MANUFACTURER"
    PARAMETER_SET = "PARAMETER_SET"
    MODEL_VERSION = "MODEL_VERSION"
    HARDWARE_VERSION = "HARDWARE_VERSION"
    FIRMWARE_VERSION = "FIRMWARE_VERSION"
    SOFTWARE_VERSION = "SOFTWARE_VERSION"
    CUSTOMER_LOCATION = "CUSTOMER_LOCATION"
    CUSTOMER = "CUSTOMER"
    ERROR_FLAGS = "ERROR_FLAGS"
    DIGITAL_OUTPUT = "DIGITAL_OUTPUT"
    DIGITAL_INPUT = "DIGITAL_INPUT"
    DIMENSIONLESS = "DIMENSIONLESS"
    VOLTAGE = "VOLTAGE"
    CURRENT = "CURRENT"
    RESET_COUNTER = "RESET_COUNTER"
    CUMULATION_COUNTER = "CUMULATION_COUNTER"
    REMAINING_BATTERY = "REMAINING_BATTERY"
    BATTERY_OPERATING_TIME = "BATTERY_OPERATING_TIME"
    BATTERY_CHANGE = "BATTERY_CHANGE"
    REACTIVE_ENERGY = "REACTIVE_ENERGY"
    APPARENT_ENERGY = "APPARENT_ENERGY"
    REACTIVE_POWER = "REACTIVE_POWER"
    APPARENT_POWER = "APPARENT_POWER"
    FREQUENCY = "FREQUENCY"
    PHASE = "PHASE"
    TEMPERATURE_LIMIT = "TEMPERATURE_LIMIT"
    MAXIMUM_POWER_COUNT = "MAXIMUM_POWER_COUNT"
    CREDIT = "CREDIT"
    DEBIT = "DEBIT"
    ERROR_MASK = "ERROR_MASK"
    BAUD_RATE = "BAUD_RATE"
    STORAGE_NUMBER = "STORAGE_NUMBER"
    STORAGE_INTERVAL = "STORAGE_INTERVAL"
    DURATION_SINCE_READOUT = "DURATION_SINCE_READOUT"
    DURATION_SINCE_CUMULATION = "DURATION_SINCE_CUMULATION"
    TARIFF_START = "TARIFF_START"
    TARIFF_DURATION = "TARIFF_DURATION"
    TARIFF_PERIOD = "TARIFF_PERIOD"
    TRANSMISSION_PERIOD = "TRANSMISSION_PERIOD"
    SUPPLIER_INFORMATION = "SUPPLIER_INFORMATION"
    RADIO_LEVEL = "RADIO_LEVEL"
    STOP_COUNTER = "STOP_COUNTER"
    DURATION = "DURATION"
    """How long a limit was exceeded, as a VIFE says of what the VIF names."""
    COUNT = "COUNT"
    """How often a limit was exceeded, as a VIFE says of what the VIF names."""
    PLAIN_TEXT = "PLAIN_TEXT"
    MANUFACTURER_SPECIFIC = "MANUFACTURER_SPECIFIC"
    UNKNOWN = "UNKNOWN"
    """A code of the tables that is reserved or not read here; its value is never published."""


class ExtendedLink(Struct, frozen=True, gc=False):
    """The extended link layer (CI 8C..8F, EN 13757-4 clause 13).

    `session_number` is None for the forms without one; `payload` is the offset of the first byte after the
    header, which for forms II and IV is the (possibly sealed) payload checksum.
    """

    ci: int
    communication_control: int
    access_number: int
    session_number: bytes | None
    address: Address | None
    payload: int

    @property
    def sealed(self) -> bool:
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
        """How many blocks of 16 bytes after the header are sealed (modes 5 and 7)."""
        return self.configuration >> 4 & 0x0F


class Envelope(Struct, frozen=True, gc=False, eq=False):
    """A telegram as it can be read without a key.

    Args:
        raw: the telegram free of link checksums, the L field first.
        control: the C field.
        link_address: the sender of the radio frame; for wired M-Bus the address of the long header.
        meter_address: whose values are inside: the long header's address, else the link address.
        ci: the CI field of the transport layer; of the extended link when that layer seals what follows.
        security: how it is sealed.
        extended_link, authentication, transport: the headers that are present and readable.
        wired: True for a long frame of wired M-Bus (EN 13757-2).
        unstripped: the telegram with its last bytes, when these were taken for a checksum only because they
            fit as one: if the content does not open, they may have been content. None otherwise.
        shape: what it has in common with others of its kind, when it was read in a batch; no part of what
            is compared and printed.

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
    shape: "Shape | None" = None

    def __eq__(self, other: object) -> bool:
        """Equal in all but the shape."""
        return isinstance(other, Envelope) and _told(self) == _told(other)

    def __hash__(self) -> int:
        """Of all but the shape."""
        return hash(_told(self))

    def __repr__(self) -> str:
        """All but the shape, as a dataclass would be printed."""
        fields = zip(_TOLD, _told(self), strict=True)
        return f"Envelope({', '.join(f'{name}={value!r}' for name, value in fields)})"

    @property
    def length_mended(self) -> bool:
        """Whether the L field counted too few bytes, and the last checksum said where the end is."""
        return self.unstripped is not None and self.unstripped[0] + 1 != len(self.unstripped)

    @property
    def security_mode(self) -> int | None:
        """The mode number of the transport header; None when there is no header to read."""
        return None if self.transport is None else self.transport.security_mode

    @property
    def message_counter(self) -> int | None:
        """The counter that the meter raises from one sealed message to the next; None when it sends none.

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


_TOLD: Final = tuple(name for name in Envelope.__struct_fields__ if name != "shape")
_told: Final = attrgetter(*_TOLD)


class Record(Struct, frozen=True, gc=False):
    """One data record of EN 13757-3.

    Args:
        offset: the byte of the telegram where the DIF stands; for a compact frame, where the data stands.
        header: DIF, DIFEs, VIF and VIFEs as sent.
        data: the value as sent, without the LVAR byte of variable length fields.
        function, storage, tariff, subunit: the coordinates that DIF and DIFEs give.
        measurand: what is measured.
        unit: the unit of `value`: `"m3"`, `"kWh"`, `"C"` ...; empty when there is none.
        value: the scaled value; None when the meter says "no value", or sends what cannot be read.
        modifiers: the combinable VIFEs after the VIF, in order, extension bit removed; a correction of the
            scale (multiply by a power of ten) is applied to `value` and not listed.

    """

    offset: int
    header: bytes
    data: bytes
    function: Function
    storage: int
    tariff: int
    subunit: int
    measurand: Measurand
    unit: str
    value: RecordValue
    modifiers: tuple[int, ...] = ()


LATER: Final = frozenset({"records", "plaintext", "manufacturer_data"})
"""The parts of a frame that a batch leaves to be made when they are asked for."""


@dataclass(frozen=True, slots=True)
class Frame:
    """An opened telegram.

    Args:
        envelope: the envelope, its transport header now known when the extended link had sealed it.
        records: in the order sent.
        plaintext: the telegram from the transport CI to the end, opened.
        manufacturer_data: what follows a DIF 0F or 1F.
        manufacturer_data_offset: the byte of the telegram where it begins.
        opened_with_default_key: True when a vendor's well-known key opened it, not the meter's own.
        compact_signature: the format signature when the telegram was a compact frame.
        layout, values, content: of a frame that was read in a batch: where its records stand, the value of
            each, and the opened bytes from `layout.start` on. What else the frame holds is made from these
            when it is asked for.

    """

    envelope: Envelope
    records: tuple[Record, ...]
    plaintext: bytes = field(repr=False, default=b"")
    manufacturer_data: bytes = b""
    manufacturer_data_offset: int | None = None
    opened_with_default_key: bool = False
    compact_signature: int | None = None
    layout: "Layout | None" = field(default=None, init=False, repr=False, compare=False)
    values: tuple[RecordValue, ...] = field(default=(), init=False, repr=False, compare=False)
    content: bytes = field(default=b"", init=False, repr=False, compare=False)

    if not TYPE_CHECKING:  # to a type checker it would say that a frame has any attribute

        def __getattr__(self, name: str) -> object:
            """Fills what a batch left out; called for attributes alone that are not there yet."""
            if name not in LATER or self.layout is None:
                raise AttributeError(name)
            value = getattr(self.layout, name)(self)
            object.__setattr__(self, name, value)
            return value

    @property
    def message_counter(self) -> int | None:
        """The message counter of the envelope, proved now that the telegram is open."""
        return self.envelope.message_counter

    def record(
        self,
        measurand: Measurand,
        *,
        storage: int = 0,
        tariff: int = 0,
        subunit: int = 0,
        function: Function = Function.INSTANTANEOUS,
        modifiers: tuple[int, ...] = (),
    ) -> Record | None:
        """The first record with exactly these coordinates that carries a value."""
        for record in self.records:
            if (
                record.measurand is measurand
                and record.storage == storage
                and record.tariff == tariff
                and record.subunit == subunit
                and record.function is function
                and record.modifiers == modifiers
                and record.value is not None
            ):
                return record
        return None

    def header(self, header: bytes) -> Record | None:
        """The first record with exactly this DIF/VIF header that carries a value: for manufacturer-specific
        VIFs.
        """
        if self.layout is not None and header not in self.layout.headers:
            return None
        for record in self.records:
            if record.header == header and record.value is not None:
                return record
        return None

    def values_under(self, headers: Container[bytes]) -> list[tuple[bytes, RecordValue]]:
        """Header and value of the records with one of these DIF/VIF headers, in the order sent.

        For a constant of the driver's: what it selects from a kind of frame is worked out once.
        """
        if self.layout is None:
            return [(record.header, record.value) for record in self.records if record.header in headers]
        return [(header, self.values[index]) for index, header in self.layout.places_under(headers)]
