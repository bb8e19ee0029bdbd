"""What the counter showed on earlier days.

In: an opened frame, and the storage numbers that a driver knows to be dated snapshots of the counter. Out:
`HistoryEntry` values, the latest first. The one rule: a value without a day, or a day without a value, is no
history; neither is a storage number whose meaning nobody has vouched for. EN 13757-3 annex F for profiles.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from core.mbus.frame import Frame, Function, Measurand
from core.mbus.profile import read_profiles
from core.metering.fields import converted_to, is_counted, snapshot_day
from core.metering.measurement import HistoryEntry, HistorySource, Quantity

_UNITS: Final = MappingProxyType(
    {
        Measurand.VOLUME: (Quantity.VOLUME, "m3"),
        Measurand.ENERGY: (Quantity.ENERGY, "kwh"),
        Measurand.ALLOCATOR_UNITS: (Quantity.ALLOCATOR, "units"),
    }
)


def read_history(frame: Frame, storages: Iterable[int] = ()) -> tuple[HistoryEntry, ...]:
    """Snapshots under these storage numbers, and all compact profiles.

    Where a snapshot and a profile speak of one day, the snapshot counts. Where two snapshots contradict each
    other about a day, or two profiles do, that day is left out.
    """
    found = _chosen([*_profiles(frame)]) | _chosen([*_snapshots(frame, tuple(storages))])
    return tuple(sorted(found.values(), key=lambda entry: (entry.day, entry.quantity), reverse=True))


_Place = tuple[date, Quantity]


def _chosen(entries: list[HistoryEntry]) -> dict[_Place, HistoryEntry]:
    found: dict[_Place, HistoryEntry] = {}
    doubtful: set[_Place] = set()
    for entry in entries:
        place = (entry.day, entry.quantity)
        if found.setdefault(place, entry).value != entry.value:
            doubtful.add(place)
    return {place: entry for place, entry in found.items() if place not in doubtful}


def _snapshots(frame: Frame, storages: tuple[int, ...]) -> Iterable[HistoryEntry]:
    for record in frame.records:
        if record.storage not in storages or not is_counted(record):
            continue
        day = snapshot_day(frame, record.storage)
        if day is not None and isinstance(record.value, int | Decimal):
            yield from _entry(day, record.measurand, record.unit, record.value, HistorySource.SNAPSHOT)


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
