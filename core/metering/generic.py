"""The driver of meters that no vendor package claims.

In: an opened frame. Out: the values that EN 13757-3 alone lets one read, marked `generic`. The one rule: an
unknown meter of whatever maker is read as far as the standard goes and flagged; it is not dropped. The
standard leaves open what a storage number means, so a snapshot is published only when value and day stand
under number 1, which the makers agree on, or when there is but one number to choose from.
"""

from datetime import date
from functools import lru_cache
from typing import Final

from core.mbus.frame import Frame, Layout
from core.mbus.units import BACKWARD, FORWARD
from core.mbus.values import Coding
from core.mbus.vocabulary import Measurand
from core.metering.driver import MeterDriver
from core.metering.fields import DATED, NOW, Field, SnapshotPlaces, single_day, snapshots
from core.metering.measurement import Measurement
from core.metering.serials import SerialFormat
from core.metering.table import Table

_LAST_BILLING: Final = 1
_NEVER: Final = frozenset(bytes((filler,)) * length for filler in (0x00, 0xFF) for length in (2, 4, 6))
_NEVER_SET: Final = date(2000, 1, 1)
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
    return Table(target=target, storages=target, now=_HEAT_AND_COOLING if both_ways else _NOW)


def interpret(frame: Frame) -> Measurement:
    """Reads the fields of the standard."""
    both_ways = frame.envelope.meter_address.medium == _BOTH_WAYS
    table = _table(_snapshot(frame), both_ways=both_ways)
    values = table.values(frame)
    if "fabrication_no" in values and _has_binary_fabrication_number(frame.layout):
        # Some makers put decimal digits under a binary coding: which is meant cannot be known.
        del values["fabrication_no"]
    return table.interpret(frame, values, generic=True)


def _has_binary_fabrication_number(layout: Layout) -> bool:
    return any(
        place.meaning.measurand is Measurand.FABRICATION_NUMBER and place.meaning.coding <= Coding.INT64
        for place in layout.places
    )


def _snapshot(frame: Frame) -> int | None:
    """The storage number of the last billing; None when that is open to doubt."""
    days = [
        place for place in frame.layout.places if place.meaning.storage and place.meaning.measurand in DATED
    ]
    never = {place.meaning.storage for place in days if frame.content[place.start : place.stop] in _NEVER}
    moments = {
        storage: single_day(frame.values, indexes)
        for storage, indexes in SnapshotPlaces.of(frame.layout).days.items()
        if storage
    }
    dated = {storage for storage, day in moments.items() if day is not None and day != _NEVER_SET}
    valued = set(snapshots(frame)) - never
    if _LAST_BILLING in valued & dated:
        return _LAST_BILLING
    return valued.pop() if len(valued) == 1 and dated <= valued else None


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
