"""The short way of intake: meters whose new readings follow plainly from their last ones.

In: what a batch's telegrams reported, and the states of their meters. Out: readings, day volumes and states
to store, computed without reading anything else of these meters; and the reports that the long way must
judge (`core.services.telegrams.readings`). The one rule: the short way stores exactly what the long way
would; it leaves a meter to it whenever that would have to look at more than the last reading: untimed,
late, doubtful, fast or falling, after a long gap, refused, or known as a dead letter.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tortoise.backends.base.client import TransactionalDBClient

from core.leak_thresholds import ThresholdsOf
from core.services.places.meter_directory import MeterEntry, lock_dwelling_rows
from core.services.places.meter_states import PLAIN_STEPS, MeterFlag, MeterState, MeterStates
from core.services.shared import time_series
from core.services.shared.time_series import ReadingRow
from core.services.shared.transaction import is_sqlite
from core.services.telegrams.courses import Course, Plain
from core.services.telegrams.decoding import Reported, Unusable
from core.services.telegrams.judgement import doubtful_near, reading_row
from core.services.telegrams.line_times import CLOCK_TOLERANCE
from core.services.telegrams.replay_protection import MessageCounters
from core.services.telegrams.steps import Steps, steps_of

_UNCLEAR: Final = int(MeterFlag.DAY_UNCLEAR | MeterFlag.DOUBT)
_FROM_FIRST: Final = int(MeterFlag.FROM_FIRST)


async def take_plainly(
    connection: TransactionalDBClient,
    reported: Sequence[Reported],
    unusable: Sequence[Unusable],
    states: MeterStates,
    *,
    thresholds_of: ThresholdsOf,
    compared: Collection[int],
    now: datetime,
) -> tuple[Plain, list[Reported]]:
    """Part the reports of a batch into those of the short way and the rest.

    Args:
        connection: the batch's.
        reported: the reports.
        unusable: lines without a report: an untimed one may be of a meter that also has reports.
        states: of the meters, locked.
        thresholds_of: the leak thresholds of operators.
        compared: the dwellings whose touched days are asked for.
        now: the moment of reception.
    """
    latest_s, now_s = int((now + CLOCK_TOLERANCE).timestamp()), int(now.timestamp())
    single, several = _by_meter(reported, unusable, states)
    steps = steps_of(single, states, latest_s=latest_s, now_s=now_s)
    several += ([report] for some in steps for report in some.rest)
    courses = [
        Course(reports[0].meter, state, reports, latest_s, now_s)
        for reports in several
        if _is_plain(state := states.get(reports[0].meter.id), reports[0].meter)
    ]
    courses = [one for one in courses if not one.is_over]
    known = await _dead_letters(connection, steps, courses)
    courses = [course for course in courses if course.meter.id not in known]
    await _compare(connection, courses)
    for course in courses:
        course.go()
    courses = [course for course in courses if not course.is_over]
    plain = Plain()
    replayed, plain.counters = await _replays(connection, steps, courses)
    taken: set[int] = set()
    for some in steps:
        some.leave(known | replayed)
        some.add_to(plain, float(thresholds_of(some.operator_code).level_1_lph), compared)
        taken.update(some.meter_ids)
    for course in courses:
        if course.meter.id not in replayed:
            course.add_to(plain, float(thresholds_of(course.meter.operator_code).level_1_lph))
            taken.add(course.meter.id)
    if len(plain.stored) + len(plain.duplicates) == len(reported):
        return plain, []
    return plain, [report for report in reported if report.meter.id not in taken]


def _by_meter(
    reported: Sequence[Reported], unusable: Sequence[Unusable], states: MeterStates
) -> tuple[list[Reported], list[list[Reported]]]:
    """The only reports of meters that have a state; and those of other meters, each meter's in a list.
    Without the meters that may have sent an untimed line too.
    """
    untimed = {one.radio_address for one in unusable if one.line.laid_at is not None}
    if untimed:
        reported = [report for report in reported if report.meter.radio_address not in untimed]
    ids = meter_ids_of(reported)
    _, places, times = np.unique(ids, return_inverse=True, return_counts=True)
    is_single = (times[places] == 1) & states.has(ids)
    if is_single.all():
        return list(reported), []
    by_meter: dict[int, list[Reported]] = {}
    single: list[Reported] = []
    for report, alone in zip(reported, is_single.tolist(), strict=True):
        if alone:
            single.append(report)
        else:
            by_meter.setdefault(report.meter.id, []).append(report)
    return single, list(by_meter.values())


def meter_ids_of(reported: Sequence[Reported]) -> NDArray[np.int64]:
    """The ids of the meters of reports."""
    return np.fromiter([report.meter.id for report in reported], np.int64, len(reported))


class MetMeanwhile(Exception):
    """Another worker stored the first reading of a batch's meter meanwhile: the batch begins again."""


async def lock_first_ones(
    connection: TransactionalDBClient, reported: Sequence[Reported], states: MeterStates
) -> None:
    """Lock the dwellings of meters without a state: there is no row of their own to lock.

    Raises:
        MetMeanwhile: one has a state now.
    """
    if is_sqlite(connection):
        return
    new = np.flatnonzero(~states.has(meter_ids_of(reported))).tolist()
    first = {reported[place].meter.id: reported[place].meter.dwelling_id for place in new}
    if not first:
        return
    await lock_dwelling_rows(connection, first.values())
    rows = await connection.execute_query_dict(
        "SELECT meter_id FROM meter_state WHERE meter_id = ANY($1::bigint[]) LIMIT 1", [list(first)]
    )
    if rows:
        raise MetMeanwhile


async def store_plain(connection: TransactionalDBClient, plain: Plain) -> None:
    """Store the readings and the day volumes; the states are stored when all is judged."""
    await time_series.insert_readings(connection, plain.rows, *plain.row_tables)
    await time_series.upsert_days(connection, plain.days, *plain.day_tables)
    await plain.counters.save(connection)


def _is_plain(state: MeterState | None, meter: MeterEntry) -> bool:
    if meter.aliases:
        return False
    if state is None:
        return True
    is_long = state.plain_steps >= PLAIN_STEPS or bool(state.flags & _FROM_FIRST)
    return is_long and not state.flags & _UNCLEAR


async def _compare(connection: TransactionalDBClient, courses: Sequence[Course]) -> None:
    """Read what is stored near reports that may be known already, for all meters at once."""
    asked = [(course, windows) for course in courses if (windows := course.windows())]
    windows = [window for _, some in asked for window in some]
    if not windows:
        return
    near: dict[int, list[ReadingRow]] = {}
    for row in await time_series.readings_near(connection, windows):
        near.setdefault(row.meter_id, []).append(row)
    for meter_id, rows in (await doubtful_near(connection, windows)).items():
        near.setdefault(meter_id, []).extend(map(reading_row, rows))
    for course, _ in asked:
        course.compare_with(near.get(course.meter.id, ()))


async def _dead_letters(
    connection: TransactionalDBClient, steps: Sequence[Steps], courses: Sequence[Course]
) -> set[int]:
    """The meters one of whose lines was a dead letter: such a line is marked as used, and may be dated.

    Rows are asked for by the telegram in the line, whose digest is known; by the line's own only those are
    compared that are found so.
    """
    digests = [digest for some in steps for digest in some.digests]
    digests += (one.digest for course in courses for one in course.new)
    lines = await _lines_with(connection, digests) if digests else {}
    if not lines:
        return set()
    reports = chain(
        (report for some in steps for report in some.reports),
        (one.report for course in courses for one in course.new),
    )
    return {
        report.meter.id
        for report in reports
        if report.received.line.digest in lines.get(report.received.telegram_digest, ())
    }


async def _lines_with(connection: TransactionalDBClient, digests: list[int]) -> dict[int, set[str]]:
    """The digests of the lines that were dead letters, by those of the telegrams in them."""
    if is_sqlite(connection):
        parameter: object = f"[{','.join(map(str, digests))}]"
        named = "telegram_digest IN (SELECT value FROM json_each(?))"
    else:
        parameter, named = digests, "telegram_digest = ANY($1::bigint[])"
    rows = await connection.execute_query_dict(
        f"SELECT telegram_digest, line_digest FROM dead_letter WHERE {named}",  # noqa: S608 - our own words
        [parameter],
    )
    found: dict[int, set[str]] = {}
    for row in rows:
        found.setdefault(row["telegram_digest"], set()).add(row["line_digest"])
    return found


async def _replays(
    connection: TransactionalDBClient, steps: Sequence[Steps], courses: Sequence[Course]
) -> tuple[set[int], MessageCounters]:
    """The meters with a replayed message; and the counters with what is new of the others noted."""
    counted = [report for some in steps for report in some.counted()]
    counted += (report for course in courses for report in course.counted())
    replayed: set[int] = set()
    while True:
        counters = await MessageCounters.of(connection, counted)
        more = {report.meter.id for report in counted if counters.is_replay(report)}
        if not more:
            return replayed, counters
        replayed |= more
        counted = [report for report in counted if report.meter.id not in more]
