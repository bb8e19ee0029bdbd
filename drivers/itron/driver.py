"""Itron: water and heat meters with the CYBLE and EquaScan OMS radios.

In: an opened frame. Out: a `Measurement`. The one rule: the record function decides; until the first billing
day the meter fills the billing value with FE and marks it as "during error state", and such a value is
absent. With a long header the meter is the inner address and the radio the outer one.
"""

from collections.abc import Sequence
from typing import Final

from submeter.vendor import (
    Field,
    Frame,
    IndexSource,
    Measurand,
    Measurement,
    MeterDriver,
    SerialFormat,
    Signature,
    Table,
)

_HEAT_MEDIUM: Final = 0x04
_BILLING: Final = 1
# A heat meter sends its billing day before there is a billing value: the day alone is not a snapshot.
_HEAT: Final = Table(
    (
        Field("target_energy_kwh", Measurand.ENERGY, storage=_BILLING),
        Field("last_year_date", Measurand.DATE, storage=_BILLING),
    ),
    storages=(_BILLING,),
)
_WATER: Final = Table(target=(_BILLING,), storages=(_BILLING,))


def interpret(frame: Frame) -> Measurement:
    """What an Itron meter sends."""
    return _table(frame).interpret(frame)


def interpret_many(frames: Sequence[Frame]) -> list[Measurement]:
    """What Itron meters of one kind send."""
    return _table(frames[0]).interpret_many(frames)


def index_many(frames: Sequence[Frame]) -> list[Measurement]:
    """Index and flags alone."""
    return _table(frames[0]).index_many(frames)


def index_source(frame: Frame) -> IndexSource | None:
    """The record of the index."""
    return _table(frame).index_source(frame)


def _table(frame: Frame) -> Table:
    return _HEAT if frame.envelope.meter_address.medium == _HEAT_MEDIUM else _WATER


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
    interpret_many=interpret_many,
    index_many=index_many,
    index_source=index_source,
)
