"""Residences and dwellings as a viewer sees them: an occupant, an owner, a manager, the operator's staff.

In: the viewer. Out: views, each with the right by which the viewer sees it. The one rule: all of them get
the same views; what a field of a place shows beyond that follows from `basis` (`core.access.narrowing`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from core.access import Permission, Role, Viewer
from core.access.narrowing import Basis
from core.consumption.periods import civil_day
from core.errors import NotFound
from core.models import OccupancyKind
from core.sanitize import escape_for_database
from core.services.places.ownerships import owned_homes
from core.services.shared.columns import decimal_or_none, moment_or_none
from core.services.shared.guests import BASIS_OF
from core.services.shared.paging import Page
from core.services.shared.place_rows import Found, PlaceRow, PlacesAsked, ResidenceRow, ResidencesAsked
from core.services.shared.scope import (
    OccupancyPeriod,
    home_at,
    homes,
    place_pages_in_charge,
    places_in_charge,
    residence_page_in_charge,
    residences_in_charge,
)


@dataclass(frozen=True, slots=True)
class ResidenceView:
    """A residence; `water_price_eur_per_m3` is None where it is not known."""

    id: int
    basis: Basis
    code: str
    name: str
    street: str
    postcode: str
    city: str
    time_zone: str
    published_at: datetime | None
    operator_code: str
    operator_name: str
    water_price_eur_per_m3: Decimal | None


@dataclass(frozen=True, slots=True)
class DwellingView:
    """A dwelling as a viewer sees it.

    An occupant's data reach from `visible_from` to `visible_until` (None: open); for all others the two are
    None. `occupancy` is that of the viewer.
    """

    id: int
    basis: Basis
    residence: ResidenceView
    building: str
    staircase: str
    floor: str
    number: str
    place: str
    lot: str | None
    manager_reference: str | None
    surface_m2: Decimal | None
    occupancy: OccupancyKind | None
    visible_from: date | None
    visible_until: date | None


ViewT = TypeVar("ViewT", DwellingView, ResidenceView)


async def my_dwellings(viewer: Viewer) -> list[DwellingView]:
    """Every dwelling that the viewer lives or lived in, the present ones first."""
    return [_view(home.place, BASIS_OF[viewer.role], home.period) for home in await homes(viewer)]


async def my_dwelling(viewer: Viewer, dwelling_id: int) -> DwellingView:
    """One dwelling that the viewer lives or lived in.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
    """
    home = await home_at(viewer, dwelling_id)
    return _view(home.place, BASIS_OF[viewer.role], home.period)


async def owned_dwellings(viewer: Viewer, *, now: datetime) -> list[DwellingView]:
    """Dwellings that the viewer owns today and does not live in (C-01): the place, and no measured data."""
    return [
        _view(home.place, Basis.OWNER, home.period)
        for home in await owned_homes(viewer)
        if not home.period.over_on(civil_day(now, home.place["time_zone"]))
    ]


async def dwellings_seen(
    viewer: Viewer, dwelling_ids: Collection[int], *, now: datetime
) -> dict[int, DwellingView]:
    """Those of the dwellings that the viewer sees by any right, by their numbers; the first right
    counts.
    """
    viewer.require(Permission.DWELLINGS_READ)
    if viewer.role not in BASIS_OF:
        rows = await places_in_charge(viewer, dwelling_ids)
        return {number: _view(row, _basis(viewer)) for number, row in rows.items()}
    mine = {view.id: view for view in reversed(await my_dwellings(viewer))}
    if not mine.keys() >= set(dwelling_ids):
        mine = {view.id: view for view in await owned_dwellings(viewer, now=now)} | mine
    return {number: mine[number] for number in dwelling_ids if number in mine}


async def dwelling_seen(viewer: Viewer, dwelling_id: int, *, now: datetime) -> DwellingView:
    """One dwelling that the viewer sees by any right.

    Raises:
        NotFound: no such dwelling, or none of the viewer's.
    """
    found = await dwellings_seen(viewer, [dwelling_id], now=now)
    if dwelling_id not in found:
        raise NotFound("No such dwelling.", field="id")
    return found[dwelling_id]


async def dwellings_of_residences(
    viewer: Viewer, asked: Sequence[PlacesAsked], *, now: datetime
) -> list[Page[DwellingView]]:
    """Pages of the dwellings that the viewer sees at residences, by place; one statement for all."""
    viewer.require(Permission.DWELLINGS_READ)
    if viewer.role not in BASIS_OF:
        pages = await place_pages_in_charge(viewer, asked)
        basis = _basis(viewer)
        return [
            _page(found, one.first, [_view(row, basis) for row in found.rows])
            for one, found in zip(asked, pages, strict=True)
        ]
    mine = {view.id: view for view in await owned_dwellings(viewer, now=now)}
    mine |= {view.id: view for view in reversed(await my_dwellings(viewer))}
    in_order = sorted(mine.values(), key=_by_place)
    return [
        _page_of([view for view in in_order if view.residence.id == one.residence_id], one) for one in asked
    ]


async def residences_seen(viewer: Viewer, asked: ResidencesAsked, *, now: datetime) -> Page[ResidenceView]:
    """A page of the residences that the viewer sees.

    A manager sees those granted, staff their operator's, a resident those of the own dwellings.
    """
    viewer.require(Permission.PLACES_READ)
    asked = replace(asked, code=_text(asked.code), city=_text(asked.city), search=_text(asked.search))
    if viewer.role not in BASIS_OF:
        found = await residence_page_in_charge(viewer, asked)
        basis = _basis(viewer)
        return _page(found, asked.first, [_residence(row, basis) for row in found.rows])
    mine = await _my_residences(viewer, now)
    shown = [view for view in mine.values() if _holds(view, asked)]
    return _page_of(sorted(shown, key=lambda view: _in_order(view, asked.order)), asked)


async def residence_seen(viewer: Viewer, residence_id: int, *, now: datetime) -> ResidenceView:
    """One residence that the viewer sees.

    Raises:
        NotFound: no such residence, or none of the viewer's.
    """
    viewer.require(Permission.PLACES_READ)
    if viewer.role in BASIS_OF:
        found = (await _my_residences(viewer, now)).get(residence_id)
    else:
        row = (await residences_in_charge(viewer, [residence_id])).get(residence_id)
        found = None if row is None else _residence(row, _basis(viewer))
    if found is None:
        raise NotFound("No such residence.", field="id")
    return found


async def residences_by_number(viewer: Viewer, residence_ids: Sequence[int]) -> dict[int, ResidenceView]:
    """Those of the residences that a manager or the operator's staff see, by their numbers."""
    viewer.require(Permission.DWELLINGS_READ)
    rows = await residences_in_charge(viewer, residence_ids)
    return {number: _residence(row, _basis(viewer)) for number, row in rows.items()}


async def _my_residences(viewer: Viewer, now: datetime) -> dict[int, ResidenceView]:
    owned = {view.residence.id: view.residence for view in await owned_dwellings(viewer, now=now)}
    return owned | {view.residence.id: view.residence for view in await my_dwellings(viewer)}


def _basis(viewer: Viewer) -> Basis:
    return Basis.MANAGER if viewer.role is Role.MANAGER else Basis.STAFF


def _text(text: str | None) -> str | None:
    return escape_for_database(text.strip()) if text and text.strip() else None


def _page(found: Found, first: int, views: list[ViewT]) -> Page[ViewT]:
    return Page(views[:first], has_next=len(views) > first, total=found.total)


def _page_of(views: Sequence[ViewT], asked: PlacesAsked | ResidencesAsked) -> Page[ViewT]:
    """A page of a resident's few; empty after one that is none of them."""
    begin = 0
    if asked.after is not None:
        begin = next((place for place, view in enumerate(views, 1) if view.id == asked.after), len(views))
    rest = views[begin:]
    return Page(list(rest[: asked.first]), has_next=len(rest) > asked.first, total=len(views))


def _holds(view: ResidenceView, asked: ResidencesAsked) -> bool:
    searched = (view.code, view.name, view.street, view.postcode, view.city)
    return (
        asked.code in {None, view.code}
        and (asked.city is None or asked.city.casefold() == view.city.casefold())
        and (asked.search is None or any(asked.search.casefold() in text.casefold() for text in searched))
        and asked.published in {None, view.published_at is not None}
    )


def _in_order(view: ResidenceView, order: str) -> tuple[str, str, int]:
    return (getattr(view, order), view.code, view.id)


def _by_place(view: DwellingView) -> tuple[str, str, str, str, int]:
    return (view.building, view.staircase, view.floor, view.number, view.id)


def _view(place: PlaceRow, basis: Basis, period: OccupancyPeriod | None = None) -> DwellingView:
    own = period if basis in BASIS_OF.values() else None
    parts = (place["building"], place["staircase"], place["floor"], place["number"])
    return DwellingView(
        id=place["dwelling_id"],
        basis=basis,
        residence=_residence(place, basis),
        building=place["building"],
        staircase=place["staircase"],
        floor=place["floor"],
        number=place["number"],
        place=" · ".join(part for part in parts if part),
        lot=place["lot"],
        manager_reference=place["manager_reference"],
        surface_m2=decimal_or_none(place["surface_m2"]),
        occupancy=period.kind if period else None,
        visible_from=own.first_day if own else None,
        visible_until=own.last_day if own else None,
    )


def _residence(row: ResidenceRow, basis: Basis) -> ResidenceView:
    return ResidenceView(
        id=row["residence_id"],
        basis=basis,
        code=row["code"],
        name=row["name"],
        street=row["street"],
        postcode=row["postcode"],
        city=row["city"],
        time_zone=row["time_zone"],
        published_at=moment_or_none(row["published_at"]),
        operator_code=row["operator_code"],
        operator_name=row["operator_name"],
        water_price_eur_per_m3=decimal_or_none(row["water_price_eur_per_m3"]),
    )
