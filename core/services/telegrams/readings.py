"""Decides which reported indexes are new readings, and stores them.

In: what a batch's telegrams reported. Out: the readings stored, the duplicates, and what contradicts the
register of meters or the stored readings. The one rule: the same telegram, or the same index at the same
time, is a duplicate however often it comes; a reading that is stored is never changed by a later line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tortoise.backends.base.client import TransactionalDBClient

from core.consumption.fluids import Unit
from core.metering import Quantity
from core.services.places.meter_directory import MeterEntry
from core.services.shared import time_series
from core.services.telegrams.decoding import IntakeStage, Reason, Reported, Unusable
from core.services.telegrams.line_times import first_receptions, future_message, latest_moment
from core.services.telegrams.replay_protection import MessageCounters

SAME_TELEGRAM_WITHIN = timedelta(minutes=5)
"""The same bytes within this time are one transmission that two gateways received, or a repeater's."""

_QUANTITY_OF = {
    Unit.LITRE: Quantity.VOLUME,
    Unit.WATT_HOUR: Quantity.ENERGY,
    Unit.ALLOCATOR_UNIT: Quantity.ALLOCATOR,
}


@dataclass(slots=True)
class Ingested:
    """The outcome of a batch: each reading with its meter, and the other lines by outcome."""

    stored: list[tuple[MeterEntry, time_series.ReadingRow]] = field(default_factory=list)
    accepted: list[Reported] = field(default_factory=list)
    duplicates: list[Reported] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)


async def ingest(
    connection: TransactionalDBClient, reported: Sequence[Reported], *, now: datetime
) -> Ingested:
    """Store the readings of a batch. The dwellings must be locked."""
    outcome = Ingested()
    received_at = await first_receptions(connection, [report.received.line for report in reported], now=now)
    candidates = [
        report for report in reported if not _refused(report, outcome, received_at[report.received.line], now)
    ]
    stored = await _Stored.around(connection, candidates)
    counters = await MessageCounters.of(connection, candidates)
    for report in candidates:
        row = _row(report, now)
        if stored.has_telegram(row, timed=report.received.timed):
            outcome.duplicates.append(report)
            continue
        if counters.is_replay(report):
            message = "The meter had sent newer messages before this one was received: it is a replay."
            outcome.unusable.append(
                report.received.unusable(IntakeStage.READING, Reason.COUNTER_NOT_RISEN, message)
            )
            continue
        index = stored.index_at(row)
        if index is None:
            stored.add(row)
            outcome.stored.append((report.meter, row))
            outcome.accepted.append(report)
        elif report.meter.agree(index, row.index_value):
            outcome.duplicates.append(report)
        else:
            message = f"The stored index at this moment is {index}, this telegram reports {row.index_value}."
            outcome.unusable.append(
                report.received.unusable(IntakeStage.READING, Reason.CONFLICTING_READING, message)
            )
    await time_series.insert_readings(connection, [row for _, row in outcome.stored])
    await counters.save(connection)
    return outcome


class _Stored:
    """The stored readings of a batch's meters near its moments, the batch's own included."""

    def __init__(self, rows: Sequence[time_series.ReadingRow], untimed: set[tuple[int, int]]) -> None:
        self._index_at: dict[tuple[int, int], int] = {}
        self._telegram_at: dict[tuple[int, int], list[int]] = {}
        self._untimed = untimed
        for row in rows:
            self.add(row)

    @classmethod
    async def around(cls, connection: TransactionalDBClient, reported: Sequence[Reported]) -> "_Stored":
        margin = int(SAME_TELEGRAM_WITHIN.total_seconds())
        windows = [
            time_series.Window(
                report.meter.id,
                _seconds(report.received.moment) - margin,
                _seconds(report.received.moment) + margin,
            )
            for report in reported
        ]
        digests = [
            (report.meter.id, report.received.telegram_digest)
            for report in reported
            if not report.received.timed
        ]
        return cls(
            await time_series.readings_near(connection, windows),
            await time_series.known_telegrams(connection, digests) if digests else set(),
        )

    def has_telegram(self, row: time_series.ReadingRow, *, timed: bool) -> bool:
        """Whether these bytes were stored at about this time; for a line without a time, at any time."""
        who = (row.meter_id, row.telegram_digest)
        if not timed and who in self._untimed:
            return True
        margin = SAME_TELEGRAM_WITHIN.total_seconds()
        return any(abs(at_s - row.read_at_s) <= margin for at_s in self._telegram_at.get(who, ()))

    def index_at(self, row: time_series.ReadingRow) -> int | None:
        return self._index_at.get((row.meter_id, row.read_at_s))

    def add(self, row: time_series.ReadingRow) -> None:
        self._index_at[row.meter_id, row.read_at_s] = row.index_value
        self._telegram_at.setdefault((row.meter_id, row.telegram_digest), []).append(row.read_at_s)


def _refused(report: Reported, outcome: Ingested, received_at: datetime, now: datetime) -> bool:
    """Note why a report contradicts the register of meters; False when it does not."""
    meter, received = report.meter, report.received
    if report.index.fluid_quantity is not _QUANTITY_OF[meter.fluid.unit]:
        reason = Reason.UNIT_MISMATCH
        message = (
            f"The telegram measures {report.index.fluid_quantity}, the meter is registered for {meter.fluid}."
        )
    elif received.moment > latest_moment(received_at, now=now):
        reason = Reason.TIME_IN_FUTURE
        message = future_message(received.moment, received_at)
    elif not meter.service_s[0] <= _seconds(received.moment) <= meter.service_s[1]:
        reason = Reason.OUTSIDE_SERVICE
        message = f"The meter was not in service at {received.moment.isoformat()}."
    else:
        return False
    outcome.unusable.append(received.unusable(IntakeStage.READING, reason, message))
    return True


def _row(report: Reported, now: datetime) -> time_series.ReadingRow:
    return time_series.ReadingRow(
        meter_id=report.meter.id,
        read_at_s=_seconds(report.received.moment),
        index_value=report.index.value,
        status_bits=report.status_bits,
        received_at_s=_seconds(now),
        telegram_digest=report.received.telegram_digest,
    )


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
