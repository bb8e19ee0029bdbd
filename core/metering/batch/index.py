"""Indexes of many contents of one layout, without their other values.

In: a frame that was opened and interpreted like any other, and contents of its layout. Out: the index of each
and its flags; nothing of those that hold another value than an ordinary number. The one rule: the answers are
those of the driver's `index_many`; each part of a batch begins with a telegram that is read both ways, and
where the two differ, no other is read like this.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from core.mbus.vocabulary import Integrity, SecurityKind
from core.metering.decode import BatchKey, Opened
from core.metering.index_source import LARGEST_NUMBER, IndexSource
from core.metering.measurement import Quantity, StatusFlag

# To look up a member of an enum costs a quarter of a microsecond.
_NOT_ENCRYPTED: Final = SecurityKind.NONE
_NIBBLE: Final = 0x0F
_NINE: Final = 9
_MOST_FLAGS: Final = 1024
_Flags = frozenset[StatusFlag]


class IndexKind(Struct, frozen=True, gc=False):
    """What the indexes of telegrams of one kind have in common.

    Args:
        quantity: what is counted.
        integrity: as `Opened.integrity`.
        own_key: True where a key of the meter has opened them, False where none was asked for or a vendor's
            default key has.
        step: as `Opened.index_step`.

    """

    quantity: Quantity
    integrity: Integrity
    own_key: bool
    step: int


class OpenedIndex(Struct, frozen=True, gc=False):
    """A telegram that was opened, with its index and its flags alone.

    Args:
        value: of the index, in the smallest unit.
        flags: what the meter complains about now.
        kind: the rest.

    """

    value: int
    flags: _Flags
    kind: IndexKind


class IndexReader:
    """Reads the indexes of one layout for one driver.

    Args:
        source: the records that the driver names.

    Attributes:
        flags: those met so far, by status byte and `said`.

    """

    __slots__ = ("_flag_spans", "_source", "flags")

    def __init__(self, source: IndexSource) -> None:
        self._source = source
        self._flag_spans = [slice(place.start, place.stop) for place in source.flags]
        self.flags: dict[tuple[int | None, bytes], _Flags] = {}

    @classmethod
    def of(cls, sample: Opened) -> "IndexReader | None":
        """That of a telegram's layout and kind, kept with the layout; None where there is none."""
        layout, kind, driver = sample.frame.layout, sample.identified.batch_key, sample.identified.driver
        if driver.index_source is None:
            return None
        known: tuple[BatchKey, IndexReader | None] | None = layout.plans.get((cls, id(kind)))
        if known is None:
            source = driver.index_source(sample.frame)
            known = layout.keep((cls, id(kind)), (kind, None if source is None else cls(source)))
        return known[1]

    def kind_of(self, sample: Opened) -> IndexKind | None:
        """What holds for all telegrams like the sample; None where it is not read as its driver reads it, or
        shows no index.
        """
        source, frame, measurement = self._source.index, sample.frame, sample.measurement
        index, (values, fit) = measurement.index, self.values((frame.content,))
        if index is None or index.fluid_quantity is not source.quantity:
            return None
        if fit[0] and index.value != values[0]:
            return None
        (said,) = self.said((frame.content,))
        if self.keep_flags(frame.envelope.status, said, measurement.flags) != measurement.flags:
            return None
        own_key = frame.envelope.security is not _NOT_ENCRYPTED and not frame.opened_with_default_key
        return IndexKind(source.quantity, sample.integrity, own_key, sample.index_step)

    def values(self, contents: Sequence[bytes]) -> tuple[list[int], list[bool]]:
        """The index of each content, and whether it is an ordinary number: no error, mark or minus."""
        index = self._source.index
        rows = np.frombuffer(b"".join(contents), np.uint8).reshape(len(contents), -1)
        data = rows[:, index.place.start : index.place.stop]
        numbers, fit = _decimals(data) if index.decimal else _binaries(data)
        fit &= (numbers >= 0) & (numbers <= LARGEST_NUMBER)
        if index.mark is not None:
            fit &= numbers != index.mark
        return (np.where(fit, numbers, 0) * index.times // index.per).tolist(), fit.tolist()

    def said(self, contents: Sequence[bytes]) -> Sequence[bytes]:
        """Of each content what flags are read from, beside the status byte."""
        spans = self._flag_spans
        if len(spans) == 1:
            return [content[spans[0]] for content in contents]
        return [b"".join([content[span] for span in spans]) for content in contents]

    def keep_flags(self, status: int | None, said: bytes, flags: _Flags) -> _Flags:
        """Those that are kept for these bytes: these, unless there are some."""
        if len(self.flags) >= _MOST_FLAGS:
            self.flags.clear()
        return self.flags.setdefault((status, said), flags)


def _binaries(data: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Numbers of 1, 2, 4 or 8 bytes, the least first; all of them are numbers."""
    numbers = np.ascontiguousarray(data).view(f"<i{data.shape[1]}")[:, 0].astype(np.int64)
    return numbers, np.ones(len(data), dtype=bool)


def _decimals(data: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Decimal digits, two a byte, the least byte first; and where each digit is one."""
    low, high = data & _NIBBLE, data >> 4
    weights = 100 ** np.arange(data.shape[1], dtype=np.int64)
    numbers = (high.astype(np.int64) * 10 + low) @ weights
    fit: NDArray[np.bool_] = np.all((low <= _NINE) & (high <= _NINE), axis=1)
    return numbers, fit
