"""Decodes gateway lines in steps: received, identified, decrypted, or unusable with the reason.

In: a line and the moment of its reception. Out: a value for the step it reached. The one rule: nothing that
was received is lost; a line that cannot be used is stored whole, once, and `release` marks it when it is
used after all. Decoding raises nothing here: a broken telegram is a result.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from struct import unpack
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from tortoise.backends.base.client import TransactionalDBClient

from core.consumption.plausibility import Evidence
from core.mbus.lines import LONGEST_LINE, cut_line, is_cut, stripped
from core.metering import (
    CompactFormats,
    GatewayLine,
    Identified,
    Index,
    Integrity,
    Opened,
    SecurityKind,
    TelegramError,
    TelegramFault,
    flags_to_bits,
    parse_line,
)
from core.metering.batch import BatchDecoder, OpenedIndex
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
    """A line that could not become a reading: the stage, the reason, the place, and the sender."""

    line: ReceivedLine
    stage: str
    reason: str
    message: str
    offset: int | None = None
    radio_address: str | None = None


class ReceivedTelegram(Struct, frozen=True, gc=False):
    """A telegram whose sender is known; `at_s`: its moment in whole epoch seconds; `timed`: the moment is the
    line's own; `evidence`: the gateway's.
    """

    line: ReceivedLine
    radio_address: str
    telegram_digest: int
    moment: datetime
    at_s: int
    timed: bool
    evidence: Evidence = Evidence.NOTHING

    def unusable(self, stage: str, reason: str, message: str, *, offset: int | None = None) -> Unusable:
        return Unusable(self.line, stage, reason, message, offset, self.radio_address)


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
            found.append(_failed(line, sender, None))
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
_MODE_7, _NOT_ENCRYPTED = SecurityKind.MODE_7, SecurityKind.NONE


def _received_telegram(
    line: ReceivedLine, gateway_line: GatewayLine, radio_address: str, digest: int
) -> ReceivedTelegram:
    received_at = gateway_line.received_at
    moment = line.dated or received_at or line.laid_at or line.received_at
    since = moment - _EPOCH
    return ReceivedTelegram(
        line if received_at is None else line.timed(),
        radio_address,
        digest,
        moment,
        since.days * _DAY_S + since.seconds,
        received_at is not None or line.dated is not None,
        _GATEWAY_CHECK if gateway_line.checked else _NOTHING,
    )


def open_telegrams(
    received: Sequence[ReceivedTelegram],
    identified: list[Identified],
    meters: Mapping[str, MeterEntry],
    decoder: BatchDecoder,
    formats: CompactFormats,
) -> tuple[list[Reported | Unusable], CompactFormats]:
    """Encrypted telegrams to the indexes of their registers, in order; and the formats with theirs added.

    Each is decrypted with the newest of its meter's keys that fits; where none fits, the first failure is
    reported. A compact telegram may precede the full one, of the same batch, that defines its format.
    `identified` are the telegrams as `identify_lines` answers with them; they are let go.
    """
    found = [meters.get(item.radio_address) for item in received]
    answers: list[Reported | Unusable | None] = [None] * len(received)
    places: list[int] = []
    for place, meter in enumerate(found):
        if meter is None or meter.keys is None:
            answers[place] = _not_opened(received[place], meter)
        else:
            places.append(place)
    # Telegrams of one kind are opened together, and what they hold is let go before the next are.
    kinds = [id(one.batch_key) for one in identified]
    places.sort(key=kinds.__getitem__)
    again: list[int] = []
    updated_formats = formats
    for first in range(0, len(places), _AT_ONCE):
        some = places[first : first + _AT_ONCE]
        results = _results(some, received, identified, found, decoder, formats)
        updated_formats = learned(updated_formats, [one for one in results if isinstance(one, Opened)])
        for place, result in zip(some, results, strict=True):
            answers[place] = _answer(received[place], found[place], result)
            if isinstance(result, TelegramError) and result.code is TelegramFault.UNKNOWN_COMPACT_FORMAT:
                again.append(place)
    if again and updated_formats is not formats:
        results = _results(again, received, identified, found, decoder, updated_formats)
        for place, result in zip(again, results, strict=True):
            answers[place] = _answer(received[place], found[place], result)
    identified.clear()
    return [one for one in answers if one is not None], updated_formats


def _answer(
    received: ReceivedTelegram, meter: MeterEntry | None, result: Opened | OpenedIndex | TelegramError
) -> Reported | Unusable:
    assert meter is not None
    if isinstance(result, OpenedIndex):
        return _reported_index(received, meter, result)
    if isinstance(result, Opened):
        return _reported(received, meter, result)
    return _failed(received.line, result, received.radio_address)


def _results(
    places: Sequence[int],
    received: Sequence[ReceivedTelegram],
    identified: Sequence[Identified],
    found: Sequence[MeterEntry | None],
    decoder: BatchDecoder,
    formats: CompactFormats,
) -> list[Opened | OpenedIndex | TelegramError]:
    waiting = [
        (received[place], identified[place], meter) for place in places if (meter := found[place]) is not None
    ]
    return _with_their_keys(waiting, decoder, formats)


_Waiting = tuple[ReceivedTelegram, Identified, MeterEntry]


def _with_their_keys(
    waiting: Sequence[_Waiting], decoder: BatchDecoder, formats: CompactFormats
) -> list[Opened | OpenedIndex | TelegramError]:
    """What each telegram holds, opened with the newest key of its meter that fits."""
    keys = [meter.keys[0] if meter.keys else None for _, _, meter in waiting]
    senders = [sender for _, sender, _ in waiting]
    results = decoder.open(senders, keys, formats=formats, index_only=True)
    failures = {
        place: result for place, result in enumerate(results) if isinstance(result, TelegramError)
    }
    left: list[int] = [*failures]
    turn = 0
    while left:
        again: list[int] = []
        turn += 1
        for place in left:
            (item, sender, meter), failure = waiting[place], failures[place]
            if failure.code is TelegramFault.KEY_CONFIGURED_BUT_PLAIN and _may_be_plain(item, meter):
                (results[place],) = decoder.open([sender], [None], formats=formats)
            elif failure.code in _ANOTHER_KEY_MAY_FIT and meter.keys and turn < len(meter.keys):
                again.append(place)
        senders = [waiting[place][1] for place in again]
        keys = [meter.keys[turn] for _, _, meter in map(waiting.__getitem__, again) if meter.keys]
        left = []
        for place, result in zip(again, decoder.open(senders, keys, formats=formats), strict=True):
            if isinstance(result, TelegramError):
                failures[place] = result
                left.append(place)
            else:
                results[place] = result
    return results


def _may_be_plain(received: ReceivedTelegram, meter: MeterEntry) -> bool:
    return received.radio_address in meter.plain_addresses


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
    if not -LARGEST_INDEX <= index.value <= LARGEST_INDEX:
        return received.unusable(
            IntakeStage.READING, Reason.INDEX_OUT_OF_RANGE, "No register shows this total."
        )
    frame, flags = opened.frame, measurement.flags
    security = frame.envelope.security
    evidence, gateways = _EVIDENCE[id(opened.integrity)], received.evidence
    return Reported(
        received,
        meter,
        index,
        flags_to_bits(flags) if flags else 0,
        max(gateways, evidence),
        opened.message_counter if security is _MODE_7 else None,
        opened.index_step if meter.aliases else 1,
        security is not _NOT_ENCRYPTED and not frame.opened_with_default_key,
    )


def _reported_index(
    received: ReceivedTelegram, meter: MeterEntry, opened: OpenedIndex
) -> Reported | Unusable:
    """As `_reported`; what is opened so has an index, and no message counter that is proved."""
    value, flags, kind = opened.value, opened.flags, opened.kind
    if value > LARGEST_INDEX:
        return received.unusable(IntakeStage.READING, Reason.INDEX_OUT_OF_RANGE, "No register shows this total.")
    evidence = _EVIDENCE[id(kind.integrity)]
    return Reported(
        received,
        meter,
        Index(kind.quantity, value),
        flags_to_bits(flags) if flags else 0,
        max(received.evidence, evidence),
        None,
        kind.step if meter.aliases else 1,
        kind.security is not _NOT_ENCRYPTED,
    )


_EVIDENCE: Final = {id(proof): Evidence[proof.name] for proof in Integrity}
"""By the identity of the member, whose hash takes longer than all else that is done with it."""


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
