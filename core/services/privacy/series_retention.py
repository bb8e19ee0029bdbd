"""Deletes readings, days and months that are past their period, some dwellings at a time (CN-03).

In: the installation's periods and the moment. Out: how many rows of each table went. The one rule: what a
day or month is the only source of is written before it goes, in the same transaction: a month of the days
that are deleted, an archived month of one that residents and managers have read long enough.
`retention_mark` says how far a table is, so a run that is killed goes on where it was, and an hour in which
no border moved reads one row a table.

On PostgreSQL whole partitions of `reading` are dropped (`core.services.shared.partitions`).
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, TypeAlias

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient

from core.consumption import DayVolume
from core.consumption.kept_months import MonthPart, parts_of
from core.consumption.periods import Month
from core.models import Dwelling, Meter, Occupancy, RetentionMark
from core.retention_periods import ARCHIVE_MONTHS, MONTHLY_MONTHS, RetentionPeriods
from core.services.shared.partitions import drop_before, kept_since, prepare_ahead
from core.services.shared.scope import occupants
from core.services.shared.time_series import QUALITY_OF, day_number, day_of_number, run, select
from core.services.shared.transaction import current_database, is_sqlite, transactional

READINGS: Final = "readings (months on PostgreSQL)"
DWELLINGS_AT_ONCE: Final = 100
_COLUMNS: Final = "meter_id, first_day, last_day, amount, known_days, partial_days, estimated_days"
_Work: TypeAlias = Callable[[TransactionalDBClient, Sequence[int], int], Awaitable[int]]
"""What is done with the meters of some dwellings, up to a border; returns how many rows went."""


async def purge_series(periods: RetentionPeriods, *, now: datetime) -> Mapping[str, int]:
    """Delete what is past its period, and have the months ahead ready for intake."""
    database = current_database()
    await prepare_ahead(database, now)
    readings_s = kept_since(now, periods.reading_months)
    present = Month.of(now.date())
    days = day_number(present.plus(-periods.daily_months).first_day)
    shown = day_number(present.plus(-MONTHLY_MONTHS).first_day)
    archived = day_number(present.plus(-MONTHLY_MONTHS - ARCHIVE_MONTHS).first_day)
    return {
        READINGS: await drop_before(database, readings_s),
        "readings set apart": await _by_dwellings("readings set apart", readings_s, _set_apart),
        "daily volumes": await _by_dwellings("daily volumes", days, _days),
        "months archived": await _by_dwellings("months archived", shown, _archive),
        "archived months": await _by_dwellings("archived months", archived, _forget),
    }


async def _by_dwellings(name: str, border: int, work: _Work) -> int:
    """Do the work for all dwellings, unless it is done up to this border."""
    mark = await RetentionMark.get_or_none(name=name)
    if mark is not None and mark.border >= border and mark.done:
        return 0
    gone, done = 0, False
    while not done:
        rows, done = await _some(name, border, work)
        gone += rows
    return gone


@transactional
async def _some(connection: TransactionalDBClient, name: str, border: int, work: _Work) -> tuple[int, bool]:
    """Do it for the next dwellings, whose meters are all done at once, or a fluid's months would differ."""
    await RetentionMark.bulk_create(
        [RetentionMark(name=name, border=border)], ignore_conflicts=True, using_db=connection
    )
    mark = await RetentionMark.filter(name=name).using_db(connection).select_for_update().get()
    if mark.border < border:
        mark.border, mark.last_dwelling_id, mark.done = border, 0, False
    if mark.done or mark.border > border:  # another process has come farther
        return 0, True
    following = Dwelling.filter(id__gt=mark.last_dwelling_id).using_db(connection).order_by("id")
    dwellings = await following.limit(DWELLINGS_AT_ONCE).values_list("id", flat=True)
    meters = Meter.filter(dwelling_id__in=list(dwellings)).using_db(connection)
    ids = [int(str(number)) for number in await meters.order_by("id").values_list("id", flat=True)]
    rows = await work(connection, ids, border) if ids else 0
    mark.done = len(dwellings) < DWELLINGS_AT_ONCE
    mark.last_dwelling_id = int(str(dwellings[-1])) if dwellings else mark.last_dwelling_id
    await mark.save(using_db=connection)
    return rows, mark.done


async def _days(connection: TransactionalDBClient, meter_ids: Sequence[int], border: int) -> int:
    """Write the months of the days before the border, and delete those days."""
    rows = await select(
        connection,
        "SELECT v.meter_id, v.day, v.amount, v.quality FROM k JOIN daily_volume v"
        " ON v.meter_id = k.a AND v.day < k.b ORDER BY v.meter_id, v.day",
        [(number, border) for number in meter_ids],
    )
    moves = await _moves(connection, {row["meter_id"] for row in rows})
    days: dict[int, list[DayVolume]] = {}
    for row in rows:
        day = DayVolume(day_of_number(row["day"]), row["amount"], QUALITY_OF[row["quality"]])
        days.setdefault(row["meter_id"], []).append(day)
    for meter_id, own in days.items():
        await _keep(connection, meter_id, parts_of(own, moves[meter_id]))
    # What a day was before it was corrected is as fine as the day.
    corrections = await _delete(connection, "consumption_correction", "day", meter_ids, border)
    return corrections + await _delete(connection, "daily_volume", "day", list(days), border)


async def _moves(connection: TransactionalDBClient, meter_ids: Iterable[int]) -> dict[int, set[date]]:
    """The days on which somebody moved in or out where each meter is."""
    meters = await Meter.filter(id__in=list(meter_ids)).using_db(connection).only("id", "dwelling_id")
    homes = {meter.id: meter.dwelling_id for meter in meters}
    of_home: dict[int, set[date]] = {number: set() for number in homes.values()}
    rows: list[Occupancy] = await occupants().filter(dwelling_id__in=list(of_home)).using_db(connection)
    for row in rows:
        of_home[row.dwelling_id] |= {row.move_in} if row.move_out is None else {row.move_in, row.move_out}
    return {meter_id: of_home[dwelling_id] for meter_id, dwelling_id in homes.items()}


async def _keep(connection: TransactionalDBClient, meter_id: int, parts: Sequence[MonthPart]) -> None:
    marks = ", ".join("?" if is_sqlite(connection) else f"${place}" for place in range(1, 8))
    await connection.execute_many(
        f"INSERT INTO month_volume ({_COLUMNS}) VALUES ({marks}) ON CONFLICT DO NOTHING",  # noqa: S608 - our own words
        [
            [
                *(meter_id, day_number(part.first), day_number(part.last), part.amount),
                *(part.known, part.partial, part.estimated),
            ]
            for part in parts
        ],
    )


async def _archive(connection: TransactionalDBClient, meter_ids: Sequence[int], border: int) -> int:
    """Move the months that ended before the border to where no resident and no manager reads them."""
    numbers = ", ".join(map(str, meter_ids))
    await run(
        connection,
        f"INSERT INTO archived_month ({_COLUMNS}) SELECT {_COLUMNS} FROM month_volume"  # noqa: S608 - numbers of our own
        f" WHERE meter_id IN ({numbers}) AND last_day < $1 ON CONFLICT DO NOTHING",
        [border],
    )
    return await _delete(connection, "month_volume", "last_day", meter_ids, border)


async def _forget(connection: TransactionalDBClient, meter_ids: Sequence[int], border: int) -> int:
    return await _delete(connection, "archived_month", "last_day", meter_ids, border)


async def _set_apart(connection: TransactionalDBClient, meter_ids: Sequence[int], border: int) -> int:
    """The readings that count for nothing: outside the time in service, in the future, doubtful."""
    tables = ("reading_outside_service", "reading_in_future", "doubtful_reading")
    return sum([await _delete(connection, table, "read_at", meter_ids, border) for table in tables])


async def _delete(
    connection: BaseDBAsyncClient, table: str, column: str, meter_ids: Sequence[int], border: int
) -> int:
    if not meter_ids:
        return 0
    numbers = ", ".join(map(str, meter_ids))
    mark = "?" if is_sqlite(connection) else "$1"
    gone, _ = await connection.execute_query(
        f"DELETE FROM {table} WHERE meter_id IN ({numbers}) AND {column} < {mark}",  # noqa: S608 - our own words and numbers
        [border],
    )
    return int(gone)


async def archived_parts(meter_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The rows of the archive, for the operator's command line in a dispute; no viewer has a way to
    them.
    """
    rows = await select(
        current_database(),
        "SELECT v.* FROM k JOIN archived_month v ON v.meter_id = k.a ORDER BY v.meter_id, v.first_day",
        [(number,) for number in meter_ids],
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["meter_id"], []).append(row)
    return found
