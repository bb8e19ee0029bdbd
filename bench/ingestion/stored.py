"""What a fleet sent before its first hour: readings of the same meters, straight into the table.

In: the homes of `bench/fleet.py`, and how many readings. Out: rows with the indexes that these homes had at
the hours before, the latest hours first. The one rule: they continue the same series, so no state of a meter
contradicts them, and intake has no reason to look at a meter again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.fleet import Home
from core.consumption.plausibility import Evidence
from core.services.shared import time_series
from core.services.shared.transaction import is_sqlite

_HOUR_S = 3600
_NIGHT_HOURS = 6
_CHECKED = 50


class Series:
    """The indexes of many homes at any hour: `Home.shown_at` of all of them at once.

    Args:
        homes: by their numbers, from 0 on.
    """

    def __init__(self, homes: Sequence[Home]) -> None:
        self._homes = homes
        self._phases_s = np.array([home.phase_s for home in homes], np.int64)
        self._leaks = np.array([home.leak_lph for home in homes], np.int64)
        self._first = np.array([home.first_index for home in homes], np.int64)
        self._scale = np.array([home.scale for home in homes], np.int64)
        self._step = np.array([home.step for home in homes], np.int64)
        habits = np.array([home.habits for home in homes], np.int64)
        self._drawn = np.zeros((len(homes), habits.shape[1] + 1), np.int64)
        np.cumsum(habits, axis=1, out=self._drawn[:, 1:])

    def __len__(self) -> int:
        return len(self._homes)

    def at(self, hour: int) -> NDArray[np.int64]:
        """The indexes that the meters show at an hour, which may lie before the first."""
        days, rest = divmod(hour, 24)
        drawn = days * self._drawn[:, -1] + self._drawn[:, max(0, rest - _NIGHT_HOURS)]
        exact = (self._first + drawn + hour * self._leaks) * self._scale
        return exact // self._step * self._step

    def rows(self, hour: int, start_s: int) -> NDArray[np.int64]:
        """The readings of an hour, as `ReadingRow`; `start_s`: when hour 0 begins, epoch seconds."""
        numbers = np.arange(len(self._homes), dtype=np.int64)
        at_s = start_s + hour * _HOUR_S + self._phases_s
        nothing, proof = np.zeros_like(at_s), np.full_like(at_s, int(Evidence.GATEWAY_CHECK))
        digests = numbers * 7919 + hour * 2_000_003
        return np.stack((numbers + 1, at_s, self.at(hour), nothing, at_s, digests, proof), axis=1)

    def check(self, hour: int) -> None:
        """Compare with what single homes say."""
        some = self._homes[:: max(1, len(self._homes) // _CHECKED)]
        found = self.at(hour)
        wrong = [home.number for home in some if home.shown_at(hour) != found[home.number]]
        if wrong:
            raise AssertionError(f"hour {hour}: homes {wrong} show other indexes")


async def fill(database: Any, series: Series, stored: int, start: datetime, *, before: int) -> int:
    """Store so many readings of the hours before one of the fleet's, and have the database know of them.

    Args:
        database: the open one.
        series: of the fleet.
        stored: how many readings.
        start: when hour 0 begins.
        before: the hour before which they lie.

    Returns:
        The first hour that has readings now.
    """
    start_s, left, hour = int(start.timestamp()), stored, before
    while left > 0:
        hour -= 1
        if hour % 25 == 0:
            print(f"stored {stored - left:,} readings of the hours before", flush=True)
        if before - hour in {1, 9, 25}:
            series.check(hour)
        await time_series.insert_readings(database, (), series.rows(hour, start_s)[:left])
        left -= len(series)
    # What autovacuum and the checkpointer would do for so many new rows is no cost of the hours that follow.
    for statement in ("ANALYZE",) if is_sqlite(database) else ("VACUUM (ANALYZE) reading", "CHECKPOINT"):
        await database.execute_query(statement)
    print(f"stored {stored:,} readings of the {before - hour} hours before, by meters in turn", flush=True)
    return hour
