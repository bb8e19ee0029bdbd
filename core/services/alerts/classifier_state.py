"""Stores the classifier state of each meter, and passes it the readings since.

In: the meters of a batch and the first day each was touched on. Out: what the classifier finds for each, and
the states stored. The one rule: the work at ingestion looks at the readings of a few days, not at a meter's
history; only a reading older than the state makes the classifier read the meter's whole series again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from math import inf
from typing import Any

from tortoise.backends.base.client import TransactionalDBClient

from core.consumption import day_start
from core.leak_thresholds import Thresholds, ThresholdsOf
from core.leaks.classifier.classify import Readings
from core.leaks.classifier.resolution import known_step
from core.leaks.classifier.state import ClassifierState
from core.leaks.classifier.stream import Followed, Memory, follow
from core.leaks.classifier.tracker import Change, Rule, Transition
from core.models import LeakClassifierState
from core.services.places.meter_directory import MeterEntry
from core.services.shared import time_series
from core.services.shared.time_series import Window

_LATEST_S = 2**62
_FIELDS = [field.name for field in fields(Transition)]


async def follow_meters(
    connection: TransactionalDBClient, touched: Mapping[MeterEntry, date], *, thresholds_of: ThresholdsOf
) -> dict[MeterEntry, Followed]:
    """Bring the classifier up to date on these meters; one whose register is unknown is left out.

    Each is judged by its operator's thresholds. Changed thresholds hold from the first reading that is not
    settled yet.
    """
    rows = await LeakClassifierState.filter(meter_id__in=[meter.id for meter in touched]).using_db(connection)
    stored = {row.meter_id: row for row in rows}
    found: dict[MeterEntry, Followed] = {}
    for (step, thresholds), meters in _by_step(touched, thresholds_of).items():
        memories = [_memory(stored.get(meter.id), touched[meter], meter) for meter in meters]
        read = await _readings(connection, meters, memories)
        followed = follow(
            memories,
            [read[meter.id] for meter in meters],
            step_litres=step,
            capacity_litres=[meter.register_capacity for meter in meters],
            possible_lph=[meter.highest_per_hour for meter in meters],
            thresholds=thresholds,
        )
        for meter, before, after in zip(meters, memories, followed, strict=True):
            found[meter] = after
            await _keep(connection, meter, stored.get(meter.id), before, after.memory)
    return found


def _by_step(
    meters: Mapping[MeterEntry, date], thresholds_of: ThresholdsOf
) -> dict[tuple[int, Thresholds], list[MeterEntry]]:
    by_step: dict[tuple[int, Thresholds], list[MeterEntry]] = {}
    for meter in meters:
        step = known_step(meter.register_step)
        if step is not None:
            by_step.setdefault((step, thresholds_of(meter.operator_code)), []).append(meter)
    return by_step


def _memory(row: LeakClassifierState | None, first_day: date, meter: MeterEntry) -> Memory:
    """The stored state; an empty one where there is none to continue from, or the touched days lie before."""
    if (
        row is None
        or not ClassifierState.can_unpack(row.state)
        or row.settled_s >= day_start(first_day, meter.zone)
    ):
        return Memory()
    return Memory(row.state, row.settled_s, changes=tuple(_transition(values) for values in row.changes))


async def _readings(
    connection: TransactionalDBClient, meters: Sequence[MeterEntry], memories: Sequence[Memory]
) -> dict[int, Readings]:
    """The stored readings after each state; of a meter with several addresses all at the coarsest step.

    Otherwise a telegram with fewer digits than the one before would be a fall.
    """
    coarse = {meter.id: meter.register_step for meter in meters if meter.aliases}
    windows = [
        Window(meter.id, memory.settled_s + 1, _LATEST_S)
        for meter, memory in zip(meters, memories, strict=True)
    ]
    columns: dict[int, tuple[list[int], list[int]]] = {meter.id: ([], []) for meter in meters}
    for row in await time_series.readings_near(connection, windows):
        times, litres = columns[row.meter_id]
        times.append(row.read_at_s)
        step = coarse.get(row.meter_id, 1)
        litres.append(row.index_value - row.index_value % step)
    return {meter_id: Readings.of(times, litres) for meter_id, (times, litres) in columns.items()}


async def _keep(
    connection: TransactionalDBClient,
    meter: MeterEntry,
    row: LeakClassifierState | None,
    before: Memory,
    after: Memory,
) -> None:
    if after.settled is None:
        if row is not None:
            await row.delete(using_db=connection)
        return
    if row is not None and before.settled_s == after.settled_s:
        return
    row = row or LeakClassifierState(meter_id=meter.id)
    row.settled_s, row.state = after.settled_s, after.settled
    row.changes = [[getattr(change, name) for name in _FIELDS] for change in after.changes]
    await row.save(using_db=connection)


def _transition(values: Sequence[Any]) -> Transition:
    named = dict(zip(_FIELDS, values, strict=True))
    if named["bound_lph"] is None:  # JSON has no infinity
        named["bound_lph"] = inf
    return Transition(**named | {"change": Change(named["change"]), "rule": Rule(named["rule"])})
