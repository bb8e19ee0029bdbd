"""What intake has to know of a meter before its next reading: one short row a meter, locked with the batch.

In: meters, and their stored readings. Out: `MeterState` rows, read and written by one statement a batch.
The one rule: a state is a function of what is stored of its meter (`refresh`), and whatever changes that
makes it anew in the same transaction; so it may be thrown away at any time.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import IntFlag
from functools import cached_property
from itertools import chain, pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tortoise.backends.base.client import TransactionalDBClient

from core.alerting.conditions import BURST_SHARE_OF_Q3, USUAL_Q3_LPH, Condition
from core.consumption import IndexReading, clean, day_of, day_start
from core.consumption.plausibility import Doubt
from core.consumption.volumes import HOUR_S, MAX_DAILY_GAP_S, between
from core.leak_thresholds import ThresholdsOf
from core.services.places.meter_directory import MeterEntry
from core.services.shared import many_rows, time_series
from core.services.shared.time_series import ReadingRow, Window
from core.services.shared.transaction import is_sqlite

PLAIN_STEPS: Final = 3
"""So many steps without a doubt before the last reading: nothing before them has a say any more."""

_LOOK_BACK_S: Final = 48 * HOUR_S

FAST_LPH: Final = int(BURST_SHARE_OF_Q3 * USUAL_Q3_LPH)
"""Nothing slower is a burst, over any time."""

LONG_AGO_S: Final = -(2**40)


class MeterFlag(IntFlag):
    """Why the next reading of a meter is looked at more closely."""

    DAY_UNCLEAR = 1
    """The day of the last reading is not one series without a backflow."""
    LONG_GAP = 2
    """Readings more than 36 h apart reach into the day of the last one: it is an estimate."""
    DOUBT = 4
    """A doubtful reading is undecided."""
    LEAK = 8
    """The classifier follows a leak, or the meter has one."""
    CONDITION = 16
    """A state is reported, an alert of a condition runs, or a draw goes on."""
    FROM_FIRST = 32
    """The plain steps reach back to the meter's first reading."""


class MeterState(NamedTuple):
    """A meter after its last reading; times are epoch seconds, indexes in the smallest unit.

    Attributes: last_at, last_index, last_digest, last_evidence: the last reading. fast_at: the end of the
    last step of more than `FAST_LPH`. level_since: since when the register has shown its index. quiet_at:
    the end of the last time over which no leak of level 1 can have run. day_from, day_index: where the
    civil day of the last reading begins: midnight, or the first reading of a series, and the index there.
    plain_steps: how many steps up to the last reading are ordinary rises, `PLAIN_STEPS` at most. flags: see
    `MeterFlag`.
    """

    meter_id: int
    last_at: int
    last_index: int
    last_digest: int
    fast_at: int
    level_since: int
    quiet_at: int
    day_from: int
    day_index: int
    last_evidence: int
    plain_steps: int
    flags: int


COLUMNS: Final = MeterState._fields
_UPDATED: Final = COLUMNS[1:]
_SHORT: Final = ("last_evidence", "plain_steps", "flags")
_TYPES: Final = {name: "SMALLINT" if name in _SHORT else "BIGINT" for name in COLUMNS}


class MeterStates(Mapping[int, MeterState]):
    """The states of meters by their ids; and as one table of whole numbers, a row a meter.

    Args:
        table: the states, a row each, in the order of `COLUMNS`.
    """

    def __init__(self, table: NDArray[np.int64]) -> None:
        self._table = table[np.argsort(table[:, 0], kind="stable")]
        self._ids = self._table[:, 0].copy()

    @cached_property
    def _places(self) -> dict[int, int]:
        return {meter_id: place for place, meter_id in enumerate(self)}

    def __getitem__(self, meter_id: int) -> MeterState:
        return MeterState(*self._table[self._places[meter_id]].tolist())

    def __iter__(self) -> Iterator[int]:
        found: list[int] = self._ids.tolist()
        return iter(found)

    def __len__(self) -> int:
        return len(self._ids)

    def has(self, meter_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these meters have one."""
        if not len(self._ids):
            return np.zeros(len(meter_ids), dtype=bool)
        places = np.minimum(np.searchsorted(self._ids, meter_ids), len(self._ids) - 1)
        found: NDArray[np.bool_] = self._ids[places] == meter_ids
        return found

    def of(self, meter_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of these meters, which all have one; in their order, copied."""
        return self._table[np.searchsorted(self._ids, meter_ids)]


async def lock_states(connection: TransactionalDBClient, meter_ids: Collection[int]) -> MeterStates:
    """The states of these meters, locked until the end of the transaction; those without readings have
    none.

    In the order of their ids, so that two batches cannot wait for each other; dwellings are locked after
    meters. SQLite has one writer, which a transaction is from its beginning on (`transactional`).
    """
    ids = sorted(set(meter_ids))
    names = ", ".join(COLUMNS)
    if not is_sqlite(connection) and len(ids) >= many_rows.STAGED_FROM:
        asked = f"meter_id = ANY('{{{','.join(map(str, ids))}}}'::bigint[])"
        return MeterStates(
            await many_rows.copied_numbers(
                connection,
                f"SELECT {names} FROM meter_state WHERE {asked} ORDER BY meter_id FOR NO KEY UPDATE",  # noqa: S608
                _TYPES,
            )
        )
    if is_sqlite(connection):
        _, rows = await connection.execute_query(
            f"SELECT {names} FROM meter_state WHERE meter_id IN (SELECT value FROM json_each(?))",  # noqa: S608
            [f"[{','.join(map(str, ids))}]"],
        )
    else:
        _, rows = await connection.execute_query(
            f"SELECT {names} FROM meter_state WHERE meter_id = ANY($1::bigint[])"  # noqa: S608
            " ORDER BY meter_id FOR NO KEY UPDATE",
            [ids],
        )
    found: Any = rows  # they are sequences of their values too, of both drivers
    values = np.fromiter(chain.from_iterable(found), np.int64, len(found) * len(COLUMNS))
    return MeterStates(values.reshape(-1, len(COLUMNS)))


async def save_states(
    connection: TransactionalDBClient, states: Sequence[MeterState], *tables: NDArray[np.int64]
) -> None:
    """Store the states of meters, new ones included, and those of tables that have a row each. In the order
    of their ids.
    """
    table = np.concatenate([np.array(states, dtype=np.int64).reshape(-1, len(COLUMNS)), *tables])
    if not len(table):
        return
    table = table[np.argsort(table[:, 0], kind="stable")]
    names = ", ".join(COLUMNS)
    sets = ", ".join(f"{name} = excluded.{name}" for name in _UPDATED)
    conflict = f"ON CONFLICT (meter_id) DO UPDATE SET {sets}"
    if is_sqlite(connection):
        marks = ", ".join("?" for _ in COLUMNS)
        await connection.execute_many(
            f"INSERT INTO meter_state ({names}) VALUES ({marks}) {conflict}",  # noqa: S608
            table.tolist(),
        )
        return
    if len(table) >= many_rows.STAGED_FROM:
        await many_rows.store_numbers(connection, "meter_state", _TYPES, table, key=("meter_id",))
        return
    await connection.execute_query(
        f"INSERT INTO meter_state ({names}) SELECT * FROM {_unnested(len(COLUMNS))} {conflict}",  # noqa: S608
        table.T.tolist(),
    )


async def forget_states(connection: TransactionalDBClient, meter_ids: Collection[int]) -> None:
    """Remove the states of meters of which no reading is left."""
    marks = ", ".join(str(int(meter_id)) for meter_id in meter_ids)
    await connection.execute_query(f"DELETE FROM meter_state WHERE meter_id IN ({marks})")  # noqa: S608


async def note_condition(connection: TransactionalDBClient, meter_ids: Collection[int]) -> None:
    """Have the next reading of meters looked at for its conditions: an alert was raised between
    readings.
    """
    marks = ", ".join(str(int(meter_id)) for meter_id in meter_ids)
    await connection.execute_query(
        f"UPDATE meter_state SET flags = flags | {int(MeterFlag.CONDITION)} WHERE meter_id IN ({marks})"  # noqa: S608
    )


def _unnested(columns: int) -> str:
    """PostgreSQL's table of so many BIGINT arrays, which are its parameters."""
    arrays = ", ".join(f"${number}::bigint[]" for number in range(1, columns + 1))
    return f"unnest({arrays})"


async def refresh(
    connection: TransactionalDBClient,
    meters: Iterable[MeterEntry],
    *,
    last: Mapping[int, ReadingRow] | None = None,
    thresholds_of: ThresholdsOf,
) -> None:
    """Make the states of meters anew from what is stored. They, or their dwellings, must be locked.

    `last` are their newest readings, and maybe others', where they are known.
    """
    by_id = {meter.id: meter for meter in meters}
    if not by_id:
        return
    if last is None:
        last = await time_series.newest_readings(connection, by_id)
    gone = [meter_id for meter_id in by_id if meter_id not in last]
    if gone:
        await forget_states(connection, gone)
    windows = [
        Window(
            meter_id,
            day_start(day_of(one.read_at_s, by_id[meter_id].zone), by_id[meter_id].zone) - _LOOK_BACK_S,
            one.read_at_s,
        )
        for meter_id, one in last.items()
        if meter_id in by_id
    ]
    rows: dict[int, list[ReadingRow]] = {}
    for row in await time_series.context_of(connection, windows, readings=PLAIN_STEPS + 1):
        rows.setdefault(row.meter_id, []).append(row)
    flags = await _flags(connection, {meter_id: by_id[meter_id] for meter_id in rows})
    states = [
        _state(
            by_id[meter_id],
            one,
            flags[meter_id],
            float(thresholds_of(by_id[meter_id].operator_code).level_1_lph),
        )
        for meter_id, one in rows.items()
    ]
    await save_states(connection, states)


async def refresh_flags(
    connection: TransactionalDBClient, states: Mapping[MeterEntry, MeterState]
) -> list[MeterState]:
    """The states with the flags that follow from other tables than `reading` set anew."""
    flags = await _flags(connection, {meter.id: meter for meter in states})
    kept = MeterFlag.DAY_UNCLEAR | MeterFlag.LONG_GAP | MeterFlag.FROM_FIRST
    return [
        state._replace(flags=int(flags[meter.id] | (MeterFlag(state.flags) & kept)))
        for meter, state in states.items()
    ]


async def _flags(connection: TransactionalDBClient, meters: Mapping[int, MeterEntry]) -> dict[int, MeterFlag]:
    """What other tables say of meters."""
    found = dict.fromkeys(meters, MeterFlag(0))
    for row in await time_series.select(connection, _FLAGGED, ((meter_id,) for meter_id in meters)):
        found[row["meter_id"]] |= MeterFlag(row["flag"])
    return found


_KINDS = ", ".join(f"'{condition.value}'" for condition in Condition)
_FLAGGED: Final = (
    f"SELECT d.meter_id, {MeterFlag.DOUBT:d} AS flag FROM k JOIN doubtful_reading d ON d.meter_id = k.a"  # noqa: S608 - our own names
    f" WHERE d.decided IS FALSE AND d.doubt <> '{Doubt.WITHDRAWN}'"
    f" UNION SELECT e.meter_id, {MeterFlag.LEAK:d} FROM k JOIN leak_episode e ON e.meter_id = k.a"
    " WHERE e.ended_on IS NULL"
    f" UNION SELECT a.meter_id, {MeterFlag.CONDITION:d} FROM k JOIN alert a ON a.meter_id = k.a"
    f" WHERE a.ended_on IS NULL AND a.kind IN ({_KINDS})"
    f" UNION SELECT b.meter_id, {MeterFlag.CONDITION:d} FROM k JOIN burst_draw b ON b.meter_id = k.a"
    " WHERE b.ended_s IS NULL"
)


def _state(meter: MeterEntry, rows: Sequence[ReadingRow], flags: MeterFlag, level_1_lph: float) -> MeterState:
    """The state after the last of these rows, which reach back over its day and further."""
    last = rows[-1]
    if last.status_bits:
        flags |= MeterFlag.CONDITION
    steps = _plain_steps(meter, rows)
    if len(rows) == steps + 1 <= PLAIN_STEPS:
        flags |= MeterFlag.FROM_FIRST
    # Fewer rows than were asked for are all there are; before a first reading nothing can be alerted.
    quiet_at = rows[0].read_at_s if len(rows) <= PLAIN_STEPS else LONG_AGO_S
    flow = Flow(LONG_AGO_S, rows[0].read_at_s, quiet_at, meter.register_step, level_1_lph)
    for before, after in pairwise(rows):
        seconds, units = after.read_at_s - before.read_at_s, after.index_value - before.index_value
        flow.add(after.read_at_s, seconds, units)
    day_from, day_index, more = _day(meter, rows)
    return MeterState(
        meter.id,
        last.read_at_s,
        last.index_value,
        last.telegram_digest,
        flow.fast_at,
        flow.level_since,
        flow.quiet_at,
        day_from,
        day_index,
        int(last.evidence),
        steps,
        int(flags | more),
    )


class Flow:
    """What the steps of a register say of a burst and of a leak; see `MeterState` for the three moments."""

    __slots__ = ("_level_1_lph", "_step", "fast_at", "level_since", "quiet_at")

    def __init__(self, fast_at: int, level_since: int, quiet_at: int, step: int, level_1_lph: float) -> None:
        self.fast_at, self.level_since, self.quiet_at = fast_at, level_since, quiet_at
        self._step, self._level_1_lph = step, level_1_lph

    def add(self, at_s: int, seconds: int, units: int) -> None:
        """Take the step that ended at a moment."""
        if units < 0 or units * HOUR_S > FAST_LPH * seconds:
            self.fast_at = at_s
        if units:
            self.level_since = at_s
        else:
            seconds = max(seconds, at_s - self.level_since)
        # No constant leak exceeds (litres + one step of the register) / hours.
        if (units + self._step) * HOUR_S < self._level_1_lph * seconds:
            self.quiet_at = at_s


def _plain_steps(meter: MeterEntry, rows: Sequence[ReadingRow]) -> int:
    steps = 0
    for after, before in pairwise(reversed(rows[-PLAIN_STEPS - 1 :])):
        one = IndexReading(before.read_at_s, before.index_value)
        other = IndexReading(after.read_at_s, after.index_value)
        if other.index < one.index or not meter.register.is_ordinary(one, other):
            break
        steps += 1
    return steps


def _day(meter: MeterEntry, rows: Sequence[ReadingRow]) -> tuple[int, int, MeterFlag]:
    """Where the day of the last reading begins, the index there, and what is unusual about it."""
    readings = [IndexReading(row.read_at_s, row.index_value) for row in rows]
    last = readings[-1]
    start_s = day_start(day_of(last.at_s, meter.zone), meter.zone)
    pieces = clean(readings, meter.register)
    piece = pieces[-1]
    before = next((one for one in reversed(piece) if one.at_s <= start_s), None)
    unclear = piece[-1].index != last.index or (before is None and piece[0] != readings[0])
    unclear = unclear or (len(pieces) > 1 and pieces[-2][-1].at_s > start_s)
    flags = MeterFlag.DAY_UNCLEAR if unclear else MeterFlag(0)
    if before is None:
        return piece[0].at_s, piece[0].index, flags
    after = next((one for one in piece if one.at_s > before.at_s), before)
    within = [one for one in piece if one.at_s >= before.at_s]
    if any(two.at_s - one.at_s > MAX_DAILY_GAP_S for one, two in pairwise(within)):
        flags |= MeterFlag.LONG_GAP
    return start_s, before.index if before.at_s == start_s else between(before, after, start_s), flags
