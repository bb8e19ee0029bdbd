"""Flags from status words.

In: the status byte of the transport header, or a vendor's own word and what its bits mean. Out: the flags
that are set. The one rule: a bit that nobody has vouched for sets no flag. EN 13757-7 table 28.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from core.metering.measurement import StatusFlag

_NO_FLAGS: Final[frozenset[StatusFlag]] = frozenset()
_MOST_REMEMBERED: Final = 256


class FlagBits:
    """What the bits of a status word mean.

    The same words come again and again: their flags are remembered by the bits that count.

    Args:
        bits: bit number -> what it means when it is set.

    """

    __slots__ = ("_bits", "_mask", "_remembered")

    def __init__(self, bits: Mapping[int, StatusFlag]) -> None:
        self._bits = dict(bits)
        self._mask = sum(1 << bit for bit in self._bits)
        self._remembered: dict[int, frozenset[StatusFlag]] = {}

    def flags(self, word: int | None) -> frozenset[StatusFlag]:
        """The flags whose bits are set in a word; none where none was sent."""
        if not word or not (word := word & self._mask):
            return _NO_FLAGS
        flags = self._remembered.get(word)
        if flags is None:
            flags = frozenset([flag for bit, flag in self._bits.items() if word >> bit & 1])
            if len(self._remembered) < _MOST_REMEMBERED:
                self._remembered[word] = flags
        return flags


_STATUS_BITS: Final = FlagBits(
    {2: StatusFlag.BATTERY_LOW, 3: StatusFlag.PERMANENT_ERROR, 4: StatusFlag.TEMPORARY_ERROR}
)
_APPLICATION_STATES: Final = MappingProxyType({2: StatusFlag.APPLICATION_ERROR, 3: StatusFlag.ALARM})


def status_flags(status: int | None) -> frozenset[StatusFlag]:
    """The flags of the status byte in the transport header; none where none was sent. Bits 5-7 are the
    maker's own.
    """
    if not status:
        return _NO_FLAGS
    flags = _STATUS_BITS.flags(status)
    state = _APPLICATION_STATES.get(status & 0x03)
    return flags if state is None else flags | {state}
