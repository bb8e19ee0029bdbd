"""The driver of meters that no vendor package claims.

In: an opened frame. Out: the values that EN 13757-3 alone lets one read, marked `generic`. The one rule: an
unknown meter of whatever maker is read as far as the standard goes and flagged; it is not dropped. The
standard leaves open what a storage number means, so a snapshot is published only when value and day stand
under number 1, which the makers agree on, when there is but one number to choose from, or when the values
themselves leave no choice. Nobody has looked at what such a meter sends when it has nothing to say, so what
cannot be is left out: a clock that was never set, a snapshot of the meter's own future, a temperature that no
sensor measures.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from core.mbus.frame import Coordinates, Frame, Layout, Place
from core.mbus.no_value import NEVER_SET, UNSET_YEAR, clock_day, day_of, guards, has_been, possible
from core.mbus.units import BACKWARD, FORWARD
from core.mbus.values import Coding
from core.mbus.vocabulary import Function, Measurand, RecordValue
from core.metering.driver import MeterDriver
from core.metering.fields import DATED, NOW, Field, SnapshotPlaces, may_count, single_day
from core.metering.measurement import MeasuredValue, Measurement
from core.metering.serials import SerialFormat
from core.metering.table import Table

_NOTHING: Final[Mapping[str, MeasuredValue]] = MappingProxyType({})
_LAST_BILLING: Final = 1
_NEVER: Final = frozenset(bytes((filler,)) * length for filler in (0x00, 0xFF) for length in (2, 4, 6))
# What a value that was measured lies between, both included. Heat meters measure up to 180 C (EN 1434-1), and
# the cells in meters are made for 12 to 16 years; beyond stand 7FFF and other fillers.
_LIMITS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "flow_temperature_c": (-100, 200),
        "return_temperature_c": (-100, 200),
        "external_temperature_c": (-100, 200),
        "temperature_difference_c": (-200, 200),
        "battery_days": (0, 30 * 366),
    }
)
# A meter of heat and cooling counts what goes one way and the other: heat forward, cooling backward.
_BOTH_WAYS: Final = 0x0D
# How many days a year of battery life has is the maker's: days are given as days.
_NOW: Final = (
    *(field for field in NOW if field.name != "battery_years"),
    Field("battery_days", Measurand.REMAINING_BATTERY),
)
_HEAT_AND_COOLING: Final = (
    Field("total_energy_kwh", Measurand.ENERGY, modifiers=(FORWARD,)),
    Field("total_cooling_energy_kwh", Measurand.ENERGY, modifiers=(BACKWARD,)),
    *(field for field in _NOW if field.name != "backward_energy_kwh"),
)
# Or the one circuit apart from the other: see `_has_cooling_circuit`.
_COOLING_CIRCUIT: Final = 1
_CIRCUITS: Final = (
    *_HEAT_AND_COOLING,
    Field("total_cooling_energy_kwh", Measurand.ENERGY, subunit=_COOLING_CIRCUIT),
)


class _Snapshot(NamedTuple):
    """The storage number of the last billing, and whether its day is sent."""

    storage: int
    dated: bool


@lru_cache(maxsize=256)
def _table(snapshot: _Snapshot | None, *, both_ways: bool, circuits: bool) -> Table:
    target = () if snapshot is None else (snapshot.storage,)
    storages = () if snapshot is None or not snapshot.dated else target
    if not both_ways:
        return Table(target=target, storages=storages, now=_NOW)
    heat = tuple(
        Field("target_energy_kwh", Measurand.ENERGY, number, modifiers=(FORWARD,)) for number in target
    )
    now = _CIRCUITS if circuits else _HEAT_AND_COOLING
    return Table(heat, target=target, storages=storages, now=now)


def interpret(frame: Frame) -> Measurement:
    """Reads the fields of the standard."""
    table, values = _read(frame)
    return table.interpret(frame, values, generic=True)


def standard(
    frame: Frame, more: Mapping[str, MeasuredValue] = _NOTHING, *, storages: tuple[int, ...] | None = None
) -> Measurement:
    """What the standard alone lets one read of a frame, for a driver that knows a little more.

    Args:
        frame: of a meter of that driver.
        more: the values that the driver knows, in place of any of the same name.
        storages: the storage numbers that the driver knows to be dated snapshots of the counter, for the
            history. None: the one that the standard leaves no doubt about, if there is one.

    """
    table, values = _read(frame)
    if storages is not None:
        table = Table(storages=storages)
    return table.interpret(frame, {**values, **more})


def _read(frame: Frame) -> tuple[Table, dict[str, MeasuredValue]]:
    """The table that fits a frame, and its values."""
    both_ways = frame.envelope.meter_address.medium == _BOTH_WAYS
    snapshot = _snapshot(frame, both_ways=both_ways)
    table = _table(snapshot, both_ways=both_ways, circuits=both_ways and _has_cooling_circuit(frame.layout))
    values = table.values(frame)
    if snapshot is not None and not snapshot.dated:
        values.pop("target_date", None)
    if "fabrication_no" in values and _has_binary_fabrication_number(frame.layout):
        # Some makers put decimal digits under a binary coding: which is meant cannot be known.
        del values["fabrication_no"]
    for name in [name for name, value in values.items() if not _can_be(name, value)]:
        del values[name]
    return table, values


def _can_be(name: str, value: MeasuredValue) -> bool:
    if isinstance(value, str):
        return bool(value.strip(" 0"))  # a number that names something is neither blank nor all zeros
    if isinstance(value, date):
        return name != "meter_datetime" or clock_day(value) is not None
    limits = _LIMITS.get(name)
    return limits is None or limits[0] <= value <= limits[1]


def _has_binary_fabrication_number(layout: Layout) -> bool:
    known: bool | None = layout.plans.get(_has_binary_fabrication_number)
    if known is None:
        binary = any(
            place.meaning.measurand is Measurand.FABRICATION_NUMBER and place.meaning.coding <= Coding.INT64
            for place in layout.places
        )
        known = layout.keep(_has_binary_fabrication_number, binary)
    return known


def _has_cooling_circuit(layout: Layout) -> bool:
    """True when subunit 1 counts what the meter itself counts, one energy and one volume, in the same units,
    no other subunit does, and no energy says which way it went.

    A meter of type 0D counts heat and cooling (device types of EN 13757): of two such circuits the second is
    the cooling. A pulse input, which makers number as a subunit too, counts one thing, energy or volume.
    """
    meanings = [place.meaning for place in layout.places]
    if any(meaning.measurand is Measurand.ENERGY and meaning.modifiers for meaning in meanings):
        return False
    circuits: dict[int, list[tuple[Measurand, str, Decimal | None]]] = {}
    for meaning in meanings:
        where = (meaning.measurand, 0, 0, meaning.subunit, Function.INSTANTANEOUS, ())
        if meaning.measurand in _OF_A_CIRCUIT and meaning.coordinates == where:
            circuits.setdefault(meaning.subunit, []).append((meaning.measurand, meaning.unit, meaning.scale))
    own, other = circuits.pop(0, []), circuits.pop(_COOLING_CIRCUIT, [])
    whole = len(own) == len(other) == len(_OF_A_CIRCUIT) == len({measurand for measurand, _, _ in own})
    return whole and set(own) == set(other) and not circuits


_OF_A_CIRCUIT: Final = frozenset({Measurand.ENERGY, Measurand.VOLUME})


def _snapshot(frame: Frame, *, both_ways: bool) -> _Snapshot | None:
    """Where the last billing stands; None when that is open to doubt."""
    known, values = SnapshotPlaces.of(frame.layout), frame.values
    if not known.counted and not both_ways:
        return None  # what was counted is sent of now alone
    days = _dated_places(frame.layout)
    never = {place.meaning.storage for place in days if frame.content[place.start : place.stop] in _NEVER}
    moments = {
        storage: day_of(day)
        for storage, indexes in known.days.items()
        if storage and (day := single_day(values, indexes)) is not None
    }
    dated = {storage for storage, day in moments.items() if day != NEVER_SET}
    counts = _counts(frame, both_ways=both_ways)
    valued = {storage: counted for storage, counted in counts.items() if storage not in never}
    has_day = True
    if _LAST_BILLING in valued.keys() & dated:
        found = _LAST_BILLING
    elif len(valued) == 1 and dated <= valued.keys():
        (found,) = valued
    elif not dated and (_agree(valued) or _goes_before(valued, _counts_of_now(frame))):
        found, has_day = _LAST_BILLING, False  # a day of 2000-01-01 is that of a clock that starts
    else:
        return None
    day = moments.get(found)
    counted = any(value > 0 for value in counts[found].values())
    if day is None or (has_been(day, _clock(frame)) and (day.year > UNSET_YEAR or counted)):
        return _Snapshot(found, has_day)
    return None  # not taken: it is of a day to come, or of a clock that starts, with nothing counted


def _dated_places(layout: Layout) -> tuple[Place, ...]:
    """The days and moments of a layout under storage numbers, 0 excepted; kept with it."""
    known: tuple[Place, ...] | None = layout.plans.get(_dated_places)
    if known is None:
        places = [place for place in layout.places if place.meaning.storage]
        dated = tuple([place for place in places if place.meaning.measurand in DATED])
        known = layout.keep(_dated_places, dated)
    return known


_Counted = dict[tuple[Measurand, str, tuple[int, ...]], int | Decimal]
"""What is counted under a storage number, by measurand, unit and modifiers."""


def _agree(valued: Mapping[int, _Counted]) -> bool:
    """True when number 1 and all others hold the same: whichever is the billing, its values are known."""
    first = valued.get(_LAST_BILLING)
    return first is not None and all(counted == first for counted in valued.values())


def _goes_before(valued: Mapping[int, _Counted], now: _Counted) -> bool:
    """True when there are numbers 1 and 2, and 1 was taken before 2, as the counters say, which only rise.

    Number 1 holds the value of the set date, as OMS Volume 2 lists it. Meters that keep months there instead
    have the latest under 1 and the others behind it, so that 1 is never below 2. Allocators start again each
    year and prove nothing; neither does a counter that is now below what it was.
    """
    if valued.keys() != {_LAST_BILLING, _LAST_BILLING + 1}:
        return False
    first, second = valued[_LAST_BILLING], valued[_LAST_BILLING + 1]
    return (
        first.keys() == second.keys() <= now.keys()
        and all(first[what] <= second[what] <= now[what] for what in first)
        and any(first[what] < second[what] for what in first)
        and all(measurand is not Measurand.ALLOCATOR_UNITS for measurand, _, _ in first)
    )


def _counts(frame: Frame, *, both_ways: bool) -> dict[int, _Counted]:
    """The billed counters under storage numbers, 0 excepted."""
    layout = frame.layout
    known = SnapshotPlaces.of(layout)
    counted, guarded = known.counted, known.guards
    if both_ways:
        forward = tuple(
            (index, place.meaning.storage)
            for index, place in enumerate(layout.places)
            if place.meaning.storage and place.meaning.coordinates == _forward_energy(place.meaning.storage)
        )
        counted += forward
        guarded += guards(layout, [index for index, _ in forward])
    return _by_storage(layout, possible(frame.values, guarded), counted)


def _counts_of_now(frame: Frame) -> _Counted:
    """The billed counters of now."""
    layout = frame.layout
    places = [
        index
        for index, place in enumerate(layout.places)
        if not place.meaning.storage
        and (may_count(place.meaning) or place.meaning.coordinates == _forward_energy(0))
    ]
    values = possible(frame.values, guards(layout, places))
    return _by_storage(layout, values, [(index, 0) for index in places]).get(0, {})


def _by_storage(
    layout: Layout, values: Sequence[RecordValue], counted: Iterable[tuple[int, int]]
) -> dict[int, _Counted]:
    found: dict[int, _Counted] = {}
    for index, storage in counted:
        value, meaning = values[index], layout.places[index].meaning
        if isinstance(value, int | Decimal):
            what = (meaning.measurand, meaning.unit, meaning.modifiers)
            found.setdefault(storage, {}).setdefault(what, value)
    return found


def _forward_energy(storage: int) -> Coordinates:
    return (Measurand.ENERGY, storage, 0, 0, Function.INSTANTANEOUS, (FORWARD,))


def _clock(frame: Frame) -> date | None:
    """The day that the meter says it is."""
    for measurand in (Measurand.DATE_TIME, Measurand.DATE):
        record = frame.record(measurand)
        if record is not None:
            return clock_day(record.value)
    return None


GENERIC: Final = MeterDriver(
    name="generic",
    title="Any meter that sends plain EN 13757-3 records",
    signatures=(),
    serial=SerialFormat(pattern=r"[0-9A-Z]{4,20}", example="12345678"),
    interpret=interpret,
    compact_formats=(
        # Engelmann FAW, a water meter whose compact frames have a long header (CI 73)
        (
            "426C 4413 01FD17 840113 C40113 840213 C40213 840313 C40313 840413 C40413 840513 C40513 840613"
            " C40613 840713 C40713 840813 046D 0413"
        ),
    ),
)
