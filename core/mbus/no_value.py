"""What a record cannot mean, whatever its coding allows: counters and days.

In: the values of a frame, and which of its records a reader takes. Out: the same values, those that cannot be
left out. The one rule: what has been counted, or has elapsed, is a number and never below zero, and what a
telegram says has been, has been by the meter's own clock.

The binary codings carry a sign (EN 13757-3 type B) and mark "no value" by the most negative number alone;
many meters send all ones for it, which reads as -1, and Itron FE FE FE FE. Some (Zenner) put the binary mark
00 00 00 80 into a decimal field as well, where it reads as eighty million.

Flows, powers and temperatures keep their sign: -1 is a number there.

Clocks that were never set start with 2000-01-01, and radio of this standard is younger than 2000 (EN
13757-4:2005). A two-digit year is of 2000 to 2080 (EN 13757-3 annex A, type F); the later ones are of the
last century.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from core.mbus.frame import Layout
from core.mbus.records import Meaning
from core.mbus.units import COMPACT_PROFILES
from core.mbus.values import COUNTS, Coding
from core.mbus.vocabulary import RecordValue

# Shorter decimal fields have no such mark: 8000 is an ordinary number. 800000 is one that a register passes
# once in its life, and holds in an empty dwelling; of a past day it is the mark.
_MARKS: Final = MappingProxyType(
    {Coding.BCD6: 800_000, Coding.BCD8: 80_000_000, Coding.BCD12: 800_000_000_000}
)

Guard = tuple[int, Decimal | int, Decimal | int | None]
"""The number of a record that holds a count; zero, of the type of its values; and what its mark for "no
value" reads as, if it has one.
"""
_NUMBER: Final = (Decimal, int)
_ZERO: Final = Decimal(0)  # to compare with an int takes twice as long


def is_count(meaning: Meaning) -> bool:
    """True for the record of one number that has been counted or has elapsed."""
    return meaning.measurand in COUNTS and COMPACT_PROFILES.isdisjoint(meaning.modifiers)


def no_value_mark(meaning: Meaning) -> Decimal | int | None:
    """What the binary mark of "no value" reads as in a decimal field of a counter."""
    mark = _MARKS.get(Coding(meaning.coding))
    if mark is None or not is_count(meaning) or (meaning.coding == Coding.BCD6 and not meaning.storage):
        return None
    number = mark if meaning.scale is None else mark * meaning.scale
    return number if meaning.addend is None else number + meaning.addend


def guards(layout: Layout, indexes: Iterable[int]) -> tuple[Guard, ...]:
    """For those of these records of a layout that hold counts."""
    meanings = [(index, layout.places[index].meaning) for index in sorted(set(indexes))]
    return tuple(
        (index, 0 if meaning.scale is None else _ZERO, no_value_mark(meaning))
        for index, meaning in meanings
        if is_count(meaning)
    )


def possible(values: tuple[RecordValue, ...], guarded: Sequence[Guard]) -> tuple[RecordValue, ...]:
    """The values of a frame, None in place of what its counters cannot show."""
    for index, zero, mark in guarded:
        value = values[index]
        if value is None:
            continue
        if not isinstance(value, _NUMBER) or value < zero or (mark is not None and value == mark):
            values = (*values[:index], None, *values[index + 1 :])
    return values


NEVER_SET: Final = date(2000, 1, 1)
UNSET_YEAR: Final = NEVER_SET.year
_LAST_YEAR: Final = 2080


def day_of(moment: date) -> date:
    """The day of a day or of a moment."""
    return moment.date() if isinstance(moment, datetime) else moment


def clock_day(moment: object) -> date | None:
    """The day that a meter's clock shows; None when it shows none, or was never set."""
    if not isinstance(moment, date) or not UNSET_YEAR < moment.year <= _LAST_YEAR:
        return None
    return day_of(moment)


def has_been(moment: date, today: date | None) -> bool:
    """True unless this is after the day that the meter's clock shows, or beyond all days."""
    return moment.year <= _LAST_YEAR and (today is None or day_of(moment) <= today)
