"""The driver of meters that no vendor package claims.

In: an opened frame. Out: the values that EN 13757-3 alone lets one read, marked `generic`. The one rule: an
unknown meter of whatever maker is read as far as the standard goes and flagged; it is not dropped. The
standard leaves open what a storage number means, so a snapshot is published only when value and day stand
under number 1, which the makers agree on, or when there is but one number to choose from. Nobody has looked
at what such a meter sends when it has nothing to say, so what cannot be is left out: a clock that was never
set, a snapshot of the meter's own future, a temperature that no sensor measures.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from core.mbus.frame import Coordinates, Frame, Layout
from core.mbus.no_value import NEVER_SET, UNSET_YEAR, clock_day, day_of, guards, has_been, possible
from core.mbus.units import BACKWARD, FORWARD
from core.mbus.values import Coding
from core.mbus.vocabulary import Function, Measurand
from core.metering.driver import MeterDriver
from core.metering.fields import DATED, NOW, Field, SnapshotPlaces, single_day
from core.metering.measurement import MeasuredValue, Measurement
from core.metering.serials import SerialFormat
from core.metering.table import Table

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


@lru_cache(maxsize=256)
def _table(storage: int | None, *, both_ways: bool) -> Table:
    target = () if storage is None else (storage,)
    if not both_ways:
        return Table(target=target, storages=target, now=_NOW)
    heat = tuple(
        Field("target_energy_kwh", Measurand.ENERGY, number, modifiers=(FORWARD,)) for number in target
    )
    return Table(heat, target=target, storages=target, now=_HEAT_AND_COOLING)


def interpret(frame: Frame) -> Measurement:
    """Reads the fields of the standard."""
    both_ways = frame.envelope.meter_address.medium == _BOTH_WAYS
    table = _table(_snapshot(frame, both_ways=both_ways), both_ways=both_ways)
    values = table.values(frame)
    if "fabrication_no" in values and _has_binary_fabrication_number(frame.layout):
        # Some makers put decimal digits under a binary coding: which is meant cannot be known.
        del values["fabrication_no"]
    for name in [name for name, value in values.items() if not _can_be(name, value)]:
        del values[name]
    return table.interpret(frame, values, generic=True)


def _can_be(name: str, value: MeasuredValue) -> bool:
    if isinstance(value, str):
        return bool(value.strip(" 0"))  # a number that names something is neither blank nor all zeros
    if isinstance(value, date):
        return name != "meter_datetime" or clock_day(value) is not None
    limits = _LIMITS.get(name)
    return limits is None or limits[0] <= value <= limits[1]


def _has_binary_fabrication_number(layout: Layout) -> bool:
    return any(
        place.meaning.measurand is Measurand.FABRICATION_NUMBER and place.meaning.coding <= Coding.INT64
        for place in layout.places
    )


def _snapshot(frame: Frame, *, both_ways: bool) -> int | None:
    """The storage number of the last billing; None when that is open to doubt."""
    places, values = frame.layout.places, frame.values
    days = [place for place in places if place.meaning.storage and place.meaning.measurand in DATED]
    never = {place.meaning.storage for place in days if frame.content[place.start : place.stop] in _NEVER}
    moments = {
        storage: day_of(day)
        for storage, indexes in SnapshotPlaces.of(frame.layout).days.items()
        if storage and (day := single_day(values, indexes)) is not None
    }
    dated = {storage for storage, day in moments.items() if day != NEVER_SET}
    counts = _counts(frame, both_ways=both_ways)
    valued = counts.keys() - never
    if _LAST_BILLING in valued & dated:
        found = _LAST_BILLING
    elif len(valued) == 1 and dated <= valued:
        (found,) = valued
    else:
        return None
    day = moments.get(found)
    if day is None or (has_been(day, _clock(frame)) and (day.year > UNSET_YEAR or counts[found])):
        return found
    return None  # not taken: it is of a day to come, or of a clock that starts, with nothing counted


def _counts(frame: Frame, *, both_ways: bool) -> dict[int, bool]:
    """The storage numbers, 0 excepted, under which a billed counter stands; and whether one is above zero."""
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
    found: dict[int, bool] = {}
    values = possible(frame.values, guarded)
    for index, storage in counted:
        value = values[index]
        if isinstance(value, int | Decimal):
            found[storage] = found.get(storage, False) or value > 0
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
