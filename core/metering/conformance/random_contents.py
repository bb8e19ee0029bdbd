"""Random contents: what no check and no plausibility lets through, however often it is tried.

In: a driver, its telegrams, a registry and a count. Out: failures with the content that gave values. The one
rule: the headers of a telegram remain, its content (as sent: ciphertext, records, a vendor's own record) is
replaced by as many random bytes, and nothing may be read from it. Link checksums are made anew where the
telegram has them: they prove that a content was sent so, and not that it means anything.

Contents are seeded by the driver's name. With the key of the telegram and without one in turn, so that a
content which only looks as if it had come in the clear is found as well.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from core.mbus.address import Address
from core.mbus.errors import TelegramError
from core.mbus.frame import Place
from core.mbus.link import crc16
from core.metering.conformance.vectors import Vector
from core.metering.decode import Identified, Opened, identify, open_telegram
from core.metering.driver import MeterDriver
from core.metering.registry import Registry

MANY: Final = 60_000
"""So many are asked of a driver that is handed over; fewer, `A_FEW`, of every change."""
A_FEW: Final = 3_000
_LINK_HEADER: Final = 10
_BLOCK_A: Final = 16
_MOST_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class _Kind:
    """Where the content of a telegram stands.

    Args:
        vector, where: the telegram, and its place in words.
        raw: without link checksums.
        framed: whether the telegram had them, in format A.
        start, stop: of the content.
        address: of the meter; random content in the place of a serial is another meter's.
        besides: the values that the rest of the telegram gives, such as a clock behind a vendor's record.

    """

    vector: Vector
    where: str
    raw: bytes
    framed: bool
    start: int
    stop: int
    address: Address
    besides: frozenset[str] = frozenset()


def look_for_chance(
    driver: MeterDriver, vectors: Sequence[Vector], registry: Registry, count: int
) -> tuple[list[str], str]:
    """Tries so many random contents.

    Returns:
        The failures, and how much was tried, in words.

    """
    kinds = [
        kind for number, vector in enumerate(vectors, start=1) for kind in _kinds(number, vector, registry)
    ]
    if not kinds:
        return [], "no content to replace"
    dice = random.Random(f"contents of {driver.name}")  # noqa: S311 - repeatable, not secret
    failures: list[str] = []
    for turn in range(count):
        kind = kinds[turn % len(kinds)]
        content = dice.randbytes(kind.stop - kind.start)
        key = kind.vector.key if turn // len(kinds) % 2 == 0 else None
        names = _values(kind, content, key, registry)
        if names and len(failures) < _MOST_SHOWN:
            failures.append(f"{kind.where}: the content {content.hex().upper()} gives {', '.join(names)}")
    several = "" if len(kinds) == 1 else "s"
    return failures, f"{count} random contents behind the headers of {len(kinds)} content{several}"


def _kinds(number: int, vector: Vector, registry: Registry) -> Iterator[_Kind]:
    where = f"vectors.toml, telegram {number} ({vector.note})"
    try:
        identified = identify(vector.telegram, registry)
        opened = open_telegram(identified, vector.key)
    except TelegramError:
        return  # the check `vectors` reports it
    envelope = identified.envelope
    if envelope.wired:
        return
    raw, framed, end = envelope.raw, envelope.link_checked, len(envelope.raw)
    start = _content_of(identified)
    yield _Kind(vector, where, raw, framed, start, end, identified.address)
    place = _encrypted_place(opened)
    if place is not None:
        at = opened.frame.layout.start
        others = [other for other in opened.frame.layout.places if other is not place]
        values = identified.driver.interpret(opened.frame.rearranged(others)).values
        yield _Kind(
            vector,
            where,
            raw,
            framed,
            at + place.start,
            at + place.stop,
            identified.address,
            frozenset(values),
        )


def _content_of(identified: Identified) -> int:
    """The offset at which the content begins, as it is sent."""
    envelope, own = identified.envelope, identified.driver.proprietary
    extended = envelope.extended_link
    if extended is not None and extended.session_number is not None:
        return extended.payload
    if envelope.transport is not None:
        return envelope.transport.payload
    return _LINK_HEADER + 1 if own is None else own.encrypted_from


def _encrypted_place(opened: Opened) -> Place | None:
    encrypted = opened.identified.driver.encrypted_record
    if encrypted is None:
        return None
    return next((place for place in opened.frame.layout.places if place.header == encrypted.header), None)


def _values(kind: _Kind, content: bytes, key: bytes | None, registry: Registry) -> list[str]:
    """The names of the values that a content gives, sorted."""
    telegram = kind.raw[: kind.start] + content + kind.raw[kind.stop :]
    try:
        identified = identify(
            _format_a(telegram) if kind.framed else telegram, registry, crc_kept=kind.framed
        )
        if identified.address != kind.address:
            return []
        return sorted(open_telegram(identified, key).measurement.values.keys() - kind.besides)
    except TelegramError:
        return []


def _format_a(raw: bytes) -> bytes:
    """The telegram with the block checksums of frame format A (EN 13757-4 clause 12)."""
    blocks = [
        raw[:_LINK_HEADER],
        *(raw[at : at + _BLOCK_A] for at in range(_LINK_HEADER, len(raw), _BLOCK_A)),
    ]
    return b"".join(block + crc16(block).to_bytes(2, "big") for block in blocks)
