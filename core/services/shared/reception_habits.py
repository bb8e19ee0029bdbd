"""How often meters were received, of those from which nothing comes any more.

In: the open connection and a border in time. Out: a page of meters with their last reading and how many
there were before it. The one rule: what is silent is asked of the short states of meters; readings are only
counted of those that are.
"""

from typing import NamedTuple

from tortoise.backends.base.client import BaseDBAsyncClient

from core.services.shared.time_series import run
from core.services.shared.transaction import is_sqlite


class ReceptionHabit(NamedTuple):
    """A meter's last reading, and how many `readings` were received since `first_s` within the
    look-back.
    """

    meter_id: int
    dwelling_id: int
    last_s: int
    first_s: int
    readings: int


async def meters_without_data(
    connection: BaseDBAsyncClient,
    *,
    now_s: int,
    since_s: int,
    look_back_s: int,
    after_id: int,
    limit: int,
) -> list[ReceptionHabit]:
    """Meters in service without a reading since a moment, by id: a page of those beyond `after_id`.

    Args:
        connection: to read in.
        now_s: the present: a meter whose removal is yet to come is in service.
        since_s: the last reading is older.
        look_back_s: over how long before it readings are counted.
        after_id: the last id of the page before.
        limit: how many at most.
    """
    removed_s = "CAST(strftime('%s', m.removed_at) AS INTEGER)"
    if not is_sqlite(connection):
        removed_s = "EXTRACT(EPOCH FROM m.removed_at)"
    return [
        ReceptionHabit(row["id"], row["dwelling_id"], row["last_s"], row["first_s"], row["count"])
        for row in await run(
            connection,
            "SELECT q.id, q.dwelling_id, q.last_s, MIN(r.read_at) AS first_s, COUNT(*) AS count FROM"  # noqa: S608 - a fixed expression
            " (SELECT m.id, m.dwelling_id, s.last_at AS last_s"
            " FROM meter m JOIN meter_state s ON s.meter_id = m.id"
            f" WHERE (m.removed_at IS NULL OR {removed_s} > $5) AND m.id > $1) q"
            " JOIN reading r ON r.meter_id = q.id AND r.read_at BETWEEN q.last_s - $3 AND q.last_s"
            " WHERE q.last_s < $2 GROUP BY q.id, q.dwelling_id, q.last_s ORDER BY q.id LIMIT $4",
            [after_id, since_s, look_back_s, limit, now_s],
        )
    ]
