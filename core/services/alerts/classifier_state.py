"""Stores the classifier state of each meter, and passes it the readings since.

In: the meters of a batch and the first day each was touched on. Out: what the classifier finds for each,
and the states stored. The one rule: the work at ingestion looks at the readings of a few days, not at a
meter's history; a reading older than the state makes the classifier begin again at the last monthly
checkpoint before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from math import inf
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.context import TortoiseContext, require_context

from core.consumption import day_start
from core.leak_thresholds import Thresholds, ThresholdsOf
from core.leaks.classifier.catch_up import cuts_of, follow_in_parts
from core.leaks.classifier.classify import Readings
from core.leaks.classifier.live import LiveStates
from core.leaks.classifier.resolution import known_step
from core.leaks.classifier.state import ClassifierState
from core.leaks.classifier.stream import Followed, Memory
from core.leaks.classifier.tracker import Change, Rule, Transition
from core.models import LeakCheckpoint, LeakClassifierState
from core.services.places.meter_directory import MeterEntry
from core.services.shared import time_series
from core.services.shared.columns import document
from core.services.shared.many_rows import upsert_rows
from core.services.shared.time_series import Window

_LATEST_S = 2**62
CHECKPOINT_S = 30 * 24 * 3600
"""A checkpoint is kept of each stretch of so many seconds."""
_FIELDS = [field.name for field in fields(Transition)]
_live: WeakKeyDictionary[TortoiseContext, LiveStates] = WeakKeyDictionary()
"""The states after the latest readings, of each open database."""


class _StateRow(NamedTuple):
    """A row of either table of states."""

    id: int
    meter_id: int
    settled_s: int
    state: bytes
    changes: Sequence[Sequence[Any]]


def _state_row(row: Mapping[str, Any]) -> _StateRow:
    return _StateRow(row["id"], row["meter_id"], row["settled_s"], row["state"], document(row["changes"]))


_STATES: Final = (
    "SELECT s.id, s.meter_id, s.settled_s, s.state, s.changes FROM k"
    " JOIN leak_classifier_state s ON s.meter_id = k.a"
)
_CHECKPOINTS: Final = (
    "SELECT s.id, s.meter_id, s.settled_s, s.state, s.changes FROM k"
    " JOIN leak_checkpoint s ON s.meter_id = k.a ORDER BY s.settled_s"
)
_STORED: Final = ("meter_id", "settled_s", "state", "changes")


async def follow_meters(
    connection: TransactionalDBClient, touched: Mapping[MeterEntry, date], *, thresholds_of: ThresholdsOf
) -> dict[MeterEntry, Followed]:
    """Bring the classifier up to date on these meters; one whose register is unknown is left out.

    Each is judged by its operator's thresholds. Changed thresholds hold from the first reading that is not
    settled yet.
    """
    rows = await time_series.select(connection, _STATES, ((meter.id,) for meter in touched))
    stored = {row["meter_id"]: _state_row(row) for row in rows}
    void = _void(touched, stored)
    begun, later = await _checkpoints(connection, void)
    found: dict[MeterEntry, Followed] = {}
    kept: list[_Kept] = []
    live = _live.setdefault(require_context(), LiveStates())
    for (step, thresholds), meters in _by_step(touched, thresholds_of).items():
        memories = [_memory(begun.get(meter.id, stored.get(meter.id))) for meter in meters]
        read = await _readings(connection, meters, memories)
        followed, settled = follow_in_parts(
            memories,
            [read[meter.id] for meter in meters],
            [
                _cuts(read[meter.id], memory, stored.get(meter.id), later.get(meter.id, ()))
                for meter, memory in zip(meters, memories, strict=True)
            ],
            step_litres=step,
            capacity_litres=[meter.register_capacity for meter in meters],
            possible_lph=[meter.highest_per_hour for meter in meters],
            thresholds=thresholds,
            live=live,
            keys=[meter.id for meter in meters],
        )
        for meter, before, after, states in zip(meters, memories, followed, settled, strict=True):
            found[meter] = after
            kept.append(_Kept(meter, stored.get(meter.id), before, after.memory, states))
    await _keep(connection, kept)
    await _keep_checkpoints(connection, kept, later)
    return found


def _cuts(
    readings: Readings,
    memory: Memory,
    row: _StateRow | None,
    later: Sequence[_StateRow],
) -> list[int]:
    """Where to cut a long series: a checkpoint in each stretch, at the same moments as before if it had
    some.

    What arrives from hour to hour is never cut.
    """
    if not len(readings.at_s):
        return []
    first_s, last_s = int(readings.at_s[0]), int(readings.at_s[-1])
    if not later and last_s - max(first_s, memory.settled_s) <= CHECKPOINT_S:
        return []
    settled = [one.settled_s for one in later]
    if row is not None:
        settled.append(row.settled_s)
    return cuts_of(settled, first_s=first_s, last_s=last_s, stretch_s=CHECKPOINT_S)


def _void(touched: Mapping[MeterEntry, date], stored: Mapping[int, _StateRow]) -> dict[MeterEntry, int]:
    """The meters whose state is missing, has seen touched days, or cannot be read; and the first second of
    these days.
    """
    void: dict[MeterEntry, int] = {}
    for meter, first_day in touched.items():
        row, since_s = stored.get(meter.id), day_start(first_day, meter.zone)
        if row is None or row.settled_s >= since_s or not ClassifierState.can_unpack(row.state):
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


async def _checkpoints(
    connection: TransactionalDBClient, void: Mapping[MeterEntry, int]
) -> tuple[dict[int, _StateRow | None], dict[int, list[_StateRow]]]:
    """For each meter whose state is void from a moment on, the last checkpoint before it, or None; and
    those after it, which may have seen readings that were different.
    """
    begun: dict[int, _StateRow | None] = {meter.id: None for meter in void}
    later: dict[int, list[_StateRow]] = {meter.id: [] for meter in void}
    if not void:
        return begun, later
    since = {meter.id: since_s for meter, since_s in void.items()}
    for row in map(_state_row, await time_series.select(connection, _CHECKPOINTS, ((one,) for one in begun))):
        if row.settled_s >= since[row.meter_id] or not ClassifierState.can_unpack(row.state):
            later[row.meter_id].append(row)
        else:
            begun[row.meter_id] = row
    return begun, later


def _memory(row: _StateRow | None) -> Memory:
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
    """A meter, its row, its memory before and after, and those that were settled on the way."""

    meter: MeterEntry
    row: _StateRow | None
    before: Memory
    after: Memory
    settled: Sequence[Memory]


async def _keep(connection: TransactionalDBClient, kept: Sequence[_Kept]) -> None:
    """Store the states that have changed."""
    gone = [one.row.id for one in kept if one.after.settled is None and one.row is not None]
    if gone:
        await LeakClassifierState.filter(id__in=gone).using_db(connection).delete()
    changed = [
        (meter.id, *_values(after))
        for meter, row, _, after, _ in kept
        if after.settled is not None and (row is None or not _is(row, after))
    ]
    await upsert_rows(connection, LeakClassifierState, _STORED, changed, key=("meter_id",))


async def _keep_checkpoints(
    connection: TransactionalDBClient,
    kept: Sequence[_Kept],
    later: Mapping[int, Sequence[_StateRow]],
) -> None:
    """Store a checkpoint of each stretch in which something was settled, instead of those that are void."""
    wanted: dict[int, list[Memory]] = {}
    for meter, _, before, _, settled in kept:
        for one in settled:
            if before.settled is None or before.settled_s // CHECKPOINT_S < one.settled_s // CHECKPOINT_S:
                wanted.setdefault(meter.id, []).append(one)
            before = one  # noqa: PLW2901 - the state that the next one is compared with
    right = {
        (row.meter_id, row.settled_s)
        for meter_id, rows in later.items()
        for row in rows
        if any(_is(row, one) for one in wanted.get(meter_id, ()))
    }
    fresh = {
        (meter_id, one.settled_s): (meter_id, *_values(one))
        for meter_id, memories in wanted.items()
        for one in memories
        if (meter_id, one.settled_s) not in right
    }
    void = [
        row.id
        for rows in later.values()
        for row in rows
        if (row.meter_id, row.settled_s) not in right and (row.meter_id, row.settled_s) not in fresh
    ]
    if void:
        await LeakCheckpoint.filter(id__in=void).using_db(connection).delete()
    await upsert_rows(connection, LeakCheckpoint, _STORED, fresh.values(), key=("meter_id", "settled_s"))


def _is(row: _StateRow, memory: Memory) -> bool:
    """Whether a row holds what would be stored of a memory."""
    if memory.settled is row.state:
        return True  # nothing was settled since it was read
    if (row.settled_s, row.state) != (memory.settled_s, memory.settled):
        return False
    return _memory(row).changes == tuple(replace(change, meter=0) for change in memory.changes)


def _values(memory: Memory) -> tuple[int, bytes | None, list[list[Any]]]:
    # The number of a meter in its block means nothing to the next one.
    changes = [[getattr(replace(one, meter=0), name) for name in _FIELDS] for one in memory.changes]
    return memory.settled_s, memory.settled, changes


def _transition(values: Sequence[Any]) -> Transition:
    named = dict(zip(_FIELDS, values, strict=True))
    if named["bound_lph"] is None:  # JSON has no infinity
        named["bound_lph"] = inf
    return Transition(**named | {"change": Change(named["change"]), "rule": Rule(named["rule"])})
