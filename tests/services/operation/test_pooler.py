"""Several processes behind a pooler that gives each transaction any session: as straight to the database."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.access import SYSTEM
from core.bootstrap import database_client, migrate, open_application, pending_migrations
from core.metering import Registry
from core.services.places.key_encryption import KeyEncryption
from core.services.shared.transaction import current_database
from core.services.telegrams.pipeline import take_in
from core.settings import Settings
from submeter.output import reported_errors
from tests.conftest import SECRET_KEY
from tests.support.crash.fleet import Lines, describe, end_of, homes_of, lines_of
from tests.support.crash.tables import faults, tables_of
from tests.support.servers.pooler import PgBouncer
from tests.support.servers.postgresql import Postgresql

HOURS, METERS = 40, 12


@pytest.fixture
def pooler(postgresql_server: Postgresql) -> Iterator[PgBouncer]:
    with PgBouncer(postgresql_server.data) as pooler:
        yield pooler


@pytest.fixture
def empty_databases(postgresql_server: Postgresql) -> Iterator[list[str]]:
    """Two databases without tables, by name."""
    names = [f"test_{uuid.uuid4().hex}" for _ in range(2)]
    for name in names:
        postgresql_server.create(name)
    yield names
    for name in names:
        postgresql_server.drop(name)


async def test_workers_behind_a_pooler_store_what_one_stores_without(
    tmp_path: Path,
    registry: Registry,
    pooler: PgBouncer,
    postgresql_server: Postgresql,
    empty_databases: list[str],
) -> None:
    """PgBouncer in transaction mode, three sessions for all: two processes migrate at once, then take in the
    same lines of forty hours, with a leak in them. Nothing is lost or doubled, and the tables are those of
    one worker straight at the database, and of a recomputation.
    """
    lines = lines_of(homes_of(METERS), HOURS)
    straight = _settings(tmp_path, postgresql_server.url(empty_databases[0]))
    await _take_all_in(straight, registry, lines, workers=1)
    async with open_application(straight, registry=registry):
        undisturbed = await tables_of(current_database())
    assert undisturbed["alert"]
    pooled = _settings(tmp_path, pooler.url(empty_databases[1]))
    await _take_all_in(pooled, registry, lines, workers=2)
    async with open_application(pooled, registry=registry) as application:
        assert await faults(application, lines, hours=HOURS, undisturbed=undisturbed) == {}


async def test_without_the_option_the_missing_one_is_named(
    tmp_path: Path, pooler: PgBouncer, empty_databases: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A statement was prepared in a session that another transaction has now: one line names the setting."""
    url = pooler.url(empty_databases[0]).replace("&statement_cache_size=0", "")
    database = database_client(_settings(tmp_path, url))
    async with database.acquire_connection() as one, database.acquire_connection() as other:
        await one.fetch("SELECT 1")
        async with other.transaction():
            with pytest.raises(SystemExit), reported_errors():
                await one.fetch("SELECT 1")
    await database.close()
    assert capsys.readouterr().err == (
        "SETTINGS: The database cannot be used: it is behind a pooler in transaction mode; add"
        " statement_cache_size=0 to SUBMETER_DATABASE_URL.\n"
    )


def _settings(folder: Path, url: str) -> Settings:
    return Settings(
        data_dir=folder, database_url=url, secret_key=SECRET_KEY, log_level="WARNING", intake_batch_lines=50
    )


async def _take_all_in(settings: Settings, registry: Registry, lines: Lines, *, workers: int) -> None:
    """Migrate, describe the fleet and take its lines in: all of them by each worker."""
    await asyncio.gather(*(migrate(settings) for _ in range(workers)))
    assert await pending_migrations(settings) == []
    async with open_application(settings, registry=registry):
        await describe(homes_of(METERS), registry, KeyEncryption.under(SECRET_KEY))

    async def work() -> None:
        async with open_application(settings, registry=registry) as application:
            for hour in lines.hours:
                await take_in(application, SYSTEM, hour, source="pooled", now=end_of(HOURS))

    await asyncio.gather(*(asyncio.create_task(work()) for _ in range(workers)))
