"""Recomputes the daily volumes that new readings touch.

In: the meters of a batch and the span of their new readings. Out: their rows, replaced. The one rule:
volumes are a function of the stored readings alone, so late, doubled and disordered telegrams give the same
rows as orderly ones. A new reading changes the days from that of the reading before it to that of the
reading after it, or, where it lies above that one, of the first to reach it; no others.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from tortoise.backends.base.client import TransactionalDBClient

from core.consumption import DayVolume, clean, daily_volumes, day_of, day_start
from core.consumption.corrections import CorrectionReason
from core.consumption.register import BACKFLOW_LIMIT
from core.consumption.volumes import HOUR_S
from core.services.places.meter_directory import MeterEntry
from core.services.places.meter_states import MeterState
from core.services.places.volume_corrections import Explanation, LateDays, log_corrections, within
from core.services.shared import time_series
from core.services.shared.time_series import ReadingRow, Window

LOOK_BACK_S = 48 * HOUR_S
"""Readings before the touched days that are looked at too: the running maximum of a meter that ran back.

One that ran back and then stood still for longer is taken from where it stands: its next days may count the
few units (`core.consumption.register.BACKFLOW_LIMIT`) by which it ran back.
"""

_ONE_DAY = timedelta(days=1)


async def roll_up(
    connection: TransactionalDBClient,
    stored: Iterable[tuple[MeterEntry, ReadingRow]],
    *,
    states: Mapping[int, MeterState],
    now: datetime,
) -> dict[MeterEntry, tuple[date, date]]:
    """Bring the volumes of a batch's meters up to date; returns the first and last civil day recomputed.

    `states`: of the meters before the batch: what is older than their newest readings is late, and logged.
    """
    spans = _spans(stored)
    if not spans:
        return {}
    around = await time_series.neighbours(
        connection,
        [Window(meter.id, first, last) for meter, (first, last) in spans.items()],
        allowed_backflow=max((meter.allowed_backflow for meter in spans), default=BACKFLOW_LIMIT),
    )
    touched = {meter: _touched_days(meter, span, around[meter.id]) for meter, span in spans.items()}
    first_s = {meter: first for meter, (first, _) in spans.items()}
    late = await LateDays.of(connection, touched, first_s, states)
    days = await _days_of(connection, touched)
    rows = [(meter.id, day) for meter, own in days.items() for day in own]
    await time_series.replace_days(connection, [_window(*one) for one in touched.items()], rows)
    await late.log(connection, days, Explanation(CorrectionReason.LATE_READING, now))
    return touched


async def correct_days(
    connection: TransactionalDBClient,
    touched: Mapping[MeterEntry, tuple[date, date]],
    explanation: Explanation,
) -> int:
    """Replace the volumes of these days, first and last, of those meters whose stored ones are others; what
    changed is logged. Returns how many days were others.
    """
    if not touched:
        return 0
    period = min(first for first, _ in touched.values()), max(last for _, last in touched.values())
    stored = await time_series.days_within(connection, [meter.id for meter in touched], period)
    wrong: list[Window] = []
    count = 0
    rows: list[tuple[int, DayVolume]] = []
    changes: list[tuple[MeterEntry, list[DayVolume], list[DayVolume], date | None]] = []
    for meter, own in (await _days_of(connection, touched)).items():
        known = within(stored.get(meter.id, ()), touched[meter])
        if different := {day.day for day in set(known) ^ set(own)}:
            changes.append((meter, known, own, _last_known(known, explanation)))
            wrong.append(_window(meter, touched[meter]))
            count += len(different)
            rows += [(meter.id, day) for day in own]
    await time_series.replace_days(connection, wrong, rows)
    await log_corrections(connection, changes, explanation)
    return count


def _last_known(known: Sequence[DayVolume], explanation: Explanation) -> date | None:
    """Up to which day a first amount is a correction: with new readings the series goes on after the last
    day that was known, with a decision of the operator it does not.
    """
    if explanation.reason is not CorrectionReason.DOUBTFUL_READING:
        return date.max
    return known[-1].day if known else None


async def _days_of(
    connection: TransactionalDBClient, touched: Mapping[MeterEntry, tuple[date, date]]
) -> dict[MeterEntry, list[DayVolume]]:
    """The volumes of these days, first and last, by the stored readings."""
    bounds = {meter: _bounds_s(meter, days) for meter, days in touched.items()}
    readings = await time_series.readings_around(
        connection,
        [Window(meter.id, start_s - LOOK_BACK_S, end_s) for meter, (start_s, end_s) in bounds.items()],
    )
    return {
        meter: [
            day
            for day in daily_volumes(clean(readings.get(meter.id, []), meter.register), zone=meter.zone)
            if first_day <= day.day <= last_day
        ]
        for meter, (first_day, last_day) in touched.items()
    }


def _window(meter: MeterEntry, days: tuple[date, date]) -> Window:
    return Window(meter.id, time_series.day_number(days[0]), time_series.day_number(days[1]))


def _spans(stored: Iterable[tuple[MeterEntry, ReadingRow]]) -> Mapping[MeterEntry, tuple[int, int]]:
    spans: dict[MeterEntry, tuple[int, int]] = {}
    for meter, row in stored:
        first, last = spans.get(meter, (row.read_at_s, row.read_at_s))
        spans[meter] = min(first, row.read_at_s), max(last, row.read_at_s)
    return spans


def _touched_days(
    meter: MeterEntry, span: tuple[int, int], around: tuple[int | None, int | None]
) -> tuple[date, date]:
    before, after = around
    first_s = span[0] if before is None else before
    last_s = span[1] if after is None else after
    return day_of(first_s, meter.zone), day_of(last_s, meter.zone)


def _bounds_s(meter: MeterEntry, days: tuple[date, date]) -> tuple[int, int]:
    """The first second of the days, and the first after them."""
    return day_start(days[0], meter.zone), day_start(days[1] + _ONE_DAY, meter.zone)
