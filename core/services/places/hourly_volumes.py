"""The hourly volumes of meters, from their stored readings: for the few that leak, or leaked before a
repair.

In: meters, each with a window of epoch seconds. Out: their full UTC hours. The one rule: hours follow from
the readings whenever somebody asks; they are stored nowhere, since few are ever asked for, and each
telegram would have to write two of them.
"""

from collections.abc import Mapping
from typing import Protocol, TypeVar

from tortoise.backends.base.client import BaseDBAsyncClient

from core.consumption import HourVolume, Register, clean, hourly_volumes
from core.consumption.volumes import HOUR_S
from core.services.shared import time_series
from core.services.shared.time_series import Window

LOOK_BACK_S = 48 * HOUR_S
"""Readings before the window that are looked at too: the running maximum of a meter that ran back."""


class MeterWithRegister(Protocol):
    """A meter as the directory or a list of meters gives it."""

    @property
    def id(self) -> int: ...
    @property
    def register(self) -> Register: ...


MeterT = TypeVar("MeterT", bound=MeterWithRegister)


async def hours_of(
    connection: BaseDBAsyncClient, windows: Mapping[MeterT, tuple[int, int]]
) -> dict[int, list[HourVolume]]:
    """The hours that begin within each meter's window (both ends included), in the order of time."""
    if not windows:
        return {}
    readings = await time_series.readings_around(
        connection,
        [Window(meter.id, first - LOOK_BACK_S, last + HOUR_S) for meter, (first, last) in windows.items()],
    )
    return {
        meter.id: [
            hour
            for hour in hourly_volumes(clean(readings.get(meter.id, ()), meter.register))
            if first <= hour.start_s <= last
        ]
        for meter, (first, last) in windows.items()
    }
