"""A viewer's dwellings, with the residence and operator they belong to."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from core.access import Viewer
from core.consumption.periods import civil_day
from core.models import Dwelling, OccupancyKind
from core.services.shared.columns import decimal_or_none
from core.services.shared.scope import (
    Home,
    OccupancyPeriod,
    dwellings_with_residence,
    home_at,
    homes,
    ownerships,
)


@dataclass(frozen=True, slots=True)
class ResidenceView:
    """A residence as its residents see it; `water_price_eur_per_m3` is None where it is not known."""

    id: int
    code: str
    name: str
    street: str
    postcode: str
    city: str
    time_zone: str
    operator_code: str
    operator_name: str
    water_price_eur_per_m3: Decimal | None


@dataclass(frozen=True, slots=True)
class DwellingView:
    """A dwelling as its occupant sees it; data reach from `visible_from` to `visible_until` (None: open)."""

    id: int
    residence: ResidenceView
    building: str
    staircase: str
    floor: str
    number: str
    lot: str | None
    manager_reference: str | None
    surface_m2: Decimal | None
    occupancy: OccupancyKind
    visible_from: date
    visible_until: date | None


async def my_dwellings(viewer: Viewer) -> list[DwellingView]:
    """Every dwelling of the viewer, the present ones first."""
    return [_view_of(home) for home in await homes(viewer)]


async def my_dwelling(viewer: Viewer, dwelling_id: int) -> DwellingView:
    """One dwelling of the viewer.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
    """
    return _view_of(await home_at(viewer, dwelling_id))


async def owned_dwellings(viewer: Viewer, *, now: datetime) -> list[DwellingView]:
    """Dwellings that the viewer owns today and does not live in (C-01): the place, and no measured data."""
    mine = await ownerships(viewer)
    rows = await dwellings_with_residence([period.dwelling_id for period in mine])
    views = [_view(rows[period.dwelling_id], period) for period in mine]
    return [
        view
        for view, period in zip(views, mine, strict=True)
        if not period.over_on(civil_day(now, view.residence.time_zone))
    ]


def _view(row: Dwelling, period: OccupancyPeriod) -> DwellingView:
    residence = row.residence
    return DwellingView(
        id=row.id,
        residence=ResidenceView(
            id=residence.id,
            code=residence.code,
            name=residence.name,
            street=residence.street,
            postcode=residence.postcode,
            city=residence.city,
            time_zone=residence.time_zone,
            operator_code=residence.operator.code,
            operator_name=residence.operator.name,
            water_price_eur_per_m3=residence.water_price_eur_per_m3,
        ),
        building=row.building,
        staircase=row.staircase,
        floor=row.floor,
        number=row.number,
        lot=row.lot,
        manager_reference=row.manager_reference,
        surface_m2=row.surface_m2,
        occupancy=period.kind,
        visible_from=period.first_day,
        visible_until=period.last_day,
    )


def _view_of(home: Home) -> DwellingView:
    place, period = home.place, home.period
    return DwellingView(
        id=place["dwelling_id"],
        residence=residence_of(home),
        building=place["building"],
        staircase=place["staircase"],
        floor=place["floor"],
        number=place["number"],
        lot=place["lot"],
        manager_reference=place["manager_reference"],
        surface_m2=decimal_or_none(place["surface_m2"]),
        occupancy=period.kind,
        visible_from=period.first_day,
        visible_until=period.last_day,
    )


def residence_of(home: Home) -> ResidenceView:
    """The residence of a home."""
    place = home.place
    return ResidenceView(
        id=place["residence_id"],
        code=place["code"],
        name=place["name"],
        street=place["street"],
        postcode=place["postcode"],
        city=place["city"],
        time_zone=place["time_zone"],
        operator_code=place["operator_code"],
        operator_name=place["operator_name"],
        water_price_eur_per_m3=decimal_or_none(place["water_price_eur_per_m3"]),
    )
