"""Seals meter keys under SUBMETER_SECRET_KEY: AES-256-GCM, bound to the meter they belong to.

Sealed form: one version byte, 12 bytes of nonce, 16 bytes of tag, the ciphertext. The radio address is the
associated data, so a sealed key copied to another meter's row does not open. Keys leave this module only to
be used, and its values show nothing of them when printed.
"""

import os
from dataclasses import dataclass, field

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF

from core.errors import SecretUnusable

_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class Vault:
    """Opens and seals with the key derived from the secret."""

    _key: bytes = field(repr=False)

    @classmethod
    def under(cls, secret_key: str) -> "Vault":
        key = HKDF(secret_key.encode(), 32, b"submeter", SHA256, context=b"meter keys v1")
        if not isinstance(key, bytes):
            raise TypeError("one key was asked for")
        return cls(key)

    def seal(self, meter_key: bytes, *, radio_address: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        cipher = AES.new(self._key, AES.MODE_GCM, nonce=nonce).update(radio_address.encode())
        ciphertext, tag = cipher.encrypt_and_digest(meter_key)
        return _VERSION + nonce + tag + ciphertext

    def open(self, sealed: bytes, *, radio_address: str) -> bytes:
        """The key again.

        Raises:
            SecretUnusable: sealed under another secret or for another meter, or damaged.
        """
        nonce, tag = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES : 1 + _NONCE_BYTES + _TAG_BYTES]
        ciphertext = sealed[1 + _NONCE_BYTES + _TAG_BYTES :]
        unusable = (
            f"The key of meter {radio_address} cannot be opened:"
            " SUBMETER_SECRET_KEY is not the one it was sealed under."
        )
        if sealed[:1] != _VERSION:
            raise SecretUnusable(unusable)
        try:
            cipher = AES.new(self._key, AES.MODE_GCM, nonce=nonce).update(radio_address.encode())
            return cipher.decrypt_and_verify(ciphertext, tag)
        except ValueError as failure:
            raise SecretUnusable(unusable) from failure
