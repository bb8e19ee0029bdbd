"""Identifies the telegrams of a batch, with what telegrams of one kind have in common worked out once.

In: telegrams. Out: for each, in order, what `identify` answers with, or the `TelegramError` that it raises.
The one rule: what is of no known shape is handed to it one at a time, and the shape that is learned there
serves the rest.
"""

from collections.abc import Sequence
from itertools import compress, repeat
from operator import attrgetter, not_
from typing import Final

from msgspec.structs import replace

from core.mbus.batch.shape import Shape, by_key, learn_shape
from core.mbus.envelope import Envelope
from core.mbus.errors import TelegramError
from core.mbus.link import HEADER_LENGTH, LinkFrame, read_link, seem_bare, seems_wired
from core.mbus.vocabulary import SecurityKind
from core.metering.decode import BatchKey, Identified, identify
from core.metering.driver import MeterDriver
from core.metering.registry import Registry

_MOST_KEYS: Final = 4096
_MOST_ALIKE: Final = 32  # shapes of one key: they differ in their configuration fields
_AT_ONCE: Final = 1024  # so that what one step hands to the next fits a core's cache
_START: Final = 4  # L, C, M
_meter_address: Final = attrgetter("meter_address")
_Answers = dict[int, Identified | TelegramError]


class Kind(BatchKey):
    """Telegrams of one shape, which one driver reads."""

    __slots__ = ("driver", "shape")

    def __init__(self, shape: Shape, driver: MeterDriver) -> None:
        self.shape = shape
        self.driver = driver


class Senders:
    """Reads who sent telegrams; keeps the shapes seen, within a bound.

    Args:
        registry: the installed drivers.

    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._kinds: dict[bytes, list[Kind]] = {}
        self._wired_kinds: dict[tuple[str, int, int, int, int], Kind] = {}

    def identify(self, telegrams: Sequence[tuple[bytes, bool | None]]) -> list[Identified | TelegramError]:
        """The pairs are the arguments `raw` and `crc_kept` of `core.metering.decode.identify`."""
        answers: _Answers = {}
        alike: dict[bytes, list[int]] = {}
        others: list[int] = []
        for place, (raw, crc_kept) in enumerate(telegrams):
            # Of just the length that it announces, and maybe without link checksums.
            if len(raw) > HEADER_LENGTH and raw[0] + 1 == len(raw) and not crc_kept:
                if (places := alike.get(start := raw[:_START])) is None:
                    places = alike[start] = []
                places.append(place)
            else:
                others.append(place)
        for places in alike.values():
            others += self._identify_bare(places, telegrams, answers)
        linked: list[tuple[int, LinkFrame]] = []
        for place in others:
            link = _checked(*telegrams[place])
            if link is not None:
                linked.append((place, link))
            else:
                answers[place] = self._with_kind_of_wired(self._identify_one(*telegrams[place]))
        self._identify_checked(linked, telegrams, answers)
        return [answers[place] for place in range(len(telegrams))]

    def _identify_bare(
        self, places: Sequence[int], telegrams: Sequence[tuple[bytes, bool | None]], answers: _Answers
    ) -> Sequence[int]:
        """Telegrams of one length, control and maker, those without link checksums; answers with the places
        of the others.
        """
        others: Sequence[int] = ()
        unsure = [place for place in places if telegrams[place][1] is None]
        if unsure:
            bare = seem_bare([telegrams[place][0] for place in unsure])
            if not all(bare):
                others = list(compress(unsure, map(not_, bare)))
                places = sorted({*places}.difference(others))
        if not places:
            return others
        for key, numbers in by_key([telegrams[place][0] for place in places]).items():
            if len(numbers) == 1:
                answers[places[numbers[0]]] = self._one(key, telegrams[places[numbers[0]]][0])
                continue
            for first in range(0, len(numbers), _AT_ONCE):
                some = [places[number] for number in numbers[first : first + _AT_ONCE]]
                self._alike(key, some, telegrams, answers)
        return others

    def _identify_checked(
        self,
        linked: Sequence[tuple[int, LinkFrame]],
        telegrams: Sequence[tuple[bytes, object]],
        answers: _Answers,
    ) -> None:
        """Those that came with link checksums: as they are without, with what the checksums showed."""
        if not linked:
            return
        senders = self.identify([(link.telegram, False) for _, link in linked])
        for (place, link), sender in zip(linked, senders, strict=True):
            if isinstance(sender, Identified):
                unstripped = telegrams[place][0] if link.by_fit else None
                envelope = replace(sender.envelope, unstripped=unstripped, link_checked=link.checked)
                answers[place] = replace(sender, envelope=envelope)
            else:
                answers[place] = sender

    def _with_kind_of_wired(self, found: Identified | TelegramError) -> Identified | TelegramError:
        """A wired telegram in the clear with its kind: it is opened with others of it."""
        if isinstance(found, TelegramError) or not found.envelope.wired:
            return found
        header, meter = found.envelope.transport, found.address
        if header is None or found.envelope.security is not SecurityKind.NONE:
            return found
        key = (meter.manufacturer, meter.version, meter.medium, header.ci, header.payload)
        kind = self._wired_kinds.get(key)
        if kind is None:
            if len(self._wired_kinds) >= _MOST_KEYS:
                self._wired_kinds.clear()
            kind = self._wired_kinds[key] = Kind(Shape(found.envelope), found.driver)
        return replace(found, batch_key=kind)

    def _one(self, key: bytes, raw: bytes) -> Identified | TelegramError:
        """A telegram by itself; its kind is learned when it is new."""
        for kind in self._kinds.get(key, ()):
            if kind.shape.fits(raw):
                envelope = kind.shape.envelope(raw)
                if kind.shape.proprietary:
                    return self._of_maker(envelope, kind)
                return Identified(envelope, envelope.meter_address, kind.driver, kind)
        found = self._identify_one(raw, crc_kept=False)
        if isinstance(found, TelegramError):
            return found
        learned = self._learned(key, found)
        return found if learned is None else replace(found, batch_key=learned)

    def _alike(
        self, key: bytes, places: Sequence[int], telegrams: Sequence[tuple[bytes, object]], answers: _Answers
    ) -> None:
        """Telegrams of one key; of each kind that is new the first goes by itself."""
        left, seen = places, 0
        while left:
            kinds = self._kinds.get(key, ())
            for kind in kinds[seen:]:
                left = self._of_kind(kind, left, [telegrams[place][0] for place in left], answers)
            seen = len(kinds)
            if left:
                answers[left[0]] = self._one(key, telegrams[left[0]][0])
                left = left[1:]

    def _of_kind(
        self, kind: Kind, places: Sequence[int], telegrams: Sequence[bytes], answers: _Answers
    ) -> Sequence[int]:
        """Answers with the places of the telegrams that are of another kind."""
        shape, driver = kind.shape, kind.driver
        fit = shape.fitting(telegrams)
        left: Sequence[int] = ()
        if not all(fit):
            left = list(compress(places, map(not_, fit)))
            places, telegrams = list(compress(places, fit)), list(compress(telegrams, fit))
        if places:
            envelopes = shape.envelopes(telegrams)
            if shape.proprietary:
                answers.update(zip(places, self._all_of_maker(envelopes, kind), strict=True))
            else:
                addresses = map(_meter_address, envelopes)
                found = map(Identified, envelopes, addresses, repeat(driver), repeat(kind))
                answers.update(zip(places, found, strict=True))
        return left

    def _all_of_maker(
        self, envelopes: Sequence[Envelope], kind: Kind
    ) -> Sequence[Identified | TelegramError]:
        assert kind.driver.proprietary is not None
        try:
            addresses = list(map(kind.driver.proprietary.address, envelopes))
        except Exception:  # noqa: BLE001 - a vendor's driver may raise anything: then each goes by itself
            return [self._of_maker(envelope, kind) for envelope in envelopes]
        return list(map(Identified, envelopes, addresses, repeat(kind.driver), repeat(kind)))

    def _of_maker(self, envelope: Envelope, kind: Kind) -> Identified | TelegramError:
        assert kind.driver.proprietary is not None
        try:
            return Identified(envelope, kind.driver.proprietary.address(envelope), kind.driver, kind)
        except Exception:  # noqa: BLE001 - a vendor's driver may raise anything: the fallback reports it
            return self._identify_one(envelope.raw, crc_kept=False)

    def _identify_one(self, raw: bytes, crc_kept: bool | None) -> Identified | TelegramError:  # noqa: FBT001 - handed on
        """Identifies a telegram without a batch: the fallback of all that is unusual."""
        try:
            return identify(raw, self._registry, crc_kept=crc_kept)
        except TelegramError as error:
            return error.with_traceback(None)

    def _learned(self, key: bytes, identified: Identified) -> Kind | None:
        """The kind of a telegram that was identified by itself, now kept; None when it has no shape."""
        envelope = identified.envelope
        if envelope.security is SecurityKind.PROPRIETARY:
            claimed = identified.driver.proprietary
            if claimed is None or (envelope.link_address.manufacturer, envelope.ci) not in claimed.claims:
                return None
        shape = learn_shape(envelope)
        if shape is None:
            return None
        if len(self._kinds) >= _MOST_KEYS:
            self._kinds.clear()
        alike = self._kinds.setdefault(key, [])
        if len(alike) >= _MOST_ALIKE:
            alike.clear()
        kind = Kind(shape, identified.driver)
        alike.append(kind)
        return kind


def _checked(raw: bytes, crc_kept: bool | None) -> LinkFrame | None:  # noqa: FBT001 - handed on
    """A radio telegram from which link checksums were taken, all or the last; None for any other."""
    try:
        link = read_link(raw, crc_kept=crc_kept)
    except TelegramError:
        return None
    telegram = link.telegram
    if link.wired or len(telegram) <= HEADER_LENGTH or seems_wired(telegram):
        return None
    return link
