"""Makes what condition alerts are judged by: readings with their states, and what known leaks have let run.

In: stored readings of some meters. Out: their sightings. The one rule: from the reading that showed a leak
until its end, its flow at the opening is the leak's and no burst; so a large leak that breathes is one alert
and not one a night. Before that reading it may be a burst, whatever is known now: so the order of arrival
changes nothing.
"""

from collections.abc import Iterable, Mapping

from tortoise.backends.base.client import TransactionalDBClient

from core.alerting.conditions import Sighting
from core.consumption import day_start
from core.metering import bits_to_flags
from core.models import LeakEpisode
from core.services.places.meter_directory import MeterEntry
from core.services.shared.time_series import ReadingRow

_HOUR_S = 3600


async def sightings_of(
    connection: TransactionalDBClient, meters: Iterable[MeterEntry], rows: Iterable[ReadingRow]
) -> dict[int, list[Sighting]]:
    """The sightings of each meter, in the order of the rows."""
    by_id = {meter.id: meter for meter in meters}
    leaks = await _leaks(connection, by_id)
    found: dict[int, list[Sighting]] = {}
    for row in rows:
        sighting = Sighting(
            row.read_at_s,
            row.index_value,
            bits_to_flags(row.status_bits),
            leaked_litres=sum(_let_run(leak, row.read_at_s) for leak in leaks.get(row.meter_id, ())),
        )
        found.setdefault(row.meter_id, []).append(sighting)
    return found


_Leak = tuple[float, float, float]
"""Detected, ended (epoch seconds), litres an hour."""


async def _leaks(
    connection: TransactionalDBClient, meters: Mapping[int, MeterEntry]
) -> dict[int, list[_Leak]]:
    water = [meter.id for meter in meters.values() if meter.fluid.is_water]
    rows = LeakEpisode.filter(meter_id__in=water, detected_at__not_isnull=True).using_db(connection)
    found: dict[int, list[_Leak]] = {}
    for row in await rows if water else ():
        zone = meters[row.meter_id].zone
        ended_s = float("inf") if row.ended_on is None else float(day_start(row.ended_on, zone))
        assert row.detected_at is not None
        leak = (row.detected_at.timestamp(), ended_s, float(row.q_min_at_opening_lph))
        found.setdefault(row.meter_id, []).append(leak)
    return found


def _let_run(leak: _Leak, at_s: int) -> int:
    detected_s, ended_s, flow_lph = leak
    return int(max(0.0, min(float(at_s), ended_s) - detected_s) * flow_lph / _HOUR_S)
