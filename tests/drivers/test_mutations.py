"""Damage of every kind, seeded: no exception but TelegramError, and no value where an integrity check fails.

A thousand mutations a driver; `MUTATIONS=10000 pytest tests/drivers/test_mutations.py` for all of them.
"""

import os
import random
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

import pytest

from core.metering import (
    DecodeStage,
    Measurement,
    SecurityKind,
    TelegramError,
    identify,
    load_registry,
    open_telegram,
)
from core.metering.conformance import load_vectors
from tests.support.makers.vendors import OUR_DRIVERS
from tests.support.telegrams import encryption
from tests.support.telegrams import records as encoder

COUNT = int(os.environ.get("MUTATIONS", "1000"))
REGISTRY = load_registry()
KEY = bytes(range(16))
ADDRESS_END = 10


class Sample(NamedTuple):
    """A telegram that is whole, and its key."""

    telegram: bytes
    key: bytes | None


def qundis() -> tuple[Sample, ...]:
    """Our own telegrams in Qundis' two forms."""
    link = bytes.fromhex("9344") + bytes.fromhex("11223344") + bytes.fromhex("1807")
    walk_by = bytes.fromhex(
        "0DFF5F35" "008200000000000000" "C1" "13" "FFFF" "45230100" "DF2C" "00100100" "FE24" "00200100"
    ) + b"\x00\x80" * 12 + b"\x2f"  # fmt: skip
    oms = bytes.fromhex("0C1345230100 4C1300100100 426CDF2C CC081300200100 C2086CFE24 326CFFFF")
    header = encryption.Header()
    return (
        Sample(encryption.plain(link, walk_by, encryption.Header(encryption.NONE)), None),
        Sample(encryption.plain(link, oms, header), None),
        Sample(encryption.mode5(link, KEY, oms, header), KEY),
    )


def nobody() -> tuple[Sample, ...]:
    """Telegrams of a maker that no driver claims, in every mode, one with a compact profile."""
    link = bytes.fromhex("6A49") + bytes.fromhex("11223344") + bytes.fromhex("0107")
    place = encoder.Place(storage=8)
    records = encoder.full(
        [
            encoder.integer(4, "13", 1000),
            encoder.integer(4, "13", 900, place),
            encoder.day(None, place),
            encoder.profile("9313", [1, 2, None], coding=2, mode=1, unit=3, spacing=254, place=place),
            encoder.text("FD11", "somebody"),
            encoder.real("5B", 20.5),
        ]
    )
    header = encryption.Header(encryption.LONG, meter=link[:2] + bytes.fromhex("8877665502") + b"\x07")
    return (
        Sample(encryption.plain(link, records, header), None),
        Sample(encryption.mode5(link, KEY, records, header), KEY),
        Sample(encryption.mode7(link, KEY, records, header, message_length=True), KEY),
        Sample(encryption.counter_mode(link, KEY, b"\x78" + records), KEY),
    )


def samples(driver: str) -> tuple[Sample, ...]:
    """The telegrams of a driver's folder, and those made here."""
    made = {"generic": nobody, "ista": qundis}.get(driver, tuple)()
    if driver == "generic":
        return made
    vectors = load_vectors((files(f"drivers.{driver}") / "vectors.toml").read_text("utf-8"))
    return (*(Sample(vector.telegram, vector.key) for vector in vectors), *made)


def mutated(telegram: bytes, others: tuple[Sample, ...], chance: random.Random) -> bytes:
    """One telegram with one kind of damage."""
    match chance.randrange(6):
        case 0:
            return flipped(telegram, chance, 0)
        case 1:
            return telegram[: chance.randrange(len(telegram))]
        case 2:
            cut = telegram[: chance.randrange(1, len(telegram))]
            return relabelled(cut)
        case 3:
            other = chance.choice(others).telegram
            at, start = (
                chance.randrange(ADDRESS_END, len(telegram)),
                chance.randrange(ADDRESS_END, len(other)),
            )
            return relabelled(
                telegram[:at] + other[start : chance.randrange(start, len(other) + 1)] + telegram[at:]
            )
        case 4:
            return relabelled(
                telegram[: chance.randrange(2, 20)] + chance.randbytes(chance.randrange(1, 120))
            )
        case _:
            return chance.randbytes(chance.randrange(120))


def relabelled(telegram: bytes) -> bytes:
    """With an L field that fits."""
    whole = telegram[:256]
    return bytes((len(whole) - 1,)) + whole[1:]


def flipped(telegram: bytes, chance: random.Random, start: int, *, most: int = 4, within: int = 256) -> bytes:
    """With one to `most` bits turned over from `start` on, in `within` bytes that follow one another."""
    out = bytearray(telegram)
    first = chance.randrange(start, max(start + 1, len(out) - within + 1))
    for _ in range(chance.randint(1, most)):
        out[chance.randrange(first, min(len(out), first + within))] ^= 1 << chance.randrange(8)
    return bytes(out)


def measured(telegram: bytes, key: bytes | None, *, crc_kept: bool | None = None) -> Measurement | None:
    """What is read; None for a TelegramError. Whatever else is raised, by a driver too, passes through."""
    try:
        return open_telegram(identify(telegram, REGISTRY, crc_kept=crc_kept), key).measurement
    except TelegramError as error:
        if error.stage is DecodeStage.DRIVER and error.__cause__ is not None:
            raise error.__cause__ from None
        return None


def cases(driver: str) -> Iterator[tuple[int, Sample, tuple[Sample, ...], random.Random]]:
    """So many samples, in turn, each with the next numbers of one seeded row."""
    chance = random.Random(f"mutations of {driver}")
    whole = samples(driver)
    for number in range(COUNT):
        yield number, whole[number % len(whole)], whole, chance


DRIVERS = ("generic", *OUR_DRIVERS)


@pytest.mark.parametrize("driver", DRIVERS)
def test_no_damage_raises_anything_but_a_telegram_error(driver):
    """Bits turned, telegrams cut, spliced and invented, with the right key, a wrong one and none."""
    for _, sample, whole, chance in cases(driver):
        telegram = mutated(sample.telegram, whole, chance)
        for key in {sample.key, KEY, None, b"short"}:
            measured(telegram, key, crc_kept=chance.choice([None, True, False]))


@pytest.mark.parametrize("driver", DRIVERS)
def test_damage_under_link_checksums_gives_no_value(driver):
    """Format A with its checksums: a telegram with up to four turned bits is refused.

    Its checksum finds every five of them in a block of that length.
    """
    for number, sample, _, chance in cases(driver):
        framed = encryption.format_a(sample.telegram)
        damaged = flipped(framed, chance, 1)
        if damaged != framed:
            assert measured(damaged, sample.key, crc_kept=True) is None, (number, damaged.hex())


@pytest.mark.parametrize("driver", DRIVERS)
def test_damage_under_a_message_code_or_payload_checksum_gives_no_other_value(driver):
    """Mode 7 and the counter mode: whatever bits are turned behind the address, no value changes.

    The counter mode's checksum finds every damage of at most 16 bits in a row; it is blind to two turned bits
    that stand 151 bits apart, so no more is asked of it.
    """
    checked = {SecurityKind.MODE_7: (64, 256), SecurityKind.ELL_CTR: (16, 2)}
    for number, sample, _, chance in cases(driver):
        damage = checked.get(identify(sample.telegram, REGISTRY).envelope.security)
        if sample.key is None or damage is None:
            continue
        most, within = damage
        before = measured(sample.telegram, sample.key)
        damaged = flipped(sample.telegram, chance, ADDRESS_END, most=most, within=within)
        after = measured(damaged, sample.key)
        assert before is not None
        assert after is None or after.values == before.values, number
