"""ista: the water and heat meters of ista's radio net 3 in its OMS form.

In: an opened frame. Out: a `Measurement`. The one rule: storage 0 is now, storage 1 the end of the billing
year, storage 2 the end of the last month; a day of 0000 means that there was none yet. The nine digits
printed on the device (R-145, R-161) have no known relation to the eight on air, so neither is worked out from
the other.
"""

from typing import Final

from core.metering import (
    NOW,
    Field,
    Frame,
    Measurand,
    Measurement,
    MeterDriver,
    SerialFormat,
    Signature,
    read_fields,
    read_status,
    target_fields,
)

_FIELDS: Final = (
    *NOW,
    *target_fields(2),
    Field("last_year_date", Measurand.DATE, storage=1),
    Field("last_year_volume_m3", Measurand.VOLUME, storage=1),
    Field("last_year_energy_kwh", Measurand.ENERGY, storage=1),
)


def interpret(frame: Frame) -> Measurement:
    """What an ista meter says."""
    return Measurement(
        values=read_fields(frame, _FIELDS), flags=read_status(frame), status_word=frame.envelope.status
    )


DRIVER: Final = MeterDriver(
    name="ista",
    title="ista water and heat meters",
    signatures=(Signature("IST", 0x31, 0x07), Signature("IST", 0xA9, 0x04)),
    serial=SerialFormat(pattern=r"\d{9}", example="542 361 524"),
    interpret=interpret,
)
