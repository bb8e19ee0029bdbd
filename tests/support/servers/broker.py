"""A real Mosquitto on loopback, for the time of a test, and a publisher.

In: a folder. Out: its URL. The one rule: what it holds survives its end, as an operator's broker is set up
(docs/gateways.md): sessions are stored, and nothing that is queued is dropped.
"""

import getpass
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aiomqtt import Client, ProtocolVersion

from tests.support.servers.programs import path_of


class Mosquitto:
    """A broker that can be stopped and started again with all that it holds."""

    def __init__(self, folder: Path) -> None:
        self._program = path_of("mosquitto", "Mosquitto")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text(
            f"listener {self.port} 127.0.0.1\n"
            "allow_anonymous true\n"
            "persistence true\n"
            f"persistence_location {folder}/\n"
            "max_queued_messages 0\n"
            "max_inflight_messages 0\n"
            f"user {getpass.getuser()}\n",
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it listens."""
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._configuration)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                time.sleep(0.01)
            else:
                return
        raise AssertionError("Mosquitto has ended")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it; SIGTERM lets it store its sessions first."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None

    def publisher(self) -> Client:
        return Client("127.0.0.1", self.port, protocol=ProtocolVersion.V5, identifier="publisher")

    async def publish(self, topic: str, payloads: Iterable[str | bytes]) -> None:
        """At least once each, in order."""
        async with self.publisher() as client:
            for payload in payloads:
                await client.publish(topic, payload, qos=1)


@contextmanager
def running_broker(folder: Path) -> Iterator[Mosquitto]:
    """A broker that runs within the block, its files in a folder of its own."""
    own = folder / "broker"
    own.mkdir()
    broker = Mosquitto(own)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
