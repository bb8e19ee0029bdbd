"""Meters of every driver whose true indexes are known, their telegrams, and damage to them.

In: a driver's name and a seeded chance. Out: meters in an encrypted and a plain layout, hourly indexes of a
household, their telegrams, and damaged copies of any kind. The one rule: the telegrams come from the
simulator, which shares no code with the decoder.
"""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from submeter.simulator import encryption, fleet, layouts, prios
from submeter.simulator.records import compact, full
from submeter.simulator.values import DemoMeter, Fluid

HOUR_S = 3600
START_S = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp())
DRIVERS = ("ista", "itron", "kamstrup", "ocea")
ADDRESS_END = 10
_INSTALLED = date(2024, 1, 1)
_MONTH_END = date(2026, 2, 28)
_EPOCH_S = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())


class Flow(StrEnum):
    """What a household draws."""

    USUAL = "USUAL"
    LEAKING = "LEAKING"
    BURST = "BURST"
    AWAY = "AWAY"


@dataclass(frozen=True, slots=True)
class Household:
    """A meter with its true index at every hour: `indexes[n]` at `START_S + n * HOUR_S`, in its unit."""

    meter: DemoMeter
    encrypted: bool
    indexes: tuple[int, ...]
    phase_s: int

    @property
    def key(self) -> bytes | None:
        """The key that opens its telegrams; of a plain one none."""
        return self.meter.key if self.encrypted else None

    def index_at(self, second: int) -> int:
        """What its register shows, floored to its step."""
        hour, within = divmod(second - START_S, HOUR_S)
        before, after = self.indexes[hour : hour + 2]
        exact = before + (after - before) * within // HOUR_S
        return exact // self.meter.register_step * self.meter.register_step

    def telegram(self, second: int) -> bytes:
        """What it sends at a second, without link checksums."""
        index, number = self.index_at(second), (second - START_S) // 60
        moment = datetime.fromtimestamp(second, UTC)
        match self.meter.vendor:
            case "ocea":
                state = prios.PriosState(
                    litres=index,
                    month_end_litres=self.indexes[0],
                    month_end=_MONTH_END,
                    rolling=second // HOUR_S % 8,
                )
                return prios.encrypt(self.meter.wire_address, state)
            case "itron":
                records = layouts.itron_water(
                    litres=index,
                    clock=moment.replace(tzinfo=None),
                    year_end_litres=self.indexes[0],
                    year_end=date(2025, 12, 31),
                    enhanced_id=93800000000 + int(self.meter.printed_serial),
                )
            case "kamstrup":
                records = layouts.kamstrup_heat(
                    wh=index, last_hour_wh=0, today=moment.date(), target_wh=0, target_day=date(2026, 3, 1)
                )
            case _ if self.meter.fluid is Fluid.HEAT:
                records = layouts.ista_heat(
                    wh=index,
                    year_end_wh=0,
                    year_end=date(2025, 12, 31),
                    month_end_wh=self.indexes[0],
                    month_end=_MONTH_END,
                )
            case _:
                records = layouts.ista_water(
                    litres=index, month_end_litres=self.indexes[0], month_end=_MONTH_END
                )
        return self._around(records, number, second)

    def _around(self, records: tuple, number: int, second: int) -> bytes:
        wire, access = self.meter.wire_address, number & 0xFF
        if self.key is None:
            head = bytes((encryption.CI_SHORT_HEADER, access, 0, 0, 0))
            return encryption.telegram(wire, head + full(records))
        match self.meter.vendor:
            case "itron":
                return encryption.mode5(wire, self.key, full(records), access=access)
            case "kamstrup":
                whole = number % 8 == 0
                apl = b"\x78" + full(records) if whole else b"\x79" + compact(records)
                session = (second - _EPOCH_S) // 60
                return encryption.ell_ctr(wire, self.key, apl, access=access, session=session)
            case _:
                return encryption.mode7(wire, self.key, full(records), access=access, counter=1 + number)


def households(driver: str, count: int, hours: int, chance: random.Random) -> list[Household]:
    """So many households of a driver; every other one sends in the clear, but for ocea's, which all do."""
    flows = [Flow.USUAL] * 7 + [Flow.LEAKING, Flow.BURST, Flow.AWAY]
    return [
        Household(
            meter := _meter(driver, number),
            encrypted=driver != "ocea" and number // 7 % 2 == 0,
            indexes=_indexes(meter, flows[number % len(flows)], hours, chance),
            phase_s=chance.randrange(180),
        )
        for number in range(count)
    ]


def _meter(driver: str, number: int) -> DemoMeter:
    match driver:
        case "ocea":
            return fleet.sappel(Fluid.COLD_WATER, f"H18CA{200_000 + number * 7:06d}", _INSTALLED)
        case "itron":
            return fleet.itron(f"{48_300_000 + number * 137:08d}", _INSTALLED)
        case "kamstrup":
            return fleet.kamstrup(f"{63_400_000 + number * 211:08d}", 0x0C, _INSTALLED)
    return fleet.ista(Fluid.HEAT if number % 3 == 0 else Fluid.COLD_WATER, number, _INSTALLED)


def _indexes(meter: DemoMeter, flow: Flow, hours: int, chance: random.Random) -> tuple[int, ...]:
    heat = meter.fluid is Fluid.HEAT
    found = [chance.randrange(2_000_000, 30_000_000) if heat else chance.randrange(20_000, 900_000)]
    away = range(hours // 3, hours // 2) if flow is Flow.AWAY else range(0)
    for hour in range(hours + 1):
        drawn = chance.randrange(600, 4000) if heat else _drawn(hour % 24, chance)
        if hour in away:
            drawn = 0
        if flow is Flow.LEAKING and hour >= hours // 2:
            drawn += 6
        if flow is Flow.BURST and hour in range(hours // 2, hours // 2 + 3):
            drawn += 600
        found.append(found[-1] + drawn)
    return tuple(found)


def _drawn(hour: int, chance: random.Random) -> int:
    """Litres in an hour of the day: little at night, showers in the morning, a bath now and then."""
    if hour < 5:
        return chance.choice((0, 0, 0, 0, 0, 9))
    if chance.random() < 0.02:
        return chance.randrange(150, 240)
    return chance.choice((0, 0, 3, 6, 12, 30, 60, 90 if hour in (6, 7, 20) else 1))


class Kind(StrEnum):
    """How a telegram is damaged."""

    BIT = "BIT"
    BITS = "BITS"
    SWAPPED = "SWAPPED"
    TRUNCATED = "TRUNCATED"
    EXTENDED = "EXTENDED"
    DOUBLED = "DOUBLED"
    RANDOM_CONTENT = "RANDOM_CONTENT"
    GARBLED_DIGITS = "GARBLED_DIGITS"
    SPLICED = "SPLICED"
    """Another meter's content behind this one's address."""
    OTHERS_BIT = "OTHERS_BIT"
    """Another meter's telegram at this moment, with one bit turned."""


def damaged(telegram: bytes, other: bytes, kind: Kind, chance: random.Random) -> bytes:
    """One telegram with one kind of damage; `other` is another meter's."""
    if kind in {Kind.TRUNCATED, Kind.EXTENDED, Kind.DOUBLED, Kind.SPLICED}:
        return _of_another_length(telegram, other, kind, chance)
    out = bytearray(other if kind is Kind.OTHERS_BIT else telegram)
    match kind:
        case Kind.BIT | Kind.OTHERS_BIT:
            _turn(out, 1, chance)
        case Kind.BITS:
            _turn(out, chance.randrange(2, 7), chance)
        case Kind.SWAPPED:
            at = chance.randrange(len(out) - 1)
            out[at], out[at + 1] = out[at + 1], out[at]
        case Kind.RANDOM_CONTENT:
            start = chance.randrange(ADDRESS_END, len(out))
            out[start:] = chance.randbytes(len(out) - start)
        case _:
            digits = list(out.hex())
            for _ in range(chance.randrange(1, 4)):
                digits[chance.randrange(len(digits))] = chance.choice("0123456789abcdef")
            out = bytearray.fromhex("".join(digits))
    return bytes(out)


def _turn(out: bytearray, bits: int, chance: random.Random) -> None:
    for _ in range(bits):
        out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)


def _of_another_length(telegram: bytes, other: bytes, kind: Kind, chance: random.Random) -> bytes:
    """Cut, extended, with bytes doubled, or with another's end; the L field as it was or one that fits."""
    at = chance.randrange(len(telegram))
    match kind:
        case Kind.TRUNCATED:
            out = telegram[: max(1, at)]
        case Kind.EXTENDED:
            out = telegram + chance.randbytes(chance.randrange(1, 20))
        case Kind.DOUBLED:
            out = telegram[: at + chance.randrange(1, 9)] + telegram[at:]
        case _:
            start = chance.randrange(ADDRESS_END, len(telegram))
            out = telegram[:start] + other[start:]
    out = out[:256]
    return bytes((len(out) - 1,)) + out[1:] if chance.random() < 0.5 else out
