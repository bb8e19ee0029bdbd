"""Where the records of a kind of content stand: what many frames share, and a frame need not carry.

In: places, each with what its record means. Out: frames that hold values alone, and make their records when
they are asked for them. The one rule: such a frame equals, in every respect, one whose records were made at
once. `core.mbus.batch_layout` learns layouts from telegrams; the driver of a maker with fixed places states
its own.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.mbus.frame import Envelope, Frame, Function, Measurand, Record, RecordValue
from core.mbus.records import Meaning, value_of
from core.mbus.values import Coding


class _UnlockedFrame:
    """A frame whose fields can still be set: behind the lock each takes as long as all of them do here."""

    __slots__ = Frame.__slots__


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
        plans: what the floors above worked out about this layout, by the question asked.

    """

    __slots__ = (
        "compact_signature",
        "headers",
        "manufacturer_data_offset",
        "opened_from",
        "places",
        "plans",
        "start",
    )

    def __init__(
        self,
        places: Sequence[Place],
        *,
        start: int,
        opened_from: int,
        manufacturer_data_offset: int | None = None,
        compact_signature: int | None = None,
    ) -> None:
        self.places = tuple(places)
        self.start = start
        self.opened_from = opened_from
        self.manufacturer_data_offset = manufacturer_data_offset
        self.compact_signature = compact_signature
        self.headers = tuple(place.header for place in self.places)
        self.plans: dict[object, Any] = {}

    def frame(
        self,
        envelope: Envelope,
        content: bytes,
        values: tuple[RecordValue, ...],
        *,
        default_key: bool = False,
    ) -> Frame:
        """The frame of a content: its bytes from `start` on, and the value of each record."""
        frame: Any = _UnlockedFrame()
        frame.envelope = envelope
        frame.manufacturer_data_offset = self.manufacturer_data_offset
        frame.opened_with_default_key = default_key
        frame.compact_signature = self.compact_signature
        frame.layout = self
        frame.values = values
        frame.content = content
        frame.__class__ = Frame
        return frame  # type: ignore[no-any-return]  # its class has just been set

    def records(self, frame: Frame) -> tuple[Record, ...]:
        """The records of a frame of this layout."""
        return tuple(self.record(frame, index) for index in range(len(self.places)))

    def record(self, frame: Frame, index: int) -> Record:
        """One record of a frame of this layout."""
        place = self.places[index]
        meaning = place.meaning
        return Record(
            place.offset,
            place.header,
            frame.content[place.start : place.stop],
            meaning.function,
            meaning.storage,
            meaning.tariff,
            meaning.subunit,
            meaning.measurand,
            meaning.unit,
            frame.values[index],
            meaning.modifiers,
        )

    def places_under(self, headers: Container[bytes]) -> list[tuple[int, bytes]]:
        """Number and header of the records that have one of these headers; kept with the layout."""
        known: tuple[Container[bytes], list[tuple[int, bytes]]] | None = self.plans.get(id(headers))
        if known is None:
            places = [place for place in enumerate(self.headers) if place[1] in headers]
            known = self.plans[id(headers)] = headers, places
        return known[1]

    def plaintext(self, frame: Frame) -> bytes:
        """From the transport CI to the end, opened."""
        return frame.envelope.raw[self.opened_from : self.start] + frame.content

    def manufacturer_data(self, frame: Frame) -> bytes:
        """What follows a DIF 0F or 1F."""
        at = self.manufacturer_data_offset
        return b"" if at is None else frame.content[at - self.start :]


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
