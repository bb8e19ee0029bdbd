"""Decodes gateway lines in steps: received, identified, decrypted, or unusable with the reason.

In: a line and the moment of its reception. Out: a value for the step it reached. The one rule: nothing that
was received is lost; a line that cannot be used is stored whole, once, and `release` marks it when it is
used after all. Decoding raises nothing here: a broken telegram is a result.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from struct import unpack
from typing import Final

from msgspec import Struct

from core.consumption.plausibility import Evidence
from core.mbus.lines import LONGEST_LINE, cut_line, is_cut, stripped
from core.metering import (
    GatewayLine,
    Identified,
    Index,
    TelegramError,
    parse_line,
)
from core.metering.batch import BatchDecoder
from core.sanitize import escape_for_database
from core.services.places.meter_directory import MeterEntry


class IntakeStage(StrEnum):
    """The steps after decoding at which a telegram can fail; those before are `core.mbus`'s."""

    METER = "METER"
    READING = "READING"


class Reason(StrEnum):
    """Why a decoded telegram could not become a reading; the faults before are `core.mbus`'s."""

    UNKNOWN_METER = "UNKNOWN_METER"
    SECRET_UNUSABLE = "SECRET_UNUSABLE"  # noqa: S105 - a reason, no secret
    NO_INDEX = "NO_INDEX"
    INDEX_OUT_OF_RANGE = "INDEX_OUT_OF_RANGE"
    UNIT_MISMATCH = "UNIT_MISMATCH"
    TIME_IN_FUTURE = "TIME_IN_FUTURE"
    TIME_PAST_RETENTION = "TIME_PAST_RETENTION"
    OUTSIDE_SERVICE = "OUTSIDE_SERVICE"
    COUNTER_NOT_RISEN = "COUNTER_NOT_RISEN"


_sha256: Final = hashlib.sha256


class ReceivedLine(Struct, frozen=True, gc=False):
    """A gateway line as received.

    Attributes:
        text: escaped for the database and stripped; see `ReceivedLine.of`.
        received_at: the moment that applies if the line carries none itself.
        operator_id: whose gateway received it; None for the operator's own command line, which serves all.
        sightings: how often it was received now; 0 when a dead letter is only retried.
        laid_at: the moment laid for it, if it carries none; see `core.services.telegrams.moments`.
        dated: the moment that applies whatever the line says, as the operator decided; None usually.
    """

    text: str
    received_at: datetime
    operator_id: int | None = None
    sightings: int = 1
    laid_at: datetime | None = None
    dated: datetime | None = None

    @classmethod
    def of(
        cls, text: str, received_at: datetime, *, operator_id: int | None, laid_at: datetime | None = None
    ) -> "ReceivedLine":
        """The line of an arbitrary text; of one that is too long its beginning and its length."""
        # Nearly every line begins and ends with a printed character: there is nothing around it.
        bare = "!" <= text[:1] <= "~" and "!" <= text[-1:] <= "~"
        line = text if bare else stripped(text) or text.strip()
        if len(line) > LONGEST_LINE and not is_cut(line):
            line = cut_line(line[:LONGEST_LINE], len(line))
        return cls(escape_for_database(line), received_at, operator_id, 1, laid_at)

    @classmethod
    def of_many(
        cls,
        texts: Sequence[str],
        received_at: datetime,
        laid_at: Sequence[datetime],
        *,
        operator_id: int | None,
    ) -> "list[ReceivedLine]":
        """As `of` makes them, each with the moment laid for it."""
        together = "".join(texts)
        if not together.isascii() or "\0" in together or max(map(len, texts)) > LONGEST_LINE:
            return [
                cls.of(text, received_at, operator_id=operator_id, laid_at=at)
                for text, at in zip(texts, laid_at, strict=True)
            ]
        # As nearly always: nothing to escape or to cut.
        return [
            cls(text.strip(), received_at, operator_id, 1, at)
            for text, at in zip(texts, laid_at, strict=True)
        ]

    def timed(self) -> "ReceivedLine":
        """The same line, which carries a moment of its own."""
        return ReceivedLine(self.text, self.received_at, self.operator_id, self.sightings, None, self.dated)

    @property
    def digest(self) -> str:
        """The identity of a row: the same line, received by the same operator.

        Another operator's gateway may not deliver for the meter, so a line that it received is another row.
        """
        text = self.text if self.operator_id is None else f"{self.operator_id}\n{self.text}"
        return _sha256(text.encode()).hexdigest()


class Unusable(Struct, frozen=True, gc=False):
    """A line that could not become a reading: the stage, the reason, the place, the sender, and the digest of
    the telegram if it holds one.
    """

    line: ReceivedLine
    stage: str
    reason: str
    message: str
    offset: int | None = None
    radio_address: str | None = None
    telegram_digest: int | None = None


class ReceivedTelegram(Struct, frozen=True, gc=False):
    """A telegram whose sender is known; `at_s`: its moment in whole epoch seconds; `timed`: the moment is the
    line's own, and not the one laid for it; `evidence`: the gateway's.
    """

    line: ReceivedLine
    radio_address: str
    telegram_digest: int
    moment: datetime
    at_s: int
    timed: bool
    evidence: Evidence = Evidence.NOTHING

    def unusable(self, stage: str, reason: str, message: str, *, offset: int | None = None) -> Unusable:
        line = self.line.timed() if self.timed else self.line
        return Unusable(line, stage, reason, message, offset, self.radio_address, self.telegram_digest)

    def failed(self, failure: TelegramError) -> Unusable:
        return self.unusable(failure.stage, failure.code, failure.message, offset=failure.offset)


class Reported(Struct, frozen=True, gc=False):
    """The register index that a decrypted telegram reports.

    `evidence` is what proved the telegram whole, by its own bytes or its gateway. `message_counter` is set
    when a message authentication code has proved it (mode 7). `step` is the smallest difference that the
    telegram can show, in the smallest unit; it is asked of meters with several addresses. `encrypted`: a
    key of the meter has opened it.
    """

    received: ReceivedTelegram
    meter: MeterEntry
    index: Index
    status_bits: int
    evidence: Evidence
    message_counter: int | None = None
    step: int = 1
    encrypted: bool = False


def identify_lines(
    lines: Sequence[ReceivedLine], decoder: BatchDecoder
) -> tuple[list[ReceivedTelegram | Unusable], list[Identified]]:
    """Lines to telegrams with their senders, in order; and the telegrams as they are opened, without those
    that cannot be used.
    """
    found: list[ReceivedTelegram | Unusable] = []
    identified: list[Identified] = []
    for first in range(0, len(lines), _AT_ONCE):
        _identify_some(lines[first : first + _AT_ONCE], decoder, found, identified)
    return found, identified


def _identify_some(
    lines: Sequence[ReceivedLine],
    decoder: BatchDecoder,
    found: list[ReceivedTelegram | Unusable],
    identified: list[Identified],
) -> None:
    parsed = [_parsed(line) for line in lines]
    telegrams = [one for one in parsed if isinstance(one, GatewayLine)]
    senders = iter(decoder.identify([(one.telegram, one.crc_kept) for one in telegrams]))
    digests = iter(telegram_digests([one.telegram for one in telegrams]))
    for line, one in zip(lines, parsed, strict=True):
        if isinstance(one, Unusable):
            found.append(one)
            continue
        sender, digest = next(senders), next(digests)
        if isinstance(sender, TelegramError):
            found.append(_failed(line, sender, digest))
            continue
        identified.append(sender)
        found.append(_received_telegram(line, one, str(sender.address), digest))


def _parsed(line: ReceivedLine) -> GatewayLine | Unusable:
    try:
        return parse_line(line.text)
    except TelegramError as failure:
        return _failed(line, failure, None)


_AT_ONCE: Final = 2048  # so that what one step hands to the next fits a core's cache
_digest_of: Final = hashlib.blake2b
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S: Final = 86_400


def telegram_digests(telegrams: Sequence[bytes]) -> tuple[int, ...]:
    """The signed 64-bit digest of each telegram's bytes."""
    digests = [_digest_of(telegram, digest_size=8).digest() for telegram in telegrams]
    return unpack(f">{len(digests)}q", b"".join(digests))


# To look up a member of an enum costs a quarter of a microsecond.
_GATEWAY_CHECK, _NOTHING = Evidence.GATEWAY_CHECK, Evidence.NOTHING


def _received_telegram(
    line: ReceivedLine, gateway_line: GatewayLine, radio_address: str, digest: int
) -> ReceivedTelegram:
    received_at = gateway_line.received_at
    moment = line.dated or received_at or line.laid_at or line.received_at
    since = moment - _EPOCH
    return ReceivedTelegram(
        line,
        radio_address,
        digest,
        moment,
        since.days * _DAY_S + since.seconds,
        received_at is not None or line.dated is not None,
        _GATEWAY_CHECK if gateway_line.checked else _NOTHING,
    )


def _failed(line: ReceivedLine, failure: TelegramError, digest: int | None) -> Unusable:
    return Unusable(line, failure.stage, failure.code, failure.message, failure.offset, None, digest)
