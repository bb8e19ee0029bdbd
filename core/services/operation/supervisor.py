"""Runs the kinds of work of a process beside each other, until the process is to stop.

In: a list of work, and an event that says when to stop. Out: nothing; each piece of work ends by itself.
The one rule: one that fails is begun again after a wait, reported once and counted, and never takes the
others with it. At the stop each may finish what it has begun; what takes longer than allowed is cancelled,
and its transaction is rolled back.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import anyio

from core.bootstrap import Application
from core.database_errors import is_unreachable
from core.services.shared.transaction import cancel_running
from core.telemetry import metrics

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0

_log = logging.getLogger(__name__)

Pause: TypeAlias = Callable[[asyncio.Event, float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of work that a process does until it is to stop.

    Attributes:
        name: one of `core.settings.WORK`.
        run: does the work until the event is set, then returns soon, with nothing half done. It returns
            earlier where there is nothing to do for this process; it raises what it cannot go on after.
    """

    name: str
    run: Callable[[Application, asyncio.Event], Awaitable[None]]


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until the process is to stop."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def supervise(
    application: Application, works: Sequence[Work], stop: asyncio.Event, *, waiting: Pause = pause
) -> None:
    """Do all the work until `stop` is set, and then for no longer than `stop_seconds` of the settings.

    Args:
        application: whose work it is.
        works: what to do.
        stop: set when the process is to stop.
        waiting: waits before a piece of work is begun again.
    """
    async with anyio.create_task_group() as group:
        for work in works:
            group.start_soon(_keep_running, application, work, stop, waiting, name=work.name)
        await stop.wait()
        group.cancel_scope.deadline = anyio.current_time() + application.settings.stop_seconds
    if group.cancel_scope.cancelled_caught:
        _log.warning("Work that had begun did not finish in time: its transactions are rolled back.")
        await cancel_running()


async def _keep_running(application: Application, work: Work, stop: asyncio.Event, waiting: Pause) -> None:
    wait_s, reported = FIRST_WAIT_S, ""
    while not stop.is_set():
        begun = anyio.current_time()
        try:
            await work.run(application, stop)
        except Exception as failure:  # noqa: BLE001 - whatever it is, the other work goes on
            if anyio.current_time() - begun > LONGEST_WAIT_S:  # it had worked meanwhile
                wait_s, reported = FIRST_WAIT_S, ""
            reported = _report(work, failure, reported)
            metrics.WORK_FAILURES.labels(work.name).inc()
            await waiting(stop, wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        else:
            return


def _report(work: Work, failure: Exception, reported: str) -> str:
    """Log a failure, unless the one before was of its kind; returns its kind."""
    kind = type(failure).__qualname__
    if kind == reported:
        _log.debug("Work %s failed again: %s", work.name, kind)
    elif is_unreachable(failure):
        _log.error("Work %s waits: the database cannot be reached (%s).", work.name, kind)
    else:
        _log.error("Work %s failed; it is begun again.", work.name, exc_info=failure)
    return kind
