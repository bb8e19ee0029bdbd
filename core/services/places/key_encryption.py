"""Encrypts meter keys with SUBMETER_SECRET_KEY (see `core.services.shared.encryption`).

A key is bound to its meter's radio address, so an encrypted key copied to another meter's row cannot be
decrypted. Keys leave this module only to be used, and its values do not show them when printed.
"""

from dataclasses import dataclass, field

from core.services.shared.encryption import Encryption

_PURPOSE = "meter keys v1"


def meter_key_encryption(secret_key: str) -> Encryption:
    return Encryption.under(secret_key, _PURPOSE)


@dataclass(frozen=True, slots=True)
class KeyEncryption:
    """Encrypts and decrypts with the key derived from the secret."""

    _encryption: Encryption = field(repr=False)

    @classmethod
    def under(cls, secret_key: str) -> "KeyEncryption":
        return cls(meter_key_encryption(secret_key))

    def encrypt(self, meter_key: bytes, *, radio_address: str) -> bytes:
        return self._encryption.encrypt(meter_key, bound_to=radio_address)

    def open(self, encrypted: bytes, *, radio_address: str) -> bytes:
        """The decrypted key.

        Raises:
            SecretUnusable: encrypted with another secret or for another meter, or damaged.
        """
        return self._encryption.open(encrypted, bound_to=radio_address)
