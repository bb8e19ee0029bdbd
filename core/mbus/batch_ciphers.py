"""AES for batches: what a key costs is paid once for a meter, and remembered within a bound.

In: keys. Out: functions that encrypt or decrypt whole blocks under one. The one rule: only the bare block
cipher is kept; chaining, counters and message codes are put around it where they are needed, so that nothing
of one telegram is left for the next. FIPS 197, RFC 4493 (CMAC).

OpenSSL by way of `cryptography` where it is installed: it takes a twentieth of pycryptodome's time for a few
blocks (`docs/performance.md`). Without it the same is done with pycryptodome.
"""

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Final

from Crypto.Cipher import AES
from Crypto.Hash import CMAC

Blocks = Callable[[bytes], bytes]
_ZERO: Final = bytes(16)
_TOP_BIT: Final = 1 << 127
_ALL_BITS: Final = (1 << 128) - 1


def _optional(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None


_CIPHERS: Final = _optional("cryptography.hazmat.primitives.ciphers")
_CODES: Final = _optional("cryptography.hazmat.primitives.cmac")


class Ciphers:
    """The block ciphers of the meters seen last.

    Not for several threads at once: a kept cipher serves one call at a time.

    Args:
        limit: for how many keys; each costs about half a KiB. Telegrams of more meters in turn than this
            are opened all the same, only slower.
        openssl: False to do without `cryptography` though it is installed.

    """

    def __init__(self, limit: int = 131_072, *, openssl: bool = True) -> None:
        self._openssl = openssl
        self.decrypt: Callable[[bytes], Blocks] = lru_cache(maxsize=limit)(self._decryptor)
        self.encrypt: Callable[[bytes], Blocks] = lru_cache(maxsize=limit)(self._encryptor)
        self._subkey: Callable[[bytes], int] = lru_cache(maxsize=limit)(self._first_subkey)

    def _decryptor(self, key: bytes) -> Blocks:
        if _CIPHERS is None or not self._openssl:
            return AES.new(key, AES.MODE_ECB).decrypt
        ecb: Blocks = _CIPHERS.Cipher(_CIPHERS.algorithms.AES(key), _CIPHERS.modes.ECB()).decryptor().update
        return ecb

    def _encryptor(self, key: bytes) -> Blocks:
        if _CIPHERS is None or not self._openssl:
            return AES.new(key, AES.MODE_ECB).encrypt
        ecb: Blocks = _CIPHERS.Cipher(_CIPHERS.algorithms.AES(key), _CIPHERS.modes.ECB()).encryptor().update
        return ecb

    def _first_subkey(self, key: bytes) -> int:
        block = int.from_bytes(self.encrypt(key)(_ZERO), "big")
        return (block << 1 & _ALL_BITS) ^ (0x87 if block & _TOP_BIT else 0)

    def codes_of_blocks(self, key: bytes, *messages: bytes) -> bytes:
        """The CMACs under a kept key of messages that are one block each, joined."""
        subkey = self._subkey(key)
        masked = [(int.from_bytes(message, "big") ^ subkey).to_bytes(16, "big") for message in messages]
        return self.encrypt(key)(b"".join(masked))

    def code_once(self, key: bytes, message: bytes) -> bytes:
        """The CMAC under a key that will not come again."""
        if _CIPHERS is None or _CODES is None or not self._openssl:
            return CMAC.new(key, msg=message, ciphermod=AES).digest()
        mac = _CODES.CMAC(_CIPHERS.algorithms.AES(key))
        mac.update(message)
        code: bytes = mac.finalize()
        return code

    def decrypt_once(self, key: bytes, content: bytes) -> bytes:
        """Blocks, each for itself, under a key that will not come again."""
        return self._decryptor(key)(content)
