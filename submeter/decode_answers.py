"""The answers of `submeter decode --jsonl`: what a decoded telegram means, in JSON's own types.

In: the telegrams' senders and what they mean, or the reason why one could not be decoded. Out: an `Answer`
each, which `msgspec` writes as one JSON object. The one rule: a number is written as JSON's shortest text of
it, an integer without a fraction where it is one and a double holds it exactly.

The numbers of many telegrams become JSON's at once: `msgspec` writes and reads a list of them in a third of
the time in which Python makes a double of each.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from msgspec import UNSET, MsgspecError, Struct, UnsetType
from msgspec.json import Decoder, Encoder

from core.metering import FlagDuration, Identified, Measurement, StatusFlag, TelegramError

_LARGEST: Final = 2**53
_ONE: Final = Decimal(1)
_NO_VALUES: Final[Mapping[str, Any]] = {}
_NO_DURATIONS: Final[dict[str, "Duration"]] = {}
_NO_FLAGS: Final[Sequence[str]] = ()
_NOTHING: Final = Measurement()


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


class Answer(Struct, frozen=True, gc=False):
    """The answer to one line, its names in the order in which they are written."""

    id: Any = None
    manufacturer: str | None = None
    serial: str | None = None
    address: str | None = None
    driver: str | None = None
    measurements: Mapping[str, Any] = _NO_VALUES
    history: Sequence[PastValue] = ()
    flags: Sequence[str] = _NO_FLAGS
    status_word: int | None = None
    no_values: str | None = None
    error: LineFault | None = None
    durations: dict[str, Duration] | UnsetType = UNSET
    previous_alarm_flags: Sequence[str] | UnsetType | None = UNSET


_ENCODER: Final = Encoder()


def written(answers: Sequence[Answer]) -> bytes:
    """The answers as JSON lines."""
    return _ENCODER.encode_lines(answers)


def fault_of(error: TelegramError) -> LineFault:
    """The reason why a telegram was not decoded."""
    return LineFault(error.code, error.stage, error.offset, error.message)


def answers_of(
    ids: Iterable[Any],
    senders: Iterable[Identified],
    measurements: Iterable[Measurement | None],
    no_values: Iterable[str | None],
    errors: Iterable[LineFault | None],
) -> list[Answer]:
    """The answers to lines whose telegrams have a sender.

    Args:
        ids: of the lines.
        senders: of the telegrams.
        measurements: what they mean; None of one of which nothing could be read.
        no_values: why there are none, of those that have none.
        errors: why they could not be decoded, of those that could not.

    """
    told = [_NOTHING if one is None else one for one in measurements]
    values, histories = plain_values([one.values for one in told]), _histories(told)
    answers: list[Answer] = []
    for asked, sender, one, named, history, reason, error in zip(
        ids, senders, told, values, histories, no_values, errors, strict=True
    ):
        address, earlier = sender.address, one.previous_flags
        durations: dict[str, Duration] | UnsetType = _NO_DURATIONS
        previous: Sequence[str] | UnsetType | None = None
        if one is _NOTHING:
            durations = previous = UNSET
        elif one.durations:
            durations = _durations(one.durations)
        if earlier is not None:
            previous = _sorted(earlier) if earlier else _NO_FLAGS
        answers.append(
            Answer(
                asked,
                address.manufacturer,
                address.identification,
                str(address),
                sender.driver.name,
                named,
                history,
                _sorted(one.flags) if one.flags else _NO_FLAGS,
                one.status_word,
                reason,
                error,
                durations,
                previous,
            )
        )
    return answers


def plain_values(many: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Values by name of each: numbers as JSON has them, moments with a blank between day and time."""
    numbers = iter(plain_numbers([one for values in many for one in values.values() if type(one) is Decimal]))
    answers: list[dict[str, object]] = []
    for values in many:
        plain = dict(values)
        for name, value in values.items():
            kind = type(value)
            if kind is Decimal:
                plain[name] = next(numbers)
            elif kind is datetime:
                plain[name] = value.isoformat(" ")  # type: ignore[attr-defined]
        answers.append(plain)
    return answers


def _histories(measurements: Sequence[Measurement]) -> Iterator[Sequence[PastValue]]:
    """What the counters showed on earlier days, of each."""
    entries = [entry for measurement in measurements for entry in measurement.history]
    past = map(
        PastValue,
        [entry.day for entry in entries],
        [entry.quantity for entry in entries],
        plain_numbers([entry.value for entry in entries]),
        [entry.source for entry in entries],
    )
    return (tuple(islice(past, len(one.history))) if one.history else () for one in measurements)


_WRITTEN: Final = Encoder(decimal_format="number").encode
_READ: Final = Decoder(list[float]).decode


def plain_numbers(values: Sequence[Decimal]) -> list[int | float]:
    """As `plain_number` has each, in half the time or less."""
    try:
        doubles = _READ(_WRITTEN(values))
    except MsgspecError:  # one is no number of JSON's, or beyond any double
        return [plain_number(value) for value in values]
    return [
        int(double) if double.is_integer() and -_LARGEST < double < _LARGEST and not value % _ONE else double
        for double, value in zip(doubles, values, strict=True)
    ]


def plain_number(value: Decimal) -> int | float:
    """The integer that a number is, if a double holds it exactly; otherwise the nearest double."""
    number = float(value)
    if number % 1 or not -_LARGEST < number < _LARGEST or value % _ONE:
        return number
    return int(number)


@lru_cache(maxsize=1024)
def _sorted(flags: frozenset[StatusFlag]) -> list[str]:
    return sorted(flag.value for flag in flags)


def _durations(spans: Iterable[FlagDuration]) -> dict[str, Duration]:
    return {span.flag: Duration(span.at_least, span.at_most) for span in spans}
