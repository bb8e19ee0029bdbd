"""Apator: the water meter radios 16-2 and NA-1.

In: an opened frame. Out: a `Measurement`. The one rule: both send a layout of the maker's own, which was
inferred from telegrams and is in no public document, so a content is read only when it proves itself: the
16-2 by a checksum (`registers`), the NA-1 by what decryption gives (`na1`). What their other bytes mean is
not known, and raises no flag.
"""

from typing import Final

from drivers.apator import na1, registers
from submeter.vendor import Field, Frame, Measurand, Measurement, MeterDriver, SerialFormat, Signature, Table

_MAKER: Final = "APA"
_WATER: Final = 0x07
_TABLE: Final = Table(
    now=(
        Field("total_volume_m3", Measurand.VOLUME),
        Field("meter_datetime", Measurand.DATE_TIME),
    )
)


def interpret(frame: Frame) -> Measurement:
    """What an Apator meter sends."""
    if frame.envelope.ci in na1.CI:
        return _TABLE.interpret(frame)
    return _TABLE.interpret(frame, {"total_volume_m3": registers.read_total(frame)})


DRIVER: Final = MeterDriver(
    name="apator",
    title="Apator water meter radios 16-2 and NA-1",
    signatures=(Signature(_MAKER, 0x05, _WATER), Signature(_MAKER, na1.VERSION, _WATER)),
    serial=SerialFormat(
        pattern=r"\d{8}", example="71000413", from_address=lambda address: address.identification
    ),
    interpret=interpret,
    proprietary=na1.PROPRIETARY,
)
