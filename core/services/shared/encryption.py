"""Encrypts bytes with SUBMETER_SECRET_KEY: AES-256-GCM, for one purpose, bound to the thing they belong to.

In: bytes and what they are bound to. Out: the encrypted form: one version byte, 12 bytes of nonce, 16 bytes
of tag, the ciphertext. The one rule: each purpose has a key of its own, and a value encrypted for one thing
cannot be decrypted for another, so an encrypted value copied to another row is of no use.
"""

import os
from dataclasses import dataclass, field

from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import SecretUnusable

_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16


def derived_key(secret_key: str, purpose: str) -> bytes:
    """256 bits from the secret, for one purpose."""
    key = HKDF(secret_key.encode(), 32, b"submeter", SHA256, context=purpose.encode())
    if not isinstance(key, bytes):
        raise TypeError("one key was asked for")
    return key


@dataclass(frozen=True, slots=True)
class Encryption:
    """Encrypts and decrypts for one purpose."""

    _cipher: AESGCM = field(repr=False)

    @classmethod
    def under(cls, secret_key: str, purpose: str) -> "Encryption":
        return cls(AESGCM(derived_key(secret_key, purpose)))

    def encrypt(self, plain: bytes, *, bound_to: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        encrypted = self._cipher.encrypt(nonce, plain, bound_to.encode())
        return _VERSION + nonce + encrypted[-_TAG_BYTES:] + encrypted[:-_TAG_BYTES]

    def open(self, encrypted: bytes, *, bound_to: str) -> bytes:
        """The decrypted bytes.

        Raises:
            SecretUnusable: encrypted with another secret, for another purpose or thing, or damaged.
        """
        nonce, tag = (
            encrypted[1 : 1 + _NONCE_BYTES],
            encrypted[1 + _NONCE_BYTES : 1 + _NONCE_BYTES + _TAG_BYTES],
        )
        ciphertext = encrypted[1 + _NONCE_BYTES + _TAG_BYTES :]
        if encrypted[:1] != _VERSION:
            raise SecretUnusable(f"What is stored for {bound_to} is no encrypted value of this application.")
        try:
            return self._cipher.decrypt(nonce, ciphertext + tag, bound_to.encode())
        except (InvalidTag, ValueError) as failure:
            raise SecretUnusable(
                f"What is encrypted for {bound_to} cannot be decrypted:"
                " SUBMETER_SECRET_KEY is not the one it was encrypted with."
            ) from failure
