"""AES for batches: what a key costs is paid once for a meter, and remembered within a bound.

In: keys and whole blocks. Out: the blocks encrypted or decrypted. The one rule: only the bare block
cipher is kept; chaining, counters and message codes are put around it where they are needed, so that nothing
of one telegram is left for the next. FIPS 197, RFC 4493 (CMAC).

OpenSSL by way of `cryptography`: a few blocks under a kept key take a twentieth of the time of pycryptodome
(`docs/performance.md`). The ordinary way stays with pycryptodome, so the two check each other.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.cmac import CMAC

_ZERO: Final = bytes(16)
_TOP_BIT: Final = 1 << 127
_ALL_BITS: Final = (1 << 128) - 1
_EACH_BLOCK: Final = ECB()  # noqa: S305 - the bare block cipher, around which the chaining is put


class Ciphers:
    """The block ciphers of the meters seen last.

    Not for several threads at once: a kept cipher serves one call at a time.

    Args:
        limit: for how many keys; each costs a KiB at most. Telegrams of more meters in turn than this
            are opened all the same, only slower.

    """

    def __init__(self, limit: int = 131_072) -> None:
        # The contexts themselves are kept, without a bound method each: that is 80 bytes a meter.
        self._decryptors = lru_cache(maxsize=limit)(_decryptor)
        self._encryptors = lru_cache(maxsize=limit)(_encryptor)
        self._subkeys: Callable[[bytes], int] = lru_cache(maxsize=limit)(self._first_subkey)

    def decrypt_each(self, keys: Sequence[bytes], sealed: Sequence[bytes]) -> list[bytes]:
        """Whole blocks of many telegrams, each with its own key."""
        context = self._decryptors
        return [context(key).update(blocks) for key, blocks in zip(keys, sealed, strict=True)]

    def encrypt(self, key: bytes, blocks: bytes) -> bytes:
        """Whole blocks, each for itself."""
        return self._encryptors(key).update(blocks)

    @property
    def kept(self) -> int:
        """How many block ciphers are kept now, of those that decrypt and those that encrypt each."""
        return max(self._decryptors.cache_info().currsize, self._encryptors.cache_info().currsize)

    def _first_subkey(self, key: bytes) -> int:
        block = int.from_bytes(self.encrypt(key, _ZERO), "big")
        return (block << 1 & _ALL_BITS) ^ (0x87 if block & _TOP_BIT else 0)

    def codes_of_blocks(self, key: bytes, *messages: bytes) -> bytes:
        """The CMACs under a kept key of messages that are one block each, joined."""
        subkey = self._subkeys(key)
        masked = [(int.from_bytes(message, "big") ^ subkey).to_bytes(16, "big") for message in messages]
        return self.encrypt(key, b"".join(masked))


def code_once(key: bytes, message: bytes) -> bytes:
    """The CMAC under a key that will not come again."""
    code = CMAC(AES(key))
    code.update(message)
    return code.finalize()


def decrypt_once(key: bytes, blocks: bytes) -> bytes:
    """Whole blocks, each for itself, under a key that will not come again."""
    return _decryptor(key).update(blocks)


def _decryptor(key: bytes) -> CipherContext:
    return Cipher(AES(key), _EACH_BLOCK).decryptor()


def _encryptor(key: bytes) -> CipherContext:
    return Cipher(AES(key), _EACH_BLOCK).encryptor()
