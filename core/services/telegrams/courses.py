"""The course of one meter on the short way of intake: its new readings, their days, its state after them.

In: the state of a meter, and what a batch reported of it. Out: what `Plain` collects. The one rule: a
course that cannot be followed by arithmetic on the state alone is over, and the meter goes the long way.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from core.consumption import IndexReading, day_of, day_start
from core.consumption.plausibility import Evidence
from core.consumption.volumes import MAX_DAILY_GAP_S, between
from core.services.places.meter_directory import MeterEntry
from core.services.places.meter_states import LONG_AGO_S, PLAIN_STEPS, Flow, MeterFlag, MeterState
from core.services.shared.time_series import ReadingRow, Window, day_number
from core.services.telegrams.decoding import Reported
from core.services.telegrams.readings import QUANTITY_OF, SAME_TELEGRAM_WITHIN
from core.services.telegrams.replay_protection import MessageCounters

SAME_TELEGRAM_S: Final = int(SAME_TELEGRAM_WITHIN.total_seconds())

UNQUIET_AFTER_S: Final = 20 * 3600
"""A leak is alerted after a whole day at the earliest; after so long without a pause the classifier looks."""

BURST_WINDOW_S: Final = 2 * 3600
"""`core.alerting.conditions.BURST_IN_READINGS_S`: a step that ended earlier is in no window any more."""

_ALWAYS_S: Final = 1 << 40

_LONG_GAP: Final = int(MeterFlag.LONG_GAP)
_LEAK: Final = int(MeterFlag.LEAK)
_CONDITION: Final = int(MeterFlag.CONDITION)
_FROM_FIRST: Final = int(MeterFlag.FROM_FIRST)
"""As plain numbers: arithmetic on an enum costs more than all else that is done for a reading."""


@dataclass(slots=True)
class Plain:
    """What the short way found.

    Attributes:
        stored, duplicates: the reports, as in `readings.Ingested`.
        rows: the new readings.
        row_tables: further ones, a row each.
        days: (meter id, day number, amount, quality letter), each day once.
        day_tables: further ones, a row each, with the letter's code.
        states: of the meters that have new readings, but for the quiet ones.
        quiet: the states of meters that nothing else looks at, a row each.
        unquiet: the meters that the leak classifier looks at, with the days their readings touch.
        conditions: the readings of meters whose conditions are looked at.
        whole_days: the meters of which a civil day is complete now, with the days touched.
        counters: the message counters to save.
    """

    stored: list[Reported] = field(default_factory=list)
    duplicates: list[Reported] = field(default_factory=list)
    rows: list[ReadingRow] = field(default_factory=list)
    row_tables: list[NDArray[np.int64]] = field(default_factory=list)
    days: list[tuple[int, int, int, str]] = field(default_factory=list)
    day_tables: list[NDArray[np.int64]] = field(default_factory=list)
    states: dict[MeterEntry, MeterState] = field(default_factory=dict)
    quiet: list[NDArray[np.int64]] = field(default_factory=list)
    unquiet: dict[MeterEntry, tuple[date, date]] = field(default_factory=dict)
    conditions: list[tuple[MeterEntry, ReadingRow]] = field(default_factory=list)
    whole_days: dict[MeterEntry, tuple[date, date]] = field(default_factory=dict)
    counters: MessageCounters = field(default_factory=lambda: MessageCounters({}))
    _touched: dict[MeterEntry, tuple[date, date]] = field(default_factory=dict)

    def touched_in(self, dwellings: Collection[int]) -> dict[MeterEntry, tuple[date, date]]:
        """The first and the last day that new readings touch, of the meters of these dwellings."""
        if not dwellings:
            return {}
        return {meter: days for meter, days in self._touched.items() if meter.dwelling_id in dwellings}

    def touch(self, meter: MeterEntry, first: date, last: date) -> tuple[date, date]:
        """Note these days."""
        self._touched[meter] = first, last
        return first, last


class New(NamedTuple):
    """A report with what is compared of it."""

    report: Reported
    at_s: int
    units: int
    digest: int
    evidence: int


class Course:
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
        self.new: list[New] = []
        self.duplicates: list[Reported] = []
        self._state = state
        self._first: New | None = None
        self._now_s = now_s
        self._near: list[ReadingRow] = []
        first_s, last_s = meter.service_s
        quantity, capacity = QUANTITY_OF[meter.fluid.unit], meter.register_capacity
        for report in reports:
            received, index = report.received, report.index.value
            at_s = received.at_s
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
            self.new.append(New(report, at_s, index, received.telegram_digest, int(report.evidence)))

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
        new: list[New] = []
        for one in self.new:
            known = self._known(one, new)
            if known is None:
                new.append(one)
            elif one.evidence < known[0] or (one.evidence, one.report.status_bits) == known:
                self.duplicates.append(one.report)
            else:
                self.is_over = True  # a better proof is to be stored, or another state
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

    def _is_last(self, one: New) -> bool:
        state = self._state
        return state is not None and (one.at_s, one.units) == (state.last_at, state.last_index)

    def _known(self, one: New, new: Sequence[New]) -> tuple[int, int | None] | None:
        """Evidence and state of the reading that a report repeats; None where it repeats none."""
        if self._state is not None and self._is_last(one):
            return self._state.last_evidence, None if self._state.flags & _CONDITION else 0
        for other in new:
            same = other.digest == one.digest and abs(other.at_s - one.at_s) <= SAME_TELEGRAM_S
            if same or (other.at_s, other.units) == (one.at_s, one.units):
                return other.evidence, other.report.status_bits
        for row in self._near:
            same = row.telegram_digest == one.digest and abs(row.read_at_s - one.at_s) <= SAME_TELEGRAM_S
            if same or (row.read_at_s, row.index_value) == (one.at_s, one.units):
                return int(row.evidence), row.status_bits
        return None

    def _follows(self, at_s: int, units: int, one: New) -> bool:
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
        flow = Flow(state.fast_at, state.level_since, state.quiet_at, meter.register_step, level_1_lph)
        at_s, index = state.last_at, state.last_index
        is_asked, flags = False, state.flags
        for one in self.new:
            flow.add(one.at_s, one.at_s - at_s, one.units - index)
            is_asked = is_asked or one.at_s - flow.quiet_at >= UNQUIET_AFTER_S
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
        was_fast = meter.fluid.is_water and flow.fast_at > found[0].at_s - BURST_WINDOW_S
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
            flow.fast_at,
            flow.level_since,
            flow.quiet_at,
            days.from_s,
            days.index,
            found[-1].evidence,
            steps,
            flags if days.is_estimate else flags & ~_LONG_GAP,
        )

    def _row(self, one: New) -> ReadingRow:
        bits, evidence = one.report.status_bits, one.report.evidence
        return ReadingRow(self.meter.id, one.at_s, one.units, bits, self._now_s, one.digest, evidence)


def _state_at_first(one: New, meter: MeterEntry) -> MeterState:
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


def _moment(one: New) -> int:
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
        self.first = self.last = civil_day_at(zone, state.last_at).day

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
        # Of a register that stands still the amount is that of the last reading, whose partial day is stored.
        is_stored = index == before_index and before_s > self.from_s and not self.is_estimate
        if at_s > self.from_s and not is_stored:
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
    found = civil_day(zone, day_of(at_s, zone).toordinal())
    days.insert(0, found)
    del days[_DAYS_KEPT:]
    return found


def civil_day(zone: ZoneInfo, ordinal: int) -> CivilDay:
    """The civil day of a number as of `date.toordinal`."""
    day = date.fromordinal(ordinal)
    return CivilDay(day_start(day, zone), day_start(date.fromordinal(ordinal + 1), zone), day)
