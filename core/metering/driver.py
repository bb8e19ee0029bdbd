r"""What a vendor hands over: one frozen `MeterDriver`.

In: the meters it claims (signatures), how their serial is printed, a function from an opened frame to a
`Measurement`. Out: nothing happens here; the registry builds its table from these values. The one rule: a
driver is data and pure functions; it opens no file, asks no clock and keeps no state.

    DRIVER = MeterDriver(
        name="acme",
        title="Acme water meters",
        signatures=(Signature("ACM", medium=0x07),),
        serial=SerialFormat(pattern=r"\d{8}", example="12345678"),
        interpret=interpret,
    )
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from core.mbus.address import Address
from core.mbus.compact import CompactFormat, compact_formats
from core.mbus.envelope import Envelope
from core.mbus.frame import Frame
from core.metering.index_source import IndexSource
from core.metering.measurement import Measurement
from core.metering.serials import SerialFormat


@dataclass(frozen=True, slots=True)
class Signature:
    """The meters that a driver claims: maker letters, and version and medium unless any will do.

    The more specific claim wins: version and medium, then version alone, then medium alone, then the maker
    alone.
    """

    manufacturer: str
    version: int | None = None
    medium: int | None = None

    def __str__(self) -> str:
        version = "*" if self.version is None else f"{self.version:02X}"
        medium = "*" if self.medium is None else f"{self.medium:02X}"
        return f"{self.manufacturer}/{version}/{medium}"


@dataclass(frozen=True, slots=True)
class Proprietary:
    """How a vendor's own encrypted frames are read: those with a CI of A0..B7 or a security mode of 16..31.

    Args:
        claims: (manufacturer, CI) pairs.
        address: the meter's address from the envelope, after the vendor's rotation or packing.
        open: opens the envelope with the meter's key, or with the vendor's default keys when it is None; None
            when the check of the content fails.
        encrypted_from: the offset in the telegram at which the encrypted content begins.
        shortest: how many bytes of content a telegram has at least.
        key_length: in bytes, of a meter's own key; None: `open` looks at it.
        open_many: the same as `open` for many envelopes of these claims, each with its key, in order; only to
            be quicker, so None where `open` has to answer. None: each by itself.

    """

    claims: frozenset[tuple[str, int]]
    address: Callable[[Envelope], Address]
    open: Callable[[Envelope, bytes | None], Frame | None]
    encrypted_from: int = 11
    shortest: int = 1
    key_length: int | None = None
    open_many: Callable[[Sequence[Envelope], Sequence[bytes | None]], Sequence[Frame | None]] | None = None


@dataclass(frozen=True, slots=True)
class EncryptedRecord:
    """A record of a vendor's own that may be encrypted within a telegram whose headers say nothing of it.

    Args:
        header: of the record, DIF to last VIFE.
        open: the frame and the meter's key -> the frame itself when the record is plain or of a kind that is
            not known; or the frame with the record opened (`Frame.with_data`), `in_clear` when it is
            announced as encrypted and was plain. Raises `TelegramError`: KEY_MISSING, KEY_WRONG.
            Records whose content is not proved must give no values in `interpret`.

    """

    header: bytes
    open: Callable[[Frame, bytes | None], Frame]


@dataclass(frozen=True, slots=True)
class MeterDriver:
    """One vendor's meters.

    Args:
        name: one lower-case word, unique among the installed drivers: `"kamstrup"`.
        title: for people.
        signatures: the meters claimed.
        serial: how the number is printed on the device.
        interpret: an opened frame -> what it means; raises `TelegramError` at most.
        interpret_many: the same for many frames of one layout and one maker, version and medium, in order;
            only to be quicker, as a `Table` is. None: each by itself.
        index_many: of what `interpret_many` answers the index and the flags alone, for those who ask no more;
            only to be quicker, so for a driver whose `interpret` refuses nothing. None: they get all.
        index_source: a frame of a layout -> the record of which `index_many` makes the index of any frame of
            that layout, and those of which it makes the flags; None: of no such. Only to be quicker: the
            others are not read then. None: they are.
        compact_formats: the record headers of full telegrams, for the compact frames of these meters: one
            hexadecimal text each, blanks between as you like. `ValueError` when one ends within a header.
        medium_of: the medium (device type) that a meter measures, where the address does not carry it; None:
            it does.
        default_keys: well-known keys tried on an encrypted telegram of a meter that has no key of its own.
        proprietary: how the vendor's own encrypted frames are read, if it has such.
        encrypted_record: how the vendor's own encrypted record is read, if it has such.
        own_content: reads a telegram in the clear whose content is laid out by the maker instead of in
            records: the frame; None where it is not laid out so, and then it is read as records. Nothing
            else checks such a content: it must prove itself.

    Attributes:
        formats: the compact formats: signature -> record headers.

    """

    name: str
    title: str
    signatures: tuple[Signature, ...]
    serial: SerialFormat
    interpret: Callable[[Frame], Measurement]
    interpret_many: Callable[[Sequence[Frame]], Sequence[Measurement]] | None = None
    index_many: Callable[[Sequence[Frame]], Sequence[Measurement]] | None = None
    index_source: Callable[[Frame], IndexSource | None] | None = None
    compact_formats: tuple[str, ...] = field(default=(), repr=False)
    medium_of: Callable[[Address], int] | None = None
    default_keys: tuple[bytes, ...] = field(default=(), repr=False)
    proprietary: Proprietary | None = None
    encrypted_record: EncryptedRecord | None = None
    own_content: Callable[[Envelope], Frame | None] | None = None
    formats: Mapping[int, CompactFormat] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "formats", compact_formats(*self.compact_formats))

    def medium(self, address: Address) -> int:
        """The device type (EN 13757-7 table 13) that a meter of this driver measures: 07 water, 04 heat
        ...
        """
        return address.medium if self.medium_of is None else self.medium_of(address)
