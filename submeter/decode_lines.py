"""Decodes many telegrams: JSON objects in, JSON objects out, one per line and in order.

In: `{"id": ..., "telegram": "<line>", "key": "<hex>" | null, "prior_telegrams": [...]}`. Out: `{"id": ...,
"manufacturer": ..., "serial": ..., "measurements": {...}, "error": null}` and some more keys. The one
rule: each object is decoded as if it stood alone and gets its own answer, with an `error` if it cannot be
decoded. Telegrams listed as prior are of the same meter and are read first, for the compact formats that they
define; they define nothing for another object.

Lines are decoded in batches (`core.metering.batch`), which work out once what telegrams of one kind have in
common.
"""

from binascii import unhexlify
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Final, TypeVar

import orjson
from msgspec import Meta, MsgspecError, Struct
from msgspec.json import Decoder

from core.mbus.lines import is_cut, plain_lines
from core.metering import (
    NO_FORMATS,
    CompactFormats,
    GatewayLine,
    Identified,
    Measurement,
    Opened,
    Registry,
    TelegramError,
    as_received,
    clear_part,
    parse_line,
    why_no_values,
)
from core.metering.batch import BatchDecoder, collector_at_rest
from submeter.decode_answers import Answer, LineFault, answers_of, fault_of, written

_BAD_INPUT: Final = "INVALID_INPUT"
LONGEST_OBJECT: Final = 1 << 20
"""Characters of a line that is read: an object holds the telegrams before it, too."""
_MOST_LINES: Final = 512
_MOST_CHARACTERS: Final = 1 << 22
"""Of a batch: so many that what its telegrams have in common is worth finding, and no more: what is made of
them fits a core's cache.
"""
_MOST_FORMATS: Final = 1024

_Item = TypeVar("_Item")


class _InputError(Exception):
    """The line is not an object of the expected form."""


class _Asked(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """An object as it usually comes; what comes otherwise is read by `_unusual`, which says what is wrong."""

    telegram: str
    id: str | Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)] | None = None
    key: str | None = None
    prior_telegrams: list[str] | None = None


_USUAL: Final = Decoder(_Asked)


class _Question(Struct, frozen=True, gc=False):
    """A line that asks for a telegram.

    Args:
        place: of the line in its batch.
        id: to be answered as it came.
        received: the gateway's line.
        key: the meter's.
        prior: the lines of earlier telegrams.

    """

    place: int
    id: Any
    received: GatewayLine
    key: bytes | None
    prior: Sequence[str]


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
        with collector_at_rest():
            answers: dict[int, Answer] = {}
            questions, senders = self._identified(_questions(lines, answers), answers)
            results = self._opened(questions, senders)
            in_order = _answered(questions, senders, results)
            if answers:  # some are answered already
                answers.update(zip([one.place for one in questions], in_order, strict=True))
                in_order = [answers[place] for place in range(len(lines))]
            try:
                return written(in_order)
            except RecursionError:
                return b"".join([_written_alone(answer) for answer in in_order])

    def _identified(
        self, questions: Sequence[_Question], answers: dict[int, Answer]
    ) -> tuple[Sequence[_Question], Sequence[Identified]]:
        """The questions whose telegram has a sender, and the senders; the others are answered."""
        received = [(one.received.telegram, one.received.crc_kept) for one in questions]
        found = self._decoder.identify(received)
        senders = [one for one in found if isinstance(one, Identified)]
        if len(senders) == len(found):
            return questions, senders
        known: list[_Question] = []
        for question, sender in zip(questions, found, strict=True):
            if isinstance(sender, TelegramError):
                answers[question.place] = Answer(question.id, error=fault_of(sender))
            else:
                known.append(question)
        return known, senders

    def _opened(
        self, questions: Sequence[_Question], senders: Sequence[Identified]
    ) -> Sequence[Opened | TelegramError]:
        """Opens what can be opened with what the drivers know alone; then, with the formats that the prior
        telegrams define, what may need them.
        """
        keys = [question.key for question in questions]
        results = self._decoder.open(senders, keys)
        again = [
            place
            for place, question in enumerate(questions)
            if question.prior and _may_need_formats(senders[place], results[place])
        ]
        formats = self._learned([questions[place] for place in again])
        for known, places in _alike(again, formats).items():
            opened = self._decoder.open(
                [senders[place] for place in places], [keys[place] for place in places], formats=known
            )
            for place, result in zip(places, opened, strict=True):
                results[place] = result
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


def _questions(lines: Sequence[str], answers: dict[int, Answer]) -> Sequence[_Question]:
    """What the lines ask for; those with which something is wrong are answered."""
    usual = _usual(lines)
    if usual is not None:
        return usual
    found: list[_Question] = []
    for place, line in enumerate(lines):
        question = _question(place, line)
        if isinstance(question, Answer):
            answers[place] = question
        else:
            found.append(question)
    return found


def _usual(lines: Sequence[str]) -> Sequence[_Question] | None:
    """As `_question` has each, all read at once; None where one is not as most are."""
    try:
        asked = _USUAL.decode_lines("\n".join(lines))
        keys = [unhexlify(one.key) if one.key else None for one in asked]
    except (MsgspecError, ValueError):
        return None
    # No text holds a line feed and no object another: each line begins one, so as many as lines are theirs.
    if len(asked) != len(lines) or {line[0] for line in lines} != {"{"}:
        return None
    received = plain_lines([one.telegram for one in asked])
    if received is None:
        return None
    priors = [one.prior_telegrams or () for one in asked]
    return list(map(_Question, range(len(lines)), [one.id for one in asked], received, keys, priors))


def _question(place: int, line: str) -> _Question | Answer:
    """What a line asks for; when something is wrong with it, the answer says what."""
    asked_id: Any = None
    try:
        try:
            asked = _USUAL.decode(line)
            asked_id = asked.id
        except MsgspecError:
            content = _object(line)
            asked_id = content.get("id")
            asked = _unusual(content)
        key = bytes.fromhex(asked.key) if asked.key else None
        return _Question(place, asked_id, parse_line(asked.telegram), key, asked.prior_telegrams or ())
    except _InputError as error:
        fault = LineFault(_BAD_INPUT, message=str(error))
    except ValueError:
        fault = LineFault(_BAD_INPUT, message="The key must be hex digits.")
    except TelegramError as error:
        fault = fault_of(error)
    return Answer(asked_id, error=fault)


def _unusual(content: dict[str, Any]) -> _Asked:
    """What an object asks for whose fields are of other kinds or names."""
    key, prior = content.get("key") or None, content.get("prior_telegrams")
    if key is not None:
        _key(key)
    if isinstance(prior, list):
        for earlier in prior:
            _text(earlier)
    else:
        prior = None
    return _Asked(_text(content.get("telegram")), None, key, prior)


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


def _answered(
    questions: Sequence[_Question], senders: Sequence[Identified], results: Sequence[Opened | TelegramError]
) -> list[Answer]:
    """The answers to lines whose telegrams have a sender."""
    return answers_of(
        [question.id for question in questions],
        senders,
        [
            one.measurement
            if isinstance(one, Opened) and question.received.received_at is None
            else _meaning(question, sender, one)
            for question, sender, one in zip(questions, senders, results, strict=True)
        ],
        # With more values than one there is nothing to explain.
        [
            why_no_values(one) if isinstance(one, Opened) and len(one.measurement.values) <= 1 else None
            for one in results
        ],
        [None if isinstance(one, Opened) else fault_of(one) for one in results],
    )


def _meaning(question: _Question, sender: Identified, result: Opened | TelegramError) -> Measurement | None:
    """What a telegram means, or what part of it that came in the clear does."""
    if isinstance(result, Opened):
        return as_received(result.measurement, question.received.received_at)
    part = clear_part(sender)
    return None if part is None else part[1]
