"""Opens the house for a command: settings from the environment, tables up to date or a clear word."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.markup import escape

from core.bootstrap import House, open_house, pending_migrations
from core.settings import Settings, from_environment
from submeter.output import err, fail


@asynccontextmanager
async def opened(settings: Settings | None = None) -> AsyncIterator[House]:
    """The house, open for the time of the block; ends the command when the tables are not up to date."""
    settings = settings or from_environment()
    if await pending_migrations(settings):
        fail("The tables are not up to date: run `submeter migrate` first.", code="MIGRATE_FIRST")
    async with open_house(settings) as house:
        tell_broken_plugins(house)
        yield house


def tell_broken_plugins(house: House) -> None:
    for plugin in house.registry.broken:
        err.print(
            f"[yellow]Plugin {escape(plugin.name)} is left out:[/] {escape(plugin.reason)}", soft_wrap=True
        )
