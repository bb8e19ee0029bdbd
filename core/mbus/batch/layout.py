"""Reads the values of many contents of one layout at once.

In: a frame that `core.mbus.decode` has read. Out: a `LayoutReader`, which takes the values from the contents
of many telegrams at once; its frames carry the layout of that first one. The one rule: a content is of this
layout only if every byte that is no data (headers, LVAR bytes, filler, the signature of a compact frame) is
the same as where it was learned, so that `read_records` would have walked both alike; and a reader is kept
only if it makes the very frame it was learned from. EN 13757-3 clause 6 and annex G.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from itertools import repeat
from math import inf
from struct import Struct
from typing import Any, Final

from core.mbus.compact import CompactFormat
from core.mbus.envelope import Envelope, TransportHeader
from core.mbus.evidence import always_speaks, asked_of, speaks_for_itself
from core.mbus.frame import Frame, Place
from core.mbus.link import crc16
from core.mbus.records import Meaning, value_of
from core.mbus.security import CHECK_BYTES
from core.mbus.transport import COMPACT, NO_HEADER
from core.mbus.values import (
    BCD_CODINGS,
    IDENTIFIERS,
    MOMENTS,
    UNSIGNED,
    Coding,
    bcd,
    date_g,
    datetimes_i,
    digits_of,
)
from core.mbus.vocabulary import Measurand, RecordValue, SecurityKind

_NUMBERS: Final = {Coding.INT8: "b", Coding.INT16: "h", Coding.INT32: "i", Coding.INT64: "q"}
# A moment of two bytes is a day, whatever it is the day of; days come again and again.
_remembered_day: Final = lru_cache(maxsize=4096)(date_g)
_Column = Callable[[Sequence[Any]], Iterable[RecordValue]]


class LayoutReader:
    """Reads the contents of one layout.

    Attributes:
        layout: that of its frames.
        asked: the evidence that is asked of the records of each; minus infinity where all of them have it.
        in_clear: that of its frames.
        security: that of its frames.
        inner: the transport header, where the extended link had encrypted it: the same for all contents.

    """

    __slots__ = (
        "_columns",
        "_compact",
        "_fixed",
        "_fixed_number",
        "_mask",
        "_mask_number",
        "_struct",
        "asked",
        "in_clear",
        "inner",
        "layout",
        "security",
    )

    def __init__(self, frame: Frame, header: TransportHeader, listed: CompactFormat | None) -> None:
        layout = self.layout = frame.layout
        self.in_clear = frame.in_clear
        self.security = frame.envelope.security
        self.asked = -inf if always_speaks(frame) else asked_of(frame)
        content, places, start = frame.content, layout.places, layout.start
        self.inner = header if start == header.offset else None
        mask = bytearray(b"\xff" * len(content))
        for place in places:
            mask[place.start : place.stop] = bytes(place.stop - place.start)
        if layout.manufacturer_data_offset is not None:
            at = layout.manufacturer_data_offset - start
            mask[at:] = bytes(len(content) - at)
        self._compact: _Compact | None = None
        if listed is not None:
            check = 0 if frame.envelope.security in _UNCHECKED else len(CHECK_BYTES)
            self._compact = _Compact(places[: len(listed)], header.payload - start + check + 2, listed)
            mask[self._compact.checksum_at : self._compact.checksum_at + 2] = bytes(2)
        self._mask = bytes(mask)
        self._fixed = bytes(byte & kept for byte, kept in zip(content, mask, strict=True))
        self._mask_number = int.from_bytes(self._mask, "little")
        self._fixed_number = int.from_bytes(self._fixed, "little")
        self._struct, self._columns = _compiled(places, len(content))

    def fits(self, content: bytes, known: Callable[[int], CompactFormat | None]) -> bool:
        """True when a content is laid out like this.

        `known` answers with the record headers that a format signature stands for now.
        """
        return (
            len(content) == len(self._mask)
            and int.from_bytes(content, "little") & self._mask_number == self._fixed_number
            and (self._compact is None or (self._is_known(known) and self._compact.fits(content)))
        )

    def _is_known(self, known: Callable[[int], CompactFormat | None]) -> bool:
        """True when the signature, if there is one, still stands for the headers that it stood for."""
        if self._compact is None:
            return True
        signature = self.layout.compact_signature
        return signature is not None and known(signature) == self._compact.headers

    def fitting(self, contents: Sequence[bytes], known: Callable[[int], CompactFormat | None]) -> list[bool]:
        """Which contents are laid out like this: as `fits` says it, of many at once."""
        if not self._is_known(known):
            return [False] * len(contents)
        fixed, mask = self._fixed, self._mask
        as_long = [content for content in contents if len(content) == len(mask)]
        count = len(as_long)
        if count < len(contents):
            answers = iter(self.fitting(as_long, known) if as_long else ())
            return [len(content) == len(mask) and next(answers) for content in contents]
        # All of them at once, as one long number; only if one differs, each for itself.
        whole = int.from_bytes(b"".join(contents), "little") & int.from_bytes(mask * count, "little")
        if whole == int.from_bytes(fixed * count, "little"):
            found = [True] * count
        else:
            mask_number, fixed_number = self._mask_number, self._fixed_number
            found = [int.from_bytes(content, "little") & mask_number == fixed_number for content in contents]
        if self._compact is not None:
            fits = self._compact.fits
            return [fit and fits(content) for fit, content in zip(found, contents, strict=True)]
        return found

    def row(self, content: bytes) -> tuple[RecordValue, ...]:
        """The values of the records of a content of this layout."""
        cut = zip(self._struct.unpack(content), self._columns, strict=True)
        return tuple([value for data, decode in cut for value in decode((data,))])

    def values(self, contents: Sequence[bytes]) -> list[tuple[RecordValue, ...]]:
        """The values of the records of each content of this layout: as `row` reads them, of many at once."""
        if not self._columns or not contents:
            return [()] * len(contents)
        columns = zip(*self._struct.iter_unpack(b"".join(contents)), strict=True)
        read = [decode(column) for decode, column in zip(self._columns, columns, strict=True)]
        return list(zip(*read, strict=True))

    def frame(self, envelope: Envelope, content: bytes) -> Frame:
        """The frame of a content of this layout."""
        return Frame(envelope, self.layout, self.row(content), content, False, self.in_clear)

    def frames(self, envelopes: Iterable[Envelope], contents: Sequence[bytes]) -> list[Frame]:
        """The frames of contents of this layout: as `frame` makes them, of many at once."""
        values, in_clear = self.values(contents), repeat(self.in_clear)
        return list(map(Frame, envelopes, repeat(self.layout), values, contents, repeat(False), in_clear))

    @property
    def always_speaks(self) -> bool:
        """True when all frames of this layout have the evidence that is asked of them."""
        return self.asked == -inf

    def speaks(self, frame: Frame) -> bool:
        """True when a frame of this layout has the evidence that is asked of it."""
        return self.asked == -inf or speaks_for_itself(frame, self.asked)


_UNCHECKED: Final = frozenset({SecurityKind.NONE})


def learn_layout(frame: Frame, known: Callable[[int], CompactFormat | None]) -> LayoutReader | None:
    """A reader for the layout of a frame; None when it is of a kind that is not known here."""
    header = frame.envelope.transport
    if header is None:
        return None
    extended = frame.envelope.extended_link
    if extended is not None and extended.session_number is not None:
        start = extended.payload + 2
        if header.offset != start or header.ci not in NO_HEADER:
            return None
    listed: CompactFormat | None = None
    if header.ci in COMPACT:
        signature = frame.compact_signature
        listed = None if signature is None else known(signature)
        if listed is None:
            return None
    reader, content = LayoutReader(frame, header, listed), frame.content
    if not reader.fits(content, known) or reader.fitting([content], known) != [True]:
        return None
    same = reader.row(content) == frame.values and reader.values([content]) == [frame.values]
    return reader if same else None


class _Compact:
    """The checksum of a compact frame: over the full telegram that it stands for."""

    __slots__ = ("_cut", "_first", "_joined", "checksum_at", "headers")

    def __init__(self, places: Sequence[Place], checksum_at: int, headers: CompactFormat) -> None:
        self.checksum_at = checksum_at
        self.headers = headers
        # The data stand side by side, each with its LVAR byte where it has one.
        starts = [place.start - (place.lvar is not None) for place in places]
        sizes = [place.stop - start for place, start in zip(places, starts, strict=True)]
        self._first = starts[0] if starts else 0
        self._cut = Struct("".join(f"{size}s" for size in sizes))
        self._joined = b"".join(header.replace(b"%", b"%%") + b"%b" for header in headers)

    def fits(self, content: bytes) -> bool:
        """True when the checksum fits."""
        full = self._joined % self._cut.unpack_from(content, self._first)
        at = self.checksum_at
        return crc16(full) == content[at] | content[at + 1] << 8


def _compiled(places: Sequence[Place], length: int) -> tuple[Struct, tuple[_Column, ...]]:
    """How contents are cut into the data of their records, and how each column of data becomes values."""
    codes, columns, position = ["<"], [], 0
    for place in places:
        code, column = _column(place)
        codes.append(f"{place.start - position}x{code}")
        columns.append(column)
        position = place.stop
    codes.append(f"{length - position}x")
    return Struct("".join(codes)), tuple(columns)


def _column(place: Place) -> tuple[str, _Column]:
    """How the data of a record are cut out, and how a column of them becomes values."""
    meaning, measurand = place.meaning, place.meaning.measurand
    size = place.stop - place.start
    zero = value_of(meaning, bytes(size), place.lvar)
    number = _NUMBERS.get(Coding(meaning.coding))
    code = f"{size}s"
    column: _Column = partial(_any_column, place)
    if isinstance(zero, bytes) or meaning.coding == Coding.VARIABLE or meaning.addend is not None:
        pass
    elif measurand in MOMENTS:
        column = _moment_column(place, size)
    elif measurand in IDENTIFIERS:
        if meaning.coding in BCD_CODINGS:
            column = partial(_digits_column, size)
    elif measurand in UNSIGNED:
        if number is not None and meaning.scale is None:
            code, column = number.upper(), partial(map, int)
    elif number is not None and zero is not None:
        code, column = number, partial(_number_column, meaning, -1 << 8 * size - 1)
    elif meaning.coding in BCD_CODINGS and zero is not None:
        column = partial(_bcd_column, meaning)
    return code, column


def _moment_column(place: Place, size: int) -> _Column:
    if size == 2:
        return partial(map, _remembered_day)
    if size == 6 and place.meaning.measurand is not Measurand.DATE:
        return datetimes_i
    return partial(_any_column, place)


def _digits_column(size: int, column: Sequence[bytes]) -> Iterable[RecordValue]:
    """As `digits_of` reads them, all at once unless a digit of one is beyond 9."""
    digits = b"".join([data[::-1] for data in column]).hex()
    if digits.isdecimal():
        return [digits[at : at + 2 * size] for at in range(0, len(digits), 2 * size)]
    return map(digits_of, column)


def _any_column(place: Place, column: Iterable[bytes]) -> Iterable[RecordValue]:
    return [value_of(place.meaning, data, place.lvar) for data in column]


def _number_column(meaning: Meaning, lowest: int, column: Iterable[int]) -> Iterable[RecordValue]:
    scale = meaning.scale
    if scale is None:
        return [None if number == lowest else number for number in column]
    return [None if number == lowest else number * scale for number in column]


def _bcd_column(meaning: Meaning, column: Iterable[bytes]) -> Iterable[RecordValue]:
    scale = meaning.scale
    numbers = map(bcd, column)
    if scale is None:
        return numbers
    return [None if number is None else number * scale for number in numbers]
