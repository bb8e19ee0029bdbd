"""Itron: water and heat meters with the CYBLE and EquaScan OMS radios.

In: an opened frame. Out: a `Measurement`. The one rule: the record function decides; until the first billing
day has come the meter fills the billing value with FE and marks it as "during error state", and such a value
is none. With a long header the meter is the inner address and the radio the outer one.
"""

from typing import Final

from core.metering import (
    NOW,
    STANDARD,
    Field,
    Frame,
    Measurand,
    Measurement,
    MeterDriver,
    SerialFormat,
    Signature,
    read_fields,
    read_history,
    read_status,
)

_HEAT: Final = 0x04
_BILLING: Final = 1
# A heat meter states its billing day ahead of the first billing value: the day is no proof of a snapshot.
_HEAT_FIELDS: Final = (
    *NOW,
    Field("target_energy_kwh", Measurand.ENERGY, storage=1),
    Field("last_year_date", Measurand.DATE, storage=1),
)


def interpret(frame: Frame) -> Measurement:
    """What an Itron meter says: the fields of the standard, storage 1 being the last billing day."""
    fields = _HEAT_FIELDS if frame.envelope.meter_address.medium == _HEAT else STANDARD
    return Measurement(
        values=read_fields(frame, fields),
        flags=read_status(frame),
        status_word=frame.envelope.status,
        history=read_history(frame, (_BILLING,)),
    )


DRIVER: Final = MeterDriver(
    name="itron",
    title="Itron water and heat meters",
    signatures=(
        *(Signature("ITW", version, medium) for version in (0x00, 0x03, 0x33) for medium in (0x07, 0x16)),
        Signature("ITW", 0x00, 0x04),
    ),
    serial=SerialFormat(
        pattern=r"\d{8}", example="48349952", from_address=lambda address: address.identification
    ),
    interpret=interpret,
)
