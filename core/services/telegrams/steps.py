"""The commonest case of the short way: meters with one new reading that follows plainly from their last
one.

In: one report a meter, and the states of the meters. Out: what `Plain` collects, computed for all meters at
once. The one rule: it is `Course` for one later reading that ends in the civil day of the last one or in
the next; whatever is otherwise is left to `Course`, which decides the same for any number of readings.
"""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from core.consumption import day_of
from core.consumption.register import BACKFLOW_LIMIT, CLOCK_TOLERANCE_S, ORDINARY_SHARE, ROLLOVER_SHARE
from core.consumption.volumes import HOUR_S, MAX_DAILY_GAP_S
from core.services.places.meter_states import (
    COLUMNS,
    FAST_LPH,
    PLAIN_STEPS,
    MeterFlag,
    MeterState,
    MeterStates,
)
from core.services.shared.time_series import ReadingRow, day_number
from core.services.telegrams.courses import (
    BURST_WINDOW_S,
    SAME_TELEGRAM_S,
    UNQUIET_AFTER_S,
    CivilDay,
    Plain,
    civil_day,
)
from core.services.telegrams.decoding import Reported
from core.services.telegrams.readings import QUANTITY_OF

_Integers = NDArray[np.int64]
_Truths = NDArray[np.bool_]

_PLACE: Final = {name: place for place, name in enumerate(COLUMNS)}
_UNCLEAR: Final = int(MeterFlag.DAY_UNCLEAR | MeterFlag.DOUBT)
_FROM_FIRST: Final = int(MeterFlag.FROM_FIRST)
_LONG_GAP: Final = int(MeterFlag.LONG_GAP)
_LEAK: Final = int(MeterFlag.LEAK)
_CONDITION: Final = int(MeterFlag.CONDITION)
_ID, _DWELLING, _AT, _UNITS, _BITS, _DIGEST, _EVIDENCE = 0, 6, 7, 8, 9, 10, 11
_OF_METER: Final = 7
_OF_REPORT: Final = 12
"""The columns of a report: `MeterEntry.limits`, then what its reading is."""
_P, _E, _M = map(ord, "PEM")

_MOST_DAYS: Final = 64
"""Readings of a batch that are older than so many days before its newest one are left to `Course`."""


class Steps:
    """One report each of meters of one fluid, one operator and one zone.

    Attributes:
        reports: those that follow plainly.
        rest: the others, for `Course`.
    """

    def __init__(
        self, reports: Sequence[Reported], states: MeterStates, *, latest_s: int, now_s: int
    ) -> None:
        self._now_s = now_s
        meter = reports[0].meter
        self._zone, self._is_water, self._operator = meter.zone, meter.fluid.is_water, meter.operator_code
        quantity = QUANTITY_OF[meter.fluid.unit]
        self.reports = [
            report
            for report in reports
            if report.index.fluid_quantity is quantity
            and not report.meter.aliases
            and (received := report.received).timed
            and (line := received.line).sightings
            and line.dated is None
        ]
        self.rest: list[Reported] = []
        if len(self.reports) < len(reports):
            usual = set(map(id, self.reports))
            self.rest = [report for report in reports if id(report) not in usual]
        self._read(states)
        self._keep(self._follow(latest_s))

    def _read(self, states: MeterStates) -> None:
        reports = self.reports
        received = [report.received for report in reports]
        self._of = np.empty((len(reports), _OF_REPORT), np.int64)
        limits = b"".join([report.meter.limits for report in reports])
        self._of[:, :_OF_METER] = np.frombuffer(limits, np.int64).reshape(-1, _OF_METER)
        self._of[:, _AT] = [one.at_s for one in received]
        self._of[:, _UNITS] = [report.index.value for report in reports]
        self._of[:, _BITS] = [report.status_bits for report in reports]
        self._of[:, _DIGEST] = [one.telegram_digest for one in received]
        self._of[:, _EVIDENCE] = [report.evidence for report in reports]
        self._state = states.of(self._of[:, _ID])

    def _keep(self, kept: _Truths) -> None:
        if kept.all():
            return
        self.rest += [report for report, keeps in zip(self.reports, kept, strict=True) if not keeps]
        self.reports = [report for report, keeps in zip(self.reports, kept, strict=True) if keeps]
        self._of, self._state = self._of[kept], self._state[kept]

    def leave(self, meter_ids: Collection[int]) -> None:
        """Leave some meters to the rest."""
        if meter_ids:
            self._keep(~np.isin(self._of[:, _ID], np.array(list(meter_ids), dtype=np.int64)))

    def _at(self, name: str) -> _Integers:
        return self._state[:, _PLACE[name]]

    def _follow(self, latest_s: int) -> _Truths:
        """Which readings are an ordinary step later than the last one; see `Course` and `Register`."""
        first_s, last_s, capacity, step, highest, at_s, units = (
            self._of[:, place] for place in (1, 2, 3, 4, 5, _AT, _UNITS)
        )
        seconds, risen = at_s - self._at("last_at"), units - self._at("last_index")
        flags, steps = self._at("flags"), self._at("plain_steps")
        is_plain = ((steps >= PLAIN_STEPS) | (flags & _FROM_FIRST != 0)) & (flags & _UNCLEAR == 0)
        is_in_range = (units >= 0) & ((capacity == 0) | (units < capacity))
        is_in_service = (at_s >= first_s) & (at_s <= last_s) & (at_s <= latest_s)
        is_later = (seconds > SAME_TELEGRAM_S) & (seconds <= MAX_DAILY_GAP_S)
        across_zero = (risen > 0) & (capacity > 0)
        across_zero &= capacity - risen <= np.maximum(capacity // ROLLOVER_SHARE, BACKFLOW_LIMIT)
        ordinary = step + highest * (seconds + CLOCK_TOLERANCE_S) / (3600 * ORDINARY_SHARE)
        is_ordinary = (risen >= 0) & (risen <= ordinary) & ~across_zero
        is_usual: _Truths = is_plain & is_in_range & is_in_service & is_later & is_ordinary
        return is_usual & self._is_within_two_days()

    def _is_within_two_days(self) -> _Truths:
        """Which readings end in the civil day of the last one or in the next."""
        begins_s, at_s = self._at("day_from"), self._of[:, _AT]
        if not len(at_s):
            return np.zeros(0, dtype=bool)
        newest_s = int(at_s.max())
        recent = begins_s >= newest_s - _MOST_DAYS * 24 * HOUR_S
        oldest_s = int(begins_s[recent].min()) if recent.any() else newest_s
        self._days = _days_from(self._zone, oldest_s, newest_s)
        self._edges_s = np.array([day.start_s for day in self._days], dtype=np.int64)
        begin, end = self._day_of(begins_s), self._day_of(at_s)
        return recent & (end - begin <= 1)

    def _day_of(self, at_s: _Integers) -> _Integers:
        return np.searchsorted(self._edges_s, at_s, side="right") - 1

    def counted(self) -> list[Reported]:
        """The reports with a message counter."""
        return [report for report in self.reports if report.message_counter is not None]

    def add_to(self, plain: Plain, level_1_lph: float, compared: Collection[int]) -> None:
        """Add the readings, the days they change, and the states after them.

        Args:
            plain: what is added to.
            level_1_lph: the flow at which a leak begins, litres an hour.
            compared: the dwellings whose touched days are asked for.
        """
        if not self.reports:
            return
        of, after = self._of, self._state.copy()
        meter_ids, at_s, units, bits = of[:, _ID], of[:, _AT], of[:, _UNITS], of[:, _BITS]
        now_s = np.full_like(at_s, self._now_s)
        rows = np.stack((meter_ids, at_s, units, bits, now_s, of[:, _DIGEST], of[:, _EVIDENCE]), axis=1)
        plain.row_tables.append(rows)
        plain.stored += self.reports
        self._flow(after, level_1_lph)
        begin, end = self._fill_days(plain, after)
        for name, values in (
            ("last_at", at_s),
            ("last_index", units),
            ("last_digest", of[:, _DIGEST]),
            ("last_evidence", of[:, _EVIDENCE]),
            ("plain_steps", np.minimum(PLAIN_STEPS, self._at("plain_steps") + 1)),
        ):
            after[:, _PLACE[name]] = values
        flags = self._at("flags") | np.where(bits != 0, _CONDITION, 0)
        flags = np.where(end > begin, flags & ~_LONG_GAP, flags)
        flags = np.where(after[:, _PLACE["plain_steps"]] == PLAIN_STEPS, flags & ~_FROM_FIRST, flags)
        after[:, _PLACE["flags"]] = flags
        self._look_at(plain, rows, after, begin, end, compared)

    def _flow(self, after: _Integers, level_1_lph: float) -> None:
        """What `Flow` says of the steps."""
        at_s, step = self._of[:, _AT], self._of[:, 4]
        seconds, risen = at_s - self._at("last_at"), self._of[:, _UNITS] - self._at("last_index")
        after[:, _PLACE["fast_at"]] = np.where(risen * HOUR_S > FAST_LPH * seconds, at_s, self._at("fast_at"))
        level_since = self._at("level_since")
        after[:, _PLACE["level_since"]] = np.where(risen > 0, at_s, level_since)
        still = np.where(risen > 0, seconds, np.maximum(seconds, at_s - level_since))
        is_quiet = (risen + step) * HOUR_S < level_1_lph * still
        after[:, _PLACE["quiet_at"]] = np.where(is_quiet, at_s, self._at("quiet_at"))

    def _fill_days(self, plain: Plain, after: _Integers) -> tuple[_Integers, _Integers]:
        """The days of the steps, as `_Days` of `Course` fills them; returns each one's first and last."""
        meter_ids, at_s, units = self._of[:, _ID], self._of[:, _AT], self._of[:, _UNITS]
        before_s, before = self._at("last_at"), self._at("last_index")
        from_s, from_index = self._at("day_from"), self._at("day_index")
        begin, end = self._day_of(from_s), self._day_of(at_s)
        numbers = np.array([day_number(day.day) for day in self._days], dtype=np.int64)
        crosses = end > begin
        midnight_s = self._edges_s[end]
        reached = before + (units - before) * (midnight_s - before_s) // (at_s - before_s)
        amounts = np.where(crosses, reached, units) - from_index
        whole = np.where(self._at("flags") & _LONG_GAP != 0, _E, _M)
        qualities = np.where(crosses & (from_s <= self._edges_s[begin]), whole, _P)
        # What is stored already is not stored again: see `_Days`.
        changed = crosses | (units != before) | (before_s <= from_s) | (whole == _E)
        days = np.stack((meter_ids, numbers[begin], amounts, qualities), axis=1)
        plain.day_tables.append(days[changed])
        further = crosses & (at_s > midnight_s)
        days = np.stack((meter_ids, numbers[end], units - reached, np.full_like(units, _P)), axis=1)
        plain.day_tables.append(days[further])
        after[:, _PLACE["day_from"]] = np.where(crosses, midnight_s, from_s)
        after[:, _PLACE["day_index"]] = np.where(crosses, reached, from_index)
        return begin, end

    def _look_at(
        self,
        plain: Plain,
        rows: _Integers,
        after: _Integers,
        begin: _Integers,
        end: _Integers,
        compared: Collection[int],
    ) -> None:
        """Note the meters that are looked at more closely; the states of all others are as they will be."""
        flags, at_s = after[:, _PLACE["flags"]], self._of[:, _AT]
        is_asked = (at_s - after[:, _PLACE["quiet_at"]] >= UNQUIET_AFTER_S) | (flags & _LEAK != 0)
        unquiet = is_asked & self._is_water
        was_fast = (after[:, _PLACE["fast_at"]] > at_s - BURST_WINDOW_S) & self._is_water
        conditions = (flags & _CONDITION != 0) | was_fast
        whole = end > begin
        touches = unquiet | whole
        if compared:
            touches |= np.isin(self._of[:, _DWELLING], np.fromiter(compared, np.int64))
        for place in np.flatnonzero(touches).tolist():
            meter = self.reports[place].meter
            days = plain.touch(meter, self._days[begin[place]].day, self._days[end[place]].day)
            if unquiet[place]:
                plain.unquiet[meter] = days
            if whole[place]:
                plain.whole_days[meter] = days
        for place in np.flatnonzero(conditions).tolist():
            plain.conditions.append((self.reports[place].meter, ReadingRow(*rows[place].tolist())))
        looked_at = unquiet | conditions
        for place in np.flatnonzero(looked_at).tolist():
            plain.states[self.reports[place].meter] = MeterState(*after[place].tolist())
        plain.quiet.append(after[~looked_at])

    @property
    def meter_ids(self) -> list[int]:
        """The meters of the reports."""
        found: list[int] = self._of[:, _ID].tolist()
        return found

    @property
    def digests(self) -> list[int]:
        """The digests of the reports' telegrams."""
        found: list[int] = self._of[:, _DIGEST].tolist()
        return found

    @property
    def operator_code(self) -> str:
        """Whose meters they are."""
        return self._operator


def steps_of(reports: Sequence[Reported], states: MeterStates, *, latest_s: int, now_s: int) -> list[Steps]:
    """Reports, one a meter, by fluid, operator and zone.

    Args:
        reports: of meters that have a state.
        states: of the meters, locked.
        latest_s: readings of a later moment are refused, epoch seconds.
        now_s: the moment of reception, epoch seconds.
    """
    groups: dict[str, list[Reported]] = {}
    for report in reports:
        groups.setdefault(report.meter.alike, []).append(report)
    return [Steps(group, states, latest_s=latest_s, now_s=now_s) for group in groups.values()]


@lru_cache(maxsize=64)
def _days_between(zone: ZoneInfo, first: int, last: int) -> tuple[CivilDay, ...]:
    """The civil days of these numbers (`date.toordinal`)."""
    return tuple(civil_day(zone, number) for number in range(first, last + 1))


def _days_from(zone: ZoneInfo, first_s: int, last_s: int) -> tuple[CivilDay, ...]:
    return _days_between(zone, day_of(first_s, zone).toordinal(), day_of(last_s, zone).toordinal())
