"""Compares what is stored: with another run, with the lines, and with a recomputation from the readings.

In: an open application. Out: rows as text, without what may differ (row ids, how often a line was received).
The one rule: nothing is changed; the recomputation runs in a transaction that is rolled back.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient
from tortoise.transactions import in_transaction

from core.access import SYSTEM
from core.bootstrap import Application
from core.models import Meter
from core.services.places.key_encryption import KeyEncryption
from core.services.places.meter_directory import lock_dwellings, meters_by_address
from core.services.places.meter_states import refresh
from core.services.shared.transaction import current_database
from core.services.telegrams.recompute import recompute_meter
from tests.support.crash.fleet import Lines, end_of

_EPISODES = (
    "SELECT meter_id, started_on, ended_on, level_at_opening, level_now, level_max, over_range,"
    " q_min_at_opening_lph, loss_litres, mean_flow_lph, counted_days, segments, close_reason, detected_at"
    " FROM leak_episode ORDER BY meter_id, started_on"
)
_ALERTS = (
    "SELECT a.alert_key, a.kind, a.dwelling_id, a.fluid, e.meter_id AS episode_of,"
    " e.started_on AS episode_from, a.meter_id, a.account_id, a.own_limit, a.started_on,"
    " a.ended_on, a.amount, a.threshold"
    " FROM alert a LEFT JOIN leak_episode e ON e.id = a.episode_id ORDER BY a.alert_key"
)
COMPUTED: Mapping[str, str] = {
    "daily_volume": "SELECT * FROM daily_volume ORDER BY meter_id, day",
    "leak_episode": _EPISODES,
    "alert": _ALERTS,
    "meter_state": (
        "SELECT meter_id, last_at, last_index, last_digest, last_evidence, day_from, day_index, plain_steps"
        " FROM meter_state ORDER BY meter_id"
    ),
    "burst_draw": (
        "SELECT meter_id, shown_from_s, ended_s, litres, expected FROM burst_draw"
        " ORDER BY meter_id, shown_from_s"
    ),
}
"""What follows from the readings."""

STORED: Mapping[str, str] = {
    "reading": "SELECT * FROM reading ORDER BY meter_id, read_at",
    "doubtful_reading": (
        "SELECT meter_id, read_at, index_value, status_bits, telegram_digest, evidence, doubt, decided"
        " FROM doubtful_reading ORDER BY meter_id, read_at, index_value"
    ),
    "dead_letter": (
        "SELECT line_digest, stage, reason, radio_address FROM dead_letter WHERE state = 'WAITING'"
        " ORDER BY line_digest"
    ),
    "outbox_message": "SELECT idempotency_key, template FROM outbox_message ORDER BY idempotency_key",
    **COMPUTED,
}

_LEAK = re.compile(r"^leak:(\d+)(?=:|$)")

Tables = Mapping[str, Sequence[tuple[str, ...]]]


async def tables_of(database: BaseDBAsyncClient, which: Mapping[str, str] = STORED) -> Tables:
    """The rows of the tables, as text; keys name a leak by its meter and first day, not by its row."""
    episodes = await database.execute_query_dict("SELECT id, meter_id, started_on FROM leak_episode")
    leaks = {str(row["id"]): f"{row['meter_id']}/{row['started_on']}" for row in episodes}

    def named(value: object) -> str:
        text = str(value)
        if not text.startswith("leak:"):
            return text
        return _LEAK.sub(lambda found: f"leak:{leaks.get(found[1], found[1])}", text)

    return {
        name: sorted(
            tuple(map(named, dict(row).values())) for row in await database.execute_query_dict(query)
        )
        for name, query in which.items()
    }


def differences(one: Tables, other: Tables) -> dict[str, list[tuple[str, ...]]]:
    """The first rows of each table that only one of the two has; nothing if they are equal."""
    found = {name: sorted(set(one[name]) ^ set(other[name]))[:6] for name in one}
    found |= {
        name: [("rows", str(len(one[name])), str(len(other[name])))]
        for name in one
        if len(one[name]) != len(other[name]) and not found[name]
    }
    return {name: rows for name, rows in found.items() if rows}


class _Undo(Exception):
    """Rolls a recomputation back."""


async def recomputed(application: Application, *, hours: int) -> Tables:
    """What follows from the stored readings, made anew for every meter; the database remains as it is."""
    found: list[Tables] = []
    with suppress(_Undo):
        await _recompute_and_undo(application, hours, found)
    return found[0]


async def _recompute_and_undo(application: Application, hours: int, found: list[Tables]) -> None:
    async with in_transaction() as connection:
        await _recompute(connection, application, hours)
        found.append(await tables_of(connection, COMPUTED))
        raise _Undo


async def _recompute(connection: TransactionalDBClient, application: Application, hours: int) -> None:
    thresholds_of = application.registry.leak_thresholds
    addresses = await Meter.all().using_db(connection).values_list("radio_address", flat=True)
    keys = KeyEncryption.under(application.settings.secret_key)
    meters = (await meters_by_address(SYSTEM, addresses, key_encryption=keys)).values()
    await lock_dwellings(connection, [meter.dwelling_id for meter in meters])
    await connection.execute_script("DELETE FROM daily_volume")
    await connection.execute_script("DELETE FROM meter_state")
    await refresh(connection, meters, thresholds_of=thresholds_of)
    for meter in meters:
        await recompute_meter(connection, meter, thresholds_of=thresholds_of, now=end_of(hours))


async def faults(
    application: Application, lines: Lines, *, hours: int, undisturbed: Tables
) -> dict[str, object]:
    """What of the promises of the crash tests does not hold; nothing if all do."""
    database = current_database()
    stored = await tables_of(database)
    both = "SELECT meter_id, read_at, index_value FROM"
    rows = await database.execute_query_dict(f"{both} reading UNION ALL {both} doubtful_reading")
    found = [tuple(map(int, dict(row).values())) for row in rows]
    keys = [row[0] for row in stored["outbox_message"]]
    again = await recomputed(application, hours=hours)
    stated: dict[str, object] = {
        "readings other than sent": sorted(set(found) ^ lines.readings)[:6],
        "readings stored twice": len(found) - len(set(found)),
        "dead letters too many": len(stored["dead_letter"]) - len(lines.useless),
        "messages sent twice": len(keys) - len(set(keys)),
        "unlike an undisturbed run": differences(stored, undisturbed),
        "unlike a recomputation": differences({name: stored[name] for name in again}, again),
    }
    return {name: value for name, value in stated.items() if value}
