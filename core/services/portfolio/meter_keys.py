"""Keeps the keys of meters, sealed.

In: a meter and a key as its list has it. Out: a sealed row, unless the meter has the key already. The one
rule: no key lies open in the tables, and a new key begins the count of the meter's telegrams anew.
"""

from datetime import datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.errors import SecretUnusable
from core.models import Meter, MeterKey
from core.services.places.key_encryption import KeyEncryption
from core.services.telegrams.replay_protection import begin_anew


async def add_key(
    connection: TransactionalDBClient,
    meter: Meter,
    key: bytes,
    *,
    key_encryption: KeyEncryption,
    now: datetime,
) -> None:
    """Keep a key of a meter under the application's secret, beside those it has; one that is kept is left."""
    known = await MeterKey.filter(meter_id=meter.id).using_db(connection)
    if any(_holds(row, key, meter.radio_address, key_encryption) for row in known):
        return
    encrypted = key_encryption.encrypt(key, radio_address=meter.radio_address)
    await MeterKey.create(meter_id=meter.id, encrypted_key=encrypted, added_at=now, using_db=connection)
    await begin_anew(connection, meter.id)


def _holds(row: MeterKey, key: bytes, radio_address: str, key_encryption: KeyEncryption) -> bool:
    """Whether a row is this key; one that another secret sealed is not, so that keys can be given again."""
    try:
        return key_encryption.open(row.encrypted_key, radio_address=radio_address) == key
    except SecretUnusable:
        return False
