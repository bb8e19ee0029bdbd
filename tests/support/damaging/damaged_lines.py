"""Gateway lines of meters, among them damaged ones, taken in; and what became of the figures.

In: households of `damage`. Out: lines in every shape, the tables after an intake, and how they
differ from those of the true lines alone. The one rule: a damaged line that still tells the truth (the damage
hit nothing that is read) counts as a true one, and is delivered in both.
"""

import json
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from core.access import SYSTEM
from core.bootstrap import Application
from core.metering import Registry, TelegramError, flags_to_bits, identify, open_telegram, parse_line
from core.models import Meter
from core.services.places.hourly_volumes import hours_of
from core.services.places.key_encryption import KeyEncryption
from core.services.places.meter_directory import meters_by_address
from core.services.portfolio.descriptions import DwellingSpec, MeterSpec, OccupancySpec, ResidenceSpec
from core.services.portfolio.portfolio import upsert_residence
from core.services.shared.transaction import current_database
from core.services.telegrams.pipeline import take_in
from submeter.simulator.values import Fluid
from tests.support import factories
from tests.support.damaging.damage import HOUR_S, START_S, Household, Kind, damaged
from tests.support.telegrams.encryption import format_a

_ROW = re.compile(r"(leak|withdrawn):\d+")
"""The number of an episode or alert, which other rows before it move."""
_EMAIL = "claire.martin@example.org"


class Shape(StrEnum):
    """A line format; one each to a meter."""

    JSON = "JSON"
    RTL_WMBUS = "RTL_WMBUS"
    RTL_433 = "RTL_433"
    CHECKSUMS = "CHECKSUMS"
    CULFW = "CULFW"
    HEX = "HEX"
    SIMULATION = "SIMULATION"


SHAPES = tuple(Shape)
UNTIMED = frozenset({Shape.CULFW, Shape.HEX, Shape.SIMULATION})
_LIVE = frozenset({Shape.CULFW, Shape.HEX})
_CHECKED = frozenset({Shape.CHECKSUMS, Shape.CULFW})


class Line(NamedTuple):
    """A line: of which household (its place), when, and whether it was damaged."""

    text: str
    home: int
    at_s: int
    kind: Kind | None


class Delivery(NamedTuple):
    """Lines of one submission, and when they were received."""

    lines: tuple[Line, ...]
    now: datetime


def shape_of(home: int) -> Shape:
    """The line format of a household's gateway."""
    return SHAPES[home % len(SHAPES)]


def true_lines(homes: Sequence[Household], hours: int) -> list[Line]:
    """Each meter's hourly lines."""
    return [
        Line(written(shape_of(place), framed(shape_of(place), home.telegram(at_s)), at_s), place, at_s, None)
        for place, home in enumerate(homes)
        for at_s in range(START_S + home.phase_s, START_S + hours * HOUR_S, HOUR_S)
    ]


def damaged_lines(homes: Sequence[Household], hours: int, count: int, chance: random.Random) -> list[Line]:
    """So many lines of telegrams that were damaged: at the moment of a true one, about it, or in between.

    The last three hours have none: the readings after a false one decide about it.
    """
    found = []
    for _ in range(count):
        place = chance.randrange(len(homes))
        home, shape = homes[place], shape_of(place)
        at_s = START_S + chance.randrange(hours - 3) * HOUR_S + home.phase_s
        at_s += chance.choice((0, chance.randrange(-600, 600), chance.randrange(HOUR_S)))
        at_s = min(max(at_s, START_S), START_S + (hours - 3) * HOUR_S - 1)
        kind = chance.choice(tuple(Kind))
        other = chance.choice(_others(homes, place)).telegram(at_s)
        telegram = damaged(framed(shape, home.telegram(at_s)), framed(shape, other), kind, chance)
        text = written(shape, telegram, at_s)
        if kind is Kind.GARBLED_DIGITS and chance.random() < 0.3:
            at = text.find(telegram.hex()) + chance.randrange(2 * len(telegram))
            text = text[:at] + chance.choice("gxZ-;,|. ") + text[at + 1 :]
        found.append(Line(text, place, at_s, kind))
    return found


def _others(homes: Sequence[Household], place: int) -> list[Household]:
    """Those that the same gateways receive: a line without a time is laid after all of its meter."""
    shape = shape_of(place)
    return [
        home
        for number, home in enumerate(homes)
        if number != place and (shape_of(number) is shape or not {shape, shape_of(number)} & UNTIMED)
    ]


def framed(shape: Shape, telegram: bytes) -> bytes:
    """A telegram as a format delivers it: with or without link checksums."""
    return format_a(telegram) if shape in _CHECKED else telegram


def written(shape: Shape, telegram: bytes, at_s: int) -> str:
    """The line of one telegram."""
    moment = datetime.fromtimestamp(at_s, UTC)
    match shape:
        case Shape.JSON:
            return json.dumps({"telegram": telegram.hex(), "timestamp": moment.isoformat()})
        case Shape.RTL_WMBUS:
            return f"T1;1;1;{moment:%Y-%m-%d %H:%M:%S}.000;97;148;00000000;0x{telegram.hex()}"
        case Shape.RTL_433:
            time = f"{moment:%Y-%m-%d %H:%M:%S}"
            return json.dumps({"time": time, "model": "Wireless-MBus", "mic": "CRC", "data": telegram.hex()})
        case Shape.CHECKSUMS:
            return json.dumps(
                {"telegram": telegram.hex(), "crc_kept": True, "received_at": moment.isoformat()}
            )
        case Shape.CULFW:
            return f"b{telegram.hex()}8048"
        case Shape.HEX:
            return telegram.hex()
        case Shape.SIMULATION:
            return f"telegram=|{telegram.hex()}|+{at_s - START_S}"


def deliveries(
    lines: Iterable[Line], hours: int, chance: random.Random, *, shuffled: bool, batch_hours: int = 6
) -> list[Delivery]:
    """All lines as they are submitted: those with a time by the clock, or in any order at the end; live
    ones without every hour; a simulation file at once.
    """
    by_time = sorted(lines, key=lambda line: line.at_s)
    end = datetime.fromtimestamp(START_S + hours * HOUR_S, UTC)
    timed = [line for line in by_time if shape_of(line.home) not in UNTIMED]
    live = [line for line in by_time if shape_of(line.home) in _LIVE]
    simulated = [line for line in by_time if shape_of(line.home) is Shape.SIMULATION]
    if shuffled:
        chance.shuffle(timed)
        size = max(20, len(timed) // 40)
        found = [Delivery(tuple(timed[at : at + size]), end) for at in range(0, len(timed), size)]
    else:
        found = _by_the_clock(timed, batch_hours)
    found = sorted([*found, *_by_the_clock(live, 1)], key=lambda one: one.now)
    return [*found, *([Delivery(tuple(simulated), end)] if simulated else [])]


def _by_the_clock(lines: Sequence[Line], hours: int) -> list[Delivery]:
    groups: dict[int, list[Line]] = {}
    for line in lines:
        groups.setdefault((line.at_s - START_S) // (hours * HOUR_S), []).append(line)
    return [
        Delivery(tuple(group), datetime.fromtimestamp(START_S + (number + 1) * hours * HOUR_S, UTC))
        for number, group in sorted(groups.items())
    ]


def tells_the_truth(line: Line, homes: Sequence[Household], registry: Registry) -> bool:
    """Whether a damaged line still gives the index and the status of the meter that it names."""
    known = {home.meter.address: home for home in homes}
    try:
        parsed = parse_line(line.text)
        identified = identify(parsed.telegram, registry, crc_kept=parsed.crc_kept)
        home = known.get(str(identified.address))
        if home is None:
            return False
        measurement = open_telegram(identified, home.key).measurement
    except TelegramError:
        return False
    index = measurement.index
    return (
        index is not None
        and index.value == home.index_at(line.at_s)
        and flags_to_bits(measurement.flags) == 0
        and index.fluid_quantity is not None
    )


async def describe(homes: Sequence[Household], key_encryption: KeyEncryption) -> None:
    """A residence with one dwelling for each meter, and a resident who is notified of everything."""
    await factories.account(email=_EMAIL)
    await upsert_residence(
        SYSTEM,
        ResidenceSpec(
            operator_code=factories.OPERATOR,
            operator_name="OCEA Smart Building",
            code="AA000",
            name="Résidence Les Tilleuls",
            street="1 place Victor Hugo",
            postcode="92400",
            city="Courbevoie",
            published_at=factories.NOW,
            dwellings=[
                DwellingSpec(
                    number=str(place),
                    meters=[_meter_spec(home)],
                    occupancies=[OccupancySpec(move_in=home.meter.installed_on, email=_EMAIL)],
                )
                for place, home in enumerate(homes)
            ],
        ),
        key_encryption=key_encryption,
        now=factories.NOW,
    )


def _meter_spec(home: Household) -> MeterSpec:
    meter = home.meter
    return MeterSpec(
        fluid=meter.fluid,
        vendor=meter.vendor.value,
        printed_serial=meter.printed_serial,
        radio_address=meter.address,
        installed_at=datetime(2024, 1, 1, tzinfo=UTC),
        register_step=meter.register_step,
        register_capacity=None if meter.fluid is Fluid.HEAT else 100_000_000,
        key=home.key,
    )


async def take(application: Application, submitted: Iterable[Delivery]) -> None:
    """Take the lines in."""
    for delivery in submitted:
        if delivery.lines:
            texts = [line.text for line in delivery.lines]
            await take_in(
                application, SYSTEM, texts, source="damage", now=delivery.now + timedelta(minutes=1)
            )


@dataclass(frozen=True, slots=True)
class Figures:
    """The tables after an intake, each row by what names it; `addresses` of the meters by id."""

    addresses: dict[int, str]
    reading: dict[tuple[int, int], tuple[int, int]]
    hourly: dict[tuple[int, int], int]
    daily: dict[tuple[int, int], tuple[int, str]]
    alerts: frozenset[tuple[str, ...]]
    episodes: frozenset[tuple[str, ...]]
    messages: frozenset[tuple[str, ...]]
    doubtful: dict[tuple[int, int, int], tuple[str, int, int]]


async def figures() -> Figures:
    """What is stored now."""

    async def rows(statement: str) -> list[tuple]:
        return [tuple(row.values()) for row in await current_database().execute_query_dict(statement)]

    async def texts(statement: str) -> frozenset[tuple[str, ...]]:
        return frozenset(tuple(_ROW.sub(r"\1", str(value)) for value in row) for row in await rows(statement))

    return Figures(
        addresses=dict(await rows("SELECT id, radio_address FROM meter")),
        reading={
            (one, at): (index, evidence)
            for one, at, index, evidence in await rows(
                "SELECT meter_id, read_at, index_value, evidence FROM reading"
            )
        },
        hourly=await _hours(),
        daily={
            (one, day): (amount, quality)
            for one, day, amount, quality in await rows(
                "SELECT meter_id, day, amount, quality FROM daily_volume"
            )
        },
        alerts=await texts(
            "SELECT COALESCE(meter_id, (SELECT id FROM meter WHERE dwelling_id = alert.dwelling_id)), kind,"
            " alert_key, started_on, ended_on, amount FROM alert"
        ),
        episodes=await texts(
            "SELECT meter_id, started_on, ended_on, level_at_opening, level_now, level_max,"
            " q_min_at_opening_lph, loss_litres, mean_flow_lph, counted_days, close_reason FROM leak_episode"
        ),
        messages=await texts(
            "SELECT a.meter_id, m.template, m.idempotency_key FROM outbox_message m"
            " LEFT JOIN alert a ON a.id = m.alert_id"
        ),
        doubtful={
            (one, at, index): (doubt, evidence, int(decided))
            for one, at, index, doubt, evidence, decided in await rows(
                "SELECT meter_id, read_at, index_value, doubt, evidence, decided FROM doubtful_reading"
            )
        },
    )


async def _hours() -> dict[tuple[int, int], int]:
    """Every hour of every meter."""
    addresses = await Meter.all().values_list("radio_address", flat=True)
    meters = await meters_by_address(SYSTEM, addresses, key_encryption=KeyEncryption.under("x" * 32))
    whole = dict.fromkeys(meters.values(), (0, 1 << 40))
    hours = await hours_of(current_database(), whole)
    return {(meter_id, hour.start_s): hour.amount for meter_id, rows in hours.items() for hour in rows}


async def forget() -> None:
    """Empty every table that intake writes to."""
    tables = ("slow_leak_hint", "burst_draw", "recurring_draw_answer", "recurring_draw", "outbox_message")
    tables += ("alert_action", "alert", "leak_episode", "leak_classifier_state", "dead_letter")
    tables += ("doubtful_reading", "message_counter", "meter_state", "daily_volume", "reading")
    for name in tables:
        await current_database().execute_script(f"DELETE FROM {name}")


async def forget_all() -> None:
    """Empty the meters and residences as well."""
    await forget()
    for name in ("occupancy", "meter_key", "meter", "dwelling", "residence"):
        await current_database().execute_script(f"DELETE FROM {name}")
