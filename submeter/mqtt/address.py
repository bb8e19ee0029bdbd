"""The broker's address, and the identifiers of our sessions with it.

In: settings. Out: host, port and credentials; and an identifier that no other process uses and that the next
one inherits. The one rule: a session belongs to an identifier and holds what was not acknowledged, so a
worker that is started again takes the place of one that has ended: the lowest number that is free on this
machine.
"""

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Final
from urllib.parse import unquote, urlsplit

from core.settings import Settings, SettingsError
from submeter.file_lock import lock

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_URL: Final = "SUBMETER_MQTT_URL"


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it is, and who we are to it."""

    host: str
    port: int
    username: str | None = field(repr=False)
    password: str | None = field(repr=False)
    tls: bool

    @classmethod
    def of(cls, url: str) -> "Broker":
        """The broker of `mqtt://user:password@host:1883`, or of `mqtts://…` by TLS.

        Raises:
            SettingsError: the URL cannot be read.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme)
        except ValueError:
            raise SettingsError("has a port that is no number", field=_URL) from None
        if parts.scheme not in _PORTS or not parts.hostname or port is None:
            raise SettingsError("must be mqtt://host:port or mqtts://host:port", field=_URL)
        if parts.path.strip("/") or parts.query:
            raise SettingsError("ends after host and port; topics are SUBMETER_MQTT_TOPICS", field=_URL)
        return cls(
            parts.hostname,
            port,
            None if parts.username is None else unquote(parts.username),
            None if parts.password is None else unquote(parts.password),
            parts.scheme == "mqtts",
        )

    @property
    def tls_context(self) -> ssl.SSLContext | None:
        """The certificates that this system trusts, and those of SSL_CERT_FILE."""
        return ssl.create_default_context() if self.tls else None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@contextmanager
def claimed_identifier(settings: Settings) -> Iterator[str]:
    """An identifier that is this process's within the block: `submeter-machine-1`, `-2`, …"""
    prefix = settings.mqtt_client_id or f"submeter-{socket.gethostname()}"
    folder = settings.data_dir / "mqtt"
    identifiers = (f"{prefix}-{number}" for number in count(1))
    identifier, descriptor = next(
        (one, held)
        for one in identifiers
        if (held := lock(folder / f"{one.replace('/', '_')}.lock")) is not None
    )
    try:
        yield identifier
    finally:
        os.close(descriptor)
