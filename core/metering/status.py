"""Flags from status words.

In: the status byte of the transport header, or a vendor's own word and what its bits mean. Out: the flags
that are set. The one rule: a bit that nobody has vouched for sets no flag. EN 13757-7 table 28.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from core.mbus.frame import Frame
from core.metering.measurement import StatusFlag

FlagBits = Mapping[int, StatusFlag]
"""Bit number -> what it means."""

_NO_FLAGS: Final[frozenset[StatusFlag]] = frozenset()


def flags_of(word: int, bits: FlagBits) -> frozenset[StatusFlag]:
    """The flags whose bits are set in a vendor's status word."""
    return frozenset([flag for bit, flag in bits.items() if word >> bit & 1]) if word else _NO_FLAGS


_STATUS_BITS: Final[FlagBits] = MappingProxyType(
    {2: StatusFlag.BATTERY_LOW, 3: StatusFlag.PERMANENT_ERROR, 4: StatusFlag.TEMPORARY_ERROR}
)
_APPLICATION_STATES: Final = MappingProxyType({2: StatusFlag.APPLICATION_ERROR, 3: StatusFlag.ALARM})


def read_status(frame: Frame) -> frozenset[StatusFlag]:
    """The flags of the status byte in the transport header (EN 13757-7 table 28); bits 5-7 are the maker's
    own.
    """
    return status_flags(frame.envelope.status)


def status_flags(status: int | None) -> frozenset[StatusFlag]:
    """The flags of a status byte; none where none was sent."""
    if not status:
        return _NO_FLAGS
    flags = flags_of(status, _STATUS_BITS)
    state = _APPLICATION_STATES.get(status & 0x03)
    return flags if state is None else flags | {state}
