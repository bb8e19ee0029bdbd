"""Rate limits: counters per address, account, residence or identifier.

In: what is tried, by whom, and the moment. Out: nothing, or RATE_LIMITED with the time to wait. The
counters are kept in memory or in a store that several processes share (`core.rate_limit_store`). The one
rule: the moment is the caller's `now`: the number of the step is part of the counter's name, and the
store's own clock only expires old counters. A limit slides by quarters of its window, and counts five of
them, so that no window holds more than it allows, wherever it begins.

Names are hashed under the application's secret before they become part of a counter's name: a shared store
holds no addresses and no serials.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil

from limits import RateLimitItemPerSecond

from core.access import Visitor
from core.bootstrap import Application
from core.errors import RateLimited
from core.rate_limit_store import Counters

_STEPS = 4


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `amount` of one kind of event, by one name, within any `window`."""

    event: str
    amount: int
    window: timedelta

    @property
    def step_s(self) -> float:
        return self.window.total_seconds() / _STEPS


@dataclass(frozen=True, slots=True)
class Count:
    """The state of a limit: how many events count now, and how long until one more is allowed."""

    events: int
    limit: RateLimit
    retry_after: timedelta

    @property
    def reached(self) -> bool:
        return self.events >= self.limit.amount


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many points for one kind of use, by one name, in each window of the clock: it does not slide."""

    use: str
    points: int
    window: timedelta


class RateLimiter:
    """Counts events against limits.

    Args:
        store: the counters of the application (`Application.counters`).
        secret: the key that names are hashed with.
    """

    def __init__(self, store: Counters, secret: str) -> None:
        self._store = store
        self._key = _key_of(secret)

    @classmethod
    def of(cls, application: Application) -> "RateLimiter":
        return cls(application.counters, application.settings.secret_key)

    async def hit(self, *limits: tuple[RateLimit, str], now: datetime) -> None:
        """Count one event against each limit, or against none if one of them is reached.

        Args:
            limits: each with the name it is counted by: an address, an account's number, a serial as typed.
            now: the moment.

        Raises:
            RateLimited: one is reached; `retry_after` is the longest of the waits.
        """
        await self.check(*limits, now=now)
        after = [await self.count(limit, name, now=now) for limit, name in limits]
        # Concurrent events may all have passed the check, so the count after the hit decides.
        waits = [count.retry_after for count in after if count.events > count.limit.amount]
        if waits:
            raise RateLimited(retry_after=max(waits))

    async def check(self, *limits: tuple[RateLimit, str], now: datetime) -> None:
        """Refuse if one of the limits is reached; count nothing.

        Raises:
            RateLimited: one is reached.
        """
        waits = [count.retry_after for count in await self._counts(limits, now) if count.reached]
        if waits:
            raise RateLimited(retry_after=max(waits))

    async def count(self, limit: RateLimit, name: str, *, now: datetime) -> Count:
        """Count one event, reached or not; returns the state of the limit after it."""
        *older, newest = self._counters(limit, name, now)
        # The store returns this event's own position in the sequence, also for concurrent events.
        place = await self._store.incr(newest, ceil(2 * limit.window.total_seconds()))
        return _count([*[await self._store.get(counter) for counter in older], place], limit, now)

    async def spend(self, allowance: Allowance, name: str, points: int, *, now: datetime) -> int:
        """Take points from an allowance, whether or not so many are left; returns all that were taken."""
        window_s = ceil(allowance.window.total_seconds())
        counter = f"submeter/points/{allowance.use}/{self._hashed(name)}/{int(now.timestamp()) // window_s}"
        return await self._store.incr(counter, 2 * window_s, amount=points)

    async def refund(self, limit: RateLimit, name: str, *, now: datetime) -> None:
        """Uncount one event that was counted beforehand: the try was right."""
        newest = self._counters(limit, name, now)[-1]
        if await self._store.get(newest) > 0:
            await self._store.incr(newest, ceil(2 * limit.window.total_seconds()), amount=-1)

    async def forget(self, limit: RateLimit, name: str, *, now: datetime) -> None:
        """Reset a count, after a successful try."""
        for counter in self._counters(limit, name, now):
            await self._store.clear(counter)

    async def peek(self, limit: RateLimit, name: str, *, now: datetime) -> Count:
        """The state of a limit, without counting."""
        events = [await self._store.get(counter) for counter in self._counters(limit, name, now)]
        return _count(events, limit, now)

    async def _counts(self, limits: Iterable[tuple[RateLimit, str]], now: datetime) -> list[Count]:
        return [await self.peek(limit, name, now=now) for limit, name in limits]

    def _counters(self, limit: RateLimit, name: str, now: datetime) -> list[str]:
        """The names of the counters within the window at a moment, the oldest first."""
        hashed = self._hashed(name)
        item = RateLimitItemPerSecond(limit.amount, ceil(limit.window.total_seconds()), namespace="submeter")
        newest = int(now.timestamp() // limit.step_s)
        return [
            item.key_for(limit.event, hashed, str(number)) for number in range(newest - _STEPS, newest + 1)
        ]

    def _hashed(self, name: str) -> str:
        return hmac.digest(self._key, name.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]


@lru_cache(maxsize=8)
def _key_of(secret: str) -> bytes:
    return hashlib.sha256(b"submeter limits v1" + secret.encode()).digest()


def network_of(visitor: Visitor) -> str:
    """The name an address is counted by: an IPv4 address, or the IPv6 /64 that one household has."""
    try:
        address = ip_address(visitor.address or "")
    except ValueError:
        return visitor.address or "none"
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> 64 << 64))


def _count(events: Sequence[int], limit: RateLimit, now: datetime) -> Count:
    return Count(sum(events), limit, timedelta(seconds=ceil(_wait_s(limit, events, now))))


def _wait_s(limit: RateLimit, events: Sequence[int], now: datetime) -> float:
    """Seconds until one more event is allowed: until enough of the oldest steps no longer count."""
    left = sum(events)
    if left < limit.amount:
        return 0.0
    to_next_step_s = limit.step_s - now.timestamp() % limit.step_s
    for steps, gone in enumerate(events):
        left -= gone
        if left < limit.amount:
            return to_next_step_s + steps * limit.step_s
    return to_next_step_s + _STEPS * limit.step_s
