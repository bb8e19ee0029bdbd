"""Residences and dwellings of an operator with what they hold, as the command line lists them.

In: the viewer, filters, and a place in the list. Out: a page of residences or dwellings, by one statement.
The one rule: places alone; who lives there is not in it.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.access import Permission, Viewer
from core.services.shared.columns import decimal_or_none, moment_or_none
from core.services.shared.operator_scope import OperatorRows
from core.services.shared.paging import Page
from core.services.shared.transaction import current_database


@dataclass(frozen=True, slots=True)
class PlaceFilter:
    """A page of places; a filter that is None does not narrow. `residence` is a site code."""

    first: int
    after: int | None = None
    operator: str | None = None
    residence: str | None = None
    city: str | None = None
    published: bool | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class ResidenceInList:
    """A residence, and how many dwellings and meters in place it has."""

    id: int
    operator: str
    code: str
    name: str
    street: str
    postcode: str
    city: str
    time_zone: str
    published_at: datetime | None
    dwellings: int
    meters: int


@dataclass(frozen=True, slots=True)
class DwellingInList:
    """A dwelling, and how many meters in place it has."""

    id: int
    operator: str
    residence: str
    building: str
    staircase: str
    floor: str
    number: str
    lot: str | None
    manager_reference: str | None
    surface_m2: Decimal | None
    meters: int


_RESIDENCES = "residence r JOIN operator p ON p.id = r.operator_id"
_DWELLINGS = "dwelling d JOIN residence r ON r.id = d.residence_id JOIN operator p ON p.id = r.operator_id"
_RESIDENCE = (
    "r.id, p.code AS operator, r.code, r.name, r.street, r.postcode, r.city, r.time_zone, r.published_at,"
    " (SELECT COUNT(*) FROM dwelling d WHERE d.residence_id = r.id) AS dwellings,"
    " (SELECT COUNT(*) FROM dwelling d JOIN meter m ON m.dwelling_id = d.id"
    " WHERE d.residence_id = r.id AND m.removed_at IS NULL) AS meters"
)
_DWELLING = (
    "d.id, p.code AS operator, r.code AS residence, d.building, d.staircase, d.floor, d.number, d.lot,"
    " d.manager_reference, d.surface_m2,"
    " (SELECT COUNT(*) FROM meter m WHERE m.dwelling_id = d.id AND m.removed_at IS NULL) AS meters"
)
_OWN = "r.operator_id = {0}"


async def list_residences(viewer: Viewer, asked: PlaceFilter) -> Page[ResidenceInList]:
    """A page of residences by operator and code."""
    viewer.require(Permission.DWELLINGS_READ)
    rows = OperatorRows(current_database(), viewer, tables=_RESIDENCES, own=_OWN, code=asked.operator)
    _narrow(rows, asked)
    rows.search(asked.search, ("r.code", "r.name", "r.street", "r.postcode", "r.city"))
    order = ("p.code", "r.code", "r.id")
    found = await rows.page(
        _RESIDENCE, key="r.id", order=order, first=asked.first, after=asked.after, counted=False
    )
    return Page([_residence(row) for row in found.rows], has_next=found.has_next)


async def list_dwellings(viewer: Viewer, asked: PlaceFilter) -> Page[DwellingInList]:
    """A page of dwellings by residence and place."""
    viewer.require(Permission.DWELLINGS_READ)
    rows = OperatorRows(current_database(), viewer, tables=_DWELLINGS, own=_OWN, code=asked.operator)
    _narrow(rows, asked)
    rows.search(asked.search, ("d.building", "d.number", "d.lot", "d.manager_reference"))
    order = ("p.code", "r.code", "d.building", "d.staircase", "d.floor", "d.number", "d.id")
    found = await rows.page(
        _DWELLING, key="d.id", order=order, first=asked.first, after=asked.after, counted=False
    )
    return Page([_dwelling(row) for row in found.rows], has_next=found.has_next)


def _narrow(rows: OperatorRows, asked: PlaceFilter) -> None:
    if asked.residence is not None:
        rows.where("r.code = {}", asked.residence)
    if asked.city is not None:
        rows.where("LOWER(r.city) = LOWER(CAST({} AS TEXT))", asked.city)
    if asked.published is not None:
        rows.where(f"r.published_at IS {'NOT ' if asked.published else ''}NULL")


def _residence(row: dict[str, Any]) -> ResidenceInList:
    return ResidenceInList(
        id=row["id"],
        operator=row["operator"],
        code=row["code"],
        name=row["name"],
        street=row["street"],
        postcode=row["postcode"],
        city=row["city"],
        time_zone=row["time_zone"],
        published_at=moment_or_none(row["published_at"]),
        dwellings=row["dwellings"],
        meters=row["meters"],
    )


def _dwelling(row: dict[str, Any]) -> DwellingInList:
    return DwellingInList(
        id=row["id"],
        operator=row["operator"],
        residence=row["residence"],
        building=row["building"],
        staircase=row["staircase"],
        floor=row["floor"],
        number=row["number"],
        lot=row["lot"],
        manager_reference=row["manager_reference"],
        surface_m2=decimal_or_none(row["surface_m2"]),
        meters=row["meters"],
    )
