"""The benchmark of a fleet measures the verdicts of the product's own classifier."""

from dataclasses import replace

import numpy as np

from bench.leak_screen import classify_rows
from core.leaks.classifier.classify import Readings, classify

H = 3600


def test_the_screened_fleet_says_what_the_classifier_says():
    """Screened or not, each meter has the verdict of its own fold."""
    chance = np.random.default_rng(3)
    hours, meters = 31, 400
    flows = np.where(chance.random((hours, meters)) < 0.5, chance.gamma(1.2, 20, (hours, meters)), 0.0)
    flows += np.where(chance.random(meters) < 0.5, chance.uniform(2, 30, meters), 0.0)
    litres = np.floor(chance.uniform(0, 1e6, meters) + np.cumsum(flows, axis=0)).astype(np.int32)
    litres[20:, 5] -= 400_000
    at_s = 1_740_787_200 + np.arange(hours) * H
    verdict = classify_rows(at_s, litres, step_litres=1)
    runs = classify([Readings.of(at_s, column) for column in litres.T], step_litres=1)
    expected = [of_meter[-1].level if of_meter and of_meter[-1].until_s is None else 0 for of_meter in runs]
    assert verdict.levels.tolist() == expected
    assert 0 < sum(level > 0 for level in expected) < meters
    opened = {change.meter: change for change in verdict.openings}
    assert opened == {
        number: replace(of_meter[0].changes[0], meter=number)
        for number, of_meter in enumerate(runs)
        if of_meter
    }
    quiet = np.flatnonzero(verdict.bounds_lph < 4)
    assert (verdict.levels[quiet] == 0).all()
