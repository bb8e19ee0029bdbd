"""Opens the telegrams of a batch that are encrypted in their maker's own way.

In: telegrams, and the key of each. Out: as of `core.metering.batch.open`. The one rule: their driver opens
them, many at once where it can, and what it does not open is handed to `open_telegram` one at a time.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import compress
from operator import not_
from typing import Final

from core.mbus.compact import CompactFormat
from core.mbus.envelope import Envelope
from core.mbus.errors import TelegramError
from core.mbus.frame import Frame
from core.mbus.vocabulary import SecurityKind
from core.metering.batch.index import IndexReader, OpenedIndex, are_checked_like, interpreted
from core.metering.decode import NO_BATCH, Identified, Opened, open_telegram
from core.metering.driver import Proprietary
from core.metering.measurement import StatusFlag

Answers = dict[int, Opened | OpenedIndex | TelegramError]
# To look up a member of an enum costs a quarter of a microsecond.
_PROPRIETARY: Final = SecurityKind.PROPRIETARY


def open_one(
    identified: Identified, key: bytes | None, formats: Mapping[int, CompactFormat]
) -> Opened | TelegramError:
    """Opens a telegram without a batch: the fallback of all that is unusual."""
    try:
        return open_telegram(identified, key, formats=formats)
    except TelegramError as error:
        return error.with_traceback(None)


def open_proprietary(
    places: Sequence[int],
    telegrams: Sequence[Identified],
    keys: Sequence[bytes | None],
    answers: Answers,
    *,
    index_only: bool = False,
) -> list[int]:
    """Opens telegrams that are encrypted in a maker's own way, each by itself, and has those of one layout
    and kind of meter interpreted together; the places of the others are answered with.
    """
    of_driver, left = _by_driver(places, telegrams, keys)
    for asked in of_driver.values():
        if not asked:
            continue
        frames = _opened_by_driver([telegrams[place] for place in asked], [keys[place] for place in asked])
        is_open = [frame is not None for frame in frames]
        left += compress(asked, map(not_, is_open))
        places = list(compress(asked, is_open))
        for some, opened in _alike(places, [frame for frame in frames if frame is not None]):
            senders = [telegrams[place] for place in some]
            try:
                if index_only and len(some) > 1:
                    found = _indexes_of_maker(senders, opened)
                else:
                    measurements = interpreted(senders[0].driver, opened, index_only=index_only)
                    found = list(map(Opened, senders, opened, measurements))
                answers.update(zip(some, found, strict=True))
            except Exception:  # noqa: BLE001 - a vendor's driver may raise anything: the fallback reports it
                left += some
    return left


def _alike(places: Sequence[int], frames: Sequence[Frame]) -> Iterable[tuple[Sequence[int], Sequence[Frame]]]:
    """The frames of each layout and kind of meter, with their places."""
    meters = [frame.envelope.meter_address for frame in frames]
    kinds = (
        [id(frame.layout) for frame in frames],
        [meter.manufacturer for meter in meters],
        [meter.version for meter in meters],
        [meter.medium for meter in meters],
    )
    if all(len(set(column)) == 1 for column in kinds):
        return ((places, frames),)
    groups: dict[tuple[object, ...], tuple[list[int], list[Frame]]] = {}
    for kind, place, frame in zip(zip(*kinds, strict=True), places, frames, strict=True):
        some, alike = groups.setdefault(kind, ([], []))
        some.append(place)
        alike.append(frame)
    return groups.values()


def _indexes_of_maker(
    senders: Sequence[Identified], frames: Sequence[Frame]
) -> Sequence[Opened | OpenedIndex]:
    """The indexes of frames of one layout and kind of meter; the first, and those that are read otherwise
    than it, as a whole.
    """
    driver = senders[0].driver
    sample = Opened(senders[0], frames[0], interpreted(driver, frames[:1], index_only=True)[0])
    own, kind = IndexReader.of(sample), None
    default = frames[0].opened_with_default_key
    alike = not any([frame.opened_with_default_key is not default or frame.in_clear for frame in frames])  # noqa: C419
    if own is not None and alike and are_checked_like(sample, [frame.envelope for frame in frames]):
        kind = own.kind_of(sample)
    found: list[OpenedIndex | None] = [None] * len(frames)
    if own is not None and kind is not None:

        def flags_of(place: int) -> frozenset[StatusFlag]:
            return interpreted(driver, [frames[place]], index_only=True)[0].flags

        envelopes, contents = [frame.envelope for frame in frames], [frame.content for frame in frames]
        found = own.read(kind, envelopes, contents, [one.status for one in envelopes], flags_of)
    found[0] = None
    whole = [place for place, one in enumerate(found) if one is None]
    measurements = interpreted(driver, [frames[place] for place in whole], index_only=True)
    read = {
        place: Opened(senders[place], frames[place], one)
        for place, one in zip(whole, measurements, strict=True)
    }
    return [read[place] if one is None else one for place, one in enumerate(found)]


def _by_driver(
    places: Sequence[int], telegrams: Sequence[Identified], keys: Sequence[bytes | None]
) -> tuple[dict[int, list[int]], list[int]]:
    """The telegrams that each driver can be asked about without more ado, and the others."""
    first = telegrams[places[0]]
    of_driver: dict[int, list[int]] = {}
    left: list[int] = []
    if first.batch_key is NO_BATCH or first.driver.proprietary is None:
        for place in places:
            if _is_of_its_driver(telegrams[place], keys[place]):
                of_driver.setdefault(id(telegrams[place].driver), []).append(place)
            else:
                left.append(place)
        return of_driver, left
    # Of one kind: what holds for the first, holds for all but their keys.
    if not _is_of_its_driver(first, None):
        return {}, list(places)
    length = first.driver.proprietary.key_length
    fit = [(key := keys[place]) is None or length is None or len(key) == length for place in places]
    of_driver[id(first.driver)] = list(compress(places, fit))
    return of_driver, list(compress(places, map(not_, fit)))


def _is_of_its_driver(identified: Identified, key: bytes | None) -> bool:
    """True for a telegram and a key that its driver can be asked about without more ado."""
    envelope, own = identified.envelope, identified.driver.proprietary
    return (
        own is not None
        and envelope.security is _PROPRIETARY
        and envelope.received is None
        and (envelope.link_address.manufacturer, envelope.ci) in own.claims
        and len(envelope.raw) >= own.encrypted_from + own.shortest
        and (key is None or own.key_length is None or len(key) == own.key_length)
    )


def _opened_by_driver(
    telegrams: Sequence[Identified], keys: Sequence[bytes | None]
) -> Sequence[Frame | None]:
    """The frames of telegrams in the own encryption of one driver; None where `open_telegram` answers."""
    own = telegrams[0].driver.proprietary
    assert own is not None
    envelopes = [identified.envelope for identified in telegrams]
    found: Sequence[Frame | None] = [None] * len(telegrams)
    if own.open_many is not None and len(telegrams) > 1:
        with suppress(Exception):  # a vendor's driver may raise anything: then each is opened by itself
            opened = own.open_many(envelopes, keys)
            found = opened if len(opened) == len(telegrams) else found
    return [
        _opened_alone(own, envelope, key) if frame is None or (frame.in_clear and key is not None) else frame
        for frame, envelope, key in zip(found, envelopes, keys, strict=True)
    ]


def _opened_alone(own: Proprietary, envelope: Envelope, key: bytes | None) -> Frame | None:
    try:
        frame = own.open(envelope, key)
    except Exception:  # noqa: BLE001 - a vendor's driver may raise anything: the fallback reports it
        return None
    return None if frame is None or (frame.in_clear and key is not None) else frame
