"""A fleet's telegrams, workers killed at random moments, and PostgreSQL stopped at once: is anything lost?

    python bench/crash.py [--database sqlite|postgresql] [--source file|mqtt|both] [--telegrams N]
                          [--meters N] [--kills N] [--stops N] [--same]

Takes in hourly telegrams (a tenth doubled, shuffled within the hour, some useless). From files, by
`submeter ingest`: two processes, each with a share of every meter's lines (`--same`: both with all of them).
From a Mosquitto, by two `submeter worker`s on a shared subscription; messages of QoS 1, published a bounded
number of lines ahead of what is stored, into queues without limit (`max_queued_messages 0`), so that the
broker drops none; it is not stopped. From both: one process of each, with half the lines (`--same`: all).
SQLite has one process a source. Processes are killed (SIGKILL) after progress that was observed in the
database and a random part of a batch, and begin their file again, or continue their session; PostgreSQL is
stopped `-m immediate`. Then compares every table with an undisturbed run's and with a recomputation from the
stored readings, and counts what was stored twice or lost, and what the broker still holds. Ends with status 1
if anything differs.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.fleet import Home
from core.access import SYSTEM
from core.bootstrap import migrate, open_application
from core.metering import load_registry
from core.services.places.key_encryption import KeyEncryption
from core.services.shared.transaction import current_database
from core.services.telegrams.pipeline import take_in
from core.settings import Settings
from tests.support.crash.fleet import Lines, describe, end_of, homes_of, lines_of, shares
from tests.support.crash.run import Database, PostgresqlServer, Run, SqliteFile, own_server
from tests.support.crash.stream import Stream, with_ends
from tests.support.crash.tables import Tables, faults, tables_of
from tests.support.servers.broker import Mosquitto

FILES = 20
BATCH = 500
SECRET = "a secret of the bench, 32 characters"  # noqa: S105 - of no one


def main() -> None:
    """Runs the bench."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--source", choices=("file", "mqtt", "both"), default="file")
    parser.add_argument("--telegrams", type=int, default=300_000)
    parser.add_argument("--meters", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--stops", type=int, default=5)
    parser.add_argument("--same", action="store_true", help="each file worker, or source, has all lines")
    options = parser.parse_args()
    if options.same and options.source == "mqtt":
        parser.error("workers that share a subscription never have the same lines")
    homes = homes_of(options.meters)
    hours = max(1, options.telegrams // len(homes))
    started = time.perf_counter()
    lines = lines_of(homes, hours)
    texts = lines.all() if options.source == "file" else with_ends(lines)
    say(
        started, f"{len(texts):,} lines of {len(homes):,} meters, {len(lines.readings):,} different telegrams"
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="submeter-")))
        calm, database = _databases(options.database, folder, stack)
        undisturbed = asyncio.run(_undisturbed(_settings(folder, calm), homes, lines, hours))
        say(
            started,
            "undisturbed: " + ", ".join(f"{name} {len(rows):,}" for name, rows in undisturbed.items()),
        )
        asyncio.run(_described(_settings(folder, database), homes))
        stops = 0 if options.database == "sqlite" else options.stops
        files, stream = _ways(options, texts, folder, stack)
        run = Run(
            database,
            {
                "SUBMETER_DATABASE_URL": database.url,
                "SUBMETER_SECRET_KEY": SECRET,
                "SUBMETER_DATA_DIR": str(folder),
                "SUBMETER_INTAKE_BATCH_LINES": str(BATCH),
            },
            end_of(hours),
            len(lines.readings),
            options.kills,
            stops,
            longest_pause_s=0.1,
            report=lambda text: say(started, text),
        )
        outcome = asyncio.run(run.ingest(files, stream))
        say(
            started,
            f"{outcome.kills} kills ({outcome.missed} met no process), {outcome.stops} stops,"
            f" {len(outcome.failures)} runs ended by themselves, {outcome.messages:,} messages",
        )
        for reason in sorted({failure.strip().rpartition("\n")[2] for failure in outcome.failures}):
            print(f"ended by itself: {reason}")
        found = asyncio.run(_faults(_settings(folder, database), lines, hours, undisturbed))
        if stream is not None and (left := asyncio.run(stream.left())):
            found["messages that the broker would send again"] = left
        for name, value in found.items():
            print(f"{name}: {value}")
        say(started, "DIFFERENT" if found else "equal to the undisturbed run and to the recomputation")
        sys.exit(bool(found))


def say(started: float, text: str) -> None:
    """A line of progress."""
    print(f"{time.perf_counter() - started:6.0f} s  {text}", flush=True)


def _databases(kind: str, folder: Path, stack: ExitStack) -> tuple[Database, Database]:
    if kind == "sqlite":
        return SqliteFile(f"sqlite:///{folder}/calm.db"), SqliteFile(f"sqlite:///{folder}/crash.db")
    data = stack.enter_context(own_server({}))
    servers = PostgresqlServer(data, "calm"), PostgresqlServer(data, "crash")
    for server in servers:
        asyncio.run(server.create())
    return servers


def _ways(
    options: argparse.Namespace, texts: list[str], folder: Path, stack: ExitStack
) -> tuple[list[list[Path]], Stream | None]:
    """The files of each `submeter ingest`, and the stream of the workers."""
    one_way = 1 if options.database == "sqlite" else 2
    file_workers, consumers = {"file": (one_way, 0), "mqtt": (0, one_way), "both": (1, 1)}[options.source]
    ways = file_workers + bool(consumers)
    parts = [texts] * ways if options.same else list(shares(texts, ways))
    files = [_files(folder, number, part) for number, part in enumerate(parts[:file_workers])]
    if not consumers:
        return files, None
    place = folder / "broker"
    place.mkdir()
    broker = Mosquitto(place)
    broker.start()
    stack.callback(broker.stop)
    return files, Stream(broker, parts[-1], consumers, 1.0 if options.same else 1 / ways)


def _settings(folder: Path, database: Database) -> Settings:
    return Settings(folder, database.url, SECRET, log_level="WARNING", intake_batch_lines=BATCH)


def _files(folder: Path, worker: int, texts: list[str]) -> list[Path]:
    size = -(-len(texts) // FILES)
    found = []
    for first in range(0, len(texts), size):
        path = folder / f"worker{worker}-{first:07d}.jsonl"
        path.write_text("\n".join(texts[first : first + size]), encoding="ascii")
        found.append(path)
    return found


async def _described(settings: Settings, homes: list[Home]) -> None:
    await migrate(settings)
    registry = load_registry()
    async with open_application(settings, registry=registry):
        await describe(homes, registry, KeyEncryption.under(SECRET))


async def _undisturbed(settings: Settings, homes: list[Home], lines: Lines, hours: int) -> Tables:
    await _described(settings, homes)
    async with open_application(settings) as application:
        await take_in(application, SYSTEM, lines.all(), source="crash", now=end_of(hours))
        return await tables_of(current_database())


async def _faults(settings: Settings, lines: Lines, hours: int, undisturbed: Tables) -> dict[str, object]:
    async with open_application(settings) as application:
        return await faults(application, lines, hours=hours, undisturbed=undisturbed)


if __name__ == "__main__":
    main()
