"""Decodes gateway lines in steps: received, identified, decrypted, or unusable with the reason.

In: a line and the moment of its reception. Out: a value for the step it reached. The one rule: nothing that
was received is lost; a line that cannot be used is stored whole, once, and `release` marks it when it is used
after all. Decoding raises nothing here: a broken telegram is a result.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from tortoise.backends.base.client import TransactionalDBClient

from core.consumption.plausibility import Evidence
from core.mbus.lines import LONGEST_LINE, cut_line, is_cut, stripped
from core.metering import (
    CompactFormats,
    GatewayLine,
    Identified,
    Index,
    Opened,
    SecurityKind,
    TelegramError,
    TelegramFault,
    flags_to_bits,
    parse_line,
)
from core.metering.batch import BatchDecoder
from core.models import Meter
from core.sanitize import escape_for_database
from core.services.places.meter_directory import MeterEntry
from core.services.telegrams.compact_formats import learned


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


LARGEST_INDEX = 10**15
"""A million million cubic metres: no register shows more, but a record can hold more than the column."""


@dataclass(frozen=True, slots=True)
class ReceivedLine:
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
        line = stripped(text) or text.strip()
        if len(line) > LONGEST_LINE and not is_cut(line):
            line = cut_line(line[:LONGEST_LINE], len(line))
        return cls(escape_for_database(line), received_at, operator_id, laid_at=laid_at)

    def timed(self) -> "ReceivedLine":
        """The same line, which carries a moment of its own."""
        return ReceivedLine(self.text, self.received_at, self.operator_id, self.sightings, dated=self.dated)

    @property
    def digest(self) -> str:
        """The identity of a row: the same line, received by the same operator.

        Another operator's gateway may not deliver for the meter, so a line that it received is another row.
        """
        received_by = "" if self.operator_id is None else f"{self.operator_id}\n"
        return hashlib.sha256(f"{received_by}{self.text}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Unusable:
    """A line that could not become a reading: the stage, the reason, the place, and the sender."""

    line: ReceivedLine
    stage: str
    reason: str
    message: str
    offset: int | None = None
    radio_address: str | None = None


@dataclass(frozen=True, slots=True)
class ReceivedTelegram:
    """A telegram whose sender is known; `timed`: the moment is the line's own; `evidence`: the gateway's."""

    line: ReceivedLine
    identified: Identified
    telegram_digest: int
    moment: datetime
    timed: bool
    evidence: Evidence = Evidence.NOTHING

    @property
    def radio_address(self) -> str:
        return str(self.identified.address)

    def unusable(self, stage: str, reason: str, message: str, *, offset: int | None = None) -> Unusable:
        return Unusable(self.line, stage, reason, message, offset, self.radio_address)


@dataclass(frozen=True, slots=True)
class Reported:
    """The register index that a decrypted telegram reports.

    `evidence` is what proved the telegram whole, by its own bytes or its gateway. `message_counter` is set
    when a message authentication code has proved it (mode 7). `step` is the smallest difference that the
    telegram can show, in the smallest unit; it is asked of meters with several addresses. `encrypted`: a key
    of the meter has opened it.
    """

    received: ReceivedTelegram
    meter: MeterEntry
    index: Index
    status_bits: int
    evidence: Evidence
    message_counter: int | None = None
    step: int = 1
    encrypted: bool = False


def identify_lines(lines: Sequence[ReceivedLine], decoder: BatchDecoder) -> list[ReceivedTelegram | Unusable]:
    """Lines to telegrams with their senders, in order; the contents may still be encrypted."""
    parsed = [_parsed(line) for line in lines]
    telegrams = [one for one in parsed if isinstance(one, GatewayLine)]
    senders = iter(decoder.identify([(one.telegram, one.crc_kept) for one in telegrams]))
    return [
        one if isinstance(one, Unusable) else _received_telegram(line, one, next(senders))
        for line, one in zip(lines, parsed, strict=True)
    ]


def _parsed(line: ReceivedLine) -> GatewayLine | Unusable:
    try:
        return parse_line(line.text)
    except TelegramError as failure:
        return _failed(line, failure, None)


def _received_telegram(
    line: ReceivedLine, gateway_line: GatewayLine, identified: Identified | TelegramError
) -> ReceivedTelegram | Unusable:
    if isinstance(identified, TelegramError):
        return _failed(line, identified, None)
    digest = hashlib.blake2b(gateway_line.telegram, digest_size=8).digest()
    return ReceivedTelegram(
        line=line if gateway_line.received_at is None else line.timed(),
        identified=identified,
        telegram_digest=int.from_bytes(digest, "big", signed=True),
        moment=line.dated or gateway_line.received_at or line.laid_at or line.received_at,
        timed=line.dated is not None or gateway_line.received_at is not None,
        evidence=Evidence.GATEWAY_CHECK if gateway_line.checked else Evidence.NOTHING,
    )


def open_telegrams(
    received: Sequence[ReceivedTelegram],
    meters: Mapping[str, MeterEntry],
    decoder: BatchDecoder,
    formats: CompactFormats,
) -> tuple[list[Reported | Unusable], CompactFormats]:
    """Encrypted telegrams to the indexes of their registers, in order; and the formats with theirs added.

    Each is decrypted with the newest of its meter's keys that fits; where none fits, the first failure is
    reported. A compact telegram may precede the full one, of the same batch, that defines its format.
    """
    answers: dict[int, Reported | Unusable] = {}
    waiting: list[_Waiting] = []
    for place, item in enumerate(received):
        meter = meters.get(item.radio_address)
        if meter is None or meter.keys is None:
            answers[place] = _not_opened(item, meter)
        else:
            waiting.append((place, item, meter))
    results = _with_their_keys(waiting, decoder, formats)
    updated_formats = learned(formats, (result for result in results.values() if isinstance(result, Opened)))
    if updated_formats is not formats:
        again = [one for one in waiting if _is_unknown_format(results[one[0]])]
        results |= _with_their_keys(again, decoder, updated_formats)
    for place, item, meter in waiting:
        result = results[place]
        if isinstance(result, Opened):
            answers[place] = _reported(item, meter, result)
        else:
            answers[place] = _failed(item.line, result, item.radio_address)
    return [answers[place] for place in range(len(received))], updated_formats


_Waiting = tuple[int, ReceivedTelegram, MeterEntry]


def _with_their_keys(
    waiting: Sequence[_Waiting], decoder: BatchDecoder, formats: CompactFormats
) -> dict[int, Opened | TelegramError]:
    results: dict[int, Opened | TelegramError] = {}
    turn = 0
    while waiting:
        keys = [meter.keys[turn] if meter.keys else None for _, _, meter in waiting]
        opened = decoder.open([item.identified for _, item, _ in waiting], keys, formats=formats)
        again: list[_Waiting] = []
        turn += 1
        for (place, item, meter), result in zip(waiting, opened, strict=True):
            if isinstance(result, Opened):
                results[place] = result
                continue
            results.setdefault(place, result)
            if result.code is TelegramFault.KEY_CONFIGURED_BUT_PLAIN and _may_be_plain(item, meter):
                (results[place],) = decoder.open([item.identified], [None], formats=formats)
            elif result.code in _ANOTHER_KEY_MAY_FIT and meter.keys and turn < len(meter.keys):
                again.append((place, item, meter))
        waiting = again
    return results


def _may_be_plain(received: ReceivedTelegram, meter: MeterEntry) -> bool:
    return received.radio_address in meter.plain_addresses


def _is_unknown_format(result: Opened | TelegramError) -> bool:
    return isinstance(result, TelegramError) and result.code is TelegramFault.UNKNOWN_COMPACT_FORMAT


def _not_opened(received: ReceivedTelegram, meter: MeterEntry | None) -> Unusable:
    if meter is None:
        message = f"No meter {received.radio_address} is registered."
        return received.unusable(IntakeStage.METER, Reason.UNKNOWN_METER, message)
    message = "The meter's key was encrypted with another SUBMETER_SECRET_KEY than the present one."
    return received.unusable(IntakeStage.METER, Reason.SECRET_UNUSABLE, message)


def _reported(received: ReceivedTelegram, meter: MeterEntry, opened: Opened) -> Reported | Unusable:
    measurement = opened.measurement
    index = measurement.index
    if index is None:
        return received.unusable(IntakeStage.READING, Reason.NO_INDEX, "The telegram carries no total.")
    if abs(index.value) > LARGEST_INDEX:
        return received.unusable(
            IntakeStage.READING, Reason.INDEX_OUT_OF_RANGE, "No register shows this total."
        )
    security = opened.frame.envelope.security
    return Reported(
        received,
        meter,
        index,
        flags_to_bits(measurement.flags),
        max(Evidence[opened.integrity.name], received.evidence),
        message_counter=opened.message_counter if security is SecurityKind.MODE_7 else None,
        step=opened.index_step if meter.aliases else 1,
        encrypted=security is not SecurityKind.NONE and not opened.frame.opened_with_default_key,
    )


_ANOTHER_KEY_MAY_FIT = frozenset(
    {TelegramFault.KEY_WRONG, TelegramFault.MAC_MISMATCH, TelegramFault.KEY_UNUSABLE}
)


async def with_removals(connection: TransactionalDBClient, reported: Sequence[Reported]) -> list[Reported]:
    """The reports with their meters' times in service read again, now that the dwellings are locked."""
    ids = {report.meter.id for report in reported}
    rows = Meter.filter(id__in=list(ids)).using_db(connection).only("id", "installed_at", "removed_at")
    service = {row.id: (row.installed_at, row.removed_at) for row in await rows}
    return [_in_service(report, service.get(report.meter.id)) for report in reported]


def _in_service(report: Reported, service: tuple[datetime, datetime | None] | None) -> Reported:
    meter = report.meter
    if service is None or (meter.installed_at, meter.removed_at) == service:
        return report
    installed_at, removed_at = service
    return replace(report, meter=replace(meter, installed_at=installed_at, removed_at=removed_at))


def _failed(line: ReceivedLine, failure: TelegramError, address: str | None) -> Unusable:
    return Unusable(line, failure.stage, failure.code, failure.message, failure.offset, address)
