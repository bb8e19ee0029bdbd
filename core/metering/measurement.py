"""What a meter measures and reports, in names that hold for every vendor.

In: the values and flags that a driver found in a frame. Out: a frozen `Measurement` with stable names. The
one rule: a value that was not sent, or not understood, is absent; it is never zero and never guessed. Names
carry their unit (`total_volume_m3`, `flow_temperature_c`), numbers are Decimal, and the billed total is also
given as an integer `Index` in the smallest unit so that nobody downstream sums fractions.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from math import floor
from types import MappingProxyType
from typing import Final

from msgspec import Struct, field

MeasuredValue = Decimal | int | date | datetime | str


class Quantity(StrEnum):
    """What the index of a meter counts; the unit of `Index.value` follows from it."""

    VOLUME = "VOLUME"
    """Litres."""
    ENERGY = "ENERGY"
    """Watt-hours."""
    ALLOCATOR = "ALLOCATOR"
    """Units of a heat cost allocator (EN 834), dimensionless."""


class Index(Struct, frozen=True, gc=False):
    """The counter of a meter.

    Args:
        fluid_quantity: what is counted.
        value: litres, watt-hours or allocator units; a fraction is floored, since an index never runs ahead.

    """

    fluid_quantity: Quantity
    value: int


class StatusFlag(StrEnum):
    """What a meter can complain about, whatever its vendor calls it. A closed set; see `bit` for storage."""

    LEAK = "LEAK"
    BURST = "BURST"
    DRY = "DRY"
    REVERSE = "REVERSE"
    TAMPER = "TAMPER"
    BATTERY_LOW = "BATTERY_LOW"
    TEMPORARY_ERROR = "TEMPORARY_ERROR"
    PERMANENT_ERROR = "PERMANENT_ERROR"
    NO_FLOW = "NO_FLOW"
    BLOCKED = "BLOCKED"
    OVERFLOW = "OVERFLOW"
    UNDERFLOW = "UNDERFLOW"
    SUBMERGED = "SUBMERGED"
    AIR = "AIR"
    SENSOR_ERROR = "SENSOR_ERROR"
    LOW_TEMPERATURE = "LOW_TEMPERATURE"
    POWER_FAILURE = "POWER_FAILURE"
    EXTERNAL_ALARM = "EXTERNAL_ALARM"
    COMMUNICATION_ERROR = "COMMUNICATION_ERROR"
    ALARM = "ALARM"
    """The meter raises a general alarm and does not say which."""
    APPLICATION_ERROR = "APPLICATION_ERROR"
    """The status byte says that the meter could not serve its own application layer."""

    @property
    def bit(self) -> int:
        """The bit (0..) of this flag in a stored mask. Never renumbered: a new flag takes the next free
        bit.
        """
        return _BITS[self]


_BITS: Final[Mapping[StatusFlag, int]] = MappingProxyType(
    {
        StatusFlag.LEAK: 0,
        StatusFlag.BURST: 1,
        StatusFlag.DRY: 2,
        StatusFlag.REVERSE: 3,
        StatusFlag.TAMPER: 4,
        StatusFlag.BATTERY_LOW: 5,
        StatusFlag.TEMPORARY_ERROR: 6,
        StatusFlag.PERMANENT_ERROR: 7,
        StatusFlag.NO_FLOW: 8,
        StatusFlag.BLOCKED: 9,
        StatusFlag.OVERFLOW: 10,
        StatusFlag.UNDERFLOW: 11,
        StatusFlag.SUBMERGED: 12,
        StatusFlag.AIR: 13,
        StatusFlag.SENSOR_ERROR: 14,
        StatusFlag.LOW_TEMPERATURE: 15,
        StatusFlag.POWER_FAILURE: 16,
        StatusFlag.EXTERNAL_ALARM: 17,
        StatusFlag.COMMUNICATION_ERROR: 18,
        StatusFlag.ALARM: 19,
        StatusFlag.APPLICATION_ERROR: 20,
    }
)


def flags_to_bits(flags: Iterable[StatusFlag]) -> int:
    """The mask in which a reading stores its flags."""
    mask = 0
    for flag in flags:
        mask |= 1 << flag.bit
    return mask


def bits_to_flags(mask: int) -> frozenset[StatusFlag]:
    """The flags of a stored mask; bits that no flag owns (written by a later release) are left out."""
    return frozenset(flag for flag, bit in _BITS.items() if mask >> bit & 1)


class HistorySource(StrEnum):
    """Where a past value comes from."""

    SNAPSHOT = "SNAPSHOT"
    """A record of its own: value and day under one storage number."""
    PROFILE = "PROFILE"
    """A slot of a compact profile (EN 13757-3 annex F): the day is counted from the profile's base day."""


class HistoryEntry(Struct, frozen=True, gc=False):
    """What the counter showed on an earlier day.

    Args:
        day: the meter's own day, without a zone.
        quantity: what is counted.
        value: cubic metres, kilowatt-hours or allocator units.
        source: how the telegram carried it.

    """

    day: date
    quantity: Quantity
    value: Decimal
    source: HistorySource


class FlagDuration(Struct, frozen=True, gc=False):
    """For how long a state held, in hours, both bounds included.

    Args:
        flag: the state.
        at_least, at_most: hours within the period that the vendor counts (Kamstrup: the last 30 days).

    """

    flag: StatusFlag
    at_least: int
    at_most: int


_NUMBER: Final = (Decimal, int)
INDEXES: Final[tuple[tuple[str, Quantity, Decimal], ...]] = (
    # A heat meter sends a volume as well: what is billed is the energy, so it is asked first.
    ("total_energy_kwh", Quantity.ENERGY, Decimal(1000)),
    ("total_volume_m3", Quantity.VOLUME, Decimal(1000)),
    ("hca_units", Quantity.ALLOCATOR, Decimal(1)),
)
"""What an index is made of, the first that there is: name, what is counted, smallest units in its unit."""

INDEX_NAMES: Final = frozenset([name for name, _, _ in INDEXES])
"""The values of which the index is one."""


class Measurement(Struct, frozen=True, gc=False):
    """The driver-neutral content of one telegram.

    Args:
        values: stable name -> value. Scaled numbers are Decimal; dates are local to the meter, without a
            zone.
        flags: what the meter complains about now.
        status_word: the raw vendor status as sent, for the record; None when the telegram carries none.
        generic: True when no driver claims this meter and plain records were read by the standard alone.
        history: what the counter showed on earlier days, the latest first; each day once a quantity.
        previous_flags: what the meter complained about earlier; None when it does not send that.
        durations: how long states held lately, where the vendor sends it.

    """

    values: Mapping[str, MeasuredValue] = field(default_factory=lambda: MappingProxyType({}))
    flags: frozenset[StatusFlag] = frozenset()
    status_word: int | None = None
    generic: bool = False
    history: tuple[HistoryEntry, ...] = ()
    previous_flags: frozenset[StatusFlag] | None = None
    durations: tuple[FlagDuration, ...] = ()

    @property
    def index(self) -> Index | None:
        """The billed counter in litres, watt-hours or allocator units; None when the telegram carries no
        total.
        """
        values = self.values
        for name, quantity, scale in INDEXES:
            value = values.get(name)
            if isinstance(value, _NUMBER):
                exact = value * scale
                # Truncation is the floor of what is not negative, and takes half as long.
                return Index(quantity, floor(exact) if exact.is_signed() else int(exact))
        return None
