"""The lines that the gateways of the two residences write.

In: the plan. Out: its lines in time order, each with its true index. The one rule: a meter has a constant
delay after the hour and after midnight, as a meter's clock does. Daily telegrams run
up to `hourly_start`, hourly ones from there to the anchor; `fresh_lines` goes on behind it.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from submeter.simulator.habits import HOUR_S, day_start_s
from submeter.simulator.plan import DemoPlan
from submeter.simulator.registers import Register, habit_of, swap_s
from submeter.simulator.senders import Sender
from submeter.simulator.values import DemoDwelling, DemoMeter, DemoResidence, GatewayFormat, Layout

_DAILY_AT_S = 300  # 00:05
_DAILY_JITTER_S = 1200
_HOURLY_JITTER_S = 180
_SWAP_READING_S = (
    60  # the fitter's tool reads the old meter a minute before the swap, the new one a minute after
)


@dataclass(frozen=True, slots=True)
class DemoLine:
    """A gateway line and its true index.

    `meter_address` is the `DemoMeter.address` of the sender; `index` the index in the telegram,
    in litres or watt-hours, floored to the meter's step.
    """

    text: str
    meter_address: str
    sent_at: datetime
    index: int


@dataclass(frozen=True, slots=True)
class _Timetable:
    """When a meter sends: the seconds of the history, and its delay after the hour from then on."""

    residence: DemoResidence
    dwelling: DemoDwelling
    meter: DemoMeter
    zone: ZoneInfo
    history: tuple[int, ...]
    phase_s: int


def count_history_lines(plan: DemoPlan) -> int:
    """The number of lines of `history_lines`."""
    return sum(len(timetable.history) for timetable in _timetables(plan))


def history_lines(plan: DemoPlan) -> Iterator[DemoLine]:
    """Every line up to the anchor, in time order."""
    timetables = list(_timetables(plan))
    return _lines(
        plan, timetables, [timetable.history for timetable in timetables], first=[0] * len(timetables)
    )


def fresh_lines(plan: DemoPlan, hours: int = 3) -> Iterator[DemoLine]:
    """The hourly lines of the `hours` after the anchor, in time order; counters continue from the history.

    ValueError beyond 24 hours.
    """
    if not 0 <= hours <= 24:
        raise ValueError("fresh lines are limited to a day after the anchor")
    timetables = [timetable for timetable in _timetables(plan) if timetable.meter.removed_on is None]
    anchor_s = int(plan.anchor.timestamp())
    coming = [
        [anchor_s + hour * HOUR_S + timetable.phase_s for hour in range(hours)] for timetable in timetables
    ]
    return _lines(plan, timetables, coming, first=[len(timetable.history) for timetable in timetables])


def _lines(
    plan: DemoPlan,
    timetables: Sequence[_Timetable],
    seconds: Sequence[Sequence[int]],
    *,
    first: Sequence[int],
) -> Iterator[DemoLine]:
    """Lines at `seconds` (one sequence a meter), merged in time; `first` is each meter's next number."""
    start, end = plan.history_start, plan.anchor + timedelta(days=2)
    senders = [_sender(timetable, start, end) for timetable in timetables]
    writers = [_Writer(timetable) for timetable in timetables]
    numbers = list(first)
    for second, place in sorted((second, place) for place, own in enumerate(seconds) for second in own):
        sequence = numbers[place]
        numbers[place] += 1
        telegram, index = senders[place].telegram(second, sequence)
        sent_at = datetime.fromtimestamp(second, UTC)
        text = writers[place].line(telegram, sent_at, sequence)
        yield DemoLine(text, timetables[place].meter.address, sent_at, index)


def _sender(timetable: _Timetable, start: datetime, end: datetime) -> Sender:
    zone, meter = timetable.zone, timetable.meter
    habit = habit_of(timetable.residence, timetable.dwelling, meter)
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    return Sender(meter, Register(meter, habit, first=first, end=last, zone=zone), zone)


def _timetables(plan: DemoPlan) -> Iterator[_Timetable]:
    for residence in plan.residences:
        zone = ZoneInfo(residence.timezone)
        for dwelling in residence.dwellings:
            for meter in dwelling.meters:
                chance = random.Random(f"{meter.address}/clock")
                daily_s = _DAILY_AT_S + chance.randint(0, _DAILY_JITTER_S)
                phase_s = chance.randint(1, _HOURLY_JITTER_S)
                history = tuple(_history(plan, dwelling, meter, zone, daily_s=daily_s, phase_s=phase_s))
                yield _Timetable(residence, dwelling, meter, zone, history, phase_s)


def _history(
    plan: DemoPlan, dwelling: DemoDwelling, meter: DemoMeter, zone: ZoneInfo, *, daily_s: int, phase_s: int
) -> Iterator[int]:
    """The seconds at which a meter in service sends up to the anchor, without a week that has no data."""
    opens_s, closes_s, anchor_s = (
        int(moment.timestamp()) for moment in (plan.history_start, plan.hourly_start, plan.anchor)
    )
    in_s = swap_s(meter.installed_on, zone)
    out_s = swap_s(meter.removed_on, zone) if meter.removed_on else anchor_s + 1
    seconds = [day_start_s(day, zone) + daily_s for day in _days(plan, zone)]
    seconds = [second for second in seconds if second < closes_s]
    seconds += [hour + phase_s for hour in range(closes_s, anchor_s, HOUR_S)]
    if opens_s <= in_s:
        seconds.append(in_s + _SWAP_READING_S)
    if opens_s < out_s <= anchor_s:
        seconds.append(out_s - _SWAP_READING_S)
    quiet = range(0)
    if dwelling.no_data:
        quiet = range(day_start_s(dwelling.no_data.first, zone), day_start_s(dwelling.no_data.end, zone))
    return (second for second in sorted(seconds) if in_s <= second < out_s and second not in quiet)


def _days(plan: DemoPlan, zone: ZoneInfo) -> Iterator[date]:
    """The civil days from the history's start to the first hourly one."""
    first, last = (moment.astimezone(zone).date() for moment in (plan.history_start, plan.hourly_start))
    return (date.fromordinal(ordinal) for ordinal in range(first.toordinal(), last.toordinal() + 1))


class _Writer:
    """Formats one meter's telegrams as its gateway does."""

    __slots__ = ("_gateway", "_identification", "_mode", "_strength")

    def __init__(self, timetable: _Timetable) -> None:
        self._gateway = timetable.residence.gateway
        self._identification = timetable.meter.address.split("-")[1]
        self._mode = "C1" if timetable.meter.layout is Layout.KAMSTRUP_HEAT else "T1"
        self._strength = random.Random(f"{timetable.meter.address}/radio").randint(55, 92)

    def line(self, telegram: bytes, sent_at: datetime, sequence: int) -> str:
        """The line: rtl_wmbus CSV (whose strength is a bare positive figure) or a JSON object (dBm)."""
        strength = self._strength + sequence * 7 % 5
        if self._gateway is GatewayFormat.RTL_WMBUS:
            head = f"{self._mode};1;1;{sent_at:%Y-%m-%d %H:%M:%S}.000;{strength};{strength + 40}"
            return f"{head};{self._identification};0x{telegram.hex()}"
        return (
            f'{{"telegram": "{telegram.hex().upper()}", '
            f'"received_at": "{sent_at:%Y-%m-%dT%H:%M:%SZ}", "rssi_dbm": {-strength}}}'
        )
