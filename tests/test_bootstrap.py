"""Starting the application: the database's URL, its migrations, and what they leave."""

import asyncio
import re
from pathlib import Path

import pytest
from tortoise import Tortoise
from tortoise.migrations.autodetector import MigrationAutodetector

from core import migrations, models
from core.bootstrap import database_config, migrate, open_application, pending_migrations
from core.services.shared.transaction import current_database
from core.settings import Settings, SettingsError

ALL = sorted(path.stem for path in Path(migrations.__file__).parent.glob("0*.py"))
SERIES = {"reading": "read_at", "daily_volume": "day"}


def settings_of(tmp_path, url):
    return Settings(data_dir=tmp_path, database_url=url, secret_key="x" * 32, log_level="WARNING")


def credentials(tmp_path, url, **options):
    (connection,) = database_config(settings_of(tmp_path, url), **options)["connections"].values()
    return connection["credentials"]


@pytest.fixture
def empty_url(request, tmp_path, database_url):
    """An empty database of the same kind."""
    if database_url.startswith("sqlite:"):
        yield f"sqlite:///{tmp_path / 'folder' / 'empty.db'}"
        return
    server = request.getfixturevalue("postgresql_server")
    name = re.search(r"/(test_\w+)", database_url).group(1) + "_empty"
    server.create(name)
    yield server.url(name)
    server.drop(name)


async def test_migrating_again_changes_nothing(tmp_path, empty_url) -> None:
    """Pending migrations are listed and applied once; then none is pending."""
    settings = settings_of(tmp_path, empty_url)
    assert await pending_migrations(settings)
    assert await migrate(settings) == ALL
    assert await pending_migrations(settings) == []
    assert await migrate(settings) == []


async def test_a_database_of_another_version_is_refused(application, settings) -> None:
    """A migration that this version does not know: one line says so, and nothing is read or written."""
    await current_database().execute_query(
        "INSERT INTO tortoise_migrations (app, name, applied_at)"
        " VALUES ('models', '0002_series', '2026-11-22')"
    )
    for asked in (pending_migrations, migrate):
        with pytest.raises(SettingsError, match=r"SUBMETER_DATABASE_URL .* has the migration 0002_series"):
            await asked(settings)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_concurrent_migrations_both_succeed(tmp_path, empty_url) -> None:
    """Workers that start together wait for each other, with a pool of one connection too."""
    small = empty_url.replace("maxsize=5", "maxsize=1")
    applied = await asyncio.gather(*(migrate(settings_of(tmp_path, url)) for url in (empty_url, small)))
    assert sorted(applied, key=len) == [[], ALL]


async def test_the_models_need_no_further_migration(application, settings, tmp_path) -> None:
    """`makemigrations` would write nothing."""
    apps = database_config(settings)["apps"]
    detector = MigrationAutodetector(Tortoise.apps, apps)
    assert await detector.changes() == []


async def keys_of(database, table):
    """The column lists of a table's unique constraints and of its other indexes."""
    if database.capabilities.dialect == "sqlite":
        unique, plain = set(), set()
        for index in await database.execute_query_dict(f"PRAGMA index_list('{table}')"):
            columns = await database.execute_query_dict(f"PRAGMA index_info('{index['name']}')")
            names = tuple(column["name"] for column in columns)
            (unique if index["unique"] else plain).add(names)
        return unique, plain
    rows = await database.execute_query_dict("SELECT indexdef FROM pg_indexes WHERE tablename = $1", [table])
    unique, plain = set(), set()
    for row in rows:
        names = tuple(re.search(r"\((.*)\)", row["indexdef"]).group(1).replace('"', "").split(", "))
        (unique if " UNIQUE " in row["indexdef"] else plain).add(names)
    return unique, plain


def column(model, name):
    return model._meta.fields_db_projection.get(name) or model._meta.fields_map[name].source_field


async def test_the_tables_have_the_indexes_of_the_models(application) -> None:
    """A migration that rebuilds a table on SQLite would drop them without an error."""
    database = current_database()
    sqlite = database.capabilities.dialect == "sqlite"
    for name in models.__all__:
        model = getattr(models, name)
        if not hasattr(model, "_meta"):
            continue
        meta = model._meta
        unique = {(column(model, field),) for field, value in meta.fields_map.items() if value.unique}
        unique |= {tuple(column(model, field) for field in fields) for fields in meta.unique_together}
        plain = {tuple(column(model, field) for field in fields) for fields in meta.indexes}
        found_unique, found_plain = await keys_of(database, meta.db_table)
        if sqlite:
            unique.discard(("id",))  # the row number itself
        assert (found_unique, found_plain) == (unique, plain), meta.db_table


async def test_a_series_has_one_row_for_a_meter_and_a_time(application) -> None:
    """Their composite primary keys are what makes a reading one."""
    for table, column_name in SERIES.items():
        unique, plain = await keys_of(current_database(), table)
        assert (unique, plain) == ({("meter_id", column_name)}, set())


async def test_a_meter_with_readings_has_a_state_that_refers_to_it(application) -> None:
    """Foreign keys are on, on SQLite too; that of the state keeps a meter with readings from deletion."""
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await current_database().execute_script(
            "INSERT INTO meter_state VALUES (99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)"
        )


async def test_applications_side_by_side_do_not_mix(tmp_path, registry, settings) -> None:
    """Two databases opened one after the other are each their own."""
    other = settings_of(tmp_path, f"sqlite:///{tmp_path / 'other.db'}")
    await migrate(other)
    for mine, name in ((settings, "first"), (other, "second")):
        async with open_application(mine, registry=registry) as application:
            assert application.settings == mine
            await models.Operator.create(code=name, name=name)
            assert [row.code for row in await models.Operator.all()] == [name]


def test_a_postgresql_url_says_where_and_as_whom(tmp_path) -> None:
    """User and password may be percent-encoded; options are those of the pool and the host."""
    found = credentials(
        tmp_path, "postgresql://me%40x:a%2Fb@db.example.org:5433/application?minsize=2&maxsize=7"
    )
    assert {name: one for name, one in found.items() if not callable(one)} == {
        "host": "db.example.org",
        "port": 5433,
        "user": "me@x",
        "password": "a/b",
        "database": "application",
        "minsize": 2,
        "maxsize": 7,
    }
    assert (
        credentials(tmp_path, "postgresql:///application?host=/run/postgresql")["host"] == "/run/postgresql"
    )
    assert credentials(tmp_path, "postgres://h/application?maxsize=1", migrating=True)["maxsize"] == 2


def test_an_sqlite_url_names_a_file(tmp_path) -> None:
    """With three slashes relative, with four absolute; foreign keys are on but for migrating."""
    assert credentials(tmp_path, "sqlite:///application.db")["file_path"] == "application.db"
    absolute = credentials(tmp_path, f"sqlite:///{tmp_path}/application.db", migrating=True)
    assert (absolute["file_path"], absolute["foreign_keys"]) == (f"{tmp_path}/application.db", "OFF")


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:",
        "postgresql://h/",
        "postgresql://h:abc/x",
        "postgresql://h/x?maxsize=many",
        "postgresql://[/x",
    ],
)
def test_an_invalid_url_is_reported_by_the_settings_name(tmp_path, url) -> None:
    """It is not quoted: it may contain a password."""
    with pytest.raises(SettingsError) as refused:
        credentials(tmp_path, url)
    assert refused.value.field == "SUBMETER_DATABASE_URL"
    assert url not in str(refused.value)


async def test_the_drivers_are_loaded_where_none_are_given(settings) -> None:
    """From their entry points, in a context of the application's own."""
    async with open_application(settings) as application:
        names = {loaded.driver.name for loaded in application.registry.drivers}
    assert names >= {"ocea", "ista", "itron", "kamstrup"}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_nothing_is_asked_between_two_statements(application) -> None:
    """A connection is used again as it is: no statement of the pool's own follows each of ours."""
    connection = current_database()
    seen = []
    async with connection.acquire_connection() as used:
        used.add_query_logger(lambda record: seen.append(record.query))
    for _ in range(3):
        await connection.execute_query_dict("SELECT 1 AS one")
    assert seen == ["SELECT 1 AS one"] * 3


def test_no_statement_leaves_something_in_its_session() -> None:
    """Locks and settings end with their transaction: behind a pooler, and between two uses, nothing does."""
    kept = re.compile(r"pg_(try_)?advisory_lock|\bLISTEN\b|\bSET (?!LOCAL)[a-z_]+ (=|TO)|WITH HOLD")
    found = [
        f"{path.name}: {match.group()}"
        for path in Path(models.__file__).parent.parent.rglob("*.py")
        for match in kept.finditer(path.read_text())
        if "UPDATE" not in path.read_text()[max(0, match.start() - 200) : match.start()]
    ]
    assert found == []
