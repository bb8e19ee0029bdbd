"""Hashes passwords with argon2id at the library's defaults (RFC 9106, low-memory profile), and checks them.

In: a password, and the stored hash. Out: whether they match. The one rule: an unknown account costs one
hash like a known one, so the response time does not disclose whether it exists (C-13). Hashing and the
estimate of guesses (`judged`) are tens of milliseconds of work, done in threads beside the other requests;
callers count the request before an estimate, since a password may be crafted to be expensive.
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
    """The argon2id hash of a password in its NFKC form: it matches however a keyboard composes accents."""
    return _hasher().hash(_bytes(password))


async def hash_in_thread(password: str) -> str:
    """The same, without blocking the other requests."""
    return await to_thread.run_sync(partial(hash_password, password), limiter=_at_a_time())


async def fits(password: str, known_hash: str | None) -> bool:
    """Whether the password matches the hash; the hash is None for an unknown account."""
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
    """UTF-8 of the NFKC form; a lone surrogate, which JSON can carry, makes a wrong password, no
    failure.
    """
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _at_a_time() -> CapacityLimiter:
    """Two hashes at once per process: each takes 64 MiB, and many sign-ins must not exhaust memory."""
    return CapacityLimiter(2)


@cache
def _hash_of_nobody() -> str:
    return _hasher().hash(secrets.token_urlsafe(32))


async def judged(check: Callable[[], T]) -> T:
    """The result of a pure check, computed in a thread."""
    return await to_thread.run_sync(check, limiter=_judged_at_a_time())


@cache
def _judged_at_a_time() -> CapacityLimiter:
    """Two per process: they share one interpreter with the other requests."""
    return CapacityLimiter(2)
