"""`submeter purge`: deletes data past its retention period, as the server does every hour."""

from datetime import UTC, datetime

from core.services.operation import retention
from submeter.application import opened
from submeter.output import print_json, print_table


async def purge(*, json: bool = False) -> None:
    """Delete or erase data past its retention period (docs/accounts.md), as the server does every hour.

    Args:
        json: print the counts as JSON.
    """
    async with opened() as application:
        gone = await retention.purge(application.settings, now=datetime.now(UTC))
    if json:
        print_json(dict(gone))
        return
    print_table("Deleted or erased", ("data", "rows"), list(gone.items()))
