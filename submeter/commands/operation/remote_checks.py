"""Checks of what an installation speaks to: database and its clock, rate limits, mail server, broker.

The one rule: each waits for a few seconds at most, and what does not answer is a finding, never an exception.
"""

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import aiosmtplib

from core.bootstrap import database_client, pending_migrations
from core.database_errors import sentence_of
from core.rate_limit_store import RateLimitStore
from core.settings import IN_MEMORY, Settings, SettingsError
from notifications.channels.email import Email
from submeter.commands.operation.findings import Finding, failed, ok, warn

PATIENCE_S = 5.0
OLDEST_POSTGRESQL = 13
MOST_APART, TOO_FAR_APART = timedelta(seconds=5), timedelta(minutes=1)
"""A clock that is ahead dates readings in the future, which are refused; links and codes end too soon."""

_VERSION = {"sqlite": "SELECT sqlite_version() AS version", "postgresql": "SHOW server_version"}
_PORTS = {"mqtt": 1883, "mqtts": 8883}


async def database(settings: Settings, *, now: Callable[[], datetime]) -> list[Finding]:
    """Whether the database answers, in which version, with which tables, and what its clock shows."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            pending = await pending_migrations(settings)
            findings = [await _server(settings), _tables(pending)]
            return findings if settings.is_sqlite else [*findings, await _clock(settings, now)]
    except SettingsError as failure:
        return [failed("database", str(failure), "See docs/settings.md.")]
    except Exception as failure:  # noqa: BLE001 - drivers raise many types, and each is a finding
        return [
            failed(
                "database",
                f"it cannot be used: {sentence_of(failure)}.",
                "Start it, or correct SUBMETER_DATABASE_URL; nothing works without it.",
            )
        ]


async def _server(settings: Settings) -> Finding:
    client = database_client(settings)
    try:
        rows = await client.execute_query_dict(_VERSION[client.connection_name])
    finally:
        await client.close()
    version = str(next(iter(rows[0].values())))
    name = "SQLite" if settings.is_sqlite else "PostgreSQL"
    if not settings.is_sqlite and int(version.split(".", maxsplit=1)[0]) < OLDEST_POSTGRESQL:
        return failed("database", f"{name} {version} answers.", f"Update it to {OLDEST_POSTGRESQL} or newer.")
    return ok("database", f"{name} {version} answers.")


def _tables(pending: list[str]) -> Finding:
    if pending:
        return failed("migrations", f"{len(pending)} are pending.", "Run `submeter migrate`.")
    return ok("migrations", "the tables are up to date.")


async def _clock(settings: Settings, now: Callable[[], datetime]) -> Finding:
    client = database_client(settings)
    try:
        before = now()
        rows = await client.execute_query_dict("SELECT clock_timestamp() AS at")
        middle = before + (now() - before) / 2
    finally:
        await client.close()
    at: datetime = rows[0]["at"].astimezone(UTC)
    return clock_finding(middle - at)


def clock_finding(apart: timedelta) -> Finding:
    """How far this machine's clock is ahead of the database's."""
    seconds = apart.total_seconds()
    what = f"this machine's is {abs(seconds):.1f} s {'ahead of' if seconds > 0 else 'behind'} the database's."
    if abs(apart) > TOO_FAR_APART:
        return failed("clock", what, "Let both machines take the time from NTP.")
    if abs(apart) > MOST_APART:
        return warn("clock", what, "Let both machines take the time from NTP.")
    return ok("clock", what)


async def rate_limits(settings: Settings) -> list[Finding]:
    """Whether the shared store of the rate limits answers, where one is set."""
    if settings.limits_url == IN_MEMORY:
        return []
    try:
        store = RateLimitStore(settings.limits_url)
    except SettingsError as failure:
        return [failed("rate limits", str(failure), "See docs/settings.md.")]
    host = urlsplit(settings.limits_url)
    await store.close()
    return [
        await _connected("rate limits", host.hostname or "", host.port or 6379, tls=host.scheme == "rediss")
    ]


async def mail_server(settings: Settings) -> list[Finding]:
    """Whether the mail server takes us, without a mail."""
    if not settings.smtp_host:
        return [
            warn("mail", "no server is set.", "E-mails wait in the outbox until SUBMETER_SMTP_HOST is set.")
        ]
    where = f"{settings.smtp_host}:{settings.smtp_port} ({settings.smtp_security})"
    channel = Email(settings)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await channel.check()
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as failure:
        advice = "Check SUBMETER_SMTP_…: host, port, security, username and password."
        return [failed("mail", f"{where} cannot be used: {sentence_of(failure)}.", advice)]
    finally:
        await channel.close()
    return [
        ok(
            "mail",
            f"{where} answers and takes the credentials." if settings.smtp_username else f"{where} answers.",
        )
    ]


async def short_messages(settings: Settings) -> list[Finding]:
    """Whether SMS are sent; the provider's service has no call that costs nothing."""
    if settings.vonage_api_key:
        return [ok("SMS", "an account is set; it is not tried.")]
    return [warn("SMS", "no account is set.", "SMS wait in the outbox until SUBMETER_VONAGE_API_KEY is set.")]


async def broker(url: str) -> list[Finding]:
    """Whether the MQTT broker can be reached, where one is set."""
    if not url:
        return []
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        return [
            failed("broker", "SUBMETER_MQTT_URL is no mqtt:// or mqtts:// address.", "See docs/settings.md.")
        ]
    port = parts.port or _PORTS[parts.scheme]
    return [await _connected("broker", parts.hostname, port, tls=parts.scheme == "mqtts")]


async def _connected(check: str, host: str, port: int, *, tls: bool) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE_S):
            _, writer = await asyncio.open_connection(
                host, port, ssl=ssl.create_default_context() if tls else None
            )
            writer.close()
            await writer.wait_closed()
    except (OSError, TimeoutError) as failure:
        return failed(
            check,
            f"{host}:{port} cannot be reached: {sentence_of(failure)}.",
            "Start it, or correct its URL.",
        )
    return ok(check, f"{host}:{port} can be reached.")
