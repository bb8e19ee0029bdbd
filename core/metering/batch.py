"""Many telegrams at once: the two steps of intake, with all that telegrams have in common worked out once.

In: telegrams, and later the key of each. Out: for each, in order, what `identify` and `open_sealed` answer
with, or the `TelegramError` that they raise. The one rule: a batch says what the ordinary way says. Whatever
is new or unusual goes that way, one at a time; what the batch learns there it uses for the rest.

A decoder keeps what it has learned, the shapes and layouts of telegrams and the ciphers of the meters seen
last, each within a bound. It serves one batch at a time.
"""

import gc
from collections.abc import Iterable, Sequence
from typing import Final

from core.mbus.batch_ciphers import Ciphers
from core.mbus.batch_shape import Shape
from core.mbus.errors import TelegramError
from core.mbus.frame import SecurityKind
from core.metering.batch_contents import Answers, Group, opened_singly
from core.metering.batch_senders import Senders
from core.metering.decode import Opened, Sealed
from core.metering.formats import NO_BOOK, FormatBook
from core.metering.registry import Registry

_AT_ONCE: Final = 1024  # so that what one step hands to the next stays in a core's cache


class BatchDecoder:
    """Decodes batches of telegrams.

    Args:
        registry: the drivers of the house.
        ciphers: the block ciphers kept from batch to batch; of a bound of its own when None.

    """

    def __init__(self, registry: Registry, *, ciphers: Ciphers | None = None) -> None:
        self._ciphers = Ciphers() if ciphers is None else ciphers
        self._senders = Senders(registry)

    def identify(self, telegrams: Iterable[tuple[bytes, bool | None]]) -> list[Sealed | TelegramError]:
        """Reads who sent each telegram; the pairs are the arguments `raw` and `crc_kept` of `identify`."""
        with _collector_at_rest():
            return self._senders.identify(list(telegrams))

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
        answers: Answers = {}
        groups: dict[Shape | None, list[int]] = {}
        for place, sealed in enumerate(telegrams):
            groups.setdefault(sealed.envelope.shape, []).append(place)
        for shape, places in groups.items():
            if shape is None or shape.security is SecurityKind.PROPRIETARY:
                for place in places:
                    formats = book.formats_for(telegrams[place].address)
                    answers[place] = opened_singly(telegrams[place], keys[place], formats)
                continue
            # A shape has one maker, version and medium.
            formats = book.formats_for(telegrams[places[0]].address)
            group = Group(shape, telegrams, keys, formats, self._ciphers)
            if len(places) == 1:
                answers[places[0]] = group.open_one(places[0])
                continue
            for first in range(0, len(places), _AT_ONCE):
                group.open(places[first : first + _AT_ONCE], answers)
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
