"""A table: which records of a meter become which values, and which of them are snapshots of earlier days.

In: opened frames. Out: a `Measurement` of each. Two rules: what a table leaves out is absent; and many frames
at once give what each of them gives by itself, so a driver that has a `Table` and nothing else hands over
both `interpret` and `interpret_many`, and a batch is interpreted in a third of the time. A driver that knows
more than the table hands it to `interpret`.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Final

from core.mbus.frame import Frame
from core.metering.fields import NOW, Field, read_fields, single_records, snapshots, target_fields
from core.metering.history import read_histories
from core.metering.index_source import IndexSource, WholeIndex
from core.metering.measurement import (
    INDEX_NAMES,
    INDEXES,
    FlagDuration,
    MeasuredValue,
    Measurement,
    StatusFlag,
)
from core.metering.status import status_flags


@dataclass(frozen=True, slots=True)
class Table:
    """How the frames of some meters are read.

    Args:
        fields: the values beside those of now and of the target.
        target: the storage number of the billing or month-end snapshot. Of several, the first that a frame
            holds; where it holds none, the first.
        storages: all storage numbers that are dated snapshots of the counter, for the history.
        now: what is read of now: what the standard alone settles, unless a driver states another.

    """

    fields: tuple[Field, ...] = ()
    target: tuple[int, ...] = ()
    storages: tuple[int, ...] = ()
    now: tuple[Field, ...] = NOW
    _fields: tuple[Field, ...] = field(init=False, repr=False, compare=False)
    _fields_by_target: Mapping[int, tuple[Field, ...]] = field(init=False, repr=False, compare=False)
    _index_fields: tuple[Field, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        tables = {number: (*self.now, *target_fields(number), *self.fields) for number in self.target}
        fields = tables[self.target[0]] if self.target else (*self.now, *self.fields)
        object.__setattr__(self, "_fields", fields)
        object.__setattr__(self, "_fields_by_target", tables if len(tables) > 1 else {})
        index = tuple([one for one in fields if one.name in INDEX_NAMES])  # whatever the target
        object.__setattr__(self, "_index_fields", index)

    def _fields_for(self, frame: Frame) -> tuple[Field, ...]:
        held = snapshots(frame)
        return next(
            (self._fields_by_target[number] for number in self.target if number in held), self._fields
        )

    def values(self, frame: Frame) -> dict[str, MeasuredValue]:
        """The values of a frame, by name."""
        fields = self._fields_for(frame) if self._fields_by_target else self._fields
        return read_fields((frame,), fields)[0]

    def interpret(
        self,
        frame: Frame,
        values: Mapping[str, MeasuredValue] | None = None,
        *,
        flags: frozenset[StatusFlag] = frozenset(),
        status_word: int | None = None,
        previous_flags: frozenset[StatusFlag] | None = None,
        durations: tuple[FlagDuration, ...] = (),
        generic: bool = False,
    ) -> Measurement:
        """What a frame means.

        Args:
            frame: of such a meter.
            values: in place of the table's own, where the driver changed them.
            flags: beside those of the status byte.
            status_word: the vendor's own, in place of the status byte.
            previous_flags: as in `Measurement`.
            durations: as in `Measurement`.
            generic: as in `Measurement`.

        """
        status = frame.envelope.status
        if status:
            flags |= status_flags(status)
        return Measurement(
            self.values(frame) if values is None else values,
            flags,
            status if status_word is None else status_word,
            generic,
            read_histories((frame,), self.storages)[0],
            previous_flags,
            durations,
        )

    def values_many(self, frames: Sequence[Frame]) -> list[dict[str, MeasuredValue]]:
        """The values of many frames, by name; quick when they are of one layout."""
        if self._fields_by_target or not _are_alike(frames):
            return [self.values(frame) for frame in frames]
        return read_fields(frames, self._fields) if frames else []

    def interpret_many(
        self,
        frames: Sequence[Frame],
        values: Sequence[Mapping[str, MeasuredValue]] | None = None,
        *,
        flags: Iterable[frozenset[StatusFlag]] | None = None,
        status_words: Iterable[int | None] | None = None,
        previous_flags: Iterable[frozenset[StatusFlag] | None] = repeat(None),
        durations: Iterable[tuple[FlagDuration, ...]] = repeat(()),
    ) -> list[Measurement]:
        """What many frames mean, as `interpret` has it; quick when they are of one layout.

        Args:
            frames: of such meters.
            values: of each, in place of the table's own, where the driver changed them.
            flags: of each, beside those of the status byte.
            status_words: of each, the vendor's own in place of the status byte, unless it is None.
            previous_flags: of each, as in `Measurement`.
            durations: of each, as in `Measurement`.

        """
        if not frames:
            return []
        statuses = _statuses(frames)
        words, found = statuses, _flags(statuses, flags)
        if status_words is not None:
            words = [
                status if word is None else word for status, word in zip(statuses, status_words, strict=False)
            ]
        if _are_alike(frames):
            histories = read_histories(frames, self.storages)
        else:
            histories = [read_histories((frame,), self.storages)[0] for frame in frames]
        return list(
            map(
                Measurement,
                self.values_many(frames) if values is None else values,
                found,
                words,
                repeat(False),
                histories,
                previous_flags,
                durations,
            )
        )

    def index_many(
        self, frames: Sequence[Frame], flags: Iterable[frozenset[StatusFlag]] | None = None
    ) -> list[Measurement]:
        """Index and flags alone of what `interpret_many` answers; the frames must be of one layout.

        Args:
            frames: of such meters.
            flags: of each, beside those of the status byte.

        """
        found = _flags(_statuses(frames), flags)
        return list(map(Measurement, read_fields(frames, self._index_fields), found))

    def index_source(self, frame: Frame, flags: Container[bytes] = ()) -> IndexSource | None:
        """Which records of frames of this layout `index_many` answers from; None where that depends on more
        than one record's value.

        Args:
            frame: one of the layout.
            flags: the headers of the records from which the driver reads flags.

        """
        records = single_records(frame.layout, self._index_fields)
        for name, quantity, per_unit in INDEXES:
            if name in records:
                index = WholeIndex.of(frame.layout, records[name], quantity, per_unit)
                places = [place for place in frame.layout.places if place.header in flags]
                return None if index is None else IndexSource(index, tuple(places))
        return None


def _are_alike(frames: Sequence[Frame]) -> bool:
    """True when all are of one layout."""
    layout = frames[0].layout if frames else None
    return not any([frame.layout is not layout for frame in frames])  # noqa: C419 - half the time


def _statuses(frames: Sequence[Frame]) -> list[int | None]:
    """The status byte of each, as `Envelope.status` has it, which takes a call for each."""
    headers = [frame.envelope.transport for frame in frames]
    return [None if header is None else header.status for header in headers]


def _flags(
    statuses: Sequence[int | None], own: Iterable[frozenset[StatusFlag]] | None
) -> Iterable[frozenset[StatusFlag]]:
    """The flags of the status bytes and the driver's own."""
    if not any(statuses):
        return repeat(_NO_FLAGS) if own is None else own
    read = map(status_flags, statuses)
    if own is None:
        return read
    return [flags | more if more else flags for flags, more in zip(own, read, strict=False)]


_NO_FLAGS: Final[frozenset[StatusFlag]] = frozenset()
