"""Stores the keys of meters, encrypted.

In: meters, each with a key as in the operator's list. Out: encrypted rows, unless the meter has the key
already. The one rule: no key is stored in clear, and a new key resets the meter's message counter.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from tortoise.backends.base.client import TransactionalDBClient

from core.errors import SecretUnusable
from core.models import MeterKey
from core.services.places.key_encryption import KeyEncryption
from core.services.shared.many_rows import insert_rows, slices
from core.services.telegrams.replay_protection import begin_anew


class GivenKey(NamedTuple):
    """A meter by its id and its address, which the key is bound to, and the key. Never to be printed."""

    meter_id: int
    radio_address: str
    key: bytes


async def add_keys(
    connection: TransactionalDBClient,
    given: Iterable[GivenKey],
    *,
    key_encryption: KeyEncryption,
    now: datetime,
) -> None:
    """Store keys of meters under the application's secret, beside those they have; known ones are left."""
    wanted = list(dict.fromkeys(given))
    addresses = {one.meter_id: one.radio_address for one in wanted}
    if not wanted:
        return
    known: dict[int, set[bytes]] = {}
    for some in slices(addresses):
        for row in await MeterKey.filter(meter_id__in=some).using_db(connection):
            key = _opened(row, addresses[row.meter_id], key_encryption)
            if key is not None:
                known.setdefault(row.meter_id, set()).add(key)
    fresh = [one for one in wanted if one.key not in known.get(one.meter_id, ())]
    if not fresh:
        return
    rows = [
        MeterKey(
            meter_id=one.meter_id,
            encrypted_key=key_encryption.encrypt(one.key, radio_address=one.radio_address),
            added_at=now,
        )
        for one in fresh
    ]
    await insert_rows(connection, rows)
    await begin_anew(connection, {one.meter_id for one in fresh})


def _opened(row: MeterKey, radio_address: str, key_encryption: KeyEncryption) -> bytes | None:
    """The key of a row; None of one encrypted with another secret, so keys can be entered again."""
    try:
        return key_encryption.open(row.encrypted_key, radio_address=radio_address)
    except SecretUnusable:
        return None
