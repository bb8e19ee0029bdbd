"""Periodic jobs: once an hour among all processes, however many ask."""

import asyncio
from datetime import timedelta

import pytest

from core.models import PeriodicJob
from core.services.operation import jobs
from core.services.operation.jobs import AGAIN_AFTER, EVERY, Job, jobs_work, run_due
from core.telemetry import metrics


@pytest.fixture
def runs(monkeypatch) -> list[str]:
    """The runs of two jobs that stand for the real ones."""
    kept: list[str] = []

    def job(name: str) -> Job:
        async def run(_settings, _now) -> None:
            kept.append(name)
            await asyncio.sleep(0)

        return Job(name, run)

    monkeypatch.setattr(jobs, "PERIODIC_JOBS", (job("first"), job("second")))
    return kept


async def test_jobs_run_once_among_many_processes(application, runs, now) -> None:
    """Ten that ask at once run each job once, at the first start and an hour later."""
    for moment in (now, now, now + EVERY - timedelta(seconds=1)):
        await asyncio.gather(*(run_due(application, now=moment) for _ in range(10)))
    assert sorted(runs) == ["first", "second"]
    await asyncio.gather(*(run_due(application, now=now + EVERY) for _ in range(10)))
    assert sorted(runs) == ["first", "first", "second", "second"]


async def test_the_answer_names_the_jobs_that_ran_here(application, runs, now) -> None:
    """And none that another process runs."""
    assert await run_due(application, now=now) == ["first", "second"]
    assert await run_due(application, now=now) == []


async def test_a_job_that_fails_is_due_again_soon_and_the_others_run(
    application, runs, now, monkeypatch, caplog
) -> None:
    """After five minutes, on whichever process asks first; the failure is reported and counted."""

    async def broken(_settings, _now) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(jobs, "PERIODIC_JOBS", (Job("broken", broken), jobs.PERIODIC_JOBS[1]))
    assert await run_due(application, now=now) == ["broken", "second"]
    assert runs == ["second"]
    assert "The job broken failed" in caplog.text
    assert metrics.REGISTRY.get_sample_value(
        "submeter_job_runs_total", {"job": "broken", "outcome": "failed"}
    )
    assert await run_due(application, now=now + AGAIN_AFTER - timedelta(seconds=1)) == []
    assert await run_due(application, now=now + AGAIN_AFTER) == ["broken"]


async def test_a_job_whose_process_was_killed_is_due_at_its_next_turn(application, runs, now) -> None:
    """Who moved it on and ran nothing, as a killed process did, holds it for an hour and no longer."""
    await PeriodicJob.create(name="first", due_at=now + EVERY)
    assert await run_due(application, now=now + timedelta(minutes=30)) == ["second"]
    assert await run_due(application, now=now + EVERY) == ["first"]


async def test_the_work_asks_until_it_is_stopped(application, runs, now) -> None:
    """Each minute; a stop ends it after what it has begun."""
    stop, asked = asyncio.Event(), []

    async def waiting(_stop: asyncio.Event, seconds: float) -> None:
        asked.append(seconds)
        if len(asked) == 3:
            stop.set()

    await jobs_work(lambda: now, waiting=waiting).run(application, stop)
    assert asked == [60.0] * 3
    assert runs == ["first", "second"]


def test_the_jobs_of_the_product() -> None:
    """What no request and no telegram triggers."""
    assert [job.name for job in jobs.PERIODIC_JOBS] == [
        "missing data",
        "purge",
        "statistics",
        "certificates of moves",
        "documents",
        "notes",
        "exports",
    ]
