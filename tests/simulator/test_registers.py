"""Registers: what a meter's index is at any second."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from submeter.simulator.fleet import sappel
from submeter.simulator.habits import HOUR_S, clock_hours, cold_water, day_start_s
from submeter.simulator.registers import DAY_S, Register, swap_s
from submeter.simulator.values import DemoMeter, ExtraFlow, Fluid

PARIS = ZoneInfo("Europe/Paris")
HABIT = cold_water("AA000/1", 2)
FIRST, END = date(2026, 3, 25), date(2026, 4, 4)


def _meter(installed_on: date = date(2024, 1, 1)) -> DemoMeter:
    return sappel(Fluid.COLD_WATER, "H18CA029620", installed_on)


def _register(meter: DemoMeter) -> Register:
    return Register(meter, HABIT, first=FIRST, end=END, zone=PARIS)


def test_a_register_never_falls_from_before_installation_to_the_windows_end():
    """Whatever the time step, the index never falls."""
    register = _register(_meter())
    seconds = range(register.installed_s - DAY_S, day_start_s(END, PARIS), 1_237 * 7)
    values = [register.index_at(second) for second in seconds]
    assert values == sorted(values)
    assert values[0] == 0


def test_the_straight_line_meets_the_window():
    """At the window's first second both descriptions agree."""
    register = _register(_meter())
    before, after = (register.index_at(register.known_s + shift) for shift in (-1, 0))
    assert 0 <= after - before <= 1


def test_a_civil_days_climb_is_the_days_habit():
    """From midnight to midnight the register climbs by the day's hours, 23 of them on 29 March."""
    register = _register(_meter())
    for offset in range(9):
        day = FIRST + timedelta(days=offset)
        start, end = (register.index_at(day_start_s(at, PARIS)) for at in (day, day + timedelta(days=1)))
        assert end - start == sum(HABIT.hours(day, clock_hours(day, PARIS)))


def test_a_meter_installed_inside_the_window_starts_at_zero():
    """A new meter's index is zero at the swap and counts from there."""
    installed = date(2026, 3, 28)
    register = _register(_meter(installed))
    old = _register(_meter())
    swap = swap_s(installed, PARIS)
    assert datetime.fromtimestamp(swap, PARIS).hour == 10
    assert register.index_at(swap - HOUR_S) == register.index_at(swap) == 0
    later = swap + 40 * HOUR_S
    assert register.index_at(later) == old.index_at(later) - old.index_at(swap)


@pytest.mark.parametrize("litres", [6, 10, 16])
def test_a_leak_adds_its_litres_to_each_hour_while_it_runs(litres: int):
    """While it runs every hour climbs by leak and habit, before and after by the habit alone."""
    starts_at = datetime(2026, 3, 27, 2, tzinfo=UTC)
    ends_at = starts_at + timedelta(days=3)
    dry = _register(_meter())
    leaking = _register(replace(_meter(), extra_flows=(ExtraFlow(starts_at, ends_at, litres),)))
    for hour in range(dry.known_s, day_start_s(END, PARIS) - HOUR_S, HOUR_S):
        runs = starts_at.timestamp() <= hour < ends_at.timestamp()
        climbs = [register.index_at(hour + HOUR_S) - register.index_at(hour) for register in (dry, leaking)]
        assert climbs[1] - climbs[0] == (litres if runs else 0)
