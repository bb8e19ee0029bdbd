"""Indexes of many contents of one layout, without their other values.

In: a frame that was opened and interpreted like any other, and contents of its layout. Out: the index of each
and its flags; nothing of those that hold another value than an ordinary number. The one rule: the answers are
those of the driver's `index_many`; each part of a batch begins with a telegram that is read both ways, and
where the two differ, no other is read like this.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from core.mbus.envelope import Envelope
from core.mbus.frame import Frame
from core.mbus.vocabulary import Integrity, SecurityKind
from core.metering.decode import NO_BATCH, BatchKey, Opened
from core.metering.driver import MeterDriver
from core.metering.index_source import LARGEST_NUMBER, IndexSource
from core.metering.measurement import Measurement, Quantity, StatusFlag

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# To look up a member of an enum costs a quarter of a microsecond.
_NOT_ENCRYPTED: Final = SecurityKind.NONE
_MODE_7: Final = SecurityKind.MODE_7
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
    """Reads the indexes of one layout and kind of meter for its driver.

    Args:
        source: the records that the driver names.

    """

    __slots__ = ("_clear", "_flag_spans", "_flags", "_source")

    def __init__(self, source: IndexSource) -> None:
        self._source = source
        self._clear = slice(*source.clear)
        self._flag_spans = [slice(place.start, place.stop) for place in source.flags]
        self._flags: dict[tuple[int | None, bytes], _Flags] = {}

    @classmethod
    def of(cls, sample: Opened) -> "IndexReader | None":
        """That of a telegram's layout and kind, kept with the layout; None where there is none."""
        layout, kind, driver = sample.frame.layout, sample.identified.batch_key, sample.identified.driver
        if driver.index_source is None or kind is NO_BATCH:
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
        (stated,) = self._stated((frame.envelope,), (frame.content,))
        if self._kept(frame.envelope.status, stated, lambda: measurement.flags) != measurement.flags:
            return None
        own_key = frame.envelope.security is not _NOT_ENCRYPTED and not frame.opened_with_default_key
        return IndexKind(source.quantity, sample.integrity, own_key, sample.index_step)

    def read(
        self,
        kind: IndexKind,
        envelopes: Sequence[Envelope],
        contents: Sequence[bytes],
        statuses: Iterable[int | None],
        flags_of: Callable[[int], _Flags],
    ) -> list[OpenedIndex | None]:
        """The index of each telegram; None of those that have to be read as a whole.

        Args:
            kind: of the sample that they are like.
            envelopes: of the telegrams.
            contents: opened, of this layout.
            statuses: their status bytes.
            flags_of: the flags of one by its place, as its driver reads them.

        """
        values, fit = self.values(contents)
        known, found = self._flags, list[OpenedIndex | None]()
        rows = zip(values, fit, statuses, self._stated(envelopes, contents), strict=False)
        for place, (value, fits, status, stated) in enumerate(rows):
            if not fits:
                found.append(None)
                continue
            flags = known.get((status, stated))
            if flags is None:
                flags = self._kept(status, stated, partial(flags_of, place))
            found.append(OpenedIndex(value, flags, kind))
        return found

    def values(self, contents: Sequence[bytes]) -> tuple[list[int], list[bool]]:
        """The index of each content, and whether it is an ordinary number: no error, mark or minus."""
        import numpy as np  # noqa: PLC0415 - a tenth of a second, and intake alone asks for indexes

        index = self._source.index
        rows = np.frombuffer(b"".join(contents), np.uint8).reshape(len(contents), -1)
        data = rows[:, index.place.start : index.place.stop]
        numbers, fit = _decimals(data) if index.decimal else _binaries(data)
        fit &= (numbers >= 0) & (numbers <= LARGEST_NUMBER)
        if index.mark is not None:
            fit &= numbers != index.mark
        return (np.where(fit, numbers, 0) * index.times // index.per).tolist(), fit.tolist()

    def _stated(self, envelopes: Sequence[Envelope], contents: Sequence[bytes]) -> Iterable[bytes]:
        """Of each telegram what flags are read from, beside the status byte."""
        spans, clear = self._flag_spans, self._clear
        if clear.stop:
            rows = zip(envelopes, contents, strict=True)
            return [
                envelope.raw[clear] + b"".join([content[span] for span in spans])
                for envelope, content in rows
            ]
        if len(spans) == 1:
            return [content[spans[0]] for content in contents]
        return [b"".join([content[span] for span in spans]) for content in contents]

    def _kept(self, status: int | None, stated: bytes, ask: Callable[[], _Flags]) -> _Flags:
        """The flags that are kept for these bytes; those that the driver reads, if there are none."""
        found = self._flags.get((status, stated))
        if found is None:
            if len(self._flags) >= _MOST_FLAGS:
                self._flags.clear()
            found = self._flags[status, stated] = ask()
        return found


def _binaries(data: "NDArray[np.uint8]") -> "tuple[NDArray[np.int64], NDArray[np.bool_]]":
    """Numbers of 1, 2, 4 or 8 bytes, the least first; all of them are numbers."""
    import numpy as np  # noqa: PLC0415

    numbers = np.ascontiguousarray(data).view(f"<i{data.shape[1]}")[:, 0].astype(np.int64)
    return numbers, np.ones(len(data), dtype=bool)


def _decimals(data: "NDArray[np.uint8]") -> "tuple[NDArray[np.int64], NDArray[np.bool_]]":
    """Decimal digits, two a byte, the least byte first; and where each digit is one."""
    import numpy as np  # noqa: PLC0415

    low, high = data & _NIBBLE, data >> 4
    weights = 100 ** np.arange(data.shape[1], dtype=np.int64)
    numbers = (high.astype(np.int64) * 10 + low) @ weights
    fit: NDArray[np.bool_] = np.all((low <= _NINE) & (high <= _NINE), axis=1)
    return numbers, fit


def interpreted(driver: MeterDriver, frames: Sequence[Frame], *, index_only: bool) -> Sequence[Measurement]:
    """What frames of one layout and kind mean, or with `index_only` index and flags alone."""
    if index_only and driver.index_many is not None:
        return driver.index_many(frames)
    if driver.interpret_many is None:
        return [driver.interpret(frame) for frame in frames]
    return driver.interpret_many(frames)


def are_checked_like(sample: Opened, envelopes: Sequence[Envelope]) -> bool:
    """Whether what proves the sample proves these as well. Of mode 7 each has its message counter."""
    checked = sample.frame.envelope.link_checked
    if sample.frame.envelope.security is _MODE_7:
        return False
    return not any([envelope.link_checked is not checked for envelope in envelopes])  # noqa: C419 - half the time
