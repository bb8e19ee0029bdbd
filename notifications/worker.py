"""The post room: takes what is due from the outbox, finds its words, and sends it by its channel.

In: the open application, the ways that are set up, and a clock. Out: how many messages went and how many did not.
The one rule: one message after the other, each claimed, sent and settled before the next, so that whatever
ends the process, at most one message is in doubt. A message whose words fail is that message's trouble alone.
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
from notifications.channels.base import NotAccepted, Post, Way
from notifications.channels.email import Email
from notifications.channels.sms import Sms
from notifications.texts.render import render

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the messages that were due: `failed` ones wait for their next try or were given up."""

    sent: int = 0
    failed: int = 0


class OutboxWorker:
    """Sends for one process.

    Args:
        application: whose outbox.
        ways: the channels that are set up; messages of others wait.
        clock: what time it is.
    """

    def __init__(
        self, application: Application, ways: Mapping[Channel, Way], *, clock: Callable[[], datetime]
    ) -> None:
        self._application = application
        self._ways = ways
        self._clock = clock
        self._worker = f"{os.getpid()}-{secrets.token_hex(8)}"

    async def send_due(self) -> Tally:
        """Send everything that is due, the oldest first."""
        sent = failed = 0
        try:
            while message := await claim_next(self._application, self._worker, self._ways, now=self._clock()):
                if await self._send(message):
                    sent += 1
                else:
                    failed += 1
        finally:
            for way in self._ways.values():
                await way.close()
        return Tally(sent, failed)

    async def run(self, stop: asyncio.Event, *, every_s: float) -> None:
        """Send what is due, and look again, until `stop` is set; the message in hand is settled first."""
        while not stop.is_set():
            await self.send_due()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every_s)

    async def _send(self, message: Claimed) -> bool:
        try:
            await self._ways[message.channel].send(self._post(message))
        except NotAccepted as refused:
            return await self._failed(message, refused.reason, permanent=refused.permanent)
        except (KeyError, ValueError):
            # The traceback would name the values, which may hold a secret.
            return await self._failed(message, "WORDS_UNUSABLE", permanent=True)
        await note_sent(message, self._worker, now=self._clock())
        _log.info("Message %d went by %s.", message.number, message.channel.value)
        return True

    async def _failed(self, message: Claimed, reason: str, *, permanent: bool) -> bool:
        state = await note_failed(message, self._worker, reason, permanent=permanent, now=self._clock())
        _log.warning(
            "Message %d did not go by %s (%s, try %d): %s.",
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
    """The channels that the settings set up."""
    ways: dict[Channel, Way] = {}
    if settings.smtp_host:
        ways[Channel.EMAIL] = Email(settings)
    if settings.vonage_api_key:
        ways[Channel.SMS] = Sms(settings)
    return ways
