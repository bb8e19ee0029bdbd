"""Integra Metering: the water meter topas ES KR.

In: an opened frame. Out: a `Measurement`. The one rule: records are read as the standard has them; storage 1
is the end of the billing year and 3 that of the last month, each with its day. The battery's days are given
in years of 365.2425 days as well, as of every meter whose maker is known.
"""

from typing import Final

from submeter.vendor import (
    Field,
    Frame,
    Measurand,
    Measurement,
    MeterDriver,
    SerialFormat,
    Signature,
    Table,
    standard,
)

_YEAR, _MONTH = 1, 3
_BATTERY: Final = Table(now=(Field("battery_years", Measurand.REMAINING_BATTERY),))


def interpret(frame: Frame) -> Measurement:
    """What a topas ES KR sends."""
    known = standard(frame, storages=(_YEAR, _MONTH))
    if "battery_days" not in known.values:
        return known
    return standard(frame, _BATTERY.values(frame), storages=(_YEAR, _MONTH))


DRIVER: Final = MeterDriver(
    name="integra",
    title="Integra topas ES KR water meters",
    signatures=(Signature("AMT", 0xF1, 0x07),),
    serial=SerialFormat(
        pattern=r"\d{8}", example="71000699", from_address=lambda address: address.identification
    ),
    interpret=interpret,
)
