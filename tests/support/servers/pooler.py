"""A real PgBouncer in transaction mode before the suite's PostgreSQL.

In: the server's data folder. Out: the URL of any of its databases through the pooler. The one rule: fewer
sessions than connections, so that two transactions of one connection are of different sessions, and what a
statement leaves in its session is found by another or by nobody.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from tests.support.servers.programs import path_of

SESSIONS = 3


class PgBouncer:
    """The pooler, for the time of a block."""

    def __init__(self, data: Path) -> None:
        self._program = path_of("pgbouncer", "PgBouncer")
        self._data = data
        self._folder = Path(tempfile.mkdtemp(prefix="submeter-"))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]

    def url(self, name: str) -> str:
        """As docs/settings.md says for a pooler in transaction mode; more connections than sessions."""
        options = f"sslmode=disable&statement_cache_size=0&maxsize={2 * SESSIONS}"
        return f"postgresql://postgres@127.0.0.1:{self._port}/{name}?{options}"

    def __enter__(self) -> Self:
        users, configuration, log = (self._folder / name for name in ("users", "pgbouncer.ini", "log"))
        users.write_text('"postgres" ""\n', encoding="ascii")
        configuration.write_text(
            "[databases]\n"
            f"* = host={self._data} user=postgres\n"
            "[pgbouncer]\n"
            "listen_addr = 127.0.0.1\n"
            f"listen_port = {self._port}\n"
            "unix_socket_dir =\n"
            "auth_type = any\n"
            f"auth_file = {users}\n"
            f"logfile = {log}\n"
            "pool_mode = transaction\n"
            f"default_pool_size = {SESSIONS}\n",
            encoding="utf-8",
        )
        # The server's socket is open to its own user alone; run as root, it is another user.
        owner = self._data.owner()
        as_owner = ["-u", owner] if os.geteuid() == 0 else []
        if as_owner:
            shutil.chown(self._folder, owner)
        self._process = subprocess.Popen(
            [self._program, "-q", *as_owner, str(configuration)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self._port)).close()
            except ConnectionRefusedError:
                time.sleep(0.01)
            else:
                return self
        raise AssertionError(f"PgBouncer has ended: {log.read_text() if log.exists() else 'no log'}")

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
