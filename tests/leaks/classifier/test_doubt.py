"""What a register leaves in doubt raises no alert, raises no level, and keeps none open."""

import numpy as np
import pytest

from core.leaks.classifier.classify import Readings, classify

H = 3600
START_S = 1_740_787_200


def hourly(amounts, *, step):
    """The readings of a register that counts by steps, one an hour."""
    index = np.concatenate(([0.0], np.cumsum(amounts))) + step / 2
    shown = (index // step * step).astype(int)
    return Readings.of(START_S + np.arange(len(index)) * H, shown)


def runs_of(amounts, *, step):
    (runs,) = classify([hourly(np.asarray(amounts, float), step=step)], step_litres=step)
    return runs


QUIET = [0] * 24


@pytest.mark.parametrize("busy_h", [48, 66])
def test_short_pauses_of_a_coarse_register_are_no_leak(busy_h):
    """Two and three days in which somebody draws every few hours, at 10 L: no window shows a flow alone."""
    assert not runs_of([*QUIET, *([0, 10, 60] * (busy_h // 3)), *QUIET], step=10)


def test_a_flow_that_fills_long_windows_is_a_leak_after_42_hours():
    """The same register, and a leak of 8.5 L/h between draws by day: it does not wait for a third night."""
    day = [8.5] * 8 + [8.5, 40, 8.5, 30] * 4
    (run,) = runs_of([*QUIET, *(day * 3)], step=10)
    assert run.detected_s - START_S <= (24 + 46) * H


def test_busy_days_do_not_make_a_leak_larger():
    """11.8 L/h were measured; a week without a quiet hour does not raise the level, a larger leak does."""
    measured, busy = [11.8] * 96, [12.4] * 24 * 8
    (run,) = runs_of([*QUIET, *measured, *busy], step=1)
    assert (run.level, run.level_max) == (2, 2)
    (run,) = runs_of([*QUIET, *measured, *[14.0] * 48], step=1)
    assert (run.level, run.level_max) == (3, 3)


def test_an_alert_does_not_outlive_the_leak_of_a_coarse_register():
    """A leak stops in a busy home, where pauses grow longer day by day: six hours without a step end it."""
    busy, calmer, usual = [0, 0, 30] * 16, [0, 0, 0, 0, 0, 30] * 8, [0, 0, 0, 0, 0, 0, 0, 30] * 12
    (run,) = runs_of([*QUIET, *[9.0] * 120, *busy, *calmer, *usual], step=10)
    assert run.until_s is not None


@pytest.mark.parametrize(("flow_lph", "days", "found"), [(6, 8, False), (6, 14, True), (10, 8, True)])
def test_a_slight_leak_among_rare_readings_takes_ten_days(flow_lph, days, found):
    """A busy week looks like a leak of level 1 to a meter read every six hours, and like no larger one."""
    home = [3, 45, 60, 50]
    litres = home * 20 + [amount + 6 * flow_lph for amount in home] * days
    index = np.cumsum([1000, *litres])
    readings = Readings.of(START_S + np.arange(len(index)) * 6 * H, index)
    (runs,) = classify([readings], step_litres=1)
    assert bool(runs) is found
