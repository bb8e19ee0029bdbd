"""Sealed meter keys."""

import pytest

from core.errors import SecretUnusable
from core.services.places.key_encryption import KeyEncryption

KEY = bytes.fromhex("0123456789ABCDEF0123456789ABCDEF")
ADDRESS = "KAM-76348799-1B-16"


@pytest.mark.parametrize("key", [KEY, KEY[:8]])
def test_what_was_sealed_opens(key_encryption, key) -> None:
    """Under the same secret and for the same meter; sealing twice gives two different texts."""
    encrypted = key_encryption.encrypt(key, radio_address=ADDRESS)
    assert key_encryption.open(encrypted, radio_address=ADDRESS) == key
    assert key_encryption.encrypt(key, radio_address=ADDRESS) != encrypted
    assert key not in encrypted


def test_a_key_in_another_meters_row_does_not_open(key_encryption) -> None:
    """The radio address is sealed with it."""
    encrypted = key_encryption.encrypt(KEY, radio_address=ADDRESS)
    with pytest.raises(SecretUnusable):
        key_encryption.open(encrypted, radio_address="KAM-76348798-1B-16")


def test_another_secret_does_not_open(key_encryption) -> None:
    """The message names the setting and shows no key."""
    encrypted = key_encryption.encrypt(KEY, radio_address=ADDRESS)
    with pytest.raises(SecretUnusable, match="SUBMETER_SECRET_KEY") as refused:
        KeyEncryption.under("another secret, of at least 32 characters").open(
            encrypted, radio_address=ADDRESS
        )
    assert KEY.hex() not in repr(refused.value).lower()


def test_no_byte_can_be_altered_or_cut(key_encryption) -> None:
    """Version, nonce, tag and content: whatever is changed, the key does not open."""
    encrypted = key_encryption.encrypt(KEY, radio_address=ADDRESS)
    for place in range(len(encrypted)):
        altered = encrypted[:place] + bytes((encrypted[place] ^ 1,)) + encrypted[place + 1 :]
        with pytest.raises(SecretUnusable):
            key_encryption.open(altered, radio_address=ADDRESS)
        with pytest.raises(SecretUnusable):
            key_encryption.open(encrypted[:place], radio_address=ADDRESS)


def test_a_vault_shows_nothing_of_itself(key_encryption) -> None:
    """Nor of its secret."""
    assert repr(key_encryption) == "KeyEncryption()"
