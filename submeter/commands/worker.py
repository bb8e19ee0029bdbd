"""`submeter worker`: sends the messages of the outbox."""

import asyncio
import signal
from datetime import UTC, datetime

from notifications.worker import OutboxWorker, ways_of
from submeter.application import opened
from submeter.output import counted, fail, out


async def worker(*, once: bool = False, every: float = 5.0) -> None:
    """Send queued e-mails and SMS until stopped. Several workers can run at the same time.

    Args:
        once: send the messages that are due, then exit.
        every: seconds between two polls of the outbox.
    """
    async with opened() as application:
        ways = ways_of(application.settings)
        if not ways:
            fail("Neither SUBMETER_SMTP_HOST nor SUBMETER_VONAGE_API_KEY is set.", code="SETTINGS")
        outbox_worker = OutboxWorker(application, ways, clock=lambda: datetime.now(UTC))
        if once:
            tally = await outbox_worker.send_due()
            out.print(f"{counted(tally.sent, 'message')} sent, {tally.failed:,} failed.")
            return
        out.print(f"Sending by {' and '.join(sorted(channel.value for channel in ways))}; stop with Ctrl+C.")
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await outbox_worker.run(stop, every_s=every)
