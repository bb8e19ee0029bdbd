"""The answers of `submeter decode --jsonl`: what a decoded telegram means, in JSON's own types.

In: the telegrams' senders and what they mean, or the reason why one could not be decoded. Out: an `Answer`
each, which `msgspec` writes as one JSON object. The one rule: a number is written as JSON's shortest text of
it, an integer without a fraction where it is one and a double holds it exactly.

The numbers of many telegrams become JSON's at once: `msgspec` writes and reads a list of them in a third of
the time in which Python makes a double of each.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from msgspec import UNSET, MsgspecError, Struct, UnsetType
from msgspec.json import Decoder, Encoder
from msgspec.structs import replace

from core.metering import (
    FlagDuration,
    HistoryEntry,
    Identified,
    Measurement,
    StatusFlag,
    TelegramError,
)

_LARGEST: Final = 2.0**53
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
    previous_alarm_flags: Collection[str] | UnsetType | None = UNSET


_ENCODER: Final = Encoder()


def written(answers: Sequence[Answer]) -> bytes:
    """The answers as JSON lines."""
    return _ENCODER.encode_lines(answers)


def fault_of(error: TelegramError) -> LineFault:
    """The reason why a telegram was not decoded."""
    return LineFault(error.code, error.stage, error.offset, error.message)


def answers_of(
    ids: Iterable[Any],
    senders: Sequence[Identified],
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
    meanings = [_NOTHING if one is None else one for one in measurements]
    addresses = [sender.address for sender in senders]
    answers = list(
        map(
            Answer,
            ids,
            [address.manufacturer for address in addresses],
            [address.identification for address in addresses],
            map(str, addresses),
            [sender.driver.name for sender in senders],
            plain_values([one.values for one in meanings]),
            _histories([one.history for one in meanings]),
            [_sorted(one.flags) if one.flags else _NO_FLAGS for one in meanings],
            [one.status_word for one in meanings],
            no_values,
            errors,
            [_durations(one.durations) if one.durations else _NO_DURATIONS for one in meanings],
            [_sorted(one.previous_flags) if one.previous_flags else one.previous_flags for one in meanings],
        )
    )
    for place in [place for place, one in enumerate(meanings) if one is _NOTHING]:
        answers[place] = replace(answers[place], durations=UNSET, previous_alarm_flags=UNSET)
    return answers


def _histories(histories: Sequence[Sequence[HistoryEntry]]) -> Iterable[Sequence[PastValue]]:
    """What the counters showed on earlier days."""
    entries = [entry for history in histories for entry in history]
    past = map(
        PastValue,
        [entry.day for entry in entries],
        [entry.quantity for entry in entries],
        plain_numbers([entry.value for entry in entries]),
        [entry.source for entry in entries],
    )
    lengths = set(map(len, histories))
    if len(lengths) == 1 and (length := lengths.pop()):  # nearly always; sharing out by number takes longer
        return zip(*[past] * length, strict=True)
    return [tuple(islice(past, len(history))) for history in histories]


def plain_values(many: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Values by name of each: numbers as JSON has them, moments with a blank between day and time.

    Name by name for all that have the same names, since nearly all values of one name are of one type.
    """
    answers = list(map(dict, many))
    for alike in _with_the_same_names(answers):
        for name in alike[0]:
            column = [values[name] for values in alike]
            kinds = set(map(type, column))
            if kinds & _CONVERTED:
                for values, plain in zip(alike, _plain_column(column, kinds), strict=True):
                    values[name] = plain
    return answers


_CONVERTED: Final = frozenset({Decimal, datetime})


def _with_the_same_names(many: Sequence[dict[str, object]]) -> Iterable[Sequence[dict[str, object]]]:
    if len(set(map(len, many))) == 1 and len(set().union(*many)) == len(many[0]):
        return (many,)  # of one kind of meter
    groups: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for values in many:
        groups.setdefault(tuple(values), []).append(values)
    return groups.values()


def _plain_column(column: Sequence[Any], kinds: set[type]) -> Iterable[object]:
    """Values of one name, some of which have to be converted."""
    if kinds == {Decimal}:
        return plain_numbers(column)
    if Decimal in kinds:
        column = [plain_number(value) if type(value) is Decimal else value for value in column]
    return [value.isoformat(" ") if type(value) is datetime else value for value in column]


_WRITTEN: Final = Encoder(decimal_format="number").encode
_READ: Final = Decoder(list[int | float]).decode


def plain_numbers(values: Sequence[Decimal]) -> list[int | float]:
    """As `plain_number` has each, in half the time or less."""
    try:
        numbers = _READ(_WRITTEN(values))
    except MsgspecError:  # one is no number of JSON's, or beyond any double
        return [plain_number(value) for value in values]
    return [
        int(number)
        if type(number) is float
        and number.is_integer()
        and -_LARGEST < number < _LARGEST
        and not value % _ONE
        else float(value)
        if type(number) is int and not -_LARGEST < number < _LARGEST
        else number
        for number, value in zip(numbers, values, strict=True)
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
