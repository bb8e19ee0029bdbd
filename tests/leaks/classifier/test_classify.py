"""The classifier of index readings, from steady drips to registers that roll over."""

import numpy as np
import pytest

from core.leaks.classifier.classify import Classifier, Readings, classify
from core.leaks.classifier.resolution import lowest_measurable_lph, resolution_of
from core.leaks.classifier.tracker import Change, Rule
from core.leaks.classifier.verdict import Finding, verdicts_of
from core.leaks.levels import Thresholds

H = 3600
DAY = 24 * H
START_S = 1_740_787_200
"""2025-03-01T00:00Z."""


def metered(flows, *, step_s=H, first=123_456, step_litres=1, start_s=START_S):
    """Readings of a register that counts these flows, one an interval, in L/h."""
    volume = first + 0.37 + np.concatenate(([0.0], np.cumsum(np.asarray(flows, float) * step_s / H)))
    shown = np.floor(volume / step_litres + 1e-9) * step_litres
    times = start_s + np.arange(len(volume)) * step_s
    return Readings.of(times, shown.astype(np.int64))


def only(readings, **settings):
    (runs,) = classify([readings], **({"step_litres": 1} | settings))
    return runs


def verdict(readings, *, step_litres=1):
    classifier = Classifier(1, step_litres=step_litres)
    classifier.update([readings.ordered()])
    return verdicts_of(classifier.state, classifier.resolution)[0]


QUIET = [0.0] * 48


@pytest.mark.requirement("R-092", "R-094", "R-095", "R-096", "C-26")
@pytest.mark.parametrize(
    ("flow", "level", "over_range"),
    [
        (3.99, None, False),
        (4, 1, False),
        (7.99, 1, False),
        (8, 2, False),
        (11.99, 2, False),
        (12, 3, False),
        (20, 3, False),
        (21, 3, True),
        (63, 3, True),
        (400, 3, True),
    ],
)
def test_a_steady_flow_has_its_level(flow, level, over_range):
    """Thresholds belong to the level above, a flow just under one does not, and extreme flows are kept."""
    runs = only(metered([*QUIET, *[flow] * 96]))
    assert [(run.level, run.over_range) for run in runs] == ([(level, over_range)] if level else [])


def test_a_leak_is_dated_back_and_its_loss_counted_from_its_start():
    """A leak is detected after a day, with the hour it began and all that it lost."""
    (run,) = only(metered([*QUIET, *[6] * 72]))
    start_s = START_S + 48 * H
    assert (run.since_s, run.detected_s, run.until_s) == (start_s, start_s + DAY, None)
    assert run.lost_litres == pytest.approx(6 * 72, rel=0.01)
    assert run.mean_flow_lph == pytest.approx(6, rel=0.01)
    (opening,) = run.changes
    assert (opening.change, opening.rule, opening.observed_h) == (Change.OPENED, Rule.BOUNDS, 24)
    assert opening.bound_lph == pytest.approx(6, abs=0.1)
    assert opening.intervals == 24


@pytest.mark.requirement("R-092")
def test_one_quiet_hour_a_day_is_no_leak():
    """Water runs in every hour but one: that hour is the proof that nothing leaks."""
    day = [9.0] * 13 + [0.0] + [9.0] * 10
    readings = metered(day * 6)
    assert only(readings) == []
    found = verdict(readings)
    assert (found.finding, found.level, found.flow_lph) == (Finding.NO_LEAK, 0, None)
    assert found.bound_lph == 1.0


def test_busy_hours_without_a_floor_are_no_leak():
    """A night of guests draws in each hour, and in no two the same: no common flow, no alert."""
    guests = np.random.default_rng(2).uniform(20, 120, 30)
    flows = [*QUIET, *guests, *QUIET]
    assert only(metered(flows)) == []


def test_a_leak_that_grows_rises_at_once_and_one_that_shrinks_falls_after_a_day():
    """A level is reached when a day's minimum proves it; a lower one only when it lasts."""
    (run,) = only(metered([*QUIET, *[5] * 48, *[9] * 48, *[14] * 96, *[9] * 120]))
    assert [(one.change, one.level) for one in run.changes] == [
        (Change.OPENED, 1),
        (Change.LEVEL_UP, 2),
        (Change.LEVEL_UP, 3),
        (Change.LEVEL_DOWN, 2),
    ]
    opened, second, third, fell = (one.at_s for one in run.changes)
    assert [second - opened, third - second] == [48 * H, 48 * H]
    assert fell - (START_S + (48 + 48 + 48 + 96) * H) >= DAY
    assert (run.level_at_opening, run.level, run.level_max) == (1, 2, 3)
    assert run.lost_litres == pytest.approx(5 * 48 + 9 * 48 + 14 * 96 + 9 * 120, rel=0.05)


def test_a_leak_ends_with_the_first_proof_of_it():
    """An hour that carried less than half the flow ends the leak, dated to where that hour began."""
    (run,) = only(metered([*QUIET, *[6] * 60, *[0.0] * 30]))
    assert run.until_s == START_S + 108 * H
    assert run.changes[-1].change is Change.CLOSED
    assert run.lost_litres == pytest.approx(360, rel=0.01)


def test_a_leak_below_level_1_remains_open():
    """A leak that falls below 4 L/h is still that leak (hysteresis)."""
    (run,) = only(metered([*QUIET, *[6] * 48, *[3.5] * 72]))
    assert (run.until_s, run.level) == (None, 1)


@pytest.mark.parametrize("hours", [30, 90])
def test_missing_data_neither_ends_a_leak_nor_begins_one(hours):
    """Missing telegrams leave an open leak open, and count neither as quiet time nor as flow."""
    readings = metered([*QUIET, *[6] * 120])
    missing = slice(48 + 30, 48 + 30 + hours - 1)
    keep = np.ones(len(readings.at_s), bool)
    keep[missing] = False
    (run,) = only(Readings(*(part[keep] for part in readings)))
    assert run.until_s is None
    assert [one.change for one in run.changes] == [Change.OPENED]


def test_order_and_repetition_do_not_matter():
    """Shuffled and doubled readings give what orderly ones give."""
    readings = metered([*QUIET, *[6] * 60, *[0.0] * 30])
    order = np.random.default_rng(1).permutation(np.repeat(np.arange(len(readings.at_s)), 2))
    assert only(Readings(*(part[order] for part in readings))) == only(readings)


def test_a_register_that_rolls_over_goes_on():
    """99,999,999 litres and then 0: one litre ran."""
    readings = metered([*QUIET, *[6] * 60], first=10**8 - 300)
    rolled = readings._replace(litres=readings.litres % 10**8)
    assert only(rolled, capacity_litres=10**8) == only(readings)


def test_a_register_that_runs_back_is_taken_at_its_highest():
    """Two litres of backflow are air, and no proof of anything."""
    readings = metered([*QUIET, *[6] * 60])
    litres = readings.litres.copy()
    litres[20] -= 2
    assert only(readings._replace(litres=litres)) == only(readings)


def test_a_new_meter_goes_on_with_the_old_ones_leak_and_never_subtracts():
    """The pipe leaks on under a new register: one leak, and no loss out of the difference of two meters."""
    before = metered([*QUIET, *[6] * 60])
    after = metered([6] * 60, first=7, start_s=int(before.at_s[-1]) + H)
    serial = np.concatenate((np.zeros(len(before.at_s), int), np.ones(len(after.at_s), int)))
    both = Readings(*(np.concatenate(parts) for parts in zip(before[:2], after[:2], strict=True)), serial)
    (run,) = only(both)
    assert [one.change for one in run.changes] == [Change.OPENED, Change.REPLACED, Change.OPENED]
    assert run.lost_litres == pytest.approx(6 * 121, rel=0.03)
    assert not run.over_range


def test_a_leak_of_the_old_meter_ends_with_it_where_the_new_one_shows_none():
    """What the new meter does not see is over."""
    before, after = metered([*QUIET, *[6] * 60]), metered([0.0] * 60, first=7)
    after = after._replace(at_s=after.at_s + before.at_s[-1] - START_S + H)
    serial = np.concatenate((np.zeros(len(before.at_s), int), np.ones(len(after.at_s), int)))
    both = Readings(*(np.concatenate(parts) for parts in zip(before[:2], after[:2], strict=True)), serial)
    (run,) = only(both)
    assert (run.until_s, run.replaced) == (before.at_s[-1], True)


def test_a_register_of_ten_litres_takes_longer_and_finds_the_flow():
    """42 hours in place of 24, and the level of the flow."""
    (run,) = only(metered([*QUIET, *[9.5] * 150], step_litres=10), step_litres=10)
    assert run.level == 2
    assert run.detected_s - run.since_s >= 40 * H
    assert run.mean_flow_lph == pytest.approx(9.5, rel=0.12)


def test_a_register_of_a_hundred_litres_reports_what_it_cannot_see():
    """A dry day would still allow 4 L/h: no guess, and the least leak that it does show."""
    readings = metered([6] * 24 * 20, step_litres=100)
    assert only(readings, step_litres=100) == []
    found = verdict(readings, step_litres=100)
    assert found.finding is Finding.NOT_MEASURABLE
    assert found.lowest_lph == pytest.approx(20.8, abs=0.1)
    assert lowest_measurable_lph(10, 4.0) == 4.0


def test_an_unknown_register_is_refused():
    """A step of 7 litres has no figures, and is not taken for another."""
    with pytest.raises(ValueError, match="not 7"):
        resolution_of(7)


def test_half_a_day_decides_nothing():
    """Twelve hours at 6 L/h are neither a leak nor the proof of none."""
    found = verdict(metered([6] * 12))
    assert (found.finding, found.bound_lph, found.observed_h) == (Finding.UNDECIDED, None, 12)


def home(days, chance, leak_from, lph, step_s):
    """A dwelling of which every quarter of a day draws something, and from a day on a leak."""
    hours = np.arange(days * DAY // step_s)
    of_day = hours * step_s % DAY // (6 * H) if step_s < DAY else np.full(len(hours), 4)
    usual = np.array([4.0, 40.0, 70.0, 60.0, 170.0])[of_day]
    drawn = usual * chance.lognormal(0, 0.4, len(hours))
    return drawn / (step_s / H) + np.where(hours * step_s >= leak_from * DAY, lph, 0.0)


@pytest.mark.parametrize(("step_s", "lph"), [(6 * H, 9.0), (DAY, 25.0)])
def test_meters_that_are_read_rarely_are_judged_by_their_own_demand(step_s, lph):
    """Read four times a day or once, a leak stands out against what this dwelling usually draws."""
    chance = np.random.default_rng(8)
    leaking = only(metered(home(60, chance, 30, lph, step_s), step_s=step_s))
    (run,) = [one for one in leaking if one.until_s is None]
    assert run.changes[0].rule is Rule.PROFILE
    assert abs(run.since_s - START_S - 30 * DAY) <= 5 * DAY
    assert run.level == (3 if lph > 12 else 2)
    assert only(metered(home(60, chance, 99, lph, step_s), step_s=step_s)) == []


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("step_litres", [1, 10])
def test_a_quiet_quarter_of_a_day_bounds_the_flow_of_a_leak(step_litres, seed):
    """Read every six hours, one night in three without a draw: a leak of 10.5 L/h is level 2, at 10 L too."""
    chance = np.random.default_rng(seed)
    flows = home(60, chance, 30, 10.5, 6 * H)
    number = np.arange(len(flows))
    night = number % 4 == 0
    flows += np.where(night, 15 * chance.lognormal(0, 0.3, len(flows)) / 6, 0.0)
    quiet = night & (chance.random(len(flows)) < 1 / 3)
    flows[quiet] = np.where(number >= 30 * 4, 10.5, 0.0)[quiet]
    leaking = only(metered(flows, step_s=6 * H, step_litres=step_litres), step_litres=step_litres)
    (run,) = [one for one in leaking if one.until_s is None]
    assert run.level == 2
    assert 10 < run.mean_flow_lph < 12


def test_an_operators_borders_hold():
    """With a first border of 10 L/h a leak of 6 is none, and one of 11 is level 1."""
    strict = Thresholds(level_1_lph=10, level_2_lph=15, level_3_lph=20, over_range_above_lph=30)
    assert only(metered([*QUIET, *[6] * 96]), thresholds=strict) == []
    (run,) = only(metered([*QUIET, *[11] * 96]), thresholds=strict)
    assert run.level == 1
