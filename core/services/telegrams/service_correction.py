"""Corrects what a meter counted after its time in service was entered late, moved, or entered by mistake.

In: meters whose installations and removals are stored. Out: readings from outside that time set apart,
those from inside taken back, and everything that follows from them recomputed. The one rule: the tables are
the same whether the removal was typed before the telegrams came or after. Lines that were refused meanwhile
(OUTSIDE_SERVICE) become readings with `submeter replay`.
"""

from collections.abc import Collection
from datetime import UTC, datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.access import SYSTEM
from core.consumption.corrections import CorrectionReason
from core.leak_thresholds import ThresholdsOf
from core.services.places.key_encryption import KeyEncryption
from core.services.places.meter_directory import lock_dwellings, meters_by_address
from core.services.shared.service_window import meters_read, move_readings
from core.services.shared.time_series import last_readings
from core.services.telegrams.recompute import recompute_meter


async def correct_services(
    connection: TransactionalDBClient,
    radio_addresses: Collection[str],
    *,
    key_encryption: KeyEncryption,
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> None:
    """Bring the readings of meters in line with their times in service; each is recomputed from its first
    reading that was moved.

    Where none was moved, the last day is judged again: a leak ends with its meter. A meter of which nothing
    is stored needs neither.
    """
    found = await meters_by_address(SYSTEM, radio_addresses, key_encryption=key_encryption)
    meters = {meter.id: meter for meter in found.values()}
    await lock_dwellings(connection, [meter.dwelling_id for meter in meters.values()])
    for meter_id in await meters_read(connection, meters):
        meter = meters[meter_id]
        first_s, last_s = meter.service_s
        since_s = await move_readings(connection, meter.id, first_s=first_s, last_s=last_s)
        if since_s is None and (last := await last_readings(connection, [meter.id])):
            since_s = last[meter.id].read_at_s
        if since_s is not None:
            since = datetime.fromtimestamp(since_s, UTC)
            await recompute_meter(
                connection,
                meter,
                since=since,
                reason=CorrectionReason.METER_REPLACED,
                thresholds_of=thresholds_of,
                now=now,
            )
