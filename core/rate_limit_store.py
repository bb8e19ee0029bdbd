"""The store of rate-limit counters: in this process, or in a Redis that several processes share.

In: SUBMETER_LIMITS_URL. Out: counters by name, that expire. The one rule: tries are always counted. While the
shared store cannot be reached each process uses its own counts, so people can sign in, and whoever brings the
store down gains no more than the limit once for each process. The library is imported at the first try that
is counted: most commands count none.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from core.settings import IN_MEMORY, SettingsError

if TYPE_CHECKING:
    from limits.aio.storage import Storage

AWAY_FOR_S = 10.0
"""How long a store that did not answer is not contacted."""

SWEEP_EVERY_S = 60.0
TIMEOUT_S = 1.0
"""For a connection, and for an answer; both are tried twice, since a restarted store closes old ones."""

CONNECTIONS = 20
"""Of one process; when all are in use, a call waits for one."""

_SCHEMES = ("redis://", "rediss://", "redis+unix://")
_SETTING = "SUBMETER_LIMITS_URL"
_log = logging.getLogger(__name__)

_Call: TypeAlias = "Callable[[Storage], Awaitable[int]]"


class Counters(Protocol):
    """Counters by name, as `limits` keeps them."""

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count; a new counter expires after `expiry` seconds."""

    async def get(self, key: str) -> int:
        """How many were counted."""

    async def clear(self, key: str) -> None:
        """Reset the counter."""


class OwnCounters:
    """Counters of this process; those that have expired are swept out every minute.

    The memory storage of `limits` looks at all counters with each count, and starts a task for it.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: dict[str, tuple[int, float]] = {}
        self._swept_at = clock()

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = self._clock()
        if now - self._swept_at >= SWEEP_EVERY_S:
            self._counts = {name: one for name, one in self._counts.items() if one[1] > now}
            self._swept_at = now
        count, expires_at = self._counts.get(key, (0, 0.0))
        if expires_at <= now:
            count, expires_at = 0, now + expiry
        self._counts[key] = (count + amount, expires_at)
        return count + amount

    async def get(self, key: str) -> int:
        count, expires_at = self._counts.get(key, (0, 0.0))
        return count if expires_at > self._clock() else 0

    async def clear(self, key: str) -> None:
        self._counts.pop(key, None)


class RateLimitStore:
    """The counters of an application.

    Args:
        url: `memory://`, `redis://…`, `rediss://…` or `redis+unix://…`.
        clock: seconds that only rise.

    Raises:
        SettingsError: the URL names another store, cannot be read, or the library for it is not installed.
    """

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool: Any = None
        self._shared = None if url == IN_MEMORY else self._open(url)
        self._own = OwnCounters(clock)
        self._clock = clock
        self._away_until = float("-inf")

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        own = await self._own.incr(key, expiry, amount)
        return await self._ask(lambda store: store.incr(key, expiry, amount), own)

    async def get(self, key: str) -> int:
        return await self._ask(lambda store: store.get(key), await self._own.get(key))

    async def clear(self, key: str) -> None:
        async def cleared(store: "Storage") -> int:
            await store.clear(key)
            return 0

        await self._own.clear(key)
        await self._ask(cleared, 0)

    async def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            await self._pool.aclose()

    async def _ask(self, call: _Call, own: int) -> int:
        """The count of the shared store; while it is unavailable, that of this process."""
        if self._shared is None or self._clock() < self._away_until:
            return own
        from limits.errors import StorageError  # noqa: PLC0415 - see above

        try:
            return await call(self._shared)
        except StorageError as failure:
            # Neither the URL nor the library's message is logged: both may hold a password.
            _log.warning(
                "The store of %s does not answer (%s): each process counts tries by itself.",
                _SETTING,
                type(failure.__cause__).__name__,
            )
            self._away_until = self._clock() + AWAY_FOR_S
            return own

    def _open(self, url: str) -> "Storage":
        from limits.aio.storage import Storage  # noqa: PLC0415 - see above
        from limits.errors import ConfigurationError  # noqa: PLC0415 - only where limits are counted
        from limits.storage import storage_from_string  # noqa: PLC0415 - only where limits are counted

        if not url.startswith(_SCHEMES):
            raise SettingsError(f"must be {IN_MEMORY} or begin with {', '.join(_SCHEMES)}", field=_SETTING)
        try:
            from redis.asyncio import BlockingConnectionPool  # noqa: PLC0415 - only where a store is shared
            from redis.asyncio.retry import Retry  # noqa: PLC0415 - only where limits are counted
            from redis.backoff import NoBackoff  # noqa: PLC0415 - only where limits are counted
        except ImportError as failure:
            raise SettingsError(
                'needs a library that is not installed: pip install "submeter[redis]"', field=_SETTING
            ) from failure
        try:
            self._pool = BlockingConnectionPool.from_url(
                url.replace("redis+unix://", "unix://"),
                max_connections=CONNECTIONS,
                timeout=TIMEOUT_S,
                socket_connect_timeout=TIMEOUT_S,
                socket_timeout=TIMEOUT_S,
                retry=Retry(NoBackoff(), 1),
            )
            store = storage_from_string(
                "async+redis://",  # where it is, the pool knows
                implementation="redispy",
                wrap_exceptions=True,
                connection_pool=self._pool,
            )
        except (ConfigurationError, ValueError) as failure:
            raise SettingsError("cannot be read", field=_SETTING) from failure
        assert isinstance(store, Storage)
        return store
