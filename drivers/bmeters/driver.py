"""BMeters: HYDRODIGIT water meters.

In: an opened frame. Out: a `Measurement`. The one rule: records are read as the standard has them; of the
data of the maker's own behind them only the backward volume is, and only from a layout that was seen.

    0F · contents · battery · backward volume
    0F · contents · battery · backward volume · 12 totals of 24 bits · 00

The bits of the contents say what follows: 05 the battery and the backward volume, 32 bits in litres; 10 the
totals of the twelve months as well, January first, in steps of 10 litres. That the volume is backward and in
litres is known from readings of such meters that were published with their telegrams; the totals prove where
it ends. In the order of the months up to the meter's own none is below the one before it, or above the total:
a content whose totals do not fit gives nothing. Other bits announce further parts, whose place is not known:
there only a content of zeros can be read.
"""

from datetime import date
from decimal import Decimal
from typing import Final

from submeter.vendor import Frame, Measurand, Measurement, MeterDriver, SerialFormat, Signature, standard

_BASIC, _MONTHS = 0x05, 0x10
_BACKWARD_ENDS: Final = 6
_MONTH: Final = 3
_MONTHS_END: Final = _BACKWARD_ENDS + 12 * _MONTH
_FILLER: Final = b"\x2f"
_END: Final = b"\0"
_LITRE: Final = Decimal("0.001")
_TEN_LITRES: Final = Decimal("0.01")
_LARGEST: Final = 1 << 31


def interpret(frame: Frame) -> Measurement:
    """What a HYDRODIGIT sends."""
    litres = _backward(frame)
    return standard(frame, {} if litres is None else {"backward_volume_m3": litres * _LITRE})


def _backward(frame: Frame) -> int | None:
    """The backward volume in litres; None where the layout does not prove to be known."""
    data = frame.manufacturer_data
    if len(data) < _BACKWARD_ENDS or data[0] & _BASIC != _BASIC:
        return None
    litres = int.from_bytes(data[2:_BACKWARD_ENDS], "little")
    contents = data[0] & ~_BASIC
    if not contents:
        is_known = not data[_BACKWARD_ENDS:].strip(_FILLER)
    elif contents == _MONTHS:
        is_known = data[_MONTHS_END:].rstrip(_FILLER) == _END and _months_fit(frame, data)
    else:
        is_known = not any(data[2:].rstrip(_FILLER))
    return litres if is_known and litres < _LARGEST else None


def _months_fit(frame: Frame, data: bytes) -> bool:
    """Whether the totals of the months lead up to the present one."""
    total, clock = frame.record(Measurand.VOLUME), frame.record(Measurand.DATE_TIME)
    if total is None or clock is None or not isinstance(clock.value, date) or len(data) < _MONTHS_END:
        return False
    ends = range(_BACKWARD_ENDS + _MONTH, _MONTHS_END + 1, _MONTH)
    totals = [int.from_bytes(data[end - _MONTH : end], "little") * _TEN_LITRES for end in ends]
    # The month of the clock has not ended: its total is last year's, the oldest.
    oldest = clock.value.month - 1
    row = totals[oldest:] + totals[:oldest]
    return row == sorted(row) and isinstance(total.value, Decimal) and row[-1] <= total.value


DRIVER: Final = MeterDriver(
    name="bmeters",
    title="BMeters HYDRODIGIT water meters",
    signatures=tuple(Signature("BMT", version, 0x07) for version in (0x13, 0x15, 0x17)),
    serial=SerialFormat(
        pattern=r"\d{8}", example="71000834", from_address=lambda address: address.identification
    ),
    interpret=interpret,
)
