"""A thread of its own for intake: decoding and storing, with its own database connection.

In: jobs, from the event loop of a server or worker. Out: their results, there. The one rule: one job at a
time, and none of it on the caller's event loop: a batch is CPU work and long transactions, and whoever
shares the loop (residents, health checks, a broker's keep-alive) would wait for it. With SQLite the
connection of its own matters as much: others read on theirs while a batch is written.

The thread starts with the first job; whoever made it closes it, after the last.
"""

import asyncio
import logging
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias, TypeVar

from tortoise.context import TortoiseContext

from core.bootstrap import Application, database_config

T = TypeVar("T")

SWITCH_S: Final = 0.001
"""How long this thread computes before it lets the event loop's go on: each answer needs that several times,
and Python's 5 ms (sys.setswitchinterval) would add up.
"""

_Job: TypeAlias = Callable[[Application], Awaitable[Any]]

_log = logging.getLogger(__name__)


class IntakeThread:
    """Runs jobs one after the other, in a thread that has the database open.

    Args:
        application: whose settings and drivers the jobs get.

    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._jobs: asyncio.Queue[tuple[_Job, Future[Any]] | None] | None = None
        self._started: Future[None] = Future()

    async def run(self, job: Callable[[Application], Awaitable[T]]) -> T:
        """The job's result; a caller that is cancelled does not interrupt a job that has begun."""
        await self._start()
        assert self._loop is not None
        assert self._jobs is not None
        done: Future[T] = Future()
        asyncio.run_coroutine_threadsafe(self._jobs.put((job, done)), self._loop)
        return await asyncio.wrap_future(done)

    async def close(self) -> None:
        """Finish the job that runs and the ones before this call, and end the thread."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        await asyncio.wrap_future(self._started)
        assert self._loop is not None
        assert self._jobs is not None
        asyncio.run_coroutine_threadsafe(self._jobs.put(None), self._loop)
        await asyncio.to_thread(thread.join)

    async def _start(self) -> None:
        if self._thread is None:
            self._started = Future()
            # A daemon: a process that is ended without closing must not hang; transactions are whole anyway.
            self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
            sys.setswitchinterval(SWITCH_S)
            self._thread.start()
        await asyncio.shield(asyncio.wrap_future(self._started))

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as failure:  # noqa: BLE001 - whoever waits for the start gets it
            _log.exception("The intake thread has ended; the next delivery starts another.")
            self._thread = None
            if not self._started.done():
                self._started.set_exception(failure)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs = asyncio.Queue()
        async with _beside(self._application) as application:
            self._started.set_result(None)
            while (item := await self._jobs.get()) is not None:
                job, done = item
                if done.set_running_or_notify_cancel():
                    await _finish(job, application, done)


async def _finish(job: _Job, application: Application, done: Future[Any]) -> None:
    try:
        done.set_result(await job(application))
    except BaseException as failure:
        done.set_exception(failure)
        if not isinstance(failure, Exception):
            raise


@asynccontextmanager
async def _beside(application: Application) -> AsyncIterator[Application]:
    """The application once more, with connections of this thread's event loop.

    The models are those of the process and have been initialised: only connections are new. Initialising
    them again would change what the other thread is using.
    """
    async with TortoiseContext() as context:
        await context.init(config=database_config(application.settings), init_connections=False)
        beside = Application(settings=application.settings, registry=application.registry)
        try:
            yield beside
        finally:
            for close in reversed(beside.closing):
                await close()
            await beside.counters.close()
