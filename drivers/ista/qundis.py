"""Qundis (QDS, formerly LSE): the water, heat and heat cost allocator radios that ista resells.

In: an opened frame, in OMS form or as a walk-by record. Out: a `Measurement`. Two rules: a walk-by record is
converted to the records that the OMS form of the same meter sends, so that one table reads both; and which of
the two snapshots, end of year or end of month, is the billed one depends on the medium and the version; for
an unknown version, or a telegram whose length was corrected, neither is.

    0D FF5F 35   9 bytes (the last: B0 allocator, C0 heat, C1 water) · VIF · error day
                 now · year's day · year's value · month's day · month's value · 12 monthly differences

Values are BCD of eight digits, days of type G. The differences, oldest first, are rounded by the meter and do
not add up to the values, so they are not read.
"""

from collections.abc import Container, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Final

from submeter.vendor import Field, Frame, Measurand, Measurement, Table, snapshots

MAKERS: Final = ("QDS", "LSE")

_YEAR, _MONTH_LSE, _MONTH = 1, 8, 17
_STORAGES: Final = (_YEAR, _MONTH_LSE, _MONTH)
_WALK_BY: Final = bytes.fromhex("0DFF5F")
_KINDS: Final = frozenset({0xB0, 0xC0, 0xC1})
_LENGTH: Final = 28
# The offsets of the parts of a walk-by record, and the record of the OMS form that each becomes.
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

_YEARS: Final = (
    Field("last_year_date", Measurand.DATE, storage=_YEAR),
    Field("last_year_volume_m3", Measurand.VOLUME, storage=_YEAR),
    Field("last_year_energy_kwh", Measurand.ENERGY, storage=_YEAR),
)


@lru_cache(maxsize=256)
def _table(billed: int | None) -> Table:
    return Table(_YEARS, target=() if billed is None else (billed,), storages=_STORAGES)


def interpret(frame: Frame) -> Measurement:
    """What a Qundis meter sends."""
    frame = frame.unpacked(_WALK_BY, _walk_by)
    table = _table(_billed(frame))
    values = table.values(frame)
    flow = frame.header(_FLOW)
    if flow is not None:
        # Sent under VIFE 56, which has another meaning in the standard.
        values["volume_flow_m3h"] = int.from_bytes(flow.data, "little", signed=True) * _LITRES_AN_HOUR
    return table.interpret(frame, values)


def _billed(frame: Frame) -> int | None:
    """The storage number of the snapshot that is billed."""
    meter, held = frame.envelope.meter_address, snapshots(frame)
    if len(held) == 1 and _MONTH not in held:
        return next(iter(held))
    if frame.envelope.length_mended and len(set(held.values())) > 1:
        return None
    measured = {place.meaning.measurand for place in frame.layout.places}
    if Measurand.ENERGY in measured:
        return _first(held, _MONTH, _YEAR)
    if (
        Measurand.ALLOCATOR_UNITS in measured
        or meter.medium == _CONVERTER
        or meter.version in _BILLED_BY_YEAR
    ):
        return _first(held, _YEAR)
    return _first(held, _MONTH) if meter.version in _BILLED_BY_MONTH else None


def _first(held: Container[int], *candidates: int) -> int | None:
    return next((storage for storage in candidates if storage in held), None)


def _walk_by(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The records in a walk-by record; none if its kind is not known."""
    if len(data) < _LENGTH or data[8] not in _KINDS:
        return
    for at, length, dib, vif in _PARTS:
        yield bytes.fromhex(dib) + (bytes.fromhex(vif) or data[9:10]), at, at + length
