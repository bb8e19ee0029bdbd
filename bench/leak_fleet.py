"""One day of a whole fleet: from 24 hourly readings of each meter in memory to a leak result for each.

In: a number of meters. Out: the time, printed as meters per second and as a multiple of copying the same
readings. The one rule: everything that the results need is inside the measured time.
"""

import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from leak_screen import classify_rows, screen
from numpy.typing import NDArray

_FIRST_S = 1_795_305_600
_HOURS = 24
_DWELLINGS = 40_000  # generated once and repeated, since generating is slower than classifying
_LEAKING = 0.03
_NIGHT, _DAY = (0.06, 0.04, 0.03, 0.03, 0.04, 0.1), (0.35, 0.5, 0.45, 0.4, 0.35, 0.35, 0.4, 0.35, 0.3, 0.3)
_EVENING = (0.35, 0.4, 0.5, 0.5, 0.45, 0.35, 0.25, 0.12)
_DRAWS = np.array([*_NIGHT, *_DAY, *_EVENING])
"""The probability that a dwelling draws water in each hour of the day."""


def measure(meters: int) -> None:
    """Print how long copying, screening and the whole classification take."""
    at_s, litres, leaking = _fleet(meters)
    copying = _best(litres[1:].copy, 5)
    least = np.full(meters, np.inf, np.float32)
    suspects = screen(at_s, litres, least, step_litres=1)
    screening = _best(lambda: screen(at_s, litres, least, step_litres=1), 3)
    verdict = classify_rows(at_s, litres, step_litres=1)
    whole = _best(lambda: classify_rows(at_s, litres, step_litres=1), 3)
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{meters:,} meters x {_HOURS} hourly readings; {leaking:.2%} of them leak 4 L/h or more")
    print(f"copying the readings  {copying:8.3f} s")
    print(
        f"the screening pass    {screening:8.3f} s = {screening / copying:5.1f} x the copy;"
        f" {len(suspects) / meters:.2%} go through the classifier"
    )
    print(
        f"the whole, verdicts   {whole:8.3f} s = {whole / copying:5.1f} x the copy;"
        f" {meters / whole / 1e6:.2f} million meters a second"
    )
    print(f"alerts opened         {len(verdict.openings):,} = {len(verdict.openings) / meters:.2%}")
    print(f"peak memory           {peak_gib:8.2f} GiB")


def _fleet(meters: int) -> tuple[NDArray[Any], NDArray[Any], float]:
    """The index of the evening before and the 24 of the day, in litres, one column per meter."""
    chance = np.random.default_rng(20261122)
    busy = chance.gamma(3, 1 / 3, _DWELLINGS)
    draws = chance.random((_HOURS, _DWELLINGS)) < np.minimum(_DRAWS[:, None] * busy, 0.97)
    drawn = draws * chance.gamma(1.2, 20, (_HOURS, _DWELLINGS))
    leaks = np.where(chance.random(_DWELLINGS) < _LEAKING, chance.uniform(4.1, 40, _DWELLINGS), 0.0)
    used = np.vstack((np.zeros(_DWELLINGS), np.cumsum(drawn + leaks, axis=0)))
    index = np.floor(chance.uniform(0, 9e6, _DWELLINGS) + used).astype(np.int32)
    litres = np.empty((_HOURS + 1, meters), np.int32)
    for first in range(0, meters, _DWELLINGS):
        litres[:, first : first + _DWELLINGS] = index[:, : meters - first]
    return _FIRST_S + np.arange(_HOURS + 1) * 3600, litres, float((leaks > 0).mean())


def _best(run: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return min(taken)
