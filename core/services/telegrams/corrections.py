"""Readings that an operator has to look at: doubtful ones, accepted or left; and false ones, withdrawn.

In: the operator's command line or staff, and a reading. Out: the reading's status, and everything that
follows from it recomputed. The one rule: a decision is recorded with who made it, and is part of what
decides from then on: later telegrams do not undo it. Staff reach the meters of their own operator only; any
other reading does not exist for them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient
from tortoise.queryset import QuerySet

from core.access import NOBODY, SYSTEM, Act, Permission, Viewer, Visitor
from core.bootstrap import Application
from core.consumption.corrections import CorrectionReason
from core.consumption.fluids import Fluid
from core.consumption.plausibility import Doubt, Evidence
from core.errors import Conflict, InvalidInput, NotFound
from core.mbus.address import Address
from core.mbus.errors import TelegramError
from core.models import DoubtfulReading, Meter
from core.sanitize import escape_for_database
from core.services.places.key_encryption import KeyEncryption
from core.services.places.meter_directory import (
    MeterEntry,
    lock_dwellings,
    meter_with_address,
    meters_by_address,
)
from core.services.shared import time_series
from core.services.shared.audit import Subject, record
from core.services.shared.paging import Page
from core.services.shared.time_series import ReadingRow, Window
from core.services.shared.transaction import current_database, transactional
from core.services.telegrams.judgement import CONTEXT_READINGS, Judged, doubtful_row, judge_again, reading_row
from core.services.telegrams.recompute import Recomputed, recompute_meter

MOST_REASON_CHARACTERS = 200


class ReadingStatus(StrEnum):
    """What became of a reading that does not count."""

    WAITING = "WAITING"
    """Later readings may still confirm it."""
    OUTLIER = "OUTLIER"
    """They did not."""
    WITHDRAWN = "WITHDRAWN"
    """The operator withdrew it."""


@dataclass(frozen=True, slots=True)
class DoubtfulReadingView:
    """A reading that does not count, with its reason and the readings that do on either side of it.

    `index` and its neighbours are in the smallest unit of the fluid; moments are UTC.
    """

    id: int
    radio_address: str
    printed_serial: str
    residence_code: str
    dwelling_number: str
    fluid: Fluid
    read_at: datetime
    received_at: datetime
    index: int
    evidence: Evidence
    doubt: Doubt
    status: ReadingStatus
    index_before: int | None
    index_after: int | None


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a decision changed: `counts` says whether the reading counts now."""

    counts: bool
    alerts: int
    messages: int


async def list_doubtful_readings(
    viewer: Viewer,
    *,
    radio_address: str | None = None,
    status: ReadingStatus | None = None,
    before_id: int | None = None,
    only_id: int | None = None,
    limit: int = 100,
) -> Page[DoubtfulReadingView]:
    """The readings that do not count, those received last first: a page of those below `before_id`."""
    viewer.require(Permission.READINGS_CORRECT)
    query = _within(DoubtfulReading.all(), viewer)
    if radio_address is not None:
        meter = await _meter(current_database(), viewer, radio_address)
        query = query.filter(meter_id=0 if meter is None else meter.id)
    if status is ReadingStatus.WITHDRAWN:
        query = query.filter(doubt=Doubt.WITHDRAWN)
    elif status is not None:
        query = query.filter(decided=status is ReadingStatus.OUTLIER).exclude(doubt=Doubt.WITHDRAWN)
    if before_id is not None:
        query = query.filter(id__lt=before_id)
    if only_id is not None:
        query = query.filter(id=only_id)
    found = await query.order_by("-id").limit(limit + 1).select_related("meter__dwelling__residence")
    rows = found[:limit]
    around = await time_series.indexes_around(
        current_database(), [(row.meter_id, row.read_at) for row in rows]
    )
    items = [_view(row, *around.get((row.meter_id, row.read_at), (None, None))) for row in rows]
    return Page(items, has_next=len(found) > limit)


@transactional
async def accept_reading(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    reading_id: int,
    *,
    reason: str = "",
    visitor: Visitor = NOBODY,
    now: datetime,
) -> Corrected:
    """Count a doubtful reading: the operator knows that it is right.

    Volumes across a step that no meter can make have no amount: the register was set anew.

    Raises:
        NotFound: no such doubtful reading, or another operator's.
        InvalidInput: the reason is too long.
        Conflict: another reading of the same moment was accepted before.
    """
    viewer.require(Permission.READINGS_CORRECT)
    found = await _within(DoubtfulReading.filter(id=reading_id), viewer).using_db(connection).first()
    if found is None:
        raise NotFound("There is no such doubtful reading.", field="id")
    meter = await _locked_meter(connection, application, found.meter_id)
    row = await DoubtfulReading.get_or_none(id=reading_id, using_db=connection)
    if row is None:
        raise NotFound("There is no such doubtful reading.", field="id")
    if any(
        one.evidence is Evidence.ACCEPTED
        for one in await time_series.readings_near(connection, [_moment(meter, row.read_at)])
    ):
        raise Conflict("Another reading of this moment was accepted; withdraw it first.", field="id")
    doubt = row.doubt
    row.evidence, row.doubt, row.decided = int(Evidence.ACCEPTED), Doubt.NOT_CONFIRMED, False
    await row.save(using_db=connection)
    await _record(
        connection, Act.READING_ACCEPTED, viewer, visitor, reading_row(row), reason, now, doubt=doubt
    )
    why = CorrectionReason.ACCEPTED_READING
    return await _follow(connection, application, meter, reading_row(row), Judged(), why, now=now)


@transactional
async def withdraw_reading(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    radio_address: str,
    read_at: datetime,
    *,
    index: int | None = None,
    reason: str = "",
    visitor: Visitor = NOBODY,
    now: datetime,
) -> Corrected:
    """Take a false reading out for good, whether it counts or is doubtful; it is kept, and can be accepted.

    Args:
        connection: the transaction.
        application: drivers and settings.
        viewer: the operator's command line or staff.
        radio_address: the meter's, or an alias of it.
        read_at: the moment of the reading.
        index: which one, in the smallest unit, where several were reported for this moment.
        reason: kept in the audit.
        visitor: from where.
        now: the present moment.

    Raises:
        NotFound: no such meter or reading, or another operator's.
        Conflict: several indexes were reported for this moment, and none was named.
        InvalidInput: the reason is too long.
    """
    viewer.require(Permission.READINGS_CORRECT)
    found = await _meter(connection, viewer, radio_address)
    if found is None:
        raise NotFound(f"There is no meter {radio_address}.", field="radioAddress")
    meter = await _locked_meter(connection, application, found.id)
    row = await _only_one(connection, meter, read_at, index)
    judged = Judged()
    if isinstance(row, DoubtfulReading):
        row.doubt, row.decided = Doubt.WITHDRAWN, True
        await row.save(using_db=connection)
        reading = reading_row(row)
    else:
        reading = row
        judged.removed.append((meter, row))
        await time_series.delete_readings(connection, [row])
        await doubtful_row(row, Doubt.WITHDRAWN, decided=True).save(using_db=connection)
    await _record(connection, Act.READING_WITHDRAWN, viewer, visitor, reading, reason, now)
    why = CorrectionReason.WITHDRAWN_READING
    return await _follow(connection, application, meter, reading, judged, why, now=now)


async def _meter(connection: BaseDBAsyncClient, viewer: Viewer, radio_address: str) -> Meter | None:
    """The meter with this address or alias that the viewer may correct."""
    try:
        address = str(Address.parse(radio_address))
    except TelegramError:
        return None
    meter = await meter_with_address(connection, address)
    if meter is None or viewer.operator_id is None:
        return meter
    own = Meter.filter(id=meter.id, dwelling__residence__operator_id=viewer.operator_id)
    return meter if await own.using_db(connection).exists() else None


async def _only_one(
    connection: TransactionalDBClient, meter: MeterEntry, read_at: datetime, index: int | None
) -> ReadingRow | DoubtfulReading:
    at_s = int(read_at.timestamp())
    counted = await time_series.readings_near(connection, [_moment(meter, at_s)])
    doubtful = await DoubtfulReading.filter(meter_id=meter.id, read_at=at_s).using_db(connection)
    rows: list[ReadingRow | DoubtfulReading] = [
        *counted,
        *(row for row in doubtful if row.doubt is not Doubt.WITHDRAWN),
    ]
    if index is not None:
        rows = [row for row in rows if row.index_value == index]
    if not rows:
        near = await time_series.rows_around(connection, [_moment(meter, at_s)])
        known = ", ".join(f"{row.index_value} at {_text(row.read_at_s)}" for row in near)
        raise NotFound(
            f"The meter {meter.radio_address} has no such reading at {read_at.isoformat()}"
            f"; the nearest that count: {known or 'none'}.",
            field="readAt",
        )
    if len(rows) > 1:
        indexes = ", ".join(str(row.index_value) for row in rows)
        raise Conflict(f"Several readings have this moment; name the index: {indexes}.", field="index")
    return rows[0]


async def _follow(
    connection: TransactionalDBClient,
    application: Application,
    meter: MeterEntry,
    reading: ReadingRow,
    judged: Judged,
    why: CorrectionReason,
    *,
    now: datetime,
) -> Corrected:
    """Judge the readings around a decided one again, and recompute what follows from them."""
    window = await _window_of(connection, meter, reading.read_at_s)
    judged += await judge_again(connection, {meter.id: meter}, {meter.id: window})
    changed = Recomputed()
    if judged.changed:
        since_s = min(row.read_at_s for _, row in judged.changed)
        changed = await recompute_meter(
            connection,
            meter,
            since=datetime.fromtimestamp(since_s, UTC),
            reason=why,
            thresholds_of=application.registry.leak_thresholds,
            now=now,
        )
    key = (reading.read_at_s, reading.index_value)
    counts = any((row.read_at_s, row.index_value) == key for _, row in judged.counted)
    return Corrected(counts, changed.alerts, changed.messages)


async def _window_of(connection: TransactionalDBClient, meter: MeterEntry, at_s: int) -> Window:
    """From the first to the last reading that a decision about this moment can bear on.

    Doubtful readings may lie beyond the last one that counts, since it was what contradicted them.
    """
    rows = DoubtfulReading.filter(meter_id=meter.id).exclude(doubt=Doubt.WITHDRAWN).using_db(connection)
    found = [
        *await rows.filter(decided=False),
        *await rows.filter(read_at__lt=at_s).order_by("-read_at").limit(CONTEXT_READINGS),
        *await rows.filter(read_at__gt=at_s).order_by("read_at").limit(CONTEXT_READINGS),
    ]
    moments = [at_s, *(row.read_at for row in found)]
    return Window(meter.id, min(moments), max(moments))


async def _locked_meter(
    connection: TransactionalDBClient, application: Application, meter_id: int
) -> MeterEntry:
    row = await Meter.get(id=meter_id, using_db=connection)
    await lock_dwellings(connection, [row.dwelling_id])
    key_encryption = KeyEncryption.under(application.settings.secret_key)
    found = await meters_by_address(SYSTEM, [row.radio_address], key_encryption=key_encryption)
    return found[row.radio_address]


def _text(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()


def _moment(meter: MeterEntry, at_s: int) -> Window:
    return Window(meter.id, at_s, at_s)


async def _record(
    connection: TransactionalDBClient,
    act: Act,
    viewer: Viewer,
    visitor: Visitor,
    row: ReadingRow,
    reason: str,
    now: datetime,
    doubt: Doubt | None = None,
) -> None:
    if len(reason) > MOST_REASON_CHARACTERS:
        raise InvalidInput(f"has at most {MOST_REASON_CHARACTERS} characters", field="reason")
    await record(
        act,
        Subject("meter", row.meter_id),
        viewer,
        visitor,
        now,
        connection,
        read_at=_text(row.read_at_s),
        index=row.index_value,
        doubt=doubt.value if doubt else None,
        reason=escape_for_database(reason) or None,
    )


def _within(query: QuerySet[DoubtfulReading], viewer: Viewer) -> QuerySet[DoubtfulReading]:
    if viewer.operator_id is None:
        return query
    return query.filter(meter__dwelling__residence__operator_id=viewer.operator_id)


def status_of(doubt: Doubt, *, decided: bool) -> ReadingStatus:
    """What became of a reading with this doubt."""
    if doubt is Doubt.WITHDRAWN:
        return ReadingStatus.WITHDRAWN
    return ReadingStatus.OUTLIER if decided else ReadingStatus.WAITING


def _view(row: DoubtfulReading, before: int | None, after: int | None) -> DoubtfulReadingView:
    meter, dwelling = row.meter, row.meter.dwelling
    return DoubtfulReadingView(
        id=row.id,
        radio_address=meter.radio_address,
        printed_serial=meter.printed_serial,
        residence_code=dwelling.residence.code,
        dwelling_number=dwelling.number,
        fluid=meter.fluid,
        read_at=datetime.fromtimestamp(row.read_at, UTC),
        received_at=datetime.fromtimestamp(row.received_at, UTC),
        index=row.index_value,
        evidence=Evidence(row.evidence),
        doubt=row.doubt,
        status=status_of(row.doubt, decided=row.decided),
        index_before=before,
        index_after=after,
    )
