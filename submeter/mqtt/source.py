"""Takes telegrams from an MQTT broker, any number of workers beside each other.

In: settings, and an event that says when to stop. Out: readings. The one rule: a message is acknowledged when
the transaction with its lines is committed, and until then the broker keeps it: whatever ends this process,
the broker or the database, what was not committed comes again, and what comes twice is a duplicate.

The workers share one subscription, so each message goes to one of them. Messages are taken in together, as
many as have arrived within half a second or until they pause. While the database is away none is
acknowledged, and the broker sends no more than it may.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeAlias

from aiomqtt import Message, MqttError, Topic

from core.access import Viewer
from core.bootstrap import Application
from core.errors import Busy, Unavailable
from core.services.operation.supervisor import pause
from core.services.portfolio.gateways import broker_viewer
from core.services.telegrams.intake_queue import IntakeQueue
from core.telemetry.intake import Source
from submeter.mqtt.address import Broker, claimed_identifier
from submeter.mqtt.client import MOST_RECEIVED, BrokerSession
from submeter.mqtt.payloads import lines_of

GATHER_S: Final = 0.5
PAUSE_S: Final = 0.02
"""A batch ends after the first, or when nothing has arrived for the second."""

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
_SMALL: Final = 64 << 10
"""A payload beyond is cut into lines in a thread."""

_log = logging.getLogger(__name__)

Clock: TypeAlias = Callable[[], datetime]


class MqttSource:
    """One consumer; `run` ends when `stop` is set, with nothing half done."""

    def __init__(self, application: Application, stop: asyncio.Event, *, clock: Clock) -> None:
        self._settings = application.settings
        self._broker = Broker.of(self._settings.mqtt_url)
        self._queue = IntakeQueue(application)
        self._stop = stop
        self._clock = clock
        self._reported = ""

    async def run(self) -> None:
        """Take in until the process is to stop, over as many connections as that needs."""
        wait_s = FIRST_WAIT_S
        try:
            with claimed_identifier(self._settings) as identifier:
                while not self._stop.is_set():
                    viewer = await broker_viewer(self._settings.mqtt_gateway)
                    try:
                        async with self._session(identifier) as session:
                            wait_s = FIRST_WAIT_S
                            await session.subscribe_shared(
                                self._settings.mqtt_group, self._settings.mqtt_topics
                            )
                            self._report("", f"Connected to the broker {self._broker} as {identifier}.")
                            await self._consume(session, viewer)
                    except MqttError as failure:
                        self._report(str(failure), f"The broker {self._broker} is away: {failure}")
                        await pause(self._stop, wait_s)
                        wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        finally:
            await self._queue.close()

    def _session(self, identifier: str) -> BrokerSession:
        at_once = min(MOST_RECEIVED, 2 * self._settings.intake_batch_lines)
        return BrokerSession(self._broker, identifier, receive_maximum=at_once)

    def _report(self, state: str, sentence: str) -> None:
        """Log a change, and not every attempt."""
        if state != self._reported or not state:
            _log.log(logging.WARNING if state else logging.INFO, "%s", sentence)
        self._reported = state

    async def _consume(self, session: BrokerSession, viewer: Viewer) -> None:
        while not self._stop.is_set():
            messages = await self._gathered(session)
            if messages and await self._is_committed(messages, viewer):
                for message in messages:
                    session.acknowledge(message)
            if session.lost.done():
                raise MqttError("the connection has ended") from session.lost.exception()

    async def _gathered(self, session: BrokerSession) -> list[Message]:
        """What has arrived; as much as fits a batch, if more follows at once."""
        await self._arrival(session, None)
        messages = session.inbox.taken()
        until = time.monotonic() + GATHER_S
        while messages and _lines_at_least(messages) < self._settings.intake_batch_lines:
            left = until - time.monotonic()
            if left <= 0 or not await self._arrival(session, min(left, PAUSE_S)):
                break
            messages += session.inbox.taken()
        return messages

    async def _arrival(self, session: BrokerSession, timeout_s: float | None) -> bool:
        """Wait for a message, for the end of the connection, or until the process is to stop."""
        if session.inbox.arrived.is_set():
            return True
        waiting = [asyncio.ensure_future(one.wait()) for one in (session.inbox.arrived, self._stop)]
        awaited: list[asyncio.Future[Any]] = [*waiting, session.lost]
        try:
            await asyncio.wait(awaited, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
        return session.inbox.arrived.is_set()

    async def _is_committed(self, messages: Sequence[Message], viewer: Viewer) -> bool:
        """Take the messages in; False if the process is to stop before the database is back."""
        received_at = self._clock()
        by_filter: dict[str, list[str]] = {}
        for message in messages:
            lines = await _lines_of(message)
            by_filter.setdefault(self._filter_of(str(message.topic)), []).extend(lines)
        for filter_, lines in by_filter.items():
            if lines and not await self._is_taken_in(lines, viewer, f"mqtt {filter_}", received_at):
                return False
        return True

    async def _is_taken_in(
        self, lines: list[str], viewer: Viewer, source: str, received_at: datetime
    ) -> bool:
        wait_s = FIRST_WAIT_S
        while True:
            with suppress(Busy, Unavailable):
                await self._queue.submit(
                    viewer, lines, source=source, received_at=received_at, way=Source.MQTT
                )
                return True
            if self._stop.is_set():
                return False
            await pause(self._stop, wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _filter_of(self, topic: str) -> str:
        return _filter_of(topic, self._settings.mqtt_topics)


@lru_cache(maxsize=1024)
def _filter_of(topic: str, filters: tuple[str, ...]) -> str:
    """The filter by which a message came: what dead letters name as their source."""
    return next((one for one in filters if Topic(topic).matches(one)), "")


def _lines_at_least(messages: Sequence[Message]) -> int:
    """A bound from below that needs no unpacking: a message is a line, and a long one is many."""
    return sum(1 + len(_payload_of(message)) // 512 for message in messages)


def _payload_of(message: Message) -> bytes:
    return bytes(message.payload)


async def _lines_of(message: Message) -> list[str]:
    payload = _payload_of(message)
    return lines_of(payload) if len(payload) <= _SMALL else await asyncio.to_thread(lines_of, payload)
