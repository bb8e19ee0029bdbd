"""Checks whether the application can work: whether its database answers, and has this version's tables."""

import asyncio
import logging

from core.bootstrap import Application, pending_migrations
from core.database_errors import is_unreachable, sentence_of
from core.services.shared.transaction import current_database
from core.settings import SettingsError

PATIENCE_S = 5
"""Seconds to wait: longer than a batch of telegrams holds SQLite's one connection."""

_log = logging.getLogger(__name__)


async def database_answers() -> bool:
    """Run the smallest possible query."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await current_database().execute_query("SELECT 1")
    except Exception as failure:  # noqa: BLE001 - drivers raise many types, and all mean: it does not answer
        details = None if is_unreachable(failure) else failure
        _log.warning("The database does not answer: %s", sentence_of(failure), exc_info=details)
        return False
    return True


async def is_ready(application: Application) -> str:
    """Why requests and telegrams should go elsewhere; empty if they need not.

    The migrations are asked for until they are current, which they remain for as long as the process runs.
    """
    if not await database_answers():
        return "database unreachable"
    if application.settings.database_url in _up_to_date:
        return ""
    try:
        async with asyncio.timeout(PATIENCE_S):
            pending = await pending_migrations(application.settings)
    except SettingsError:
        return "database of another version"
    except Exception as failure:
        if is_unreachable(failure):
            return "database unreachable"
        raise
    if pending:
        return "migrations pending"
    _up_to_date.add(application.settings.database_url)
    return ""


_up_to_date: set[str] = set()
"""The databases whose tables were found current."""
