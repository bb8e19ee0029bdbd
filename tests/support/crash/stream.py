"""The fleet's lines through a broker: what is published, no faster than it is stored, and what remains there.

In: lines in the order of delivery, and a Mosquitto whose queue is unbounded (`max_queued_messages 0`). Out:
messages of QoS 1, each received by one of the workers of a shared subscription. The one rule: the last
messages are lines that become dead letters, several in each topic, so that every session ends with some of
them; a session is read and acknowledged in order (MQTT 5, 4.6), so when they are stored everything is.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from aiomqtt import Client, ProtocolVersion

from submeter.mqtt.address import Broker
from submeter.mqtt.client import BrokerSession
from tests.support.crash.fleet import Lines
from tests.support.servers.broker import Mosquitto

TOPICS = ("wmbusmeters/roof", "submeter/v1/roof/lines")
CLIENT_ID = "crash"
LEAD = 4_000
"""So many different lines may be published and not stored: several batches, far fewer than all."""

ENDS_STORED = "SELECT COUNT(*) FROM dead_letter WHERE line LIKE 'end of the stream %'"
_GROUP = "crash"
_ENDS_A_TOPIC = 16
_PACKED, _LINES_AT_MOST = 0.02, 20
_POLL_S = 0.25
_PATIENCE_S = 600.0

Count = Callable[[], Awaitable[int | None]]


@dataclass(frozen=True, slots=True)
class Stream:
    """What goes through the broker, and by how many workers it is taken in.

    Attributes:
        broker: where it is published.
        lines: in order, without those that end it.
        workers: how many share the subscription.
        share: the part of all rows that these lines become; the others come another way.
    """

    broker: Mosquitto
    lines: Sequence[str]
    workers: int
    share: float = 1.0
    seed: int = 1
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """The settings of the workers."""
        object.__setattr__(
            self,
            "environment",
            {
                "SUBMETER_MQTT_URL": self.broker.url,
                "SUBMETER_MQTT_TOPICS": " ".join(TOPICS),
                "SUBMETER_MQTT_GROUP": _GROUP,
                "SUBMETER_MQTT_CLIENT_ID": CLIENT_ID,
                "SUBMETER_WITHOUT": "jobs outbox",
            },
        )

    async def begin(self) -> None:
        """Make the sessions of the workers: before the first subscription a broker has nobody to keep for."""
        for number in range(self.workers):
            broker = Broker.of(self.broker.url)
            async with BrokerSession(broker, f"{CLIENT_ID}-{number + 1}", receive_maximum=1) as session:
                await session.subscribe_shared(_GROUP, TOPICS)

    async def publish(self, rows: Count) -> int:
        """Send everything, at most LEAD lines ahead of what is stored; how many messages it was."""
        sent: set[str] = set()
        stored, since, messages = 0, time.monotonic(), 0
        async with self.broker.publisher() as client:
            for topic, lines in self._messages():
                while len(sent) - stored * self.share > LEAD:
                    found = await rows()
                    if found is not None and found != stored:
                        stored, since = found, time.monotonic()
                    else:
                        _give_up_after(since)
                        await asyncio.sleep(_POLL_S)
                await client.publish(topic, "\n".join(lines), qos=1)
                sent.update(lines)
                messages += 1
        return messages

    async def ended(self, ends: Count) -> None:
        """Wait until the last messages of every session are stored."""
        since, seen = time.monotonic(), None
        while (found := await ends()) != len(TOPICS) * _ENDS_A_TOPIC:
            if found is not None and found != seen:
                seen, since = found, time.monotonic()
            _give_up_after(since)
            await asyncio.sleep(_POLL_S)

    async def left(self) -> int:
        """How many messages the broker would send again to the sessions of the workers."""
        return sum([await self._left(f"{CLIENT_ID}-{number + 1}") for number in range(self.workers)])

    async def _left(self, identifier: str) -> int:
        """What is received before a message to oneself, which is queued last."""
        async with Client(
            "127.0.0.1",
            self.broker.port,
            protocol=ProtocolVersion.V5,
            identifier=identifier,
            clean_start=False,
        ) as client:
            mark = f"mark/{identifier}"
            await client.subscribe(mark, qos=1)
            await client.publish(mark, qos=1)
            left = 0
            async for message in client.messages:
                if str(message.topic) == mark:
                    break
                left += 1
            return left

    def _messages(self) -> Iterator[tuple[str, list[str]]]:
        """Topic and lines of each message: mostly one, now and then as many as a gateway has gathered."""
        chance = random.Random(self.seed)
        place = 0
        while place < len(self.lines):
            size = chance.randint(2, _LINES_AT_MOST) if chance.random() < _PACKED else 1
            yield TOPICS[size > 1], list(self.lines[place : place + size])
            place += size
        ends = iter(_ends())
        for end in ends:
            yield TOPICS[0], [end]
            yield TOPICS[1], [next(ends)]


def with_ends(lines: Lines) -> list[str]:
    """The lines as they are; those that end a stream are added to what must be stored in the end."""
    texts = lines.all()
    lines.hours.append(_ends())
    lines.useless.update(_ends())
    return texts


def _ends() -> list[str]:
    return [f"end of the stream {number}" for number in range(len(TOPICS) * _ENDS_A_TOPIC)]


def _give_up_after(since: float) -> None:
    assert time.monotonic() - since < _PATIENCE_S, f"nothing was stored for {_PATIENCE_S:.0f} s"
