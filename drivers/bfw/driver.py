"""BFW: the heat cost allocator 240radio.

In: a telegram in the clear, with a short header of mode 0. Out: a `Measurement`. The one rule: the content
is no records but a layout of the maker's own, and proves itself by its months or is not read.

    2F 2F · 1 byte · 1F · units at the last year's end · units of now · 2 bytes · 18 months · day

The units are 16 bits, the high byte first. The day of the meter's clock is six decimal digits, DDMMYY. The
months are the units at the ends of the eighteen months before that day, the oldest first, in twelve bits
each: of two numbers the low bytes enclose a byte with the high digits of both. Those before the allocator
was installed are zero.

That was inferred from telegrams of one allocator on 28 February and 1 March: the months move on by one, and
the latest becomes the units of now. The proof of each telegram: an allocator begins anew at the year's end,
so the months never fall but twelve months apart, and the units at the last year's end are those of the month
after which they fell. Of random contents one in 2^50 is so.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from typing import Final

from submeter.vendor import (
    Frame,
    Measurand,
    Measurement,
    MeterDriver,
    SerialFormat,
    Signature,
    Table,
    standard,
)
from submeter.vendor.proprietary import Envelope, Layout, fixed_place

_SHORT_HEADER: Final = 0x7A
_START: Final = 15  # of the content in a telegram with a short header
_LENGTH: Final = 40
_BEGIN: Final = b"\x2f\x2f"
_MARK: Final = 0x1F
_MONTHS_FROM, _MONTHS_TO = 10, 37
_MONTHS: Final = 18
_MONTHS_A_YEAR: Final = 12
_TWELVE_BITS: Final = 1 << 12
_YEAR_END: Final = 1
_FIRST_MONTH: Final = 2  # the storage number given to the oldest month

_place: Final = partial(fixed_place, content_at=_START)
_UNITS, _DAY = Measurand.ALLOCATOR_UNITS, Measurand.DATE
_STORAGES: Final = range(_FIRST_MONTH, _FIRST_MONTH + _MONTHS)
_LAYOUT: Final = Layout(
    (
        _place(6, 8, _UNITS),
        _place(_MONTHS_TO, _LENGTH, _DAY),
        _place(4, 6, _UNITS, storage=_YEAR_END),
        _place(_MONTHS_TO, _LENGTH, _DAY, storage=_YEAR_END),
        *(_place(_MONTHS_FROM, _MONTHS_TO, _UNITS, storage=storage) for storage in _STORAGES),
        *(_place(_MONTHS_TO, _LENGTH, _DAY, storage=storage) for storage in _STORAGES),
    ),
    start=_START,
    opened_from=_START - 5,
)
_TABLE: Final = Table(target=(_YEAR_END,), storages=(_YEAR_END, *_STORAGES))


def read(envelope: Envelope) -> Frame | None:
    """The frame of a content that is laid out as these allocators do."""
    header, content = envelope.transport, envelope.raw[_START:]
    if header is None or header.ci != _SHORT_HEADER or header.payload != _START or len(content) != _LENGTH:
        return None
    today = _day(content[_MONTHS_TO:])
    if not content.startswith(_BEGIN) or content[3] != _MARK or today is None:
        return None
    year_end, now = int.from_bytes(content[4:6], "big"), int.from_bytes(content[6:8], "big")
    months = _months(content[_MONTHS_FROM:_MONTHS_TO])
    ends = [month for month, (one, next_one) in enumerate(pairwise((*months, now))) if next_one < one]
    if any(next_end - end < _MONTHS_A_YEAR for end, next_end in pairwise(ends)):
        return None
    if max(year_end, now) >= _TWELVE_BITS or year_end != (months[ends[-1]] if ends else 0):
        return None
    days = _ends_of_months(today)
    counted = [units or None if not any(months[:month]) else units for month, units in enumerate(months)]
    ended = (year_end, days[ends[-1]]) if ends else (None, None)
    return Frame(envelope, _LAYOUT, (now, today, *ended, *counted, *days), content)


def _day(sent: bytes) -> date | None:
    digits = sent.hex()
    if not digits.isdecimal():
        return None
    try:
        return date(2000 + int(digits[4:]), int(digits[2:4]), int(digits[:2]))
    except ValueError:
        return None


def _months(packed: bytes) -> Sequence[int]:
    months: list[int] = []
    for at in range(0, len(packed), 3):
        first, high, second = packed[at : at + 3]
        months += (first | high >> 4 << 8, second | (high & 0x0F) << 8)
    return months


def _ends_of_months(today: date) -> Sequence[date]:
    """The last days of the eighteen months before a day's, the oldest first."""
    days: list[date] = []
    day = today
    for _ in range(_MONTHS):
        day = day.replace(day=1) - timedelta(days=1)
        days.append(day)
    return days[::-1]


def interpret(frame: Frame) -> Measurement:
    """What a 240radio sends; of one that sends records what the standard says of them."""
    return _TABLE.interpret(frame) if frame.layout is _LAYOUT else standard(frame)


DRIVER: Final = MeterDriver(
    name="bfw",
    title="BFW 240radio heat cost allocators",
    signatures=(Signature("BFW", 0x02, 0x08),),
    serial=SerialFormat(
        pattern=r"\d{8}", example="71000447", from_address=lambda address: address.identification
    ),
    interpret=interpret,
    own_content=read,
)
