"""A Redis server on a loopback socket that runs the scripts of the rate limits (fakeredis)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

from fakeredis import FakeServer, TcpFakeServer


class _Server(TcpFakeServer):
    request_queue_size = 128
    """The backlog of a real server; the five of Python's own servers cut off a burst."""


@dataclass
class RedisServer:
    """One server: it can be stopped, and begun again at the same port with what it held."""

    port: int = 0
    _server: TcpFakeServer | None = None
    _held: FakeServer | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._server = _Server(("127.0.0.1", self.port))
        if self._held is not None:
            self._server.fake_server = self._held
        self._held, self.port = self._server.fake_server, self._server.server_address[1]
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def keys(self) -> list[str]:
        """The names of everything that it holds."""
        assert self._held is not None
        return [key.decode() for key in self._held.dbs[0]]


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A server, for the time of the block."""
    server = RedisServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()
