"""A fleet of meters for the benches: meters with individual keys, and one telegram of each.

In: a kind of encryption and a number of meters. Out: telegrams as gateways deliver them, link checksums
removed. The one rule: seeded, so that every run measures the same bytes.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from submeter.simulator import layouts
from submeter.simulator.encryption import CI_COMPACT, CI_FULL, ell_ctr, mode5
from submeter.simulator.prios import SAP, PriosState
from submeter.simulator.prios import encrypt as encrypt_prios
from submeter.simulator.records import compact, full

_ITRON = bytes.fromhex("9726")
_KAMSTRUP = bytes.fromhex("2D2C")
_CLOCK = datetime(2026, 11, 22, 6, 1, 12)  # noqa: DTZ001 - a meter's clock has no zone
_TODAY, _MONTH_END, _YEAR_END = date(2026, 11, 22), date(2026, 10, 31), date(2025, 12, 31)
_EVERY_FULL = 8  # one in so many telegrams of a Kamstrup meter is full, the others are compact


class Sample(NamedTuple):
    """A telegram and its meter's key."""

    telegram: bytes
    key: bytes


def mode_5(number: int, chance: random.Random) -> Sample:
    """An Itron water meter: five records in three AES blocks."""
    wire = _ITRON + _digits(number) + b"\x00\x07"
    records = layouts.itron_water(
        litres=chance.randrange(10**7),
        clock=_CLOCK,
        year_end_litres=chance.randrange(10**6),
        year_end=_YEAR_END,
        enhanced_id=number,
    )
    key = chance.randbytes(16)
    return Sample(mode5(wire, key, full(records), access=number & 0xFF), key)


def ell_counter(number: int, chance: random.Random) -> Sample:
    """A Kamstrup heat meter: twelve records, mostly without their headers."""
    wire = _KAMSTRUP + _digits(number) + b"\x34\x04"
    records = layouts.kamstrup_heat(
        wh=chance.randrange(10**8),
        last_hour_wh=chance.randrange(1, 9000),
        today=_TODAY,
        target_wh=chance.randrange(10**7),
        target_day=_MONTH_END,
    )
    whole = number % _EVERY_FULL == 0
    apl = bytes((CI_FULL,)) + full(records) if whole else bytes((CI_COMPACT,)) + compact(records)
    key = chance.randbytes(16)
    return Sample(ell_ctr(wire, key, apl, access=number & 0xFF, session=number), key)


def prios(number: int, chance: random.Random) -> Sample:
    """A Sappel water meter with an individual key."""
    wire = SAP + (number + 18_000_000 | 1 << 29 | 3 << 34 | 8 << 39).to_bytes(6, "little")
    state = PriosState(
        litres=chance.randrange(10**7),
        month_end_litres=chance.randrange(10**6),
        month_end=_MONTH_END,
        rolling=number & 7,
        leak_now=number % 50 == 0,
    )
    key = chance.randbytes(8)
    return Sample(encrypt_prios(wire, state, key), key)


KINDS: dict[str, Callable[[int, random.Random], Sample]] = {
    "mode 5": mode_5,
    "ELL-CTR": ell_counter,
    "PRIOS": prios,
}


def fleet(kind: str, meters: int) -> Iterator[Sample]:
    """One telegram of each meter; in a mixed fleet every kind in turn."""
    chance = random.Random(f"fleet of {meters} {kind}")
    makers = [KINDS[kind]] if kind in KINDS else list(KINDS.values())
    for number in range(meters):
        yield makers[number % len(makers)](number, chance)


@dataclass(frozen=True, slots=True)
class Home:
    """A meter of the fleet of `bench/ingest.py`: what it sends at each hour follows from its number."""

    number: int
    kind: str
    key: bytes
    phase_s: int
    leak_lph: int

    @property
    def fluid(self) -> str:
        return "HEAT" if self.kind == "ELL-CTR" else "COLD_WATER"

    @property
    def scale(self) -> int:
        """Watt-hours for each litre of a water meter that has the same habits; 1 of water."""
        return 400 if self.kind == "ELL-CTR" else 1

    @property
    def step(self) -> int:
        """The smallest difference that its telegrams show: of heat whole kilowatt-hours."""
        return 1000 if self.kind == "ELL-CTR" else 1

    @property
    def first_index(self) -> int:
        """What the register showed at hour 0, before it is scaled: enough for three months before."""
        return 100_000 + self.number % 9_000

    @property
    def habits(self) -> list[int]:
        """What is drawn in each hour of a day after its six of night."""
        chance = random.Random(self.number)
        return [chance.choice((0, 0, 4, 11, 28)) for _ in range(18)]

    def index_at(self, hour: int) -> int:
        """Litres, or watt-hours: nights of nothing, days of some, and the leak. Hours before the first are
        negative.
        """
        days, rest = divmod(hour, 24)
        habits = self.habits
        drawn = days * sum(habits) + sum(habits[: max(0, rest - 6)])
        return (self.first_index + drawn + hour * self.leak_lph) * self.scale

    def shown_at(self, hour: int) -> int:
        """The index that the telegram of an hour shows."""
        return self.index_at(hour) // self.step * self.step

    def telegram(self, hour: int, at: datetime) -> bytes:
        """The telegram of an hour."""
        index, access = self.index_at(hour), hour & 0xFF
        if self.kind == "mode 5":
            records = layouts.itron_water(
                litres=index, clock=at, year_end_litres=90_000, year_end=_YEAR_END, enhanced_id=self.number
            )
            return mode5(_ITRON + _digits(self.number) + b"\x00\x07", self.key, full(records), access=access)
        if self.kind == "ELL-CTR":
            heat = layouts.kamstrup_heat(
                wh=index, last_hour_wh=500, today=at.date(), target_wh=90_000, target_day=_MONTH_END
            )
            whole = (self.number + hour) % _EVERY_FULL == 0
            apl = bytes((CI_FULL,)) + full(heat) if whole else bytes((CI_COMPACT,)) + compact(heat)
            wire = _KAMSTRUP + _digits(self.number) + b"\x34\x04"
            return ell_ctr(wire, self.key, apl, access=access, session=hour + 1)
        state = PriosState(
            litres=index, month_end_litres=90_000, month_end=_MONTH_END, rolling=hour & 7, leak_now=False
        )
        wire = SAP + (self.number + 18_000_000 | 1 << 29 | 3 << 34 | 8 << 39).to_bytes(6, "little")
        return encrypt_prios(wire, state, self.key)


def home_of(number: int) -> Home:
    """The meter with this number."""
    chance = random.Random(number * 31 + 1)
    kind = list(KINDS)[number % len(KINDS)]
    leaks = kind != "ELL-CTR" and chance.random() < _LEAKING
    key = chance.randbytes(8 if kind == "PRIOS" else 16)
    return Home(number, kind, key, chance.randrange(3300), chance.choice((6, 10, 18)) if leaks else 0)


_LEAKING = 0.03


def _digits(number: int) -> bytes:
    return bytes.fromhex(f"{number:08d}")[::-1]
