"""The meters of a viewer's dwellings, and the readings of one meter page by page.

An occupant sees the meters that were in service during the occupancy, and readings of it. Managers and
staff see all meters of the dwellings that they are in charge of, and when each was last read; an index,
asked for every day, would disclose the days.

Readings are paged by their time (a keyset), so a page costs the same at the end of a year as at its start,
and a reading that arrives meanwhile shifts nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil, floor
from zoneinfo import ZoneInfo

from core.access import Permission, Role, Viewer
from core.access.narrowing import Basis
from core.consumption import day_start
from core.consumption.fluids import Fluid
from core.errors import NotFound
from core.metering import StatusFlag, bits_to_flags
from core.models import Meter
from core.services.shared import columns, time_series
from core.services.shared.guests import BASIS_OF
from core.services.shared.paging import Page
from core.services.shared.scope import (
    OccupancyPeriod,
    occupancy_period_of_meter,
    occupancy_periods,
    places_in_charge,
)
from core.services.shared.time_series import ReadingRow, Window
from core.services.shared.transaction import current_database, is_sqlite

_FAR_FUTURE_S = 1 << 40
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReadingView:
    """An index of a meter, in the smallest unit of its fluid; both times are UTC (C-21)."""

    meter_id: int
    read_at: datetime
    received_at: datetime
    index: int
    flags: frozenset[StatusFlag]


@dataclass(frozen=True, slots=True)
class MeterView:
    """A meter as a viewer sees it; days are civil days of the residence. `last_reading`: for its
    occupant.
    """

    id: int
    basis: Basis
    dwelling_id: int
    fluid: Fluid
    vendor: str
    printed_serial: str
    radio_address: str
    location: str
    register_step: int
    installed_on: date
    removed_on: date | None
    last_read_at: datetime | None
    last_reading: ReadingView | None


async def meters_by_dwelling(viewer: Viewer, dwelling_ids: Iterable[int]) -> dict[int, list[MeterView]]:
    """The meters of each dwelling that the viewer sees; by fluid, newest first."""
    viewer.require(Permission.METERS_READ)
    if viewer.role not in BASIS_OF:
        return await _in_charge(viewer, dwelling_ids)
    wanted = set(dwelling_ids)
    mine = {
        period.dwelling_id: period
        for period in reversed(await occupancy_periods(viewer))
        if period.dwelling_id in wanted
    }
    rows = await Meter.filter(dwelling_id__in=list(mine)).select_related("dwelling__residence")
    shown = [row for row in rows if _during(row, mine[row.dwelling_id])]
    last = await time_series.last_readings(current_database(), [row.id for row in shown])
    found: dict[int, list[MeterView]] = {dwelling_id: [] for dwelling_id in mine}
    for row in sorted(shown, key=lambda row: (list(Fluid).index(row.fluid), -row.installed_at.timestamp())):
        window = _window(row, mine[row.dwelling_id])
        reading = last.get(row.id)
        if reading is not None and reading.read_at_s > window.last:
            page = await time_series.readings_page(current_database(), window, newest_first=True, limit=1)
            reading = page[0] if page else None
        if reading is not None and reading.read_at_s < window.first:
            reading = None
        found[row.dwelling_id].append(_view(row, BASIS_OF[viewer.role], reading))
    return found


async def meter_seen(viewer: Viewer, meter_id: int) -> MeterView:
    """One meter that the viewer sees.

    Raises:
        NotFound: no such meter, or none of the viewer's.
    """
    viewer.require(Permission.METERS_READ)
    row = await Meter.get_or_none(id=meter_id)
    found = {} if row is None else await meters_by_dwelling(viewer, [row.dwelling_id])
    for view in (view for views in found.values() for view in views):
        if view.id == meter_id:
            return view
    raise NotFound("No such meter.", field="id")


async def _in_charge(viewer: Viewer, dwelling_ids: Iterable[int]) -> dict[int, list[MeterView]]:
    at = await places_in_charge(viewer, set(dwelling_ids))
    rows = await time_series.select(
        current_database(),
        "SELECT m.id, m.dwelling_id, m.fluid, m.vendor, m.printed_serial, m.radio_address, m.location,"
        " m.register_step, m.installed_at, m.removed_at, s.last_at FROM k JOIN meter m ON m.dwelling_id = k.a"
        " LEFT JOIN meter_state s ON s.meter_id = m.id",
        [(number,) for number in at],
    )
    basis = Basis.MANAGER if viewer.role is Role.MANAGER else Basis.STAFF
    found: dict[int, list[MeterView]] = {number: [] for number in at}
    for row in rows:
        zone = ZoneInfo(at[row["dwelling_id"]]["time_zone"])
        removed_at = columns.moment_or_none(row["removed_at"])
        view = MeterView(
            id=row["id"],
            basis=basis,
            dwelling_id=row["dwelling_id"],
            fluid=Fluid(row["fluid"]),
            vendor=row["vendor"],
            printed_serial=row["printed_serial"],
            radio_address=row["radio_address"],
            location=row["location"],
            register_step=row["register_step"],
            installed_on=columns.moment(row["installed_at"]).astimezone(zone).date(),
            removed_on=removed_at.astimezone(zone).date() if removed_at else None,
            last_read_at=None if row["last_at"] is None else datetime.fromtimestamp(row["last_at"], UTC),
            last_reading=None,
        )
        found[view.dwelling_id].append(view)
    for views in found.values():
        views.sort(key=lambda one: (list(Fluid).index(one.fluid), -one.installed_on.toordinal(), -one.id))
    return found


@dataclass(frozen=True, slots=True)
class ReadingsAsked:
    """A page of a meter's readings, from `read_from` to `read_to` (both included).

    `after` is the time of the last one of the page before.
    """

    first: int
    after: datetime | None = None
    newest_first: bool = True
    read_from: datetime | None = None
    read_to: datetime | None = None


async def readings_in(window: Window, asked: ReadingsAsked) -> Page[ReadingView]:
    """A page of the readings within a window, which must come from `scope`."""
    earliest, latest, after = window.first, window.last, asked.after
    if asked.read_from is not None:
        earliest = max(earliest, ceil(asked.read_from.timestamp()))
    if asked.read_to is not None:
        latest = min(latest, floor(asked.read_to.timestamp()))
    if after is not None and asked.newest_first:
        latest = min(latest, int(after.timestamp()) - 1)
    elif after is not None:
        earliest = max(earliest, int(after.timestamp()) + 1)
    rows = await time_series.readings_page(
        current_database(),
        Window(window.meter_id, earliest, latest),
        newest_first=asked.newest_first,
        limit=asked.first + 1,
    )
    return Page(items=[reading_view(row) for row in rows[: asked.first]], has_next=len(rows) > asked.first)


async def readings_of_meter(
    viewer: Viewer,
    meter_id: int,
    *,
    first: int,
    after: datetime | None = None,
    newest_first: bool = True,
    read_from: datetime | None = None,
    read_to: datetime | None = None,
) -> Page[ReadingView]:
    """A page of a meter's readings during the viewer's occupancy.

    Args:
        viewer: the occupant.
        meter_id: one of the viewer's meters.
        first: how many at most.
        after: the time of the last reading of the page before, exclusive.
        newest_first: the order of time.
        read_from: a further bound, included.
        read_to: as `read_from`.

    Raises:
        NotFound: no such meter, or not the viewer's.
    """
    viewer.require(Permission.READINGS_READ)
    meter, period = await occupancy_period_of_meter(viewer, meter_id)
    asked = ReadingsAsked(first, after, newest_first, read_from, read_to)
    return await readings_in(_window(meter, period), asked)


async def newest_within(windows: Iterable[Window]) -> dict[int, ReadingView]:
    """The newest reading of each meter within its window, by one statement; windows come from `scope`."""
    connection = current_database()
    rows = await time_series.select(
        connection,
        "SELECT r.* FROM k JOIN reading r ON r.meter_id = k.a AND r.read_at ="
        " (SELECT MAX(read_at) FROM reading WHERE meter_id = k.a AND read_at BETWEEN k.b AND k.c)"
        if is_sqlite(connection)
        else "SELECT r.* FROM k JOIN LATERAL (SELECT * FROM reading WHERE meter_id = k.a"
        " AND read_at BETWEEN k.b AND k.c ORDER BY read_at DESC LIMIT 1) r ON TRUE",
        windows,
    )
    return {row["meter_id"]: reading_view(time_series.reading_row(row)) for row in rows}


def reading_view(row: ReadingRow) -> ReadingView:
    return ReadingView(
        meter_id=row.meter_id,
        read_at=datetime.fromtimestamp(row.read_at_s, UTC),
        received_at=datetime.fromtimestamp(row.received_at_s, UTC),
        index=row.index_value,
        flags=bits_to_flags(row.status_bits),
    )


def latest(views: Sequence[MeterView]) -> ReadingView | None:
    """The latest reading of several meters (R-072)."""
    return max(
        (view.last_reading for view in views if view.last_reading is not None),
        key=lambda reading: reading.read_at,
        default=None,
    )


def seconds_of(period: OccupancyPeriod, meter_id: int, zone: ZoneInfo) -> Window:
    """The seconds of a meter's time that lie in the civil days of the occupancy period."""
    end_s = _FAR_FUTURE_S if period.last_day is None else day_start(period.last_day + _ONE_DAY, zone) - 1
    return Window(meter_id, day_start(period.first_day, zone), end_s)


def in_service_during(window: Window, installed_s: float, removed_s: float | None) -> bool:
    """Whether a meter was in service at any time of the window."""
    return (removed_s is None or removed_s >= window.first) and installed_s <= window.last


def _during(meter: Meter, period: OccupancyPeriod) -> bool:
    removed_s = meter.removed_at.timestamp() if meter.removed_at else None
    return in_service_during(_window(meter, period), meter.installed_at.timestamp(), removed_s)


def _window(meter: Meter, period: OccupancyPeriod) -> Window:
    return seconds_of(period, meter.id, ZoneInfo(meter.dwelling.residence.time_zone))


def _view(row: Meter, basis: Basis, reading: ReadingRow | None) -> MeterView:
    zone = ZoneInfo(row.dwelling.residence.time_zone)
    return MeterView(
        id=row.id,
        basis=basis,
        dwelling_id=row.dwelling_id,
        fluid=row.fluid,
        vendor=row.vendor,
        printed_serial=row.printed_serial,
        radio_address=row.radio_address,
        location=row.location,
        register_step=row.register_step,
        installed_on=row.installed_at.astimezone(zone).date(),
        removed_on=row.removed_at.astimezone(zone).date() if row.removed_at else None,
        last_read_at=datetime.fromtimestamp(reading.read_at_s, UTC) if reading else None,
        last_reading=reading_view(reading) if reading and basis is Basis.OCCUPANT else None,
    )
