"""Ends the leaks of a meter that is removed: it will send no reading that ends them.

In: the meter, as described now. Out: its episodes closed on the day of the removal, with their notifications.
"""

from datetime import datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.access import SYSTEM
from core.leak_thresholds import ThresholdsOf
from core.services.alerts.leak_alerts import raise_leak_alerts
from core.services.alerts.leak_detection import watch
from core.services.messaging import outbox
from core.services.places.key_encryption import KeyEncryption
from core.services.places.meter_directory import lock_dwellings, meters_by_address


async def end_leaks(
    connection: TransactionalDBClient,
    radio_address: str,
    *,
    key_encryption: KeyEncryption,
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> None:
    """Judge the meter again up to its removal; the removal must be stored."""
    meters = (await meters_by_address(SYSTEM, [radio_address], key_encryption=key_encryption)).values()
    await lock_dwellings(connection, [meter.dwelling_id for meter in meters])
    removed = {meter: meter.day(meter.removed_at) for meter in meters if meter.removed_at}
    touched = {meter: (day, day) for meter, day in removed.items()}
    findings = await watch(connection, touched, thresholds_of=thresholds_of, now=now)
    await outbox.queue(connection, await raise_leak_alerts(connection, findings, now=now), now=now)
