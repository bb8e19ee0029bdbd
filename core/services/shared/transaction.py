"""Transactions that a cancelled caller cannot interrupt: `@transactional` runs a service's body to its end.

A task cancelled while Tortoise is opening a transaction never returns its connection to the pool, and a
closed WebSocket or a time-out does cancel tasks. So the body runs in a task of its own, shielded: the
caller may be cancelled, the transaction is committed or rolled back as a whole.

SQLite: a transaction takes the right to write at its beginning (BEGIN IMMEDIATE) and waits for it there.
One that reads first and writes later fails at once, without waiting, if another connection has written
meanwhile (SQLITE_BUSY_SNAPSHOT, sqlite.org/lang_transaction.html).
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient
from tortoise.context import require_context
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

P = ParamSpec("P")
T = TypeVar("T")

ROLLBACK_S = 5
"""Longer than a database takes to roll back."""

_MOST_TRIES = 5

_running: set[asyncio.Task[object]] = set()


def current_database() -> BaseDBAsyncClient:
    """The open database, or the transaction if this task is within one."""
    context = require_context()
    return context.connections.get(context.default_connection or "")


def is_sqlite(connection: BaseDBAsyncClient) -> bool:
    """Whether the database is SQLite: one writer, one table for all readings."""
    return connection.capabilities.dialect == "sqlite"


def transactional(
    body: Callable[Concatenate[TransactionalDBClient, P], Awaitable[T]],
) -> Callable[P, Awaitable[T]]:
    """Give `body` an open transaction as its first argument; an exception rolls everything back."""

    @wraps(body)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        async def within() -> T:
            is_outermost = not isinstance(current_database(), TransactionalDBClient)
            async with in_transaction() as connection:
                if is_outermost and is_sqlite(connection):
                    # Ends the transaction that Tortoise has begun, in which nothing was done yet.
                    await connection.execute_script("BEGIN IMMEDIATE")
                return await body(connection, *args, **kwargs)

        task = asyncio.create_task(within())
        _running.add(task)  # asyncio itself keeps no task alive
        task.add_done_callback(_look_at_failure)
        return await asyncio.shield(task)

    return run


async def cancel_running() -> None:
    """Cancel the bodies that are under way, as at the end of a process: what they did is rolled back."""
    tasks = [task for task in _running if task.get_loop() is asyncio.get_running_loop()]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=ROLLBACK_S)


async def tried_again(write: Callable[[], Awaitable[T]]) -> T:
    """Run a transaction, again if another process has written meanwhile what it compares with."""
    for _ in range(_MOST_TRIES - 1):
        try:
            return await write()
        except Exception as error:
            if not (isinstance(error, IntegrityError) or begins_again(error)):
                raise
    return await write()


def begins_again(error: BaseException) -> bool:
    """Whether PostgreSQL rolled a transaction back only because of another one: it may be tried again.

    40001 serialization_failure, 40P01 deadlock_detected (PostgreSQL, appendix A).
    """
    return sqlstate_of(error) in {"40001", "40P01"}


def sqlstate_of(error: BaseException) -> str:
    """PostgreSQL's code of an error, which Tortoise may have wrapped; nothing if it is another's."""
    found = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
    return str(found or "")


def _look_at_failure(task: asyncio.Task[object]) -> None:
    """Retrieve a failure whose caller was cancelled, or asyncio would report it as never retrieved."""
    _running.discard(task)
    if not task.cancelled():
        task.exception()
