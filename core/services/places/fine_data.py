"""Up to which day the fine data of dwellings were purged: whoever judges hours anew begins after it.

In: dwellings. Out: of each the first day whose readings are all there; none where none were purged. The one
rule: this only reads; what purges is `core.services.privacy.fine_data`.
"""

from collections.abc import Iterable
from datetime import date

from tortoise.backends.base.client import BaseDBAsyncClient

from core.services.shared.time_series import select


async def fine_data_kept_from(connection: BaseDBAsyncClient, dwelling_ids: Iterable[int]) -> dict[int, date]:
    """By the dwelling's number."""
    rows = await select(
        connection,
        "SELECT p.dwelling_id, MAX(p.kept_from) AS day FROM k JOIN fine_data_purge p"
        " ON p.dwelling_id = k.a GROUP BY p.dwelling_id",
        [(number,) for number in dwelling_ids],
    )
    return {row["dwelling_id"]: _day(row["day"]) for row in rows}


def _day(value: date | str) -> date:
    return date.fromisoformat(value[:10]) if isinstance(value, str) else value
