"""Seals meter keys under SUBMETER_SECRET_KEY, each bound to the meter it belongs to (see `sealing`).

The radio address is what a key is bound to, so a sealed key copied to another meter's row does not open. Keys
leave this module only to be used, and its values show nothing of them when printed.
"""

from dataclasses import dataclass, field

from core.errors import SecretUnusable
from core.services.shared.encryption import DecryptionFailed, Encryption

_PURPOSE = "meter keys v1"


@dataclass(frozen=True, slots=True)
class KeyEncryption:
    """Opens and seals with the key derived from the secret."""

    _encryption: Encryption = field(repr=False)

    @classmethod
    def under(cls, secret_key: str) -> "KeyEncryption":
        return cls(Encryption.under(secret_key, _PURPOSE))

    def encrypt(self, meter_key: bytes, *, radio_address: str) -> bytes:
        return self._encryption.encrypt(meter_key, bound_to=radio_address)

    def open(self, encrypted: bytes, *, radio_address: str) -> bytes:
        """The key again.

        Raises:
            SecretUnusable: sealed under another secret or for another meter, or damaged.
        """
        try:
            return self._encryption.open(encrypted, bound_to=radio_address)
        except DecryptionFailed as failure:
            raise SecretUnusable(
                f"The key of meter {radio_address} cannot be opened:"
                " SUBMETER_SECRET_KEY is not the one it was sealed under."
            ) from failure
