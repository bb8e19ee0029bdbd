"""Hashes passwords with argon2id at the library's defaults (RFC 9106, low-memory profile), and checks them.

In: a password, and the hash that is stored. Out: whether they belong together. The one rule: an account that
is not there costs one hash like one that is, so nobody learns by the work whether it exists (C-13). Hashing
and the estimate of guesses (`judged`) are tens of milliseconds of work, done in threads beside the other
requests; whoever asks for an estimate counts the request before, since a password may be made to be dear.
"""

import secrets
import unicodedata
from collections.abc import Callable
from functools import cache, partial
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.access.passwords import LONGEST_PASSWORD

T = TypeVar("T")


def hash_password(password: str) -> str:
    """The argon2id hash of a password in its NFKC form: it fits however a keyboard composes accents."""
    return _hasher().hash(_bytes(password))


async def hash_in_thread(password: str) -> str:
    """The same, without holding up the other requests."""
    return await to_thread.run_sync(partial(hash_password, password), limiter=_at_a_time())


async def fits(password: str, known_hash: str | None) -> bool:
    """Whether the password is the one of the hash; None for an account that is not there."""
    if len(password) > LONGEST_PASSWORD:
        return False
    known = known_hash or _hash_of_nobody()
    verified = await to_thread.run_sync(partial(_verify, known, password), limiter=_at_a_time())
    return verified and known_hash is not None


def _verify(known_hash: str, password: str) -> bool:
    try:
        return _hasher().verify(known_hash, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    """UTF-8 of the NFKC form; a lone surrogate, which JSON can carry, is wrong and no reason to fail."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _at_a_time() -> CapacityLimiter:
    """Two hashes at once a process: each takes 64 MiB, and a crowd at the door must not starve the application."""
    return CapacityLimiter(2)


@cache
def _hash_of_nobody() -> str:
    return _hasher().hash(secrets.token_urlsafe(32))


async def judged(check: Callable[[], T]) -> T:
    """The answer of a pure check, worked out in a thread."""
    return await to_thread.run_sync(check, limiter=_judged_at_a_time())


@cache
def _judged_at_a_time() -> CapacityLimiter:
    """Two a process, whoever waits: they share one interpreter with everybody else."""
    return CapacityLimiter(2)
