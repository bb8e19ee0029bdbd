"""`submeter worker`: does what must be done beside serving requests, until it is stopped."""

import asyncio
import logging
import signal
from dataclasses import replace
from typing import Literal

from core.bootstrap import begin_telemetry
from core.services.operation.supervisor import supervise
from core.settings import OUTBOX, WORK, Settings, from_environment
from graphql_schema.monitoring import monitored
from notifications.worker import OutboxWorker, ways_of
from submeter.application import opened
from submeter.output import counted, fail, out
from submeter.work import utc_now, works_of

_log = logging.getLogger(__name__)

NO_CHANNEL = "Neither SUBMETER_SMTP_HOST nor SUBMETER_VONAGE_API_KEY is set"


async def worker(
    *, once: bool = False, every: float = 5.0, without: tuple[Literal["ingest", "outbox", "jobs"], ...] = ()
) -> None:
    """Send queued e-mails and SMS, and run the periodic jobs, until stopped. Several workers can run at once.

    A worker that is stopped (SIGTERM, Ctrl+C) finishes what it has begun, or gives it up as if it had never
    begun it, within SUBMETER_STOP_SECONDS.

    Args:
        once: send the messages that are due, then exit.
        every: seconds between two polls of the outbox.
        without: a kind of work that this process leaves to others; may be given several times.
    """
    settings = from_environment()
    settings = replace(settings, without=settings.without.union(without))
    if once:
        await _send_once(settings)
        return
    begin_telemetry(settings)
    works = works_of(settings, poll_s=every)
    if OUTBOX not in settings.without and not ways_of(settings):
        _log.warning("%s: messages wait in the outbox.", NO_CHANNEL)
    if not works:
        fail(f"No work is left: {', '.join(WORK)} are switched off or not configured.", code="SETTINGS")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with opened(settings, shared=True) as application:
        async with monitored(application, clock=utc_now, stop=stop) as address:
            if address is not None:
                _log.info("Metrics: http://%s:%d/metrics", *address)
            _log.info("Working: %s; stop with Ctrl+C.", ", ".join(work.name for work in works))
            await supervise(application, works, stop)
        _log.info("Stopped.")


async def _send_once(settings: Settings) -> None:
    ways = ways_of(settings)
    if not ways:
        fail(f"{NO_CHANNEL}.", code="SETTINGS")
    async with opened(settings) as application:
        tally = await OutboxWorker(application, ways, clock=utc_now).send_due()
    out.print(f"{counted(tally.sent, 'message')} sent, {tally.failed:,} failed.")
