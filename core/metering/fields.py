"""From records to stable names: a table of `Field` says which record becomes which value.

In: an opened frame and a table. Out: values by name, in the unit that the name ends with. The one rule: a
record is taken only when all its coordinates fit (measurand, storage, tariff, subunit, function, modifiers),
and only when its unit is one that converts exactly; anything else is absent. Storage numbers other than 0
mean what the driver says they mean (EN 13757-3 leaves them open): `target_fields` makes the table for one.

Which records of a layout a table takes is a plan, worked out once and kept with the layout.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from core.mbus.frame import Frame, Layout, Place
from core.mbus.no_value import Guard, guards, possible
from core.mbus.records import Meaning
from core.mbus.units import BACKWARD, BASE_CONDITIONS
from core.mbus.vocabulary import Function, Measurand, RecordValue
from core.metering.measurement import MeasuredValue


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a measurement and the record it comes from.

    Args:
        name: stable name; its ending is the unit: `_m3`, `_kwh`, `_kw`, `_m3h`, `_c`.
        measurand, storage, tariff, subunit, function, modifiers: the coordinates of the record.
        header: the exact header instead of coordinates, for codes in a maker's own table.

    A name may come several times in a table: the first record found gives the value.

    """

    name: str
    measurand: Measurand = Measurand.UNKNOWN
    storage: int = 0
    tariff: int = 0
    subunit: int = 0
    function: Function = Function.INSTANTANEOUS
    modifiers: tuple[int, ...] = ()
    header: bytes | None = None


_PER_MEGAJOULE: Final = Decimal(1) / Decimal("3.6")
_ONE: Final = Decimal(1)
# (unit of the record, ending of the name) -> factor. Energy in joule: 1 kWh = 3.6 MJ.
_FACTORS: Final[Mapping[tuple[str, str], Decimal]] = MappingProxyType(
    {
        ("m3", "m3"): _ONE,
        ("kWh", "kwh"): _ONE,
        ("MWh", "kwh"): Decimal(1000),
        ("MJ", "kwh"): _PER_MEGAJOULE,
        ("GJ", "kwh"): 1000 * _PER_MEGAJOULE,
        ("Mcal", "kwh"): Decimal("1.163"),
        ("kW", "kw"): _ONE,
        ("MW", "kw"): Decimal(1000),
        ("MJ/h", "kw"): _PER_MEGAJOULE,
        ("GJ/h", "kw"): 1000 * _PER_MEGAJOULE,
        ("m3/h", "m3h"): _ONE,
        ("m3/min", "m3h"): Decimal(60),
        ("m3/s", "m3h"): Decimal(3600),
        ("C", "c"): _ONE,
        ("K", "c"): _ONE,
        ("d", "days"): _ONE,
        ("d", "years"): 1 / Decimal("365.2425"),
    }
)
_DIGITS: Final = Decimal("0.000001")
_LARGEST: Final = 10**15  # beyond it six decimals do not fit into the digits of a Decimal

_ENERGY, _VOLUME, _UNITS = Measurand.ENERGY, Measurand.VOLUME, Measurand.ALLOCATOR_UNITS

NOW: Final[tuple[Field, ...]] = (
    Field("total_volume_m3", _VOLUME),
    # Gas meters send no other volume than the one converted to base conditions.
    Field("total_volume_m3", _VOLUME, modifiers=(BASE_CONDITIONS,)),
    Field("total_energy_kwh", _ENERGY),
    Field("hca_units", _UNITS),
    Field("backward_volume_m3", _VOLUME, modifiers=(BACKWARD,)),
    Field("backward_energy_kwh", _ENERGY, modifiers=(BACKWARD,)),
    Field("volume_flow_m3h", Measurand.VOLUME_FLOW),
    Field("max_flow_m3h", Measurand.VOLUME_FLOW, function=Function.MAXIMUM),
    Field("power_kw", Measurand.POWER),
    Field("flow_temperature_c", Measurand.FLOW_TEMPERATURE),
    Field("return_temperature_c", Measurand.RETURN_TEMPERATURE),
    Field("temperature_difference_c", Measurand.TEMPERATURE_DIFFERENCE),
    Field("external_temperature_c", Measurand.EXTERNAL_TEMPERATURE),
    Field("battery_years", Measurand.REMAINING_BATTERY),
    Field("meter_datetime", Measurand.DATE_TIME),
    Field("meter_datetime", Measurand.DATE),
    Field("fabrication_no", Measurand.FABRICATION_NUMBER),
    Field("enhanced_id", Measurand.ENHANCED_IDENTIFICATION),
)
"""What a meter says of now, by the standard alone."""


@lru_cache(maxsize=256)
def target_fields(storage: int) -> tuple[Field, ...]:
    """The billing or month-end snapshot, for a meter that keeps it under this storage number."""
    return (
        Field("target_volume_m3", _VOLUME, storage),
        Field("target_volume_m3", _VOLUME, storage, modifiers=(BASE_CONDITIONS,)),
        Field("target_energy_kwh", _ENERGY, storage),
        Field("target_hca_units", _UNITS, storage),
        Field("target_date", Measurand.DATE, storage),
        Field("target_date", Measurand.DATE_TIME, storage),
    )


COUNTED: Final = frozenset({_ENERGY, _VOLUME, _UNITS})
"""What a billed counter counts."""
DATED: Final = frozenset({Measurand.DATE, Measurand.DATE_TIME})


def may_count(meaning: Meaning) -> bool:
    """True for a record of a billed counter, of now or of a past day, if it holds a number: no maximum,
    tariff, subunit or variant.
    """
    return (
        meaning.measurand in COUNTED
        and meaning.function is Function.INSTANTANEOUS
        and not meaning.tariff
        and not meaning.subunit
        and meaning.modifiers in _PLAIN
    )


_PLAIN: Final = ((), (BASE_CONDITIONS,))


def is_day(meaning: Meaning) -> bool:
    """True for a record that says to which day the values of its storage number belong, if it holds one."""
    return meaning.measurand in DATED and meaning.function is Function.INSTANTANEOUS and not meaning.modifiers


class SnapshotPlaces:
    """The records of a layout that make snapshots.

    Attributes:
        counted: those that may hold a billed counter: number and storage number, 0 excepted.
        days: storage number -> those that may hold its day.
        guards: of the counted ones.

    """

    __slots__ = ("counted", "days", "guards")

    def __init__(self, layout: Layout) -> None:
        meanings = [place.meaning for place in layout.places]
        self.counted = tuple(
            (index, meaning.storage)
            for index, meaning in enumerate(meanings)
            if meaning.storage and may_count(meaning)
        )
        self.guards = guards(layout, [index for index, _ in self.counted])
        self.days: dict[int, tuple[int, ...]] = {}
        for index, meaning in enumerate(meanings):
            if is_day(meaning):
                self.days[meaning.storage] = (*self.days.get(meaning.storage, ()), index)

    @classmethod
    def of(cls, layout: Layout) -> "SnapshotPlaces":
        """Those of a layout, kept with it."""
        known: SnapshotPlaces | None = layout.plans.get(cls)
        return layout.keep(cls, cls(layout)) if known is None else known


def snapshots(frame: Frame) -> dict[int, date | datetime | None]:
    """The storage numbers, 0 excepted, that hold the value of a billed counter, in the order sent; and the
    day (or moment) of each: None when none is sent, or no single one.
    """
    places = SnapshotPlaces.of(frame.layout)
    values = possible(frame.values, places.guards)
    return {
        storage: single_day(values, places.days.get(storage, ()))
        for index, storage in places.counted
        if isinstance(values[index], int | Decimal)
    }


def single_day(values: Sequence[RecordValue], indexes: Iterable[int]) -> date | datetime | None:
    """The one day that some records agree on."""
    days = {day for index in indexes if isinstance(day := values[index], date)}
    return days.pop() if len(days) == 1 else None


def read_fields(frames: Sequence[Frame], table: tuple[Field, ...]) -> list[dict[str, MeasuredValue]]:
    """The values of frames that are all of one layout, by name, in the order of the table."""
    return _plan_of(frames[0].layout, table).read([frame.values for frame in frames])


def single_records(layout: Layout, table: tuple[Field, ...]) -> dict[str, int]:
    """The number of the record that gives each value of a table, by name; empty where one is converted, or
    may come from one of several records.
    """
    simple = _plan_of(layout, table).simple
    return {} if simple is None else {name: number for name, number, _, _ in simple}


def _plan_of(layout: Layout, table: tuple[Field, ...]) -> "_FieldPlan":
    plan: _FieldPlan | None = layout.plans.get(id(table))
    return layout.keep(id(table), _FieldPlan(layout, table)) if plan is None else plan


def _converted(value: RecordValue, unit: str, ending: str) -> MeasuredValue | None:
    if isinstance(value, date | datetime | str):
        return value
    if not isinstance(value, int | Decimal):
        return None
    return converted_to(value, unit, ending) if unit else value


def converted_to(value: Decimal | int, unit: str, wanted: str) -> Decimal | None:
    """A number of one unit in another: `wanted` is the ending of a name. None when it does not convert."""
    factor = _FACTORS.get((unit, wanted)) if unit else _ONE
    if factor is None:
        return None
    return Decimal(value) if factor is _ONE else _exact(value * factor)


def converts_to_itself(unit: str, wanted: str) -> bool:
    """True when a number of one unit is the same number in the other."""
    return _FACTORS.get((unit, wanted)) is _ONE


def _exact(value: Decimal) -> Decimal:
    """Six decimals at most: more is an artefact of the division by 3.6."""
    if abs(value) >= _LARGEST:
        return value
    rounded = value.quantize(_DIGITS)
    return rounded.normalize() if rounded != rounded.to_integral_value() else rounded.quantize(_ONE)


_Step = tuple[str, int, tuple[int, ...], tuple[str, ...] | None, str, bool]
"""Of a field: its name; the first record with its coordinates, and those after it; their units, where a value
must be converted; the unit wanted; whether the name comes again in the plan.
"""


class _FieldPlan:
    """Which records of a layout a table takes.

    The table is kept beside the steps, so that no other can have its identity. `simple` is there when each
    name comes from one record whose value is taken as it is: (name, record, zero, mark), the last two as in
    the guard of a count. `guards` are of the records taken.
    """

    __slots__ = ("guards", "simple", "steps", "table")

    def __init__(self, layout: Layout, table: tuple[Field, ...]) -> None:
        self.table = table
        self.steps = _steps(layout, table)
        self.guards: tuple[Guard, ...] = guards(
            layout, [index for _, first, others, *_ in self.steps for index in (first, *others)]
        )
        plain = not any(others or units or again for _, _, others, units, _, again in self.steps)
        bounds = {index: (zero, mark) for index, zero, mark in self.guards}
        self.simple = tuple(
            [(step[0], step[1], *bounds.get(step[1], (None, None))) for step in self.steps]
        ) if plain else None  # fmt: skip

    def read(self, rows: Iterable[tuple[RecordValue, ...]]) -> list[dict[str, MeasuredValue]]:
        """The values of the records of frames, by name."""
        if self.simple is None:
            return [_planned_fields(possible(values, self.guards), self.steps) for values in rows]
        answers: list[dict[str, MeasuredValue]] = []
        for values in rows:
            found: dict[str, MeasuredValue] = {}
            for name, place, zero, mark in self.simple:
                value = values[place]
                # Of a count: as `possible` has it, which takes longer.
                if value is not None and (
                    zero is None or (value >= zero and (mark is None or value != mark))
                ):
                    found[name] = value
            answers.append(found)
        return answers


def _steps(layout: Layout, table: tuple[Field, ...]) -> tuple[_Step, ...]:
    taken = [(field, fits) for field in table if (fits := _indexes(layout, field))]
    names = Counter([field.name for field, _ in taken])
    steps: list[_Step] = []
    for field, fits in taken:
        ending = field.name.rpartition("_")[2]
        places = [layout.places[index] for index in fits]
        units = None if all(_as_it_is(place, ending) for place in places) else tuple(
            place.meaning.unit for place in places
        )  # fmt: skip
        steps.append((field.name, fits[0], tuple(fits[1:]), units, ending, names[field.name] > 1))
    return tuple(steps)


def _indexes(layout: Layout, field: Field) -> Sequence[int]:
    """The records of a layout that a field means."""
    if field.header is not None:
        return [index for index, header in enumerate(layout.headers) if header == field.header]
    wanted = (field.measurand, field.storage, field.tariff, field.subunit, field.function, field.modifiers)
    return layout.indexes.get(wanted, ())


def _as_it_is(place: Place, ending: str) -> bool:
    """True when a record's value needs no conversion, whatever it is."""
    unit = place.meaning.unit
    return place.plain and (not unit or converts_to_itself(unit, ending))


def _planned_fields(values: tuple[RecordValue, ...], steps: tuple[_Step, ...]) -> dict[str, MeasuredValue]:
    found: dict[str, MeasuredValue] = {}
    for name, first, others, units, ending, again in steps:
        value, place = values[first], 0
        if value is None:
            for place, index in enumerate(others, start=1):  # noqa: B007 - the place is read after the loop
                value = values[index]
                if value is not None:
                    break
        if value is None or (again and name in found):
            continue
        if units is not None:
            value = _converted(value, units[place], ending)
            if value is None:
                continue
        found[name] = value  # type: ignore[assignment]  # a value that is taken as it is is no bytes
    return found
