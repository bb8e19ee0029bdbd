"""Stores the classifier state of each meter, and passes it the readings since.

In: the meters of a batch and the first day each was touched on. Out: what the classifier finds for each, and
the states stored. The one rule: the work at ingestion looks at the readings of a few days, not at a meter's
history; a reading older than the state makes the classifier begin again at the last monthly checkpoint before
it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from math import inf
from typing import Any, NamedTuple

from tortoise.backends.base.client import TransactionalDBClient

from core.consumption import day_start
from core.leak_thresholds import Thresholds, ThresholdsOf
from core.leaks.classifier.classify import Readings
from core.leaks.classifier.resolution import known_step
from core.leaks.classifier.state import ClassifierState
from core.leaks.classifier.stream import Followed, Memory, follow
from core.leaks.classifier.tracker import Change, Rule, Transition
from core.models import LeakCheckpoint, LeakClassifierState
from core.services.places.meter_directory import MeterEntry
from core.services.shared import time_series
from core.services.shared.time_series import Window

_LATEST_S = 2**62
CHECKPOINT_S = 30 * 24 * 3600
"""A checkpoint is kept of each stretch of so many seconds."""
_AT_ONCE = 500
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
    begun = await _checkpoints(connection, _void(touched, stored))
    found: dict[MeterEntry, Followed] = {}
    kept: list[_Kept] = []
    for (step, thresholds), meters in _by_step(touched, thresholds_of).items():
        memories = [_memory(begun.get(meter.id, stored.get(meter.id))) for meter in meters]
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
            kept.append(_Kept(meter, stored.get(meter.id), before, after.memory))
    await _keep(connection, kept)
    return found


def _void(
    touched: Mapping[MeterEntry, date], stored: Mapping[int, LeakClassifierState]
) -> dict[MeterEntry, int]:
    """The meters whose state has seen touched days, or cannot be read, and the first second of these days."""
    void: dict[MeterEntry, int] = {}
    for meter, first_day in touched.items():
        row, since_s = stored.get(meter.id), day_start(first_day, meter.zone)
        if row is not None and (row.settled_s >= since_s or not ClassifierState.can_unpack(row.state)):
            void[meter] = since_s
    return void


def _by_step(
    meters: Mapping[MeterEntry, date], thresholds_of: ThresholdsOf
) -> dict[tuple[int, Thresholds], list[MeterEntry]]:
    by_step: dict[tuple[int, Thresholds], list[MeterEntry]] = {}
    for meter in meters:
        step = known_step(meter.register_step)
        if step is not None:
            by_step.setdefault((step, thresholds_of(meter.operator_code)), []).append(meter)
    return by_step


_Stored = LeakClassifierState | LeakCheckpoint


async def _checkpoints(
    connection: TransactionalDBClient, void: Mapping[MeterEntry, int]
) -> dict[int, _Stored | None]:
    """For each meter whose state is void from a moment on, the last checkpoint before it, or None.

    Later checkpoints have seen readings that were different, and are removed.
    """
    begun: dict[int, _Stored | None] = {meter.id: None for meter in void}
    if not void:
        return begun
    since = {meter.id: since_s for meter, since_s in void.items()}
    late: list[int] = []
    rows = LeakCheckpoint.filter(meter_id__in=list(begun)).using_db(connection).order_by("settled_s")
    for row in await rows:
        if row.settled_s >= since[row.meter_id] or not ClassifierState.can_unpack(row.state):
            late.append(row.id)
        else:
            begun[row.meter_id] = row
    if late:
        await LeakCheckpoint.filter(id__in=late).using_db(connection).delete()
    return begun


def _memory(row: _Stored | None) -> Memory:
    """The stored state; an empty one where there is none to continue from."""
    if row is None:
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
    for meter_id, at_s, index in await time_series.indexes_near(connection, windows):
        times, litres = columns[meter_id]
        times.append(at_s)
        litres.append(index - index % coarse[meter_id] if meter_id in coarse else index)
    return {meter_id: Readings.of(times, litres) for meter_id, (times, litres) in columns.items()}


class _Kept(NamedTuple):
    """A meter, its row, and its memory before and after."""

    meter: MeterEntry
    row: LeakClassifierState | None
    before: Memory
    after: Memory


async def _keep(connection: TransactionalDBClient, kept: Sequence[_Kept]) -> None:
    """Store the states that have changed, and once a month a checkpoint of each."""
    gone = [one.row.id for one in kept if one.after.settled is None and one.row is not None]
    new: list[LeakClassifierState] = []
    moved: list[LeakClassifierState] = []
    checkpoints: list[LeakCheckpoint] = []
    for meter, row, before, after in kept:
        if after.settled is None or (row is not None and after.settled is row.state):
            continue  # nothing was settled since; a state made anew up to the same moment is another one
        changes = [[getattr(change, name) for name in _FIELDS] for change in after.changes]
        values = {"settled_s": after.settled_s, "state": after.settled, "changes": changes}
        if row is None:
            new.append(LeakClassifierState(meter_id=meter.id, **values))
        else:
            moved.append(row.update_from_dict(values))
        if before.settled is None or before.settled_s // CHECKPOINT_S < after.settled_s // CHECKPOINT_S:
            checkpoints.append(LeakCheckpoint(meter_id=meter.id, **values))
    if gone:
        await LeakClassifierState.filter(id__in=gone).using_db(connection).delete()
    if new:
        await LeakClassifierState.bulk_create(new, using_db=connection)
    if moved:
        fields = ("settled_s", "state", "changes")
        await LeakClassifierState.bulk_update(moved, fields, batch_size=_AT_ONCE, using_db=connection)
    if checkpoints:
        await LeakCheckpoint.bulk_create(checkpoints, ignore_conflicts=True, using_db=connection)


def _transition(values: Sequence[Any]) -> Transition:
    named = dict(zip(_FIELDS, values, strict=True))
    if named["bound_lph"] is None:  # JSON has no infinity
        named["bound_lph"] = inf
    return Transition(**named | {"change": Change(named["change"]), "rule": Rule(named["rule"])})
