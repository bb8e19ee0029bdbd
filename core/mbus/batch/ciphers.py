"""AES for batches: what a key costs is paid once for a meter, and remembered within a bound.

In: keys and whole blocks. Out: the blocks encrypted or decrypted. The one rule: only the bare block
cipher is kept; chaining, counters and message codes are put around it where they are needed, so that nothing
of one telegram is left for the next. FIPS 197, RFC 4493 (CMAC).

OpenSSL by way of `cryptography`: a few blocks under a kept key take a twentieth of the time of pycryptodome
(`docs/performance.md`). `core.mbus.security` decrypts by pycryptodome, so the two check each other.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, TypeVar

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.cmac import CMAC

_ZERO: Final = bytes(16)
_TOP_BIT: Final = 1 << 127
_ALL_BITS: Final = (1 << 128) - 1
_EACH_BLOCK: Final = ECB()  # noqa: S305 - the bare block cipher, around which the chaining is put
_DROPPED_AT_ONCE: Final = 8  # where the bound is reached, the eighth part that was kept first goes

Value = TypeVar("Value")


class Ciphers:
    """The block ciphers of meters received lately.

    Not for several threads at once: ciphers are made one at a time, and each serves one call at a time.

    Args:
        limit: for how many keys; each costs less than a KiB. Telegrams of more meters in turn than this
            are opened all the same, only slower.

    """

    def __init__(self, limit: int = 131_072) -> None:
        # One algorithm serves all contexts, its key set anew before each is made. OpenSSL copies the key; an
        # algorithm of its own would remain with each context, for a seventh of what a meter costs.
        self._algorithm = AES(_ZERO)
        self._cipher = Cipher(self._algorithm, _EACH_BLOCK)
        self._decryptors = _Kept(limit, self._decryptor)
        self._encryptors = _Kept(limit, self._encryptor)
        self._subkeys = _Kept(limit, self._first_subkey)

    def decrypt(self, key: bytes, encrypted: bytes) -> bytes:
        """Whole blocks of one telegram."""
        return self._decryptors[key].update(encrypted)

    def decrypt_each(self, keys: Sequence[bytes], encrypted: Sequence[bytes]) -> list[bytes]:
        """Whole blocks of many telegrams, each with its own key."""
        contexts = map(self._decryptors.__getitem__, keys)
        return [context.update(blocks) for context, blocks in zip(contexts, encrypted, strict=True)]

    def encrypt_each(self, keys: Sequence[bytes], plain: Sequence[bytes]) -> list[bytes]:
        """Whole blocks for many telegrams, each with its own key."""
        contexts = map(self._encryptors.__getitem__, keys)
        return [context.update(blocks) for context, blocks in zip(contexts, plain, strict=True)]

    def codes_of_blocks(self, key: bytes, *messages: bytes) -> bytes:
        """The CMACs under a kept key of messages that are one block each, joined."""
        subkey = self._subkeys[key]
        masked = [(int.from_bytes(message, "big") ^ subkey).to_bytes(16, "big") for message in messages]
        return self._encryptors[key].update(b"".join(masked))

    def decrypt_once(self, key: bytes, blocks: bytes) -> bytes:
        """Whole blocks, each for itself, under a key that will not come again."""
        return self._decryptor(key).update(blocks)

    def _decryptor(self, key: bytes) -> CipherContext:
        self._algorithm.key = key
        return self._cipher.decryptor()

    def _encryptor(self, key: bytes) -> CipherContext:
        self._algorithm.key = key
        return self._cipher.encryptor()

    def _first_subkey(self, key: bytes) -> int:
        block = int.from_bytes(self._encryptors[key].update(_ZERO), "big")
        return (block << 1 & _ALL_BITS) ^ (0x87 if block & _TOP_BIT else 0)


class _Kept(dict[bytes, Value]):
    """What was made for keys, up to a bound.

    A plain dictionary: the list by age that `lru_cache` keeps beside it would cost 112 bytes a meter.
    """

    __slots__ = ("_limit", "_make")

    def __init__(self, limit: int, make: Callable[[bytes], Value]) -> None:
        super().__init__()
        self._limit = limit
        self._make = make

    def __missing__(self, key: bytes) -> Value:
        if len(self) >= self._limit:
            for old in list(islice(self, max(self._limit // _DROPPED_AT_ONCE, 1))):
                del self[old]
        value = self[key] = self._make(key)
        return value


def code_once(key: bytes, message: bytes) -> bytes:
    """The CMAC under a key that will not come again."""
    code = CMAC(AES(key))
    code.update(message)
    return code.finalize()
