"""Checks whether the application can work: whether its database answers."""

import asyncio
import logging

from core.services.shared.transaction import current_database

PATIENCE_S = 5
"""Seconds to wait: longer than a batch of telegrams holds SQLite's one connection."""

_log = logging.getLogger(__name__)


async def database_answers() -> bool:
    """Run the smallest possible query."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await current_database().execute_query("SELECT 1")
    except Exception:  # noqa: BLE001 - drivers raise many types, and all mean: the database does not answer
        _log.warning("The database does not answer", exc_info=True)
        return False
    return True
