"""Opens the telegrams of a batch, with what those of one shape have in common worked out once.

In: telegrams of one shape, and the key of each. Out: for each what `open_telegram` answers with, or the
`TelegramError` that it raises. The one rule: what does not open, or is laid out in no known way, is handed to
it one at a time, and the layout that is learned there serves the rest.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import compress, repeat
from operator import attrgetter, not_
from typing import Final

from core.mbus.batch.ciphers import Ciphers
from core.mbus.batch.decrypt import open_content, open_contents
from core.mbus.batch.layout import LayoutReader, learn_layout
from core.mbus.batch.shape import Shape
from core.mbus.compact import CompactFormat
from core.mbus.envelope import Envelope, TransportHeader
from core.mbus.errors import TelegramError
from core.mbus.frame import Frame
from core.mbus.vocabulary import SecurityKind
from core.metering.batch.index import IndexReader, OpenedIndex, are_checked_like, interpreted
from core.metering.batch.proprietary import Answers, open_one
from core.metering.decode import Identified, Opened
from core.metering.driver import MeterDriver
from core.metering.measurement import StatusFlag

_envelope: Final = attrgetter("envelope")
# To look up a member of an enum costs a quarter of a microsecond.
_NOT_ENCRYPTED: Final = SecurityKind.NONE
_MODE_7: Final = SecurityKind.MODE_7


class Group:
    """The telegrams of a batch that are of one shape."""

    def __init__(
        self,
        shape: Shape,
        telegrams: Sequence[Identified],
        keys: Sequence[bytes | None],
        formats: Mapping[int, CompactFormat],
        ciphers: Ciphers,
        *,
        index_only: bool = False,
    ) -> None:
        self._index_only = index_only
        self._shape = shape
        self._telegrams = telegrams
        self._keys = keys
        self._formats = formats
        self._ciphers = ciphers

    def open_one(self, place: int) -> Opened | TelegramError:
        """Opens a telegram by itself; its layout is learned when it is new."""
        identified, key = self._telegrams[place], self._keys[place]
        envelope, driver = identified.envelope, identified.driver
        content = open_content(self._shape, envelope, key, self._ciphers)
        if content is None:
            return open_one(identified, key, self._formats)
        known = self._known(driver)
        for reader in self._shape.readers_for(key):
            if reader.fits(content, known):
                if reader.inner is not None:
                    envelope = _within(envelope, reader.inner)
                frame = _with_own_record(driver, reader.frame(envelope, content), reader)
                try:
                    if frame is not None:
                        return Opened(identified, frame, driver.interpret(frame))
                except Exception:  # noqa: BLE001, S110 - a vendor's driver may raise anything: the fallback reports it
                    pass
                return open_one(identified, key, self._formats)
        opened = open_one(identified, key, self._formats)
        self._learn(opened, key)
        return opened

    def open(self, places: Sequence[int], answers: Answers) -> None:
        """Opens telegrams; of each layout that is new the first goes by itself."""
        without_key = [place for place in places if self._keys[place] is None]
        if without_key and len(without_key) < len(places):
            self._open(without_key, answers)
            places = [place for place in places if self._keys[place] is not None]
        self._open(places, answers)

    def _open(self, places: Sequence[int], answers: Answers) -> None:
        """Of telegrams that all have a key, or all have none."""
        envelopes = [self._telegrams[place].envelope for place in places]
        keys = [self._keys[place] for place in places]
        found = open_contents(self._shape, envelopes, keys, self._ciphers)
        contents: Sequence[bytes] = [content for content in found if content is not None]
        left = places
        if len(contents) < len(found):
            is_open = [content is not None for content in found]
            self._fall_back(compress(places, map(not_, is_open)), answers)
            left = list(compress(places, is_open))
        seen, readers = 0, self._shape.readers_for(keys[0])
        while left:
            for reader in readers[seen:]:
                left, contents = self._read(reader, left, contents, answers)
            seen = len(readers)
            if left:
                self._fall_back(left[:1], answers)
                self._learn(answers[left[0]], keys[0])
                left, contents = left[1:], contents[1:]

    def _fall_back(self, places: Iterable[int], answers: Answers) -> None:
        for place in places:
            answers[place] = open_one(self._telegrams[place], self._keys[place], self._formats)

    def _learn(self, opened: Opened | OpenedIndex | TelegramError, key: bytes | None) -> None:
        """Keeps a reader for the layout of a telegram that was opened by itself, when it has one."""
        if self._shape.is_full(key) or not isinstance(opened, Opened):
            return
        frame = opened.frame
        if frame.envelope.security is SecurityKind.PROPRIETARY or frame.opened_with_default_key:
            return
        if frame.in_clear and frame.envelope.security is SecurityKind.NONE:
            return  # a record announced as encrypted that came in the clear
        if opened.identified.driver.own_content is not None:
            return  # of each telegram its driver decides whether it holds records
        reader = learn_layout(frame, self._known(opened.identified.driver))
        if reader is not None:
            self._shape.readers_for(key).append(reader)

    def _known(self, driver: MeterDriver) -> Callable[[int], CompactFormat | None]:
        own, learned = driver.formats, self._formats

        def headers(signature: int) -> CompactFormat | None:
            return own[signature] if signature in own else learned.get(signature)

        return headers

    def _read(
        self, reader: LayoutReader, places: Sequence[int], contents: Sequence[bytes], answers: Answers
    ) -> tuple[Sequence[int], Sequence[bytes]]:
        """Reads what is of this layout; answers with what is not."""
        if not places:
            return places, contents
        mine = reader.fitting(contents, self._known(self._telegrams[places[0]].driver))
        if all(mine):
            self._interpret(reader, places, contents, answers)
            return (), ()
        if any(mine):
            self._interpret(reader, list(compress(places, mine)), list(compress(contents, mine)), answers)
        others = list(map(not_, mine))
        return list(compress(places, others)), list(compress(contents, others))

    def _interpret(
        self, reader: LayoutReader, places: Sequence[int], contents: Sequence[bytes], answers: Answers
    ) -> None:
        """Has the driver interpret contents of a layout; with `index_only` the first, and those that are read
        otherwise than it.
        """
        if self._index_only and len(places) > 1:
            self._interpret_all(reader, places[:1], contents[:1], answers)
            sample = answers[places[0]]
            places, contents = places[1:], contents[1:]
            if isinstance(sample, Opened) and not _has_own_record(sample.identified.driver, reader):
                # A vendor's driver may raise anything: then they are read as a whole.
                with suppress(Exception):
                    places, contents = self._indexes(reader, sample, places, contents, answers)
        if places:
            self._interpret_all(reader, places, contents, answers)

    def _indexes(
        self,
        reader: LayoutReader,
        sample: Opened,
        places: Sequence[int],
        contents: Sequence[bytes],
        answers: Answers,
    ) -> tuple[Sequence[int], Sequence[bytes]]:
        """Reads the indexes of contents like that of a sample; answers with what is not read like this."""
        own, kind = IndexReader.of(sample), None
        envelopes = [self._telegrams[place].envelope for place in places]
        if own is not None and reader.always_speaks and are_checked_like(sample, envelopes):
            kind = own.kind_of(sample)
        if own is None or kind is None:
            return places, contents
        statuses: Iterable[int | None] = repeat(reader.inner.status if reader.inner is not None else None)
        if reader.inner is None:
            statuses = [envelope.status for envelope in envelopes]

        def flags_of(place: int) -> frozenset[StatusFlag]:
            return self._flags_of(reader, self._telegrams[places[place]], contents[place])

        found = own.read(kind, envelopes, contents, statuses, flags_of)
        answers.update((place, one) for place, one in zip(places, found, strict=True) if one is not None)
        others = [one is None for one in found]
        return list(compress(places, others)), list(compress(contents, others))

    def _flags_of(
        self, reader: LayoutReader, identified: Identified, content: bytes
    ) -> frozenset[StatusFlag]:
        """The flags of one telegram, by its driver."""
        envelope, driver = identified.envelope, identified.driver
        if reader.inner is not None:
            envelope = _within(envelope, reader.inner)
        (measurement,) = interpreted(driver, [reader.frame(envelope, content)], index_only=True)
        return measurement.flags

    def _interpret_all(
        self, reader: LayoutReader, places: Sequence[int], contents: Sequence[bytes], answers: Answers
    ) -> None:
        """Has the driver interpret contents of a layout; where it fails, each goes by itself."""
        telegrams = [self._telegrams[place] for place in places]
        envelopes: Iterable[Envelope] = map(_envelope, telegrams)
        if reader.inner is not None:
            envelopes = [_within(envelope, reader.inner) for envelope in envelopes]
        frames = reader.frames(envelopes, contents)
        driver = telegrams[0].driver
        if not reader.always_speaks or _has_own_record(driver, reader):
            checked = [_with_own_record(driver, frame, reader) for frame in frames]
            fit = [frame is not None for frame in checked]
            self._fall_back(compress(places, map(not_, fit)), answers)
            places, telegrams = list(compress(places, fit)), list(compress(telegrams, fit))
            frames = [frame for frame in checked if frame is not None]
            if not places:
                return
        try:
            measurements = interpreted(driver, frames, index_only=self._index_only)
            answers.update(zip(places, map(Opened, telegrams, frames, measurements), strict=True))
        except Exception:  # noqa: BLE001 - a vendor's driver may raise anything: the fallback reports it
            for place in places:
                answers[place] = self.open_one(place)


def _has_own_record(driver: MeterDriver, reader: LayoutReader) -> bool:
    """True where the frames have a record that may be encrypted in the maker's own way."""
    encrypted = driver.encrypted_record
    return (
        encrypted is not None
        and encrypted.header in reader.layout.headers
        and reader.security is SecurityKind.NONE
    )


def _with_own_record(driver: MeterDriver, frame: Frame, reader: LayoutReader) -> Frame | None:
    """The frame with such a record opened; None where that fails, or where nothing proves its content."""
    if not _has_own_record(driver, reader):
        return frame if reader.speaks(frame) else None
    assert driver.encrypted_record is not None
    try:
        return driver.encrypted_record.open(frame, None)  # of telegrams in the clear none has a key here
    except Exception:  # noqa: BLE001 - a vendor's driver may raise anything: the fallback reports it
        return None


def _within(envelope: Envelope, header: TransportHeader) -> Envelope:
    """The envelope of a telegram whose transport header the extended link had encrypted."""
    return Envelope(
        envelope.raw,
        envelope.control,
        envelope.link_address,
        envelope.meter_address,
        header.ci,
        _NOT_ENCRYPTED,
        envelope.extended_link,
        None,
        header,
        envelope.wired,
        envelope.unstripped,
        envelope.link_checked,
    )
