"""What the counter showed on earlier days.

In: an opened frame, and the storage numbers that a driver knows to be dated snapshots of the counter. Out:
`HistoryEntry` values, the latest first. The one rule: a value without a day, or a day without a value, is no
history; neither is a storage number whose meaning nobody has vouched for. EN 13757-3 annex F for profiles.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from types import MappingProxyType
from typing import Final, NamedTuple

from core.mbus.frame import Frame, Layout
from core.mbus.no_value import Guard, guards, possible
from core.mbus.profile import read_profiles
from core.mbus.units import COMPACT_PROFILES
from core.mbus.vocabulary import Function, Measurand, RecordValue
from core.metering.fields import SnapshotPlaces, converted_to, converts_to_itself, may_count, single_day
from core.metering.measurement import HistoryEntry, HistorySource, Quantity

_UNITS: Final = MappingProxyType(
    {
        Measurand.VOLUME: (Quantity.VOLUME, "m3"),
        Measurand.ENERGY: (Quantity.ENERGY, "kwh"),
        Measurand.ALLOCATOR_UNITS: (Quantity.ALLOCATOR, "units"),
    }
)


_SNAPSHOT: Final = HistorySource.SNAPSHOT  # to look it up costs more than to make an entry


def read_histories(frames: Sequence[Frame], storages: tuple[int, ...]) -> list[tuple[HistoryEntry, ...]]:
    """The history of each of some frames that are all of one layout: snapshots under these storage numbers,
    and all compact profiles.

    Where a snapshot and a profile give a value for one day, the snapshot counts. Two snapshots that
    contradict each other about a day do not count, and neither do two profiles.
    """
    layout = frames[0].layout
    plan: _HistoryPlan | None = layout.plans.get(storages)
    if plan is None:
        plan = layout.keep(storages, _HistoryPlan(layout, storages))
    if plan.profiles:
        return [
            _latest_first(
                _chosen(_profiles(frame))
                | _chosen(_snapshots(possible(frame.values, plan.guards), plan.steps))
            )
            for frame in frames
        ]
    rows = [frame.values for frame in frames]
    if plan.simple:
        return _simple_histories(rows, plan)
    return [_planned_history(possible(row, plan.guards), plan) if plan.steps else () for row in rows]


def _simple_histories(
    rows: Sequence[tuple[RecordValue, ...]], plan: "_HistoryPlan"
) -> list[tuple[HistoryEntry, ...]]:
    """As `_planned_history` of what is possible, which takes longer; nearly all are taken as they are."""
    columns = [
        [
            HistoryEntry(day, quantity, value, _SNAPSHOT)
            if type(value := row[record]) is Decimal
            and type(day := row[place]) is date
            and value >= zero
            and (mark is None or value != mark)
            else None
            for row in rows
        ]
        for record, place, quantity, zero, mark in plan.simple
    ]
    histories: list[tuple[HistoryEntry, ...]] = []
    for row, history in zip(rows, zip(*columns, strict=True), strict=True):
        if None in history:
            histories.append(_planned_history(possible(row, plan.guards), plan))
        elif plan.one_day:
            histories.append(history)
        else:  # those of one day keep the order of the plan
            histories.append(tuple(sorted(history, key=_day, reverse=True)))
    return histories


def _planned_history(values: Sequence[RecordValue], plan: "_HistoryPlan") -> tuple[HistoryEntry, ...]:
    entries = _snapshots(values, plan.steps)
    if len(entries) > 1:
        if not plan.distinct:
            return _latest_first(_chosen(entries))
        entries.sort(key=_day, reverse=True)  # those of one day keep the order of the plan
    return tuple(entries)


def _latest_first(found: "dict[_DayAndQuantity, HistoryEntry]") -> tuple[HistoryEntry, ...]:
    return tuple(sorted(found.values(), key=lambda entry: (entry.day, entry.quantity), reverse=True))


_DayAndQuantity = tuple[date, Quantity]


def _chosen(entries: Iterable[HistoryEntry]) -> dict[_DayAndQuantity, HistoryEntry]:
    found: dict[_DayAndQuantity, HistoryEntry] = {}
    doubtful: set[_DayAndQuantity] = set()
    for entry in entries:
        place = (entry.day, entry.quantity)
        if found.setdefault(place, entry).value != entry.value:
            doubtful.add(place)
    return {place: entry for place, entry in found.items() if place not in doubtful}


_day: Final = attrgetter("day")
_quantity: Final = attrgetter("quantity")


class _Step(NamedTuple):
    """Of a snapshot: its record, the record of its day and any others, what it counts, the unit wanted and
    sent, and whether they are the same.
    """

    record: int
    day: int
    other_days: tuple[int, ...]
    quantity: Quantity
    wanted: str
    unit: str
    same_unit: bool


class _HistoryPlan:
    """Which records of a layout are snapshots, and whether it has profiles.

    `distinct` says that no two snapshots count the same, so that none can contradict another; the steps are
    in the order in which entries of one day stand. `simple` are the steps when they are distinct and all
    values are taken as they are: the record, the record of its day, what it counts, zero and mark as in its
    guard; `one_day`: they share the record of the day. `guards` are of the records taken.
    """

    __slots__ = ("distinct", "guards", "one_day", "profiles", "simple", "steps")

    def __init__(self, layout: Layout, storages: tuple[int, ...]) -> None:
        steps: list[_Step] = []
        days = SnapshotPlaces.of(layout).days
        for index, place in enumerate(layout.places):
            meaning = place.meaning
            if meaning.storage in storages and meaning.storage in days and may_count(meaning):
                first, *others = days[meaning.storage]
                quantity, wanted = _UNITS[meaning.measurand]
                same = converts_to_itself(meaning.unit, wanted)
                steps.append(_Step(index, first, tuple(others), quantity, wanted, meaning.unit, same))
        self.guards: tuple[Guard, ...] = guards(layout, [step.record for step in steps])
        self.steps = sorted(steps, key=_quantity, reverse=True)
        self.distinct = len({step.quantity for step in steps}) == len(steps)
        bounds = {index: (zero, mark) for index, zero, mark in self.guards}  # what is billed is a count
        self.simple: tuple[tuple[int, int, Quantity, Decimal | int, Decimal | int | None], ...] = ()
        if self.distinct and all(
            step.same_unit and not step.other_days and step.record in bounds for step in steps
        ):
            self.simple = tuple(
                [(step.record, step.day, step.quantity, *bounds[step.record]) for step in self.steps]
            )
        self.one_day = len({step.day for step in steps}) == 1
        self.profiles = any(
            not COMPACT_PROFILES.isdisjoint(place.meaning.modifiers) for place in layout.places
        )


def _snapshots(values: Sequence[RecordValue], steps: Sequence[_Step]) -> list[HistoryEntry]:
    entries: list[HistoryEntry] = []
    for index, first, others, quantity, wanted, unit, same in steps:
        value, day = values[index], values[first]
        if same and not others and type(value) is Decimal and type(day) is date:  # nearly all are
            entries.append(HistoryEntry(day, quantity, value, _SNAPSHOT))
            continue
        if others:
            day = single_day(values, (first, *others))
        if isinstance(day, date) and isinstance(value, _NUMBER):
            number = value if same and isinstance(value, Decimal) else converted_to(value, unit, wanted)
            if number is not None:
                on = day.date() if isinstance(day, datetime) else day
                entries.append(HistoryEntry(on, quantity, number, _SNAPSHOT))
    return entries


_NUMBER: Final = (int, Decimal)


def _profiles(frame: Frame) -> Iterable[HistoryEntry]:
    for profile in read_profiles(frame.records):
        record = profile.record
        if record.tariff or record.subunit or record.function is not Function.INSTANTANEOUS:
            continue
        for slot in profile.slots:
            yield from _entry(slot.moment, profile.measurand, profile.unit, slot.value, HistorySource.PROFILE)


def _entry(
    day: date, measurand: Measurand, unit: str, value: Decimal | int, source: HistorySource
) -> Iterable[HistoryEntry]:
    quantity, wanted = _UNITS.get(measurand, (None, ""))
    number = converted_to(value, unit, wanted)
    if quantity is not None and number is not None:
        yield HistoryEntry(day.date() if isinstance(day, datetime) else day, quantity, number, source)
