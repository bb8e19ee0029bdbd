"""Many telegrams at once: the two steps of decoding, with all that telegrams have in common worked out once.

In: telegrams, and later the key of each. Out: for each, in order, what `identify` and `open_telegram`
answer with, or the `TelegramError` that they raise. The one rule: the answers are theirs. Whatever is new or
unusual is handed to them one at a time; what the batch learns there it uses for the rest.

A decoder keeps what it has learned, the shapes and layouts of telegrams and the ciphers of the meters that
sent last, each within a bound. It serves one batch at a time.
"""

import gc
from collections.abc import Iterable, Sequence
from typing import Final, cast

from core.mbus.batch.ciphers import Ciphers
from core.mbus.compact import NONE_KNOWN
from core.mbus.errors import TelegramError
from core.metering.batch.identify import Kind, Senders
from core.metering.batch.index import OpenedIndex
from core.metering.batch.open import Group
from core.metering.batch.proprietary import Answers, open_one, open_proprietary
from core.metering.decode import Identified, Opened
from core.metering.formats import NO_FORMATS, CompactFormats
from core.metering.registry import Registry

_AT_ONCE: Final = 1024  # so that what one step hands to the next fits a core's cache


class BatchDecoder:
    """Decodes batches of telegrams.

    Args:
        registry: the installed drivers.
        ciphers: the block ciphers kept from batch to batch; of a bound of its own when None.

    """

    def __init__(self, registry: Registry, *, ciphers: Ciphers | None = None) -> None:
        self._ciphers = Ciphers() if ciphers is None else ciphers
        self._senders = Senders(registry)

    def identify(self, telegrams: Iterable[tuple[bytes, bool | None]]) -> list[Identified | TelegramError]:
        """Reads who sent each telegram; the pairs are the arguments `raw` and `crc_kept` of `identify`."""
        with collector_at_rest():
            return self._senders.identify(list(telegrams))

    def open(
        self,
        telegrams: Sequence[Identified],
        keys: Sequence[bytes | None],
        *,
        formats: CompactFormats = NO_FORMATS,
    ) -> list[Opened | TelegramError]:
        """Opens telegrams from `identify`, each with its meter's key and the formats of its kind; the
        arguments are those of `open_telegram`.
        """
        with collector_at_rest():
            answers = self._open(telegrams, keys, formats, index_only=False)
        return cast("list[Opened | TelegramError]", answers)  # nobody asked for an index alone

    def open_indexes(
        self,
        telegrams: Sequence[Identified],
        keys: Sequence[bytes | None],
        *,
        formats: CompactFormats = NO_FORMATS,
    ) -> list[Opened | OpenedIndex | TelegramError]:
        """As `open`, for whoever asks for index and flags alone: a measurement may hold no more than what
        these are made of, and of telegrams like one that is opened there may be nothing else.
        """
        with collector_at_rest():
            return self._open(telegrams, keys, formats, index_only=True)

    def _open(
        self,
        telegrams: Sequence[Identified],
        keys: Sequence[bytes | None],
        formats: CompactFormats,
        *,
        index_only: bool,
    ) -> list[Opened | OpenedIndex | TelegramError]:
        answers: Answers = {}
        for places in _by_kind(telegrams):
            kind = telegrams[places[0]].batch_key
            if not isinstance(kind, Kind) or kind.shape.proprietary:
                for place in open_proprietary(places, telegrams, keys, answers, index_only=index_only):
                    identified = telegrams[place]
                    known = NONE_KNOWN if formats is NO_FORMATS else formats.formats_for(identified.address)
                    answers[place] = open_one(identified, keys[place], known)
                continue
            # A shape has one maker, version and medium.
            known = formats.formats_for(telegrams[places[0]].address)
            group = Group(kind.shape, telegrams, keys, known, self._ciphers, index_only=index_only)
            if len(places) == 1:
                answers[places[0]] = group.open_one(places[0])
                continue
            for first in range(0, len(places), _AT_ONCE):
                group.open(places[first : first + _AT_ONCE], answers)
        return [answers[place] for place in range(len(telegrams))]


def _by_kind(telegrams: Sequence[Identified]) -> Iterable[Sequence[int]]:
    """The places of the telegrams of each kind."""
    kinds = [id(identified.batch_key) for identified in telegrams]
    if len(set(kinds)) == 1:
        return (range(len(kinds)),)
    groups: dict[int, list[int]] = {}
    for place, kind in enumerate(kinds):
        groups.setdefault(kind, []).append(place)
    return groups.values()


class collector_at_rest:  # noqa: N801 - used as a statement, and a generator would cost more than one telegram
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
