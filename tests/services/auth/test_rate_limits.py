"""Rate limits: counted by the application's clock, sliding, and common to all that share a store."""

import asyncio
from datetime import timedelta

import pytest
from limits.aio.storage import MemoryStorage

from core.access import Visitor
from core.errors import RateLimited
from core.services.auth.rate_limits import RateLimit, RateLimiter, network_of
from tests.support.factories import NOW

TEN = RateLimit("guess", 10, timedelta(minutes=15))
TWO = RateLimit("other", 2, timedelta(hours=1))


@pytest.fixture
def limiter() -> RateLimiter:
    return RateLimiter(MemoryStorage(), "secret")


async def allowed(limiter, count, *limits, now=NOW) -> int:
    """How many of so many tries are allowed."""
    through = 0
    for _ in range(count):
        try:
            await limiter.hit(*limits, now=now)
        except RateLimited:
            continue
        through += 1
    return through


async def test_tries_beyond_the_limit_are_refused(limiter) -> None:
    """The refusal states when to retry, and a try at that moment is allowed."""
    assert await allowed(limiter, 1_000, (TEN, "a")) == 10
    with pytest.raises(RateLimited) as refused:
        await limiter.hit((TEN, "a"), now=NOW)
    wait = timedelta(seconds=refused.value.retry_after_s)
    assert refused.value.details == {"retryAfter": refused.value.retry_after_s}
    assert timedelta() < wait <= 2 * TEN.window
    assert await allowed(limiter, 1, (TEN, "a"), now=NOW + wait - timedelta(seconds=1)) == 0
    assert await allowed(limiter, 1, (TEN, "a"), now=NOW + wait) == 1


async def test_a_refused_try_does_not_lengthen_the_wait(limiter) -> None:
    """An attacker that continues does not lengthen the lock."""
    await allowed(limiter, 10, (TEN, "a"))
    before = await limiter.peek(TEN, "a", now=NOW)
    await allowed(limiter, 500, (TEN, "a"))
    assert await limiter.peek(TEN, "a", now=NOW) == before


@pytest.mark.parametrize("offset_s", [0, 60, 299, 450, 899])
async def test_no_window_allows_more_than_the_limit(limiter, offset_s) -> None:
    """Whenever the tries begin, any fifteen minutes allow ten and no more."""
    begin = NOW + timedelta(seconds=offset_s)
    through = [
        begin + timedelta(seconds=5 * step)
        for step in range(720)
        if await allowed(limiter, 1, (TEN, "a"), now=begin + timedelta(seconds=5 * step))
    ]
    busiest = max(sum(1 for other in through if one <= other < one + TEN.window) for one in through)
    assert busiest == 10
    assert len(through) >= 30


async def test_tries_at_the_same_instant_are_counted_too(limiter) -> None:
    """A thousand concurrent connections are allowed no more than one after the other."""
    tries = await asyncio.gather(
        *(limiter.hit((TEN, "a"), now=NOW) for _ in range(1_000)), return_exceptions=True
    )
    assert sum(one is None for one in tries) == 10


async def test_each_name_and_each_limit_is_counted_separately(limiter) -> None:
    """A limit that is reached refuses the try as a whole, without counting it for the others."""
    assert await allowed(limiter, 5, (TEN, "a"), (TWO, "x")) == 2
    assert await allowed(limiter, 20, (TEN, "a")) == 8
    assert await allowed(limiter, 20, (TEN, "b")) == 10


async def test_a_success_resets_the_count(limiter) -> None:
    """Of every window."""
    await allowed(limiter, 10, (TEN, "a"))
    await limiter.forget(TEN, "a", now=NOW)
    assert await allowed(limiter, 20, (TEN, "a")) == 10


async def test_those_who_share_a_store_share_the_count() -> None:
    """Two processes of one application count together; two applications with one store do not."""
    store = MemoryStorage()
    one, other, stranger = (
        RateLimiter(store, "secret"),
        RateLimiter(store, "secret"),
        RateLimiter(store, "another"),
    )
    assert await allowed(one, 6, (TEN, "a")) == 6
    assert await allowed(other, 6, (TEN, "a")) == 4
    assert await allowed(stranger, 6, (TEN, "a")) == 6


async def test_a_store_has_no_names_in_the_clear() -> None:
    """Neither addresses nor serials can be read from it."""
    store = MemoryStorage()
    await RateLimiter(store, "secret").hit((TEN, "claire@example.org"), (TEN, "\ud800"), now=NOW)
    assert "claire" not in repr(dict(store.storage))


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("a socket", "a socket"),
        (None, "none"),
    ],
)
def test_a_household_is_one_address(address, name) -> None:
    """Its 2^64 IPv6 addresses are counted as one."""
    assert network_of(Visitor(address)) == name
