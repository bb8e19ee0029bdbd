"""What full telegrams teach about compact ones: which record headers a format signature stands for.

In: opened telegrams. Out: the formats to pass to `open_telegram` for a meter. The one rule: a format is kept
per maker, version and medium, and never changes what was opened already; `CompactFormats` is a value, and
learning makes a new one. A caller may store `entries` and build the same value from them after a restart, so
that the first compact frame of the next day is read. EN 13757-3 annex G.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from core.mbus.address import Address
from core.mbus.compact import NONE_KNOWN, CompactFormat, compact_formats
from core.metering.decode import Opened

_Kind = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class FormatEntry:
    """One format as it can be stored.

    Args:
        manufacturer, version, medium: the meters that send it.
        headers: the record headers of the full telegram in order, joined, as hexadecimal text.

    """

    manufacturer: str
    version: int
    medium: int
    headers: str


@dataclass(frozen=True, slots=True)
class CompactFormats:
    """The compact formats learned so far.

    Args:
        entries: in the order in which they were learned. `ValueError` when the headers of one are no
            hexadecimal text or end within a header.

    """

    entries: tuple[FormatEntry, ...] = ()
    _by_kind: Mapping[_Kind, Mapping[int, CompactFormat]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        kinds: dict[_Kind, list[str]] = {}
        for entry in self.entries:
            kinds.setdefault((entry.manufacturer, entry.version, entry.medium), []).append(entry.headers)
        tables = {kind: compact_formats(*texts) for kind, texts in kinds.items()}
        object.__setattr__(self, "_by_kind", MappingProxyType(tables))

    def formats_for(self, address: Address) -> Mapping[int, CompactFormat]:
        """The formats of the meter's kind: signature -> record headers; for `open_telegram(formats=...)`."""
        return self._by_kind.get(_kind(address), NONE_KNOWN)

    def learn(self, opened: Opened) -> "CompactFormats":
        """The formats and the one that a full telegram teaches; itself when that is nothing new."""
        address, learned = opened.identified.address, opened.learned_format
        if learned is None:
            return self
        signature, headers = learned
        if signature in self.formats_for(address):
            return self
        entry = FormatEntry(*_kind(address), b"".join(headers).hex().upper())
        return CompactFormats((*self.entries, entry))


def _kind(address: Address) -> _Kind:
    return address.manufacturer, address.version, address.medium


NO_FORMATS: Final = CompactFormats()
