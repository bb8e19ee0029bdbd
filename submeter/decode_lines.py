"""Decodes many telegrams: JSON objects in, JSON objects out, one per line and in order.

In: `{"id": ..., "telegram": "<line>", "key": "<hex>" | null, "prior_telegrams": [...]}`. Out: `{"id": ...,
"manufacturer": ..., "serial": ..., "measurements": {...}, "error": null}` and some more keys. The one
rule: each object is decoded as if it stood alone and gets its own answer, with an `error` if it cannot be
decoded. Telegrams listed as prior are of the same meter and are read first, for the compact formats that they
define; they define nothing for another object.

Lines are decoded in batches (`core.metering.batch`), which work out once what telegrams of one kind have in
common.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import orjson
from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from core.mbus.lines import is_cut
from core.metering import (
    NO_FORMATS,
    CompactFormats,
    GatewayLine,
    Identified,
    Opened,
    Registry,
    TelegramError,
    as_received,
    clear_part,
    parse_line,
    why_no_values,
)
from core.metering.batch import BatchDecoder, collector_at_rest
from submeter.decode_answers import Answer, LineFault, fault_of, tell_meaning, tell_sender, written

_BAD_INPUT: Final = "INVALID_INPUT"
LONGEST_OBJECT: Final = 1 << 20
"""Characters of a line that is read: an object holds the telegrams before it, too."""
_MOST_LINES: Final = 512
_MOST_CHARACTERS: Final = 1 << 22
"""Of a batch: so many that what its telegrams have in common is worth finding, and no more: what is made of
them fits a core's cache.
"""
_MOST_FORMATS: Final = 1024
_LEAST_INT: Final = -(1 << 63)
_MOST_INT: Final = 1 << 64

_Item = TypeVar("_Item")


class _InputError(Exception):
    """The line is not an object of the expected form."""


class _Asked(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """An object as it usually comes; what comes otherwise is read by `_unusual`, which says what is wrong."""

    telegram: str
    id: str | int | None = None
    key: str | None = None
    prior_telegrams: list[str] | None = None


_usual: Final = Decoder(_Asked).decode


class _Question:
    """A line that asks for a telegram.

    Attributes:
        answer: to be filled in.
        received: the gateway's line.
        key: the meter's.
        prior: the lines of earlier telegrams.
        sender: who sent it, once that is known.

    """

    __slots__ = ("answer", "key", "prior", "received", "sender")

    sender: Identified

    def __init__(
        self, answer: Answer, received: GatewayLine, key: bytes | None, prior: Sequence[str]
    ) -> None:
        self.answer = answer
        self.received = received
        self.key = key
        self.prior = prior


class LineDecoder:
    """Answers lines in batches.

    Args:
        registry: the installed drivers.

    """

    def __init__(self, registry: Registry) -> None:
        self._decoder = BatchDecoder(registry)
        self._known_formats: dict[CompactFormats, CompactFormats] = {}

    def answers(self, lines: Iterable[str]) -> Iterator[bytes]:
        """The answers to the lines that are not blank, in order, each with its line feed; many at once."""
        batch: list[str] = []
        size = 0
        for line in lines:
            if not line or line.isspace():
                continue
            batch.append(line)
            size += len(line)
            if len(batch) >= _MOST_LINES or size >= _MOST_CHARACTERS:
                yield self._answers(batch)
                batch, size = [], 0
        if batch:
            yield self._answers(batch)

    def _answers(self, lines: Sequence[str]) -> bytes:
        answers = [Answer() for _ in lines]
        with collector_at_rest():
            found = [_question(line, answer) for line, answer in zip(lines, answers, strict=True)]
            questions = self._identified([question for question in found if question is not None])
            for question, opened in zip(questions, self._opened(questions), strict=True):
                _tell(question, opened)
            try:
                return written(answers)
            except RecursionError:
                return b"".join([_written_alone(answer) for answer in answers])

    def _identified(self, questions: Sequence[_Question]) -> list[_Question]:
        """The questions whose telegram has a sender."""
        received = [(question.received.telegram, question.received.crc_kept) for question in questions]
        found: list[_Question] = []
        for question, sender in zip(questions, self._decoder.identify(received), strict=True):
            if isinstance(sender, TelegramError):
                question.answer.error = fault_of(sender)
                continue
            question.sender = sender
            tell_sender(question.answer, sender.address, sender.driver.name)
            found.append(question)
        return found

    def _opened(self, questions: Sequence[_Question]) -> list[Opened | TelegramError]:
        """Opens what can be opened with what the drivers know alone; then, with the formats that the prior
        telegrams define, what may need them.
        """
        results = self._decoder.open(
            [question.sender for question in questions], [question.key for question in questions]
        )
        again = [
            place
            for place, question in enumerate(questions)
            if question.prior and _may_need_formats(question.sender, results[place])
        ]
        formats = self._learned([questions[place] for place in again])
        for known, places in _alike(again, formats).items():
            senders = [questions[place].sender for place in places]
            keys = [questions[place].key for place in places]
            for place, opened in zip(places, self._decoder.open(senders, keys, formats=known), strict=True):
                results[place] = opened
        return results

    def _learned(self, questions: Sequence[_Question]) -> list[CompactFormats]:
        """The compact formats that the prior telegrams of each define; one that cannot be decoded is ignored.

        In rounds, the first of each, then the second: one may open the next.
        """
        formats = [NO_FORMATS] * len(questions)
        asking, turn = list(range(len(questions))), 0
        while asking:
            parsed = [(place, _parsed(questions[place].prior[turn])) for place in asking]
            lines = [(place, line) for place, line in parsed if isinstance(line, GatewayLine)]
            senders = self._decoder.identify([(line.telegram, line.crc_kept) for _, line in lines])
            known = [
                (place, sender)
                for (place, _), sender in zip(lines, senders, strict=True)
                if isinstance(sender, Identified)
            ]
            for before, group in _alike(known, [formats[place] for place, _ in known]).items():
                keys = [questions[place].key for place, _ in group]
                opened = self._decoder.open([sender for _, sender in group], keys, formats=before)
                for (place, _), result in zip(group, opened, strict=True):
                    if isinstance(result, Opened):
                        formats[place] = self._only(before.learn(result))
            turn += 1
            asking = [place for place in asking if turn < len(questions[place].prior)]
        return formats

    def _only(self, formats: CompactFormats) -> CompactFormats:
        """One object for equal formats."""
        if len(self._known_formats) >= _MOST_FORMATS:
            self._known_formats.clear()
        return self._known_formats.setdefault(formats, formats)


def answers(lines: Iterable[str], registry: Registry) -> Iterator[bytes]:
    """The answer to each line that is not blank, without its line feed."""
    for batch in LineDecoder(registry).answers(lines):
        yield from batch.splitlines()


def _alike(items: Iterable[_Item], formats: Iterable[CompactFormats]) -> dict[CompactFormats, list[_Item]]:
    groups: dict[CompactFormats, list[_Item]] = {}
    for item, known in zip(items, formats, strict=True):
        groups.setdefault(known, []).append(item)
    return groups


def _may_need_formats(sender: Identified, result: Opened | TelegramError) -> bool:
    """False where the telegram was opened as it was identified: on that way no format was missing."""
    return isinstance(result, TelegramError) or result.frame.envelope.raw != sender.envelope.raw


def _question(line: str, answer: Answer) -> _Question | None:
    """What a line asks for; None when something is wrong with it, and then its answer says what."""
    try:
        try:
            asked = _usual(line)
        except MsgspecError:
            asked = _unusual(line, answer)
        if type(asked.id) is int and not _LEAST_INT <= asked.id < _MOST_INT:
            asked = _unusual(line, answer)  # such a number is no integer there
        elif asked.id is not None:
            answer.id = asked.id
        key = bytes.fromhex(asked.key) if asked.key else None
        return _Question(answer, parse_line(asked.telegram), key, asked.prior_telegrams or ())
    except _InputError as error:
        answer.error = LineFault(_BAD_INPUT, message=str(error))
    except ValueError:
        answer.error = LineFault(_BAD_INPUT, message="The key must be hex digits.")
    except TelegramError as error:
        answer.error = fault_of(error)
    return None


def _unusual(line: str, answer: Answer) -> _Asked:
    """What an object asks for whose fields are of other kinds or names; its `id` is answered as it came."""
    asked = _object(line)
    answer.id = asked.get("id")
    key, prior = asked.get("key") or None, asked.get("prior_telegrams")
    if key is not None:
        _key(key)
    if isinstance(prior, list):
        for earlier in prior:
            _text(earlier)
    else:
        prior = None
    return _Asked(_text(asked.get("telegram")), None, key, prior)


def _object(line: str) -> dict[str, Any]:
    if is_cut(line):
        raise _InputError(f"The line is longer than {LONGEST_OBJECT} characters.")
    try:
        asked = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise _InputError("The line is no JSON.") from None
    if not isinstance(asked, dict):
        raise _InputError("Expected one JSON object per line.")
    return asked


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _InputError("Expected the telegram as a string.")
    return value


def _key(value: object) -> None:
    try:
        bytes.fromhex(_text(value))
    except ValueError:
        raise _InputError("The key must be hex digits.") from None


def _written_alone(answer: Answer) -> bytes:
    """An answer whose `id` may be nested more deeply than can be written."""
    try:
        return written([answer])
    except RecursionError:
        fault = LineFault(_BAD_INPUT, message="The id is nested too deeply.")
        return written([Answer(error=fault)])


def _parsed(line: str) -> GatewayLine | TelegramError:
    try:
        return parse_line(line)
    except TelegramError as error:
        return error.with_traceback(None)


def _tell(question: _Question, opened: Opened | TelegramError) -> None:
    """Fills the answer in."""
    answer, received_at = question.answer, question.received.received_at
    if isinstance(opened, Opened):
        measurement = opened.measurement
        if len(measurement.values) <= 1:  # with more there is nothing to explain
            answer.no_values = why_no_values(opened)
        tell_meaning(answer, measurement if received_at is None else as_received(measurement, received_at))
        return
    part = clear_part(question.sender)
    if part is not None:
        tell_meaning(answer, part[1])
    answer.error = fault_of(opened)
