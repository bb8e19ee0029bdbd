"""The answers of `submeter decode --jsonl`: what a decoded telegram means, in JSON's own types.

In: the telegram's sender and what it means, or the reason why it could not be decoded. Out: an `Answer`,
which `msgspec` writes as one JSON object. The one rule: a number is written as JSON's shortest text of it, an
integer without a fraction where it is one and a double holds it exactly.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType
from msgspec.json import Encoder

from core.mbus.address import Address
from core.metering import HistorySource, Measurement, Quantity, StatusFlag, TelegramError

_LARGEST: Final = 2**53
_ONE: Final = Decimal(1)
_TEXTS: Final = {member: member.value for members in (Quantity, HistorySource) for member in members}
"""Of members of enums, which take longer to write."""
_NO_VALUES: Final[Mapping[str, Any]] = {}
_NO_DURATIONS: Final[dict[str, "Duration"]] = {}
_NO_FLAGS: Final[list[str]] = []


class LineFault(Struct, frozen=True, gc=False):
    """Why a line was not decoded; a line that is no such object has neither a stage nor an offset."""

    code: str
    stage: str | UnsetType = UNSET
    offset: int | UnsetType | None = UNSET
    message: str = ""


class PastValue(Struct, frozen=True, gc=False):
    """A counter's value of an earlier day."""

    day: date
    quantity: str
    value: int | float
    source: str


class Duration(Struct, frozen=True, gc=False):
    """For how long a state held."""

    at_least_h: int
    at_most_h: int


class Answer(Struct, gc=False):
    """The answer to one line, its names in the order in which they are written."""

    id: Any = None
    manufacturer: str | None = None
    serial: str | None = None
    address: str | None = None
    driver: str | None = None
    measurements: Mapping[str, Any] = _NO_VALUES
    history: list[PastValue] = []
    flags: list[str] = _NO_FLAGS
    status_word: int | None = None
    no_values: str | None = None
    error: LineFault | None = None
    durations: dict[str, Duration] | UnsetType = UNSET
    previous_alarm_flags: list[str] | UnsetType | None = UNSET


_ENCODER: Final = Encoder()


def written(answers: list[Answer]) -> bytes:
    """The answers as JSON lines."""
    return _ENCODER.encode_lines(answers)


def tell_sender(answer: Answer, address: Address, driver: str) -> None:
    """Puts the meter's address into an answer."""
    answer.manufacturer = address.manufacturer
    answer.serial = address.identification
    answer.address = str(address)
    answer.driver = driver


def tell_meaning(answer: Answer, measurement: Measurement) -> None:
    """Puts what a telegram means into an answer."""
    history = measurement.history
    answer.measurements = plain_values(measurement.values)
    if history:
        answer.history = [
            PastValue(entry.day, entry.quantity, plain_number(entry.value), entry.source) for entry in history
        ]
    if measurement.flags:
        answer.flags = _sorted(measurement.flags)
    answer.status_word = measurement.status_word
    answer.durations = _NO_DURATIONS
    if measurement.durations:
        answer.durations = {
            span.flag: Duration(span.at_least, span.at_most) for span in measurement.durations
        }
    earlier = measurement.previous_flags
    answer.previous_alarm_flags = earlier if earlier is None else _sorted(earlier) if earlier else _NO_FLAGS


def fault_of(error: TelegramError) -> LineFault:
    """The reason why a telegram was not decoded."""
    return LineFault(error.code, error.stage, error.offset, error.message)


@lru_cache(maxsize=1024)
def _sorted(flags: frozenset[StatusFlag]) -> list[str]:
    return sorted(flag.value for flag in flags)


def plain_values(values: Mapping[str, object]) -> dict[str, object]:
    """Values by name: numbers as JSON has them, moments with a blank between day and time."""
    plain = dict(values)
    for name, value in values.items():
        kind = type(value)
        if kind is Decimal:
            number = float(value)  # type: ignore[arg-type]
            # As `plain_number` has it, which takes a call for each.
            if number % 1 or not -_LARGEST < number < _LARGEST or value % _ONE:  # type: ignore[operator]
                plain[name] = number
            else:
                plain[name] = int(number)
        elif kind is datetime:
            plain[name] = value.isoformat(" ")  # type: ignore[attr-defined]
    return plain


def plain_number(value: Decimal) -> int | float:
    """The integer that a number is, if a double holds it exactly; otherwise the nearest double."""
    number = float(value)
    if number % 1 or not -_LARGEST < number < _LARGEST or value % _ONE:
        return number
    return int(number)
