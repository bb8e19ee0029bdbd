"""Our session with the broker: MQTT 5, persistent, acknowledged by us and not by the library.

In: a broker and an identifier. Out: a connected client whose messages wait in `inbox`. The one rule: a
message is acknowledged by `acknowledge` alone, in the order of reception (MQTT 5, 4.6), so what was not
committed comes again. At most `receive_maximum` messages of QoS 1 are under way (MQTT 5, 3.1.2.11.3); those
of QoS 0 have no such bound, and are dropped beyond as their publisher allows.
"""

import asyncio
import logging
from typing import Any, Final, cast

from aiomqtt import Client, Message, ProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from submeter.mqtt.address import Broker

SESSION_S: Final = 7 * 24 * 3600
"""How long the broker keeps a session whose worker is away, with all that it received meanwhile."""

LARGEST_PACKET: Final = 16 << 20
MOST_RECEIVED: Final = 65_535
_KEEPALIVE_S: Final = 30
_AT_LEAST_ONCE: Final = 1

_log = logging.getLogger(__name__)


class Inbox(asyncio.Queue[Message]):
    """Messages that were received and not taken yet; `arrived` is set while there are any."""

    def __init__(self, most_unconfirmed: int) -> None:
        super().__init__()
        self.arrived = asyncio.Event()
        self._most_unconfirmed = most_unconfirmed
        self._dropped = 0

    def put_nowait(self, item: Message) -> None:
        """Keep a message, but for one of QoS 0 beyond the bound."""
        if item.qos == 0 and self.qsize() >= self._most_unconfirmed:
            if not self._dropped:
                _log.warning("More messages of QoS 0 arrive than can be taken in: some are dropped.")
            self._dropped += 1
            return
        super().put_nowait(item)
        self.arrived.set()

    def taken(self) -> list[Message]:
        """All messages that are there."""
        messages = []
        while not self.empty():
            messages.append(self.get_nowait())
        self.arrived.clear()
        return messages


class BrokerSession(Client):
    """A client of aiomqtt that acknowledges by itself.

    aiomqtt passes on neither `manual_ack_set` nor `ack` of the client within it, and not the end of the
    connection: these three are taken from its inside.
    """

    def __init__(self, broker: Broker, identifier: str, *, receive_maximum: int) -> None:
        self.inbox = Inbox(2 * receive_maximum)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's
        properties.SessionExpiryInterval = SESSION_S
        properties.ReceiveMaximum = receive_maximum
        properties.MaximumPacketSize = LARGEST_PACKET
        super().__init__(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            identifier=identifier,
            protocol=ProtocolVersion.V5,
            clean_start=False,
            keepalive=_KEEPALIVE_S,
            properties=properties,
            tls_context=broker.tls_context,
            queue_type=cast("Any", lambda maxsize: self.inbox),  # noqa: ARG005 - the library's argument
        )
        self._client.manual_ack_set(True)

    @property
    def lost(self) -> "asyncio.Future[None]":
        """Done when the connection has ended."""
        return self._disconnected

    async def subscribe_shared(self, group: str, filters: tuple[str, ...]) -> None:
        """Subscribe so that each message goes to one member of the group (MQTT 5, 4.8.2)."""
        options = SubscribeOptions(qos=_AT_LEAST_ONCE)
        wanted = [(f"$share/{group}/{one}", options) for one in filters]
        codes = await self.subscribe(cast("Any", wanted))
        for one, code in zip(filters, codes, strict=True):
            if getattr(code, "is_failure", False):
                _log.error("The broker refuses the subscription to %s: %s", one, code)

    def acknowledge(self, message: Message) -> None:
        """Tell the broker that it need not send this again; does nothing if the connection was lost."""
        self._client.ack(message.mid, message.qos)
