"""AES for batches: what a key costs is paid once for a meter, and remembered within a bound.

In: keys and whole blocks. Out: the blocks encrypted or decrypted. The one rule: only the bare block
cipher is kept; chaining, counters and message codes are put around it where they are needed, so that nothing
of one telegram is left for the next. FIPS 197, RFC 4493 (CMAC).

OpenSSL by way of `cryptography` where it is installed: it takes a twentieth of pycryptodome's time for a few
blocks (`docs/performance.md`). Without it the same is done with pycryptodome.
"""

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from Crypto.Cipher import AES
from Crypto.Hash import CMAC

_ZERO: Final = bytes(16)
_TOP_BIT: Final = 1 << 127
_ALL_BITS: Final = (1 << 128) - 1


def _optional(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None


_CIPHERS: Final = _optional("cryptography.hazmat.primitives.ciphers")
_ECB: Final = None if _CIPHERS is None else _CIPHERS.modes.ECB()
_CODES: Final = _optional("cryptography.hazmat.primitives.cmac")


class Ciphers:
    """The block ciphers of the meters seen last.

    Not for several threads at once: a kept cipher serves one call at a time.

    Args:
        limit: for how many keys; each costs a KiB at most. Telegrams of more meters in turn than this
            are opened all the same, only slower.
        openssl: False to do without `cryptography` though it is installed.

    """

    def __init__(self, limit: int = 131_072, *, openssl: bool = True) -> None:
        self._openssl = openssl and _CIPHERS is not None
        # The contexts themselves are kept, without a bound method each: that is 80 bytes a meter.
        self._decryptors = lru_cache(maxsize=limit)(self._decryptor)
        self._encryptors = lru_cache(maxsize=limit)(self._encryptor)
        self._subkeys: Callable[[bytes], int] = lru_cache(maxsize=limit)(self._first_subkey)

    def decrypt(self, key: bytes, blocks: bytes) -> bytes:
        """Whole blocks, each for itself."""
        context = self._decryptors(key)
        plain: bytes = context.update(blocks) if self._openssl else context.decrypt(blocks)
        return plain

    def encrypt(self, key: bytes, blocks: bytes) -> bytes:
        """Whole blocks, each for itself."""
        context = self._encryptors(key)
        sealed: bytes = context.update(blocks) if self._openssl else context.encrypt(blocks)
        return sealed

    @property
    def kept(self) -> int:
        """How many block ciphers are kept now, of those that decrypt and those that encrypt each."""
        return max(self._decryptors.cache_info().currsize, self._encryptors.cache_info().currsize)

    def _decryptor(self, key: bytes) -> Any:
        return self._cipher(key).decryptor() if self._openssl else AES.new(key, AES.MODE_ECB)

    def _encryptor(self, key: bytes) -> Any:
        return self._cipher(key).encryptor() if self._openssl else AES.new(key, AES.MODE_ECB)

    @staticmethod
    def _cipher(key: bytes) -> Any:
        assert _CIPHERS is not None
        return _CIPHERS.Cipher(_CIPHERS.algorithms.AES(key), _ECB)

    def _first_subkey(self, key: bytes) -> int:
        block = int.from_bytes(self.encrypt(key, _ZERO), "big")
        return (block << 1 & _ALL_BITS) ^ (0x87 if block & _TOP_BIT else 0)

    def codes_of_blocks(self, key: bytes, *messages: bytes) -> bytes:
        """The CMACs under a kept key of messages that are one block each, joined."""
        subkey = self._subkeys(key)
        masked = [(int.from_bytes(message, "big") ^ subkey).to_bytes(16, "big") for message in messages]
        return self.encrypt(key, b"".join(masked))

    def code_once(self, key: bytes, message: bytes) -> bytes:
        """The CMAC under a key that will not come again."""
        if _CIPHERS is None or _CODES is None or not self._openssl:
            return CMAC.new(key, msg=message, ciphermod=AES).digest()
        mac = _CODES.CMAC(_CIPHERS.algorithms.AES(key))
        mac.update(message)
        code: bytes = mac.finalize()
        return code

    def decrypt_once(self, key: bytes, blocks: bytes) -> bytes:
        """Whole blocks, each for itself, under a key that will not come again."""
        context = self._decryptor(key)
        plain: bytes = context.update(blocks) if self._openssl else context.decrypt(blocks)
        return plain
