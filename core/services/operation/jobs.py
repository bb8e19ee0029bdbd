"""Jobs that no request and no telegram triggers: missing data, retention, statistics, papers.

In: the moment. Out: what the jobs do, once an hour (archives each minute) among all processes of an
installation. The one rule: a row of the database says when a job is due, and whoever moves it on in one
statement runs the job; so any number of servers and workers may ask, whichever pooler stands before the
database. A job that failed is due again after five minutes, one whose process was killed after its hour.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from core.bootstrap import Application
from core.database_errors import is_unreachable
from core.models import PeriodicJob
from core.services.alerts.missing_data import raise_missing_data
from core.services.analysis.publication import publish_due
from core.services.certificates.moves import certify_moves
from core.services.consumption.average_publication import publish_averages
from core.services.documents.due_notes import make_due_notes
from core.services.documents.new_documents import notify_due, purge_documents
from core.services.operation.retention import purge
from core.services.operation.supervisor import Pause, Work, pause
from core.services.privacy.exports import make_exports
from core.settings import JOBS
from core.telemetry import metrics, tracing

EVERY = timedelta(hours=1)
AGAIN_AFTER = timedelta(minutes=5)
ASK_EVERY_S = 60.0

_log = logging.getLogger(__name__)

Clock: TypeAlias = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done once an hour, or as often as it says."""

    name: str
    run: Callable[[Application, datetime], Awaitable[object]]
    every: timedelta = EVERY


async def _missing_data(_application: Application, now: datetime) -> None:
    await raise_missing_data(now=now)


async def _purge(application: Application, now: datetime) -> None:
    await purge(application.settings, now=now)


async def _statistics(_application: Application, now: datetime) -> None:
    await publish_due(now=now)
    await publish_averages(now=now)


async def _moves(application: Application, now: datetime) -> None:
    await certify_moves(application, now=now)


async def _documents(application: Application, now: datetime) -> None:
    await notify_due(application, now=now)
    await purge_documents(application, now=now)


async def _notes(application: Application, now: datetime) -> None:
    await make_due_notes(application, now=now)


async def _exports(application: Application, now: datetime) -> None:
    await make_exports(application, now=now)


PERIODIC_JOBS = (
    Job("missing data", _missing_data),
    Job("purge", _purge),
    Job("statistics", _statistics),
    Job("certificates of moves", _moves),
    Job("documents", _documents),
    Job("notes", _notes),
    Job("exports", _exports, every=timedelta(minutes=1)),
)


def jobs_work(clock: Clock, *, waiting: Pause = pause) -> Work:
    """The periodic jobs as a kind of work."""

    async def run(application: Application, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await run_due(application, now=clock())
            await waiting(stop, ASK_EVERY_S)

    return Work(JOBS, run)


async def run_due(application: Application, *, now: datetime) -> list[str]:
    """Run the jobs that are due and that no other process runs; returns their names."""
    run = []
    for job in PERIODIC_JOBS:
        if await _is_mine(job, now):
            run.append(job.name)
            await _run(application, job, now)
    return run


async def _is_mine(job: Job, now: datetime) -> bool:
    """Whether the job is due, and this process is the one that moved it on."""
    await PeriodicJob.bulk_create([PeriodicJob(name=job.name, due_at=now)], ignore_conflicts=True)
    moved = await PeriodicJob.filter(name=job.name, due_at__lte=now).update(due_at=now + job.every)
    return bool(moved)


async def _run(application: Application, job: Job, now: datetime) -> None:
    try:
        with tracing.span(f"job {job.name}"):
            await job.run(application, now)
    except Exception as failure:
        metrics.JOB_RUNS.labels(job.name, "failed").inc()
        if is_unreachable(failure):
            raise
        _log.exception("The job %s failed; it is due again in %s.", job.name, AGAIN_AFTER)
        await PeriodicJob.filter(name=job.name, due_at=now + job.every).update(due_at=now + AGAIN_AFTER)
    else:
        metrics.JOB_RUNS.labels(job.name, "ok").inc()
