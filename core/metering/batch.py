"""Many telegrams at once: the two steps of intake, with all that telegrams have in common worked out once.

In: telegrams, and later the key of each. Out: for each, in order, what `identify` and `open_sealed` answer
with, or the `TelegramError` that they raise. The one rule: a batch says what the ordinary way says. Whatever
is new or unusual goes that way, one at a time; what the batch learns there it uses for the rest.

A decoder keeps what it has learned, the shapes and layouts of telegrams and the ciphers of the meters seen
last, each within a bound. It serves one batch at a time.
"""

import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from core.mbus.batch_ciphers import Ciphers
from core.mbus.batch_layout import LearnedLayout, learn_layout
from core.mbus.batch_open import open_contents
from core.mbus.batch_shape import Shape, key_of, learn_shape, make_envelope
from core.mbus.compact import CompactFormat
from core.mbus.errors import TelegramError
from core.mbus.frame import Envelope, SecurityKind
from core.mbus.link import HEADER_LENGTH, seems_bare
from core.mbus.making import maker
from core.metering.decode import Opened, Sealed, identify, open_sealed
from core.metering.driver import MeterDriver
from core.metering.formats import NO_BOOK, FormatBook
from core.metering.registry import Registry

_MOST_SHAPES: Final = 4096
_AT_ONCE: Final = 128  # as many as stay in a core's cache from the first step to the last
_make_sealed: Final = maker(Sealed)
_make_opened: Final = maker(Opened)


class BatchDecoder:
    """Decodes batches of telegrams.

    Args:
        registry: the drivers of the house.
        ciphers: the block ciphers kept from batch to batch; of a bound of its own when None.

    """

    def __init__(self, registry: Registry, *, ciphers: Ciphers | None = None) -> None:
        self._registry = registry
        self._ciphers = Ciphers() if ciphers is None else ciphers
        self._shapes: dict[bytes, list[tuple[Shape, MeterDriver]]] = {}

    def identify(self, telegrams: Iterable[tuple[bytes, bool | None]]) -> list[Sealed | TelegramError]:
        """Reads who sent each telegram; the pairs are the arguments `raw` and `crc_kept` of `identify`."""
        with _collector_at_rest():
            return self._identify(telegrams)

    def _identify(self, telegrams: Iterable[tuple[bytes, bool | None]]) -> list[Sealed | TelegramError]:
        answers: list[Sealed | TelegramError] = []
        known, add = self._shapes.get, answers.append
        for raw, crc_kept in telegrams:
            if len(raw) > HEADER_LENGTH and raw[0] + 1 == len(raw) and crc_kept is not True:
                for shape, driver in known(key_of(raw), ()):
                    if shape.fits(raw) and (crc_kept is False or seems_bare(raw)):
                        if shape.proprietary:
                            add(self._of_maker(shape, driver, raw))
                        else:
                            envelope = shape.envelope(raw)
                            add(_make_sealed(envelope, envelope.meter_address, driver))
                        break
                else:
                    answers.append(self._identified(raw, crc_kept))
            else:
                answers.append(self._identified(raw, crc_kept))
        return answers

    def _of_maker(self, shape: Shape, driver: MeterDriver, raw: bytes) -> Sealed | TelegramError:
        envelope = shape.envelope(raw)
        assert driver.proprietary is not None
        try:
            return _make_sealed(envelope, driver.proprietary.address(envelope), driver)
        except Exception:  # noqa: BLE001 - a stranger's driver may raise anything: `identify` says what it was
            return self._identified(raw, crc_kept=False)

    def _identified(self, raw: bytes, crc_kept: bool | None) -> Sealed | TelegramError:  # noqa: FBT001 - handed on
        """The ordinary way; the shape is learned."""
        try:
            sealed = identify(raw, self._registry, crc_kept=crc_kept)
        except TelegramError as error:
            return error.with_traceback(None)
        envelope = sealed.envelope
        if envelope.security is SecurityKind.PROPRIETARY:
            claimed = sealed.driver.proprietary
            if claimed is None or (envelope.link_address.manufacturer, envelope.ci) not in claimed.claims:
                return sealed
        if envelope.raw == raw and (shape := learn_shape(envelope)) is not None:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            alike = self._shapes.setdefault(key_of(raw), [])
            if not any(known.fits(raw) for known, _ in alike):
                alike.append((shape, sealed.driver))
            return Sealed(shape.envelope(raw), sealed.address, sealed.driver)
        return sealed

    def open(
        self,
        telegrams: Sequence[Sealed],
        keys: Sequence[bytes | None],
        *,
        book: FormatBook = NO_BOOK,
    ) -> list[Opened | TelegramError]:
        """Opens telegrams from `identify`, each with its meter's key and the formats of its kind in the
        book; the arguments are those of `open_sealed`.
        """
        with _collector_at_rest():
            return self._open(telegrams, keys, book)

    def _open(
        self,
        telegrams: Sequence[Sealed],
        keys: Sequence[bytes | None],
        book: FormatBook,
    ) -> list[Opened | TelegramError]:
        answers: dict[int, Opened | TelegramError] = {}
        groups: dict[Shape | None, list[int]] = {}
        for place, sealed in enumerate(telegrams):
            groups.setdefault(sealed.envelope.shape, []).append(place)
        for shape, places in groups.items():
            rest: Sequence[int] = places
            if shape is not None and shape.security is not SecurityKind.PROPRIETARY:
                # A shape has one maker, version and medium.
                formats = book.formats_for(telegrams[places[0]].address)
                group, rest = _Group(shape, telegrams, keys, formats, self._ciphers), []
                for first in range(0, len(places), _AT_ONCE):
                    rest += group.open(places[first : first + _AT_ONCE], answers)
            for place in rest:
                formats = book.formats_for(telegrams[place].address)
                answers[place] = _opened(telegrams[place], keys[place], formats)
        return [answers[place] for place in range(len(telegrams))]


class _collector_at_rest:  # noqa: N801 - used as a statement, and a generator would cost more than one telegram
    """No search for cycles for the time of a batch: the values made here have none.

    It would walk over a batch's values three times, and over the ciphers of all meters, and find nothing.
    """

    __slots__ = ("_was_on",)

    def __enter__(self) -> None:
        self._was_on = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._was_on:
            gc.enable()


class _Group:
    """The telegrams of a batch that are of one shape."""

    def __init__(
        self,
        shape: Shape,
        telegrams: Sequence[Sealed],
        keys: Sequence[bytes | None],
        formats: Mapping[int, CompactFormat],
        ciphers: Ciphers,
    ) -> None:
        self._shape = shape
        self._telegrams = telegrams
        self._keys = keys
        self._formats = formats
        self._ciphers = ciphers

    def open(self, places: Sequence[int], answers: dict[int, Opened | TelegramError]) -> list[int]:
        """Opens what is laid out in a known way, or as one that comes here; answers with the others."""
        envelopes = [self._telegrams[place].envelope for place in places]
        keys = [self._keys[place] for place in places]
        contents = open_contents(self._shape, envelopes, keys, self._ciphers)
        rest = [place for place, content in zip(places, contents, strict=True) if content is None]
        left = [
            (place, content) for place, content in zip(places, contents, strict=True) if content is not None
        ]
        for layout in self._shape.layouts:
            left = self._read(layout, left, answers)
        while left and not self._shape.full:
            place, _ = left.pop(0)
            answers[place] = opened = _opened(self._telegrams[place], self._keys[place], self._formats)
            if (
                isinstance(opened, TelegramError)
                or opened.frame.envelope.security is SecurityKind.PROPRIETARY
            ):
                continue
            learned = learn_layout(opened.frame, self._known(opened.sealed.driver))
            if learned is not None:
                self._shape.layouts.append(learned)
                left = self._read(learned, left, answers)
        return rest + [place for place, _ in left]

    def _known(self, driver: MeterDriver) -> Callable[[int], CompactFormat | None]:
        own, learned = driver.compact_formats, self._formats

        def headers(signature: int) -> CompactFormat | None:
            return own[signature] if signature in own else learned.get(signature)

        return headers

    def _read(
        self,
        layout: LearnedLayout,
        left: list[tuple[int, bytes]],
        answers: dict[int, Opened | TelegramError],
    ) -> list[tuple[int, bytes]]:
        """Reads what is of this layout; answers with what is not, or what a driver stumbles on."""
        fit = [item for item in left if len(item[1]) == layout.length]
        if not fit:
            return left
        known = self._known(self._telegrams[fit[0][0]].driver)
        flags = layout.reads([content for _, content in fit], known)
        mine = [item for item, is_mine in zip(fit, flags, strict=True) if is_mine]
        rows = layout.values([content for _, content in mine])
        for (place, content), values in zip(mine, rows, strict=True):
            sealed = self._telegrams[place]
            envelope = sealed.envelope if layout.inner is None else _within(sealed.envelope, layout)
            frame = layout.frame(envelope, content, values)
            try:
                answers[place] = _make_opened(sealed, frame, sealed.driver.interpret(frame))
            except Exception:  # noqa: BLE001 - a stranger's driver may raise anything: `open_sealed` says it
                answers[place] = _opened(sealed, self._keys[place], self._formats)
        return [item for item in left if item[0] not in answers]


def _within(envelope: Envelope, layout: LearnedLayout) -> Envelope:
    """The envelope of a telegram whose transport header the extended link had sealed."""
    header = layout.inner
    assert header is not None
    return make_envelope(
        envelope.raw,
        envelope.control,
        envelope.link_address,
        envelope.meter_address,
        header.ci,
        SecurityKind.NONE,
        envelope.extended_link,
        None,
        header,
        False,
        None,
        None,
    )


def _opened(
    sealed: Sealed, key: bytes | None, formats: Mapping[int, CompactFormat]
) -> Opened | TelegramError:
    """The ordinary way."""
    try:
        return open_sealed(sealed, key, formats=formats)
    except TelegramError as error:
        return error.with_traceback(None)
