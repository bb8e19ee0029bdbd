"""`submeter purge`: deletes what has outlived its period, as the server does by the hour."""

from datetime import UTC, datetime

from core.services.privacy import retention
from submeter.application import opened
from submeter.output import print_json, print_table


async def purge(*, json: bool = False) -> None:
    """Delete or erase whatever has outlived its period (docs/accounts.md); a server does so by itself.

    Args:
        json: print the counts as JSON.
    """
    async with opened() as application:
        gone = await retention.purge(application.settings, now=datetime.now(UTC))
    if json:
        print_json(dict(gone))
        return
    print_table("What has gone", ("what", "rows"), list(gone.items()))
