"""How finely a telegram shows the index of its meter.

In: an opened frame and its measurement. Out: the smallest difference between two indexes that telegrams of
this kind can show, in the smallest unit of what is counted. The one rule: it is the power of ten that the
record's VIF names (EN 13757-3 clause 6.4.3), rounded up; of a driver's own content, that of the digits given.
"""

from decimal import Decimal
from math import ceil
from typing import Final

from core.mbus.frame import Frame
from core.mbus.vocabulary import Measurand
from core.metering.fields import converted_to, may_count
from core.metering.measurement import Measurement, Quantity

_OF: Final = {
    Quantity.ENERGY: (Measurand.ENERGY, "total_energy_kwh", "kwh", 1000),
    Quantity.VOLUME: (Measurand.VOLUME, "total_volume_m3", "m3", 1000),
    Quantity.ALLOCATOR: (Measurand.ALLOCATOR_UNITS, "hca_units", "units", 1),
}


def index_step(frame: Frame, measurement: Measurement) -> int:
    """The step of the index; 1 of a telegram without one."""
    index = measurement.index
    if index is None:
        return 1
    measurand, name, wanted, per_unit = _OF[index.fluid_quantity]
    for place, value in zip(frame.layout.places, frame.values, strict=True):
        meaning = place.meaning
        if (
            meaning.measurand is measurand
            and not meaning.storage
            and may_count(meaning)
            and value is not None
        ):
            scale = meaning.scale or Decimal(1)
            step = (
                scale if measurand is Measurand.ALLOCATOR_UNITS else converted_to(scale, meaning.unit, wanted)
            )
            return 1 if step is None else max(1, ceil(step * per_unit))
    value = measurement.values.get(name)
    exponent = value.as_tuple().exponent if isinstance(value, Decimal) else 0
    return max(1, ceil(Decimal(per_unit).scaleb(exponent))) if isinstance(exponent, int) else 1
