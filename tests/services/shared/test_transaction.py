"""Transactions that a cancelled caller cannot interrupt."""

import asyncio

import pytest

from core.models import Operator
from core.services.shared.health import database_answers
from core.services.shared.transaction import current_database, transactional


@transactional
async def make(connection, code, *, gate=None, fail=False):
    """An operator, once the gate is open."""
    await Operator.create(code=code, name=code, using_db=connection)
    if gate is not None:
        await gate.wait()
    if fail:
        raise RuntimeError("no")
    return code


async def test_a_transaction_is_committed_or_rolled_back_as_a_whole(application) -> None:
    """The answer or the exception reaches the caller."""
    assert await make("a") == "a"
    with pytest.raises(RuntimeError):
        await make("b", fail=True)
    assert [row.code for row in await Operator.all()] == ["a"]


@pytest.mark.parametrize("fail", [True, False])
async def test_a_cancelled_caller_leaves_a_whole_transaction(application, fail) -> None:
    """The transaction is committed or rolled back as a whole after its caller was cancelled."""
    gate = asyncio.Event()
    caller = asyncio.create_task(make("a", gate=gate, fail=fail))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    gate.set()
    await make("last")
    for _ in range(1000):
        codes = sorted([row.code for row in await Operator.all()])
        if fail or codes == ["a", "last"]:
            break
    assert codes == (["last"] if fail else ["a", "last"])


async def test_cancelled_callers_leak_no_connection(application) -> None:
    """However many callers are cancelled at any moment, the pool of five still serves."""
    for number in range(60):
        caller = asyncio.create_task(make(f"c{number}"))
        for _ in range(number % 12):
            await asyncio.sleep(0)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
    async with asyncio.timeout(20):
        assert await asyncio.gather(*(make(f"d{number}") for number in range(12)))
        assert await Operator.filter(code__startswith="d").count() == 12
    assert await database_answers()


async def test_an_unreachable_database_is_reported_as_unhealthy(application, monkeypatch) -> None:
    """The health check answers no, and raises nothing."""

    async def broken(*args):
        raise OSError("gone")

    monkeypatch.setattr(type(current_database()), "execute_query", broken)
    assert not await database_answers()
