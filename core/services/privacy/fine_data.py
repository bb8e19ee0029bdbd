"""Deletes what is finer than a day of an occupancy: after the move-out, and when the resident asks (CN-06).

In: a dwelling and the first day whose readings are kept. Out: how many readings went. The one rule: of each
day the first, the last and the highest reading remain (`core.consumption.fine_data`), so the days, the
months and the index at a move are what they were; hours, and bursts with their time of day, cannot be shown
again. Whoever judges a meter's leaks anew begins after that day (`fine_data_purge`): the hours before it
are gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient

from core.access import Act, Permission, Viewer, Visitor
from core.access.acts import NOBODY
from core.consumption import IndexReading, day_start
from core.consumption.fine_data import fine_readings
from core.consumption.periods import civil_day
from core.consumption.plausibility import Doubt
from core.models import (
    BurstDraw,
    DoubtfulReading,
    FineDataPurge,
    Meter,
    OccupancyKind,
    RecurringDraw,
    RetentionMark,
)
from core.retention_periods import RetentionPeriods
from core.services.places.meter_directory import lock_dwellings
from core.services.shared import columns
from core.services.shared.audit import Subject, record
from core.services.shared.scope import home_at
from core.services.shared.time_series import day_number, run
from core.services.shared.transaction import current_database, is_sqlite, transactional

KEPT_DAYS: Final = 3
"""Of an occupancy that goes on: what the detection of leaks looks back at (48 hours) and today."""

_ONE_DAY = timedelta(days=1)
_DWELLINGS: Final = 200
_READINGS: Final = 20_000
_MARK: Final = "fine data"
_ENDED: Final = (
    # An end that was entered, and after which the same account does not go on (a lease renewed); or that
    # somebody else moved in.
    "SELECT e.dwelling_id, MAX(e.day) AS day FROM ("
    " SELECT o.dwelling_id, o.move_out AS day FROM occupancy o WHERE o.kind <> $1 AND o.move_out > o.move_in"
    " AND NOT EXISTS (SELECT 1 FROM occupancy s WHERE s.dwelling_id = o.dwelling_id AND s.kind <> $1"
    " AND s.account_id = o.account_id AND s.move_in <= o.move_out"
    " AND (s.move_out IS NULL OR s.move_out > o.move_out))"
    " UNION ALL"
    " SELECT o.dwelling_id, n.move_in FROM occupancy o JOIN occupancy n ON n.dwelling_id = o.dwelling_id"
    " AND n.kind <> $1 AND n.move_in > o.move_in AND (n.move_out IS NULL OR n.move_out > n.move_in)"
    " AND (n.account_id IS NULL OR o.account_id IS NULL OR n.account_id <> o.account_id)"
    " WHERE o.kind <> $1 AND (o.move_out IS NULL OR o.move_out > n.move_in)"
    ") e WHERE e.day <= $2 AND NOT EXISTS (SELECT 1 FROM fine_data_purge p"
    " WHERE p.dwelling_id = e.dwelling_id AND p.kept_from >= e.day)"
    " GROUP BY e.dwelling_id ORDER BY e.dwelling_id LIMIT $3"
)


@dataclass(frozen=True, slots=True)
class FineDataPurged:
    """What was deleted: readings before this day."""

    dwelling_id: int
    kept_from: date
    readings: int


async def purge_after_moves(periods: RetentionPeriods, *, now: datetime) -> int:
    """Purge the occupancies that ended long enough ago, once a day; returns how many readings went."""
    cutoff = now.date() - timedelta(days=periods.fine_data_days)
    mark, _ = await RetentionMark.get_or_create(name=_MARK, defaults={"border": 0})
    if mark.border >= day_number(cutoff):
        return 0
    gone = await _purge_all_ended(cutoff, now)
    await RetentionMark.filter(name=_MARK).update(border=day_number(cutoff), done=True)
    return gone


async def _purge_all_ended(cutoff: date, now: datetime) -> int:
    gone = 0
    while True:
        database = current_database()
        bound = cutoff.isoformat() if is_sqlite(database) else cutoff
        rows = await run(database, _ENDED, [OccupancyKind.OWNER_NON_OCCUPANT.value, bound, _DWELLINGS])
        for row in rows:
            gone += await _purge_ended(row["dwelling_id"], columns.day(row["day"]), now)
        if len(rows) < _DWELLINGS:
            return gone


@transactional
async def _purge_ended(
    connection: TransactionalDBClient, dwelling_id: int, kept_from: date, now: datetime
) -> int:
    found = await _purge(connection, dwelling_id, date.min, kept_from, account_id=None, now=now)
    subject = Subject("dwelling", dwelling_id)
    await record(Act.FINE_DATA_PURGED, subject, None, NOBODY, now, connection, readings=found.readings)
    return found.readings


@transactional
async def purge_fine_data(
    connection: TransactionalDBClient, viewer: Viewer, dwelling_id: int, *, visitor: Visitor, now: datetime
) -> FineDataPurged:
    """Delete what is finer than a day of the viewer's own occupancy; of one that goes on, but for three
    days.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
    """
    viewer.require(Permission.FINE_DATA_PURGE)
    home = await home_at(viewer, dwelling_id)
    today = civil_day(now, home.place["time_zone"])
    kept_from = today - timedelta(days=KEPT_DAYS - 1)
    if home.period.last_day is not None:
        kept_from = min(kept_from, home.period.last_day + _ONE_DAY)
    kept_from = max(kept_from, home.period.first_day)
    found = await _purge(
        connection, dwelling_id, home.period.first_day, kept_from, account_id=viewer.account_id, now=now
    )
    subject = Subject("dwelling", dwelling_id)
    await record(Act.FINE_DATA_PURGED, subject, viewer, visitor, now, connection, readings=found.readings)
    return found


async def purge_occupancy(
    connection: TransactionalDBClient, dwelling_id: int, first: date, kept_from: date, now: datetime
) -> None:
    """Purge an occupancy whose person is erased."""
    if first < kept_from:
        await _purge(connection, dwelling_id, first, kept_from, account_id=None, now=now)


async def _purge(
    connection: TransactionalDBClient,
    dwelling_id: int,
    first: date,
    kept_from: date,
    *,
    account_id: int | None,
    now: datetime,
) -> FineDataPurged:
    """Purge the days from `first` on and before `kept_from`."""
    await lock_dwellings(connection, [dwelling_id])
    meters = (
        await Meter.filter(dwelling_id=dwelling_id).using_db(connection).select_related("dwelling__residence")
    )
    gone = 0
    for meter in meters:
        zone = ZoneInfo(meter.dwelling.residence.time_zone)
        window = (0 if first == date.min else day_start(first, zone), day_start(kept_from, zone) - 1)
        gone += await _thin(connection, meter.id, window, zone)
        gone += await _delete_beside(connection, meter.id, window, first, kept_from)
    await FineDataPurge.create(
        dwelling_id=dwelling_id,
        kept_from=kept_from,
        purged_at=now,
        readings=gone,
        account_id=account_id,
        using_db=connection,
    )
    return FineDataPurged(dwelling_id, kept_from, gone)


async def _thin(
    connection: TransactionalDBClient, meter_id: int, window: tuple[int, int], zone: ZoneInfo
) -> int:
    """Page by page: what was collected of a page's last day is judged with the next page."""
    first_s, last_s = window
    gone, carried = 0, list[IndexReading]()
    while True:
        rows = await run(
            connection,
            "SELECT read_at, index_value FROM reading WHERE meter_id = $1 AND read_at BETWEEN $2 AND $3"
            " ORDER BY read_at LIMIT $4",
            [meter_id, first_s, last_s, _READINGS],
        )
        page = carried + [IndexReading(row["read_at"], row["index_value"]) for row in rows]
        if len(rows) < _READINGS:
            return gone + await _delete(connection, meter_id, fine_readings(page, zone))
        first_s = rows[-1]["read_at"] + 1
        day_s = day_start(civil_day(datetime.fromtimestamp(rows[-1]["read_at"], zone), zone.key), zone)
        carried = [reading for reading in page if reading.at_s >= day_s]
        whole = [reading for reading in page if reading.at_s < day_s]
        gone += await _delete(connection, meter_id, fine_readings(whole, zone))


async def _delete(connection: BaseDBAsyncClient, meter_id: int, moments: Sequence[int]) -> int:
    if not moments:
        return 0
    if is_sqlite(connection):
        which: object = orjson.dumps(list(moments)).decode()
        listed = "read_at IN (SELECT value FROM json_each(?2))"
    else:
        which, listed = list(moments), "read_at = ANY($2::bigint[])"
    mark = "?1" if is_sqlite(connection) else "$1"
    gone, _ = await connection.execute_query(
        f"DELETE FROM reading WHERE meter_id = {mark} AND {listed}",  # noqa: S608 - our own words
        [meter_id, which],
    )
    return int(gone)


async def _delete_beside(
    connection: TransactionalDBClient, meter_id: int, window: tuple[int, int], first: date, kept_from: date
) -> int:
    """Readings that do not count, and the times of day at which water was drawn."""
    doubtful = DoubtfulReading.filter(meter_id=meter_id, read_at__gte=window[0], read_at__lte=window[1])
    # A withdrawn one remains for two years: without it the same telegram would count when it comes again.
    gone = await doubtful.exclude(doubt=Doubt.WITHDRAWN).using_db(connection).delete()
    for table in ("reading_outside_service", "reading_in_future"):
        marks = ("?1", "?2", "?3") if is_sqlite(connection) else ("$1", "$2", "$3")
        rows, _ = await connection.execute_query(
            f"DELETE FROM {table} WHERE meter_id = {marks[0]} AND read_at BETWEEN {marks[1]} AND {marks[2]}",  # noqa: S608 - our own words
            [meter_id, *window],
        )
        gone += int(rows)
    draws = BurstDraw.filter(meter_id=meter_id, shown_from_s__gte=window[0], shown_until_s__lte=window[1])
    await draws.using_db(connection).delete()
    recurring = RecurringDraw.filter(meter_id=meter_id, last_on__lt=kept_from, first_on__gte=first)
    await recurring.using_db(connection).delete()
    return gone
