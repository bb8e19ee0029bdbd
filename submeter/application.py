"""Opens the application for a command: settings from the environment, and a check of the tables."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from rich.markup import escape

from core.bootstrap import Application, open_application, pending_migrations
from core.settings import OLD_SECRET_FILE, Settings, from_environment
from submeter.output import err, fail

DEMO_FILE = "demo.json"
"""In the data folder of a demo: what `submeter.demo` keeps of it."""


@asynccontextmanager
async def opened(
    settings: Settings | None = None, *, shared: bool = False, rotating: bool = False
) -> AsyncIterator[Application]:
    """The application, open within the block; ends the command if the tables are not up to date.

    Args:
        settings: by default those of the environment.
        shared: whether tasks that the block did not start find the database too.
        rotating: whether the block ends a rotation of the secret key that was interrupted.
    """
    settings = of_demo(settings or from_environment())
    if not rotating:
        refuse_half_rotated(settings)
    report_pending_migrations(await pending_migrations(settings))
    async with open_application(settings, shared=shared) as application:
        report_broken_plugins(application)
        yield application


def of_demo(settings: Settings) -> Settings:
    """In the folder of a demo, the settings with which links lead to the demo itself."""
    path = settings.data_dir / DEMO_FILE
    if settings.portal_url or not path.exists():
        return settings
    return replace(settings, portal_url=json.loads(path.read_text(encoding="utf-8")).get("url", ""))


@asynccontextmanager
async def opened_unchecked() -> AsyncIterator[Application]:
    """The application, open within the block even if its database is away; the tables are unchecked."""
    settings = from_environment()
    refuse_half_rotated(settings)
    async with open_application(settings) as application:
        report_broken_plugins(application)
        yield application


def report_pending_migrations(pending: Sequence[str]) -> None:
    """End the command where the database lacks some."""
    if pending:
        fail("The tables are not up to date: run `submeter migrate` first.", code="MIGRATE_FIRST")


def refuse_half_rotated(settings: Settings) -> None:
    """End the command where a rotation of the secret was interrupted: what is stored has the old secret."""
    if (settings.data_dir / OLD_SECRET_FILE).exists():
        fail(
            "A rotation of the secret was interrupted: run `submeter secret rotate` again.",
            code="ROTATE_FIRST",
        )


def report_broken_plugins(application: Application) -> None:
    for plugin in application.registry.broken:
        err.print(f"[yellow]{escape(plugin.name)} was not loaded:[/] {escape(plugin.reason)}", soft_wrap=True)
