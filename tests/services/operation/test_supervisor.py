"""The supervisor: what fails is begun again, alone; a stop is finished or rolled back."""

import asyncio
import logging
from dataclasses import replace

import pytest

from core.bootstrap import Application
from core.models import Operator
from core.services.operation.supervisor import FIRST_WAIT_S, LONGEST_WAIT_S, Work, supervise
from core.services.shared.transaction import transactional
from core.telemetry import metrics


class Waits:
    """Stands for the waits of the supervisor: notes them, and stops after so many."""

    def __init__(self, stop: asyncio.Event, most: int) -> None:
        self.seconds: list[float] = []
        self._stop, self._most = stop, most

    async def __call__(self, _stop: asyncio.Event, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) == self._most:
            self._stop.set()
        await asyncio.sleep(0)


@pytest.fixture
def stop() -> asyncio.Event:
    return asyncio.Event()


def failures(work: str) -> float:
    return metrics.REGISTRY.get_sample_value("submeter_work_failures_total", {"work": work}) or 0.0


async def test_what_fails_is_begun_again_and_takes_nothing_with_it(application, stop, caplog) -> None:
    """After waits that double up to a minute; reported once, counted each time; the other work goes on."""
    begun = []

    async def broken(_application: Application, _stop: asyncio.Event) -> None:
        begun.append("broken")
        raise LookupError("always")

    async def sound(_application: Application, stop: asyncio.Event) -> None:
        begun.append("sound")
        await stop.wait()

    waits, before = Waits(stop, 9), failures("jobs")
    await supervise(application, [Work("jobs", broken), Work("outbox", sound)], stop, waiting=waits)
    assert (begun.count("broken"), begun.count("sound")) == (9, 1)
    assert waits.seconds == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (waits.seconds[0], max(waits.seconds)) == (FIRST_WAIT_S, LONGEST_WAIT_S)
    assert failures("jobs") == before + 9
    assert [record.levelno for record in caplog.records if "jobs failed" in record.message] == [logging.ERROR]


async def test_a_database_that_is_away_is_one_line_without_a_traceback(application, stop, caplog) -> None:
    """And another fault after it is reported again."""
    faults = iter([ConnectionRefusedError("no"), ConnectionRefusedError("no"), ValueError("ours")])

    async def run(_application: Application, _stop: asyncio.Event) -> None:
        raise next(faults)

    await supervise(application, [Work("outbox", run)], stop, waiting=Waits(stop, 3))
    first, second = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (first.message, first.exc_info) == (
        "Work outbox waits: the database cannot be reached (ConnectionRefusedError).",
        None,
    )
    assert second.exc_info is not None


async def test_work_that_has_an_end_is_not_begun_again(application, stop) -> None:
    """It returned: there was nothing more to do."""
    begun = []

    async def run(_application: Application, _stop: asyncio.Event) -> None:
        begun.append(1)
        stop.set()

    await supervise(application, [Work("ingest", run)], stop, waiting=Waits(stop, 1))
    assert begun == [1]


async def test_what_has_begun_may_finish_after_the_stop(application, stop) -> None:
    """Within the time that a stop may take."""
    done = []

    async def run(_application: Application, stop: asyncio.Event) -> None:
        stop.set()
        for _ in range(10):
            await asyncio.sleep(0)
        done.append(1)

    await supervise(application, [Work("ingest", run)], stop)
    assert done == [1]


async def test_what_takes_too_long_is_rolled_back(application, stop, caplog) -> None:
    """The transaction of a batch that does not end in time leaves nothing, and its connection is free."""
    hasty = Application(replace(application.settings, stop_seconds=0), application.registry)

    @transactional
    async def batch(connection) -> None:
        await Operator.create(code="half", name="half", using_db=connection)
        stop.set()
        await asyncio.Event().wait()  # as behind a lock that is not granted

    async def run(_application: Application, _stop: asyncio.Event) -> None:
        await batch()

    await supervise(hasty, [Work("ingest", run)], stop)
    assert "did not finish in time" in caplog.text
    assert await Operator.all().count() == 0
    await hasty.counters.close()
