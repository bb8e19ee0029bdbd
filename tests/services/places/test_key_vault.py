"""Sealed meter keys."""

import pytest

from core.errors import SecretUnusable
from core.services.places.key_vault import Vault

KEY = bytes.fromhex("0123456789ABCDEF0123456789ABCDEF")
ADDRESS = "KAM-76348799-1B-16"


@pytest.mark.parametrize("key", [KEY, KEY[:8]])
def test_what_was_sealed_opens(vault, key) -> None:
    """Under the same secret and for the same meter; sealing twice gives two different texts."""
    sealed = vault.seal(key, radio_address=ADDRESS)
    assert vault.open(sealed, radio_address=ADDRESS) == key
    assert vault.seal(key, radio_address=ADDRESS) != sealed
    assert key not in sealed


def test_a_key_in_another_meters_row_does_not_open(vault) -> None:
    """The radio address is sealed with it."""
    sealed = vault.seal(KEY, radio_address=ADDRESS)
    with pytest.raises(SecretUnusable):
        vault.open(sealed, radio_address="KAM-76348798-1B-16")


def test_another_secret_does_not_open(vault) -> None:
    """The message names the setting and shows no key."""
    sealed = vault.seal(KEY, radio_address=ADDRESS)
    with pytest.raises(SecretUnusable, match="SUBMETER_SECRET_KEY") as refused:
        Vault.under("another secret, of at least 32 characters").open(sealed, radio_address=ADDRESS)
    assert KEY.hex() not in repr(refused.value).lower()


def test_no_byte_can_be_altered_or_cut(vault) -> None:
    """Version, nonce, tag and content: whatever is changed, the key does not open."""
    sealed = vault.seal(KEY, radio_address=ADDRESS)
    for place in range(len(sealed)):
        altered = sealed[:place] + bytes((sealed[place] ^ 1,)) + sealed[place + 1 :]
        with pytest.raises(SecretUnusable):
            vault.open(altered, radio_address=ADDRESS)
        with pytest.raises(SecretUnusable):
            vault.open(sealed[:place], radio_address=ADDRESS)


def test_a_vault_shows_nothing_of_itself(vault) -> None:
    """Nor of its secret."""
    assert repr(vault) == "Vault()"
