"""The driver of meters that no vendor package claims.

In: an opened frame. Out: the values that EN 13757-3 alone lets one read, marked `generic`. The one rule: an
unknown meter of whatever maker is read as far as the standard goes and flagged; it is not dropped. The
standard leaves open what a storage number means, so a snapshot is published only when there is exactly one.
"""

from typing import Final

from core.mbus.frame import Frame, Function, Measurand
from core.metering.driver import MeterDriver
from core.metering.fields import NOW, read_fields, read_status, target_fields
from core.metering.measurement import Measurement
from core.metering.serials import SerialFormat

_COUNTED: Final = frozenset({Measurand.VOLUME, Measurand.ENERGY, Measurand.ALLOCATOR_UNITS})
_DATED: Final = frozenset({Measurand.DATE, Measurand.DATE_TIME})


def interpret(frame: Frame) -> Measurement:
    """Reads the fields of the standard."""
    storage = _only_snapshot(frame)
    return Measurement(
        values=read_fields(frame, NOW if storage is None else (*NOW, *target_fields(storage))),
        flags=read_status(frame),
        status_word=frame.envelope.status,
        generic=True,
    )


def _only_snapshot(frame: Frame) -> int | None:
    """The storage number of the one past value; None when there are several to choose from, or none."""
    undated = {
        record.storage for record in frame.records if record.measurand in _DATED and record.value is None
    }
    storages = {
        record.storage
        for record in frame.records
        if record.storage
        and record.measurand in _COUNTED
        and record.value is not None
        and not isinstance(record.value, bytes)
        and record.function is Function.INSTANTANEOUS
        and not record.tariff
        and not record.subunit
    } - undated
    return storages.pop() if len(storages) == 1 else None


GENERIC: Final = MeterDriver(
    name="generic",
    title="Any meter that sends plain EN 13757-3 records",
    signatures=(),
    serial=SerialFormat(pattern=r"[0-9A-Z]{4,20}", example="12345678"),
    interpret=interpret,
)
