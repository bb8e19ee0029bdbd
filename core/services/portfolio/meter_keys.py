"""Stores the keys of meters, encrypted.

In: a meter and a key as in the operator's list. Out: an encrypted row, unless the meter has the key already.
The one rule: no key is stored in clear, and a new key resets the meter's message counter.
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
    """Store a key of a meter under the application's secret, beside those it has; a known one is left."""
    known = await MeterKey.filter(meter_id=meter.id).using_db(connection)
    if any(_holds(row, key, meter.radio_address, key_encryption) for row in known):
        return
    encrypted = key_encryption.encrypt(key, radio_address=meter.radio_address)
    await MeterKey.create(meter_id=meter.id, encrypted_key=encrypted, added_at=now, using_db=connection)
    await begin_anew(connection, meter.id)


def _holds(row: MeterKey, key: bytes, radio_address: str, key_encryption: KeyEncryption) -> bool:
    """Whether a row is this key; one encrypted with another secret is not, so keys can be entered again."""
    try:
        return key_encryption.open(row.encrypted_key, radio_address=radio_address) == key
    except SecretUnusable:
        return False
