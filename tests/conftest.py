"""Fixtures of the whole suite: a fixed clock, and every storage test on SQLite and on a real PostgreSQL.

The PostgreSQL server comes with the test extras and listens on a Unix socket in a temporary folder. Each test
has a database of its own, copied from one that the real migrations made.
"""

import asyncio
import gc
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import FrameType

import pytest
from argon2 import PasswordHasher
from hypothesis import settings as hypothesis_settings

from core.bootstrap import Application, migrate, open_application
from core.metering import Registry, load_registry
from core.services.auth import passwords
from core.services.places.key_encryption import KeyEncryption
from core.settings import Settings
from tests.support.databases.models import keep_models
from tests.support.databases.prepared import Prepared
from tests.support.memory import in_memory
from tests.support.servers.postgresql import Postgresql

SECRET_KEY = "a secret of the tests, of at least 32 characters"
REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"

hypothesis_settings.register_profile("same-examples", derandomize=True, deadline=None)
hypothesis_settings.register_profile("new-examples", deadline=None)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same-examples"))
"""The suite tries the same examples each time, so that only what is committed decides; `new-examples` looks
for further ones.
"""


def pytest_configure(config: pytest.Config) -> None:
    """Make the tests' folders in memory, unless whoever started says where."""
    folder = in_memory(executable=True)
    if folder is not None and config.option.basetemp is None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Python's collector leaves alone what collecting the tests has made, as a server's does what its start
    has made: it lasts to the end of the session, and walking through it takes 0.2 s each time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The journeys first: the longest tests are among them, and while one of those is the last, the other
    workers wait.
    """
    journeys = Path(__file__).with_name("journeys")
    items.sort(key=lambda item: journeys not in item.path.parents)


NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
"""The time in every test that sets no other."""


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def shared() -> Path:
    """The folder of vectors that must not be committed; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("../shared is absent: its vectors are not committed")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Argon2 at its least cost: no promise on passwords depends on how long a hash takes."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", lambda: cheap)
        yield


@pytest.fixture(scope="session", autouse=True)
def models_worked_out_once() -> Iterator[None]:
    """Opening a database does not work out the filters and queries of 56 models anew each time."""
    with pytest.MonkeyPatch.context() as patch:
        keep_models(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_trio() -> Iterator[None]:
    """httpx imports `sniffio` at each request in-process; where it is absent, no disk is searched for it."""
    with pytest.MonkeyPatch.context() as patch:
        if importlib.util.find_spec("sniffio") is None:
            patch.setitem(sys.modules, "sniffio", None)
        yield


@pytest.fixture(scope="session", autouse=True)
def plain_interrupts() -> Iterator[None]:
    """Ctrl-C ends the session as without us. asyncio replaces Python's own handler around each call, and
    describes the call's result in full as it does so: 0.6 ms, several times a test.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.default_int_handler(number, frame)

    known = signal.signal(signal.SIGINT, interrupt)
    yield
    signal.signal(signal.SIGINT, known)


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The drivers as installed, through their entry points."""
    return load_registry()


@pytest.fixture(scope="session")
def sqlite_folder() -> Iterator[Path]:
    """Where the SQLite databases are."""
    with tempfile.TemporaryDirectory(prefix="submeter-", dir=in_memory()) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def sqlite_template(sqlite_folder: Path) -> Path:
    folder = sqlite_folder / "template"
    folder.mkdir()
    path = folder / "template.db"
    asyncio.run(migrate(_settings(folder, f"sqlite:///{path}")))
    return path


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgresql]:
    """A running server."""
    from tests.support.databases.array_types import keep_array_types  # noqa: PLC0415 - only where PostgreSQL is tested

    with Postgresql(tmp_path_factory.getbasetemp()) as server, pytest.MonkeyPatch.context() as patch:
        keep_array_types(patch)
        yield server


@pytest.fixture(scope="session")
def postgresql_template(
    tmp_path_factory: pytest.TempPathFactory, postgresql_server: Postgresql
) -> tuple[Path, str]:
    """The data folder of the server, and the name of the migrated database to copy."""
    name = "template_of_tests"
    postgresql_server.create(name)
    asyncio.run(migrate(_settings(tmp_path_factory.mktemp("postgresql"), postgresql_server.url(name))))
    return postgresql_server.data, name


@pytest.fixture
def prepared() -> Prepared | None:
    """What the database holds when the test begins: nothing, unless a folder or module says otherwise."""
    return None


@pytest.fixture(scope="session")
def sqlite_to_copy(sqlite_template: Path, registry: Registry) -> Callable[[Prepared | None], Path]:
    """The file that a test's database is copied from."""

    @cache
    def path_of(prepared: Prepared | None) -> Path:
        if prepared is None:
            return sqlite_template
        path = sqlite_template.with_name(f"{prepared.name}.db")
        shutil.copy(sqlite_template, path)
        asyncio.run(_fill(_settings(path.parent, f"sqlite:///{path}"), registry, prepared))
        return path

    return path_of


@pytest.fixture(scope="session")
def postgresql_to_copy(
    tmp_path_factory: pytest.TempPathFactory,
    postgresql_template: tuple[Path, str],
    postgresql_server: Postgresql,
    registry: Registry,
) -> Callable[[Prepared | None], str]:
    """The name of the database that a test's is copied from."""
    _, template = postgresql_template
    folder = tmp_path_factory.mktemp("prepared")

    @cache
    def name_of(prepared: Prepared | None) -> str:
        if prepared is None:
            return template
        postgresql_server.create(prepared.name, template)
        settings = _settings(folder, postgresql_server.url(prepared.name))
        asyncio.run(_fill(settings, registry, prepared))
        return prepared.name

    return name_of


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, prepared: Prepared | None) -> Iterator[str]:
    """A migrated database, empty but for what is prepared."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_to_copy")(prepared)
        folder = request.getfixturevalue("sqlite_folder") / f"test_{uuid.uuid4().hex}"
        folder.mkdir()
        shutil.copy(template, folder / "test.db")
        yield f"sqlite:///{folder / 'test.db'}"
        shutil.rmtree(folder)
        return
    template = request.getfixturevalue("postgresql_to_copy")(prepared)
    server = request.getfixturevalue("postgresql_server")
    name = f"test_{uuid.uuid4().hex}"
    server.create(name, template)
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return _settings(tmp_path, database_url)


@pytest.fixture
async def application(settings: Settings, registry: Registry) -> AsyncIterator[Application]:
    """The application with an empty database, open for the time of the test."""
    async with open_application(settings, registry=registry) as application:
        yield application


@pytest.fixture
def key_encryption() -> KeyEncryption:
    return KeyEncryption.under(SECRET_KEY)


def _settings(folder: Path, database_url: str) -> Settings:
    return Settings(data_dir=folder, database_url=database_url, secret_key=SECRET_KEY, log_level="WARNING")


async def _fill(settings: Settings, registry: Registry, prepared: Prepared) -> None:
    async with open_application(settings, registry=registry) as application:
        await prepared.fill(application)
