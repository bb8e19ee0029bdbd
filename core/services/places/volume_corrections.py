"""Keeps a log of the days whose amount changed after it could be seen.

In: the stored days of meters and what they are replaced by, in the transaction that replaces them. Out: rows
of `consumption_correction`. The one rule: ordinary intake reads and writes nothing here: only where a reading
lies before one that was known, or was moved, are the days compared (`core.consumption.corrections`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.consumption import DayVolume, day_of
from core.consumption.corrections import CorrectionReason, corrections_of
from core.models import ConsumptionCorrection
from core.services.places.meter_directory import MeterEntry
from core.services.places.meter_states import MeterState
from core.services.shared import time_series
from core.services.shared.many_rows import insert_rows
from core.services.shared.time_series import Window, day_number


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why and when days change."""

    reason: CorrectionReason
    at: datetime


@dataclass(frozen=True, slots=True)
class LateDays:
    """The days of meters that a late reading touches, as they were stored before it.

    `newest_s`: each such meter's newest reading of before, epoch seconds.
    """

    newest_s: Mapping[MeterEntry, int]
    stored: Mapping[int, Sequence[DayVolume]]

    @classmethod
    async def of(
        cls,
        connection: TransactionalDBClient,
        touched: Mapping[MeterEntry, tuple[date, date]],
        first_s: Mapping[MeterEntry, int],
        states: Mapping[int, MeterState],
    ) -> "LateDays":
        """Those of the meters of which a new reading lies before the newest that was known."""
        late = {
            meter: states[meter.id].last_at
            for meter in touched
            if meter.id in states and first_s[meter] <= states[meter.id].last_at
        }
        if not late:
            return cls({}, {})
        windows = [Window(meter.id, *map(day_number, touched[meter])) for meter in late]
        return cls(late, await time_series.days_in(connection, windows))

    async def log(
        self,
        connection: TransactionalDBClient,
        days: Mapping[MeterEntry, Sequence[DayVolume]],
        explanation: Explanation,
    ) -> None:
        """Log what the late readings changed."""
        changes = []
        for meter, newest_s in self.newest_s.items():
            before = self.stored.get(meter.id, ())
            changes.append((meter, before, days[meter], day_of(newest_s, meter.zone)))
        await log_corrections(connection, changes, explanation)


async def log_corrections(
    connection: TransactionalDBClient,
    changes: Iterable[tuple[MeterEntry, Sequence[DayVolume], Sequence[DayVolume], date | None]],
    explanation: Explanation,
) -> None:
    """Log the changes of meters: the days before and after, and the last day of all that was known."""
    rows = [
        ConsumptionCorrection(
            meter_id=meter.id,
            day=day_number(change.day),
            amount_before=change.before,
            amount_after=change.after,
            reason=explanation.reason,
            corrected_at=explanation.at,
        )
        for meter, before, after, last_known in changes
        for change in corrections_of(before, after, last_known=last_known)
    ]
    await insert_rows(connection, rows)


def within(days: Iterable[DayVolume], period: tuple[date, date]) -> list[DayVolume]:
    """The days of a period, first and last."""
    return [day for day in days if period[0] <= day.day <= period[1]]
