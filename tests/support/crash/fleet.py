"""A small fleet with residents, and its lines: what the crash tests take in, and what must be stored of it.

In: how many meters and hours, and a seed. Out: rows of the meters and lines of gateways, shuffled within each
hour, a tenth doubled, some of them useless. The one rule: what must be stored is known from the lines alone.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bench.fleet import Home, home_of
from core.metering import Registry, identify
from core.models import Account, Dwelling, Meter, MeterKey, Occupancy, Operator, Residence
from core.operators import OccupancyKind
from core.services.places.key_encryption import KeyEncryption

START = datetime(2026, 11, 2, 0, 7, tzinfo=UTC)
A_DWELLING = 4
DOUBLED = 0.1
USELESS = 0.004
_MANY = 400
_AT_ONCE = 500
_INSTALLED = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Lines:
    """The lines of some hours, by hour, and what must be there once they are ingested.

    Attributes:
        hours: the lines in the order of their delivery.
        readings: (id of the meter, epoch seconds, index) of every telegram of a known meter.
        useless: the lines that can only become dead letters.
    """

    hours: list[list[str]] = field(default_factory=list)
    readings: set[tuple[int, int, int]] = field(default_factory=set)
    useless: set[str] = field(default_factory=set)

    def all(self) -> list[str]:
        """All lines in order."""
        return [line for hour in self.hours for line in hour]


def homes_of(meters: int) -> list[Home]:
    """So many homes; a small fleet has a leaking home in the first place, as a large one has by chance."""
    homes = list(map(home_of, range(meters)))
    if meters < _MANY and not any(home.leak_lph for home in homes):
        homes[0] = next(home for home in map(home_of, range(meters, meters + _MANY)) if home.leak_lph)
    return homes


def lines_of(homes: list[Home], hours: int, seed: int = 1) -> Lines:
    """What gateways deliver in so many hours."""
    chance = random.Random(seed)
    lines = Lines()
    for hour in range(hours):
        texts = []
        for home in homes:
            at = START + timedelta(hours=hour, seconds=home.phase_s)
            telegram = home.telegram(hour, at)
            text = _line(telegram, at)
            texts += [text, text] if chance.random() < DOUBLED else [text]
            lines.readings.add((home.number + 1, int(at.timestamp()), home.shown_at(hour)))
            if chance.random() < USELESS:
                useless = _line(telegram[: len(telegram) // 2], at)
                lines.useless.add(useless)
                texts.append(useless)
        chance.shuffle(texts)
        lines.hours.append(texts)
    return lines


def _line(telegram: bytes, at: datetime) -> str:
    return json.dumps({"telegram": telegram.hex(), "timestamp": at.isoformat(), "mic": "CRC"})


def end_of(hours: int) -> datetime:
    """A moment when all these hours have been received."""
    return START + timedelta(hours=hours + 1)


async def describe(homes: list[Home], registry: Registry, keys: KeyEncryption) -> None:
    """Store the meters, and a resident in every dwelling who is notified of everything."""
    operator = await Operator.create(code="ocea", name="Crash", created_at=_INSTALLED)
    residence = await Residence.create(
        operator=operator,
        code="AA000",
        name="Crash",
        street="1 rue",
        postcode="75001",
        city="Paris",
        time_zone="Europe/Paris",
        published_at=_INSTALLED,
    )
    for first in range(0, len(homes), _AT_ONCE * A_DWELLING):
        some = homes[first : first + _AT_ONCE * A_DWELLING]
        await _describe(some, first, residence, operator, registry, keys)


async def _describe(
    homes: list[Home],
    first: int,
    residence: Residence,
    operator: Operator,
    registry: Registry,
    keys: KeyEncryption,
) -> None:
    numbers = sorted({(first + place) // A_DWELLING + 1 for place in range(len(homes))})
    await Dwelling.bulk_create(
        [Dwelling(id=number, residence=residence, number=str(number)) for number in numbers]
    )
    await Account.bulk_create([_account(number, operator) for number in numbers])
    await Occupancy.bulk_create(
        [
            Occupancy(
                dwelling_id=number, account_id=number, kind=OccupancyKind.TENANT, move_in=_INSTALLED.date()
            )
            for number in numbers
        ]
    )
    addresses = [str(identify(home.telegram(0, START), registry).address) for home in homes]
    await Meter.bulk_create(
        [
            Meter(
                id=home.number + 1,
                dwelling_id=(first + place) // A_DWELLING + 1,
                fluid=home.fluid,
                vendor="crash",
                printed_serial=f"{home.number:08d}",
                serial_key=f"{home.number:08d}",
                radio_address=addresses[place],
                installed_at=_INSTALLED,
            )
            for place, home in enumerate(homes)
        ]
    )
    await MeterKey.bulk_create(
        [
            MeterKey(
                meter_id=home.number + 1,
                encrypted_key=keys.encrypt(home.key, radio_address=address),
                added_at=_INSTALLED,
            )
            for home, address in zip(homes, addresses, strict=True)
        ]
    )


def _account(number: int, operator: Operator) -> Account:
    return Account(
        id=number,
        operator=operator,
        email=f"resident{number}@example.org",
        email_key=f"resident{number}@example.org",
        password_hash="none",
        first_name="A",
        last_name="Resident",
        leak_by_email=True,
        over_consumption_by_email=True,
        created_at=_INSTALLED,
    )


def shares(lines: list[str], workers: int) -> Iterator[list[str]]:
    """The lines dealt out to workers one by one, so that each meets every meter."""
    for number in range(workers):
        yield lines[number::workers]
