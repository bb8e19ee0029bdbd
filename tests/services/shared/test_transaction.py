"""Transactions that a cancelled caller cannot interrupt."""

import asyncio
from pathlib import Path

import pytest

from core.access import Role, Viewer
from core.models import AuditRecord, Operator
from core.services.shared.guest_looks import DataLook, record_looks
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


async def test_a_look_that_is_cancelled_leaks_no_connection(application, now) -> None:
    """A guest's look is recorded while an answer is made, and a field that fails beside it cancels it: at
    whatever moment that is, the database answers afterwards, and a look is recorded.
    """
    guest = Viewer(Role.HOUSEHOLD_MEMBER)
    for number in range(60):
        look = DataLook(number, "dashboard", None, None)
        caller = asyncio.create_task(record_looks(guest, [look], now=now))
        for _ in range(number % 20):
            await asyncio.sleep(0)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
    async with asyncio.timeout(20):
        await asyncio.gather(
            *(
                record_looks(guest, [DataLook(1_000 + number, "dashboard", None, None)], now=now)
                for number in range(12)
            )
        )
        assert await AuditRecord.filter(subject_id__gte=1_000).count() == 12


def test_nobody_opens_a_transaction_in_another_way() -> None:
    """Only `@transactional` opens them: one that its caller may interrupt keeps its connection for ever.
    Partitions are made and dropped by intake and jobs alone, which nothing cancels but the process's end.
    """
    root = Path(__file__).resolve().parents[3]
    opening = [
        path.relative_to(root).as_posix()
        for package in ("core", "graphql_schema", "notifications", "submeter")
        for path in sorted((root / package).rglob("*.py"))
        if "in_transaction(" in path.read_text(encoding="utf-8")
    ]
    assert opening == ["core/services/shared/partitions.py", "core/services/shared/transaction.py"]


async def test_an_unreachable_database_is_reported_as_unhealthy(application, monkeypatch) -> None:
    """The health check answers no, and raises nothing."""

    async def broken(*args):
        raise OSError("gone")

    monkeypatch.setattr(type(current_database()), "execute_query", broken)
    assert not await database_answers()
