"""A broker, and the worker as an operator runs it: a process of its own."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from tests.support.servers.broker import Mosquitto, running_broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with running_broker(tmp_path) as broker:
        yield broker


class Workers:
    """Starts workers and ends them."""

    def __init__(self, settings: Settings, url: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SUBMETER_")}
        self._environment = kept | {
            "SUBMETER_DATA_DIR": str(settings.data_dir),
            "SUBMETER_DATABASE_URL": settings.database_url,
            "SUBMETER_SECRET_KEY": settings.secret_key,
            "SUBMETER_WITHOUT": "jobs outbox",
            "SUBMETER_MQTT_URL": url,
            "SUBMETER_MQTT_CLIENT_ID": "test",
            "SUBMETER_INTAKE_BATCH_LINES": "20",
        }
        self._folder = settings.data_dir
        self.running: list[subprocess.Popen[str]] = []

    def start(self, **settings: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "submeter.main", "worker"],
            env=self._environment | settings,
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.running.append(process)
        return process

    @staticmethod
    def wait_for(process: subprocess.Popen[str], words: str) -> list[str]:
        """The lines of its output, to the one with these words."""
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if words in line:
                return lines
        raise AssertionError(f"it ended before {words!r}: {''.join(lines)}")

    def end(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


@pytest.fixture
def workers(settings: Settings, broker: Mosquitto) -> Iterator[Workers]:
    workers = Workers(settings, broker.url)
    yield workers
    workers.end()


@pytest.fixture
def until() -> Callable:
    """Waits for what another process does; a process that never does it fails the test."""

    async def wait(condition: Callable, *, tries: int = 1_200) -> None:
        for _ in range(tries):
            if await condition():
                return
            await asyncio.sleep(0.05)
        raise AssertionError("it did not happen")

    return wait
