"""Makes what condition alerts are judged by: readings with their states, and what known leaks have let run.

In: stored readings of some meters. Out: their sightings. The one rule: from the reading that showed a leak
until its end, its flow at the opening is the leak's and no burst; so a large leak that breathes is one
alert and not one a night. Before that reading it may be a burst, whatever is known now: so the order of
arrival changes nothing. A state in a telegram that nothing proves needs a neighbour that reports the same,
both to begin and to end: its index may be right by chance, or undamaged, and the state false.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Final

from tortoise.backends.base.client import TransactionalDBClient

from core.alerting.conditions import Sighting
from core.consumption import day_start
from core.consumption.plausibility import Evidence
from core.metering import bits_to_flags
from core.services.places.meter_directory import MeterEntry
from core.services.shared import time_series
from core.services.shared.columns import day_or_none, moment
from core.services.shared.time_series import ReadingRow, Window

STATE_NEIGHBOURS = 2
"""Readings beyond either end of those judged that have a say: the neighbour's neighbour."""

_HOUR_S = 3600


def _is_proved(row: ReadingRow) -> bool:
    """Whether the state of a reading counts by itself: its gateway has checked the telegram at least."""
    return row.evidence >= Evidence.GATEWAY_CHECK


def undecided_since(
    spans: Mapping[MeterEntry, tuple[int, int]], rows: Iterable[ReadingRow]
) -> dict[MeterEntry, tuple[int, int]]:
    """The spans of new readings, each with the reading before it if a neighbour decides about its state."""
    before: dict[int, ReadingRow] = {}
    first_s = {meter.id: first_s for meter, (first_s, _) in spans.items()}
    for row in rows:
        if row.read_at_s < first_s[row.meter_id]:
            before[row.meter_id] = row
    return {
        meter: (span[0] if row is None or _is_proved(row) else row.read_at_s, span[1])
        for meter, span in spans.items()
        for row in (before.get(meter.id),)
    }


def disbelieved(
    sightings: Mapping[int, Sequence[Sighting]], rows: Iterable[ReadingRow]
) -> dict[int, frozenset[int]]:
    """The moments of each meter at which a telegram reported a state that does not count."""
    reporting = [row for row in rows if row.status_bits]
    if not reporting:
        return {}
    states = {(meter_id, one.at_s): one.flags for meter_id, own in sightings.items() for one in own}
    found: dict[int, set[int]] = {}
    for row in reporting:
        believed = states.get((row.meter_id, row.read_at_s))
        if believed is not None and believed < bits_to_flags(row.status_bits):
            found.setdefault(row.meter_id, set()).add(row.read_at_s)
    return {meter_id: frozenset(moments) for meter_id, moments in found.items()}


async def sightings_around(
    connection: TransactionalDBClient, meters: Iterable[MeterEntry], windows: Sequence[Window]
) -> tuple[dict[int, list[Sighting]], list[ReadingRow]]:
    """The sightings of a window for each meter, and of the nearest reading from either end on; and the
    rows.

    The states of the outermost are judged by the readings beyond.
    """
    rows = await time_series.context_of(connection, windows, readings=STATE_NEIGHBOURS)
    sightings = await sightings_of(connection, meters, rows)
    for window in windows:
        own = sightings.get(window.meter_id, [])
        beyond = bisect_left(own, window.last, key=attrgetter("at_s")) + 1
        del own[beyond:]
    return sightings, rows


async def sightings_of(
    connection: TransactionalDBClient, meters: Iterable[MeterEntry], rows: Iterable[ReadingRow]
) -> dict[int, list[Sighting]]:
    """The sightings of each meter, in the order of the rows."""
    by_id = {meter.id: meter for meter in meters}
    leaks = await _leaks(connection, by_id)
    found: dict[int, list[Sighting]] = {}
    by_meter: dict[int, list[ReadingRow]] = {}
    for row in rows:
        by_meter.setdefault(row.meter_id, []).append(row)
    for meter_id, own in by_meter.items():
        found[meter_id] = [
            Sighting(
                row.read_at_s,
                row.index_value,
                bits_to_flags(status_bits),
                leaked_litres=sum(_let_run(leak, row.read_at_s) for leak in leaks.get(meter_id, ())),
            )
            for row, status_bits in zip(own, _believed_states(own), strict=True)
        ]
    return found


def _believed_states(rows: Sequence[ReadingRow]) -> list[int]:
    """The states of a meter's readings, as status bits: of an unproved one what two say, itself and its
    neighbours; of an unproved newest one itself, the one before and the state so far.
    """
    if not any(row.status_bits for row in rows):
        return [0] * len(rows)
    believed: list[int] = []
    for number, row in enumerate(rows):
        state = row.status_bits
        if not _is_proved(row):
            before = rows[number - 1].status_bits if number else 0
            third = believed[-1] if believed else 0
            if number + 1 < len(rows):
                third = rows[number + 1].status_bits
            state = state & before | state & third | before & third
        believed.append(state)
    return believed


_Leak = tuple[float, float, float]
"""Detected, ended (epoch seconds), litres an hour."""


async def _leaks(
    connection: TransactionalDBClient, meters: Mapping[int, MeterEntry]
) -> dict[int, list[_Leak]]:
    water = [(meter.id,) for meter in meters.values() if meter.fluid.is_water]
    found: dict[int, list[_Leak]] = {}
    for row in await time_series.select(connection, _DETECTED, water):
        meter_id, ended_on = row["meter_id"], day_or_none(row["ended_on"])
        ended_s = float("inf") if ended_on is None else float(day_start(ended_on, meters[meter_id].zone))
        leak = (moment(row["detected_at"]).timestamp(), ended_s, float(row["q_min_at_opening_lph"]))
        found.setdefault(meter_id, []).append(leak)
    return found


_DETECTED: Final = (
    "SELECT e.meter_id, e.detected_at, e.ended_on, e.q_min_at_opening_lph FROM k"
    " JOIN leak_episode e ON e.meter_id = k.a WHERE e.detected_at IS NOT NULL"
)


def _let_run(leak: _Leak, at_s: int) -> int:
    detected_s, ended_s, flow_lph = leak
    return int(max(0.0, min(float(at_s), ended_s) - detected_s) * flow_lph / _HOUR_S)
