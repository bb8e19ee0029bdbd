"""A meter on air: which telegram it sends at a given second.

In: a meter, its register and the number of the telegram in the meter's sequence. Out: the bytes and the index
they contain. The one rule: access number, message counter and session number increase with the sequence or
with time, so no meter repeats one.
"""

import random
from datetime import UTC, date, datetime, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

from submeter.simulator import layouts, prios
from submeter.simulator.encryption import CI_COMPACT, CI_FULL, ell_ctr, mode5, mode7
from submeter.simulator.habits import HOUR_S, day_start_s
from submeter.simulator.records import compact, full
from submeter.simulator.registers import DAY_S, Register
from submeter.simulator.values import DemoMeter, Layout

FULL_FRAME_EVERY = 8  # Kamstrup: the frames between carry no headers
_SESSION_EPOCH_S = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())
_WINTER_TIME = timezone(timedelta(hours=1))  # a meter's clock is never changed
_ITRON_PREFIX = 938_0000_0000  # type and year before the eight printed digits
_BATTERY_HALF_YEARS = 24


class Milestone(NamedTuple):
    """A register at the end of a period: the first day after it, and the index at that time."""

    first_day: date
    register: int


class Sender:
    """A meter that sends telegrams, with its register."""

    def __init__(self, meter: DemoMeter, register: Register, zone: ZoneInfo) -> None:
        self.meter = meter
        self._register = register
        self._zone = zone
        self._milestones: dict[date, Milestone] = {}
        chance = random.Random(f"{meter.address}/counters")
        self._first_access = chance.randrange(256)
        self._first_counter = chance.randrange(1000, 200_000)

    def telegram(self, second: int, sequence: int) -> tuple[bytes, int]:
        """The telegram sent at `second` as the meter's `sequence`-th, and the index it contains."""
        index = self._shown(second)
        return self._encrypted(second, index, sequence), index

    def _encrypted(self, second: int, index: int, sequence: int) -> bytes:
        match self.meter.layout:
            case Layout.PRIOS:
                return self._prios(second, index, sequence)
            case Layout.KAMSTRUP_HEAT:
                return self._kamstrup_heat(second, index, sequence)
            case Layout.ITRON_WATER:
                records = self._itron_water(second, index)
                return mode5(self.meter.wire_address, self._key, records, access=self._access(sequence))
            case Layout.ISTA_WATER:
                return self._mode7(self._ista_water(second, index), sequence)
            case Layout.ISTA_HEAT:
                return self._mode7(self._ista_heat(second, index), sequence)

    def _mode7(self, records: bytes, sequence: int) -> bytes:
        counter = self._first_counter + sequence
        access = self._access(sequence)
        return mode7(self.meter.wire_address, self._key, records, access=access, counter=counter)

    def _access(self, sequence: int) -> int:
        return (self._first_access + sequence) & 0xFF

    @property
    def _key(self) -> bytes:
        if self.meter.key is None:
            raise ValueError(f"{self.meter.address} has no key to encrypt with")
        return self.meter.key

    def _shown(self, second: int) -> int:
        """The register floored to what the meter counts."""
        step = self.meter.register_step
        return self._register.index_at(second) // step * step

    def _month_end(self, second: int) -> Milestone:
        return self._milestone(datetime.fromtimestamp(second, self._zone).date().replace(day=1))

    def _year_end(self, second: int) -> Milestone:
        return self._milestone(datetime.fromtimestamp(second, self._zone).date().replace(month=1, day=1))

    def _milestone(self, first_day: date) -> Milestone:
        known = self._milestones.get(first_day)
        if known is None:
            known = Milestone(first_day, self._shown(day_start_s(first_day, self._zone)))
            self._milestones[first_day] = known
        return known

    def _prios(self, second: int, index: int, sequence: int) -> bytes:
        month = self._month_end(second)
        leaks = [flow for flow in self.meter.extra_flows if flow.is_leak]
        moment = datetime.fromtimestamp(second, UTC)
        day_ago = moment - timedelta(seconds=DAY_S)
        state = prios.PriosState(
            litres=index,
            month_end_litres=month.register,
            month_end=layouts.last_day_before(month.first_day),
            battery_half_years=_BATTERY_HALF_YEARS,
            rolling=sequence % 8,
            leak_now=any(
                flow.starts_at <= day_ago and (flow.ends_at is None or moment < flow.ends_at)
                for flow in leaks
            ),
            leak_before=any(flow.ends_at is not None and flow.ends_at <= moment for flow in leaks),
        )
        return prios.encrypt(self.meter.wire_address, state)

    def _kamstrup_heat(self, second: int, index: int, sequence: int) -> bytes:
        month = self._month_end(second)
        records = layouts.kamstrup_heat(
            wh=index,
            last_hour_wh=self._register.index_at(second) - self._register.index_at(second - HOUR_S),
            today=datetime.fromtimestamp(second, self._zone).date(),
            target_wh=month.register,
            target_day=month.first_day,
        )
        if sequence % FULL_FRAME_EVERY:
            apl = bytes((CI_COMPACT,)) + compact(records)
        else:
            apl = bytes((CI_FULL,)) + full(records)
        session = (second - _SESSION_EPOCH_S) // 60
        return ell_ctr(
            self.meter.wire_address, self._key, apl, access=self._access(sequence), session=session
        )

    def _itron_water(self, second: int, index: int) -> bytes:
        year = self._year_end(second)
        return full(
            layouts.itron_water(
                litres=index,
                clock=datetime.fromtimestamp(second, _WINTER_TIME),
                year_end_litres=year.register,
                year_end=layouts.last_day_before(year.first_day),
                enhanced_id=_ITRON_PREFIX + int(self.meter.printed_serial),
            )
        )

    def _ista_water(self, second: int, index: int) -> bytes:
        month = self._month_end(second)
        month_end = layouts.last_day_before(month.first_day)
        return full(layouts.ista_water(litres=index, month_end_litres=month.register, month_end=month_end))

    def _ista_heat(self, second: int, index: int) -> bytes:
        month, year = self._month_end(second), self._year_end(second)
        lived = day_start_s(year.first_day, self._zone) > self._register.installed_s
        return full(
            layouts.ista_heat(
                wh=index,
                year_end_wh=year.register,
                year_end=layouts.last_day_before(year.first_day) if lived else None,
                month_end_wh=month.register,
                month_end=layouts.last_day_before(month.first_day),
            )
        )
