"""ista: the water and heat meters of ista's radio net 3 in its OMS form, and the Qundis radios it resells.

In: an opened frame. Out: a `Measurement`. The one rule: storage 0 is now, storage 1 the end of the billing
year, storage 2 the end of the last month; a date of 0000 means that there was none yet. The nine digits
printed on the device (R-145, R-161) have no known relation to the eight on air, so neither is derived from
the other.
"""

from collections.abc import Sequence
from typing import Final

from drivers.ista import qundis
from submeter.vendor import Field, Frame, Measurand, Measurement, MeterDriver, SerialFormat, Signature, Table

_YEAR, _MONTH = 1, 2
_TABLE: Final = Table(
    (
        Field("last_year_date", Measurand.DATE, storage=_YEAR),
        Field("last_year_volume_m3", Measurand.VOLUME, storage=_YEAR),
        Field("last_year_energy_kwh", Measurand.ENERGY, storage=_YEAR),
    ),
    target=(_MONTH,),
    storages=(_YEAR, _MONTH),
)


def interpret(frame: Frame) -> Measurement:
    """What an ista meter sends."""
    if frame.envelope.meter_address.manufacturer in qundis.MAKERS:
        return qundis.interpret(frame)
    return _TABLE.interpret(frame)


def interpret_many(frames: Sequence[Frame]) -> list[Measurement]:
    """What ista meters of one kind send."""
    if frames[0].envelope.meter_address.manufacturer in qundis.MAKERS:
        return [qundis.interpret(frame) for frame in frames]
    return _TABLE.interpret_many(frames)


DRIVER: Final = MeterDriver(
    name="ista",
    title="ista water and heat meters, Qundis radios",
    signatures=(
        Signature("IST", 0x31, 0x07),
        Signature("IST", 0xA9, 0x04),
        *(Signature(maker) for maker in qundis.MAKERS),
    ),
    serial=SerialFormat(pattern=r"\d{9}", example="542 361 524"),
    interpret=interpret,
    interpret_many=interpret_many,
    encrypted_record=qundis.ENCRYPTED_RECORD,
)
