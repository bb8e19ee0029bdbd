"""Starts the house once: settings in, database open and drivers loaded out. Every door calls it.

The database is opened per context (`async with open_house(...)`), so tests and commands run side by side.
A server's requests run in tasks of their own, which is why it asks for `shared=True`.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from anyio import to_thread
from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationExecutor

from core.limit_store import LimitStore
from core.metering import Registry, load_registry
from core.metering.batch import BatchDecoder
from core.settings import Settings, SettingsError

_URL = "SUBMETER_DATABASE_URL"
_LOGS_OF_VALUES = ("aiosqlite", "tortoise.db_client")
"""At DEBUG these log every statement with its values: addresses, serials, hashes."""

_MIGRATION_LOCK = 0x5B3E7E4
"""The PostgreSQL advisory lock that keeps two workers from migrating at once (no lock of Tortoise's own)."""


@dataclass(frozen=True, slots=True)
class House:
    """What a door holds after start: the settings and the drivers. The database is the current context's.

    `decoder` serves all intake of the house, and remembers from batch to batch; `counters` are those of the
    limits on tries (`core.services.limits`).
    """

    settings: Settings
    registry: Registry
    decoder: BatchDecoder = field(init=False, repr=False, compare=False)
    counters: LimitStore = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "decoder", BatchDecoder(self.registry))
        object.__setattr__(self, "counters", LimitStore(self.settings.limits_url))

    def portal_link(self, operator_code: str, path: str = "") -> str:
        """A page of the portal of an operator's residents: the profile's own, or SUBMETER_PORTAL_URL."""
        profile = self.registry.profile(operator_code)
        portal = (profile.portal_url if profile else "") or self.settings.portal_url
        return portal.rstrip("/") + path if path else portal


@asynccontextmanager
async def open_house(
    settings: Settings, *, shared: bool = False, registry: Registry | None = None
) -> AsyncIterator[House]:
    """Open the database and load the drivers for the time of the block.

    Args:
        settings: what to start with.
        shared: make this database the one that every task of the process finds (servers only).
        registry: drivers to use instead of the installed ones.
    """
    for name in _LOGS_OF_VALUES:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    async with TortoiseContext() as context:
        await context.init(config=database_config(settings), _enable_global_fallback=shared)
        house = House(settings=settings, registry=registry or load_registry())
        try:
            yield house
        finally:
            await house.counters.close()


async def migrate(settings: Settings) -> list[str]:
    """Bring the tables up to date and answer the names of the migrations that were applied.

    SQLite migrates with foreign keys off: a rebuilt table would otherwise delete its children's rows.
    """
    if settings.is_sqlite:
        Path(_sqlite_path(settings.database_url)).parent.mkdir(parents=True, exist_ok=True)
    applied: list[str] = []

    def note(event: str, _app_label: str, name: str) -> None:
        if event.startswith("apply") and name not in applied:
            applied.append(name)

    async with TortoiseContext() as context:
        await context.init(config=database_config(settings, migrating=True))
        executor = _executor(context, settings)
        connection = executor.connection
        if settings.is_sqlite:
            # A file that is no database is told here; the executor would wait for it for ever.
            await connection.execute_query("SELECT 1 FROM sqlite_master")
            await executor.migrate(progress=note)
            return applied
        async with connection.acquire_connection() as lock_holder:
            await lock_holder.execute("SELECT pg_advisory_lock($1)", _MIGRATION_LOCK)
            try:
                await executor.migrate(progress=note)
            finally:
                await lock_holder.execute("SELECT pg_advisory_unlock($1)", _MIGRATION_LOCK)
    return applied


SSL_MODES = ("prefer", "disable", "allow", "require", "verify-ca", "verify-full")
"""What PostgreSQL's own clients call them; the first is what holds where none is given."""


async def pending_migrations(settings: Settings) -> list[str]:
    """The names of the migrations that the database still lacks."""
    if settings.is_sqlite and not await to_thread.run_sync(Path(_sqlite_path(settings.database_url)).exists):
        return ["0001_initial"]
    async with TortoiseContext() as context:
        await context.init(config=database_config(settings))
        executor = _executor(context, settings)
        # A plan takes a database that cannot be reached for an empty one, so it is asked first.
        await executor.connection.execute_query("SELECT 1")
        plan = await executor.plan()
        return [step.migration.name for step in plan]


def database_config(settings: Settings, *, migrating: bool = False) -> dict[str, Any]:
    """The Tortoise configuration of a database URL.

    Args:
        settings: whose database.
        migrating: SQLite without foreign keys, and on PostgreSQL a connection more, which holds the lock.

    Raises:
        SettingsError: the URL cannot be read, or names no database.
    """
    name = _connection_name(settings)
    return {
        "connections": {name: _connection(settings.database_url, migrating=migrating)},
        "apps": _apps(name),
        "use_tz": True,
        "timezone": "UTC",
    }


def _connection_name(settings: Settings) -> str:
    """A name for each kind of database: Tortoise keeps its SQL by connection name, for the whole process."""
    return "sqlite" if settings.is_sqlite else "postgresql"


def _apps(connection_name: str) -> dict[str, Any]:
    return {
        "models": {
            "models": ["core.models"],
            "default_connection": connection_name,
            "migrations": "core.migrations",
        }
    }


def _executor(context: TortoiseContext, settings: Settings) -> MigrationExecutor:
    name = _connection_name(settings)
    return MigrationExecutor(context.connections.get(name), _apps(name))


def _connection(url: str, *, migrating: bool) -> dict[str, Any]:
    if url.startswith("sqlite:"):
        return {
            "engine": "tortoise.backends.sqlite",
            "credentials": {
                "file_path": _sqlite_path(url),
                "foreign_keys": "OFF" if migrating else "ON",
                "busy_timeout": 30_000,
            },
        }
    try:
        credentials = _postgresql_credentials(url)
    except ValueError:
        raise SettingsError("has a port or a pool size that is no number", field=_URL) from None
    if not credentials["database"]:
        raise SettingsError("names no database", field=_URL)
    if migrating:
        credentials["maxsize"] = max(2, credentials["maxsize"])
    return {"engine": "tortoise.backends.asyncpg", "credentials": credentials}


def _postgresql_credentials(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    unknown = sorted(set(options) - {"host", "minsize", "maxsize", "sslmode"})
    if unknown:
        raise SettingsError(f"has options that are not known: {', '.join(unknown)}", field=_URL)
    if options.get("sslmode", SSL_MODES[0]) not in SSL_MODES:
        raise SettingsError(f"has an sslmode other than {', '.join(SSL_MODES)}", field=_URL)
    return {
        "host": options.get("host", parts.hostname or "localhost"),
        "port": parts.port or 5432,
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password) if parts.password else None,
        "database": unquote(parts.path.removeprefix("/")),
        "minsize": int(options.get("minsize", "1")),
        "maxsize": int(options.get("maxsize", "10")),
        **({"ssl": options["sslmode"]} if "sslmode" in options else {}),
    }


def _sqlite_path(url: str) -> str:
    """`sqlite:///relative.db` and `sqlite:////absolute.db`, as SQLAlchemy writes them."""
    path = url.removeprefix("sqlite:").removeprefix("//").removeprefix("/")
    if not path:
        raise SettingsError("names no file", field=_URL)
    return path if not url.startswith("sqlite:////") else f"/{path.lstrip('/')}"
