"""Qundis (QDS, formerly LSE): the water, heat and heat cost allocator radios that ista resells.

In: an opened frame, in OMS form or as a walk-by record. Out: a `Measurement`. Two rules: a walk-by record is
turned into the records that the OMS form of the same meter sends, so that one table reads both; and which of
the two snapshots, year's or month's end, is the billed one hangs on what is counted and on the version, and
for a version that nobody has seen, or a telegram whose length had to be mended, neither is called so.

    0D FF5F 35   9 bytes (the last: B0 allocator, C0 heat, C1 water) · VIF · error day
                 now · year's day · year's value · month's day · month's value · 12 monthly differences

Values are BCD of eight digits, days of type G. The differences, oldest first, are rounded by the meter and do
not add up to the values: they are not read.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Final

from msgspec import structs

from core.metering import (
    NOW,
    Field,
    Frame,
    Measurand,
    Measurement,
    Record,
    TelegramError,
    first_snapshot,
    read_fields,
    read_history,
    read_records,
    read_status,
    snapshot_day,
    snapshots,
    target_fields,
)

MAKERS: Final = ("QDS", "LSE")

_YEAR, _MONTH_LSE, _MONTH = 1, 8, 17
_STORAGES: Final = (_YEAR, _MONTH_LSE, _MONTH)
_WALK_BY: Final = bytes.fromhex("0DFF5F")
_KINDS: Final = frozenset({0xB0, 0xC0, 0xC1})
_LENGTH: Final = 28
# Where the parts of a walk-by record stand in its data, and the record of the OMS form each is.
_PARTS: Final = (
    (12, 4, "0C", ""),
    (16, 2, "42", "6C"),
    (18, 4, "4C", ""),
    (22, 2, "C208", "6C"),
    (24, 4, "CC08", ""),
)
_FLOW: Final = bytes.fromhex("02BB56")
_LITRES_AN_HOUR: Final = Decimal("0.001")

# Water meters, by version: those that bill the month's end, and those that bill the year's.
_BILLED_BY_MONTH: Final = frozenset({0x16, 0x18, 0x35})
_BILLED_BY_YEAR: Final = frozenset({0x17, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x33})
_CONVERTER: Final = 0x37

_FIELDS: Final = (
    *NOW,
    Field("last_year_date", Measurand.DATE, storage=_YEAR),
    Field("last_year_volume_m3", Measurand.VOLUME, storage=_YEAR),
    Field("last_year_energy_kwh", Measurand.ENERGY, storage=_YEAR),
)


def interpret(frame: Frame) -> Measurement:
    """What a Qundis meter says."""
    frame = replace(frame, records=tuple(_spread(frame.records)))
    target = _billed(frame)
    values = read_fields(frame, _FIELDS if target is None else (*_FIELDS, *target_fields(target)))
    flow = frame.header(_FLOW)
    if flow is not None:
        # Sent under VIFE 56, which the standard gives another meaning.
        values["volume_flow_m3h"] = int.from_bytes(flow.data, "little", signed=True) * _LITRES_AN_HOUR
    return Measurement(
        values=values,
        flags=read_status(frame),
        status_word=frame.envelope.status,
        history=read_history(frame, _STORAGES),
    )


def _billed(frame: Frame) -> int | None:
    """The storage number of the snapshot that is billed."""
    meter = frame.envelope.meter_address
    held = snapshots(frame)
    if len(held) == 1 and held[0] != _MONTH:
        return held[0]
    if frame.envelope.length_mended and len({snapshot_day(frame, storage) for storage in held}) > 1:
        return None
    measured = {record.measurand for record in frame.records}
    if Measurand.ENERGY in measured:
        return first_snapshot(frame, _MONTH, _YEAR)
    if (
        Measurand.ALLOCATOR_UNITS in measured
        or meter.medium == _CONVERTER
        or meter.version in _BILLED_BY_YEAR
    ):
        return first_snapshot(frame, _YEAR)
    return first_snapshot(frame, _MONTH) if meter.version in _BILLED_BY_MONTH else None


def _spread(records: tuple[Record, ...]) -> list[Record]:
    out: list[Record] = []
    for record in records:
        out += _walk_by(record) if record.header == _WALK_BY else (record,)
    return out


def _walk_by(record: Record) -> tuple[Record, ...]:
    """The records that stand in a walk-by record; none when it is of a kind that is not known."""
    data = record.data
    if len(data) < _LENGTH or data[8] not in _KINDS:
        return ()
    out: list[Record] = []
    for at, length, dib, vif in _PARTS:
        header = bytes.fromhex(dib) + (bytes.fromhex(vif) or data[9:10])
        try:
            content = read_records(header + data[at : at + length], 0)
        except TelegramError:
            return ()
        out += (
            structs.replace(part, offset=record.offset + len(_WALK_BY) + 1 + at) for part in content.records
        )
    return tuple(out)
