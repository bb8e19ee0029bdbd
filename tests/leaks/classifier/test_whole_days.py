"""Leak and demand weighed together by whole days, and both opinions on what rare readings show."""

import numpy as np
import pytest

from core.leaks.classifier import whole_days
from core.leaks.classifier.classify import Readings, classify
from core.leaks.classifier.state import DAYS

DAY = 24 * 3600
START_S = 1_740_787_200


def odds_of(litres, *, step=1):
    """The log odds of a leak of 4 L/h or more after these days."""
    days = np.full((DAYS, 1), whole_days.UNKNOWN)
    days[: len(litres), 0] = np.asarray(litres, float)[::-1] // step * step
    return float(whole_days.log_odds(days, step, 4.0)[0])


def home(days, seed):
    return 200 * np.random.default_rng(seed).lognormal(0, 0.35, days)


@pytest.mark.parametrize("step", [1, 10])
@pytest.mark.parametrize("seed", range(4))
def test_a_leak_is_distinguished_from_demand_after_a_week(seed, step):
    """200 L a day, then 25 L/h more for eight days: over 20 to 1; without it under 1 to 4."""
    litres = home(28, seed)
    assert odds_of(litres, step=step) < -1.4
    litres[20:] += 24 * 25
    assert odds_of(litres, step=step) > 3


def test_a_day_with_less_than_the_flow_ends_the_belief():
    """After eight days of a leak one day of 40 L proves that it is over."""
    litres = home(29, 1)
    litres[20:28] += 24 * 25
    litres[28] = 40
    assert odds_of(litres[:28]) > 3
    assert odds_of(litres) < -2


def test_a_first_leak_is_not_learned_as_demand():
    """Five days at 25 L/h, ten without, and the leak is back: six days show it again."""
    litres = home(41, 2)
    litres[20:25] += 24 * 25
    litres[35:] += 24 * 25
    assert odds_of(litres) > 3


@pytest.mark.parametrize("seed", range(4))
def test_much_the_same_each_day_is_a_habit(seed):
    """450 L on each of forty days, give or take a seventh, from the first on: no leak."""
    assert odds_of(450 * np.random.default_rng(seed).lognormal(0, 0.14, 40)) < 0


def test_days_that_are_not_known_neither_prove_nor_disprove():
    """The same days with gaps between them leave the same odds."""
    litres = home(28, 3)
    litres[20:] += 24 * 25
    with_gaps = np.insert(litres, [3, 12, 22], whole_days.UNKNOWN)
    assert odds_of(with_gaps) == pytest.approx(odds_of(litres), abs=1e-3)


@pytest.mark.parametrize("lph", [18, 25])
def test_a_short_leak_is_found_by_daily_readings(lph):
    """A fortnight of 200 L a day, then six days with a leak: reported before it ends, from daily readings."""
    litres = home(30, 5)
    litres[14:20] += 24 * lph
    index = np.cumsum(np.concatenate(([1000.0], litres))).astype(int)
    (runs,) = classify([Readings.of(START_S + np.arange(len(index)) * DAY, index)], step_litres=1)
    assert [run.detected_s <= START_S + 20 * DAY for run in runs] == [True]


def test_busy_nights_of_usual_days_are_no_leak_at_10_litres():
    """The night's draws move into every quarter for ten days while the days' litres remain: no alert."""
    chance = np.random.default_rng(9)
    usual, even = np.tile([5.0, 90.0, 110.0, 95.0], 30), np.tile([75.0] * 4, 10)
    litres = np.concatenate((usual, even)) * chance.lognormal(0, 0.3, 160)
    index = np.cumsum(np.concatenate(([1000.0], litres))) // 10 * 10
    readings = Readings.of(START_S + np.arange(len(index)) * 6 * 3600, index.astype(int))
    (runs,) = classify([readings], step_litres=10)
    assert runs == []
