"""A store that several processes share: they count together, and none fails when it is unreachable."""

import asyncio
import json
import logging
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from core.access import Visitor
from core.bootstrap import Application, open_application
from core.errors import AccountLocked, RateLimited, SignInRefused
from core.rate_limit_store import AWAY_FOR_S, RateLimitStore
from core.services.accounts.sign_in import sign_in
from core.services.auth.rate_limits import RateLimit, RateLimiter
from core.settings import Settings, SettingsError
from tests.support import factories
from tests.support.factories import NOW, PASSWORD
from tests.support.servers.redis_server import redis_server

TEN = RateLimit("guess", 10, timedelta(minutes=15))
SECRET = "a secret of the tests"


class Seconds:
    """A clock that only a test advances."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server():
    with redis_server() as server:
        yield server


@pytest.fixture(autouse=True)
def patience(monkeypatch) -> None:
    """The server here is a thread of the test: a busy machine must not count as an outage."""
    monkeypatch.setattr("core.rate_limit_store.TIMEOUT_S", 60.0)


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
async def open_store(server, seconds):
    """Opens the store as each of several processes would."""
    opened = []

    def store() -> RateLimitStore:
        opened.append(RateLimitStore(server.url, clock=seconds))
        return opened[-1]

    yield store
    for one in opened:
        await one.close()


async def allowed(limiter, count, name="a", *, now=NOW) -> int:
    """How many of so many tries are allowed."""
    through = 0
    for _ in range(count):
        try:
            await limiter.hit((TEN, name), now=now)
        except RateLimited:
            continue
        through += 1
    return through


async def test_processes_that_share_a_store_count_together(open_store) -> None:
    """A name refused by one is refused by the other, and a success resets the count of both."""
    one, other = RateLimiter(open_store(), SECRET), RateLimiter(open_store(), SECRET)
    assert (await allowed(one, 6), await allowed(other, 6)) == (6, 4)
    assert (await allowed(one, 3, "b"), await allowed(other, 20, "b")) == (3, 7)
    await other.refund(TEN, "a", now=NOW)
    assert (await one.peek(TEN, "a", now=NOW)).events == 9
    await one.forget(TEN, "a", now=NOW)
    assert await allowed(other, 20) == 10


async def test_tries_at_the_same_instant_are_counted_too(open_store) -> None:
    """Of a hundred concurrent tries over three processes, ten are allowed."""
    limiters = [RateLimiter(open_store(), SECRET) for _ in range(3)]
    tries = await asyncio.gather(
        *(limiters[number % 3].hit((TEN, "a"), now=NOW) for number in range(100)), return_exceptions=True
    )
    assert {type(one) for one in tries} <= {type(None), RateLimited}
    assert sum(one is None for one in tries) == 10


async def test_a_separate_process_counts_in_the_same_store(open_store, server) -> None:
    """Another interpreter, given only the address, adds its tries to the same count."""
    ours = RateLimiter(open_store(), SECRET)
    assert await allowed(ours, 6) == 6
    program = """
import asyncio, json, sys
from datetime import datetime, timedelta
from core.errors import RateLimited
from core.rate_limit_store import RateLimitStore
from core.services.auth.rate_limits import RateLimit, RateLimiter

async def main(url, secret, now):
    store, limit = RateLimitStore(url), RateLimit("guess", 10, timedelta(minutes=15))
    limiter, through = RateLimiter(store, secret), 0
    for _ in range(6):
        try:
            await limiter.hit((limit, "a"), now=datetime.fromisoformat(now))
            through += 1
        except RateLimited:
            pass
    await store.close()
    print(json.dumps(through))

asyncio.run(main(*sys.argv[1:]))
"""
    command = [sys.executable, "-c", program, server.url, SECRET, NOW.isoformat()]
    answer = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == 4
    assert await allowed(ours, 3) == 0


async def test_a_shared_store_has_no_names_in_the_clear(open_store, server) -> None:
    """Neither addresses nor serials can be read from it, and its entries expire."""
    await RateLimiter(open_store(), SECRET).hit((TEN, "claire@example.org"), now=NOW)
    (key,) = server.keys()
    assert "claire" not in key
    store = open_store()
    (left_s,) = [await store._shared.get_expiry(key.removeprefix("LIMITS:"))]
    assert left_s > 0


async def test_without_its_store_a_process_counts_alone(open_store, server, seconds, caplog) -> None:
    """From what it has counted before, so an attacker gains nothing; it logs this once, without the URL."""
    store = open_store()
    limiter, other = RateLimiter(store, SECRET), RateLimiter(open_store(), SECRET)
    assert (await allowed(limiter, 4), await allowed(other, 3)) == (4, 3)
    server.stop()
    with caplog.at_level(logging.WARNING, "core.rate_limit_store"):
        assert await allowed(limiter, 20) == 6
    (line,) = caplog.messages
    assert line == (
        "The store of SUBMETER_LIMITS_URL does not answer (ConnectionError): "
        "each process counts tries by itself."
    )
    server.start()
    seconds.now += AWAY_FOR_S - 0.5
    assert (await limiter.peek(TEN, "a", now=NOW)).events == 10
    seconds.now += 0.5
    assert (await limiter.peek(TEN, "a", now=NOW)).events == 7


async def test_a_restarted_store_is_used_again(open_store, server, seconds) -> None:
    """Connections from before the restart are dead, and no try is refused because of them."""
    limiter = RateLimiter(open_store(), SECRET)
    assert await allowed(limiter, 4) == 4
    server.stop()
    server.start()
    assert await allowed(limiter, 20) == 6
    assert (await limiter.peek(TEN, "a", now=NOW)).events == 10


async def test_people_sign_in_while_the_store_is_unreachable(settings, registry, server) -> None:
    """Guessing is still limited, and no try ends in an internal error."""
    server.stop()
    async with open_application(replace(settings, limits_url=server.url), registry=registry) as application:
        await factories.account()
        me = Visitor("192.0.2.7")
        signed_in = await sign_in(application, "claire.martin@example.org", PASSWORD, visitor=me, now=NOW)
        assert signed_in.session.token
        refusals = []
        for number in range(12):
            stranger = Visitor(f"198.51.100.{number}")
            with pytest.raises((SignInRefused, AccountLocked)) as refused:
                await sign_in(application, "claire.martin@example.org", "wrong", visitor=stranger, now=NOW)
            refusals.append(type(refused.value))
        assert refusals == [SignInRefused] * 10 + [AccountLocked] * 2


async def test_two_applications_lock_an_account_together(settings, registry, server) -> None:
    """Guesses spread over both processes are ten in all."""
    mine = replace(settings, limits_url=server.url)
    async with open_application(mine, registry=registry) as one:
        other = Application(mine, registry)
        await factories.account()
        refusals = []
        for number in range(12):
            stranger = Visitor(f"198.51.100.{number}")
            with pytest.raises((SignInRefused, AccountLocked)) as refused:
                await sign_in(
                    (one, other)[number % 2],
                    "claire.martin@example.org",
                    "wrong",
                    visitor=stranger,
                    now=NOW,
                )
            refusals.append(type(refused.value))
        assert refusals == [SignInRefused] * 10 + [AccountLocked] * 2
        await other.counters.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense://me:word@host", "must be memory:// or begin with redis://"),
        ("memcached://me:word@host", "must be memory:// or begin with redis://"),
        ("redis://me:word@host:port", "cannot be read"),
    ],
)
def test_an_invalid_store_is_reported_by_its_setting(tmp_path, registry, url, says) -> None:
    """The URL is not quoted, since it may contain a password."""
    settings = Settings(tmp_path, "sqlite:///x.db", "s" * 32, limits_url=url)
    with pytest.raises(SettingsError, match=f"^SUBMETER_LIMITS_URL {says}") as refused:
        Application(settings, registry)
    assert "word" not in str(refused.value)


def test_a_shared_store_requires_its_library(monkeypatch) -> None:
    """Where it is not installed, the start names what to install."""
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(SettingsError, match=r'SUBMETER_LIMITS_URL .* pip install "submeter\[redis\]"'):
        RateLimitStore("redis://127.0.0.1:6379")


async def test_a_store_that_does_not_answer_is_given_up(seconds, monkeypatch) -> None:
    """One that accepts the connection and does not answer is given up after its time limit."""
    monkeypatch.setattr("core.rate_limit_store.TIMEOUT_S", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = RateLimitStore(f"redis://127.0.0.1:{silent.getsockname()[1]}", clock=seconds)
        assert await allowed(RateLimiter(store, SECRET), 20) == 10
        await store.close()
