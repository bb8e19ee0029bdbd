"""Decides which reported indexes are new readings, and stores them.

In: what a batch's telegrams reported. Out: the readings stored, the duplicates, and what contradicts the
register of meters. The one rule: the same telegram, or the same index at the same time, is a duplicate
however often it comes, and may only add a better proof; whether a reading counts is judged by all that were
received (`core.services.telegrams.judgement`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tortoise.backends.base.client import TransactionalDBClient

from core.consumption.fluids import Unit
from core.metering import Quantity
from core.models import DoubtfulReading
from core.services.places.meter_directory import MeterEntry
from core.services.shared import time_series
from core.services.shared.partitions import lacks_months, prepare_months
from core.services.shared.time_series import ReadingRow, Window
from core.services.shared.transaction import current_database
from core.services.telegrams.dead_letters import KnownLine
from core.services.telegrams.decoding import IntakeStage, Reason, Reported, Unusable
from core.services.telegrams.judgement import (
    NEIGHBOURS,
    Judged,
    by_meter,
    doubtful_near,
    judge_readings,
    reading_row,
)
from core.services.telegrams.line_times import (
    CLOCK_TOLERANCE,
    first_receptions,
    future_message,
    latest_moment,
)
from core.services.telegrams.replay_protection import MessageCounters

SAME_TELEGRAM_WITHIN = timedelta(minutes=5)
"""The same bytes within this time are one transmission that two gateways received, or a repeater's."""

QUANTITY_OF = {
    Unit.LITRE: Quantity.VOLUME,
    Unit.WATT_HOUR: Quantity.ENERGY,
    Unit.ALLOCATOR_UNIT: Quantity.ALLOCATOR,
}


_DAY_S = 86_400


@dataclass(slots=True)
class Ingested:
    """The outcome of a batch.

    Attributes:
        judged: what counts now and did not before, and the reverse; each reading with its meter.
        stored: the reports that became readings.
        doubtful: how many of these do not count, or not yet.
        duplicates: reports that were stored already.
        unusable: the other lines.
    """

    judged: Judged = field(default_factory=Judged)
    stored: list[Reported] = field(default_factory=list)
    doubtful: int = 0
    duplicates: list[Reported] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)


async def ingest(
    connection: TransactionalDBClient,
    reported: Sequence[Reported],
    *,
    letters: Mapping[str, KnownLine],
    known: set[tuple[int, int]],
    now: datetime,
) -> Ingested:
    """Store the readings of a batch. The dwellings must be locked.

    Args:
        connection: the batch's.
        reported: the reports, with their moments settled.
        letters: the dead letters that are known of their lines, by the digests of these.
        known: the meters and digests of untimed telegrams that are stored.
        now: the moment of reception.
    """
    outcome = Ingested()
    received_at = first_receptions([report.received.line for report in reported], letters, now=now)
    candidates = [
        report for report in reported if not _refused(report, outcome, received_at[report.received.line], now)
    ]
    stored = await _Stored.around(connection, candidates, known)
    counters = await MessageCounters.of(connection, candidates)
    fresh: list[ReadingRow] = []
    meters: dict[int, MeterEntry] = {}
    for report in candidates:
        row = _row(report, now)
        if (same := stored.same_telegram(row, timed=report.received.timed)) is not None:
            stored.prove(same, row)
            outcome.duplicates.append(report)
            continue
        if counters.is_replay(report):
            message = "The meter had sent newer messages before this one was received: it is a replay."
            outcome.unusable.append(
                report.received.unusable(IntakeStage.READING, Reason.COUNTER_NOT_RISEN, message)
            )
            continue
        if (same := stored.same_reading(row, report.meter)) is not None:
            stored.prove(same, row)
            outcome.duplicates.append(report)
            continue
        stored.add(row)
        fresh.append(row)
        meters.setdefault(report.meter.id, report.meter)
        outcome.stored.append(report)
    for report in outcome.duplicates:
        meters.setdefault(report.meter.id, report.meter)
    outcome.judged = await stored.judge(connection, meters, fresh)
    outcome.doubtful = len(outcome.judged.doubtful)
    await counters.save(connection)
    return outcome


async def prepare_partitions(reported: Sequence[Reported], now: datetime) -> None:
    """Make the partitions in which readings may be stored: a false date far from the present needs none, and
    is refused.
    """
    database = current_database()
    if not lacks_months(database, {one.received.at_s // _DAY_S * _DAY_S for one in reported}):
        return
    latest_s = int((now + CLOCK_TOLERANCE).timestamp())
    moments = ((one.received.at_s, one.meter.service_s[0]) for one in reported)
    await prepare_months(database, {at_s for at_s, first_s in moments if first_s <= at_s <= latest_s})


class _Stored:
    """The stored readings of a batch's meters near its moments, with doubtful ones and the batch's own."""

    def __init__(
        self,
        counted: Sequence[ReadingRow],
        doubtful: Mapping[int, Sequence[DoubtfulReading]],
        untimed: set[tuple[int, int]],
    ) -> None:
        self._rows: dict[tuple[int, int, int], ReadingRow] = {}
        self._at: dict[tuple[int, int], list[ReadingRow]] = {}
        self._telegram_at: dict[tuple[int, int], list[ReadingRow]] = {}
        self._untimed = untimed
        self._counted = {_key(row): row for row in counted}
        self._doubtful = doubtful
        self._proved: dict[tuple[int, int, int], ReadingRow] = {}
        for row in counted:
            self.add(row)
        for rows in doubtful.values():
            for one in rows:
                self.add(reading_row(one))

    @classmethod
    async def around(
        cls, connection: TransactionalDBClient, reported: Sequence[Reported], untimed: set[tuple[int, int]]
    ) -> "_Stored":
        margin = int(SAME_TELEGRAM_WITHIN.total_seconds())
        windows = [
            Window(report.meter.id, at_s - margin, at_s + margin)
            for report in reported
            for at_s in (report.received.at_s,)
        ]
        return cls(
            await time_series.context_of(connection, _spans(windows), readings=NEIGHBOURS),
            await doubtful_near(connection, windows),
            untimed,
        )

    def same_telegram(self, row: ReadingRow, *, timed: bool) -> ReadingRow | None:
        """The reading of these bytes at about this time; for a line without a time, at any time."""
        who = (row.meter_id, row.telegram_digest)
        near = self._telegram_at.get(who, ())
        margin = SAME_TELEGRAM_WITHIN.total_seconds()
        known = next((one for one in near if abs(one.read_at_s - row.read_at_s) <= margin), None)
        if known is None and not timed and who in self._untimed:
            return near[0] if near else row
        return known

    def same_reading(self, row: ReadingRow, meter: MeterEntry) -> ReadingRow | None:
        """The reading of this moment and index; of two addresses, one that lacks digits of it."""
        at_once = self._at.get((row.meter_id, row.read_at_s), ())
        return next((one for one in at_once if meter.agree(one.index_value, row.index_value)), None)

    def add(self, row: ReadingRow) -> None:
        self._rows[_key(row)] = row
        self._at.setdefault((row.meter_id, row.read_at_s), []).append(row)
        self._telegram_at.setdefault((row.meter_id, row.telegram_digest), []).append(row)

    def prove(self, row: ReadingRow, again: ReadingRow) -> None:
        """Note that a known reading was received again, with a proof that may be better than before.

        The better proved telegram says its state; of two as well proved each state that both report, since
        one of them is damaged, whichever came first.
        """
        known = self._proved.get(_key(row), self._rows.get(_key(row)))
        if known is None or again.evidence < known.evidence:
            return
        state = again.status_bits if again.evidence > known.evidence else known.status_bits
        proved = known._replace(evidence=again.evidence, status_bits=state & again.status_bits)
        if proved != known:
            self._proved[_key(row)] = proved

    async def judge(
        self, connection: TransactionalDBClient, meters: Mapping[int, MeterEntry], fresh: Sequence[ReadingRow]
    ) -> Judged:
        """Store the new readings where they belong, with the better proofs noted."""
        fresh = [self._proved.pop(_key(row), row) for row in fresh]
        outcome = Judged()
        for key, row in self._proved.items():
            if key in self._counted:
                if self._counted[key].status_bits != row.status_bits:
                    outcome.removed.append((meters[row.meter_id], self._counted[key]))
                await time_series.set_evidence(connection, row, row.evidence)
                self._counted[key] = row
            else:
                meter_id, read_at_s, index = key
                await (
                    DoubtfulReading.filter(meter_id=meter_id, read_at=read_at_s, index_value=index)
                    .using_db(connection)
                    .update(evidence=int(row.evidence), status_bits=row.status_bits)
                )
        rows = by_meter(fresh)
        again = {meter_id for meter_id, _, _ in self._proved}
        outcome += await judge_readings(
            connection,
            meters,
            {meter_id: rows.get(meter_id, []) for meter_id in (*rows, *sorted(again - rows.keys()))},
            near=by_meter(self._counted.values()),
            doubtful=self._doubtful,
            reconsidered=again,
        )
        return outcome


def _key(row: ReadingRow) -> tuple[int, int, int]:
    return row.meter_id, row.read_at_s, row.index_value


def _spans(windows: Sequence[Window]) -> list[Window]:
    """One window for each meter, over all of its windows."""
    spans: dict[int, Window] = {}
    for window in windows:
        known = spans.get(window.meter_id, window)
        spans[window.meter_id] = Window(
            window.meter_id, min(known.first, window.first), max(known.last, window.last)
        )
    return list(spans.values())


def _refused(report: Reported, outcome: Ingested, received_at: datetime, now: datetime) -> bool:
    """Note why a report contradicts the register of meters; False when it does not."""
    meter, received = report.meter, report.received
    if report.index.fluid_quantity is not QUANTITY_OF[meter.fluid.unit]:
        reason = Reason.UNIT_MISMATCH
        message = (
            f"The telegram measures {report.index.fluid_quantity}, the meter is registered for {meter.fluid}."
        )
    elif received.moment > latest_moment(received_at, now=now):
        reason = Reason.TIME_IN_FUTURE
        message = future_message(received.moment, received_at)
    elif meter.register_capacity is not None and not 0 <= report.index.value < meter.register_capacity:
        reason = Reason.INDEX_OUT_OF_RANGE
        message = (
            f"The telegram reports {report.index.value}, the register of the meter counts from 0 to"
            f" {meter.register_capacity - 1}."
        )
    elif not meter.service_s[0] <= received.at_s <= meter.service_s[1]:
        reason = Reason.OUTSIDE_SERVICE
        message = f"The meter was not in service at {received.moment.isoformat()}."
    else:
        return False
    outcome.unusable.append(received.unusable(IntakeStage.READING, reason, message))
    return True


def _row(report: Reported, now: datetime) -> ReadingRow:
    return ReadingRow(
        meter_id=report.meter.id,
        read_at_s=report.received.at_s,
        index_value=report.index.value,
        status_bits=report.status_bits,
        received_at_s=_seconds(now),
        telegram_digest=report.received.telegram_digest,
        evidence=report.evidence,
    )


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
