"""INNOTAS: the heat cost allocator EURIS II, which Aventies and Rossweiner sell too.

In: an opened frame. Out: a `Measurement`. The one rule: units stand under the storage numbers 1 to 17 without
a day, those of the latest month's end under 1, and a telegram has to show that it is so. An allocator counts
up within a year and begins anew at its end: read from now backwards, no number is above the one before it but
at the ends of years, twelve months apart.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from submeter.vendor import Frame, Measurand, Measurement, MeterDriver, SerialFormat, Signature, standard

_MONTHS: Final = range(1, 18)
_MONTHS_A_YEAR: Final = 12


def interpret(frame: Frame) -> Measurement:
    """What a EURIS II sends."""
    units = [_units(frame, storage) for storage in (0, *_MONTHS)]
    known = [number for number in units if number is not None]
    if len(known) < len(units) or not _are_months(known):
        return standard(frame)
    return standard(frame, {"target_hca_units": known[1]})


def _units(frame: Frame, storage: int) -> int | None:
    record = frame.record(Measurand.ALLOCATOR_UNITS, storage=storage)
    return int(record.value) if record is not None and isinstance(record.value, int) else None


def _are_months(units: Sequence[int]) -> bool:
    """Whether units, the present ones first, are those of months, the latest first."""
    ends = [month for month, (later, earlier) in enumerate(pairwise(units)) if earlier > later]
    return all(next_end - end >= _MONTHS_A_YEAR for end, next_end in pairwise(ends))


DRIVER: Final = MeterDriver(
    name="innotas",
    title="INNOTAS EURIS II heat cost allocators",
    signatures=tuple(Signature(maker, 0x55, 0x08) for maker in ("AAA", "RAM")),
    serial=SerialFormat(
        pattern=r"\d{8}", example="71000571", from_address=lambda address: address.identification
    ),
    interpret=interpret,
)
