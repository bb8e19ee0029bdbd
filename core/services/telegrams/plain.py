"""The short way of intake: meters whose new readings follow plainly from their last ones.

In: what a batch's telegrams reported, and the states of their meters. Out: readings, day volumes and states
to store, computed without reading anything else of these meters; and the reports that the long way must judge
(`core.services.telegrams.readings`). The one rule: the short way stores exactly what the long way would; it
leaves a meter to it whenever that would have to look at more than the last reading: untimed, late, doubtful,
fast or falling, after a long gap, refused, or known as a dead letter.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import TransactionalDBClient

from core.consumption import IndexReading, day_of, day_start
from core.consumption.plausibility import Evidence
from core.consumption.volumes import MAX_DAILY_GAP_S, between
from core.leak_thresholds import ThresholdsOf
from core.services.places.meter_directory import MeterEntry, lock_dwelling_rows
from core.services.places.meter_states import (
    LONG_AGO_S,
    PLAIN_STEPS,
    MeterState,
    StateFlag,
    is_fast,
    is_quiet,
)
from core.services.shared import time_series
from core.services.shared.time_series import ReadingRow, Window, day_number
from core.services.telegrams.decoding import Reported, Unusable
from core.services.telegrams.judgement import doubtful_near, reading_row
from core.services.telegrams.line_times import CLOCK_TOLERANCE
from core.services.telegrams.readings import QUANTITY_OF, SAME_TELEGRAM_WITHIN
from core.services.telegrams.replay_protection import MessageCounters

SAME_TELEGRAM_S: Final = int(SAME_TELEGRAM_WITHIN.total_seconds())

UNQUIET_AFTER_S: Final = 20 * 3600
"""A leak is alerted after a whole day at the earliest; after so long without a pause the classifier looks."""

BURST_WINDOW_S: Final = 2 * 3600
"""`core.alerting.conditions.BURST_IN_READINGS_S`: a step that ended earlier is in no window any more."""

_ALWAYS_S: Final = 1 << 40

_UNCLEAR: Final = int(StateFlag.DAY_UNCLEAR | StateFlag.DOUBT)
_LONG_GAP: Final = int(StateFlag.LONG_GAP)
_LEAK: Final = int(StateFlag.LEAK)
_CONDITION: Final = int(StateFlag.CONDITION)
_FROM_FIRST: Final = int(StateFlag.FROM_FIRST)
"""As plain numbers: arithmetic on an enum costs more than all else that is done for a reading."""


@dataclass(slots=True)
class Plain:
    """What the short way found.

    Attributes:
        stored, duplicates: the reports, as in `readings.Ingested`.
        rows: the new readings.
        days: (meter id, day number, amount, quality letter), each day once.
        states: of every meter that has a new reading.
        unquiet: the meters that the leak classifier looks at, with the days their readings touch.
        conditions: the readings of meters whose conditions are looked at.
        whole_days: the meters of which a civil day is complete now, with the days touched.
        counters: the message counters to save.
    """

    stored: list[Reported] = field(default_factory=list)
    duplicates: list[Reported] = field(default_factory=list)
    rows: list[ReadingRow] = field(default_factory=list)
    days: list[tuple[int, int, int, str]] = field(default_factory=list)
    states: dict[MeterEntry, MeterState] = field(default_factory=dict)
    unquiet: dict[MeterEntry, tuple[date, date]] = field(default_factory=dict)
    conditions: list[tuple[MeterEntry, ReadingRow]] = field(default_factory=list)
    whole_days: dict[MeterEntry, tuple[date, date]] = field(default_factory=dict)
    counters: MessageCounters = field(default_factory=lambda: MessageCounters(()))
    _touched: dict[MeterEntry, tuple[date, date]] = field(default_factory=dict)

    def touched(self, meter: MeterEntry) -> tuple[date, date]:
        """The first and the last day that a meter's new readings touch."""
        return self._touched[meter]

    def touch(self, meter: MeterEntry, first: date, last: date) -> tuple[date, date]:
        """Note these days."""
        self._touched[meter] = first, last
        return first, last


async def take_plainly(
    connection: TransactionalDBClient,
    reported: Sequence[Reported],
    unusable: Sequence[Unusable],
    states: Mapping[int, MeterState],
    *,
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> tuple[Plain, list[Reported]]:
    """Part the reports of a batch into those of the short way and the rest.

    Args:
        connection: the batch's.
        reported: the reports.
        unusable: lines without a report: an untimed one may be of a meter that also has reports.
        states: of the meters, locked.
        thresholds_of: the leak thresholds of operators.
        now: the moment of reception.
    """
    by_meter: dict[int, list[Reported]] = {}
    for report in reported:
        by_meter.setdefault(report.meter.id, []).append(report)
    untimed = {one.radio_address for one in unusable if one.line.laid_at is not None}
    latest_s = int((now + CLOCK_TOLERANCE).timestamp())
    courses: list[_Course] = []
    for meter_id, reports in by_meter.items():
        state, meter = states.get(meter_id), reports[0].meter
        if meter.radio_address not in untimed and _is_plain(state, meter):
            courses.append(_Course(meter, state, reports, latest_s, int(now.timestamp())))
    courses = await _without_dead_letters(connection, [one for one in courses if not one.is_over])
    await _compare(connection, courses)
    for course in courses:
        course.go()
    plain = Plain()
    kept = [course for course in courses if not course.is_over]
    kept, plain.counters = await _without_replays(connection, kept)
    for course in kept:
        course.add_to(plain, float(thresholds_of(course.meter.operator_code).level_1_lph))
    taken = {course.meter.id for course in kept}
    return plain, [report for report in reported if report.meter.id not in taken]


class MetMeanwhile(Exception):
    """Another worker stored the first reading of a batch's meter meanwhile: the batch begins again."""


async def lock_first_ones(
    connection: TransactionalDBClient, reported: Sequence[Reported], states: Mapping[int, MeterState]
) -> None:
    """Lock the dwellings of meters without a state: there is no row of their own to lock.

    Raises:
        MetMeanwhile: one has a state now.
    """
    first = {
        report.meter.id: report.meter.dwelling_id for report in reported if report.meter.id not in states
    }
    if not first or time_series.is_sqlite(connection):
        return
    await lock_dwelling_rows(connection, first.values())
    rows = await connection.execute_query_dict(
        "SELECT meter_id FROM meter_state WHERE meter_id = ANY($1::bigint[]) LIMIT 1", [list(first)]
    )
    if rows:
        raise MetMeanwhile


async def store_plain(connection: TransactionalDBClient, plain: Plain) -> None:
    """Store the readings and the day volumes; the states are stored when all is judged."""
    await time_series.insert_readings(connection, plain.rows)
    await time_series.put_days(connection, plain.days)
    await plain.counters.save(connection)


def _is_plain(state: MeterState | None, meter: MeterEntry) -> bool:
    if meter.aliases:
        return False
    if state is None:
        return True
    is_long = state.plain_steps >= PLAIN_STEPS or bool(state.flags & _FROM_FIRST)
    return is_long and not state.flags & _UNCLEAR


class _New(NamedTuple):
    """A report with what is compared of it."""

    report: Reported
    at_s: int
    units: int
    digest: int
    evidence: int


class _Course:
    """The reports of one meter on the short way; `is_over` once one of them must go the long one."""

    def __init__(
        self,
        meter: MeterEntry,
        state: MeterState | None,
        reports: Sequence[Reported],
        latest_s: int,
        now_s: int,
    ) -> None:
        self.meter = meter
        self.is_over = False
        self.new: list[_New] = []
        self.duplicates: list[Reported] = []
        self._state = state
        self._first: _New | None = None
        self._now_s = now_s
        self._near: list[ReadingRow] = []
        first_s, last_s = meter.service_s
        quantity, capacity = QUANTITY_OF[meter.fluid.unit], meter.register_capacity
        for report in reports:
            received, index = report.received, report.index.value
            at_s = int(received.moment.timestamp())
            if (
                not received.timed
                or received.line.sightings == 0
                or received.line.dated is not None
                or report.index.fluid_quantity != quantity
                or at_s > latest_s
                or index < 0
                or (capacity is not None and index >= capacity)
                or not first_s <= at_s <= last_s
            ):
                self.is_over = True
                return
            self.new.append(_New(report, at_s, index, received.telegram_digest, int(report.evidence)))

    def windows(self) -> list[Window]:
        """Where the stored readings decide: around reports that are not clearly later than the last one."""
        if self._state is None:  # no reading counts yet, but there may be doubtful ones
            return [Window(self.meter.id, -_ALWAYS_S, _ALWAYS_S)]
        border_s = self._state.last_at + SAME_TELEGRAM_S
        return [
            Window(self.meter.id, one.at_s - SAME_TELEGRAM_S, one.at_s + SAME_TELEGRAM_S)
            for one in self.new
            if one.at_s <= border_s and not self._is_last(one)
        ]

    def compare_with(self, near: Sequence[ReadingRow]) -> None:
        """Take the stored readings near, doubtful ones included, that the windows asked for."""
        self._near = list(near)

    def go(self) -> None:
        """Part the reports into new readings and duplicates, or give up. Of a telegram that was received
        twice the report that came first counts.
        """
        new: list[_New] = []
        for one in self.new:
            known = self._known(one, new)
            if known is None:
                new.append(one)
            elif one.evidence <= known:
                self.duplicates.append(one.report)
            else:
                self.is_over = True  # a better proof is to be stored
                return
        new.sort(key=_moment)
        if self._state is None:
            # A doubtful one was before, or nothing proves the first: then a second has to agree with it.
            self.is_over = bool(self._near) or new[0].evidence == Evidence.NOTHING
            self._state, self._first = _state_at_first(new[0], self.meter), new.pop(0)
        at_s, units = self._state.last_at, self._state.last_index
        for one in new:
            self.is_over = self.is_over or not self._follows(at_s, units, one)
            at_s, units = one.at_s, one.units
        self.new = new

    def counted(self) -> list[Reported]:
        """The new reports with a message counter, in the order of their moments."""
        found = self.new if self._first is None else [self._first, *self.new]
        return [one.report for one in found if one.report.message_counter is not None]

    def _is_last(self, one: _New) -> bool:
        state = self._state
        return state is not None and (one.at_s, one.units) == (state.last_at, state.last_index)

    def _known(self, one: _New, new: Sequence[_New]) -> int | None:
        """The evidence of the reading that a report repeats; None where it repeats none."""
        if self._state is not None and self._is_last(one):
            return self._state.last_evidence
        for other in new:
            same = other.digest == one.digest and abs(other.at_s - one.at_s) <= SAME_TELEGRAM_S
            if same or (other.at_s, other.units) == (one.at_s, one.units):
                return other.evidence
        for row in self._near:
            same = row.telegram_digest == one.digest and abs(row.read_at_s - one.at_s) <= SAME_TELEGRAM_S
            if same or (row.read_at_s, row.index_value) == (one.at_s, one.units):
                return int(row.evidence)
        return None

    def _follows(self, at_s: int, units: int, one: _New) -> bool:
        """Whether a reading is an ordinary step from the one before it, which nothing has to confirm."""
        if not 0 < one.at_s - at_s <= MAX_DAILY_GAP_S or one.units < units:
            return False
        before, after = IndexReading(at_s, units), IndexReading(one.at_s, one.units)
        return self.meter.register.is_ordinary(before, after)

    def add_to(self, plain: Plain, level_1_lph: float) -> None:
        """Add the readings, the days they change, and the state after them."""
        plain.duplicates += self.duplicates
        meter, state = self.meter, self._state
        found = self.new if self._first is None else [self._first, *self.new]
        if not found or state is None:
            return
        rows = [self._row(one) for one in found]
        plain.rows += rows
        plain.stored += [one.report for one in found]
        days = _Days(state, meter.zone)
        at_s, index = state.last_at, state.last_index
        fast_at, level_since, quiet_at = state.fast_at, state.level_since, state.quiet_at
        step, is_asked, flags = meter.register_step, False, state.flags
        for one in self.new:
            seconds, units = one.at_s - at_s, one.units - index
            if is_fast(units, seconds):
                fast_at = one.at_s
            if units:
                level_since = one.at_s
            if is_quiet(units, seconds, step, level_1_lph) or (
                not units and is_quiet(0, one.at_s - level_since, step, level_1_lph)
            ):
                quiet_at = one.at_s
            is_asked = is_asked or one.at_s - quiet_at >= UNQUIET_AFTER_S
            days.add(at_s, index, one.at_s, one.units)
            at_s, index = one.at_s, one.units
        if any(row.status_bits for row in rows):
            flags |= _CONDITION
        touched = plain.touch(meter, days.first, days.last)
        plain.days += [(meter.id, day_number(day), *values) for day, values in days.volumes.items()]
        if days.is_day_whole:
            plain.whole_days[meter] = touched
        if meter.fluid.is_water and (is_asked or flags & _LEAK):
            plain.unquiet[meter] = touched
        was_fast = meter.fluid.is_water and fast_at > found[0].at_s - BURST_WINDOW_S
        if flags & _CONDITION or was_fast:
            plain.conditions += [(meter, row) for row in rows]
        steps = min(PLAIN_STEPS, state.plain_steps + len(self.new))
        if steps == PLAIN_STEPS:
            flags &= ~_FROM_FIRST
        plain.states[meter] = MeterState(
            meter.id,
            at_s,
            index,
            found[-1].digest,
            fast_at,
            level_since,
            quiet_at,
            days.from_s,
            days.index,
            found[-1].evidence,
            steps,
            flags if days.is_estimate else flags & ~_LONG_GAP,
        )

    def _row(self, one: _New) -> ReadingRow:
        bits, evidence = one.report.status_bits, one.report.evidence
        return ReadingRow(self.meter.id, one.at_s, one.units, bits, self._now_s, one.digest, evidence)


def _state_at_first(one: _New, meter: MeterEntry) -> MeterState:
    """The state after a meter's first reading."""
    at_s, index = one.at_s, one.units
    return MeterState(
        meter.id,
        at_s,
        index,
        one.digest,
        LONG_AGO_S,
        at_s,
        at_s,
        at_s,
        index,
        one.evidence,
        0,
        _FROM_FIRST,
    )


def _moment(one: _New) -> int:
    return one.at_s


class _Days:
    """The civil days that readings fill, from the state of their meter on.

    The rules are those of `core.consumption.volumes.daily_volumes`, for readings at most 36 h apart.
    """

    def __init__(self, state: MeterState, zone: ZoneInfo) -> None:
        self._zone = zone
        self.from_s, self.index = state.day_from, state.day_index
        self.is_estimate = bool(state.flags & _LONG_GAP)
        self.is_day_whole = False
        self.volumes: dict[date, tuple[int, str]] = {}
        self.first, self.last = civil_day_at(zone, state.last_at).day, date.min

    def add(self, before_s: int, before_index: int, at_s: int, index: int) -> None:
        """Count a step between two readings."""
        day = civil_day_at(self._zone, self.from_s)
        while at_s >= day.end_s:
            reached = index
            if at_s > day.end_s:
                reached = between(IndexReading(before_s, before_index), IndexReading(at_s, index), day.end_s)
            quality = "E" if self.is_estimate else "M"
            if self.from_s > day.start_s:
                quality = "P"
            self.volumes[day.day] = reached - self.index, quality
            self.from_s, self.index = day.end_s, reached
            self.is_estimate, self.is_day_whole = False, True
            day = civil_day_at(self._zone, self.from_s)
        if at_s > self.from_s:
            self.volumes[day.day] = index - self.index, "P"
        self.last = day.day


class CivilDay(NamedTuple):
    """A civil day of a zone, from its first second to that of the next day, epoch seconds."""

    start_s: int
    end_s: int
    day: date


_calendars: dict[str, list[CivilDay]] = {}
_DAYS_KEPT: Final = 64


def civil_day_at(zone: ZoneInfo, at_s: int) -> CivilDay:
    """The civil day of a moment; those of late are kept, since a batch's readings are of few days."""
    days = _calendars.setdefault(zone.key, [])
    for one in days:
        if one.start_s <= at_s < one.end_s:
            return one
    day = day_of(at_s, zone)
    found = CivilDay(day_start(day, zone), day_start(date.fromordinal(day.toordinal() + 1), zone), day)
    days.insert(0, found)
    del days[_DAYS_KEPT:]
    return found


async def _compare(connection: TransactionalDBClient, courses: Sequence[_Course]) -> None:
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


async def _without_dead_letters(
    connection: TransactionalDBClient, courses: Sequence[_Course]
) -> list[_Course]:
    """The courses none of whose lines was a dead letter: such a line is marked as used, and may be dated."""
    digests = {one.report.received.line.digest: course for course in courses for one in course.new}
    known = await _known_lines(connection, digests)
    doomed = {digests[digest].meter.id for digest in known}
    return [course for course in courses if course.meter.id not in doomed]


async def _known_lines(connection: TransactionalDBClient, digests: Iterable[str]) -> Collection[str]:
    wanted = list(digests)
    if not wanted:
        return ()
    if time_series.is_sqlite(connection):
        parameter: object = "[" + ",".join(f'"{digest}"' for digest in wanted) + "]"
        named = "line_digest IN (SELECT value FROM json_each(?))"
    else:
        parameter, named = wanted, "line_digest = ANY($1::text[])"
    rows = await connection.execute_query_dict(
        f"SELECT line_digest FROM dead_letter WHERE {named}",  # noqa: S608 - our own words
        [parameter],
    )
    return {row["line_digest"] for row in rows}


async def _without_replays(
    connection: TransactionalDBClient, courses: list[_Course]
) -> tuple[list[_Course], MessageCounters]:
    """The courses without a replayed message, and their counters with what is new noted."""
    while True:
        counted = [report for course in courses for report in course.counted()]
        counters = await MessageCounters.of(connection, counted)
        replayed = {report.meter.id for report in counted if counters.is_replay(report)}
        if not replayed:
            return courses, counters
        courses = [course for course in courses if course.meter.id not in replayed]
