"""Workers that are killed and a database that is stopped: the tables are those of an undisturbed run."""

import asyncio
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from core.access import SYSTEM
from core.bootstrap import migrate, open_application
from core.metering import Registry
from core.services.places.key_encryption import KeyEncryption
from core.services.shared.transaction import current_database
from core.services.telegrams.pipeline import take_in
from core.settings import Settings
from tests.support.crash.fleet import Lines, describe, end_of, homes_of, lines_of, shares
from tests.support.crash.run import Database, PostgresqlServer, Run, SqliteFile, own_server
from tests.support.crash.stream import Stream, with_ends
from tests.support.crash.tables import Tables, faults, tables_of
from tests.support.servers.broker import Mosquitto, running_broker

METERS, HOURS = 20, 72
BATCH = 10
SECRET = "a secret of the crash tests, 32 characters"


@pytest.fixture
def lines() -> Lines:
    """The lines of the hours; after them those by which a stream ends, which are useless ones in a file."""
    lines = lines_of(homes_of(METERS), HOURS)
    with_ends(lines)
    return lines


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with running_broker(tmp_path) as broker:
        yield broker


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Path]:
    """A server that only these tests use: they stop it."""
    with own_server({"fsync": "off", "autovacuum": "off"}) as data:
        yield data


def _empty(request: pytest.FixtureRequest, kind: str, folder: Path) -> Database:
    """An empty database."""
    if kind == "sqlite":
        return SqliteFile(f"sqlite:///{folder}/crash.db")
    database = PostgresqlServer(request.getfixturevalue("postgresql"), f"crash_{uuid.uuid4().hex}")
    asyncio.run(database.create())
    return database


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> Database:
    """An empty database, for the run that is disturbed."""
    return _empty(request, kind, tmp_path)


@pytest.fixture(scope="module")
def tables_by_kind() -> dict[str, Tables]:
    """What undisturbed runs have stored so far, by the kind of database."""
    return {}


@pytest.fixture
def undisturbed(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    kind: str,
    registry: Registry,
    lines: Lines,
    tables_by_kind: dict[str, Tables],
) -> Tables:
    """The tables of an undisturbed run: one for each kind of database, for all tests have the same lines."""
    if kind not in tables_by_kind:
        folder = tmp_path / "undisturbed"
        folder.mkdir()
        settings = _settings(folder, _empty(request, kind, folder))
        tables_by_kind[kind] = asyncio.run(_undisturbed(settings, registry, lines))
    return tables_by_kind[kind]


def _settings(folder: Path, database: Database) -> Settings:
    return Settings(folder, database.url, SECRET, log_level="WARNING", intake_batch_lines=BATCH)


async def _described(settings: Settings, registry: Registry) -> None:
    await migrate(settings)
    async with open_application(settings, registry=registry):
        await describe(homes_of(METERS), registry, KeyEncryption.under(SECRET))


async def _undisturbed(settings: Settings, registry: Registry, lines: Lines) -> Tables:
    """The tables of a run by one process, in the order of delivery."""
    await _described(settings, registry)
    async with open_application(settings, registry=registry) as application:
        await take_in(application, SYSTEM, lines.all(), source="crash", now=end_of(HOURS))
        return await tables_of(current_database())


def _files(folder: Path, parts: Iterable[Sequence[str]]) -> list[list[Path]]:
    found = []
    for number, part in enumerate(parts):
        path = folder / f"worker{number}.jsonl"
        path.write_text("\n".join(part), encoding="ascii")
        found.append([path])
    return found


def _run(folder: Path, database: Database, lines: Lines, kills: int, stops: int) -> Run:
    """Watched closely: the whole takes a second or two but for the starts of processes."""
    return Run(
        database,
        _environment(folder, database),
        end_of(HOURS),
        len(lines.readings),
        kills,
        stops,
        longest_pause_s=0.01,
    )


def _environment(folder: Path, database: Database) -> dict[str, str]:
    return {
        "SUBMETER_DATABASE_URL": database.url,
        "SUBMETER_SECRET_KEY": SECRET,
        "SUBMETER_DATA_DIR": str(folder),
        "SUBMETER_INTAKE_BATCH_LINES": str(BATCH),
    }


@pytest.mark.parametrize(
    ("kind", "workers", "kills", "stops"),
    [
        pytest.param("sqlite", "one", 5, 0, id="sqlite"),
        pytest.param("postgresql", "shares", 5, 1, id="postgresql, two workers with a share each"),
        pytest.param("postgresql", "same", 1, 0, id="postgresql, two workers with the same lines"),
    ],
)
async def test_whatever_is_killed_the_tables_are_those_of_an_undisturbed_run(
    tmp_path, registry, lines, undisturbed, database, workers, kills, stops
) -> None:
    """Some 1,600 lines; workers killed at random moments, PostgreSQL stopped at once. Every line is a
    reading or a dead letter, once; volumes, leaks, alerts and states are those of a recomputation, and each
    alert is notified once.
    """
    assert undisturbed["leak_episode"]
    assert undisturbed["outbox_message"]
    settings = _settings(tmp_path, database)
    await _described(settings, registry)
    texts = lines.all()
    parts = {"one": [texts], "same": [texts, texts], "shares": list(shares(texts, 2))}[workers]
    run = _run(tmp_path, database, lines, kills, stops)
    outcome = await run.ingest(_files(tmp_path, parts))
    assert outcome.kills >= kills / 2
    assert outcome.stops == stops
    async with open_application(settings, registry=registry) as application:
        assert await faults(application, lines, hours=HOURS, undisturbed=undisturbed) == {}


@pytest.mark.parametrize("kind", [pytest.param("postgresql", id="postgresql")])
async def test_the_same_by_a_broker(tmp_path, registry, lines, undisturbed, database, broker) -> None:
    """All lines through a broker, in a subscription that two workers share, which are killed; PostgreSQL is
    stopped at once. The tables are those of an undisturbed run, and the broker holds nothing that it would
    send again.
    """
    texts = [text for hour in lines.hours[:HOURS] for text in hour]
    settings = _settings(tmp_path, database)
    await _described(settings, registry)
    stream = Stream(broker, texts, workers=2)
    run = _run(tmp_path, database, lines, kills=2, stops=1)
    outcome = await run.ingest([], stream)
    assert outcome.kills >= 1
    assert outcome.stops == 1
    assert await stream.left() == 0
    async with open_application(settings, registry=registry) as application:
        assert await faults(application, lines, hours=HOURS, undisturbed=undisturbed) == {}
