"""Decides which readings count, and moves them between `reading` and `doubtful_reading`.

In: the new readings of a batch, or a decision of the operator. Out: what counts now and did not before, and
the other way round. The one rule: what counts is a function of all that was received and decided
(`core.consumption.plausibility`); so a reading that was stored may lose its place when later ones
contradict it, and a doubtful one never keeps out a true one of the same moment.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from tortoise.backends.base.client import TransactionalDBClient

from core.consumption.plausibility import Doubt, Evidence, Extent, Observation, is_undisputed, judge
from core.models import DoubtfulReading
from core.services.places.meter_directory import MeterEntry
from core.services.shared import time_series
from core.services.shared.columns import select_models
from core.services.shared.many_rows import insert_rows, update_rows
from core.services.shared.time_series import ReadingRow, Window

CONTEXT_READINGS = 12
"""Readings before and after the new ones that have a say: four times what a break of the register takes."""

NEIGHBOURS = 3
"""Readings before and after the new ones that show whether they are plain: a detour takes three."""

DECIDED_AFTER = 3
"""So many later readings that count have decided: a doubtful one before them is an outlier."""

_BEFORE_ALL_S = -(1 << 40)
_AT_ONCE = 500


@dataclass(slots=True)
class Judged:
    """What changed: readings that count now, that do so no longer, and new ones that are doubtful.

    One that counted with a state it does not have is among the removed.
    """

    counted: list[tuple[MeterEntry, ReadingRow]] = field(default_factory=list)
    removed: list[tuple[MeterEntry, ReadingRow]] = field(default_factory=list)
    doubtful: list[tuple[MeterEntry, ReadingRow]] = field(default_factory=list)

    def __iadd__(self, other: "Judged") -> Self:
        self.counted += other.counted
        self.removed += other.removed
        self.doubtful += other.doubtful
        return self

    @property
    def changed(self) -> list[tuple[MeterEntry, ReadingRow]]:
        """All that changes a volume."""
        return [*self.counted, *self.removed]


async def doubtful_near(
    connection: TransactionalDBClient, windows: Sequence[Window]
) -> dict[int, list[DoubtfulReading]]:
    """The doubtful readings of each meter that are undecided, or lie within the span of all windows."""
    if not windows:
        return {}
    first_s, last_s = min(one.first for one in windows), max(one.last for one in windows)
    asked = [(meter_id, first_s, last_s) for meter_id in sorted({window.meter_id for window in windows})]
    found: dict[int, list[DoubtfulReading]] = {}
    for row in await select_models(connection, DoubtfulReading, _NEAR, asked):
        found.setdefault(row.meter_id, []).append(row)
    return found


_NEAR: Final = (
    "SELECT d.* FROM k JOIN doubtful_reading d ON d.meter_id = k.a"
    " AND (d.decided IS FALSE OR d.read_at BETWEEN k.b AND k.c)"
    " ORDER BY d.meter_id, d.read_at, d.index_value"
)


async def judge_readings(
    connection: TransactionalDBClient,
    meters: Mapping[int, MeterEntry],
    fresh: Mapping[int, Sequence[ReadingRow]],
    *,
    near: Mapping[int, Sequence[ReadingRow]],
    doubtful: Mapping[int, Sequence[DoubtfulReading]],
    reconsidered: Collection[int] = (),
) -> Judged:
    """Store the new readings of meters, each where it belongs. The dwellings must be locked.

    Args:
        connection: the transaction.
        meters: by id.
        fresh: the new readings of each meter.
        near: the stored readings around them, with the nearest `NEIGHBOURS` beyond either end.
        doubtful: the doubtful ones of each meter, see `doubtful_near`.
        reconsidered: meters whose stored readings changed, which are judged again however plain it looks.
    """
    outcome = Judged()
    disputed: dict[int, Window] = {}
    for meter_id, rows in fresh.items():
        open_ones = [row for row in doubtful.get(meter_id, ()) if row.doubt is not Doubt.WITHDRAWN]
        known = near.get(meter_id, ())
        if open_ones or meter_id in reconsidered or not _plain(meters[meter_id], known, rows):
            moments = [*(row.read_at_s for row in rows), *(row.read_at for row in open_ones)]
            moments += [row.read_at_s for row in known] if meter_id in reconsidered else []
            disputed[meter_id] = Window(meter_id, min(moments), max(moments))
        else:
            outcome.counted += [(meters[meter_id], row) for row in rows]
    await time_series.insert_readings(connection, [row for _, row in outcome.counted])
    outcome += await _settle(connection, meters, fresh, disputed)
    return outcome


async def judge_again(
    connection: TransactionalDBClient, meters: Mapping[int, MeterEntry], windows: Mapping[int, Window]
) -> Judged:
    """Judge the stored readings of meters around their windows, after a decision of the operator."""
    return await _settle(connection, meters, {}, windows)


def _plain(meter: MeterEntry, known: Sequence[ReadingRow], rows: Sequence[ReadingRow]) -> bool:
    together = sorted((*known, *rows), key=_moment_and_index)
    first_s, last_s = min(row.read_at_s for row in rows), max(row.read_at_s for row in rows)
    before = sum(row.read_at_s < first_s for row in known)
    after = sum(row.read_at_s > last_s for row in known)
    extent = Extent(from_first=before < NEIGHBOURS, to_latest=after < NEIGHBOURS)
    return is_undisputed([_observation(row) for row in together], meter.register, extent)


async def _settle(
    connection: TransactionalDBClient,
    meters: Mapping[int, MeterEntry],
    fresh: Mapping[int, Sequence[ReadingRow]],
    windows: Mapping[int, Window],
) -> Judged:
    outcome = Judged()
    if not windows:
        return outcome
    context: dict[int, list[ReadingRow]] = {}
    for row in await time_series.context_of(connection, windows.values(), readings=CONTEXT_READINGS):
        context.setdefault(row.meter_id, []).append(row)
    inner = {meter_id: _inner(window, context.get(meter_id, ())) for meter_id, window in windows.items()}
    doubtful = await doubtful_near(connection, list(inner.values()))
    judged: list[_Changes] = []
    for meter_id, window in windows.items():
        changes = _Changes(
            meters[meter_id],
            context.get(meter_id, []),
            fresh.get(meter_id, ()),
            [
                row
                for row in doubtful.get(meter_id, ())
                if row.doubt is not Doubt.WITHDRAWN and _takes_part(row, meters[meter_id], inner[meter_id])
            ],
            window,
        )
        outcome += changes.outcome
        judged.append(changes)
    await _save_doubtful(connection, judged)
    await time_series.delete_readings(connection, [row for _, row in outcome.removed])
    await time_series.insert_readings(connection, [row for _, row in outcome.counted])
    return outcome


async def _save_doubtful(connection: TransactionalDBClient, judged: Sequence["_Changes"]) -> None:
    """Store which readings are doubtful now: a statement of each kind, however many meters."""
    gone = [row.id for changes in judged for row in changes.gone]
    new = [row for changes in judged for row in changes.new]
    changed = [row for changes in judged for row in changes.changed]
    for first in range(0, len(gone), _AT_ONCE):
        rows = DoubtfulReading.filter(id__in=gone[first : first + _AT_ONCE])
        await rows.using_db(connection).delete()
    await insert_rows(connection, new)
    await update_rows(connection, changed, ("doubt", "decided"))


def _takes_part(row: DoubtfulReading, meter: MeterEntry, within: Window) -> bool:
    """Whether a doubtful reading lies in a window, and in the meter's time in service as it is known
    now.
    """
    first_s, last_s = meter.service_s
    at_s: int = row.read_at
    return max(first_s, within.first) <= at_s <= min(last_s, within.last)


def _inner(window: Window, context: Sequence[ReadingRow]) -> Window:
    """The part of a context whose readings have neighbours enough: beyond, all remains as it was judged.

    Before the first reading that counts nothing is beyond: a late one may speak for those that are doubtful.
    """
    before = [row.read_at_s for row in context if row.read_at_s < window.first]
    after = [row.read_at_s for row in context if row.read_at_s > window.last]
    first_s = before[1] if len(before) >= CONTEXT_READINGS else _BEFORE_ALL_S
    last_s = after[-NEIGHBOURS] if len(after) >= CONTEXT_READINGS else max([window.last, *after])
    return Window(window.meter_id, first_s, last_s)


class _Changes:
    """The judgement of one meter's readings, compared with how they are stored."""

    def __init__(
        self,
        meter: MeterEntry,
        counted: Sequence[ReadingRow],
        fresh: Sequence[ReadingRow],
        doubtful: Sequence[DoubtfulReading],
        window: Window,
    ) -> None:
        self.outcome = Judged()
        self.new: list[DoubtfulReading] = []
        self.gone: list[DoubtfulReading] = []
        self.changed: list[DoubtfulReading] = []
        stored = {_moment_and_index(row) for row in counted}
        rows_of = {(row.read_at, row.index_value): row for row in doubtful}
        together = sorted((*counted, *fresh, *map(reading_row, doubtful)), key=_moment_and_index)
        before = sum(row.read_at_s < window.first for row in counted)
        after = sum(row.read_at_s > window.last for row in counted)
        extent = Extent(from_first=before < CONTEXT_READINGS, to_latest=after < CONTEXT_READINGS)
        doubts = judge([_observation(row) for row in together], meter.register, extent)
        later = 0
        for row, doubt in zip(reversed(together), reversed(doubts), strict=True):
            key = _moment_and_index(row)
            row_of = rows_of.get(key)
            if doubt is None:
                later += 1
                if key not in stored:
                    self.outcome.counted.append((meter, row))
                if row_of is not None:
                    self.gone.append(row_of)
                continue
            decided = later >= DECIDED_AFTER
            if row_of is None:
                self.new.append(doubtful_row(row, doubt, decided=decided))
                (self.outcome.removed if key in stored else self.outcome.doubtful).append((meter, row))
            elif (row_of.doubt, row_of.decided) != (doubt, decided):
                row_of.doubt, row_of.decided = doubt, decided
                self.changed.append(row_of)


def doubtful_row(row: ReadingRow, doubt: Doubt, *, decided: bool) -> DoubtfulReading:
    """A reading as one that does not count would be stored."""
    return DoubtfulReading(
        meter_id=row.meter_id,
        read_at=row.read_at_s,
        index_value=row.index_value,
        status_bits=row.status_bits,
        received_at=row.received_at_s,
        telegram_digest=row.telegram_digest,
        evidence=int(row.evidence),
        doubt=doubt,
        decided=decided,
    )


def reading_row(row: DoubtfulReading) -> ReadingRow:
    """A doubtful reading as one that counts would be stored."""
    return ReadingRow(
        meter_id=row.meter_id,
        read_at_s=row.read_at,
        index_value=row.index_value,
        status_bits=row.status_bits,
        received_at_s=row.received_at,
        telegram_digest=row.telegram_digest,
        evidence=Evidence(row.evidence),
    )


def by_meter(rows: Iterable[ReadingRow]) -> dict[int, list[ReadingRow]]:
    """The rows of each meter."""
    found: dict[int, list[ReadingRow]] = {}
    for row in rows:
        found.setdefault(row.meter_id, []).append(row)
    return found


def _observation(row: ReadingRow) -> Observation:
    return Observation(row.read_at_s, row.index_value, row.evidence)


def _moment_and_index(row: ReadingRow) -> tuple[int, int]:
    return row.read_at_s, row.index_value
