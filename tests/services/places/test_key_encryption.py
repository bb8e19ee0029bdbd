"""Encryption of meter keys."""

import pytest

from core.errors import SecretUnusable
from core.services.places.key_encryption import KeyEncryption

KEY = bytes.fromhex("0123456789ABCDEF0123456789ABCDEF")
ADDRESS = "KAM-76348799-1B-16"


@pytest.mark.parametrize("key", [KEY, KEY[:8]])
def test_an_encrypted_key_is_decrypted(key_encryption, key) -> None:
    """With the same secret and for the same meter; encrypting twice gives two different ciphertexts."""
    encrypted = key_encryption.encrypt(key, radio_address=ADDRESS)
    assert key_encryption.open(encrypted, radio_address=ADDRESS) == key
    assert key_encryption.encrypt(key, radio_address=ADDRESS) != encrypted
    assert key not in encrypted


def test_a_key_in_another_meters_row_is_not_decrypted(key_encryption) -> None:
    """The radio address is authenticated with it."""
    encrypted = key_encryption.encrypt(KEY, radio_address=ADDRESS)
    with pytest.raises(SecretUnusable):
        key_encryption.open(encrypted, radio_address="KAM-76348798-1B-16")


def test_another_secret_does_not_decrypt(key_encryption) -> None:
    """The error names the setting and has no key."""
    encrypted = key_encryption.encrypt(KEY, radio_address=ADDRESS)
    with pytest.raises(SecretUnusable, match="SUBMETER_SECRET_KEY") as refused:
        KeyEncryption.under("another secret, of at least 32 characters").open(
            encrypted, radio_address=ADDRESS
        )
    assert KEY.hex() not in repr(refused.value).lower()


def test_an_altered_or_truncated_key_is_refused(key_encryption) -> None:
    """At any byte of version, nonce, tag or content."""
    encrypted = key_encryption.encrypt(KEY, radio_address=ADDRESS)
    for place in range(len(encrypted)):
        altered = encrypted[:place] + bytes((encrypted[place] ^ 1,)) + encrypted[place + 1 :]
        with pytest.raises(SecretUnusable):
            key_encryption.open(altered, radio_address=ADDRESS)
        with pytest.raises(SecretUnusable):
            key_encryption.open(encrypted[:place], radio_address=ADDRESS)


def test_a_key_encryption_prints_no_secret(key_encryption) -> None:
    """Its repr is the name alone."""
    assert repr(key_encryption) == "KeyEncryption()"
