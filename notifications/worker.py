"""The outbox worker: takes due messages from the outbox, renders them, and sends each by its channel.

In: the open application, the configured channels, and a clock. Out: how many messages were sent and how many
failed. The one rule: one message at a time, each claimed, sent and settled before the next, so that however
the process ends, at most one message is in doubt. A message that cannot be rendered fails alone.
"""

import asyncio
import logging
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from core.bootstrap import Application
from core.services.messaging.delivery import Channel, Claimed, claim_next, note_failed, note_sent
from core.settings import Settings
from core.telemetry import metrics, tracing
from notifications.channels.base import NotAccepted, Post, Way
from notifications.channels.email import Email
from notifications.channels.sms import Sms
from notifications.texts.render import render

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tally:
    """The outcome of the due messages: `failed` ones wait for their next attempt or were given up."""

    sent: int = 0
    failed: int = 0


class OutboxWorker:
    """Sends the messages of one process.

    Args:
        application: the application whose outbox it is.
        ways: the configured channels; messages for other channels wait.
        clock: returns the current time.
    """

    def __init__(
        self, application: Application, ways: Mapping[Channel, Way], *, clock: Callable[[], datetime]
    ) -> None:
        self._application = application
        self._ways = ways
        self._clock = clock
        self._ends_at: float | None = None
        self._worker = f"{os.getpid()}-{secrets.token_hex(8)}"

    async def send_due(self, stop: asyncio.Event | None = None) -> Tally:
        """Send everything that is due, oldest first.

        Once `stop` is set it goes on for half the time that a stop may take, so that no message is under way
        when what remains is cancelled.
        """
        sent = failed = 0
        try:
            while message := await claim_next(self._application, self._worker, self._ways, now=self._clock()):
                with tracing.span("outbox send", {"submeter.channel": message.channel.value}) as span:
                    accepted = await self._send(message)
                    span.note("submeter.accepted", accepted)
                outcome = "sent" if accepted else "failed"
                metrics.MESSAGES_SENT.labels(message.channel.value, outcome).inc()
                sent, failed = sent + accepted, failed + (not accepted)
                if self._is_to_end(stop):
                    break
        finally:
            for way in self._ways.values():
                await way.close()
        return Tally(sent, failed)

    def _is_to_end(self, stop: asyncio.Event | None) -> bool:
        if stop is None or not stop.is_set():
            return False
        present = asyncio.get_running_loop().time()
        if self._ends_at is None:
            self._ends_at = present + self._application.settings.stop_seconds / 2
        return present >= self._ends_at

    async def run(self, stop: asyncio.Event, *, every_s: float) -> None:
        """Send due messages at every interval until `stop` is set; a message being sent is settled first."""
        while not stop.is_set():
            await self.send_due(stop)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every_s)

    async def _send(self, message: Claimed) -> bool:
        try:
            await self._ways[message.channel].send(self._post(message))
        except NotAccepted as refused:
            return await self._failed(message, refused.reason, permanent=refused.permanent)
        except (KeyError, ValueError):
            # A traceback would show the values, which may contain a secret.
            return await self._failed(message, "WORDS_UNUSABLE", permanent=True)
        await note_sent(message, self._worker, now=self._clock())
        _log.info("Message %d was sent by %s.", message.number, message.channel.value)
        return True

    async def _failed(self, message: Claimed, reason: str, *, permanent: bool) -> bool:
        state = await note_failed(message, self._worker, reason, permanent=permanent, now=self._clock())
        _log.warning(
            "Message %d was not sent by %s (%s, attempt %d): %s.",
            message.number,
            message.channel.value,
            reason,
            message.attempt,
            state.value,
        )
        return False

    def _post(self, message: Claimed) -> Post:
        words = render(message.template, message.language, message.values)
        by_mail = message.channel is Channel.EMAIL
        return Post(
            key=message.key,
            recipient=message.recipient,
            subject=words.subject,
            text=words.email_text(message.addressed_to, message.language) if by_mail else words.text,
            language=message.language,
        )


def ways_of(settings: Settings) -> dict[Channel, Way]:
    """The channels that the settings configure."""
    ways: dict[Channel, Way] = {}
    if settings.smtp_host:
        ways[Channel.EMAIL] = Email(settings)
    if settings.vonage_api_key:
        ways[Channel.SMS] = Sms(settings)
    return ways
