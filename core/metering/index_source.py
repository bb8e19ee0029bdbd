"""Where the index of telegrams of one layout stands, and how its digits become whole units.

In: a layout, and the number of the record that is the index. Out: what a batch needs to read it without the
other records: place, coding, and the factor to litres, watt-hours or allocator units. The one rule: only for
numbers of which `Measurement.index` makes the same; of any other record there is no such answer.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from core.mbus.frame import Layout, Place
from core.mbus.no_value import no_value_mark
from core.mbus.records import value_of
from core.mbus.values import BCD_CODINGS, Coding
from core.mbus.vocabulary import Measurand
from core.metering.measurement import Quantity

_COUNTED: Final = frozenset({Measurand.ENERGY, Measurand.VOLUME, Measurand.ALLOCATOR_UNITS})
_BINARY: Final = frozenset({Coding.INT8, Coding.INT16, Coding.INT32, Coding.INT64})
_LARGEST_FACTOR: Final = 10**6
"""So that no product leaves 64 bits; see `LARGEST_NUMBER`."""

LARGEST_NUMBER: Final = 2**40
"""Larger ones are read like all other values: no register shows them."""


@dataclass(frozen=True, slots=True)
class WholeIndex:
    """How the digits of a record become an index: number * `times` // `per`.

    Args:
        place: the record.
        quantity: what it counts.
        decimal: True for BCD, False for a binary number.
        times, per: the factor from its number to the smallest unit.
        mark: the number that means "no value", if there is one.

    """

    place: Place
    quantity: Quantity
    decimal: bool = False
    times: int = 1
    per: int = 1
    mark: int | None = None

    @classmethod
    def of(cls, layout: Layout, number: int, quantity: Quantity, per_unit: Decimal) -> "WholeIndex | None":
        """That of a record by its number; None of one that is no such number.

        Args:
            layout: of the frames.
            number: of the record.
            quantity: what the record counts.
            per_unit: the smallest units in one unit of its values.

        """
        place = layout.places[number]
        meaning, coding = place.meaning, Coding(place.meaning.coding)
        zero = value_of(meaning, bytes(place.stop - place.start), place.lvar)
        if meaning.measurand not in _COUNTED or meaning.addend is not None or meaning.modifiers:
            return None
        if coding not in _BINARY | BCD_CODINGS or not isinstance(zero, int | Decimal):
            return None
        scale = Fraction(1 if meaning.scale is None else meaning.scale)
        factor, mark = scale * Fraction(per_unit), no_value_mark(meaning)
        if not 0 < factor.numerator <= _LARGEST_FACTOR:
            return None
        return cls(
            place,
            quantity,
            coding in BCD_CODINGS,
            factor.numerator,
            factor.denominator,
            None if mark is None else int(Fraction(mark) / scale),
        )


@dataclass(frozen=True, slots=True)
class IndexSource:
    """From which records of a layout the answer of `index_many` follows, beside the status byte.

    Args:
        index: the one that is the index, where it holds a number that the meter can show.
        flags: those that flags are read from.
        clear: from which offset of a telegram up to which further bytes are that flags are read from, outside
            of all records.

    """

    index: WholeIndex
    flags: tuple[Place, ...] = ()
    clear: tuple[int, int] = (0, 0)
