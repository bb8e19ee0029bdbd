"""`submeter doctor`: checks what an installation needs, and says what to do about each fault."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from rich.text import Text

from core.settings import Settings, SettingsError, environment, from_environment
from submeter.commands.operation.findings import Finding, Level, failed
from submeter.commands.operation.local_checks import drivers, files, free_space, settings_checks, signing
from submeter.commands.operation.remote_checks import (
    broker,
    database,
    mail_server,
    rate_limits,
    short_messages,
)
from submeter.output import out, print_json

_STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


def doctor(*, json: bool = False) -> None:
    """Check settings, files, drivers, database, clock, broker and mail server; nothing is changed or sent.

    Exit status 1 if a check fails.

    Args:
        json: print the results as JSON.
    """
    findings = asyncio.run(examine())
    if json:
        print_json(
            [
                {"check": one.check, "level": one.level.value, "what": one.what, "advice": one.advice}
                for one in findings
            ]
        )
    else:
        for one in findings:
            _print(one)
    if any(one.level is Level.FAIL for one in findings):
        raise SystemExit(1)


async def examine() -> list[Finding]:
    """Everything that was found, in the order of the checks."""
    try:
        settings = from_environment()
    except SettingsError as failure:
        return [failed("settings", str(failure), "See docs/settings.md; nothing else can be checked before.")]
    return [finding async for finding in _checks(settings)]


async def _checks(settings: Settings) -> AsyncIterator[Finding]:
    here = (*settings_checks(settings), *files(settings), *free_space(settings))
    for finding in (*here, *signing(settings, datetime.now(UTC)), *drivers()):
        yield finding
    for check in (
        database(settings, now=lambda: datetime.now(UTC)),
        rate_limits(settings),
        mail_server(settings),
        short_messages(settings),
        broker(environment().get("SUBMETER_MQTT_URL", "")),
    ):
        for finding in await check:
            yield finding


def _print(finding: Finding) -> None:
    line = Text(f"{finding.level.value:4} ", style=_STYLES[finding.level])
    line.append(f"{finding.check}: {finding.what}", style="default")
    if finding.advice:
        line.append(f" {finding.advice}", style="default")
    out.print(line, soft_wrap=True)
