"""Rotation of the secret key: all that was encrypted with the old one is with the new one, or nothing is."""

from dataclasses import replace

import pytest

from core.access import SYSTEM, Viewer
from core.access.permissions import Role
from core.errors import Forbidden, SecretUnusable
from core.models import Account, MeterKey, OutboxMessage
from core.services.accounts.second_factor import second_factor_bound_to, second_factor_encryption
from core.services.messaging.account_messages import AccountMessage, opened_values, queue_account_message
from core.services.operation import secret_rotation
from core.services.operation.secret_rotation import Rotated, ValuesUnusable, rotate_secret
from core.services.places.key_encryption import KeyEncryption
from core.services.shared.transaction import current_database
from tests.conftest import SECRET_KEY
from tests.support import factories

NEW = "another secret of the tests, of at least 32 characters"
KEYS = {"SAP-21131C34-0C-04": "00112233445566778899AABBCCDDEEFF", "SAP-21131C35-0C-04": "11" * 16}


@pytest.fixture
async def encrypted(application, settings, key_encryption, now):
    """Two meters with keys, an account with a second factor, and a queued message with a secret."""
    await factories.residence(
        key_encryption, *(factories.meter(address, key=bytes.fromhex(key)) for address, key in KEYS.items())
    )
    account = await Account.all().first()
    account.second_factor_encrypted = second_factor_encryption(SECRET_KEY).encrypt(
        b"JBSWY3DP", bound_to=second_factor_bound_to(account.id)
    )
    await account.save()
    await OutboxMessage.all().delete()
    message = AccountMessage.to(account, "code", key="code:1", secrets={"code": "123456"})
    await queue_account_message(current_database(), settings, message, now=now)
    return settings


async def opens(secret: str, settings) -> bool:
    """Whether this secret opens everything; that the other opens nothing follows from it (AES-GCM)."""
    encryption = KeyEncryption.under(secret)
    try:
        for row in await MeterKey.all().select_related("meter"):
            address = row.meter.radio_address
            opened = encryption.open(bytes(row.encrypted_key), radio_address=address)
            assert opened == bytes.fromhex(KEYS[address])
        account = await Account.filter(second_factor_encrypted__isnull=False).get()
        opened = second_factor_encryption(secret).open(
            bytes(account.second_factor_encrypted), bound_to=second_factor_bound_to(account.id)
        )
        assert opened == b"JBSWY3DP"
        message = await OutboxMessage.get()
        assert opened_values(message, replace(settings, secret_key=secret))["code"] == "123456"
    except SecretUnusable:
        return False
    return True


async def test_everything_is_encrypted_anew(encrypted, monkeypatch) -> None:
    """Keys, second factors and messages, in pages however small; the old secret is of no use any more."""
    monkeypatch.setattr(secret_rotation, "PAGE_ROWS", 1)
    pages = []
    rotated = await rotate_secret(SYSTEM, old=SECRET_KEY, new=NEW, progress=pages.append)
    assert rotated == [
        Rotated("meter keys", 2, 0, 0),
        Rotated("second factors", 1, 0, 0),
        Rotated("messages", 1, 0, 0),
    ]
    assert pages == [1, 1, 1, 1]
    assert await opens(NEW, encrypted)
    assert not await opens(SECRET_KEY, encrypted)


async def test_a_second_run_changes_nothing(encrypted) -> None:
    """After an interruption the command is run again: what is done is left alone."""
    await rotate_secret(SYSTEM, old=SECRET_KEY, new=NEW)
    before = {row.id: bytes(row.encrypted_key) for row in await MeterKey.all()}
    again = await rotate_secret(SYSTEM, old=SECRET_KEY, new=NEW)
    assert [(one.encrypted_anew, one.already) for one in again] == [(0, 2), (0, 1), (0, 1)]
    assert {row.id: bytes(row.encrypted_key) for row in await MeterKey.all()} == before


async def test_an_interruption_leaves_the_old_secret_everywhere(encrypted, monkeypatch) -> None:
    """It is one transaction: whenever it ends early, nothing was changed."""
    monkeypatch.setattr(secret_rotation, "PAGE_ROWS", 1)
    pages = []

    def interrupted(rows: int) -> None:
        pages.append(rows)
        if len(pages) == 3:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        await rotate_secret(SYSTEM, old=SECRET_KEY, new=NEW, progress=interrupted)
    assert await opens(SECRET_KEY, encrypted)


async def test_a_wrong_old_secret_changes_nothing(encrypted) -> None:
    """And the answer asks whether it is the right one."""
    with pytest.raises(ValuesUnusable, match="neither secret; nothing was changed"):
        await rotate_secret(SYSTEM, old="a secret that was never used, 32 characters", new=NEW)
    assert await opens(SECRET_KEY, encrypted)


async def test_values_that_are_lost_can_be_spared(encrypted) -> None:
    """One damaged key does not hold up the others for ever; it is counted and left as it is."""
    damaged = await MeterKey.all().order_by("id").first()
    damaged.encrypted_key = b"\x01" + bytes(40)
    await damaged.save()
    with pytest.raises(ValuesUnusable):
        await rotate_secret(SYSTEM, old=SECRET_KEY, new=NEW)
    keys, *_ = await rotate_secret(SYSTEM, old=SECRET_KEY, new=NEW, spare_unusable=True)
    assert keys == Rotated("meter keys", 1, 0, 1)
    assert bytes((await MeterKey.get(id=damaged.id)).encrypted_key) == b"\x01" + bytes(40)


async def test_only_the_operator_rotates(application) -> None:
    """Nobody who signs in may."""
    with pytest.raises(Forbidden):
        await rotate_secret(Viewer(Role.STAFF), old=SECRET_KEY, new=NEW)
