"""Opens identified telegrams with the keys of their meters: encrypted telegrams to register indexes.

In: telegrams with their senders, and the meters found for them. Out: what each reports, or why it cannot be
used; and reports whose meters are as they are described now, or as their telegrams show them to be. The one
rule: each is decrypted with the newest of its meter's keys that fits, and no index is read in another way
than its driver reads it.

A meter with several addresses: a walk-by telegram of whole kilowatt-hours between two of a hundred watt-hours
each is no fall of the register, so such a meter is judged by its coarsest step. An alias that has sent an
encrypted telegram is from then on refused in the clear, as a meter with a key is.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace
from tortoise.backends.base.client import TransactionalDBClient
from tortoise.expressions import Q

from core.consumption.plausibility import Evidence
from core.metering import (
    CompactFormats,
    Identified,
    Index,
    Integrity,
    Opened,
    SecurityKind,
    TelegramError,
    TelegramFault,
    flags_to_bits,
)
from core.metering.batch import BatchDecoder, OpenedIndex
from core.models import Meter, MeterAlias
from core.services.places.meter_directory import MeterEntry
from core.services.telegrams.compact_formats import learned
from core.services.telegrams.decoding import (
    IntakeStage,
    Reason,
    ReceivedTelegram,
    Reported,
    Unusable,
)

LARGEST_INDEX: Final = 10**15
"""A million million cubic metres: no register shows more, but a record can hold more than the column."""

_AT_ONCE: Final = 2048  # so that what one step hands to the next fits a core's cache
# To look up a member of an enum costs a quarter of a microsecond.
_MODE_7, _NOT_ENCRYPTED = SecurityKind.MODE_7, SecurityKind.NONE


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
        results = _with_their_keys(some, received, identified, found, decoder, formats)
        whole: list[Opened] = []
        for place, result in zip(some, results, strict=True):
            if isinstance(result, OpenedIndex):
                answers[place] = _reported_index(received[place], found[place], result)
                continue
            answers[place] = _answer(received[place], found[place], result)
            if isinstance(result, Opened):
                whole.append(result)
            elif result.code is TelegramFault.UNKNOWN_COMPACT_FORMAT:
                again.append(place)
        updated_formats = learned(updated_formats, whole)
    if again and updated_formats is not formats:
        results = _with_their_keys(again, received, identified, found, decoder, updated_formats)
        for place, result in zip(again, results, strict=True):
            answers[place] = _answer(received[place], found[place], result)
    identified.clear()
    return [one for one in answers if one is not None], updated_formats


def _answer(
    received: ReceivedTelegram, meter: MeterEntry | None, result: Opened | OpenedIndex | TelegramError
) -> Reported | Unusable:
    if isinstance(result, OpenedIndex):
        return _reported_index(received, meter, result)
    if isinstance(result, Opened) and meter is not None:
        return _reported(received, meter, result)
    assert isinstance(result, TelegramError)
    return received.failed(result)


def _with_their_keys(
    places: Sequence[int],
    received: Sequence[ReceivedTelegram],
    identified: Sequence[Identified],
    found: Sequence[MeterEntry | None],
    decoder: BatchDecoder,
    formats: CompactFormats,
) -> list[Opened | OpenedIndex | TelegramError]:
    """What the telegrams at these places hold, opened with the newest key of their meters that fits."""
    own = [meter.keys if (meter := found[place]) is not None else None for place in places]
    senders = [identified[place] for place in places]
    keys: list[bytes | None] = [some[0] if some else None for some in own]
    results = decoder.open_indexes(senders, keys, formats=formats)
    failures = {number: result for number, result in enumerate(results) if isinstance(result, TelegramError)}
    left: list[int] = [*failures]
    turn = 0
    while left:
        again: list[int] = []
        turn += 1
        for number in left:
            place, failure = places[number], failures[number]
            some, meter = own[number], found[place]
            if failure.code is TelegramFault.KEY_CONFIGURED_BUT_PLAIN and _may_be_plain(
                received[place], meter
            ):
                (results[number],) = decoder.open([identified[place]], [None], formats=formats)
            elif failure.code in _ANOTHER_KEY_MAY_FIT and some and turn < len(some):
                again.append(number)
        senders = [identified[places[number]] for number in again]
        keys = [some[turn] for number in again if (some := own[number])]
        left = []
        for number, result in zip(again, decoder.open(senders, keys, formats=formats), strict=True):
            if isinstance(result, TelegramError):
                failures[number] = result
                left.append(number)
            else:
                results[number] = result
    return results


def _may_be_plain(received: ReceivedTelegram, meter: MeterEntry | None) -> bool:
    return meter is not None and received.radio_address in meter.plain_addresses


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
        return received.unusable(IntakeStage.READING, Reason.INDEX_OUT_OF_RANGE, _NO_SUCH_TOTAL)
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
    received: ReceivedTelegram, meter: MeterEntry | None, opened: OpenedIndex
) -> Reported | Unusable:
    """As `_reported`; what is opened so has an index, and no message counter that is proved."""
    assert meter is not None
    value, flags, kind = opened.value, opened.flags, opened.kind
    if value > LARGEST_INDEX:
        return received.unusable(IntakeStage.READING, Reason.INDEX_OUT_OF_RANGE, _NO_SUCH_TOTAL)
    evidence, gateways = _EVIDENCE[id(kind.integrity)], received.evidence
    return Reported(
        received,
        meter,
        Index(kind.quantity, value),
        flags_to_bits(flags) if flags else 0,
        evidence if evidence > gateways else gateways,  # noqa: FURB136 - a call takes three times as long
        None,
        kind.step if meter.aliases else 1,
        kind.own_key,
    )


_NO_SUCH_TOTAL: Final = "No register shows this total."
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


async def with_addresses_learned(
    connection: TransactionalDBClient, reported: Sequence[Reported]
) -> list[Reported]:
    """The reports with their meters' steps as learned, this batch included. The dwellings must be
    locked.
    """
    coarser: dict[int, int] = {}
    for report in reported:
        meter = report.meter
        if meter.aliases and report.step > coarser.get(meter.id, meter.register_step):
            coarser[meter.id] = report.step
    for meter_id, step in coarser.items():
        finer = Meter.filter(Q(coarsest_step=None) | Q(coarsest_step__lt=step), id=meter_id)
        await finer.using_db(connection).update(coarsest_step=step)
    encrypted = {
        report.received.radio_address
        for report in reported
        if report.encrypted and report.received.radio_address in report.meter.plain_addresses
    }
    if encrypted:
        await MeterAlias.filter(radio_address__in=list(encrypted)).using_db(connection).update(encrypted=True)
    entries: dict[MeterEntry, MeterEntry] = {}
    return [_with_step(report, coarser, entries) for report in reported] if coarser else list(reported)


def _with_step(report: Reported, coarser: dict[int, int], entries: dict[MeterEntry, MeterEntry]) -> Reported:
    meter = report.meter
    if meter.id not in coarser:
        return report
    if meter not in entries:
        entries[meter] = replace(meter, register_step=coarser[meter.id])
    return replace(report, meter=entries[meter])
