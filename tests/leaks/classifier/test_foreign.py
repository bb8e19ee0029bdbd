"""Leaks as other generators and other homes make them: flows that breathe, empty flats, exchanges."""

import numpy as np
import pytest

from core.leaks.classifier.classify import Readings, classify
from core.leaks.classifier.tracker import Change

H = 3600
DAY = 24 * H
START_S = 1_740_787_200


def read(litres, *, every_s=H, step=1, start_s=START_S):
    """Readings of a register that counts by steps, one an interval."""
    index = 1000.4 + np.concatenate(([0.0], np.cumsum(np.asarray(litres, float))))
    return Readings.of(start_s + np.arange(len(index)) * every_s, (index // step * step).astype(int))


def runs_of(readings, *, step=1):
    (runs,) = classify([readings], step_litres=step)
    return runs


@pytest.mark.parametrize("share", [0.07, 0.1])
@pytest.mark.parametrize("lph", [150, 200, 300])
@pytest.mark.parametrize(("step", "within_h"), [(1, 30), (10, 48)])
def test_a_large_leak_that_breathes_is_found_in_an_empty_flat(lph, share, step, within_h):
    """150-300 L/h +-7-10 % with the pressure of the network: level 3 after a day (42 h at 10 L), and its loss
    to within 5 %.
    """
    hours = np.arange(24 * 18)
    chance = np.random.default_rng(lph)
    breath = share * (0.6 * np.cos(hours * 2 * np.pi / 24) + 0.4 * chance.uniform(-1, 1, len(hours)))
    flow = lph * (1 + breath)
    (run,) = runs_of(read([0] * 48 + list(flow), step=step), step=step)
    assert run.detected_s - (START_S + 48 * H) <= within_h * H
    assert (run.level, run.until_s) == (3, None)
    assert run.lost_litres == pytest.approx(flow.sum(), rel=0.05)


@pytest.mark.parametrize("lph", [12, 15, 20, 24, 30, 40, 47, 60, 75, 88, 100, 120])
@pytest.mark.parametrize("step", [1, 10])
def test_any_constant_leak_of_an_empty_flat_is_found_by_daily_readings(lph, step):
    """A dry fortnight, then a constant flow of 12 to 120 L/h, whatever its rate: found within two weeks, at
    level 3 (12 L/h itself lies on the border, which whole days cannot tell from 11.9).
    """
    (run, *_) = runs_of(read([0] * 14 + [24 * lph] * 20, every_s=DAY, step=step), step=step)
    assert run.detected_s - (START_S + 14 * DAY) <= 14 * DAY
    assert run.level == (3 if lph > 12 else 2)
    assert run.until_s is None


@pytest.mark.parametrize("gap_h", [1, 4, 10, 30])
def test_an_exchange_with_hours_without_data_is_one_leak(gap_h):
    """The old register ends, nothing is received for hours, the new one shows the leak at once: one run."""
    old = read([0] * 48 + [9] * 60)
    new = read([9] * 80, start_s=int(old.at_s[-1]) + gap_h * H)
    serial = np.concatenate((np.zeros(len(old.at_s), int), np.ones(len(new.at_s), int)))
    both = Readings(np.concatenate((old.at_s, new.at_s)), np.concatenate((old.litres, new.litres)), serial)
    (run,) = runs_of(both)
    assert [one.change for one in run.changes] == [Change.OPENED, Change.REPLACED, Change.OPENED]
    assert run.until_s is None


def test_a_leak_that_began_days_after_an_exchange_is_another():
    """The new register stood still for two days first: the second leak is a run of its own."""
    old = read([0] * 48 + [9] * 60)
    new = read([0] * 48 + [9] * 80, start_s=int(old.at_s[-1]) + 10 * H)
    serial = np.concatenate((np.zeros(len(old.at_s), int), np.ones(len(new.at_s), int)))
    both = Readings(np.concatenate((old.at_s, new.at_s)), np.concatenate((old.litres, new.litres)), serial)
    assert len(runs_of(both)) == 2


def home_days(chance, days):
    return 170 * chance.lognormal(0, 0.4, days)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("lph", [15, 25, 40])
def test_the_end_of_a_leak_is_known_in_bounded_time_by_daily_readings(seed, lph):
    """A home of 170 L a day whose leak stops: its end is known within two weeks, dated to within four days,
    and with how sure it is.
    """
    chance = np.random.default_rng(seed)
    litres = home_days(chance, 80)
    litres[25:50] += 24 * lph
    runs = runs_of(read(litres, every_s=DAY))
    ended = [run for run in runs if run.since_s < START_S + 50 * DAY]
    closing = ended[-1].changes[-1]
    assert closing.change is Change.CLOSED
    assert closing.at_s - (START_S + 50 * DAY) <= 14 * DAY
    assert abs(closing.from_s - (START_S + 50 * DAY)) <= 4 * DAY
    assert 0 < closing.certainty <= 1
    assert 0.85 <= ended[-1].changes[0].certainty <= 1


def test_a_leak_that_demand_alone_explains_for_a_week_has_ended():
    """A small leak stops while guests draw more than before: a week after it was last believed in, it is
    over, within 25 days of its end.
    """
    chance = np.random.default_rng(4)
    litres = home_days(chance, 90)
    litres[25:45] += 24 * 14
    litres[45:] += 190 * chance.lognormal(0, 0.5, 45)
    runs = runs_of(read(litres, every_s=DAY))
    closing = runs[0].changes[-1]
    assert closing.change is Change.CLOSED
    assert closing.at_s <= START_S + (45 + 25) * DAY


def test_a_home_that_is_often_awake_is_asked_for_longer_and_not_forever():
    """Every third day passes without a quiet hour, six litres in most: no alert; and a leak in it is
    reported within four days.
    """
    calm = [0] * 7 + [9, 40, 15, 0, 22, 9, 31, 0, 12, 9, 44, 15, 30, 60, 22, 9, 6]
    awake = [6, 7, 6, 9, 6, 7, 6, 9, 40, 15, 6, 22, 9, 31, 6, 12, 9, 44, 15, 30, 60, 22, 9, 6]
    litres = (calm + calm + awake) * 16
    late = runs_of(read(litres))
    assert [run for run in late if run.detected_s > START_S + 10 * DAY] == []
    leaking = np.array(litres, float)
    leaking[24 * 30 :] += 9
    (run,) = [run for run in runs_of(read(leaking)) if run.detected_s > START_S + 30 * DAY]
    assert run.detected_s - (START_S + 30 * DAY) <= 4 * DAY


def test_ten_equal_days_of_a_dwelling_that_is_not_known_are_no_leak():
    """450 L on each of twenty days, and nothing known from before: a habit as well as a leak, so no alert."""
    assert runs_of(read([450] * 21, every_s=DAY)) == []


def test_a_missing_reading_among_six_hourly_ones_raises_nothing():
    """A large family read four times a day, and one reading lost: twelve hours are no day, and no leak."""
    chance = np.random.default_rng(6)
    usual = np.tile([12, 230, 190, 260], 14)
    readings = read(usual * chance.lognormal(0, 0.35, len(usual)), every_s=6 * H)
    for lost in range(20, 50):
        kept = np.arange(len(readings.at_s)) != lost
        assert runs_of(Readings(*(part[kept] for part in readings))) == []
