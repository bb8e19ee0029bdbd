"""Starts the application once: settings in, database open and drivers loaded out. Every door calls it.

The database is opened per context (`async with open_application(...)`), so tests and commands run side by
side. A server's requests run in tasks of their own, which is why it uses `shared=True`. What only some doors
need (drivers, the batch decoder, the migrations) is imported on first use.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from anyio import to_thread
from tortoise.context import TortoiseContext

from core import file_permissions, portal_urls
from core.rate_limit_store import RateLimitStore
from core.settings import Settings, SettingsError, sqlite_path

if TYPE_CHECKING:
    from tortoise.backends.base.client import BaseDBAsyncClient

    from core.metering import Registry
    from core.metering.batch import BatchDecoder

_URL = "SUBMETER_DATABASE_URL"
_log = logging.getLogger(__name__)

_MIGRATIONS = "core.migrations"
_HAS_MIGRATED = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE name = 'tortoise_migrations'",
    "postgresql": "SELECT 1 WHERE to_regclass('tortoise_migrations') IS NOT NULL",
}
"""Whether a database, by the name of its connection, has Tortoise's table of applied migrations."""

_MIGRATION_LOCK = 0x5B3E7E4
"""The PostgreSQL advisory lock that keeps two workers from migrating at once (no lock of Tortoise's own)."""


@dataclass(frozen=True)
class Application:
    """What a door holds after start: the settings and the drivers. The database is the current context's.

    `counters` are those of the rate limits (`core.services.auth.rate_limits`). `closing` is called when the
    application is closed, by whoever holds something open for it, the last first.
    """

    settings: Settings
    registry: "Registry"
    counters: RateLimitStore = field(init=False, repr=False, compare=False)
    closing: list[Callable[[], Awaitable[None]]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "counters", RateLimitStore(self.settings.limits_url))

    @cached_property
    def decoder(self) -> "BatchDecoder":
        """The decoder of all intake of the application; its state is kept from batch to batch."""
        from core.metering.batch import BatchDecoder  # noqa: PLC0415 - for intake alone

        return BatchDecoder(self.registry)

    def portal_link(self, operator_code: str, path: str = "") -> str:
        """A page of the portal of an operator's residents.

        SUBMETER_PORTAL_URL decides, then the operator's profile; without either it is this server itself.
        """
        profile = self.registry.profile(operator_code)
        settings = self.settings
        portal = (
            portal_urls.portal_of(settings.portal_url, operator_code)
            or (profile.portal_url if profile else "")
            or portal_urls.own_url(settings.host, settings.port)
        )
        return portal.rstrip("/") + path if path else portal

    def registration_page(self, operator_code: str) -> str:
        """Where an operator's residents register: on the page of its profile, unless SUBMETER_PORTAL_URL says
        that the portal is elsewhere.
        """
        profile = self.registry.profile(operator_code)
        set_elsewhere = portal_urls.portal_of(self.settings.portal_url, operator_code)
        page = profile.registration_url if profile else ""
        return page if page and not set_elsewhere else self.portal_link(operator_code)


@asynccontextmanager
async def open_application(
    settings: Settings, *, shared: bool = False, registry: "Registry | None" = None
) -> AsyncIterator[Application]:
    """Open the database and load the drivers for the time of the block.

    Args:
        settings: what to start with.
        shared: make this database the one that every task of the process finds (servers only).
        registry: drivers to use instead of the installed ones.
    """
    from core.operator_files import load_plugins  # noqa: PLC0415 - not for whoever only migrates

    begin_telemetry(settings)
    _tighten(settings)
    async with TortoiseContext() as context:
        await context.init(config=database_config(settings), _enable_global_fallback=shared)
        application = Application(settings=settings, registry=registry or load_plugins(settings))
        try:
            yield application
        finally:
            for close in reversed(application.closing):
                await close()
            await application.counters.close()
            await end_telemetry()


def begin_telemetry(settings: Settings) -> None:
    """Log as the settings say and export traces as the environment says; a second call changes nothing."""
    from core.telemetry import logs, tracing  # noqa: PLC0415 - not for a command that only decodes

    logs.configure(settings)
    tracing.start()


async def end_telemetry() -> None:
    """Export the traces that are left; whoever opens the application again begins anew."""
    from core.telemetry import tracing  # noqa: PLC0415 - as above

    if tracing.is_on():
        await to_thread.run_sync(tracing.stop)


def _tighten(settings: Settings) -> None:
    for sentence in file_permissions.tighten(settings):
        _log.warning("%s", sentence)


async def migrate(settings: Settings) -> list[str]:
    """Bring the tables up to date and return the names of the migrations that were applied.

    SQLite migrates with foreign keys off: a rebuilt table would otherwise delete its children's rows.
    """
    # Checked first also because the executor would wait for ever for a file that is no database.
    if not await pending_migrations(settings):
        return []
    from tortoise.migrations.executor import MigrationExecutor  # noqa: PLC0415 - seldom needed

    if settings.is_sqlite:
        file_permissions.make_database_file(settings)
        _tighten(settings)
    applied: list[str] = []

    def note(event: str, _app_label: str, name: str) -> None:
        if event.startswith("apply") and name not in applied:
            applied.append(name)

    async with TortoiseContext() as context:
        config = database_config(settings, migrating=True)
        await context.init(config=config)
        connection = context.connections.get(_connection_name(settings))
        executor = MigrationExecutor(connection, config["apps"])
        if settings.is_sqlite:
            await executor.migrate(progress=note)
            return applied
        # The lock is a transaction's, not a session's: a pooler gives each transaction any session.
        async with connection.acquire_connection() as lock_holder, lock_holder.transaction():
            await lock_holder.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATION_LOCK)
            await executor.migrate(progress=note)
    return applied


async def pending_migrations(settings: Settings) -> list[str]:
    """The names of the migrations that the database still lacks; no model is loaded for this.

    Raises:
        SettingsError: the database has a migration that this version does not know.
    """
    if settings.is_sqlite and not await to_thread.run_sync(Path(sqlite_path(settings.database_url)).exists):
        return _migrations()
    database = database_client(settings)
    try:
        if not await database.execute_query_dict(_HAS_MIGRATED[database.connection_name]):
            return _migrations()
        rows = await database.execute_query_dict("SELECT name FROM tortoise_migrations WHERE app = 'models'")
    finally:
        await database.close()
    known, applied = _migrations(), {row["name"] for row in rows}
    if unknown := sorted(applied.difference(known)):
        raise SettingsError(
            f"names a database of another version of Submeter (it has the migration {unknown[0]});"
            " use that version, or make the database anew (`make demo-reset` for the demo's)",
            field=_URL,
        )
    return [name for name in known if name not in applied]


def _migrations() -> list[str]:
    """The names of all migrations, in order, as Tortoise finds them."""
    package = find_spec(_MIGRATIONS)
    assert package is not None
    return sorted(module.name for module in iter_modules(package.submodule_search_locations))


def database_client(settings: Settings) -> "BaseDBAsyncClient":
    """The database without a context, and without models."""
    connection = _connection(settings.database_url, migrating=False)
    client: BaseDBAsyncClient = import_module(connection["engine"]).client_class(
        connection_name=_connection_name(settings), **connection["credentials"]
    )
    return client


_CACHE = "statement_cache_size"
"""Prepared statements kept of a connection: 0 behind a pooler, which changes sessions meanwhile."""

SSL_MODES = ("prefer", "disable", "allow", "require", "verify-ca", "verify-full")
"""As PostgreSQL's own clients name them; the first is the default."""


def database_config(settings: Settings, *, migrating: bool = False) -> dict[str, Any]:
    """The Tortoise configuration of a database URL.

    Args:
        settings: whose database.
        migrating: SQLite without foreign keys, and on PostgreSQL one more connection, which holds the lock.

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
    """A name for each kind of database: Tortoise caches its SQL by connection name, for the whole process."""
    return "sqlite" if settings.is_sqlite else "postgresql"


def _apps(connection_name: str) -> dict[str, Any]:
    return {
        "models": {
            "models": ["core.models"],
            "default_connection": connection_name,
            "migrations": _MIGRATIONS,
        }
    }


def _connection(url: str, *, migrating: bool) -> dict[str, Any]:
    if url.startswith("sqlite:"):
        return {
            "engine": "tortoise.backends.sqlite",
            "credentials": {
                "file_path": sqlite_path(url),
                "foreign_keys": "OFF" if migrating else "ON",
                "busy_timeout": 30_000,
            },
        }
    try:
        credentials = _postgresql_credentials(url)
    except ValueError:
        raise SettingsError("has a port, a pool size or a cache size that is no number", field=_URL) from None
    if not credentials["database"]:
        raise SettingsError("names no database", field=_URL)
    if migrating:
        credentials["maxsize"] = max(2, credentials["maxsize"])
    return {"engine": "tortoise.backends.asyncpg", "credentials": credentials}


def _postgresql_credentials(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    unknown = sorted(set(options) - {"host", "minsize", "maxsize", "sslmode", _CACHE})
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
        **({_CACHE: int(options[_CACHE])} if _CACHE in options else {}),
        "reset": _as_it_is,
    }


async def _as_it_is(_connection: object) -> None:
    """What is done to a connection between two uses: nothing. No statement of ours leaves something in its
    session (a pooler in transaction mode would not keep it), and asyncpg's own reset asks the database once
    more after each statement. It still ends a transaction that was left open.
    """
