"""Damaged telegrams: what a driver must survive, and what must never give a value.

In: a driver, its telegrams and a registry. Out: failures with the telegram and the damage. The one rule:
damage is seeded by the driver's name, so a failure comes again until it is mended. Three questions:

- does anything but the typed error come out: bits flipped anywhere, telegrams cut, records taken away, values
  missing? Decoding turns what a driver raises into `TelegramError`; here it counts as a failure.
- does a telegram that is cut short give a value (EN 13757-4: the L field gives the length)?
- does a check that fails still give a value: the block checksums of frame format A, the payload checksum of
  the extended link, the code of mode 7, 2F 2F of mode 5 (EN 13757-7), a vendor's own check, a wrong key?
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from core.mbus.envelope import Envelope
from core.mbus.errors import DecodeStage, TelegramError
from core.mbus.frame import Frame
from core.mbus.link import crc16
from core.mbus.values import Coding
from core.mbus.vocabulary import SecurityKind
from core.metering.conformance.vectors import Vector
from core.metering.decode import Opened, identify, open_telegram
from core.metering.driver import MeterDriver
from core.metering.measurement import Measurement
from core.metering.registry import Registry

_HEADER: Final = 10
_BLOCK_A: Final = 16
_CIPHER_BLOCK: Final = 16
_CHECK_BYTES: Final = b"\x2f\x2f"
_FLIPS: Final = 64
_ENCRYPTED_FLIPS: Final = 16
# A check of 16 bits lets one damaged telegram in 65,536 through, a vendor's own of 8 bits one in 256.
_LET_THROUGH: Final = 1
_OWN_CHECK_LETS_THROUGH: Final = _FLIPS // 8


@dataclass(slots=True)
class _Search:
    """The failures so far, and how many damaged telegrams were tried."""

    driver: MeterDriver
    registry: Registry
    dice: random.Random
    tried: int = 0
    failures: list[str] = field(default_factory=list)

    def gives_value(self, raw: bytes, key: bytes | None, where: str, *, crc_kept: bool | None = None) -> bool:
        """Whether a damaged telegram still gives values; a crash of the driver is noted on the way."""
        self.tried += 1
        try:
            identified = identify(raw, self.registry, crc_kept=crc_kept)
            if identified.driver is not self.driver:
                return False  # the damage made it another vendor's
            measured = bool(open_telegram(identified, key).measurement.values)
            identified.driver.medium(identified.address)
        except TelegramError as error:
            if error.stage is DecodeStage.DRIVER and error.__cause__ is not None:
                self.failures.append(f"{where}: the driver raised {error.__cause__!r}")
            return False
        except Exception as error:  # noqa: BLE001 - whatever a driver raises is what is looked for
            self.failures.append(f"{where}: {error!r} was raised, and no TelegramError")
            return False
        return measured


def look_for_damage(
    driver: MeterDriver, vectors: tuple[Vector, ...], registry: Registry
) -> tuple[list[str], str]:
    """Damages every telegram in every way.

    Returns:
        The failures, and how much was tried, in words.

    """
    search = _Search(driver, registry, random.Random(driver.name))  # noqa: S311 - repeatable, not secret
    for number, vector in enumerate(vectors, start=1):
        where = f"vectors.toml, telegram {number} ({vector.note})"
        try:
            opened = open_telegram(identify(vector.telegram, registry), vector.key)
        except TelegramError:
            continue  # the check `vectors` reports it
        for damage in (_cut, _flip, _break_checksums, _break_encrypted, _use_other_keys, _break_own_check):
            damage(search, vector, opened, where)
        _take_away(search, opened.frame, where)
    return _first_of_a_kind(search.failures), f"{search.tried} damaged telegrams"


def _first_of_a_kind(failures: list[str]) -> list[str]:
    """One failure of each text: a crash that forty flips bring about is one thing to mend."""
    return list(dict.fromkeys(failures))


def _cut(search: _Search, vector: Vector, opened: Opened, where: str) -> None:
    raw = _radio(opened.identified.envelope) or vector.telegram
    for length in range(len(raw)):
        if search.gives_value(raw[:length], vector.key, f"{where}, cut to {length} bytes"):
            search.failures.append(f"{where}: cut to {length} bytes it still gives values")
        if length > _HEADER:
            shorter = bytes((length - 1,)) + raw[1:length]
            search.gives_value(shorter, vector.key, f"{where}, cut to {length} bytes, L mended")


def _flip(search: _Search, vector: Vector, opened: Opened, where: str) -> None:
    raw = _radio(opened.identified.envelope) or vector.telegram
    for _ in range(_FLIPS):
        bit = search.dice.randrange(len(raw) * 8)
        search.gives_value(
            _flipped(raw, bit), vector.key, f"{where}, bit {bit % 8} of byte {bit // 8} flipped"
        )


def _break_checksums(search: _Search, vector: Vector, opened: Opened, where: str) -> None:
    raw = _radio(opened.identified.envelope)
    if raw is None:
        return
    framed = _format_a(raw)
    for _ in range(_FLIPS):
        bit = search.dice.randrange(len(framed) * 8)
        if search.gives_value(_flipped(framed, bit), vector.key, where, crc_kept=True):
            search.failures.append(f"{where}: values although a link checksum fails (bit {bit} flipped)")


def _break_encrypted(search: _Search, vector: Vector, opened: Opened, where: str) -> None:
    span = _under_check(opened.identified.envelope)
    raw = _radio(opened.identified.envelope)
    if span is None or raw is None:
        return
    bits = range(span.start * 8, min(span.stop, len(raw)) * 8)
    flips = search.dice.sample(bits, min(_ENCRYPTED_FLIPS, len(bits)))
    passed = [bit for bit in flips if search.gives_value(_flipped(raw, bit), vector.key, where)]
    if len(passed) > _LET_THROUGH:
        tries = f"{len(passed)} of {len(flips)}, bit {passed[0]}"
        search.failures.append(f"{where}: values although the encrypted content is damaged ({tries})")


def _use_other_keys(search: _Search, vector: Vector, opened: Opened, where: str) -> None:
    key = vector.key
    if key is None:
        return
    passed = 0
    for _ in range(_FLIPS):
        other = search.dice.randbytes(len(key))
        passed += search.gives_value(vector.telegram, other, f"{where}, with another key")
    proprietary = opened.identified.envelope.security is SecurityKind.PROPRIETARY
    if passed > (_OWN_CHECK_LETS_THROUGH if proprietary else _LET_THROUGH):
        search.failures.append(f"{where}: {passed} of {_FLIPS} wrong keys give values")
    has_defaults = proprietary or bool(search.driver.default_keys)
    if not has_defaults and search.gives_value(vector.telegram, None, f"{where}, without its key"):
        search.failures.append(f"{where}: without its key it still gives values")


def _break_own_check(search: _Search, vector: Vector, opened: Opened, where: str) -> None:
    envelope = opened.identified.envelope
    if envelope.security is not SecurityKind.PROPRIETARY:
        return
    start = _HEADER + 1 if envelope.transport is None else envelope.transport.payload
    passed = 0
    for _ in range(_FLIPS):
        content = search.dice.randbytes(len(envelope.raw) - start)
        passed += search.gives_value(envelope.raw[:start] + content, vector.key, f"{where}, random content")
    if passed > _OWN_CHECK_LETS_THROUGH:
        search.failures.append(
            f"{where}: {passed} of {_FLIPS} random contents give values; check the content"
        )


def _take_away(search: _Search, frame: Frame, where: str) -> None:
    for damage, damaged in _poorer(frame):
        search.tried += 1
        try:
            answer = search.driver.interpret(damaged)
        except TelegramError:
            continue
        except Exception as error:  # noqa: BLE001 - whatever a driver raises is what is looked for
            search.failures.append(f"{where}, {damage}: interpret raised {error!r}")
            continue
        if not _is_measurement(answer):
            search.failures.append(f"{where}, {damage}: interpret answered {type(answer).__name__}")


def _is_measurement(answer: object) -> bool:
    return isinstance(answer, Measurement)


def _poorer(frame: Frame) -> Iterator[tuple[str, Frame]]:
    """The frame with a record taken away, without its value, or with one of another type."""
    places, values = frame.layout.places, frame.values
    yield "without any record", frame.rearranged(())
    for index, place in enumerate(places):
        name = f"record {place.header.hex().upper()}"
        before, after = places[:index], places[index + 1 :]
        others = (values[:index], values[index + 1 :])
        yield f"without {name}", frame.rearranged((*before, *after), (*others[0], *others[1]))
        # A coding of variable length may hold any type.
        any_type = replace(place, meaning=replace(place.meaning, coding=Coding.VARIABLE))
        changed = (*before, any_type, *after)
        for value, held in ((None, "without a value"), ("text", "holding text"), (b"\x00", "holding bytes")):
            yield f"{name} {held}", frame.rearranged(changed, (*others[0], value, *others[1]))


def _radio(envelope: Envelope) -> bytes | None:
    """The telegram free of link checksums; None for a wired one, whose frame is another."""
    return None if envelope.wired else envelope.unstripped or envelope.raw


def _under_check(envelope: Envelope) -> range | None:
    """The bytes that the check of the encryption covers; None when there is none that we know."""
    if envelope.security is SecurityKind.ELL_CTR and envelope.extended_link is not None:
        return range(envelope.extended_link.payload, len(envelope.raw))
    header = envelope.transport
    if header is None or envelope.raw[header.payload :].startswith(_CHECK_BYTES):
        return None
    if envelope.security is SecurityKind.MODE_7:
        return range(header.payload, len(envelope.raw))
    if envelope.security is SecurityKind.MODE_5:
        return range(header.payload, header.payload + _CIPHER_BLOCK)
    return None


def _flipped(raw: bytes, bit: int) -> bytes:
    byte, place = divmod(bit, 8)
    return raw[:byte] + bytes((raw[byte] ^ 1 << place,)) + raw[byte + 1 :]


def _format_a(raw: bytes) -> bytes:
    """The telegram with the block checksums of frame format A (EN 13757-4 clause 12)."""
    blocks = [raw[:_HEADER], *(raw[at : at + _BLOCK_A] for at in range(_HEADER, len(raw), _BLOCK_A))]
    return b"".join(block + crc16(block).to_bytes(2, "big") for block in blocks)
