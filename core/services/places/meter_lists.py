"""The meters of an operator as its staff list them: silent ones, unread ones, those without a key.

In: the viewer, filters, and a place in the list. Out: a page of meters, each with its place, by one
statement. The one rule: a meter is silent, unread or without its key only while it is in service, since one
that was removed needs no look; no index is listed (`core.services.places.meters`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from core.access import Permission, Viewer
from core.access.narrowing import Basis
from core.consumption.fluids import Fluid
from core.services.places.meters import MeterView
from core.services.shared.columns import moment, moment_or_none
from core.services.shared.operator_scope import OperatorRows
from core.services.shared.paging import Page
from core.services.shared.transaction import current_database


class MeterOrder(StrEnum):
    """The order of a list of meters."""

    PLACE = "PLACE"
    LAST_READ = "LAST_READ"


@dataclass(frozen=True, slots=True)
class MetersAsked:
    """A page of an operator's meters; a filter that is None does not narrow.

    Attributes:
        first: how many at most.
        after: the number of the last meter of the page before.
        after_read_s: when that meter was last read, by the list's own column; for the order LAST_READ.
        order: by residence and dwelling, or by the last reading, those never read first.
        operator: the code of one operator.
        residence: the site code of a residence; `residence_id`: its number.
        silent_since: meters of which nothing was read since then; those installed later are left out.
        unread: whether they were never read.
        without_key: whether they have no key.
        in_service: whether they are in service.
        search: part of a serial number, radio address (aliases included), location or dwelling's number.
        counted: whether all meters of the list are counted.
    """

    first: int
    after: int | None = None
    after_read_s: int | None = None
    order: MeterOrder = MeterOrder.PLACE
    operator: str | None = None
    residence: str | None = None
    residence_id: int | None = None
    silent_since: datetime | None = None
    unread: bool | None = None
    without_key: bool | None = None
    in_service: bool | None = None
    search: str | None = None
    counted: bool = True


@dataclass(frozen=True, slots=True)
class MeterInList:
    """A meter of a list, with its place; `read_s` is the value of the order LAST_READ."""

    view: MeterView
    operator: str
    residence: str
    dwelling: str
    has_key: bool
    read_s: int


_TABLES = (
    "meter m JOIN dwelling d ON d.id = m.dwelling_id JOIN residence r ON r.id = d.residence_id"
    " JOIN operator p ON p.id = r.operator_id LEFT JOIN meter_state s ON s.meter_id = m.id"
)
_KEY = "EXISTS (SELECT 1 FROM meter_key y WHERE y.meter_id = m.id)"
_COLUMNS = (
    "m.id, m.dwelling_id, m.fluid, m.vendor, m.printed_serial, m.radio_address, m.location, m.register_step,"
    " m.installed_at, m.removed_at, s.last_at, p.code AS operator, r.code AS residence, r.time_zone,"
    f" d.building, d.staircase, d.floor, d.number, CASE WHEN {_KEY} THEN 1 ELSE 0 END AS has_key"
)
_NEVER_READ_S = -1
_READ = f"COALESCE(s.last_at, {_NEVER_READ_S})"
_BY_PLACE = ("p.code", "r.code", "d.building", "d.staircase", "d.floor", "d.number", "m.id")
_BY_READING = (_READ, "m.id")
_SEARCHED = ("m.printed_serial", "m.serial_key", "m.radio_address", "m.location", "d.number")
_ALIASES = ("EXISTS (SELECT 1 FROM meter_alias x WHERE x.meter_id = m.id AND {})", "x.radio_address")
_IN_SERVICE = "m.installed_at <= {} AND (m.removed_at IS NULL OR m.removed_at > {})"


async def list_meters(viewer: Viewer, asked: MetersAsked, *, now: datetime) -> Page[MeterInList]:
    """A page of the operator's meters."""
    viewer.require(Permission.METERS_LIST)
    rows = OperatorRows(
        current_database(), viewer, tables=_TABLES, own="r.operator_id = {0}", code=asked.operator
    )
    _narrow(rows, asked, now)
    if asked.order is MeterOrder.PLACE:
        found = await rows.page(
            _COLUMNS, key="m.id", order=_BY_PLACE, first=asked.first, after=asked.after, counted=asked.counted
        )
    else:
        known = asked.after is not None and asked.after_read_s is not None
        found = await rows.page_after(
            _COLUMNS,
            order=_BY_READING,
            first=asked.first,
            after=(asked.after_read_s or 0, asked.after or 0) if known else None,
            counted=asked.counted,
        )
    return Page([_listed(row) for row in found.rows], has_next=found.has_next, total=found.total)


def _narrow(rows: OperatorRows, asked: MetersAsked, now: datetime) -> None:
    if asked.residence_id is not None:
        rows.where("r.id = {}", asked.residence_id)
    if asked.residence is not None:
        rows.where("r.code = {}", asked.residence)
    if asked.in_service is not None:
        rows.where(_IN_SERVICE if asked.in_service else f"NOT ({_IN_SERVICE})", now, now)
    elif asked.silent_since is not None or asked.unread or asked.without_key:
        rows.where(_IN_SERVICE, now, now)
    if asked.silent_since is not None:
        since = min(asked.silent_since, now)
        rows.where(f"{_READ} < {{}} AND m.installed_at < {{}}", ceil(since.timestamp()), since)
    if asked.unread is not None:
        rows.where(f"s.last_at IS {'' if asked.unread else 'NOT '}NULL")
    if asked.without_key is not None:
        rows.where(f"NOT {_KEY}" if asked.without_key else _KEY)
    rows.search(asked.search, _SEARCHED, also=_ALIASES)


def _listed(row: dict[str, Any]) -> MeterInList:
    zone, removed_at = ZoneInfo(row["time_zone"]), moment_or_none(row["removed_at"])
    place = (row["building"], row["staircase"], row["floor"], row["number"])
    return MeterInList(
        view=MeterView(
            id=row["id"],
            basis=Basis.STAFF,
            dwelling_id=row["dwelling_id"],
            fluid=Fluid(row["fluid"]),
            vendor=row["vendor"],
            printed_serial=row["printed_serial"],
            radio_address=row["radio_address"],
            location=row["location"],
            register_step=row["register_step"],
            installed_on=moment(row["installed_at"]).astimezone(zone).date(),
            removed_on=removed_at.astimezone(zone).date() if removed_at else None,
            last_read_at=None if row["last_at"] is None else datetime.fromtimestamp(row["last_at"], UTC),
            last_reading=None,
        ),
        operator=row["operator"],
        residence=row["residence"],
        dwelling=" · ".join(part for part in place if part),
        has_key=bool(row["has_key"]),
        read_s=_NEVER_READ_S if row["last_at"] is None else row["last_at"],
    )
