"""What the telegrams of a batch say, with what those of one shape have in common worked out once.

In: telegrams of one shape, and the key of each. Out: for each what `open_sealed` answers with, or the
`TelegramError` that it raises. The one rule: what does not open, or is laid out in no known way, goes the
ordinary way, one at a time, and the layout that is learned there serves the rest.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress
from operator import attrgetter, not_
from typing import Final

from core.mbus.batch_ciphers import Ciphers
from core.mbus.batch_layout import LearnedLayout, learn_layout
from core.mbus.batch_open import open_contents
from core.mbus.batch_shape import Shape
from core.mbus.compact import CompactFormat
from core.mbus.errors import TelegramError
from core.mbus.frame import Envelope, SecurityKind, TransportHeader
from core.metering.decode import Opened, Sealed, open_sealed
from core.metering.driver import MeterDriver
from core.metering.measurement import Measurement

Answers = dict[int, Opened | TelegramError]
_envelope: Final = attrgetter("envelope")


def opened_singly(
    sealed: Sealed, key: bytes | None, formats: Mapping[int, CompactFormat]
) -> Opened | TelegramError:
    """The ordinary way."""
    try:
        return open_sealed(sealed, key, formats=formats)
    except TelegramError as error:
        return error.with_traceback(None)


class Group:
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

    def open(self, places: Sequence[int], answers: Answers) -> None:
        """Opens what is laid out in a known way, or as one that comes here; the others the ordinary way."""
        envelopes = [self._telegrams[place].envelope for place in places]
        keys = [self._keys[place] for place in places]
        found = open_contents(self._shape, envelopes, keys, self._ciphers)
        contents = [content for content in found if content is not None]
        left = places
        if len(contents) < len(found):
            is_open = [content is not None for content in found]
            self._open_singly(compress(places, map(not_, is_open)), answers)
            left = list(compress(places, is_open))
        for layout in self._shape.layouts:
            left, contents = self._read(layout, left, contents, answers)
        while left and not self._shape.full:
            learned = self._learned(left[0], answers)
            left, contents = left[1:], contents[1:]
            if learned is not None:
                self._shape.layouts.append(learned)
                left, contents = self._read(learned, left, contents, answers)
        self._open_singly(left, answers)

    def _open_singly(self, places: Iterable[int], answers: Answers) -> None:
        for place in places:
            answers[place] = opened_singly(self._telegrams[place], self._keys[place], self._formats)

    def _learned(self, place: int, answers: Answers) -> LearnedLayout | None:
        """The layout of a telegram that goes the ordinary way; None when it has none."""
        answers[place] = opened = opened_singly(self._telegrams[place], self._keys[place], self._formats)
        if isinstance(opened, TelegramError) or opened.frame.envelope.security is SecurityKind.PROPRIETARY:
            return None
        return learn_layout(opened.frame, self._known(opened.sealed.driver))

    def _known(self, driver: MeterDriver) -> Callable[[int], CompactFormat | None]:
        own, learned = driver.compact_formats, self._formats

        def headers(signature: int) -> CompactFormat | None:
            return own[signature] if signature in own else learned.get(signature)

        return headers

    def _read(
        self, layout: LearnedLayout, places: Sequence[int], contents: Sequence[bytes], answers: Answers
    ) -> tuple[Sequence[int], Sequence[bytes]]:
        """Reads what is of this layout; answers with what is not."""
        if not places:
            return places, contents
        mine = layout.reads(contents, self._known(self._telegrams[places[0]].driver))
        if all(mine):
            self._interpret(layout, places, contents, answers)
            return (), ()
        if any(mine):
            self._interpret(layout, list(compress(places, mine)), list(compress(contents, mine)), answers)
        others = list(map(not_, mine))
        return list(compress(places, others)), list(compress(contents, others))

    def _interpret(
        self, layout: LearnedLayout, places: Sequence[int], contents: Sequence[bytes], answers: Answers
    ) -> None:
        """Has the drivers say what contents of a layout mean; what one stumbles on goes the ordinary way."""
        telegrams = [self._telegrams[place] for place in places]
        envelopes: Iterable[Envelope] = map(_envelope, telegrams)
        if layout.inner is not None:
            envelopes = [_within(envelope, layout.inner) for envelope in envelopes]
        frames = layout.frames(envelopes, contents)
        measurements: list[Measurement | None] = []
        for sealed, frame in zip(telegrams, frames, strict=True):
            try:
                measurements.append(sealed.driver.interpret(frame))
            except Exception:  # noqa: BLE001, PERF203 - a stranger's driver may raise anything: `open_sealed` says it
                measurements.append(None)
        answers.update(zip(places, map(Opened, telegrams, frames, measurements), strict=True))
        if not all(measurements):
            self._open_singly(compress(places, map(not_, measurements)), answers)


def _within(envelope: Envelope, header: TransportHeader) -> Envelope:
    """The envelope of a telegram whose transport header the extended link had sealed."""
    return Envelope(
        envelope.raw,
        envelope.control,
        envelope.link_address,
        envelope.meter_address,
        header.ci,
        SecurityKind.NONE,
        envelope.extended_link,
        None,
        header,
    )
