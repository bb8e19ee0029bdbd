"""The queue before intake: order, turns and room, and what becomes of it when the application closes."""

import asyncio
import threading
from typing import Any

import pytest

from core.access import SYSTEM, Role, Viewer
from core.bootstrap import Application, open_application
from core.errors import Busy, Forbidden
from core.metering import Registry
from core.models import DeadLetter
from core.services.shared.transaction import transactional
from core.services.telegrams import intake_queue
from core.services.telegrams.intake_queue import LONGEST_WAIT, IntakeQueue
from core.services.telegrams.pipeline import IntakeSummary
from core.settings import Settings

EAST = Viewer(role=Role.GATEWAY, gateway_id=1, operator_id=1)
WEST = Viewer(role=Role.GATEWAY, gateway_id=2, operator_id=1)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Intake that stores nothing, and notes the source of each delivery."""
    sources: list[str] = []

    async def take_in(_: Application, __: Viewer, texts: Any, *, source: str, **___: Any) -> IntakeSummary:
        sources.append(source)
        return IntakeSummary(lines=len(texts))

    monkeypatch.setattr(intake_queue, "take_in", take_in)
    return sources


async def submit_all(queue: IntakeQueue, now: Any, *sources: tuple[Viewer, str]) -> list[Any]:
    return await asyncio.gather(
        *(queue.submit(viewer, [source], source=source, received_at=now) for viewer, source in sources),
        return_exceptions=True,
    )


async def test_senders_take_turns_and_each_keeps_its_order(application, taken, now) -> None:
    """A backlog of one gateway keeps another waiting for one delivery, not for all."""
    queue = IntakeQueue(application)
    await submit_all(queue, now, (EAST, "e1"), (EAST, "e2"), (EAST, "e3"), (WEST, "w1"), (WEST, "w2"))
    assert taken == ["e1", "w1", "e2", "w2", "e3"]
    assert queue.waiting_lines == 0


async def test_a_delivery_larger_than_the_room_is_taken_in_alone(application, taken, now) -> None:
    """It finds nothing waiting; what comes behind it is asked to wait as long as the rate says."""
    ticks = iter(range(0, 10_000, 100))
    queue = IntakeQueue(application, most_lines=2, seconds=lambda: float(next(ticks)))
    first = asyncio.create_task(queue.submit(EAST, ["x"] * 5, source="large", received_at=now))
    await asyncio.sleep(0)
    with pytest.raises(Busy) as refused:
        queue.check_room(WEST)
    assert refused.value.retry_after_s == 1
    assert (await first).summary.lines == 5
    # Each of the following takes the clock's 100 s: the rate falls, and the wait grows to its limit.
    for _ in range(40):
        await queue.submit(EAST, ["x"], source="slow", received_at=now)
    behind = asyncio.create_task(queue.submit(EAST, ["x"] * 3, source="large", received_at=now))
    await asyncio.sleep(0)
    with pytest.raises(Busy) as refused:
        queue.check_room(WEST)
    assert refused.value.retry_after_s == LONGEST_WAIT.total_seconds()
    await behind
    queue.check_room(WEST)


async def test_who_may_not_submit_waits_for_nothing(application, taken, now) -> None:
    """Refused at once, and nothing is queued."""
    queue = IntakeQueue(application)
    with pytest.raises(Forbidden):
        await queue.submit(Viewer(role=Role.RESIDENT), ["x"], source="x", received_at=now)
    assert (queue.waiting_lines, taken) == (0, [])


async def test_one_faulty_delivery_is_its_senders_alone(application, taken, now, monkeypatch) -> None:
    """What its intake raises reaches its sender; the next delivery is taken in."""
    take_in = intake_queue.take_in

    async def faulty(*args: Any, source: str, **kwargs: Any) -> IntakeSummary:
        if source == "faulty":
            raise LookupError(source)
        return await take_in(*args, source=source, **kwargs)

    monkeypatch.setattr(intake_queue, "take_in", faulty)
    queue = IntakeQueue(application)
    first, second = await submit_all(queue, now, (EAST, "faulty"), (EAST, "whole"))
    assert isinstance(first, LookupError)
    assert second.summary.lines == 1
    assert queue.waiting_lines == 0


async def test_a_sender_that_hangs_up_is_taken_in_all_the_same(application, now) -> None:
    """Its lines are stored once; it will deliver them again, which counts another sighting."""
    queue = IntakeQueue(application)
    task = asyncio.create_task(queue.submit(SYSTEM, ["noise"], source="roof", received_at=now))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert (await queue.submit(SYSTEM, ["noise"], source="roof", received_at=now)).summary.lines == 1
    assert (await DeadLetter.get()).times_seen == 2


async def test_what_is_being_taken_in_is_committed_before_the_application_closes(
    settings: Settings, registry: Registry, now, monkeypatch
) -> None:
    """Closing finishes the batch that has begun; what waits, and what comes, is asked to come again."""
    begun = threading.Event()
    take_in = intake_queue.take_in

    async def noted(*args: Any, **kwargs: Any) -> IntakeSummary:
        begun.set()
        return await take_in(*args, **kwargs)

    monkeypatch.setattr(intake_queue, "take_in", noted)
    async with open_application(settings, registry=registry) as application:
        queue = IntakeQueue(application)
        tasks = [
            asyncio.create_task(queue.submit(SYSTEM, [text], source="roof", received_at=now))
            for text in ("begun", "waits")
        ]
        assert await asyncio.to_thread(begun.wait, 60)
    first, second = await asyncio.gather(*tasks, return_exceptions=True)
    assert first.summary.lines == 1
    assert isinstance(second, Busy)
    with pytest.raises(Busy):
        await queue.submit(SYSTEM, ["late"], source="roof", received_at=now)
    async with open_application(settings, registry=registry):
        assert [row.line for row in await DeadLetter.all()] == ["begun"]


async def test_an_application_that_took_nothing_in_closes(settings: Settings, registry: Registry) -> None:
    """There is no thread to wait for."""
    async with open_application(settings, registry=registry) as application:
        queue = IntakeQueue(application)
    assert queue.waiting_lines == 0


async def test_a_writer_does_not_make_the_next_one_fail(application, now) -> None:
    """A transaction that reads before it writes waits for intake's, and intake's waits for it."""
    queue = IntakeQueue(application)

    @transactional
    async def read_then_write(connection: Any, number: int) -> None:
        await DeadLetter.all().using_db(connection).count()
        await asyncio.sleep(0)
        await DeadLetter.create(
            line=str(number),
            line_digest=f"{number:064d}",
            source="other",
            stage="LINE",
            reason="NOT_A_TELEGRAM",
            message="",
            received_at=now,
            using_db=connection,
        )

    for number in range(20):
        await asyncio.gather(
            read_then_write(number),
            queue.submit(SYSTEM, [f"noise {number}"], source="roof", received_at=now),
        )
    assert await DeadLetter.all().count() == 40
