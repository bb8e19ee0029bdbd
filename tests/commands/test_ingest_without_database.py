"""`submeter ingest` while its database is away: it waits, keeps what a pipe brings, and goes on."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.access import SYSTEM
from core.bootstrap import Application, open_application
from core.services.places.key_encryption import KeyEncryption
from core.services.telegrams import pipeline
from core.services.telegrams.pipeline import IntakeSummary
from core.settings import Settings
from submeter import lasting_intake
from submeter.lasting_intake import LastingIntake
from submeter.simulator import prios
from submeter.spool import Spool
from tests.support import factories
from tests.support.servers.own_postgresql import OwnPostgresql

SERIAL = "H18CA029620"
WIRE = prios.wire_address(SERIAL)
ADDRESS = f"SAP-{WIRE[5:1:-1].hex().upper()}-{WIRE[6]:02X}-{WIRE[7]:02X}"
START = datetime(2026, 10, 1, tzinfo=UTC)
SECRET_KEY = "a secret of the tests, of at least 32 characters"
COMPARED = {
    "reading": "meter_id, read_at, index_value, status_bits, telegram_digest",
    "daily_volume": "*",
    "leak_episode": "meter_id, started_on, ended_on",
}


def lines(first: int, last: int) -> list[str]:
    """Hourly readings of a leaking meter."""
    texts = []
    for number in range(first, last):
        state = prios.PriosState(litres=20 * number, month_end_litres=0, month_end=START.date())
        at = START + timedelta(hours=number)
        texts.append(f"T1;1;1;{at:%Y-%m-%d %H:%M:%S}.000;97;148;0;0x{prios.encrypt(WIRE, state).hex()}")
    return texts


class Ingest:
    """The command as a process, fed line by line."""

    def __init__(self, settings: Settings) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SUBMETER_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "submeter.main", "ingest", "-", "--json"],
            env=kept
            | {
                "SUBMETER_DATA_DIR": str(settings.data_dir),
                "SUBMETER_DATABASE_URL": settings.database_url,
                "SUBMETER_SECRET_KEY": settings.secret_key,
                "SUBMETER_INTAKE_BATCH_LINES": "20",
            },
            cwd=settings.data_dir,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def feed(self, texts: list[str]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{text}\n" for text in texts))
        self.process.stdin.flush()

    def end(self) -> tuple[dict[str, Any], str]:
        """The summary and what was written to standard error, once the input has ended."""
        out, errors = self.process.communicate()
        assert self.process.returncode == 0, errors
        return json.loads(out), errors

    def kill(self) -> str:
        self.process.send_signal(signal.SIGKILL)
        return self.process.communicate()[1]


@pytest.fixture
def start() -> Iterator[Callable[[Settings], Ingest]]:
    """Starts the command; what still runs at the end of the test is ended."""
    started: list[Ingest] = []

    def begin(settings: Settings) -> Ingest:
        started.append(Ingest(settings))
        return started[-1]

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.kill()


@pytest.fixture
def server() -> Iterator[OwnPostgresql]:
    server = OwnPostgresql()
    yield server
    server.remove()


@pytest.fixture
def disturbed(server: OwnPostgresql, tmp_path: Path) -> Settings:
    return described(server, tmp_path, "disturbed")


def described(server: OwnPostgresql, folder: Path, name: str) -> Settings:
    """A database with the meter."""
    settings = Settings(data_dir=folder, database_url=server.url(name), secret_key=SECRET_KEY)
    server.create(name, settings)

    async def describe() -> None:
        async with open_application(settings):
            await factories.residence(KeyEncryption.under(SECRET_KEY), factories.meter(ADDRESS))

    asyncio.run(describe())
    return settings


async def tables(server: OwnPostgresql, name: str) -> dict[str, list[Any]]:
    connection = await server.connect(name)
    try:
        return {
            table: [
                tuple(row) for row in await connection.fetch(f"SELECT {columns} FROM {table} ORDER BY 1, 2")
            ]
            for table, columns in COMPARED.items()
        }
    finally:
        await connection.close()


def wait_until(condition: Callable[[], Any]) -> None:
    """Waits for another process; one that never gets there fails the test."""

    async def wait() -> None:
        for _ in range(1_200):
            result = condition()
            if await result if asyncio.iscoroutine(result) else result:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("it did not happen")

    asyncio.run(wait())


def kept_files(settings: Settings) -> list[Path]:
    """The files of the spool with something in them."""
    return sorted(path for path in settings.data_dir.glob("spool/*/*.spool") if path.stat().st_size)


def test_postgresql_is_stopped_in_the_middle_of_a_batch(
    server: OwnPostgresql, disturbed: Settings, start: Callable[[Settings], Ingest], tmp_path: Path
) -> None:
    """What comes meanwhile is kept, one line says so, and the tables are those of an undisturbed run."""
    ingest = start(disturbed)
    ingest.feed(lines(0, 50))

    async def is_stored() -> bool:
        return len((await tables(server, "disturbed"))["reading"]) == 50

    wait_until(is_stored)

    async def stop_in_a_transaction() -> None:
        holder, observer = await server.connect("disturbed"), await server.connect("disturbed")
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute("SELECT id FROM dwelling FOR UPDATE")
        ingest.feed(lines(50, 100))
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while not await observer.fetchval(waiting):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
        server.stop_at_once()
        holder.terminate()
        observer.terminate()

    asyncio.run(stop_in_a_transaction())
    ingest.feed(lines(100, 150))
    wait_until(lambda: kept_files(disturbed))
    server.start()
    summary, errors = ingest.end()
    assert (summary["lines"], summary["stored"], summary["duplicates"]) == (150, 150, 0)
    assert errors.count("DATABASE_AWAY") == 1
    assert errors.count("The database is back.") == 1
    assert "Traceback" not in errors
    assert kept_files(disturbed) == []

    async def undisturbed_run(settings: Settings) -> None:
        async with open_application(settings) as application:
            for first in (0, 50, 100):
                await pipeline.take_in(
                    application, SYSTEM, lines(first, first + 50), source="-", now=datetime.now(UTC)
                )

    asyncio.run(undisturbed_run(described(server, tmp_path, "undisturbed")))
    stored = asyncio.run(tables(server, "disturbed"))
    assert stored == asyncio.run(tables(server, "undisturbed"))
    assert len(stored["reading"]) == 150
    assert stored["leak_episode"]


def test_what_a_killed_process_has_kept_is_taken_in_at_the_next_start(
    server: OwnPostgresql, disturbed: Settings, start: Callable[[Settings], Ingest]
) -> None:
    """It waits for a database that is not there at its start; what it kept outlives it, in files of 0600."""
    server.stop_at_once()
    ingest = start(disturbed)
    ingest.feed(lines(0, 30))
    wait_until(lambda: kept_files(disturbed))
    errors = ingest.kill()
    assert errors.count("DATABASE_AWAY") == 1
    assert "Traceback" not in errors
    (path,) = kept_files(disturbed)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    server.start()
    following = start(disturbed)
    following.feed(lines(30, 40))
    summary, _ = following.end()
    assert (summary["lines"], summary["stored"]) == (40, 40)
    assert list((disturbed.data_dir / "spool").iterdir()) == []


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A database that is away until the test opens it; `taken` has what was committed, in order."""

    class Gate:
        is_open = False
        tries = 0
        taken: list[str] = []  # noqa: RUF012 - of this class, made for one test

    async def take_in(_: Any, __: Any, texts: Any, **___: Any) -> IntakeSummary:
        Gate.tries += 1
        if not Gate.is_open:
            raise ConnectionRefusedError(111, "Connect call failed")
        Gate.taken += list(texts)
        return IntakeSummary(lines=len(Gate.taken), stored=len(texts))

    monkeypatch.setattr(pipeline, "take_in", take_in)
    monkeypatch.setattr(lasting_intake, "FIRST_WAIT_S", 0.0)
    monkeypatch.setattr(lasting_intake, "LONGEST_WAIT_S", 0.0)
    return Gate


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_full_spool_stops_the_reading(
    application: Application, gate: Any, tmp_path: Path, capsys: Any
) -> None:
    """The pipe is read no further than the bound, and then to its end; the order is that of reception."""
    brought = 0
    wanted = [f"{number:010d}" * 10 for number in range(300)]

    async def pipe() -> AsyncIterator[list[str]]:
        nonlocal brought
        for text in wanted:
            brought += 1
            yield [text]

    intake = LastingIntake(application, Spool(tmp_path / "spool", most_bytes=4_000))
    await intake.start()
    reading = asyncio.create_task(intake.take_pipe(pipe(), source="pipe"))
    while gate.tries < 200:  # noqa: ASYNC110 - until it has been tried that often
        await asyncio.sleep(0)
    assert 10 < brought < 50
    gate.is_open = True
    await reading
    assert gate.taken == wanted
    assert intake.summary.stored == 300
    assert capsys.readouterr().err.count("DATABASE_AWAY") == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_no_passing_fault_ends_the_command(
    application: Application, gate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours is raised, not waited for."""

    async def faulty(*_: Any, **__: Any) -> IntakeSummary:
        raise LookupError

    monkeypatch.setattr(pipeline, "take_in", faulty)

    async def pipe() -> AsyncIterator[list[str]]:
        yield ["a"]

    intake = LastingIntake(application, Spool(tmp_path / "spool", most_bytes=4_000))
    with pytest.raises(LookupError):
        await intake.take_pipe(pipe(), source="pipe")
