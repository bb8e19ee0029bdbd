"""The registers of the demo: the index of a meter at any second.

In: a meter, its dwelling's habits and a window of days. Out: a `Register`. The one rule: a register never
falls. Within the window it climbs by whole units an hour, evenly inside the hour; before the window it
is a straight line from zero at the installation.
"""

from array import array
from datetime import date
from itertools import accumulate
from zoneinfo import ZoneInfo

from submeter.simulator.habits import HOUR_S, Habit, clock_hours, cold_water, day_start_s, heating, hot_water
from submeter.simulator.values import SWAP_HOUR, DemoDwelling, DemoMeter, DemoResidence, ExtraFlow, Fluid

DAY_S = 24 * HOUR_S


class Register:
    """One meter's register over a window of civil days, `first` up to, not including, `end`."""

    __slots__ = ("_at_hour", "_mean_per_day", "installed_s", "known_s")

    def __init__(self, meter: DemoMeter, habit: Habit, *, first: date, end: date, zone: ZoneInfo) -> None:
        self.installed_s = swap_s(meter.installed_on, zone)
        self._mean_per_day = habit.mean_per_day
        window_s = day_start_s(first, zone)
        self.known_s = max(window_s, self.installed_s)
        amounts = _hourly_amounts(meter, habit, first=first, end=end, zone=zone)
        unborn = (self.known_s - window_s) // HOUR_S
        at_start = (self.known_s - self.installed_s) * self._mean_per_day // DAY_S
        self._at_hour = array("q", accumulate(amounts[unborn:], initial=at_start))

    def index_at(self, second: int) -> int:
        """The index at an epoch second, in litres or watt-hours; zero before the installation."""
        if second < self.known_s:
            return max(0, second - self.installed_s) * self._mean_per_day // DAY_S
        hour, past = divmod(second - self.known_s, HOUR_S)
        if not past:
            return self._at_hour[hour]
        before = self._at_hour[hour]
        return before + (self._at_hour[hour + 1] - before) * past // HOUR_S


def swap_s(day: date, zone: ZoneInfo) -> int:
    """The second at which a meter is replaced on `day`."""
    hours = clock_hours(day, zone)
    return day_start_s(day, zone) + hours.index(SWAP_HOUR) * HOUR_S


def habit_of(residence: DemoResidence, dwelling: DemoDwelling, meter: DemoMeter) -> Habit:
    """The habit behind a meter; a meter and its successor share it."""
    home = f"{residence.site_code}/{dwelling.lot}"
    match meter.fluid:
        case Fluid.COLD_WATER:
            return cold_water(home, dwelling.persons)
        case Fluid.HOT_WATER:
            return hot_water(home, dwelling.persons)
        case Fluid.HEAT:
            return heating(home, dwelling.surface_m2)


def _hourly_amounts(meter: DemoMeter, habit: Habit, *, first: date, end: date, zone: ZoneInfo) -> list[int]:
    """Amounts of all UTC hours of the window: the habit, and the meter's extra flows on top."""
    amounts: list[int] = []
    for ordinal in range(first.toordinal(), end.toordinal()):
        day = date.fromordinal(ordinal)
        hours = clock_hours(day, zone)
        today = habit.hours(day, hours)
        for flow in meter.extra_flows:
            _pour(flow, today, hours, day_start_s(day, zone))
        amounts += today
    return amounts


def _pour(flow: ExtraFlow, amounts: list[int], local_hours: tuple[int, ...], start_s: int) -> None:
    """Add a flow to the hours of one day in which it runs."""
    opens_s = flow.starts_at.timestamp()
    closes_s = flow.ends_at.timestamp() if flow.ends_at else float("inf")
    for place, local_hour in enumerate(local_hours):
        if opens_s <= start_s + place * HOUR_S < closes_s and local_hour in flow.local_hours:
            amounts[place] += flow.litres_per_hour
