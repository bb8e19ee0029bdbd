"""Compact profiles: a row of equally spaced past values in one record.

In: the records of a frame. Out: the values with their moments. The one rule: a slot that is marked illegal,
or shows what a counter cannot, is missing, and where slots are differences nothing behind a missing one is
known. EN 13757-3 annex F.

The data of a profile are a spacing control byte, a spacing value byte and the slots:

    control  bits 6-7  00 values, 01 increments, 10 decrements, 11 signed differences
             bits 4-5  00 seconds, 01 minutes, 10 hours, 11 days or months
             bits 0-3  coding of a slot, as in a DIF
    value    1..250 so many of the unit; with 11 also 254: a month; 253 (half a month) is not read
             with 10 254: a quarter; with 01 254: half a year

Base are the value and the moment under the same storage number. The inverse profile (VIFE 13) goes back from
the base, the latest slot first; the others (VIFE 1E, 1F) go forward from it. Differences are those of the
later to the earlier value.
"""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from core.mbus.no_value import NEVER_SET, clock_day, day_of, has_been, no_value_mark
from core.mbus.records import Record, meaning_of
from core.mbus.units import COMPACT_PROFILES, INVERSE_PROFILE
from core.mbus.values import BCD_CODINGS, COUNTS, LENGTHS, Coding, bcd, signed
from core.mbus.vocabulary import Function, Measurand

_VALUES, _INCREMENTS, _DECREMENTS, _DIFFERENCES = 0, 1, 2, 3
_UNSIGNED: Final = frozenset({_INCREMENTS, _DECREMENTS})
_MARKED: Final = 3  # bytes from which 00 .. 00 80, binary for "no value", is none in decimal slots either
_STEPS: Final = ("seconds", "minutes", "hours", "days")
_MOST: Final = 250
_CALENDAR: Final = 254
_MONTHS: Final = (0, 6, 3, 1)
_INTEGERS: Final = frozenset(
    {Coding.INT8, Coding.INT16, Coding.INT24, Coding.INT32, Coding.INT48, Coding.INT64}
)


@dataclass(frozen=True, slots=True)
class Slot:
    """One value of a profile; `moment` is a day, or a moment of the meter's own clock."""

    moment: date
    value: Decimal


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile whose base is known.

    Args:
        record: the record that carries it.
        measurand, unit: of the values.
        slots: in the order sent, the missing ones left out.

    """

    record: Record
    measurand: Measurand
    unit: str
    slots: tuple[Slot, ...]


def read_profiles(records: Sequence[Record]) -> Iterator[Profile]:
    """The profiles among the records of a frame; those that cannot be read for sure are left out."""
    today = _clock(records)
    for record in records:
        if not record.modifiers:
            continue
        kinds = COMPACT_PROFILES.intersection(record.modifiers)
        others = tuple(modifier for modifier in record.modifiers if modifier not in COMPACT_PROFILES)
        if len(kinds) != 1 or others or len(record.data) < 3:
            continue
        moment = _base_moment(record, records)
        if moment is not None and has_been(moment, today):
            inverse = INVERSE_PROFILE in kinds
            slots = tuple(
                slot
                for slot in _slots(record, moment, _base_value(record, records), inverse=inverse)
                if has_been(slot.moment, today)  # a row that goes forward may have room for more
            )
            yield Profile(record, record.measurand, record.unit, slots)


def _clock(records: Sequence[Record]) -> date | None:
    """The day that the meter says it is; None when it says none, or its clock was never set."""
    for record in records:
        now = not (record.storage or record.tariff or record.subunit or record.modifiers)
        if now and record.function is Function.INSTANTANEOUS and isinstance(record.value, date):
            return clock_day(record.value)
    return None


def _base_moment(profile: Record, records: Sequence[Record]) -> date | None:
    moments = {
        record.value
        for record in records
        if record.storage == profile.storage
        and record.function is Function.INSTANTANEOUS
        and not record.modifiers
        and record.measurand in {Measurand.DATE, Measurand.DATE_TIME}
        and isinstance(record.value, date)
    }
    moment = moments.pop() if len(moments) == 1 else None
    return None if moment is None or day_of(moment) == NEVER_SET else moment


def _base_value(profile: Record, records: Sequence[Record]) -> Decimal | None:
    place = (
        profile.measurand,
        profile.unit,
        profile.storage,
        profile.tariff,
        profile.subunit,
        profile.function,
    )
    values = {
        Decimal(record.value)
        for record in records
        if (record.measurand, record.unit, record.storage, record.tariff, record.subunit, record.function)
        == place
        and not record.modifiers
        and isinstance(record.value, int | Decimal)
        and not (record.value == no_value_mark(meaning_of(record.header)) or record.value < 0)
    }
    return values.pop() if len(values) == 1 else None


def _slots(record: Record, moment: date, base: Decimal | None, *, inverse: bool) -> Iterator[Slot]:
    control, spacing = record.data[0], record.data[1]
    mode, unit, coding = control >> 6, control >> 4 & 0x03, control & 0x0F
    size = LENGTHS[coding]
    if coding not in BCD_CODINGS and coding not in _INTEGERS:
        return
    content = record.data[2:]
    if len(content) % size:
        return
    scale, counts = meaning_of(record.header).scale or Decimal(1), record.measurand in COUNTS
    value = base
    for number, at in enumerate(range(0, len(content), size), start=1):
        at_moment = _moved(moment, unit, spacing, -number if inverse else number)
        slot = _number(content[at : at + size], coding, mode, counts=counts)
        if at_moment is None:
            return
        if mode == _VALUES:
            value = None if slot is None else slot * scale
        elif value is None or slot is None:
            return
        else:
            later = -1 if mode == _DECREMENTS else 1
            value += slot * scale * (-later if inverse else later)
            if counts and value < 0:
                return
        if value is not None:
            yield Slot(at_moment, value)


def _number(data: bytes, coding: int, mode: int, *, counts: bool) -> int | None:
    if not data.strip(b"\xff") and (counts or mode in _UNSIGNED):
        return None  # all ones: illegal where a slot has no sign; makers send it for the others, too
    if coding in BCD_CODINGS:
        number = None if len(data) >= _MARKED and data == _mark(len(data)) else bcd(data)
    elif mode in _UNSIGNED:
        number = None if data == _mark(len(data)) else int.from_bytes(data, "little")
    else:
        number = signed(data)
    below = number is not None and number < 0 and mode != _DIFFERENCES
    return None if below and (counts or mode in _UNSIGNED) else number


def _mark(length: int) -> bytes:
    """The most negative number, "no value" of the binary codings, which some send in the others as well."""
    return bytes(length - 1) + b"\x80"


def _moved(moment: date, unit: int, spacing: int, count: int) -> date | None:
    try:
        if 1 <= spacing <= _MOST:
            if unit < len(_STEPS) - 1 and not isinstance(moment, datetime):
                return None
            return moment + timedelta(**{_STEPS[unit]: spacing * count})
        if spacing == _CALENDAR and _MONTHS[unit]:
            return _months_on(moment, _MONTHS[unit] * count)
    except (OverflowError, ValueError):
        return None
    return None


def _months_on(moment: date, months: int) -> date:
    """So many months later; the last day of a month remains the last day of a month."""
    month = moment.year * 12 + moment.month - 1 + months
    year, index = divmod(month, 12)
    last = monthrange(year, index + 1)[1]
    at_end = moment.day == monthrange(moment.year, moment.month)[1]
    return moment.replace(year=year, month=index + 1, day=last if at_end else min(moment.day, last))
