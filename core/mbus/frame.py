"""An opened telegram: a `Layout`, which says where the records stand, and the value of each.

In: an envelope, the opened telegram, and what `core.mbus.records` has read of it; or, of a maker with fixed
places, a layout that its driver states. Out: a `Frame`. The one rule: a frame, read singly or in a batch,
carries the same layout, and whoever asks what a record means asks the layout. So what a question selects from
telegrams of one kind is worked out once and kept with their layout (`Layout.plans`).

Offsets count bytes of `Envelope.raw`, the telegram free of link checksums. Frames are made by the hundred
thousand: as structs of `msgspec`, as envelopes are; their records are made when they are asked for.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeVar

from msgspec import Struct

from core.mbus.envelope import Envelope
from core.mbus.errors import TelegramError
from core.mbus.records import (
    Content,
    Meaning,
    Record,
    Span,
    meaning_of,
    read_records,
    split_headers,
    value_of,
)
from core.mbus.values import LENGTHS, Coding
from core.mbus.vocabulary import Function, Measurand, RecordValue

Coordinates = tuple[Measurand, int, int, int, Function, tuple[int, ...]]
"""Measurand, storage, tariff, subunit, function and modifiers of a record."""
_MOST_LAYOUTS: Final = 1024  # a kind of meter has up to ten; damage in the clear makes new ones
_MOST_PLANS: Final = 64
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Place:
    """A record of a layout.

    Args:
        offset: where the record of a telegram begins, as `Record.offset`.
        header: DIF to last VIFE.
        start, stop: of its data in a content.
        lvar: the LVAR byte, where there is one.
        meaning: what the header means.

    """

    offset: int
    header: bytes
    start: int
    stop: int
    lvar: int | None
    meaning: Meaning

    @property
    def plain(self) -> bool:
        """True when the value is sure to be a number, a moment, text or None, and never bytes."""
        return self.meaning.coding != Coding.VARIABLE and not isinstance(
            value_of(self.meaning, bytes(self.stop - self.start), None), bytes
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the records of contents of one kind stand.

    Args:
        places: the records, in the order sent.
        start: the offset in a telegram at which contents begin.
        opened_from: the offset at which `Frame.plaintext` begins.
        manufacturer_data_offset: where a maker's own data begin, if there are any.
        compact_signature: of a compact frame.

    Attributes:
        headers: of the records.
        indexes: the records with the same coordinates, by number.
        plans: what was worked out about this layout, by the question asked; see `keep`.

    """

    places: tuple[Place, ...]
    start: int
    opened_from: int
    manufacturer_data_offset: int | None = None
    compact_signature: int | None = None
    headers: tuple[bytes, ...] = field(init=False, repr=False, compare=False)
    indexes: Mapping[Coordinates, tuple[int, ...]] = field(init=False, repr=False, compare=False)
    plans: dict[object, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        indexes: dict[Coordinates, tuple[int, ...]] = {}
        for index, place in enumerate(self.places):
            found = place.meaning.coordinates
            indexes[found] = (*indexes.get(found, ()), index)
        object.__setattr__(self, "headers", tuple([place.header for place in self.places]))
        object.__setattr__(self, "indexes", indexes)

    def keep(self, question: object, plan: _Answer) -> _Answer:
        """Keeps what was worked out about this layout, within a bound, and answers with it.

        A question that is the `id` of an object must keep the object alive in its plan.
        """
        if len(self.plans) >= _MOST_PLANS:
            self.plans.clear()  # a driver that asks anew for each frame
        self.plans[question] = plan
        return plan

    def places_under(self, headers: Container[bytes]) -> list[tuple[int, bytes]]:
        """Number and header of the records that have one of these headers; kept with the layout."""
        known: tuple[Container[bytes], list[tuple[int, bytes]]] | None = self.plans.get(id(headers))
        if known is None:
            places = [place for place in enumerate(self.headers) if place[1] in headers]
            known = self.keep(id(headers), (headers, places))
        return known[1]


class Frame(Struct, frozen=True, gc=False):
    """An opened telegram.

    Args:
        envelope: the envelope, its transport header now known when the extended link had encrypted it.
        layout: where the records stand.
        values: the value of each.
        content: the opened bytes from `layout.start` on.
        opened_with_default_key: True when a vendor's well-known key opened it, not the meter's own.
        in_clear: True when the content is announced as encrypted and came in the clear.

    """

    envelope: Envelope
    layout: Layout
    values: tuple[RecordValue, ...]
    content: bytes
    opened_with_default_key: bool = False
    in_clear: bool = False

    def __repr__(self) -> str:
        """Whose frame it is, and nothing of what was encrypted."""
        return f"Frame({self.envelope.meter_address}, {len(self.values)} records)"

    @property
    def records(self) -> tuple[Record, ...]:
        """The records, in the order sent."""
        return tuple([self._record(index) for index in range(len(self.layout.places))])

    def _record(self, index: int) -> Record:
        place = self.layout.places[index]
        meaning = place.meaning
        return Record(
            place.offset,
            place.header,
            self.content[place.start : place.stop],
            meaning.function,
            meaning.storage,
            meaning.tariff,
            meaning.subunit,
            meaning.measurand,
            meaning.unit,
            self.values[index],
            meaning.modifiers,
        )

    @property
    def plaintext(self) -> bytes:
        """The telegram from the transport CI to the end, opened."""
        return self.envelope.raw[self.layout.opened_from : self.layout.start] + self.content

    @property
    def manufacturer_data(self) -> bytes:
        """What follows a DIF 0F or 1F."""
        at = self.layout.manufacturer_data_offset
        return b"" if at is None else self.content[at - self.layout.start :]

    @property
    def compact_signature(self) -> int | None:
        """The format signature when the telegram was a compact frame."""
        return self.layout.compact_signature

    @property
    def message_counter(self) -> int | None:
        """The message counter of the envelope, proved now that the telegram is open."""
        return self.envelope.message_counter

    def with_data(self, header: bytes, data: bytes, *, in_clear: bool = False) -> "Frame":
        """The same telegram with other data of the same length in the records of a header, such as those of
        an encrypted record, opened.

        Args:
            header: of the record.
            data: in place of its own.
            in_clear: whether they came in the clear, though announced as encrypted.

        """
        content, values = bytearray(self.content), list(self.values)
        for index, place in enumerate(self.layout.places):
            if place.header == header and place.stop - place.start == len(data):
                content[place.start : place.stop] = data
                values[index] = value_of(place.meaning, data, place.lvar)
        return Frame(
            self.envelope, self.layout, tuple(values), bytes(content), self.opened_with_default_key, in_clear
        )

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
        wanted = (measurand, storage, tariff, subunit, function, modifiers)
        return self._first(self.layout.indexes.get(wanted, ()))

    def header(self, header: bytes) -> Record | None:
        """The first record with exactly this DIF/VIF header that carries a value: for manufacturer-specific
        VIFs.
        """
        headers = self.layout.headers
        if header not in headers:
            return None
        return self._first([index for index, known in enumerate(headers) if known == header])

    def _first(self, indexes: Sequence[int]) -> Record | None:
        for index in indexes:
            if self.values[index] is not None:
                return self._record(index)
        return None

    def values_under(self, headers: Container[bytes]) -> list[tuple[bytes, RecordValue]]:
        """Header and value of the records with one of these DIF/VIF headers, in the order sent.

        For a constant of the driver's: what it selects from a kind of frame is worked out once.
        """
        return [(header, self.values[index]) for index, header in self.layout.places_under(headers)]

    def rearranged(self, places: Sequence[Place], values: Sequence[RecordValue] | None = None) -> "Frame":
        """The same telegram read with its records at other places, such as those within a maker's own record.

        Args:
            places: in the content of this frame.
            values: of the records; as their meaning reads them from the content when None.

        """
        before = self.layout
        layout = _rearranged(
            tuple(places),
            before.start,
            before.opened_from,
            before.manufacturer_data_offset,
            before.compact_signature,
        )
        if values is None:
            values = [
                value_of(place.meaning, self.content[place.start : place.stop], place.lvar)
                for place in places
            ]
        return Frame(
            self.envelope, layout, tuple(values), self.content, self.opened_with_default_key, self.in_clear
        )

    def unpacked(self, header: bytes, parts: Callable[[bytes], Iterable[tuple[bytes, int, int]]]) -> "Frame":
        """The same telegram with the records that stand within a maker's own record in its place.

        Args:
            header: of the maker's record; a frame without one is answered with as it is.
            parts: the data of that record -> header, start and stop of the data of each record within. Where
                one of the headers is not whole, or its data have another length, there are none.

        """
        if header not in self.layout.headers:
            return self
        places: list[Place] = []
        for place in self.layout.places:
            if place.header == header:
                within = parts(self.content[place.start : place.stop])
                places += _within(place, self.layout.start, within)
            else:
                places.append(place)
        return self.rearranged(places)


def _within(place: Place, offset: int, parts: Iterable[tuple[bytes, int, int]]) -> list[Place]:
    """The records within a record of a content that begins at an offset of the telegram."""
    out: list[Place] = []
    for header, first, stop in parts:
        if not _is_whole(header) or LENGTHS[meaning_of(header).coding] != stop - first:
            return []
        start = place.start + first
        out.append(Place(offset + start, header, start, place.start + stop, None, meaning_of(header)))
    return out


@lru_cache(maxsize=_MOST_LAYOUTS)
def _is_whole(header: bytes) -> bool:
    try:
        return split_headers(header) == (header,)
    except TelegramError:
        return False


_rearranged: Final = lru_cache(maxsize=_MOST_LAYOUTS)(Layout)


@lru_cache(maxsize=_MOST_LAYOUTS)
def _layout(
    spans: tuple[Span, ...],
    start: int,
    opened_from: int,
    manufacturer_data_offset: int | None,
    compact_signature: int | None,
) -> Layout:
    """The layout of such records; telegrams alike have one and the same as long as they come again."""
    places = tuple(
        Place(offset, header, first - start, stop - start, lvar, meaning_of(header))
        for offset, header, first, stop, lvar in spans
    )
    return Layout(places, start, opened_from, manufacturer_data_offset, compact_signature)


def frame_of(
    envelope: Envelope,
    telegram: bytes,
    content: Content,
    *,
    start: int,
    opened_from: int,
    default_key: bool = False,
    in_clear: bool = False,
) -> Frame:
    """The frame of what was read from an opened telegram.

    Args:
        envelope: of the telegram.
        telegram: opened.
        content: its records.
        start: from where on telegrams of this kind differ; before it all is known from the envelope.
        opened_from: where the plaintext begins.
        default_key: whether a vendor's well-known key opened it.
        in_clear: whether it is announced as encrypted and came in the clear.

    """
    offset, signature = content.manufacturer_data_offset, content.compact_signature
    layout = _layout(content.spans, start, opened_from, offset, signature)
    return Frame(envelope, layout, content.values, telegram[start:], default_key, in_clear)


def read_frame(
    envelope: Envelope, telegram: bytes, start: int, *, opened_from: int, default_key: bool = False
) -> Frame:
    """The frame of an opened telegram whose records begin at `start` and end with it.

    Raises:
        TelegramError: TRUNCATED or BAD_RECORD, stage APPLICATION.

    """
    content = read_records(telegram, start)
    return frame_of(
        envelope, telegram, content, start=start, opened_from=opened_from, default_key=default_key
    )


def fixed_place(
    start: int, stop: int, measurand: Measurand, *, unit: str = "", storage: int = 0, content_at: int
) -> Place:
    """A record that no header announces, since its maker always puts it there.

    Args:
        start: of its data in a content.
        stop: where they end.
        measurand: what is measured.
        unit: of the value, which is scaled already.
        storage: storage number.
        content_at: the offset in a telegram at which contents begin.

    """
    meaning = Meaning(
        coding=Coding.NONE,
        function=Function.INSTANTANEOUS,
        storage=storage,
        tariff=0,
        subunit=0,
        measurand=measurand,
        unit=unit,
        scale=Decimal(1) if unit else None,
        addend=None,
        modifiers=(),
    )
    return Place(content_at + start, b"", start, stop, None, meaning)
